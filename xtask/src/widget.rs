//! Builds `rtchat.js`, the script tag for other people's pages. It is a small script, which loads another script and the
//! page's program when a page has a chat. Also builds `widget.js`, the same for bundlers.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384};

use crate::setup::Tools;
use crate::{assist, early, process, project};

/// Builds the script into `dist/`, where the page has been built.
pub fn build(tools: &Tools, dist: &Path) -> Result<()> {
    let hashed = |name: &str, defines: &[(&str, Value)], extension: &str| -> Result<Value> {
        let mut esbuild = esbuild(tools)?;
        esbuild.args([name, "--bundle", "--format=esm"]);
        esbuild.arg("--entry-names=rtchat-[name]-[hash]");
        esbuild.arg(format!("--outdir={}", dist.display()));
        define(&mut esbuild, defines);
        process::output(&mut esbuild).with_context(|| format!("{name} was not bundled"))?;
        let stem = name.split('.').next().unwrap_or_default();
        asset(dist, &format!("rtchat-{stem}-"), extension)
    };

    // esbuild does not check types.
    let mut tsc = tools.web("tsc")?;
    tsc.arg("--project").arg(sources());
    process::output(&mut tsc).context("the widget has type errors")?;

    panel(tools, dist)?;
    let view = hashed(
        "tagged.ts",
        &[
            ("GLUE", asset(dist, "app-", ".js")?),
            ("WASM", asset(dist, "app-", ".wasm")?),
            ("MEDIA", asset(dist, MEDIA, ".js")?),
            ("CALLS", asset(dist, CALLS, ".js")?),
            ("STORE", asset(dist, STORE, ".js")?),
            ("ARCHIVE", asset(dist, ARCHIVE, ".js")?),
            ("PANEL", asset(dist, PANEL, ".json")?),
            ("ASSIST", asset(dist, "assist-", ".js")?),
            ("EMOJI", asset(dist, "emoji-", ".json")?),
            ("SHELL", shell(tools)?),
        ],
        ".js",
    )?;
    let mut script = esbuild(tools)?;
    script.args(["rtchat.ts", "--bundle", "--format=iife"]);
    script.arg(format!("--outdir={}", dist.display()));
    define(&mut script, &[("VIEW", view)]);
    process::output(&mut script).context("rtchat.js was not bundled")?;
    let types = project::root().join("embed").join(TYPES);
    std::fs::copy(types, dist.join(TYPES))?;
    Ok(())
}

/// The files in `dist/` that `rtchat.js` consists of: itself, its types, and everything that it loads.
pub fn files(dist: &Path) -> Result<Vec<String>> {
    let mut files = vec![SCRIPT.into(), TYPES.into(), SETTINGS.into()];
    for (prefix, extension) in [
        ("rtchat-tagged-", ".js"),
        (PANEL, ".json"),
        (MEDIA, ".js"),
        (CALLS, ".js"),
        (STORE, ".js"),
        (ARCHIVE, ".js"),
        ("app-", ".js"),
        ("app-", ".wasm"),
    ]
    .iter()
    .chain(&assist::FILES)
    {
        files.push(find(dist, prefix, extension)?);
    }
    Ok(files)
}

/// The module for bundlers, and its types.
pub const BUNDLED: [&str; 2] = ["widget.js", "widget.d.ts"];

/// The file of the script tag.
pub const SCRIPT: &str = "rtchat.js";
const TYPES: &str = "rtchat.d.ts";
const SETTINGS: &str = "rtchat.json";

