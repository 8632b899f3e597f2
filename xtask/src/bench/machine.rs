//! What it was measured on, and whether that was quiet.

use std::fmt;
use std::process::Command;

use anyhow::Result;
use serde_json::{Value, json};

use super::stage::Stage;
use crate::process;

/// The machine and its load.
#[derive(Debug)]
pub struct Machine {
    cores: usize,
    browser: String,
    node: String,
    /// How many processes wanted to run, on average over the last minute: before, and after.
    load: [Option<f64>; 2],
}

impl Machine {
    /// Looks at it before anything is measured.
    pub async fn look(stage: &Stage) -> Result<Machine> {
        Ok(Machine {
            cores: std::thread::available_parallelism()?.get(),
            browser: stage.version().await?,
            node: process::output(Command::new("node").arg("--version"))?,
            load: [load(), None],
        })
    }

    /// Looks at it again afterwards.
    pub fn look_again(&mut self) {
        self.load[1] = load();
    }

    /// What makes the figures worth less, if anything does.
    pub fn warning(&self) -> Option<String> {
        let load = self.load[0]?;
        // Starting the browser itself shows a little.
        let limit = 0.5 * self.cores as f64;
        (load > limit).then(|| {
            format!(
                "WARNING: this machine was busy with other things (load {load:.1}); the times are too long and vary."
            )
        })
    }

    /// For a file.
    pub fn json(&self) -> Value {
        json!({ "cores": self.cores, "browser": self.browser, "node": self.node, "load": self.load })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            cores,
            browser,
            node,
            load: [before, after],
        } = self;
        write!(f, "{cores} cores, {browser}, aedes on Node.js {node}")?;
        if let Some(before) = before {
            write!(f, ", load {before:.2} before")?;
        }
        if let Some(after) = after {
            write!(f, " and {after:.2} after")?;
        }
        writeln!(f)?;
        match self.warning() {
            Some(warning) => writeln!(f, "{warning}"),
            None => Ok(()),
        }
    }
}

fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
