//! Builds `dist/`: the page and the module, which can be copied to any static host, under any path.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::setup::{self, Need, Tools};
use crate::{
    assist, glue, module, names, optimise, process, project, shorten, styles, symbols, widget,
};

/// Builds the page into `dist/` and returns that folder.
pub fn run() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let (start, dist) = (Instant::now(), project::dist());
    part("1 of 3", "the page", || page(&tools, "ui", &dist))?;
    part("2 of 3", "the script tag", || widget::build(&tools, &dist))?;
    part("3 of 3", "the module", || module::build(&tools, &dist))?;
    println!("Built dist/ in {:.1} s.", start.elapsed().as_secs_f64());
    Ok(dist)
}

/// Builds a part, and prints how long that took.
fn part(number: &str, what: &str, build: impl FnOnce() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    build()?;
    let took = start.elapsed().as_secs_f64();
    println!("[{number}] {what}: built in {took:.1} s");
    Ok(())
}

/// Builds the page that plays conversations without a network, for `?demo=…`, and returns its folder.
pub fn demo() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let folder = project::target().join("demo");
    page(&tools, "ui,demo", &folder)?;
    Ok(folder)
}

fn page(tools: &Tools, features: &str, dist: &Path) -> Result<()> {
    let mut trunk = tools.web("trunk")?;
    trunk
        .args(["build", "--release", "--offline", "--features", features])
        .arg("--dist")
        .arg(dist);
    // Trunk reads this variable as an option of its own and fails on values such as "1".
    trunk.env_remove("NO_COLOR").env("RUST_LIB_BACKTRACE", "0");
    process::run(&mut trunk).context("the page was not built")?;
    let script = dist.join(widget::find(dist, "app-", ".js")?);
    glue::guard(&script)?;
    let program = dist.join(widget::find(dist, "app-", ".wasm")?);
    let functions = optimise::optimise(tools, &program)?;
    shorten::shorten(&program, &script)?;
    styles::merge(dist)?;
    assist::build(tools, dist)?;
    bundle(tools, dist, "media", MEDIA)?;
    bundle(tools, dist, "archive", ARCHIVE)?;
    minify(tools, dist)?;
    names::renew(dist)?;
    symbols::keep(&dist.join(widget::find(dist, "app-", ".wasm")?), &functions)
}

/// The name of the script for pictures and players. [`names`] gives it the hash of its content, also in the page.
const MEDIA: &str = "media-0000000000000000.js";

/// The name of the script that writes what was said as a file. `boot.js` mentions it, and comes later in the order of names.
const ARCHIVE: &str = "archive-0000000000000000.js";

/// Bundles a script that is loaded when somebody needs it.
fn bundle(tools: &Tools, dist: &Path, folder: &str, name: &str) -> Result<()> {
    let mut esbuild = tools.web("esbuild")?;
    let source = project::root().join("embed").join(folder);
    esbuild.arg(source.join(format!("{folder}.ts")));
    esbuild.args([
        "--bundle",
        "--format=esm",
        "--target=es2022",
        "--log-level=warning",
    ]);
    esbuild.arg(format!("--outfile={}", dist.join(name).display()));
    process::run(&mut esbuild).with_context(|| format!("{folder}.ts was not bundled"))
}

/// The path of the helper of `bot/`: `RTCHAT_BOT`, which `cargo xtask test e2e` sets, or else a new build.
pub fn bot_program() -> Result<PathBuf> {
    std::env::var_os("RTCHAT_BOT").map_or_else(bot, |path| Ok(path.into()))
}

/// Builds the helper of `bot/`, and returns the path of the program.
pub fn bot() -> Result<PathBuf> {
    program("rtchat-bot")
}

/// Builds the peer of `bot/` that brings a long conversation along, and returns the path of the program.
pub fn archive() -> Result<PathBuf> {
    program("archive")
}

/// Builds the programs of `bot/`, and returns the path of one of them.
fn program(name: &str) -> Result<PathBuf> {
    let mut cargo = project::cargo();
    // This builds a test of the programs, and the programs with it. Cargo enables more features of some crates for tests
    // than for programs, so that building the programs alone would compile their dependencies once more.
    cargo.args(["test", "--workspace", "--no-run", "--test", "program"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{name} was not built");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    messages
        .filter_map(|message| serde_json::from_slice::<Value>(message).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo does not say where {name} is"))
}

/// Minifies scripts and styles in place. Trunk's own minifier fails on the modules that wasm-bindgen writes.
fn minify(tools: &Tools, dist: &Path) -> Result<()> {
    let entries =
        std::fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))?;
    let files = entries.flatten().map(|entry| entry.file_name());
    let mut texts: Vec<_> = files
        .filter(|name| has_extension(name, &["js", "css"]))
        .collect();
    texts.sort();
    let mut esbuild = tools.web("esbuild")?;
    esbuild.args(texts).current_dir(dist);
    esbuild.args([
        "--minify",
        "--tree-shaking=true",
        "--outdir=.",
        "--allow-overwrite",
        "--log-level=warning",
    ]);
    process::run(&mut esbuild).context("scripts and styles cannot be minified")
}

fn has_extension(name: &OsStr, extensions: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| extensions.contains(&extension))
}
