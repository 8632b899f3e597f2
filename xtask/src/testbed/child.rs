//! A program that ends with its value.

use std::process::{Child as StdChild, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process;

/// A running program. Dropping it kills it and everything it started; if we are killed ourselves, the kernel ends it.
#[derive(Debug)]
pub struct Child {
    child: StdChild,
    name: String,
}

impl Child {
    /// Starts a program without input.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        process::end_with_us(command);
        let child = command.stdin(Stdio::null()).spawn();
        let child = child
            .with_context(|| format!("cannot start {name}; `cargo xtask setup` installs it"))?;
        Ok(Self { child, name })
    }

    /// Its output, once, if it was asked to be piped.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// An error when it has ended by itself.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself ({status})", self.name);
        }
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        process::end_descendants(self.child.id());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
