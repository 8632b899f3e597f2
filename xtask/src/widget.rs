//! Builds `rtchat.js`, the script tag for other people's pages. It is a small script, which loads another script and the
//! page's program when a page has a chat.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha384};

use crate::setup::Tools;
use crate::{process, project};

/// Builds the script into `dist/`, where the page has been built.
pub fn build(tools: &Tools, dist: &Path) -> Result<()> {
    let sources = project::root().join("embed").join("widget");
    let esbuild = || -> Result<Command> {
        let mut esbuild = tools.web("esbuild")?;
        esbuild
            .args(["--minify", "--target=es2022", "--log-level=warning"])
            .current_dir(&sources);
        Ok(esbuild)
    };
    let hashed = |name: &str, defines: &[(&str, Value)], extension: &str| -> Result<Value> {
        let mut esbuild = esbuild()?;
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
    tsc.arg("--project").arg(&sources);
    process::output(&mut tsc).context("the widget has type errors")?;

    // Style sheets use newer functions than the scripts' target has.
    let styles = hashed("panel.css", &[], ".css")?;
    let shell = process::output(esbuild()?.arg("shell.css"))
        .context("shell.css is not a valid style sheet")?;
    let view = hashed(
        "view.ts",
        &[
            ("GLUE", asset(dist, "app-", ".js")?),
            ("WASM", asset(dist, "app-", ".wasm")?),
            ("STYLES", styles),
            ("SHELL", shell.trim().into()),
        ],
        ".js",
    )?;
    let mut script = esbuild()?;
    script.args(["rtchat.ts", "--bundle", "--format=iife"]);
    script.arg(format!("--outdir={}", dist.display()));
    define(&mut script, &[("VIEW", view)]);
    process::output(&mut script).context("rtchat.js was not bundled")?;
    let types = project::root().join("embed").join("rtchat.d.ts");
    std::fs::copy(types, dist.join("rtchat.d.ts"))?;
    Ok(())
}

/// The `integrity` attribute for a script tag that accepts only this build.
pub fn integrity(dist: &Path) -> Result<String> {
    let script = std::fs::read(dist.join("rtchat.js")).context("there is no rtchat.js")?;
    Ok(format!(
        "sha384-{}",
        Base64::encode_string(&Sha384::digest(script))
    ))
}

fn define(esbuild: &mut Command, names: &[(&str, Value)]) {
    let defines = names
        .iter()
        .map(|(name, value)| format!("--define:{name}={value}"));
    esbuild.args(defines);
}

/// A file whose name contains a hash, with the integrity value of its content.
fn asset(dist: &Path, prefix: &str, extension: &str) -> Result<Value> {
    let files = std::fs::read_dir(dist)?.flatten();
    let mut names = files.filter_map(|file| file.file_name().into_string().ok());
    let file = names
        .find(|name| name.starts_with(prefix) && name.ends_with(extension))
        .with_context(|| format!("dist/ has no {prefix}…{extension}"))?;
    let bytes = std::fs::read(dist.join(&file))?;
    let hash = Base64::encode_string(&Sha256::digest(bytes));
    Ok(json!({ "file": file, "integrity": format!("sha256-{hash}") }))
}
