//! Tools that we compile once and keep.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{process, project};

/// A program from the crates registry.
#[derive(Debug)]
pub struct Tool {
    krate: &'static str,
    program: &'static str,
    version: String,
    why: &'static str,
    minutes: u32,
    /// With the versions of its own lock file. Not every crate's lock file names what registries still hold.
    locked: bool,
}

/// wasm-bindgen's own version check refuses any other than the crate's.
pub fn wasm_bindgen() -> Result<Tool> {
    let version = project::locked_version("wasm-bindgen")?;
    let why = "joins WebAssembly and JavaScript";
    Ok(Tool {
        krate: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version,
        why,
        minutes: 3,
        locked: false,
    })
}

pub fn trunk() -> Tool {
    // Newer ones ask for a newer compiler than many machines have.
    let version = "0.21.14".to_owned();
    Tool {
        krate: "trunk",
        program: "trunk",
        version,
        why: "builds the page",
        minutes: 8,
        locked: true,
    }
}

pub fn geckodriver() -> Tool {
    let (version, why) = ("0.37.1".to_owned(), "lets tests drive Firefox");
    Tool {
        krate: "geckodriver",
        program: "geckodriver",
        version,
        why,
        minutes: 2,
        locked: true,
    }
}

/// Compiles a tool, unless one of the right version is kept or on `PATH`.
pub fn ensure(tool: &Tool) -> Result<()> {
    if is_there(tool) {
        return Ok(());
    }
    let Tool {
        krate,
        version,
        why,
        minutes,
        ..
    } = tool;
    let tools = project::tools();
    println!(
        "Installing {krate} {version}, which {why}. Compiling it takes about {minutes} min on two cores, once; it is \
         kept in {}.",
        tools.display(),
    );
    // A folder that stays when this is interrupted, so that the next try goes on where this one ended.
    let work = tools.join("build").join(krate);
    let mut install = project::cargo();
    install
        .args(["install", krate, "--version", version, "--force", "--root"])
        .arg(&tools);
    if tool.locked {
        install.arg("--locked");
    }
    install
        .env("CARGO_TARGET_DIR", &work)
        // They are waited for while they compile, hardly while they run: optimising trunk as a whole takes longer than
        // everything else here together.
        .envs([
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
        ])
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null());
    process::run(&mut install).with_context(|| {
        format!("{krate} {version} cannot be installed. If the network was gone, run this again; it goes on from there")
    })?;
    // Only space would be lost.
    let _ = std::fs::remove_dir_all(work);
    Ok(())
}

fn is_there(tool: &Tool) -> bool {
    let Ok(path) = super::path_with(&super::own_folders()) else {
        return false;
    };
    let Some(program) = process::find_in(tool.program, std::env::split_paths(&path)) else {
        return false;
    };
    let said = process::output(Command::new(program).arg("--version"));
    said.is_ok_and(|said| said.split_whitespace().any(|word| word == tool.version))
}
