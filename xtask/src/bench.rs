//! Measurements.

use anyhow::{Result, bail};
use clap::Subcommand;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How long two browsers take from opening the page to talking to each other
    Connect,
}

/// Runs a benchmark.
pub async fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Connect => bail!("this benchmark is not written yet"),
    }
}
