//! The helper in `bot/` as a running program.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use xtask::testbed::{Broker, Child};
use xtask::{build, process};

/// The limit for every wait, the same as for tabs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The path of the program. It is built at most once, and not at all after `cargo xtask test e2e`.
static PROGRAM: LazyLock<Result<PathBuf, String>> =
    LazyLock::new(|| build::bot_program().map_err(|error| format!("{error:#}")));

/// A running helper. It is killed when it is dropped.
#[derive(Debug)]
pub struct Bot {
    /// The lines that it prints.
    lines: UnboundedReceiver<String>,
    seen: Vec<String>,
    program: Child,
}

impl Bot {
    /// Starts a helper in the lobby of this page. It reads its key from the file `identity`, or creates it there.
    pub async fn start(name: &str, page: &str, broker: &Broker, identity: &Path) -> Result<Bot> {
        Bot::start_with(name, page, broker, identity, &[]).await
    }

    /// Starts a helper with additional options.
    pub async fn start_with(
        name: &str,
        page: &str,
        broker: &Broker,
        identity: &Path,
        more: &[&str],
    ) -> Result<Bot> {
        let program = tokio::task::spawn_blocking(|| PROGRAM.clone()).await?;
        let broker = format!("mqtt://127.0.0.1:{}", broker.tcp_port());
        let mut command = Command::new(program.map_err(|error| anyhow!(error))?);
        command.args([
            "--page", page, "--room", "lobby", "--broker", &broker, "--name", name,
        ]);
        command.arg("--identity").arg(identity).args(more);
        let mut program = Child::start(command.stdout(Stdio::piped()))?;
        let output = program.take_stdout().context("the helper has no output")?;
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            // Read to the end in any case, since a full pipe would block the helper.
            lines.for_each(|line| drop(sender.send(line)));
        });
        Ok(Bot {
            lines,
            seen: Vec::new(),
            program,
        })
    }

    /// Suspends it, as on a computer that falls asleep.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Resumes it.
    pub fn thaw(&self) -> Result<()> {
        self.signal("-CONT")
    }

    fn signal(&self, signal: &str) -> Result<()> {
        let id = self.program.id().to_string();
        process::run(Command::new("kill").args([signal, &id]))
    }

    /// Waits until it prints this line.
    pub async fn prints(&mut self, expected: &str) -> Result<()> {
        match timeout(PATIENCE, self.reads_up_to(expected)).await {
            Ok(true) => Ok(()),
            Ok(false) => bail!("it ended without {expected:?}: {:#?}", self.seen),
            Err(_) => bail!("it did not print {expected:?}, but {:#?}", self.seen),
        }
    }

    /// Waits until it prints each of these lines, in any order.
    pub async fn prints_all(&mut self, expected: &[&str]) -> Result<()> {
        let mut missing = expected.to_vec();
        while !missing.is_empty() {
            match timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) => {
                    missing.retain(|expected| *expected != line);
                    self.seen.push(line);
                }
                _ => bail!("it did not print {missing:?}, but {:#?}", self.seen),
            }
        }
        Ok(())
    }

    /// Waits until it ends by itself without having joined a room.
    pub async fn ends(&mut self) -> Result<()> {
        let found = timeout(PATIENCE, self.reads_up_to("Joining")).await;
        ensure!(found == Ok(false), "it joined a room: {:#?}", self.seen);
        Ok(())
    }

    /// Whether it printed this line before it ended.
    async fn reads_up_to(&mut self, expected: &str) -> bool {
        while let Some(line) = self.lines.recv().await {
            let found = line == expected;
            self.seen.push(line);
            if found {
                return true;
            }
        }
        false
    }
}
