//! Programs learn that a network lets no direct connection through.

use anyhow::ensure;
use serde_json::json;
use xtask::testbed;

use super::{EMPTY, Stage, eval, start_client, until};
use crate::support::run;

#[test]
fn a_program_gets_an_error_with_a_code_and_the_status_if_there_is_no_path() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        // Without a proxy, this Firefox has no path to anybody.
        let no_udp = [("media.peerconnection.ice.proxy_only", true.into())];
        let behind_a_firewall = testbed::Browser::firefox_with(&no_udp).await?;
        let ann = bed.own(behind_a_firewall).await?.open(&stage.url).await?;
        let ben = bed.chromium().await?.open(&stage.url).await?;
        start_client(&ann, "ann", json!({})).await?;
        start_client(&ben, "ben", json!({})).await?;
        for tab in [&ann, &ben] {
            let listens = r#"client.on("status", (status) => (window.status_ = status));
                client.on("error", (error) => (window.code = error.code));"#;
            eval(tab, listens).await?;
        }
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            until(
                tab,
                "return window.code === 'no-path' && window.status_?.state === 'no-path'",
            )
            .await?;
            let told = format!(
                "return [status_.people, status_.unreached, client.getPeer('{other}').state, \
                 seen.filter(([event]) => event === 'error').length]"
            );
            let told = eval(tab, &told).await?;
            ensure!(told == json!([0, 1, "no-path", 1]), "{told}");
        }
        Ok(())
    });
}
