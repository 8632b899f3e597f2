//! Puts `embed/guard.js` and `embed/rest.js` around the program: they stand in front of the JavaScript that wasm-bindgen
//! writes, and are given the program's exports before anything else is.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::project;
use crate::split::{LOAD, Later};

/// Where wasm-bindgen's JavaScript receives the exports.
const RECEIVED: &str = "wasm = instance.exports;";

/// Where the object with the program's imports begins.
const GIVEN: &str = "const import0 = {\n        __proto__: null,";

/// Where it looks for the program if nobody says where that is. Everybody does, and bundlers would look there, too.
const UNUSED: &str = "module_or_path = new URL('app_bg.wasm', import.meta.url);";

/// Another way to start the program, which nobody uses either.
const UNUSED_EXPORT: &str = "export { initSync, ";

/// Puts both into this file.
pub fn guard(glue: &Path, later: Later) -> Result<()> {
    let embed = project::root().join("embed");
    let guard = std::fs::read_to_string(embed.join("guard.js"))?;
    let rest = std::fs::read_to_string(embed.join(match later {
        Later::Named(_) => "rest.js",
        Later::Recorded => "record.js",
    }))?;
    let module =
        std::fs::read_to_string(glue).with_context(|| format!("cannot read {}", glue.display()))?;
    for text in [RECEIVED, GIVEN] {
        ensure!(
            module.matches(text).count() == 1,
            "{} does not contain `{text}` once, so nothing can be put there; did wasm-bindgen change?",
            glue.display()
        );
    }
    let given = format!("{GIVEN}\n        {LOAD}: demandRest,");
    let module = module
        .replace(RECEIVED, "wasm = guard(firstPart = instance.exports);")
        .replace(GIVEN, &given)
        .replace(UNUSED, "")
        .replace(UNUSED_EXPORT, "export { ");
    std::fs::write(glue, format!("{guard}{rest}{module}"))?;
    Ok(())
}

/// The types of what the guard exports.
pub const TYPES: &str = "\nexport function whenBroken(listener: (error: unknown) => void): void;\n\
    export function loadRestFrom(address: string | URL, integrity?: string): Promise<void>;\n";
