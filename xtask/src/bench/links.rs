//! Measures how long the page takes to find addresses in messages: runs `examples/links.rs`.

use anyhow::{Context, Result, ensure};

use super::Measured;
use super::table::{Row, Target};
use crate::{process, project};

/// The slowest message may take at most this many milliseconds.
const MILLIS: f64 = 20.0;

/// Measures, and prints a table.
pub async fn run() -> Result<Measured> {
    let slowest = tokio::task::spawn_blocking(measure).await??;
    let what = "ms to find the addresses in the slowest message of 10,000 characters";
    let met = if slowest <= MILLIS { "met" } else { "NO" };
    println!("\nAt most {MILLIS} ms: {met}");
    Ok(Measured {
        machine: None,
        rows: vec![Row::new(what, slowest).target(Target::AtMost(MILLIS))],
    })
}

fn measure() -> Result<f64> {
    let mut cargo = project::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "rtchat",
        "--example",
        "links",
    ]);
    let mut slowest = None;
    let succeeded = process::run_watched(&mut cargo, |line| {
        slowest = millis(line).or(slowest);
    })?;
    ensure!(succeeded, "examples/links.rs failed");
    slowest.context("examples/links.rs does not say what was slowest")
}

/// The number in "slowest: 1.234 ms".
fn millis(line: &str) -> Option<f64> {
    let number = line.strip_prefix("slowest: ")?.strip_suffix(" ms")?;
    number.parse().ok()
}
