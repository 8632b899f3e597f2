//! A program that ends when its value is dropped.

use std::process::{Child as StdChild, Command, Stdio};

use anyhow::{Context, Result, bail};

/// A running program. Dropping it kills it and everything it started. If this process is killed, a guardian process does
/// the same, since the many processes of a browser would otherwise continue to run.
#[derive(Debug)]
pub struct Child {
    child: StdChild,
    name: String,
    /// Waits for the end of its input, which comes when this process ends.
    #[cfg(unix)]
    guardian: StdChild,
}

/// Kills the process group that it is given.
#[cfg(unix)]
const GUARDIAN: &str = "read -r _; kill -s KILL -- \"-$0\"";

impl Child {
    /// Starts a program without input.
    pub fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.stdin(Stdio::null()).spawn();
        let child = child
            .with_context(|| format!("cannot start {name}; `cargo xtask setup` installs it"))?;
        Ok(Self {
            name,
            #[cfg(unix)]
            guardian: guardian(child.id())?,
            child,
        })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes the output of the program, if it is piped. It can be taken once.
    pub fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Returns an error if the program has ended by itself.
    pub fn check_alive(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} ended by itself ({status})", self.name);
        }
        Ok(())
    }
}

#[cfg(unix)]
fn guardian(group: u32) -> Result<StdChild> {
    let mut shell = Command::new("sh");
    shell.args(["-c", GUARDIAN, &group.to_string()]);
    shell.stdin(Stdio::piped()).stdout(Stdio::null());
    // In a process group of its own, it does not receive Ctrl-C.
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    shell
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start sh")
}

impl Drop for Child {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            // The guardian kills it, so that there is only one way to do so, and every test covers it.
            drop(self.guardian.stdin.take());
            let _ = self.guardian.wait();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
