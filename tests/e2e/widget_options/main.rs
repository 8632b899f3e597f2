//! The options of `rtchat.js`, which are pure TypeScript, tested with Node's own test runner.

use std::path::Path;
use std::process::Command;

use xtask::project;

#[test]
fn options_are_read_as_documented() {
    let root = project::root();
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("options.test.mjs");
    let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
    esbuild
        .arg(root.join("tests/e2e/widget_options/options.test.ts"))
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
