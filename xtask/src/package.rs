//! The npm package `rtchat`: the module with its types, checked as npm's own tools would.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::setup::{self, Need, Tools};
use crate::{build, module, process, project};

/// Texts that belong to the package, and where they are in the project.
const TEXTS: [(&str, &str); 4] = [
    ("README.md", "docs/MODULE.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
];

/// What of `dist/` is in it.
fn files() -> [&'static str; 4] {
    let [script, program, worker] = module::LOADED;
    [script, program, worker, module::TYPES]
}

/// Builds everything, and makes the package of it: `target/npm/rtchat-<version>.tgz`, whose path is returned.
pub fn run() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let dist = build::run()?;
    let package = pack(&tools, &dist, &project::target().join("npm"))?;
    check(&tools, &package)?;
    Ok(package)
}

/// Makes the package of a built `dist/`, in this folder.
pub fn pack(tools: &Tools, dist: &Path, folder: &Path) -> Result<PathBuf> {
    let content = folder.join("rtchat");
    if content.exists() {
        std::fs::remove_dir_all(&content)?;
    }
    std::fs::create_dir_all(&content)?;
    for file in files() {
        std::fs::copy(dist.join(file), content.join(file))
            .with_context(|| format!("{} holds no {file}", dist.display()))?;
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
    let name = process::output(&mut npm).context("npm cannot pack it")?;
    Ok(folder.join(name.trim()))
}

fn manifest() -> Result<serde_json::Value> {
    let package = project::page_package()?;
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
        // It asks for its program as soon as it is imported.
        "sideEffects": ["./mqtt-rtc.js", "./mqtt-rtc-worker.js"],
    }))
}

/// What would annoy whoever installs it.
fn check(tools: &Tools, package: &Path) -> Result<()> {
    let mut publint: Command = tools.web("publint")?;
    process::run(publint.arg("run").arg(package).arg("--strict"))
        .context("publint finds fault with the package")?;
    let mut types = tools.web("attw")?;
    // It is an ES module and nothing else, as browsers want it.
    types.arg(package).args(["--profile", "esm-only"]);
    // These are there for bundlers to find, and have no types.
    types
        .arg("--exclude-entrypoints")
        .args(&module::LOADED[1..]);
    process::run(&mut types).context("its types are not found by everybody")?;
    println!("The package is {}.", package.display());
    Ok(())
}
