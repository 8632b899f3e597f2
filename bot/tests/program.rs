//! The helper as a program.

use std::process::{Command, Output};

fn helper(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtchat-bot"));
    command.args(arguments).output().unwrap()
}

#[test]
fn an_invalid_option_ends_the_program_with_a_sentence() {
    let broker = "nonsense://me:secret@host";
    let output = helper(&["--page", "https://example.org/", "--broker", broker]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(error.contains("mqtt://127.0.0.1:1883"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
