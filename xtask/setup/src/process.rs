//! Runs other programs and ends them: no program that is started here may outlive this process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Prints the command line of a program, and runs it to its end. It inherits our input and output, so that people see
/// progress.
pub fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    quietly(command)
}

/// Runs a program to its end, without a word.
pub fn quietly(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!(
            "`{}` failed ({status}); see its messages above",
            shown(command)
        );
    }
    Ok(())
}

/// Like [`quietly`], but gives up after `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut child = command.spawn().with_context(|| cannot_start(command))?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            end_descendants(child.id());
            child.kill()?;
            child.wait()?;
            bail!(
                "`{}` did not finish within {} s",
                shown(command),
                limit.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// The output of a program, without the final line break. Its error output is discarded.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::null())
        .output()
        .with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned())
}

/// Runs a program, forwards its output, and also passes every line of it to `each`. Returns whether it succeeded.
pub fn run_watched(command: &mut Command, mut each: impl FnMut(&str)) -> Result<bool> {
    println!("$ {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let stdout = child.stdout.take().context("the output is not piped")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        each(&line);
    }
    Ok(child.wait()?.success())
}

/// Receives the first line that `pick` recognises. A thread reads the pipe to its end, so that the program never blocks
/// on it.
pub fn first_line<T: Send + 'static>(
    pipe: impl Read + Send + 'static,
    pick: impl Fn(&str) -> Option<T> + Send + 'static,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut found = false;
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            if found {
                continue;
            }
            if let Some(value) = pick(&String::from_utf8_lossy(&line)) {
                found = true;
                let _ = sender.send(value);
            }
        }
    });
    receiver
}

/// The path of a program on `PATH`.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    find_in(program, std::env::split_paths(&path))
}

/// The path of a program in the given folders.
pub fn find_in(program: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    folders
        .into_iter()
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

/// A command line as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    if word.contains(' ') {
        format!("'{word}'")
    } else {
        word.into_owned()
    }
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().to_string_lossy())
}

/// Kills every descendant of a process, but not the process itself. Does nothing where there is no `/proc`.
pub fn end_descendants(ancestor: u32) {
    // A second pass finds processes that were started during the first.
    for _ in 0..3 {
        let found = descendants(ancestor);
        if found.is_empty() {
            return;
        }
        #[cfg(unix)]
        for pid in found {
            // SAFETY: kill() only takes two numbers.
            unsafe { libc::kill(pid as libc::pid_t, libc::SIGKILL) };
        }
    }
}

fn descendants(ancestor: u32) -> Vec<u32> {
    let parents = processes();
    let mut found = vec![ancestor];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(
            parents
                .iter()
                .filter(|(_, its)| *its == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    found.split_off(1)
}

/// Every running process with its parent.
fn processes() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let of = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // "pid (name) state parent …", where the name may contain any character, also brackets.
        let mut after_name = stat[stat.rfind(')')? + 1..].split_whitespace();
        let state = after_name.next()?;
        let parent = after_name.next()?.parse().ok()?;
        (state != "Z").then_some((pid, parent))
    };
    entries.flatten().filter_map(of).collect()
}

/// Makes this process the parent of orphans among its descendants, so that [`end_descendants`] still finds, for example,
/// the browser of a test that was killed.
pub fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    // SAFETY: prctl() with this option takes one number and no pointer.
    unsafe {
        libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1)
    };
}

/// Lets a program end together with the thread that starts it, and so with this process, even if a signal ends that.
pub fn end_with_us(command: &mut Command) {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        // SAFETY: prctl() with this option takes two numbers, and may be called after a fork.
        unsafe {
            command.pre_exec(|| {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
                Ok(())
            })
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = command;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_failed_program_and_its_arguments() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("sh -c 'exit 3'") && error.contains('3'),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_exceeds_its_limit_is_killed_with_its_children() {
        let start = Instant::now();
        let error = run_within(
            Command::new("sh")
                .args(["-c", "sleep 60; :"])
                .stderr(Stdio::null()),
            Duration::from_millis(200),
        );
        assert!(error.unwrap_err().to_string().contains("within"));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_ends_with_the_thread_that_started_it() {
        let start = || {
            let mut sleep = Command::new("sleep");
            end_with_us(sleep.arg("60"));
            sleep.spawn().unwrap()
        };
        let mut child = std::thread::spawn(start).join().unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn descendants_of_all_generations_are_found() {
        let mut child = Command::new("sh")
            .args(["-c", "sh -c 'sleep 60; :'; :"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while descendants(child.id()).len() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        end_descendants(child.id());
        assert!(child.wait().is_ok());
    }
}
