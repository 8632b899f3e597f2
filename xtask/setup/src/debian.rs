//! Debian packages.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::steps::Log;

/// Packages that are installed together.
#[derive(Debug)]
pub struct Package {
    pub names: &'static [&'static str],
    pub why: &'static str,
    /// An estimate of how long the installation takes.
    pub seconds: u32,
}

/// The names of all these packages.
pub fn names(packages: &[Package]) -> Vec<&'static str> {
    let names = packages.iter().flat_map(|package| package.names);
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if !all.contains(name) {
            all.push(name);
        }
    }
    all
}

/// Fails if this user cannot install these packages, and says what to do.
pub fn check(packages: &[Package]) -> Result<()> {
    if !packages.is_empty() && !can_install() {
        let lines: Vec<String> = packages
            .iter()
            .map(|package| format!("  {} ({})", package.names.join(", "), package.why))
            .collect();
        bail!(
            "these are missing:\n{}\nOn Debian, run `sudo apt-get install {}`; elsewhere install the same programs by \
             the system's own means. Then run this again.",
            lines.join("\n"),
            names(packages).join(" "),
        );
    }
    Ok(())
}

/// Installs packages, all at once.
pub fn install(names: &[&str], log: &Log) -> Result<()> {
    let advice = "is there a network? The packages can also be installed by hand";
    let options = ["install", "-y", "-q", "--no-install-recommends"];
    apt_get(&["update", "-q"], log).context(advice)?;
    apt_get(&[&options, names].concat(), log).context(advice)
}

/// Whether this user may call apt-get.
pub fn can_install() -> bool {
    #[cfg(unix)]
    // SAFETY: geteuid() takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    #[cfg(not(unix))]
    let root = false;
    root && Path::new("/etc/debian_version").exists() && process::find("apt-get").is_some()
}

fn apt_get(arguments: &[&str], log: &Log) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    log.run(&mut command)
}
