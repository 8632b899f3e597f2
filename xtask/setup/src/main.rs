//! Begins every `cargo xtask`. On a new machine it installs what the command needs and compiles the commands at the same
//! time; then, as always, it hands over to them.

use std::process::{Command, ExitCode};

use anyhow::Result;
use xtask_setup::{ALL, BENCHMARKS, Need, Suite, install_with_commands, process, project};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut commands = project::cargo();
    commands
        .args(["run", "--package", "xtask", "--"])
        .args(&words);
    let done = install_with_commands(&needs(&words)).and_then(|()| hand_over(&mut commands));
    done.unwrap_or_else(|error| {
        // Another step may still be at work.
        process::end_descendants(std::process::id());
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// What a command needs. If this does not know, the command itself installs it later.
fn needs(words: &[String]) -> Vec<Need> {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    if words
        .iter()
        .any(|word| ["-h", "--help"].contains(&word.as_str()))
    {
        return Vec::new();
    }
    match (word(0), word(1)) {
        ("setup" | "lint", _) => ALL.to_vec(),
        ("build" | "serve" | "package", _) => vec![Need::Page],
        ("bench", "links") => Vec::new(),
        ("bench", _) => BENCHMARKS.to_vec(),
        ("test", name) => {
            let suites = name
                .parse()
                .map_or(Suite::ALL.to_vec(), |suite| vec![suite]);
            suites.into_iter().flat_map(Suite::needs).copied().collect()
        }
        _ => Vec::new(),
    }
}

/// Becomes the command, so that signals reach it.
#[cfg(unix)]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn hand_over(command: &mut Command) -> Result<ExitCode> {
    let code = command
        .status()?
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs_of(line: &str) -> Vec<Need> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        needs(&words)
    }

    #[test]
    fn commands_need_what_they_use() {
        assert_eq!(needs_of("serve --lan"), [Need::Page]);
        assert_eq!(needs_of("test browser -- rtc"), Suite::Browser.needs());
        let all = needs_of("test -- some_test");
        for suite in Suite::ALL {
            assert!(suite.needs().iter().all(|need| all.contains(need)));
        }
        for line in ["", "stack", "serve --help", "--help", "nonsense"] {
            assert_eq!(needs_of(line), [], "{line}");
        }
    }
}
