//! The programs of the browsers that tests run in.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{process, project};

/// The path of Chromium; `CHROME` overrides it.
pub fn chromium() -> Result<PathBuf> {
    located(
        "CHROME",
        &["chromium", "chromium-browser", "google-chrome", "chrome"],
    )
}

/// The path of chromedriver; `CHROMEDRIVER` overrides it.
pub fn chromedriver() -> Result<PathBuf> {
    located("CHROMEDRIVER", &["chromedriver"])
}

/// The path of Firefox; `FIREFOX` overrides it.
pub fn firefox() -> Result<PathBuf> {
    located("FIREFOX", &["firefox-esr", "firefox"])
}

/// The path of geckodriver; `GECKODRIVER` overrides it.
pub fn geckodriver() -> Result<PathBuf> {
    located("GECKODRIVER", &["geckodriver"])
}

fn located(variable: &str, names: &[&str]) -> Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    let kept = |name: &&str| process::find_in(name, [project::tools().join("bin")]);
    let found = names
        .iter()
        .find_map(|name| process::find(name))
        .or_else(|| names.iter().find_map(kept));
    let name = names.first().copied().unwrap_or_default();
    found.with_context(|| {
        format!("{name} is not installed; run `cargo xtask setup`, or set {variable} to its path")
    })
}
