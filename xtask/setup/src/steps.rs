//! Carries out an installation in steps: what waits for the network beside what occupies the processor.
//!
//! A line says when a step begins, and another one how long it took. What programs print goes into a file, whose end is
//! shown if a step fails.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process;

/// A sign of life is printed after this time without a line.
const QUIET: Duration = Duration::from_secs(30);
/// The number of lines that are shown of a program that failed.
const SHOWN: usize = 30;

/// One step.
pub struct Step {
    /// What is installed.
    pub what: String,
    /// What that is needed for.
    pub why: &'static str,
    /// An estimate of how long it takes on two cores.
    pub seconds: u32,
    pub lane: Lane,
    pub install: Install,
}

/// Carries out a step.
pub type Install = Box<dyn FnOnce(&Log) -> Result<()> + Send>;

/// The steps of one lane are carried out one after the other, in their order, and both lanes side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What is loaded.
    Network,
    /// What is compiled.
    Processor,
}

/// What a lane reports.
enum Report {
    Line(String),
    /// A step of this name has begun, or is done.
    Begun(String),
    Done(String),
    Failed(anyhow::Error),
}

/// Where a step writes what it does.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Such as "[2 of 5] trunk 0.21.14 (it builds the page)".
    name: String,
    reports: Sender<Report>,
}

