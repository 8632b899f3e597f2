//! Measures how long the page takes to find addresses and Markdown in messages: runs `examples/links.rs`.

use anyhow::{Context, Result, ensure};

use super::Measured;
use super::table::{Row, Target};
use crate::{process, project};

/// The slowest message may take at most this many milliseconds.
const MILLIS: f64 = 20.0;

/// Measures, and prints a table.
pub async fn run() -> Result<Measured> {
    let [addresses, markdown] = tokio::task::spawn_blocking(measure).await??;
    let met = if addresses.max(markdown) <= MILLIS {
        "met"
    } else {
        "NO"
    };
    println!("\nAt most {MILLIS} ms each: {met}");
    let row = |what, slowest| Row::new(what, slowest).target(Target::AtMost(MILLIS));
    Ok(Measured {
        machine: None,
        rows: vec![
            row(
                "ms to find the addresses in the slowest message of 10,000 characters",
                addresses,
            ),
            row(
                "ms to find the Markdown in the slowest message of 10,000 characters",
                markdown,
            ),
        ],
    })
}

/// The milliseconds for addresses and for Markdown.
fn measure() -> Result<[f64; 2]> {
    let mut cargo = project::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "rtchat",
        "--example",
        "links",
    ]);
    let (mut addresses, mut markdown) = (None, None);
    let succeeded = process::run_watched(&mut cargo, |line| {
        addresses = millis(line, "addresses").or(addresses);
        markdown = millis(line, "Markdown").or(markdown);
    })?;
    ensure!(succeeded, "examples/links.rs failed");
    let slowest = addresses.zip(markdown).map(<[f64; 2]>::from);
    slowest.context("examples/links.rs does not say what was slowest")
}

/// The number in "slowest addresses: 1.234 ms".
fn millis(line: &str, what: &str) -> Option<f64> {
    let line = line.strip_prefix("slowest ")?.strip_prefix(what)?;
    let number = line.strip_prefix(": ")?.strip_suffix(" ms")?;
    number.parse().ok()
}
