//! Makes the npm package `rtchat`: the module and the script tag with their types.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use crate::setup::{self, Need, Tools};
use crate::{build, module, process, project, widget};

/// Documents in the package, and their sources in the project.
const TEXTS: [(&str, &str); 5] = [
    ("README.md", "docs/MODULE.md"),
    ("EMBEDDING.md", "docs/EMBEDDING.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
];

/// Builds everything, and packs `target/npm/rtchat-<version>.tgz`. Returns its path.
pub fn run() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let dist = build::run()?;
    let package = pack(&tools, &dist, &project::target().join("npm"))?;
    check(&tools, &package)?;
    print_tag(&dist)?;
    Ok(package)
}

/// Packs the files of a `dist/` that has been built, into this folder.
pub fn pack(tools: &Tools, dist: &Path, folder: &Path) -> Result<PathBuf> {
    let content = folder.join("rtchat");
    if content.exists() {
        std::fs::remove_dir_all(&content)?;
    }
    std::fs::create_dir_all(&content)?;
    let mut files = widget::files(dist)?;
    files.extend(module::LOADED.map(str::to_owned));
    files.extend(module::ON_DEMAND.map(str::to_owned));
    files.push(module::TYPES.to_owned());
    for file in &files {
        std::fs::copy(dist.join(file), content.join(file))
            .with_context(|| format!("{} contains no {file}", dist.display()))?;
    }
    files.extend(widget::bundle(tools, &content)?);
    for (file, source) in TEXTS {
        std::fs::copy(project::root().join(source), content.join(file))
            .with_context(|| format!("there is no {source}"))?;
    }
    let manifest = serde_json::to_string_pretty(&manifest(&files)?)? + "\n";
    std::fs::write(content.join("package.json"), manifest)?;
    let mut npm = tools.web("npm")?;
    npm.args(["pack", "--silent", "--pack-destination"])
        .arg(folder)
        .current_dir(&content);
    let name = process::output(&mut npm).context("npm cannot make the package")?;
    Ok(folder.join(name.trim()))
}

/// Its `exports` are for programs. Content delivery networks for npm serve every file, by its name.
fn manifest(files: &[String]) -> Result<serde_json::Value> {
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
            "./widget": { "types": "./widget.d.ts", "default": "./widget.js" },
            "./mqtt-rtc.wasm": "./mqtt-rtc.wasm",
            "./mqtt-rtc-worker.js": "./mqtt-rtc-worker.js",
            "./package.json": "./package.json",
        },
        "files": files,
        // The module requests its program as soon as it is imported, and the widget defines an element.
        "sideEffects": ["./mqtt-rtc.js", "./mqtt-rtc-worker.js", "./widget*.js", "./rtchat*.js"],
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

/// Prints what a page needs that loads the published package.
fn print_tag(dist: &Path) -> Result<()> {
    let package = project::library_package()?;
    let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("version"));
    println!("Once it is published, this puts the chat on a page:");
    println!(
        "<script src=\"https://cdn.jsdelivr.net/npm/{name}@{version}/{}?add\" async crossorigin=\"anonymous\"",
        widget::SCRIPT
    );
    println!(
        "  integrity=\"{}\"></script>",
        widget::integrity(dist, widget::SCRIPT)?
    );
    let [module, ..] = module::LOADED;
    println!(
        "The hash of {module} is {}.",
        widget::integrity(dist, module)?
    );
    Ok(())
}
