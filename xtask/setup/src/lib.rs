//! Installs the tools that `cargo xtask` needs, on a machine that has a Rust toolchain and reaches package registries.
//!
//! It is done in [`steps`]: each says its name, its purpose and how long it takes. Debian packages are installed by root
//! only; other users are told what to install.

#![allow(clippy::disallowed_methods)] // Only the core must not read clocks.

pub mod browsers;
mod compiler;
mod debian;
mod kept;
mod npm;
pub mod process;
pub mod project;
mod steps;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};

use compiler::{Build, WebCompiler};
use debian::Package;
use steps::{Install, Lane, Log, Step};

/// Something that a command may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Everything that turns the sources into `dist/`.
    Page,
    /// wasm-bindgen's tools, of the version that `Cargo.lock` asks for.
    Bindgen,
    /// Chromium and chromedriver.
    Chromium,
    /// Firefox and geckodriver.
    Firefox,
    /// WebKit, its driver, and a screen that nobody sees.
    Webkit,
    /// A font with emoji, for pictures of the page.
    Emoji,
    /// The brokers that tests run against.
    Brokers,
    /// What makes networks on this machine, where this user may.
    Networks,
    /// The npm packages of the benchmarks, aedes among them.
    Npm,
    /// rustfmt and clippy.
    Lints,
}

/// Everything that any command needs.
pub const ALL: &[Need] = &[
    Need::Page,
    Need::Bindgen,
    Need::Chromium,
    Need::Firefox,
    Need::Webkit,
    Need::Emoji,
    Need::Brokers,
    Need::Networks,
    Need::Npm,
    Need::Lints,
];

/// What pictures of the page need.
pub const SCREENSHOTS: &[Need] = &[Need::Page, Need::Chromium, Need::Emoji];

/// What benchmarks need.
pub const BENCHMARKS: &[Need] = &[Need::Page, Need::Chromium, Need::Npm];

/// A group of tests with the same needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Everything that runs natively, without a browser.
    Unit,
    /// Tests in one headless Chromium, and in one Firefox: adapters to the browser.
    Browser,
    /// Tests with several browsers, which communicate through real brokers.
    E2e,
}

impl Suite {
    /// All suites, in the order in which they run.
    pub const ALL: [Suite; 3] = [Suite::Unit, Suite::Browser, Suite::E2e];

    /// The name in the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Browser => "browser",
            Self::E2e => "e2e",
        }
    }

    /// What its tests need.
    pub fn needs(self) -> &'static [Need] {
        match self {
            Self::Unit => &[Need::Brokers, Need::Npm],
            Self::Browser => &[Need::Bindgen, Need::Chromium, Need::Firefox],
            Self::E2e => &[
                Need::Page,
                Need::Chromium,
                Need::Firefox,
                Need::Webkit,
                Need::Brokers,
                Need::Networks,
                Need::Npm,
            ],
        }
    }
}

impl FromStr for Suite {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let mut suites = Self::ALL.into_iter();
        let suite = suites.find(|suite| suite.name() == name);
        suite.with_context(|| {
            format!(
                "there is no suite `{name}`; there are {}",
                Self::ALL.map(Self::name).join(", ")
            )
        })
    }
}

/// The tools that were installed, and how to call them.
#[derive(Debug)]
pub struct Tools {
    compiler: Option<WebCompiler>,
}

/// Installs the missing tools. This is quick if nothing is missing.
pub fn ensure(needs: &[Need]) -> Result<Tools> {
    let mut missing = Missing::look(needs)?;
    missing.install()?;
    Ok(Tools {
        compiler: missing.compiler(),
    })
}

/// Installs the missing tools, and compiles the commands of `cargo xtask` meanwhile if anything is missing.
pub fn install_with_commands(needs: &[Need]) -> Result<()> {
    let mut missing = Missing::look(needs)?;
    if !missing.steps.is_empty() {
        missing.steps.insert(0, commands());
    }
    missing.install()
}

/// The step that compiles the commands.
fn commands() -> Step {
    Step {
        what: "the commands of cargo xtask".into(),
        why: "they build, serve and test",
        seconds: 80,
        lane: Lane::Processor,
        install: Box::new(|log| {
            let mut cargo = project::cargo();
            log.run(cargo.args(["build", "--package", "xtask"]))
                .context("the commands were not compiled")
        }),
    }
}

/// What is missing, and the compiler that is there or will be.
struct Missing {
    steps: Vec<Step>,
    compiler: Arc<Mutex<Option<WebCompiler>>>,
}

impl Missing {
    fn install(&mut self) -> Result<()> {
        let steps = std::mem::take(&mut self.steps);
        steps::run(steps, &project::tools().join("log"), |line| {
            println!("{line}")
        })
    }

    fn compiler(&self) -> Option<WebCompiler> {
        let mut compiler = self.compiler.lock().unwrap_or_else(PoisonError::into_inner);
        compiler.take()
    }

