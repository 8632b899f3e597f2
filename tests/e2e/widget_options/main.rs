//! What is pure TypeScript, tested with Node's own test runner: the options of `rtchat.js`, help with writing, what is kept,
//! files of what was said, and the arithmetic of calls.

use std::path::Path;
use std::process::Command;

use xtask::project;

#[test]
fn options_are_read_as_documented() {
    run("options.test");
}

#[test]
fn names_and_shortcodes_are_found_and_replaced() {
    run("assist.test");
}

#[test]
fn what_is_kept_is_found_and_told_by_its_key() {
    run("store.test");
}

#[test]
fn files_for_people_hold_what_was_said_and_no_markup_of_theirs() {
    run("archive.test");
}

#[test]
fn tiles_are_arranged_and_failures_said() {
    run("calls.test");
}

fn run(test: &str) {
    let root = project::root();
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.mjs"));
    let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
    esbuild
        .arg(root.join(format!("tests/e2e/widget_options/{test}.ts")))
        .args(["--bundle", "--platform=node", "--format=esm"])
        .args(["--log-level=warning"])
        .arg(format!("--outfile={}", script.display()));
    let bundled = esbuild
        .status()
        .expect("`cargo xtask setup` installs esbuild");
    assert!(bundled.success());
    let output = Command::new("node").arg("--test").arg(&script).output();
    let output = output.expect("`cargo xtask setup` installs node");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}");
}
