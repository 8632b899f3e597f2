//! Puts `embed/guard.js` around the program: it stands in front of the JavaScript that wasm-bindgen writes, and is given
//! the program's exports before anything else is.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::project;

/// Where wasm-bindgen's JavaScript receives the exports.
const RECEIVED: &str = "wasm = instance.exports;";

/// Where it looks for the program if nobody says where that is. Everybody does, and bundlers would look there, too.
const UNUSED: &str = "module_or_path = new URL('app_bg.wasm', import.meta.url);";

/// Another way to start the program, which nobody uses either.
const UNUSED_EXPORT: &str = "export { initSync, ";

/// Puts the guard into this file.
pub fn guard(glue: &Path) -> Result<()> {
    let guard = std::fs::read_to_string(project::root().join("embed").join("guard.js"))?;
    let module =
        std::fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    ensure!(
        module.matches(RECEIVED).count() == 1,
        "{} does not contain `{RECEIVED}` once, so the guard cannot be put into it; did wasm-bindgen change?",
        glue.display()
    );
    let module = module
        .replace(RECEIVED, "wasm = guard(instance.exports);")
        .replace(UNUSED, "")
        .replace(UNUSED_EXPORT, "export { ");
    std::fs::write(glue, format!("{guard}{module}"))?;
    Ok(())
}

/// The types of what the guard exports.
pub const TYPES: &str = "\nexport function whenBroken(listener: (error: unknown) => void): void;\n";
