//! The npm packages of `package.json`: tools of the build, and packages for benchmarks.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project;
use crate::steps::Log;

/// What they are for.
pub const WHY: &str = "wasm-opt shrinks the page, TypeScript and esbuild make the module, and benchmarks need the others";

/// Whether the versions in `package-lock.json` are installed.
pub fn is_there() -> Result<bool> {
    let wanted = wanted()?;
    Ok(std::fs::read(mark()).is_ok_and(|installed| installed == wanted))
}

fn wanted() -> Result<Vec<u8>> {
    let lock = project::root().join("package-lock.json");
    std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))
}

/// A copy of the lock file, written after the installation, so that an interrupted installation does not count.
fn mark() -> PathBuf {
    project::root()
        .join("node_modules")
        .join(".rtchat-lock.json")
}

/// Installs the versions in `package-lock.json`.
pub fn install(log: &Log) -> Result<()> {
    let (wanted, mark) = (wanted()?, mark());
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(project::root());
    log.run(&mut npm)
        .context("the npm packages cannot be installed; is there a network?")?;
    std::fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}
