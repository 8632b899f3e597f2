//! Tools that are compiled once and kept.

use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::{Lane, Log, Step};
use crate::{process, project};

/// A program from the crates registry.
#[derive(Debug)]
pub struct Tool {
    krate: &'static str,
    program: &'static str,
    version: String,
    why: &'static str,
    seconds: u32,
    /// Whether to use the crate's own lock file. Some lock files name versions that registries no longer have.
    locked: bool,
}

/// wasm-bindgen's command, which has to be of the same version as the crate.
pub fn wasm_bindgen() -> Result<Tool> {
    let version = project::locked_version("wasm-bindgen")?;
    let why = "it joins WebAssembly and JavaScript";
    Ok(Tool {
        krate: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version,
        why,
        seconds: 50,
        locked: false,
    })
}

pub fn trunk() -> Tool {
    // Newer versions require a newer compiler than many machines have.
    let version = "0.21.14".to_owned();
    Tool {
        krate: "trunk",
        program: "trunk",
        version,
        why: "it builds the page",
        seconds: 140,
        locked: true,
    }
}

pub fn geckodriver() -> Tool {
    let (version, why) = ("0.37.1".to_owned(), "it lets tests drive Firefox");
    Tool {
        krate: "geckodriver",
        program: "geckodriver",
        version,
        why,
        seconds: 50,
        locked: true,
    }
}

/// The step that compiles this tool and keeps it.
pub fn step(tool: Tool) -> Step {
    Step {
        what: format!("{} {}", tool.krate, tool.version),
        why: tool.why,
        seconds: tool.seconds,
        lane: Lane::Processor,
        install: Box::new(move |log| install(&tool, log)),
    }
}

fn install(tool: &Tool, log: &Log) -> Result<()> {
    let Tool { krate, version, .. } = tool;
    let tools = project::tools();
    // This folder stays if the installation is interrupted, so that the next attempt continues from there.
    let work = tools.join("build").join(krate);
    let mut install = project::cargo();
    install
        .args(["install", krate, "--version", version, "--force", "--root"])
        .arg(&tools)
        // The defaults of trunk and of wasm-bindgen's tools are about HTTPS, which nothing here uses.
        .arg("--no-default-features");
    if tool.locked {
        install.arg("--locked");
    }
    install
        .env("CARGO_TARGET_DIR", &work)
        // Compiling these tools takes much longer than they run.
        .envs([
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ])
        .env_remove("RUSTFLAGS");
    log.run(&mut install).with_context(|| {
        format!("{krate} {version} cannot be installed. If the network was gone, run this again; it continues from there")
    })?;
    // If this fails, it costs only space.
    let _ = std::fs::remove_dir_all(work);
    Ok(())
}

/// Whether a tool of the right version is kept or on `PATH`.
pub fn is_there(tool: &Tool) -> bool {
    let Ok(path) = super::path_with(&super::own_folders()) else {
        return false;
    };
    let Some(program) = process::find_in(tool.program, std::env::split_paths(&path)) else {
        return false;
    };
    let said = process::output(Command::new(program).arg("--version"));
    said.is_ok_and(|said| said.split_whitespace().any(|word| word == tool.version))
}
