//! Builds what the page and the widget load once somebody writes: help with writing, and the table of emoji.

use std::path::Path;

use anyhow::{Context, Result};

use crate::setup::Tools;
use crate::{process, project};

/// The help. [`names`](crate::names) gives it the hash of its content, before it does so to `boot.js`, which comes later in
/// the order of names and mentions it.
const HELP: &str = "assist-0000000000000000.js";
/// The table.
const TABLE: &str = "emoji-0000000000000000.json";

/// How the names of both begin and end, once they have their hashes.
pub const FILES: [(&str, &str); 2] = [("assist-", ".js"), ("emoji-", ".json")];

/// Prints the table of `embed/assist/table.ts`: for each group its name, and a line for each emoji.
const WRITE_TABLE: &str = r#"
import { gemoji } from "gemoji";
const groups = new Map();
for (const { emoji, description, names, tags, category } of gemoji) {
  if (!groups.has(category)) groups.set(category, [category]);
  groups.get(category).push([emoji, description, names.join(" "), tags.join(" ")].join("\t"));
}
process.stdout.write(JSON.stringify([...groups.values()]));
"#;

/// Builds both into this folder, where the page is.
pub fn build(tools: &Tools, folder: &Path) -> Result<()> {
    let mut esbuild = tools.web("esbuild")?;
    esbuild.args(["embed/assist/assist.ts", "--bundle", "--format=esm"]);
    esbuild.args(["--target=es2022", "--log-level=warning"]);
    esbuild.arg(format!("--outfile={}", folder.join(HELP).display()));
    process::output(&mut esbuild).context("the help with writing was not bundled")?;
    let mut node = tools.web("node")?;
    node.args(["--input-type=module", "--eval", WRITE_TABLE]);
    node.current_dir(project::root());
    let table = process::output(&mut node).context("the table of emoji was not written")?;
    std::fs::write(folder.join(TABLE), table.trim())?;
    Ok(())
}
