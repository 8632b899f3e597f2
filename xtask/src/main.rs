//! `cargo xtask`: the developer's commands.
#![allow(clippy::disallowed_methods)] // Only the core must not read clocks.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::check::{self, Failed};
use xtask::setup::Suite;
use xtask::{bench, build, package, process, screenshots, serve, setup, size, symbols};

/// The developer's commands of rtchat. Each installs what it needs, which takes some minutes on a new machine.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install everything that the other commands need
    ///
    /// Compilers and tools are kept in $RTCHAT_TOOLS, by default ~/.cache/rtchat/tools. Debian packages are installed
    /// by root only; other users are told which ones are missing. RTCHAT_TOOLCHAIN=rustup or =debian selects the
    /// compiler for WebAssembly; by default the first that works is used.
    Setup,
    /// Build the page into dist/, ready for any static host, and print its size
    Build,
    /// Build the page, and serve it together with an MQTT broker
    ///
    /// Open the printed address in two tabs and chat. The broker is part of this command and keeps nothing. The page uses
    /// it instead of the brokers in rtchat.json. Only this machine can reach the page and the broker, unless --lan or
    /// --host is given.
    Serve(serve::Options),
    /// Run all tests, or one suite
    ///
    /// The last line is, for example, "120 passed, 0 failed". The command fails if any test failed.
    Test {
        /// The suite; by default all: "unit" runs natively, "browser" tests adapters in one headless Chromium and
        /// in one Firefox, and "e2e" has several browsers that communicate through real brokers
        suite: Option<Suite>,
        /// Arguments for the test programs, after "--": a part of a test's name, --nocapture, --test-threads=1 …
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Make the npm package of the module and the script tag, and check it
    ///
    /// It is written to target/npm/, and the hashes for Subresource Integrity are printed. Nothing is published.
    Package,
    /// Take pictures of the main views, light and dark, wide and narrow, into docs/screenshots/
    ///
    /// They show the scenes of `?demo=…` (src/ui/demo/), and the bubble on somebody's page, in Chromium.
    Screenshots,
    /// Check formatting and lints, as is done before a change is accepted
    Lint,
    /// Put the names of functions into a browser's stack, which is read from standard input
    ///
    /// A page or a module that broke shows such a stack. The names are those of this machine's last builds.
    Stack,
    /// Run a benchmark, or without a name all of them
    ///
    /// All of them write docs/BENCHMARKS.md and the short table in README.md, and take about 20 minutes. The machine should
    /// do nothing else.
    Bench {
        #[command(subcommand)]
        bench: Option<bench::Bench>,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let serving = matches!(cli.command, Task::Serve(_));
    if !serving {
        process::adopt_orphans();
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: this system provides no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        tokio::select! {
            result = run(cli.command) => exit_code(result),
            () = stop_signal() => {
                println!("\nStopped.");
                if serving { 0 } else { 130 }
            }
        }
    });
    // Builds, brokers and browsers may still be running.
    process::end_descendants(std::process::id());
    // This does not wait for threads that wait for those programs.
    std::process::exit(code);
}

async fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup => {
            blocking(|| setup::ensure(setup::ALL).map(|_| println!("Everything is installed.")))
                .await
        }
        Task::Build => blocking(|| size::print(&build::run()?)).await,
        Task::Serve(options) => serve::run(options).await,
        Task::Test { suite, arguments } => blocking(move || check::test(suite, &arguments)).await,
        Task::Package => blocking(|| package::run().map(drop)).await,
        Task::Screenshots => screenshots::run().await,
        Task::Lint => blocking(check::lint).await,
        Task::Stack => blocking(explain_stack).await,
        Task::Bench { bench } => bench::run(bench).await,
    }
}

fn explain_stack() -> Result<()> {
    let stack = std::io::read_to_string(std::io::stdin())?;
    print!("{}", symbols::explain(&stack)?);
    Ok(())
}

/// Runs work that waits for other programs, so that signals are still handled.
async fn blocking(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    tokio::task::spawn_blocking(work).await?
}

fn exit_code(result: Result<()>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(error) => {
            if !error.is::<Failed>() {
                eprintln!("error: {error:#}");
            }
            1
        }
    }
}

async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminated), Ok(mut hung_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
