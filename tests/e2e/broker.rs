//! The broker goes away and comes back. Connected people stay connected.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// Waits until the status says that the broker is gone, and what that means.
async fn sees_that_the_broker_is_gone(tab: &Tab, meaning: &str) -> Result<()> {
    let page = tab
        .until("that there is no broker", |page| {
            page.status == "unreachable"
        })
        .await?;
    let words = &page.status_text;
    for expected in ["Can’t reach the server that introduces people", meaning] {
        ensure!(words.contains(expected), "{words}");
    }
    Ok(())
}

#[test]
fn connected_people_stay_connected_without_a_broker_and_newcomers_join_when_it_returns() {
    run(|bed| async move {
        let mut broker = Broker::mosquitto().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(site.url()).await?;
        first.join("ann").await?;
        let second = bed.chromium().await?.open(site.url()).await?;
        second.join("ben").await?;
        first.sees(&["ben"]).await?;
        second.sees(&["ann"]).await?;

        broker.kill().await?;
        for tab in [&first, &second] {
            sees_that_the_broker_is_gone(tab, "People here stay connected").await?;
        }
        first.say("the broker is dead").await?;
        second.hears("ann", "the broker is dead").await?;
        second.say("long live the broker").await?;
        first.hears("ben", "long live the broker").await?;

        let third = chromium.open(site.url()).await?;
        third
            .until("that the broker is unreachable", |page| {
                page.status == "unreachable"
            })
            .await?;
        ensure!(third.page().await?.peers.is_empty());
        broker.restart().await?;
        third.sees(&["ann", "ben"]).await?;
        first.sees(&["ann(2)", "ben"]).await?;
        second.sees(&["ann", "ann(2)"]).await?;
        for tab in [&first, &second, &third] {
            tab.until("that it is connected", |page| page.status == "connected")
                .await?;
        }
        third.say("hello").await?;
        first.hears("ann(2)", "hello").await?;
        second.hears("ann(2)", "hello").await?;
        // Two tabs and somebody else are two people, and two tabs are one.
        let both = "2 people and your other tab, connected directly";
        for tab in [&first, &third] {
            tab.until("both", |page| page.status_text == both).await?;
        }
        second.close().await?;
        for tab in [&first, &third] {
            tab.until("that only the other tab is there", |page| {
                page.status == "looking"
            })
            .await?;
        }
        let count = "return document.querySelector('.people .count').textContent";
        ensure!(first.script(count, Vec::new()).await? == "1");
        Ok(())
    });
}

#[test]
fn without_any_broker_the_page_says_so_until_there_is_one() {
    run(|bed| async move {
        let mut broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        broker.kill().await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = firefox.open(site.url()).await?;
        ben.join("ben").await?;
        for tab in [&ann, &ben] {
            sees_that_the_broker_is_gone(tab, "Trying again").await?;
            ensure!(tab.page().await?.has("try-now"), "there is no button");
        }
        // The page still works, and says of a message that nobody was here.
        ann.say("is anybody there?").await?;
        let page = ann.hears("ann", "is anybody there?").await?;
        let delivery = page.messages[0].delivery.as_deref();
        ensure!(delivery == Some("nobody"), "delivery: {delivery:?}");

        broker.restart().await?;
        for tab in [&ann, &ben] {
            // It may have come back by itself in this moment.
            if tab.page().await?.has("try-now") {
                tab.click("try-now").await.ok();
            }
        }
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ben.say("now there is").await?;
        ann.hears("ben", "now there is").await?;
        Ok(())
    });
}
