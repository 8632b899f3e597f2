//! The folders of the project, and facts from the manifests and the lock file.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::process;

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().nth(2).map(PathBuf::from);
    root.unwrap_or(package)
}

/// The folder that `build` writes, which any static host can serve.
pub fn dist() -> PathBuf {
    root().join("dist")
}

/// The folder of native builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The folder of builds for the browser. It is a separate one, because their compiler may be another one, and two
/// compilers that share a folder invalidate each other's work.
pub fn web_target() -> PathBuf {
    target().join("web")
}

/// The folder of the tools that we compile. It is outside `target/`, so that they survive `cargo clean` and a new clone.
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

/// The cargo that runs this program. Using the same one keeps its compiled files valid.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The version of a crate that `Cargo.lock` names.
pub fn locked_version(name: &str) -> Result<String> {
    let path = root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let entry = format!("\nname = \"{name}\"\nversion = \"");
    let version = lock
        .split_once(&entry)
        .and_then(|(_, rest)| rest.split('"').next());
    let version = version.with_context(|| format!("{} lists no crate `{name}`", path.display()))?;
    Ok(version.to_owned())
}

/// A test program of a package of the workspace: a file in `tests/`, or a `[[test]]` of the manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct TestTarget {
    /// The name of the package.
    pub package: String,
    /// The name of the target.
    pub name: String,
}

/// All test programs of the workspace.
pub fn test_targets() -> Result<Vec<TestTarget>> {
    let mut found = Vec::new();
    for package in packages()? {
        let targets = package["targets"].as_array().cloned().unwrap_or_default();
        for target in targets {
            if target["kind"] == json!(["test"]) {
                found.push(TestTarget {
                    package: text(&package["name"]),
                    name: text(&target["name"]),
                });
            }
        }
    }
    Ok(found)
}

/// Cargo's metadata about the library's package.
pub fn library_package() -> Result<Value> {
    let mut packages = packages()?.into_iter();
    let library = packages.find(|package| package["name"] == "rtchat");
    library.context("the workspace has no package `rtchat`")
}

/// Cargo's metadata about every package of the workspace.
fn packages() -> Result<Vec<Value>> {
    let printed = process::output(cargo().args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]))
    .context("cannot read the workspace's metadata; is Cargo.toml valid?")?;
    let metadata: Value =
        serde_json::from_str(&printed).context("the output of `cargo metadata` is not JSON")?;
    Ok(metadata["packages"].as_array().cloned().unwrap_or_default())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_lock_file() {
        assert!(locked_version("wasm-bindgen").unwrap().starts_with("0.2."));
        assert!(
            locked_version("no-such-crate")
                .unwrap_err()
                .to_string()
                .contains("no-such-crate")
        );
    }

    #[test]
    fn the_library_has_the_binaries_app_and_module() {
        let library = library_package().unwrap();
        let targets = library["targets"].as_array().unwrap();
        let binaries = targets
            .iter()
            .filter(|target| target["kind"] == json!(["bin"]))
            .map(|target| &target["name"]);
        assert_eq!(binaries.collect::<Vec<_>>(), ["app", "module"]);
    }

    #[test]
    fn test_programs_of_all_packages_are_found() {
        let targets = test_targets().unwrap();
        for (package, name) in [
            ("rtchat", "simulation"),
            ("rtchat", "browser"),
            ("rtchat-e2e", "e2e"),
            ("rtchat-e2e", "mqtt_brokers"),
            ("xtask", "browsers"),
        ] {
            let wanted = TestTarget {
                package: package.into(),
                name: name.into(),
            };
            assert!(targets.contains(&wanted), "{wanted:?}");
        }
    }
}
