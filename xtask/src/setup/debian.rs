//! Debian packages.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// Packages that are installed together.
#[derive(Debug)]
pub struct Package {
    pub names: &'static [&'static str],
    pub why: &'static str,
    /// An estimate of how long the installation takes.
    pub seconds: u32,
}

/// Installs packages, all at once.
pub fn ensure(packages: &[Package]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let mut names: Vec<&str> = packages
        .iter()
        .flat_map(|package| package.names)
        .copied()
        .collect();
    names.dedup();
    if !can_install() {
        let lines: Vec<String> = packages
            .iter()
            .map(|package| format!("  {} ({})", package.names.join(", "), package.why))
            .collect();
        bail!(
            "these are missing:\n{}\nOn Debian, run `sudo apt-get install {}`; elsewhere install the same programs by \
             the system's own means. Then run this again.",
            lines.join("\n"),
            names.join(" "),
        );
    }
    for package in packages {
        println!(
            "Installing {}: {} (about {} s).",
            package.names.join(", "),
            package.why,
            package.seconds
        );
    }
    let advice = "is there a network? The packages can also be installed by hand";
    apt_get(&["update", "-q"]).context(advice)?;
    apt_get(
        &[
            &["install", "-y", "-q", "--no-install-recommends"],
            names.as_slice(),
        ]
        .concat(),
    )
    .context(advice)
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

fn apt_get(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    process::run(&mut command)
}
