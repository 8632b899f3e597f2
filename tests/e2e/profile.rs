//! Stored data is damaged, or nothing may be stored at all.

use anyhow::ensure;
use serde_json::json;
use xtask::testbed::{self, Broker};

use crate::support::{NOWHERE, run};

#[test]
fn a_damaged_identity_is_set_aside_and_reported_once() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(&format!("{}{NOWHERE}", site.url())).await?;
        let garbage = json!({
            "rtchat/1/identity": "garbage \u{1f5d1} !",
            "rtchat/1/trust": "{\"cut",
            "rtchat/1/name": "ann",
        });
        first
            .script("Object.assign(localStorage, arguments[0])", vec![garbage])
            .await?;
        first.go(site.url()).await?;
        let page = first.joined().await?;
        ensure!(page.own == "ann");
        let notices = page.texts("notice").join("\n");
        ensure!(
            notices.contains("kept aside"),
            "the notice is missing: {notices}"
        );
        let stored = first
            .script("return { ...localStorage }", Vec::new())
            .await?;
        ensure!(
            stored["rtchat/1/identity.broken-1"] == "garbage \u{1f5d1} !",
            "{stored}"
        );
        ensure!(stored["rtchat/1/trust.broken-1"] == "{\"cut", "{stored}");
        ensure!(
            stored["rtchat/1/identity"]
                .as_str()
                .is_some_and(|key| key.len() == 43),
            "{stored}"
        );

        let second = chromium.open(site.url()).await?;
        let page = second.sees(&["ann"]).await?;
        ensure!(
            !page.has("notice"),
            "the notice is repeated: {:?}",
            page.texts("notice")
        );
        first.sees(&["ann(2)"]).await?;
        first.reload().await?;
        let page = first.sees(&["ann(2)"]).await?;
        ensure!(
            !page.has("notice"),
            "the notice is repeated: {:?}",
            page.texts("notice")
        );
        bed.no_errors().await
    });
}

#[test]
fn people_can_chat_where_nothing_may_be_stored() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        // "Block all cookies": asking for localStorage throws.
        let blocked = [("network.cookie.cookieBehavior", json!(2))];
        let firefox = bed
            .own(testbed::Browser::firefox_with(&blocked).await?)
            .await?;
        let mut tabs = Vec::new();
        for name in ["ann", "ben"] {
            let tab = firefox.open(site.url()).await?;
            let throws = "try { return localStorage && false } catch { return true }";
            ensure!(
                tab.script(throws, Vec::new()).await? == true,
                "storage is not blocked"
            );
            let page = tab.join(name).await?;
            let notices = page.texts("notice").join("\n");
            ensure!(
                notices.contains("does not let the page store anything"),
                "the notice is missing: {notices}"
            );
            ensure!(page.texts("notice").len() == 1, "{notices}");
            tabs.push(tab);
        }
        tabs[0].sees(&["ben"]).await?;
        tabs[1].sees(&["ann"]).await?;
        tabs[0].say("from memory").await?;
        tabs[1].hears("ann", "from memory").await?;
        bed.no_errors().await
    });
}
