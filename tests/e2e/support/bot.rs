//! The helper of `bot/` as a running program.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use xtask::process;
use xtask::testbed::{self, Broker, Child};

/// As long as a tab may take for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// Built at most once; after `cargo xtask test e2e` not at all.
static PROGRAM: LazyLock<Result<PathBuf, String>> =
    LazyLock::new(|| testbed::bot().map_err(|error| format!("{error:#}")));

/// A running helper. Dropping it kills it.
#[derive(Debug)]
pub struct Bot {
    /// What it prints.
    lines: UnboundedReceiver<String>,
    seen: Vec<String>,
    program: Child,
}

impl Bot {
    /// Starts it, in the lobby of this page. Its key is in the file `identity`, or will be.
    pub async fn start(name: &str, page: &str, broker: &Broker, identity: &Path) -> Result<Bot> {
        Bot::start_with(name, page, broker, identity, &[]).await
    }

    /// The same with more options.
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
        let output = program.take_stdout().context("its output was asked for")?;
        let (tell, lines) = unbounded_channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            // Read to the end in any case: a full pipe would hold it up.
            lines.for_each(|line| drop(tell.send(line)));
        });
        Ok(Bot {
            lines,
            seen: Vec::new(),
            program,
        })
    }

    /// Stops it in whatever it does, as a computer that falls asleep.
    pub fn freeze(&self) -> Result<()> {
        self.signal("-STOP")
    }

    /// Lets it go on.
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

    /// Waits until it ends by itself, without ever having been in a room.
    pub async fn ends(&mut self) -> Result<()> {
        let found = timeout(PATIENCE, self.reads_up_to("Joining")).await;
        ensure!(found == Ok(false), "it works: {:#?}", self.seen);
        Ok(())
    }

    /// Whether this line came before it ended.
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
