//! The rooms that pages and links lead to.

use anyhow::ensure;
use rtchat::settings::RoomSecret;
use serde_json::json;
use xtask::testbed::Broker;

use crate::support::{Host, run, settings};

#[test]
fn a_damaged_secret_is_reported_and_the_open_room_is_offered() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let lost = chromium
            .open(&format!("{}#k=not-a-secret", site.url()))
            .await?;
        let page = lost
            .until("what is wrong with the link", |page| {
                page.has("wrong-secret")
            })
            .await?;
        let words = page.text("wrong-secret");
        ensure!(
            words.contains("incomplete") && words.contains("#k="),
            "{words}"
        );
        ensure!(!page.has("name") && !page.has("composer"), "{page:?}");

        lost.click("open-room").await?;
        lost.join("ann").await?;
        let other = chromium.open(site.url()).await?;
        other.sees(&["ann"]).await?;
        lost.sees(&["ann(2)"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn only_people_with_the_secret_find_a_private_room() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(site.url()).await?;
        first.join("ann").await?;
        first.click("make-private").await?;
        let page = first
            .until("a private room", |page| {
                page.url.contains("#k=") && !page.own.is_empty()
            })
            .await?;
        let secret_link = page.url;
        let second = chromium.open(&secret_link).await?;
        first.sees(&["ann(2)"]).await?;
        second.sees(&["ann"]).await?;

        // Links without the secret, with another secret, and to a named room. Two tabs open each, which shows that
        // people meet there.
        let (start, _) = secret_link.split_once("#k=").unwrap_or_default();
        let links = [
            start.to_owned(),
            format!("{start}#k={}", RoomSecret::new([0; 32]).to_text()),
            format!("{start}?room=b%C3%BCcher"),
        ];
        let mut pair = [3, 4];
        for link in links {
            let tabs = [chromium.open(&link).await?, chromium.open(&link).await?];
            for (tab, other) in [(&tabs[0], pair[1]), (&tabs[1], pair[0])] {
                tab.sees(&[&format!("ann({other})")]).await?;
            }
            pair = pair.map(|number| number + 2);
        }
        first.sees(&["ann(2)"]).await?;
        second.sees(&["ann"]).await?;
        second.say("between us").await?;
        first.hears("ann(2)", "between us").await?;
        bed.no_errors().await
    });
}

#[test]
fn pages_under_different_paths_have_rooms_of_their_own() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let settings = settings(&broker.ws_url());
        let here = host.put("some/sub/path/", &settings)?;
        let there = host.put("other/", &settings)?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(&here).await?;
        first.join("ann").await?;
        // The same page, written differently.
        let second = chromium
            .open(&format!("{here}index.html?from=a-friend#top"))
            .await?;
        // Tabs are numbered in the order in which they join.
        second.joined().await?;
        let third = chromium.open(&there).await?;
        third.joined().await?;
        let fourth = chromium.open(&there).await?;
        first.sees(&["ann(2)"]).await?;
        second.sees(&["ann"]).await?;
        third.sees(&["ann(4)"]).await?;
        fourth.sees(&["ann(3)"]).await?;
        first.say("down here").await?;
        second.hears("ann", "down here").await?;
        ensure!(third.page().await?.messages.is_empty());
        first.sees(&["ann(2)"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn bad_servers_and_unknown_settings_are_named_and_the_others_apply() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let odd = json!({
            "brokers": [42, "http://no.socket", broker.ws_url(), { "url": null }],
            "iceServers": [{ "urls": "turn:without.password" }, { "urls": "stun:127.0.0.1:9" }],
            "colour": "red",
        });
        let url = host.put("odd/", odd)?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(&url).await?;
        let page = first.join("ann").await?;
        ensure!(
            page.text("room") == "lobby",
            "the room is {}",
            page.text("room")
        );
        let console = chromium.console().await?.join("\n");
        for key in [
            "brokers[0]",
            "brokers[1]",
            "brokers[3]",
            "iceServers[0]",
            "colour",
        ] {
            ensure!(console.contains(key), "{key} is not named in: {console}");
        }
        let second = chromium.open(&url).await?;
        first.sees(&["ann(2)"]).await?;
        second.sees(&["ann"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_page_whose_settings_cannot_be_read_goes_to_no_broker() {
    run(|bed| async move {
        let host = Host::start().await?;
        let chromium = bed.chromium().await?;
        for (path, garbage, complaint) in [
            ("cut/", "{ \"brokers\": [", "not valid JSON"),
            ("page/", "<!DOCTYPE html><p>Not found", "not valid JSON"),
            ("list/", "[1, 2, 3]", "should be an object"),
            ("empty/", "", "not valid JSON"),
        ] {
            let tab = chromium.open(&host.put(path, garbage)?).await?;
            let page = tab
                .until("why the chat stops", |page| page.has("stopped"))
                .await?;
            let sentence = page.text("stopped");
            ensure!(sentence.contains(complaint), "{complaint:?}: {sentence}");

            // As if the owner had corrected the file: the button is enough.
            host.change_settings(path, json!({ "room": "corrected" }))?;
            tab.click("reload").await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            tab.close().await?;
        }
        Ok(())
    });
}

#[test]
fn a_name_that_no_room_can_have_leads_on_to_the_open_room() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let url = format!("{}?room={}", site.url(), "a".repeat(65));
        let tab = bed.chromium().await?.open(&url).await?;
        let page = tab.until("why", |page| page.has("stopped")).await?;
        ensure!(page.text("stopped").contains("64 characters"), "{page:?}");
        ensure!(!page.has("reload"), "trying again would not help: {page:?}");
        tab.click("open-room").await?;
        let page = tab
            .until("the field for a name", |page| page.has("name"))
            .await?;
        ensure!(page.text("room") == "lobby", "{page:?}");
        Ok(())
    });
}
