//! A Rust compiler for WebAssembly.
//!
//! The native compiler gets its missing standard library from `rustup`. Where `rustup` reaches no server, Debian's
//! `rustc-web` is used, with a standard library that is compiled from Debian's sources.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::debian::{self, Package};
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

/// The compiler that builds for the browser.
#[derive(Debug)]
pub enum WebCompiler {
    /// The compiler of native builds.
    Native,
    /// Debian's compiler, with the standard library in this folder.
    Debian { sysroot: PathBuf },
}

impl WebCompiler {
    /// Finds a compiler, or installs one.
    pub fn ensure() -> Result<Self> {
        match std::env::var(CHOICE).as_deref() {
            Ok("debian") => return debian_compiler(),
            Ok("rustup") => return add_target().map(|()| Self::Native),
            Ok("") | Err(_) => {}
            Ok(other) => bail!("{CHOICE} is `{other}`; it may be `rustup` or `debian`, or absent"),
        }
        if native_has_target() {
            return Ok(Self::Native);
        }
        if let Some(sysroot) = debian_sysroot().filter(|sysroot| sysroot.is_dir()) {
            return Ok(Self::Debian { sysroot });
        }
        let Err(error) = add_target() else {
            return Ok(Self::Native);
        };
        println!("rustup cannot add {TARGET}: {error:#}.");
        println!("Trying Debian's compiler instead.");
        debian_compiler().with_context(|| {
            format!(
                "no compiler for {TARGET}. Either make `rustup target add {TARGET}` work, or, on Debian, run this as \
                 root or `sudo apt-get install {}`",
                DEBIAN_COMPILER.names.join(" "),
            )
        })
    }

    /// Sets up the environment of a command that builds for the browser.
    pub fn prepare(&self, command: &mut Command, path: OsString) -> Result<()> {
        let mut flags = renamed_folders();
        let (folder, target) = match self {
            Self::Native => (native_folder(), project::web_target()),
            Self::Debian { sysroot } => {
                // These variables of rustup and cargo are about the other compiler.
                let foreign = [
                    "LD_LIBRARY_PATH",
                    "RUSTUP_TOOLCHAIN",
                    "RUSTC_WRAPPER",
                    "RUSTFLAGS",
                    "CARGO",
                    "RUSTDOC",
                ];
                for variable in foreign {
                    command.env_remove(variable);
                }
                flags.push(format!("--sysroot={}", sysroot.display()));
                command.env("RUSTC", "/usr/bin/rustc");
                (
                    Some(PathBuf::from("/usr/bin")),
                    project::target().join("web-debian"),
                )
            }
        };
        let folders = folder.into_iter().chain(std::env::split_paths(&path));
        command
            .env("PATH", std::env::join_paths(folders)?)
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", target);
        Ok(())
    }
}

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

fn add_target() -> Result<()> {
    if native_has_target() {
        return Ok(());
    }
    println!(
        "Adding WebAssembly to the Rust toolchain (30 MB; given up after {} s).",
        RUSTUP_LIMIT.as_secs()
    );
    process::run_within(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .stdin(Stdio::null()),
        RUSTUP_LIMIT,
    )?;
    if !native_has_target() {
        bail!("rustup succeeded, but for another toolchain than the one in use");
    }
    Ok(())
}

fn debian_rustc() -> Command {
    let mut rustc = Command::new("/usr/bin/rustc");
    rustc.env_remove("LD_LIBRARY_PATH");
    rustc
}

/// The folder of the standard library for the installed compiler. Every version of the compiler has its own.
fn debian_sysroot() -> Option<PathBuf> {
    let said = process::output(debian_rustc().arg("-vV")).ok()?;
    let line = |name: &str| {
        said.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::trim)
    };
    let (release, commit) = (line("release:")?, line("commit-hash:")?);
    Some(
        project::tools()
            .join("wasm-std")
            .join(format!("{release}-{}", &commit.get(..8)?)),
    )
}

fn debian_compiler() -> Result<WebCompiler> {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
    let complete =
        Path::new("/usr/bin/cargo").exists() && source.exists() && debian_sysroot().is_some();
    if !complete {
        debian::ensure(&[DEBIAN_COMPILER])?;
    }
    let sysroot =
        debian_sysroot().context("Debian's rustc is installed but does not say its version")?;
    if !sysroot.is_dir() {
        build_std(&sysroot)?;
    }
    Ok(WebCompiler::Debian { sysroot })
}

/// Compiles the standard library, as a dependency of an empty crate, and keeps it.
fn build_std(sysroot: &Path) -> Result<()> {
    println!("Compiling Rust's standard library for WebAssembly (about 60 s on two cores, once).");
    let work = sysroot.with_extension("build");
    let _ = std::fs::remove_dir_all(&work);
    std::fs::create_dir_all(work.join("src"))?;
    std::fs::write(work.join("src").join("lib.rs"), "")?;
    let manifest =
        "[package]\nname = \"empty\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";
    std::fs::write(work.join("Cargo.toml"), manifest)?;
    let mut cargo = Command::new("/usr/bin/cargo");
    cargo
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "-Zbuild-std=std,panic_abort",
        ])
        .current_dir(&work);
    for variable in [
        "LD_LIBRARY_PATH",
        "RUSTUP_TOOLCHAIN",
        "RUSTC_WRAPPER",
        "CARGO",
        "CARGO_TARGET_DIR",
    ] {
        cargo.env_remove(variable);
    }
    cargo
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1");
    // Link-time optimisation reads LLVM's bitcode from these libraries.
    cargo
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .stdin(Stdio::null());
    process::run(&mut cargo)
        .context("the standard library cannot be compiled; is there a network?")?;

    let done = work.join("sysroot");
    let libraries = done.join("lib").join("rustlib").join(TARGET).join("lib");
    std::fs::create_dir_all(&libraries)?;
    for entry in std::fs::read_dir(
        work.join("target")
            .join(TARGET)
            .join("release")
            .join("deps"),
    )? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.ends_with(".rlib") && !name.starts_with("libempty") {
            std::fs::copy(&path, libraries.join(name))?;
        }
    }
    if !holds_std(&libraries) {
        bail!(
            "the build succeeded, but {} holds no standard library",
            libraries.display()
        );
    }
    std::fs::rename(&done, sysroot)?;
    let _ = std::fs::remove_dir_all(&work);
    Ok(())
}
