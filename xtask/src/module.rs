//! Builds `mqtt-rtc.js`, the module for other people's pages: the library without the page, and TypeScript around it.

use std::path::Path;

use anyhow::{Context, Result};

use crate::setup::Tools;
use crate::{glue, optimise, process, project, shorten, symbols};

/// The module's files in `dist/` that a browser loads. The page loads none of them.
pub const LOADED: [&str; 3] = [MODULE, "mqtt-rtc.wasm", WORKER];

const MODULE: &str = "mqtt-rtc.js";

/// What it loads once something is to be kept, and with the first call or broadcast.
pub const ON_DEMAND: [&str; 2] = ["mqtt-rtc-store.js", "mqtt-rtc-calls.js"];

/// The program of its worker, which is a file of its own because policies forbid workers from `blob:` addresses.
const WORKER: &str = "mqtt-rtc-worker.js";

/// The module's types, which no browser loads.
pub const TYPES: &str = "mqtt-rtc.d.ts";

/// Builds the module into `dist/`, beside the page.
pub fn build(tools: &Tools, dist: &Path) -> Result<()> {
    let embed = project::root().join("embed");
    let engine = embed.join("engine");
    compile(tools, &engine)?;

    let program = dist.join("mqtt-rtc.wasm");
    std::fs::copy(engine.join("engine_bg.wasm"), &program)?;
    symbols::keep(&program, &optimise::optimise(tools, &program)?)?;
    shorten::shorten(&program, &engine.join("engine.js"))?;

    // esbuild does not check types.
    let mut tsc = tools.web("tsc")?;
    process::run(tsc.arg("--project").arg(&embed)).context("the module has type errors")?;
    for (source, name, format) in [
        // What it imports when it needs it becomes files of their own, `ON_DEMAND`.
        ("index.ts", MODULE, &["--format=esm", "--splitting"][..]),
        ("disk-worker.ts", WORKER, &["--format=iife"]),
    ] {
        let mut esbuild = tools.web("esbuild")?;
        esbuild.arg(embed.join("src").join(source));
        esbuild.args([
            "--bundle",
            "--target=es2022",
            "--minify",
            "--log-level=warning",
        ]);
        esbuild.args(format);
        esbuild.arg(format!("--outdir={}", dist.display()));
        let name = name.trim_end_matches(".js");
        esbuild.arg(format!("--entry-names={name}"));
        esbuild.arg("--chunk-names=mqtt-rtc-[name]");
        process::run(&mut esbuild).context("the module was not bundled")?;
    }
    std::fs::copy(embed.join(TYPES), dist.join(TYPES))?;
    Ok(())
}

/// Compiles the library to WebAssembly, with the JavaScript and the types that wasm-bindgen writes for it.
fn compile(tools: &Tools, engine: &Path) -> Result<()> {
    let mut cargo = tools.web_cargo()?;
    cargo.args([
        "build",
        "--release",
        "--offline",
        "--package",
        "rtchat",
        "--bin",
        "module",
        "--no-default-features",
        "--features",
        "api",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    let target = cargo
        .get_envs()
        .find(|(name, _)| *name == "CARGO_TARGET_DIR");
    let target = target
        .and_then(|(_, folder)| folder)
        .context("builds for the browser have no folder")?;
    let compiled = Path::new(target).join("wasm32-unknown-unknown/release/module.wasm");
    process::run(&mut cargo).context("the module was not compiled")?;
    let mut bindgen = tools.web("wasm-bindgen")?;
    bindgen.arg(compiled).arg("--out-dir").arg(engine);
    bindgen.args([
        "--out-name=engine",
        "--target=web",
        "--omit-default-module-path",
    ]);
    process::run(&mut bindgen).context("wasm-bindgen failed")?;
    glue::guard(&engine.join("engine.js"))?;
    let types = std::fs::read_to_string(engine.join("engine.d.ts"))?;
    std::fs::write(engine.join("engine.d.ts"), types + glue::TYPES)?;
    Ok(())
}
