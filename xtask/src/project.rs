//! Where things lie, and what the lock file says.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_lock::Lockfile;
use serde_json::Value;

use crate::process;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().map(PathBuf::from).unwrap_or(xtask)
}

/// What `build` writes and any static host can serve.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// Where native builds go.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Where builds for the browser go: a folder of their own, because their compiler may be another one, and two
/// compilers that share a folder keep undoing each other's work.
pub fn web_target() -> PathBuf {
    target().join("web")
}

/// Where the tools we compile are kept: outside `target/`, so that neither `cargo clean` nor a new clone loses them.
pub fn tools() -> PathBuf {
    if let Some(folder) = std::env::var_os("RTCHAT_TOOLS") {
        return PathBuf::from(folder);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let home = || {
        std::env::var_os("HOME")
            .or_else(|| std::env::var_os("USERPROFILE"))
            .map(PathBuf::from)
    };
    let cache = cache.or_else(|| home().map(|home| home.join(".cache")));
    cache
        .unwrap_or_else(std::env::temp_dir)
        .join("rtchat")
        .join("tools")
}

/// The cargo that runs us, so that what it compiled stays valid.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The version of a crate that `Cargo.lock` names.
pub fn locked_version(name: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = Lockfile::load(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let package = lock
        .packages
        .iter()
        .find(|package| package.name.as_str() == name);
    let package = package.with_context(|| format!("{} names no crate `{name}`", path.display()))?;
    Ok(package.version.to_string())
}

/// The names of the page's crate's targets of one kind (`test`, `bin`, …).
pub fn targets_of_kind(kind: &str) -> Result<Vec<String>> {
    let package = page_package()?;
    let targets = package["targets"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let of_kind = |target: &&Value| {
        target["kind"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|its| its == kind))
    };
    Ok(targets
        .iter()
        .filter(of_kind)
        .filter_map(|target| target["name"].as_str())
        .map(str::to_owned)
        .collect())
}

/// What cargo says of the page's crate.
pub fn page_package() -> Result<Value> {
    let printed = process::output(cargo().args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]))
    .context("cannot read the workspace's metadata; is Cargo.toml in order?")?;
    let metadata: Value = serde_json::from_str(&printed).context("cargo metadata is no JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let page = packages.iter().find(|package| package["name"] == "rtchat");
    page.cloned().context("the workspace has no crate `rtchat`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_knows_wasm_bindgen() {
        assert!(locked_version("wasm-bindgen").unwrap().starts_with("0.2."));
        assert!(
            locked_version("no-such-crate")
                .unwrap_err()
                .to_string()
                .contains("no-such-crate")
        );
    }

    #[test]
    fn the_page_is_a_binary_named_app() {
        assert_eq!(targets_of_kind("bin").unwrap(), ["app", "module"]);
    }
}