/// Carries out all steps. Programs print into files in this folder, and `say` prints lines for people. Returns as soon as
/// one step has failed.
pub fn run(steps: Vec<Step>, folder: &Path, mut say: impl FnMut(&str)) -> Result<()> {
    let count = steps.len();
    if count == 0 {
        return Ok(());
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let of_lane = |lane| steps.iter().filter(move |step| step.lane == lane);
    let seconds = |lane| of_lane(lane).map(|step| step.seconds).sum::<u32>();
    let seconds = seconds(Lane::Network).max(seconds(Lane::Processor));
    say(&format!(
        "Installing what is missing, once: {count} step{}, about {} on two cores. The programs' output is in {}.",
        if count == 1 { "" } else { "s" },
        shown(Duration::from_secs(seconds.into())),
        folder.display()
    ));
    let (reports, reported) = mpsc::channel();
    let (mut network, mut processor) = (Vec::new(), Vec::new());
    for (number, step) in (1..).zip(steps) {
        let name = format!("[{number} of {count}] {} ({})", step.what, step.why);
        let path = folder.join(format!("{number}.log"));
        // That of an earlier installation, if there was one.
        let _ = std::fs::remove_file(&path);
        let log = Log {
            path,
            name,
            reports: reports.clone(),
        };
        match step.lane {
            Lane::Network => network.push((step, log)),
            Lane::Processor => processor.push((step, log)),
        }
    }
    drop(reports);
    for lane in [network, processor] {
        std::thread::spawn(move || lane.into_iter().all(|(step, log)| carry_out(step, &log)));
    }
    let mut at_work: Vec<(String, Instant)> = Vec::new();
    let mut done = 0;
    while done < count {
        match reported.recv_timeout(QUIET) {
            Ok(Report::Line(line)) => say(&line),
            Ok(Report::Begun(name)) => at_work.push((name, Instant::now())),
            Ok(Report::Done(name)) => {
                at_work.retain(|(its, _)| *its != name);
                done += 1;
            }
            Ok(Report::Failed(error)) => return Err(error),
            Err(RecvTimeoutError::Timeout) => at_work.iter().for_each(|(name, since)| {
                say(&format!("{name}: at work for {}", shown(since.elapsed())));
            }),
            Err(RecvTimeoutError::Disconnected) => bail!("a step of the installation crashed"),
        }
    }
    Ok(())
}

/// Whether it succeeded, so that the next step of the lane may begin.
fn carry_out(step: Step, log: &Log) -> bool {
    let about = shown(Duration::from_secs(step.seconds.into()));
    log.say(&format!("begins, about {about}"));
    let _ = log.reports.send(Report::Begun(log.name.clone()));
    let start = Instant::now();
    let result = (step.install)(log);
    let took = shown(start.elapsed());
    let report = match result {
        Ok(()) => {
            log.say(&format!("done in {took}"));
            Report::Done(log.name.clone())
        }
        Err(error) => {
            log.say(&format!("failed after {took}"));
            Report::Failed(error)
        }
    };
    let succeeded = matches!(report, Report::Done(_));
    // If nobody listens any more, the other lane has failed.
    log.reports.send(report).is_ok() && succeeded
}

fn shown(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

impl Log {
    /// Prints a line that begins with the step's name.
    pub fn say(&self, what: &str) {
        let _ = self
            .reports
            .send(Report::Line(format!("{}: {what}", self.name)));
    }

    /// Runs a program to its end.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        self.record(command)?;
        process::quietly(command).map_err(|error| self.with_output(error))
    }

    /// Like [`Self::run`], but gives up after `limit`.
    pub fn run_within(&self, command: &mut Command, limit: Duration) -> Result<()> {
        self.record(command)?;
        process::run_within(command, limit).map_err(|error| self.with_output(error))
    }

    fn record(&self, command: &mut Command) -> Result<()> {
        let file = File::options().create(true).append(true).open(&self.path);
        let file = file.with_context(|| format!("cannot write {}", self.path.display()))?;
        process::end_with_us(command);
        command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        Ok(())
    }

    /// The error with the end of what the step's programs have printed.
    fn with_output(&self, error: anyhow::Error) -> anyhow::Error {
        let output = std::fs::read(&self.path).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let lines: Vec<&str> = output.lines().collect();
        let end = &lines[lines.len().saturating_sub(SHOWN)..];
        let path = self.path.display();
        error.context(format!("{}\n(more in {path})", end.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(
        what: &str,
        lane: Lane,
        install: impl FnOnce(&Log) -> Result<()> + Send + 'static,
    ) -> Step {
        Step {
            what: what.into(),
            why: "a test",
            seconds: 90,
            lane,
            install: Box::new(install),
        }
    }

    fn run_and_listen(steps: Vec<Step>) -> (Result<()>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = Vec::new();
        let result = run(steps, folder.path(), |line| lines.push(line.to_owned()));
        (result, lines)
    }

    #[test]
    fn lanes_run_side_by_side_and_every_step_says_what_it_is_for_and_how_long_it_took() {
        let (to_second, from_first) = mpsc::channel();
        let (to_first, from_second) = mpsc::channel();
        // Each waits for the other, which would never end if one came after the other.
        let steps = vec![
            step("packages", Lane::Network, move |_| {
                to_second.send(())?;
                Ok(from_second.recv_timeout(Duration::from_secs(20))?)
            }),
            step("a tool", Lane::Processor, move |_| {
                to_first.send(())?;
                Ok(from_first.recv_timeout(Duration::from_secs(20))?)
            }),
            step("another tool", Lane::Processor, |log| {
                log.run(Command::new("sh").args(["-c", "echo words"]))
            }),
        ];
        let (result, lines) = run_and_listen(steps);
        result.unwrap();
        assert!(
            lines[0].contains("3 steps, about 3 min 0 s"),
            "{}",
            lines[0]
        );
        let place = |line: &str| {
            let place = lines.iter().position(|its| its.starts_with(line));
            place.unwrap_or_else(|| panic!("{line} is not in {lines:?}"))
        };
        place("[1 of 3] packages (a test): done in 0 s");
        let first = place("[2 of 3] a tool (a test): done in 0 s");
        assert!(first < place("[3 of 3] another tool (a test): begins, about 90 s"));
        assert!(!lines.iter().any(|line| line.contains("words")));
    }

    #[test]
    fn a_failed_step_shows_the_end_of_its_output_and_ends_its_lane() {
        let steps = vec![
            step("a tool", Lane::Processor, |log| {
                log.run(Command::new("sh").args(["-c", "echo no such crate >&2; exit 3"]))
            }),
            step("another tool", Lane::Processor, |_| {
                panic!("it must not begin")
            }),
        ];
        let (result, lines) = run_and_listen(steps);
        let error = format!("{:#}", result.unwrap_err());
        assert!(
            error.contains("no such crate") && error.contains("exit 3"),
            "{error}"
        );
        let last = lines.last().unwrap();
        assert!(
            last.starts_with("[1 of 2] a tool (a test): failed after"),
            "{last}"
        );
    }
}
