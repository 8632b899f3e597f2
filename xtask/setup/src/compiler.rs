//! A Rust compiler for WebAssembly.
//!
//! The native compiler gets its missing standard library from `rustup`. Where `rustup` reaches no server, Debian's
//! `rustc-web` is used. What is published is built with a standard library of its own (see [`SMALLER`]).

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::debian::{self, Package};
use crate::steps::Log;
use crate::{process, project};

const TARGET: &str = "wasm32-unknown-unknown";

/// The environment variable that selects the compiler: `rustup`, `debian`, or by default the first that works.
const CHOICE: &str = "RTCHAT_TOOLCHAIN";

/// The time limit for `rustup`: enough for 30 MB over a slow line, and bearable if it fails.
const RUSTUP_LIMIT: Duration = Duration::from_secs(90);

/// rustc 1.96 and its companions, which do not interfere with a compiler of `rustup`.
const DEBIAN_COMPILER: Package = Package {
    names: &[
        "rustc-web",
        "cargo-web",
        "rust-web-src",
        "rust-web-clippy",
        "rustfmt-web",
        "rust-web-llvm",
        "lld-22",
    ],
    why: "a compiler for WebAssembly",
    seconds: 20,
};

/// What makes programs that are published smaller, together with a standard library that is compiled with the same
/// flags: a panic ends the program at once, without a text that nobody but a developer understands. `embed/guard.js`
/// notices that, and the browser's stack says where it happened (docs/CONTRIBUTING.md, "A stack from a report").
/// And `{:?}` writes nothing, since nothing that anybody reads is written with it (`browser_lints` in
/// `xtask/src/check.rs`). Without these, the page is 21 kB larger, and the module 18 kB (brotli). The last flags weigh what is
/// put into its only caller: thirty times the usual for each instruction, a call, and what a function may cost, so that small
/// functions are treated as before, and of the large ones none becomes a part of another (see `xtask/src/split/mod.rs`).
const SMALLER: [&str; 5] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Cllvm-args=-inline-instr-cost=150 -inline-call-penalty=750 -inline-threshold=150",
    "-Zfmt-debug=none",
];

/// What a program is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// Checks and tests, where a panic has to say why.
    Development,
    /// What people load.
    Published,
}

/// The compiler that builds for the browser.
#[derive(Debug)]
pub enum WebCompiler {
    /// The compiler of native builds, and whether it has the sources of its standard library.
    Native { has_source: bool },
    /// Debian's compiler, which has the sources alone.
    Debian,
}

impl WebCompiler {
    /// Finds a compiler that lacks nothing.
    pub fn find() -> Result<Option<Self>> {
        let choice = Choice::read()?;
        if choice != Choice::Debian && native_has_target() {
            let complete = native_library()
                .is_ok_and(|library| has_dependencies(&mut project::cargo(), &library));
            return Ok(complete.then_some(Self::Native { has_source: true }));
        }
        let is_there = choice != Choice::Rustup
            && debian_is_complete()
            && has_dependencies(&mut debian_cargo(), &debian_library());
        Ok(is_there.then_some(Self::Debian))
    }

    /// Installs what the compiler lacks.
    pub fn install(log: &Log) -> Result<Self> {
        match Choice::read()? {
            Choice::Debian => return debian_compiler(log),
            Choice::Rustup => return add_target(log).map(|()| Self::native(log)),
            Choice::Any if native_has_target() => return Ok(Self::native(log)),
            Choice::Any if debian_is_complete() => return debian_compiler(log),
            Choice::Any => {}
        }
        let Err(error) = add_target(log) else {
            return Ok(Self::native(log));
        };
        log.say(&format!(
            "rustup cannot add {TARGET}: {error:#}. Trying Debian's compiler instead"
        ));
        debian_compiler(log).with_context(|| {
            format!(
                "no compiler for {TARGET}. Either make `rustup target add {TARGET}` work, or, on Debian, run this as \
                 root or `sudo apt-get install {}`",
                DEBIAN_COMPILER.names.join(" "),
            )
        })
    }

    /// The native compiler, which has the target.
    fn native(log: &Log) -> Self {
        let added = add_source(log);
        if let Err(error) = &added {
            log.say(&format!(
                "the standard library's sources cannot be added: {error:#}. The page and the module are built without \
                 them, and are 6% larger"
            ));
        }
        Self::Native {
            has_source: added.is_ok(),
        }
    }

    /// Sets up the environment of a command that builds for the browser.
    pub fn prepare(&self, command: &mut Command, build: Build, path: OsString) -> Result<()> {
        let mut flags = renamed_folders();
        let rebuilds_std;
        let (folder, target) = match self {
            Self::Native { has_source } => {
                rebuilds_std = *has_source && build == Build::Published;
                (native_folder(), project::web_target())
            }
            Self::Debian => {
                for variable in OF_THE_OTHER_COMPILER {
                    command.env_remove(variable);
                }
                rebuilds_std = true;
                command.env("RUSTC", "/usr/bin/rustc");
                (
                    Some(PathBuf::from("/usr/bin")),
                    project::target().join("web-debian"),
                )
            }
        };
        if rebuilds_std {
            command.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
            // Stable compilers accept unstable options only with this.
            command.env("RUSTC_BOOTSTRAP", "1");
        }
        if rebuilds_std && build == Build::Published {
            flags.extend(SMALLER.map(str::to_owned));
        }
        let folders = folder.into_iter().chain(std::env::split_paths(&path));
        command
            .env("PATH", std::env::join_paths(folders)?)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", target);
        Ok(())
    }
}

