//! The machine that was used, and whether it was otherwise idle.

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
    /// The load average over one minute, before and after the measurement.
    load: [Option<f64>; 2],
}

impl Machine {
    /// Reads the load before the measurement.
    pub async fn look(stage: &Stage) -> Result<Machine> {
        Ok(Machine {
            cores: std::thread::available_parallelism()?.get(),
            browser: stage.version().await?,
            node: process::output(Command::new("node").arg("--version"))?,
            load: [load(), None],
        })
    }

    /// Reads the load after the measurement.
    pub fn look_again(&mut self) {
        self.load[1] = load();
    }

    /// A warning if the load makes the figures unreliable.
    pub fn warning(&self) -> Option<String> {
        let load = self.load[0]?;
        // Starting the browser causes some load by itself.
        let limit = 0.5 * self.cores as f64;
        (load > limit).then(|| {
            format!(
                "WARNING: this machine was busy with other things (load {load:.1}); the times are too long and vary."
            )
        })
    }

    /// The same as JSON.
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

/// The machine's processor, as the tables name it.
pub fn processor() -> Result<String> {
    let cores = std::thread::available_parallelism()?.get();
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = known.lines().filter(|line| line.starts_with("model name"));
    let model = models.next().and_then(|line| line.split_once(": "));
    Ok(match model {
        Some((_, model)) => format!("{cores} cores of {}", model.trim()),
        None => format!("{cores} cores"),
    })
}

fn load() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}
