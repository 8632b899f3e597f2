//! Trystero, from npm, in the smallest page that uses it.

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;
use tempfile::TempDir;

use super::{Contestant, script};
use crate::testbed::{Bridge, Site};
use crate::{process, project};

/// Bundles the page and serves it. The folder must stay for as long as it is used.
pub async fn contestant(bridges: &[Bridge; 2]) -> Result<((Site, TempDir), Contestant)> {
    let folder = tempfile::tempdir()?;
    let root = project::root();
    let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
    esbuild.current_dir(&root).args([
        "xtask/bench/trystero.js",
        "--bundle",
        "--minify",
        "--format=esm",
    ]);
    let bundle = folder.path().join("trystero.js");
    esbuild.arg(format!("--outfile={}", bundle.display()));
    process::output(&mut esbuild).context("Trystero cannot be bundled")?;
    std::fs::write(folder.path().join("index.html"), script("trystero.html")?)?;
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