/// Which compiler the person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Any,
    Rustup,
    Debian,
}

impl Choice {
    fn read() -> Result<Self> {
        match std::env::var(CHOICE).as_deref() {
            Ok("debian") => Ok(Self::Debian),
            Ok("rustup") => Ok(Self::Rustup),
            Ok("") | Err(_) => Ok(Self::Any),
            Ok(other) => bail!("{CHOICE} is `{other}`; it may be `rustup` or `debian`, or absent"),
        }
    }
}

/// Variables of rustup and cargo that are about the native compiler, and that Debian's must not see.
const OF_THE_OTHER_COMPILER: [&str; 6] = [
    "LD_LIBRARY_PATH",
    "RUSTUP_TOOLCHAIN",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "CARGO",
    "RUSTDOC",
];

/// Flags that keep the names of local folders out of the published files, where panics name their source locations. So
/// the same sources give the same files, and the same hashes, on other machines.
fn renamed_folders() -> Vec<String> {
    let cargo = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let sysroot = process::output(native_rustc().args(["--print", "sysroot"])).ok();
    let std = sysroot.map(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust"));
    [
        (cargo, "cargo"),
        (std, "rust"),
        (Some(project::root()), "."),
    ]
    .into_iter()
    .filter_map(|(folder, name)| Some(format!("--remap-path-prefix={}={name}", folder?.display())))
    .collect()
}

/// The folder of the cargo that runs this program, and of its rustc.
fn native_folder() -> Option<PathBuf> {
    let cargo = PathBuf::from(std::env::var_os("CARGO")?);
    cargo.parent().map(Path::to_owned)
}

fn native_rustc() -> Command {
    let beside = native_folder()
        .map(|folder| folder.join("rustc"))
        .filter(|rustc| rustc.is_file());
    Command::new(
        std::env::var_os("RUSTC")
            .unwrap_or_else(|| beside.map_or_else(|| "rustc".into(), Into::into)),
    )
}

fn native_has_target() -> bool {
    let folder =
        process::output(native_rustc().args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| holds_std(Path::new(&folder)))
}

fn holds_std(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        name.to_str()
            .is_some_and(|name| name.starts_with("libstd-") && name.ends_with(".rlib"))
    })
}

fn add_target(log: &Log) -> Result<()> {
    if native_has_target() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    log.run_within(rustup.args(["target", "add", TARGET]), RUSTUP_LIMIT)?;
    if !native_has_target() {
        bail!("rustup succeeded, but for another toolchain than the one in use");
    }
    Ok(())
}

/// Adds the sources of the standard library, and of what it depends on, because builds run offline.
fn add_source(log: &Log) -> Result<()> {
    let library = native_library()?;
    if !library.join("Cargo.lock").is_file() {
        let mut rustup = Command::new("rustup");
        log.run_within(rustup.args(["component", "add", "rust-src"]), RUSTUP_LIMIT)?;
    }
    fetch_dependencies(&mut project::cargo(), &library, log)
}

/// The sources of the standard library, below the compiler's folder.
const LIBRARY: &str = "lib/rustlib/src/rust/library";

fn native_library() -> Result<PathBuf> {
    let sysroot = process::output(native_rustc().args(["--print", "sysroot"]))?;
    Ok(Path::new(sysroot.trim()).join(LIBRARY))
}

fn fetch<'a>(cargo: &'a mut Command, library: &Path) -> &'a mut Command {
    cargo.args(["fetch", "--quiet", "--locked", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(library.join("Cargo.toml"));
    cargo.env("RUSTC_BOOTSTRAP", "1")
}

fn fetch_dependencies(cargo: &mut Command, library: &Path, log: &Log) -> Result<()> {
    log.run(fetch(cargo, library))
        .context("what the standard library depends on cannot be fetched")
}

/// Whether everything that the standard library depends on has been fetched.
fn has_dependencies(cargo: &mut Command, library: &Path) -> bool {
    process::output(fetch(cargo, library).arg("--offline")).is_ok()
}

fn debian_is_complete() -> bool {
    Path::new("/usr/bin/cargo").exists() && debian_library().join("Cargo.lock").is_file()
}

fn debian_library() -> PathBuf {
    Path::new("/usr").join(LIBRARY)
}

fn debian_cargo() -> Command {
    let mut cargo = Command::new("/usr/bin/cargo");
    for variable in OF_THE_OTHER_COMPILER {
        cargo.env_remove(variable);
    }
    cargo.env("RUSTC", "/usr/bin/rustc");
    cargo
}

fn debian_compiler(log: &Log) -> Result<WebCompiler> {
    if !debian_is_complete() {
        debian::check(&[DEBIAN_COMPILER])?;
        debian::install(DEBIAN_COMPILER.names, log)?;
    }
    fetch_dependencies(&mut debian_cargo(), &debian_library(), log)?;
    Ok(WebCompiler::Debian)
}
