//! `cargo xtask`: the developer's commands.
#![allow(clippy::disallowed_methods)] // Real clocks are right here; the core alone must not have one.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::check::{self, Failed, Suite};
use xtask::{bench, build, package, process, serve, setup};

/// The developer's commands of rtchat. Each sets up what it needs; the first run on a machine takes minutes for that.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install whatever any of the other commands needs
    ///
    /// Compilers and tools are kept in $RTCHAT_TOOLS, by default ~/.cache/rtchat/tools. Debian packages are installed
    /// by root alone; other users are told which ones are missing. RTCHAT_TOOLCHAIN=rustup or =debian chooses the
    /// compiler for WebAssembly; by default the first that works is taken.
    Setup,
    /// Build the page into dist/, ready for any static host, and print its size
    Build,
    /// Build the page, and serve it together with an MQTT broker
    ///
    /// Open the printed address twice and chat. The broker is part of this command and keeps nothing. Instead of
    /// rtchat.json's brokers the page is told to use this one.
    Serve(serve::Options),
    /// Run the tests: all, or one suite
    ///
    /// Ends with a line such as "120 passed, 0 failed", and fails when anything did.
    Test {
        /// Which tests; all when absent
        suite: Option<Suite>,
        /// For the test programs, after "--": a part of a test's name, --nocapture, --test-threads=1 …
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Make the npm package of the module, and check it
    ///
    /// It is written to target/npm/. Nothing is published.
    Package,
    /// Check formatting and lints, as is done before a change is taken
    Lint,
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
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
            eprintln!("error: this system gives us no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(async {
        tokio::select! {
            result = run(cli.command) => explain(result),
            () = asked_to_stop() => {
                println!("\nStopped.");
                if serving { 0 } else { 130 }
            }
        }
    });
    // Builds, brokers and browsers that are still there.
    process::end_descendants(std::process::id());
    // Without waiting for threads that wait for them.
    std::process::exit(code);
}

async fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup => {
            blocking(|| setup::ensure(setup::ALL).map(|_| println!("Everything is there."))).await
        }
        Task::Build => blocking(|| build::print_sizes(&build::run()?)).await,
        Task::Serve(options) => serve::run(options).await,
        Task::Test { suite, arguments } => blocking(move || check::test(suite, &arguments)).await,
        Task::Package => blocking(|| package::run().map(drop)).await,
        Task::Lint => blocking(check::lint).await,
        Task::Bench(bench) => bench::run(bench).await,
    }
}

/// Work that waits for other programs, so that signals are still heard.
async fn blocking(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    tokio::task::spawn_blocking(work).await?
}

fn explain(result: Result<()>) -> i32 {
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

async fn asked_to_stop() {
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
