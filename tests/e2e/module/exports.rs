//! The public interface of the module: every name and every type.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::project;
use xtask::testbed::dist;

use super::{EMPTY, Stage, eval, until};
use crate::support::run;

#[test]
fn every_exported_name_is_pinned() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tab = bed.chromium().await?.open(&stage.url).await?;
        until(&tab, "return 'module' in window").await?;
        let script = r#"
            const names = (object) => Object.getOwnPropertyNames(object).sort();
            const client = new module.MQTTRTCClient({ storage: "memory" });
            const error = new module.RTChatError("gone", "…");
            client.disconnect();
            return {
                module: names(module), client: names(module.MQTTRTCClient.prototype), own: names(client),
                error: names(error).filter((name) => !["stack", "columnNumber", "fileName", "lineNumber"].includes(name)),
            };"#;
        let names = eval(&tab, script).await?;
        let expected = json!({
            "module": ["MQTTRTCClient", "RTChatError"],
            "client": [
                "addQuestionHandler", "ask", "broadcast", "call", "callUser", "changeName", "chat", "connect", "constructor",
                "conversations", "disconnect", "edit", "endCallWithUser", "fetchFile", "getPeer", "history", "name", "off", "on",
                "once", "peers", "react", "retract", "retry", "room", "safetyNumber", "say", "send", "sendFile", "showAt",
                "stats", "typing", "unwatch", "users", "watch",
            ],
            "own": [],
            "error": ["code", "message", "name"],
        });
        ensure!(names == expected, "{names}");
        bed.no_errors().await
    });
}

#[test]
fn every_member_of_a_peer_is_pinned() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, _ben] = stage.two(&bed, json!({})).await?;
        let script = "return [Object.getOwnPropertyNames(Object.getPrototypeOf(peer)).sort(), Object.keys(peer)]";
        let names = eval(&ann, script).await?;
        let expected = json!([
            [
                "acceptKey",
                "ask",
                "block",
                "call",
                "chat",
                "constructor",
                "disconnect",
                "dm",
                "fingerprint",
                "id",
                "key",
                "listen",
                "markVerified",
                "muted",
                "name",
                "ping",
                "presence",
                "send",
                "sendFile",
                "state",
                "trust",
                "user",
                "userInfo",
            ],
            [],
        ]);
        ensure!(names == expected, "{names}");
        bed.no_errors().await
    });
}

/// Compiles a program against the types in `dist/` with TypeScript's strictest settings.
fn compile(program: &str) -> Result<String> {
    let root = project::root();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("types-{program}"));
    std::fs::create_dir_all(&folder)?;
    std::fs::copy(dist().join("mqtt-rtc.d.ts"), folder.join("mqtt-rtc.d.ts"))
        .context("`cargo xtask build` makes the types")?;
    std::fs::copy(
        root.join("tests/e2e/module").join(program),
        folder.join(program),
    )?;
    let mut tsc = Command::new(root.join("node_modules/.bin/tsc"));
    tsc.args(["--strict", "--noEmit", "--exactOptionalPropertyTypes"]);
    tsc.args(["--target", "es2022", "--module", "es2022"]);
    tsc.args(["--moduleResolution", "bundler", "--lib", "es2022,dom"]);
    let output = tsc.arg(program).current_dir(&folder).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_program_and_one_use_of_everything_compile() -> Result<()> {
    for program in ["program.ts", "everything.ts"] {
        let said = compile(program)?;
        ensure!(said.is_empty(), "{program}: {said}");
    }
    Ok(())
}

#[test]
fn wrong_programs_do_not_compile() -> Result<()> {
    // Every line is marked as an expected error, so a line that compiles fails the test.
    let said = compile("wrong.ts")?;
    ensure!(said.is_empty(), "{said}");
    Ok(())
}