/// Builds the module for bundlers into this folder, which has the files of [`files`]. It loads the program only when a page
/// has a chat, and the bundler decides where from. Returns the names of its files.
pub fn bundle(tools: &Tools, folder: &Path) -> Result<Vec<String>> {
    let [script, types] = BUNDLED;
    let panel = find(folder, PANEL, ".json")?;
    let panel = serde_json::from_slice(&std::fs::read(folder.join(panel))?)?;
    let program = folder.join(find(folder, "app-", ".js")?);
    let wasm = find(folder, "app-", ".wasm")?;
    let emoji = find(folder, "emoji-", ".json")?;
    let mut esbuild = esbuild(tools)?;
    esbuild.args(["widget.ts", "--bundle", "--format=esm", "--splitting"]);
    esbuild.arg("--loader:.css=text");
    esbuild.arg("--chunk-names=widget-[hash]");
    esbuild.arg(format!("--outdir={}", folder.display()));
    esbuild.arg(format!("--alias:rtchat-program={}", program.display()));
    define(
        &mut esbuild,
        &[
            ("WASM_FILE", format!("./{wasm}").into()),
            ("PANEL", panel),
            ("EMOJI_FILE", format!("./{emoji}").into()),
            ("SHELL", shell(tools)?),
        ],
    );
    process::output(&mut esbuild).with_context(|| format!("{script} was not bundled"))?;
    std::fs::copy(
        project::root().join("embed").join(types),
        folder.join(types),
    )?;
    let names = names(folder)?;
    Ok(names
        .into_iter()
        .filter(|name| name.starts_with("widget"))
        .collect())
}

/// The hash of a file for the attribute `integrity`, which accepts only this build.
pub fn integrity(dist: &Path, file: &str) -> Result<String> {
    let script = std::fs::read(dist.join(file)).with_context(|| format!("there is no {file}"))?;
    Ok(format!(
        "sha384-{}",
        Base64::encode_string(&Sha384::digest(script))
    ))
}

fn sources() -> PathBuf {
    project::root().join("embed").join("widget")
}

fn esbuild(tools: &Tools) -> Result<Command> {
    let mut esbuild = tools.web("esbuild")?;
    esbuild
        .args(["--minify", "--target=es2022", "--log-level=warning"])
        .current_dir(sources());
    Ok(esbuild)
}

/// The beginning of the name of the file with what the panel needs before the program is there.
const PANEL: &str = "rtchat-panel-";

/// The beginning of the name of the script for pictures and players.
pub const MEDIA: &str = "media-";

/// The beginning of the name of the script for calls.
pub const CALLS: &str = "calls-";
/// The beginning of the name of the script that keeps what is said.
const STORE: &str = "store-";
/// The beginning of the name of the script that writes what was said as a file.
const ARCHIVE: &str = "archive-";

/// Writes the file with the program's styles and what is shown before the program is there. They come as one, since they are
/// needed at the same time.
fn panel(tools: &Tools, dist: &Path) -> Result<()> {
    // Style sheets use newer functions than the scripts' target has.
    let styles = process::output(esbuild(tools)?.args(["panel.css", "--bundle"]))
        .context("panel.css was not bundled")?;
    let page = project::root().join("index.html");
    let (welcome, room) = early::trees(&std::fs::read_to_string(page)?)?;
    let panel = json!({ "styles": styles.trim(), "welcome": welcome, "room": room }).to_string();
    let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(&panel)[..6]);
    let name = format!("{PANEL}{hash}.json");
    std::fs::write(dist.join(name), panel)?;
    Ok(())
}

/// The styles around the chat.
fn shell(tools: &Tools) -> Result<Value> {
    let shell = process::output(esbuild(tools)?.arg("shell.css"))
        .context("shell.css is not a valid style sheet")?;
    Ok(shell.trim().into())
}

fn define(esbuild: &mut Command, names: &[(&str, Value)]) {
    let defines = names
        .iter()
        .map(|(name, value)| format!("--define:{name}={value}"));
    esbuild.args(defines);
}

/// A file whose name contains a hash, with the integrity value of its content.
fn asset(dist: &Path, prefix: &str, extension: &str) -> Result<Value> {
    let file = find(dist, prefix, extension)?;
    let bytes = std::fs::read(dist.join(&file))?;
    let hash = Base64::encode_string(&Sha256::digest(bytes));
    Ok(json!({ "file": file, "integrity": format!("sha256-{hash}") }))
}

/// The file whose name begins and ends like this.
pub fn find(folder: &Path, prefix: &str, extension: &str) -> Result<String> {
    names(folder)?
        .into_iter()
        .find(|name| name.starts_with(prefix) && name.ends_with(extension))
        .with_context(|| format!("{} has no {prefix}…{extension}", folder.display()))
}

fn names(folder: &Path) -> Result<Vec<String>> {
    let files = std::fs::read_dir(folder)?.flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}
