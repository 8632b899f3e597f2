//! Trystero, from npm, in the smallest page that uses it.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use super::{Contestant, script};
use crate::testbed::{Bridge, Site};
use crate::{process, project};

/// A folder with a page that consists of this script of ours, bundled with what it imports.
pub fn bundle(name: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let root = project::root();
    let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
    esbuild
        .current_dir(&root)
        .arg(format!("xtask/bench/{name}"))
        .args([
            "--bundle",
            "--minify",
            "--format=esm",
            // Its wasm lies beside it.
            "--external:./mqtt-rtc.js",
        ])
        .arg(format!(
            "--outfile={}",
            folder.path().join("page.js").display()
        ));
    process::output(&mut esbuild).with_context(|| format!("{name} cannot be bundled"))?;
    std::fs::write(folder.path().join("index.html"), script("page.html")?)?;
    Ok(folder)
}

/// Bundles the page and serves it. The folder must stay for as long as it is used.
pub async fn contestant(bridges: &[Bridge; 2]) -> Result<((Site, TempDir), Contestant)> {
    let folder = bundle("trystero.js")?;
    let site = Site::start(folder.path(), json!({})).await?;
    let contestant = Contestant {
        name: "Trystero",
        scripts: Vec::new(),
        pages: bridges
            .each_ref()
            .map(|bridge| format!("{}?relay={}&", site.url(), bridge.ws_url())),
    };
    Ok(((site, folder), contestant))
}
