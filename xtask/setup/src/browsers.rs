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

/// The path of WebKit's driver; `WEBKITDRIVER` overrides it.
pub fn webkitdriver() -> Result<PathBuf> {
    located("WEBKITDRIVER", &["WebKitWebDriver"])
}

/// The path of the small browser that comes with WebKit; `WEBKIT` overrides it. It is on no `PATH`.
pub fn webkit() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("WEBKIT") {
        return Ok(PathBuf::from(path));
    }
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let folders = folders
        .map(|folder| folder.path())
        .chain(["/usr/lib".into(), "/usr/libexec".into()]);
    let candidates = folders.flat_map(|folder| {
        let of = |version| folder.join(version).join("MiniBrowser");
        ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map(of)
    });
    let found = candidates.into_iter().find(|path| path.is_file());
    found.context(
        "WebKit's MiniBrowser is not installed; run `cargo xtask setup`, or set WEBKIT to its path",
    )
}

/// The path of the X server without a screen, in which WebKit runs; `XVFB` overrides it.
pub fn xvfb() -> Result<PathBuf> {
    located("XVFB", &["Xvfb"])
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
