//! Builds `dist/`: the page and the module, which can be copied to any static host, under any path.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::setup::{self, Need, Tools};
use crate::{glue, module, process, project, symbols, widget};

/// Builds the page into `dist/` and returns that folder.
pub fn run() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let start = Instant::now();
    page(&tools, "ui", &project::dist())?;
    minify(&tools, &project::dist())?;
    widget::build(&tools, &project::dist())?;
    module::build(&tools, &project::dist())?;
    println!("Built dist/ in {:.1} s.", start.elapsed().as_secs_f64());
    Ok(project::dist())
}

/// Builds the page that plays conversations without a network, for `?demo=…`, and returns its folder.
pub fn demo() -> Result<PathBuf> {
    let tools = setup::ensure(&[Need::Page])?;
    let folder = project::target().join("demo");
    page(&tools, "ui,demo", &folder)?;
    Ok(folder)
}

fn page(tools: &Tools, features: &str, dist: &Path) -> Result<()> {
    symbols::prepare()?;
    let mut trunk = tools.web("trunk")?;
    trunk
        .args(["build", "--release", "--offline", "--features", features])
        .arg("--dist")
        .arg(dist);
    // Trunk reads this variable as an option of its own and fails on values such as "1".
    trunk.env_remove("NO_COLOR").env("RUST_LIB_BACKTRACE", "0");
    process::run(&mut trunk).context("the page was not built")?;
    for entry in std::fs::read_dir(dist)?.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if name.to_string_lossy().starts_with("app-") && has_extension(&name, &["js"]) {
            glue::guard(&path)?;
        }
        if has_extension(&name, &["wasm"]) {
            symbols::keep(&path)?;
        }
    }
    Ok(())
}

/// The path of the helper of `bot/`: `RTCHAT_BOT`, which `cargo xtask test e2e` sets, or else a new build.
pub fn bot_program() -> Result<PathBuf> {
    std::env::var_os("RTCHAT_BOT").map_or_else(bot, |path| Ok(path.into()))
}

/// Builds the helper of `bot/`, and returns the path of the program.
pub fn bot() -> Result<PathBuf> {
    let mut cargo = project::cargo();
    // This builds the program's test, and the program with it. Cargo enables more features of some crates for tests than
    // for programs, so that building the program alone would compile its dependencies once more.
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

/// A file of `dist/`.
#[derive(Debug)]
pub struct FileSize {
    /// The path below `dist/`.
    pub path: PathBuf,
    pub bytes: u64,
    /// The size when the host compresses the file with brotli.
    pub brotli: u64,
}

/// The purpose for which a browser loads a file of `dist/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The stand-alone page.
    Page,
    /// The script tag, which also loads the page's program.
    Script,
    /// The module.
    Module,
    /// Types, which no browser loads.
    Types,
}

impl FileSize {
    /// The purpose for which it is loaded.
    pub fn part(&self) -> Part {
        let name = self.path.to_string_lossy();
        if name.ends_with(".d.ts") {
            Part::Types
        } else if module::LOADED.contains(&&*name) {
            Part::Module
        } else if name.starts_with("rtchat") && name != "rtchat.json" {
            Part::Script
        } else {
            Part::Page
        }
    }
}

/// The sizes of all files, largest first.
pub fn sizes(dist: &Path) -> Result<Vec<FileSize>> {
    let mut sizes = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let path = path.strip_prefix(dist)?.to_owned();
            sizes.push(FileSize {
                path,
                bytes: bytes.len() as u64,
                brotli: compress(&bytes)?.len() as u64,
            });
        }
    }
    sizes.sort_by_key(|size| std::cmp::Reverse(size.brotli));
    Ok(sizes)
}

/// Prints a table of sizes with totals.
pub fn print_sizes(dist: &Path) -> Result<()> {
    let sizes = sizes(dist)?;
    let line = |name: &str, bytes: u64, brotli: u64| println!("{bytes:>10} {brotli:>10}  {name}");
    println!("{:>10} {:>10}", "bytes", "brotli");
    for (what, part) in [
        ("the page", Part::Page),
        ("the script tag, without the page's program", Part::Script),
        ("the module", Part::Module),
    ] {
        let files: Vec<_> = sizes.iter().filter(|size| size.part() == part).collect();
        files
            .iter()
            .for_each(|size| line(&size.path.display().to_string(), size.bytes, size.brotli));
        line(
            &format!("{what}, in total"),
            files.iter().map(|size| size.bytes).sum(),
            files.iter().map(|size| size.brotli).sum(),
        );
    }
    println!(
        "For a script tag: integrity=\"{}\"",
        widget::integrity(dist)?
    );
    Ok(())
}

/// Compresses a file as static hosts do.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    // They use quality 11 and a window of 4 MB.
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 11, 22);
    writer.write_all(bytes)?;
    Ok(writer.into_inner())
}
