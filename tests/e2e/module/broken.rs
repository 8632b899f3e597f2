//! The module after its program has panicked.

use anyhow::ensure;
use serde_json::json;

use super::{EMPTY, Stage, eval, until};
use crate::support::run;

#[test]
fn a_program_that_breaks_reports_an_error_and_settles_every_promise() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        for tab in stage.two(&bed, json!({})).await? {
            // A browser function that never throws does so now. It interrupts the program in the middle of its
            // work.
            let breaks = r#"
                client.on("status", ({ state }) => (window.state = state));
                window.waiting = peer.ask("anybody?").then(String, (error) => error.code);
                Performance.prototype.now = () => { throw new Error("no clock") };
                try { peer.chat("hello?") } catch { /* that clock */ }"#;
            eval(&tab, breaks).await?;
            until(&tab, "return window.state === 'failed'").await?;
            let reported = r#"return seen.filter(([event]) => event === "error" || event === "disconnectedfrompeer")"#;
            let reported = eval(&tab, reported).await?.to_string();
            ensure!(
                reported.contains("stopped working") && reported.contains("no clock"),
                "{reported}"
            );
            ensure!(reported.contains("disconnectedfrompeer"), "{reported}");
            ensure!(eval(&tab, "return waiting").await? == "gone");

            // The program is gone, and every call reports it.
            let after = r#"
                peer.chat("still there?");
                client.changeName("eve");
                const codes = [peer.send(1), peer.block(), client.connect(), new module.MQTTRTCClient().connect()]
                    .map((promise) => promise.then(String, (error) => error.code));
                return Promise.all([...codes, client.peers.length, client.stats()])"#;
            let after = eval(&tab, after).await?;
            ensure!(
                after == json!(["gone", "gone", "unavailable", "unavailable", 0, null]),
                "{after}"
            );
        }
        Ok(())
    });
}