    fn look(needs: &[Need]) -> Result<Missing> {
        let needed = |need| needs.contains(&need);
        let page = needed(Need::Page);
        let builds_for_browsers = page || needed(Need::Bindgen);
        let packages = system_packages(needs);
        // Before anything else is installed.
        debian::check(&packages)?;

        let mut steps = Vec::new();
        let load = |what: String, why, seconds, install: Install| Step {
            what,
            why,
            seconds,
            lane: Lane::Network,
            install,
        };
        if !packages.is_empty() {
            let names = debian::names(&packages);
            let seconds = packages.iter().map(|package| package.seconds).sum();
            let what = names.join(", ");
            let why = "programs that builds and tests call";
            let install = move |log: &Log| debian::install(&names, log);
            steps.push(load(what, why, seconds, Box::new(install)));
        }
        if needed(Need::Lints) {
            for (program, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
                if process::output(project::cargo().args([program, "--version"])).is_err() {
                    let install = move |log: &Log| add_lint(component, log);
                    steps.push(load(
                        component.into(),
                        "it checks the sources",
                        10,
                        Box::new(install),
                    ));
                }
            }
        }
        if (page || needed(Need::Npm)) && !npm::is_there()? {
            let what = "npm packages".into();
            steps.push(load(what, npm::WHY, 10, Box::new(npm::install)));
        }
        let mut found = None;
        if builds_for_browsers {
            found = WebCompiler::find()?;
        }
        let is_missing = builds_for_browsers && found.is_none();
        let compiler = Arc::new(Mutex::new(found));
        if is_missing {
            let slot = Arc::clone(&compiler);
            let install = move |log: &Log| {
                let compiler = WebCompiler::install(log)?;
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(compiler);
                Ok(())
            };
            let what = "WebAssembly for the Rust toolchain".into();
            steps.push(load(
                what,
                "it compiles what browsers load",
                30,
                Box::new(install),
            ));
        }

        let mut tools = Vec::new();
        if builds_for_browsers {
            tools.push(kept::wasm_bindgen()?);
        }
        if page {
            tools.push(kept::trunk());
        }
        if needed(Need::Firefox) && browsers::geckodriver().is_err() {
            tools.push(kept::geckodriver());
        }
        tools.retain(|tool| !kept::is_there(tool));
        steps.extend(tools.into_iter().map(kept::step));

        Ok(Missing { steps, compiler })
    }
}

fn add_lint(component: &str, log: &Log) -> Result<()> {
    let mut rustup = Command::new("rustup");
    log.run(rustup.args(["component", "add", component]))
        .with_context(|| {
            format!(
                "{component} is missing; install it for the Rust toolchain in use, then run this again"
            )
        })
}

/// The Debian packages of missing programs that come from the system.
fn system_packages(needs: &[Need]) -> Vec<Package> {
    let needed = |need| needs.contains(&need);
    let mut packages = Vec::new();
    let mut want = |missing: bool, names, why, seconds| {
        if missing {
            packages.push(Package {
                names,
                why,
                seconds,
            });
        }
    };
    let node = process::find("node").is_none() || process::find("npm").is_none();
    want(
        node && (needed(Need::Page) || needed(Need::Npm)),
        &["nodejs", "npm"],
        "npm brings wasm-opt and aedes",
        120,
    );
    let chromium = browsers::chromium().is_err() || browsers::chromedriver().is_err();
    const BROWSER: &[&str] = &["chromium", "chromium-driver", "fonts-liberation"];
    want(
        chromium && needed(Need::Chromium),
        BROWSER,
        "tests run in it",
        30,
    );
    let firefox = browsers::firefox().is_err();
    want(
        firefox && needed(Need::Firefox),
        &["firefox-esr", "fonts-liberation"],
        "tests run in it",
        20,
    );
    let webkit = [browsers::webkit, browsers::webkitdriver, browsers::xvfb];
    want(
        webkit.iter().any(|program| program().is_err()) && needed(Need::Webkit),
        &["webkit2gtk-driver", "xvfb", "fonts-liberation"],
        "tests run in it",
        40,
    );
    let emoji = Path::new("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf");
    want(
        !emoji.is_file() && needed(Need::Emoji) && debian::can_install(),
        &["fonts-noto-color-emoji"],
        "pictures of the page show emoji",
        5,
    );
    let mosquitto =
        process::find("mosquitto").is_none() && !Path::new("/usr/sbin/mosquitto").is_file();
    want(
        mosquitto && needed(Need::Brokers),
        &["mosquitto"],
        "tests run against this broker",
        10,
    );
    // Whoever may not install packages may not make networks either, and the tests that need them say so.
    let networks = process::find("nft").is_none() || process::find("ip").is_none();
    want(
        networks && needed(Need::Networks) && debian::can_install(),
        &["nftables", "iproute2"],
        "tests make networks with routers",
        10,
    );
    packages
}

impl Tools {
    /// A program that works on what people load, with the right compiler and our tools on its `PATH`.
    pub fn web(&self, program: &str) -> Result<Command> {
        self.command(program, Build::Published)
    }

    /// Cargo, building what people load.
    pub fn web_cargo(&self) -> Result<Command> {
        self.command("cargo", Build::Published)
    }

    /// Cargo, building for checks and tests in the browser.
    pub fn web_development_cargo(&self) -> Result<Command> {
        self.command("cargo", Build::Development)
    }

    fn command(&self, program: &str, build: Build) -> Result<Command> {
        let compiler = self
            .compiler
            .as_ref()
            .context("no compiler for the browser was requested")?;
        let mut command = Command::new(program);
        command.current_dir(project::root());
        compiler.prepare(&mut command, build, path_with(&own_folders())?)?;
        // The program itself is found on this PATH, too.
        Ok(command)
    }
}

/// The folders of tools that were installed for this project.
fn own_folders() -> [PathBuf; 2] {
    [
        project::tools().join("bin"),
        project::root().join("node_modules").join(".bin"),
    ]
}

/// `PATH` with these folders in front.
fn path_with(folders: &[PathBuf]) -> Result<OsString> {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(std::env::split_paths(&old));
    std::env::join_paths(all).context("PATH contains a folder whose name is not allowed in PATH")
}
