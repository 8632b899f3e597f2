//! The bubble and its panel.

use anyhow::{Context, ensure};
use serde_json::Value;
use xtask::testbed::Broker;

use super::{ESCAPE, chat, has_no_page_errors, page, tag};
use crate::support::{Host, run};

#[test]
fn readers_of_a_page_chat_through_its_bubble() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let named = host.write_page("blog.html", &page(&tag(&site, ""), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&named).await?;
        ann.until("the bubble", |page| page.has("launcher")).await?;
        ensure!(chat(&ann).await?["open"] == false);
        ann.click("launcher").await?;
        let room = ann.join("ann").await?;
        ensure!(room.text("room") == "lobby" && chat(&ann).await?["focus"] == "composer");

        let ben = firefox.open(&named).await?;
        ben.until("the bubble", |page| page.has("launcher")).await?;
        ben.click("launcher").await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ann.say("what do you think of this page?").await?;
        ben.hears("ann", "what do you think of this page?").await?;

        // A closed bubble counts unread messages.
        ben.type_into("composer", ESCAPE).await?;
        let closed = chat(&ben).await?;
        ensure!(
            closed["open"] == false && closed["focus"] == "launcher",
            "{closed}"
        );
        ensure!(closed["expanded"] == "false", "{closed}");
        ann.say("are you still there?").await?;
        let shown = ben.until("a number on the bubble", |page| {
            page.text("launcher-unread") == "1"
        });
        ensure!(shown.await?.text("launcher-people") == "2");
        let label = chat(&ben).await?["label"].to_string();
        ensure!(
            label.contains("1 unread message") && label.contains("2 people"),
            "{label}"
        );
        // A mention has a sign of its own, and the icon of the page stays as it is.
        ann.say("it is you whom I ask, @ben").await?;
        ben.until("a mention on the bubble", |page| {
            page.text("launcher-unread") == "@2"
        })
        .await?;
        let label = chat(&ben).await?["label"].to_string();
        ensure!(
            label.contains("2 unread messages, you are mentioned"),
            "{label}"
        );
        let icons = "return document.querySelectorAll('link[rel=icon]').length";
        ensure!(ben.script(icons, Vec::new()).await? == 0);
        ben.click("launcher").await?;
        ben.until("that it was seen", |page| {
            page.text("launcher-unread") != "@2"
        })
        .await?;
        let opened = chat(&ben).await?;
        ensure!(
            opened["unread"] == 0 && opened["focus"] == "composer",
            "{opened}"
        );

        // The page got the events, and is unchanged.
        let events = ben.script("return events", Vec::new()).await?;
        let events = events.as_array().context("a list")?;
        let message = events
            .iter()
            .find(|event| event["text"] == "are you still there?");
        let message = message.context("the page got no event for the message")?;
        ensure!(
            message["what"] == "message"
                && message["sender"] == "ann"
                && message["own"] == false
                && message["fingerprint"].is_string()
        );
        ensure!(
            events
                .iter()
                .any(|event| event["what"] == "unread" && event["unread"] == 1)
        );
        ensure!(
            events
                .iter()
                .any(|event| event["what"] == "peer" && event["state"] == "verified")
        );
        ensure!(
            events
                .iter()
                .any(|event| event["what"] == "status" && event["status"] == "connected")
        );
        let title = ben.script("return document.title", Vec::new()).await?;
        ensure!(title == "Somebody's page", "{title}");
        for tab in [&ann, &ben] {
            has_no_page_errors(tab).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_bubble_counts_people_and_messages_before_it_is_opened() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
        for (there, comes) in [
            (bed.chromium().await?, bed.firefox().await?),
            (bed.firefox().await?, bed.chromium().await?),
        ] {
            let ann = there.open(&url).await?;
            ann.until("the bubble", |page| page.has("launcher")).await?;
            ann.click("launcher").await?;
            ann.join("ann").await?;
            ann.click("close-panel").await?;
            // The name is stored from now on.
            ann.reload().await?;
            ann.until("that it counts", |page| page.text("launcher-people") == "1")
                .await?;
            let ben = comes.open(&url).await?;
            ben.until("the bubble", |page| page.has("launcher")).await?;
            ben.click("launcher").await?;
            ben.join("ben").await?;
            ben.sees(&["ann"]).await?;
            ann.until("two people", |page| page.text("launcher-people") == "2")
                .await?;
            ben.say("anybody there?").await?;
            ann.until("a number on the bubble", |page| {
                page.text("launcher-unread") == "1"
            })
            .await?;
            ensure!(chat(&ann).await?["open"] == false);
            ann.click("launcher").await?;
            ann.hears("ben", "anybody there?").await?;
            let opened = chat(&ann).await?;
            ensure!(opened["focus"] == "composer", "{opened}");
            ann.until("that it was seen", |page| {
                page.text("launcher-unread") == "0"
            })
            .await?;
            for tab in [ann, ben] {
                has_no_page_errors(&tab).await?;
                tab.script("localStorage.clear()", Vec::new()).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn the_bubble_stays_as_it_was_left() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page(
            "page.html",
            &page(&tag(&site, "data-name=ann data-open"), ""),
        )?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            tab.joined().await?;
            ensure!(chat(&tab).await?["open"] == true);
            tab.click("close-panel").await?;
            let closed = chat(&tab).await?;
            ensure!(
                closed["open"] == false && closed["focus"] == "launcher",
                "{closed}"
            );
            tab.reload().await?;
            tab.until("the bubble", |page| page.has("launcher")).await?;
            ensure!(chat(&tab).await?["open"] == false);
            tab.click("launcher").await?;
            tab.joined().await?;
            tab.click("larger").await?;
            let script = "const { width, height } = document.querySelector('rt-chat').shadowRoot.querySelector('[part=panel]').getBoundingClientRect();
                return width >= document.documentElement.clientWidth && height >= innerHeight - 20";
            ensure!(tab.script(script, Vec::new()).await? == true);
            // Escape closes one level at a time.
            tab.type_into("composer", ESCAPE).await?;
            ensure!(
                tab.script(script, Vec::new()).await? == false && chat(&tab).await?["open"] == true
            );
            tab.type_into("composer", ESCAPE).await?;
            ensure!(chat(&tab).await?["open"] == false);
            tab.click("launcher").await?;
            tab.reload().await?;
            tab.joined().await?;
            let opened = chat(&tab).await?;
            ensure!(
                opened["open"] == true && opened["focus"] == Value::Null,
                "{opened}"
            );
            has_no_page_errors(&tab).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}
