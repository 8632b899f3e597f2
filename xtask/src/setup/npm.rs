//! The npm packages of `package.json`: tools of the build, and packages for benchmarks.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{process, project};

/// Installs the versions in `package-lock.json`, unless they are installed.
pub fn ensure() -> Result<()> {
    let lock = project::root().join("package-lock.json");
    let wanted = std::fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    // A copy of the lock file, written after the installation, so that an interrupted installation does not count.
    let mark = project::root()
        .join("node_modules")
        .join(".rtchat-lock.json");
    if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!(
        "Installing npm packages: wasm-opt, which shrinks the page, TypeScript for the module, and what benchmarks need (about 10 s)."
    );
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(project::root())
        .stdin(Stdio::null());
    process::run(&mut npm).context("the npm packages cannot be installed; is there a network?")?;
    std::fs::write(&mark, wanted).with_context(|| format!("cannot write {}", mark.display()))
}
