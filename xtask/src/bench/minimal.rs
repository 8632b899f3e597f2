//! Contestants in a minimal page: Trystero, from npm, and the browser alone.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use super::{Contestant, script};
use crate::testbed::{Bridge, Site};
use crate::{process, project};

/// Creates a folder with a page that consists of this script, bundled with its imports.
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
            // The module has to stay next to its WebAssembly file.
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

/// Bundles the page of a contestant and serves it. The folder has to exist for as long as the page is used.
pub async fn contestant(
    name: &'static str,
    source: &str,
    bridges: &[Bridge; 2],
) -> Result<((Site, TempDir), Contestant)> {
    let folder = bundle(source)?;
    let site = Site::start(folder.path(), json!({})).await?;
    let contestant = Contestant {
        name,
        scripts: Vec::new(),
        pages: bridges
            .each_ref()
            .map(|bridge| format!("{}?relay={}&", site.url(), bridge.ws_url())),
    };
    Ok(((site, folder), contestant))
}
