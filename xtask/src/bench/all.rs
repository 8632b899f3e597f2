//! Runs all benchmarks, and writes what they found into one table.

use std::process::Command;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use super::table::{self, Found, Place};
use super::{Bench, Measured, machine, measure};
use crate::{process, project};

/// A benchmark with its default options.
#[derive(Debug, Parser)]
struct Default {
    #[command(subcommand)]
    bench: Bench,
}

/// Measures everything, which takes long, and writes the tables.
pub async fn run() -> Result<()> {
    // Before anything is measured, so that what stands in the way is known at once.
    let place = place()?;
    let mut all = Vec::new();
    for name in names() {
        let command = format!("cargo xtask bench {name}");
        println!("\n== {command} ==");
        let Default { bench } = Default::try_parse_from(["bench", &name])?;
        let Measured { machine, rows } = measure(bench)
            .await
            .with_context(|| format!("`{command}` failed"))?;
        let machine = machine
            .map(|machine| machine.to_string())
            .unwrap_or_default();
        all.push(Found {
            command,
            machine,
            rows,
        });
        // What was measured remains if a later benchmark fails.
        println!("{}", table::document(&place, &all));
    }
    table::write(&project::root(), &place, &all)?;
    println!("Written to docs/BENCHMARKS.md and README.md.");
    Ok(())
}

/// The names of all benchmarks, as in the command line.
fn names() -> Vec<String> {
    let command = Bench::augment_subcommands(clap::Command::new("bench"));
    let names = command.get_subcommands().map(|bench| bench.get_name());
    names.map(str::to_owned).collect()
}

fn place() -> Result<Place> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        process::output(git.args(arguments).current_dir(project::root()))
    };
    // Without git, the sources are those of an archive.
    let commit = git(&["describe", "--always", "--dirty"]).unwrap_or_else(|_| "unknown".into());
    let date = process::output(Command::new("date").args(["-u", "+%Y-%m-%d"]))
        .context("the date is unknown")?;
    Ok(Place {
        date,
        commit,
        processor: machine::processor()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_runs_with_its_default_options() {
        let names = names();
        for known in ["connect", "data", "chat", "media", "embed", "load", "links"] {
            assert!(names.iter().any(|name| name == known), "{names:?}");
        }
        for name in names {
            assert!(Default::try_parse_from(["bench", &name]).is_ok(), "{name}");
        }
    }
}
