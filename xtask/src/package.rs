//! Makes the npm package `rtchat`: the module with its types.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::setup::{self, Need, Tools};
use crate::{build, module, process, project};

/// Documents in the package, and their sources in the project.
const TEXTS: [(&str, &str); 4] = [
    ("README.md", "docs/MODULE.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
];

/// The files of `dist/` in the package.
fn files() -> [&'static str; 4] {
    let [script, program, worker] = module::LOADED;
    [script, program, worker, module::TYPES]
}

/// Builds everything, and packs `target/npm/rtchat-<version>.tgz`. Returns its path.
pub fn run() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let dist = build::run()?;
    let package = pack(&tools, &dist, &project::target().join("npm"))?;
    check(&tools, &package)?;
    Ok(package)
}

/// Packs the files of a `dist/` that has been built, into this folder.
pub fn pack(tools: &Tools, dist: &Path, folder: &Path) -> Result<PathBuf> {
    let content = folder.join("rtchat");
    if content.exists() {
        std::fs::remove_dir_all(&content)?;
    }
    std::fs::create_dir_all(&content)?;
    for file in files() {
        std::fs::copy(dist.join(file), content.join(file))
            .with_context(|| format!("{} contains no {file}", dist.display()))?;
    }
    for (file, source) in TEXTS {
        std::fs::copy(project::root().join(source), content.join(file))
            .with_context(|| format!("there is no {source}"))?;
    }
    let manifest = serde_json::to_string_pretty(&manifest()?)? + "\n";
    std::fs::write(content.join("package.json"), manifest)?;
    let mut npm = tools.web("npm")?;
    npm.args(["pack", "--silent", "--pack-destination"])
        .arg(folder)
        .current_dir(&content);
    let name = process::output(&mut npm).context("npm cannot make the package")?;
    Ok(folder.join(name.trim()))
}

fn manifest() -> Result<serde_json::Value> {
    let package = project::library_package()?;
    Ok(json!({
        "name": package["name"],
        "version": package["version"],
        "description": package["description"],
        "license": package["license"],
        "keywords": ["chat", "webrtc", "mqtt", "p2p", "serverless", "end-to-end"],
        "type": "module",
        "exports": {
            ".": { "types": "./mqtt-rtc.d.ts", "default": "./mqtt-rtc.js" },
            "./mqtt-rtc.wasm": "./mqtt-rtc.wasm",
            "./mqtt-rtc-worker.js": "./mqtt-rtc-worker.js",
            "./package.json": "./package.json",
        },
        "files": files(),
        // It requests its program as soon as it is imported.
        "sideEffects": ["./mqtt-rtc.js", "./mqtt-rtc-worker.js"],
    }))
}

/// Checks the package for problems that developers who install it would have.
fn check(tools: &Tools, package: &Path) -> Result<()> {
    let mut publint: Command = tools.web("publint")?;
    process::run(publint.arg("run").arg(package).arg("--strict"))
        .context("publint found problems in the package")?;
    let mut types = tools.web("attw")?;
    // It is an ES module only, since it is for browsers.
    types.arg(package).args(["--profile", "esm-only"]);
    // These entry points are for bundlers, and have no types.
    types
        .arg("--exclude-entrypoints")
        .args(&module::LOADED[1..]);
    process::run(&mut types).context("some resolution modes do not find its types")?;
    println!("The package is {}.", package.display());
    Ok(())
}
