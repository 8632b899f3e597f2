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
    part("1 of 3", "the page", || page(&tools, "ui", CALLS, &dist))?;
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
    page(&tools, "ui,demo", "embed/scenes/calls.ts", &folder)?;
    Ok(folder)
}

/// Builds the page with these features, and with this script for calls.
fn page(tools: &Tools, features: &str, calls: &str, dist: &Path) -> Result<()> {
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
    let calls = (calls, "calls-0000000000000000.js");
    for (source, name) in SCRIPTS.into_iter().chain([calls]) {
        bundle(tools, source, &dist.join(name))?;
    }
    minify(tools, dist)?;
    names::renew(dist)?;
    symbols::keep(&dist.join(widget::find(dist, "app-", ".wasm")?), &functions)
}

/// The scripts that the page and the widget load when they need them, and their names, to which [`names`] gives
/// the hashes of their content, also in the page: pictures and players, what keeps what is said, and what writes it as a file.
/// That for calls is another one in the demonstration.
const SCRIPTS: [(&str, &str); 3] = [
    ("embed/media/media.ts", "media-0000000000000000.js"),
    ("embed/store/store.ts", "store-0000000000000000.js"),
    ("embed/archive/archive.ts", "archive-0000000000000000.js"),
];

/// The script for calls.
const CALLS: &str = "embed/calls/calls.ts";

/// Bundles what the browser tests import, where their runner finds it.
pub fn browser_test_scripts(tools: &Tools) -> Result<()> {
    let file = project::root().join("embed/engine/browser-tests.js");
    bundle(tools, "tests/browser/history/scripts.ts", &file)
}

/// Bundles a script of the project.
fn bundle(tools: &Tools, source: &str, file: &Path) -> Result<()> {
    let mut esbuild = tools.web("esbuild")?;
    esbuild.arg(project::root().join(source));
    esbuild.args([
        "--bundle",
        "--format=esm",
        "--target=es2022",
        "--log-level=warning",
        // A script brings its own style sheet.
        "--loader:.css=text",
    ]);
    esbuild.arg(format!("--outfile={}", file.display()));
    process::run(&mut esbuild).with_context(|| format!("{source} was not bundled"))
}

/// The path of the helper of `bot/`: `RTCHAT_BOT`, which `cargo xtask test e2e` sets, or else a new build.
pub fn bot_program() -> Result<PathBuf> {
    std::env::var_os("RTCHAT_BOT").map_or_else(bot, |path| Ok(path.into()))
}

/// The path of the peer of `bot/` that brings a long conversation along. It is built together with the helper.
pub fn archive_program() -> Result<PathBuf> {
    let name = format!("archive{}", std::env::consts::EXE_SUFFIX);
    Ok(bot_program()?.with_file_name(name))
}

/// Builds the programs of `bot/`, and returns the path of the helper.
pub fn bot() -> Result<PathBuf> {
    let mut cargo = project::cargo();
    // This builds a test of the programs, and the programs with it. Cargo enables more features of some crates for tests
    // than for programs, so that building the programs alone would compile their dependencies once more.
    cargo.args(["test", "--workspace", "--no-run", "--test", "program"]);
    cargo.arg("--message-format=json-render-diagnostics");
    let output = cargo.stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the bot was not built");
    let messages = output.stdout.split(|byte| *byte == b'\n');
    messages
        .filter_map(|message| serde_json::from_slice::<Value>(message).ok())
        .filter(|message| message["target"]["name"] == "rtchat-bot")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo does not say where the bot is")
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
