//! What people say stays: newcomers catch up, and messages are answered, changed, reacted to and taken back.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// Opens the menu of the message with this text, and presses one of its entries.
async fn press(tab: &Tab, text: &str, entry: &str) -> Result<()> {
    open_menu(tab, text).await?;
    tab.click(entry).await
}

/// Opens the menu of the message with this text.
async fn open_menu(tab: &Tab, text: &str) -> Result<()> {
    let find = "const found = [...document.querySelectorAll('[data-testid=message]')]
        .find((message) => message.querySelector('[data-testid=message-text]')?.textContent === arguments[0])
        ?.querySelector('[data-testid=message-menu]');
        found?.click();
        return !!found";
    tab.until_true(find, vec![text.into()]).await
}

/// Replaces what stands in the composer, and sends it.
async fn replace(tab: &Tab, text: &str) -> Result<()> {
    tab.script(
        "document.querySelector('[data-testid=composer]').value = ''",
        Vec::new(),
    )
    .await?;
    tab.say(text).await
}

/// Waits until a message has this attribute.
async fn until_attribute(tab: &Tab, selector: &str) -> Result<()> {
    let find = "return !!document.querySelector(arguments[0])";
    tab.until_true(find, vec![selector.into()]).await
}

#[test]
fn messages_are_answered_changed_reacted_to_and_taken_back_and_newcomers_see_the_result() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.say("helo, wrld").await?;
        ben.hears("ann", "helo, wrld").await?;
        ben.say("a mistake").await?;
        ann.hears("ben", "a mistake").await?;

        // Ann corrects herself. What was said before can be looked at.
        press(&ann, "helo, wrld", "edit").await?;
        let draft =
            "return document.querySelector('[data-testid=composer]').value === 'helo, wrld'";
        ann.until_true(draft, Vec::new()).await?;
        replace(&ann, "hello, world").await?;
        ben.hears("ann", "hello, world").await?;
        until_attribute(
            &ben,
            "[data-testid=message][data-sender=ann][data-edited=true]",
        )
        .await?;
        let earlier = ben
            .script(
                "return document.querySelector('[data-testid=edited] li').textContent",
                Vec::new(),
            )
            .await?;
        ensure!(earlier == "helo, wrld", "{earlier}");

        // Ben reacts, and Ann joins in.
        press(&ben, "hello, world", "react").await?;
        ben.click_on("[data-testid=emoji][data-emoji='👍']").await?;
        until_attribute(
            &ann,
            "[data-testid=reaction][data-emoji='👍'][data-count='1'][data-own=false]",
        )
        .await?;
        ann.click("reaction").await?;
        for tab in [&ann, &ben] {
            until_attribute(tab, "[data-testid=reaction][data-count='2'][data-own=true]").await?;
        }

        // Ben answers, and a press on the quote goes to what he answers.
        press(&ben, "hello, world", "reply").await?;
        until_attribute(&ben, "[data-testid=composing][data-purpose=reply]").await?;
        ben.say("good morning").await?;
        let page = ann.hears("ben", "good morning").await?;
        ensure!(
            page.text("quote").contains("hello, world"),
            "{}",
            page.text("quote")
        );
        ann.click("quote").await?;
        until_attribute(&ann, "[data-testid=message][data-sender=ann][data-found]").await?;
        ensure!(!ben.page().await?.has("composing"));

        // A message is copied as it was typed. Control and V, and then Control is released.
        press(&ann, "good morning", "copy").await?;
        ann.type_into("composer", "\u{e009}v\u{e000}").await?;
        ann.until("what was copied", |page| {
            page.composer.as_deref() == Some("good morning")
        })
        .await?;

        // Somebody else's message cannot be changed; one's own can be taken back.
        open_menu(&ann, "a mistake").await?;
        until_attribute(&ann, "[data-testid=reply]").await?;
        ensure!(!ann.page().await?.has("retract"));
        press(&ben, "a mistake", "retract").await?;
        for tab in [&ann, &ben] {
            until_attribute(
                tab,
                "[data-testid=message][data-sender=ben][data-retracted=true]",
            )
            .await?;
        }

        // Whoever comes later sees how things stand, and not what was taken back.
        let cleo = bed.chromium().await?.open(site.url()).await?;
        cleo.join("cleo").await?;
        cleo.sees(&["ann", "ben"]).await?;
        cleo.hears("ann", "hello, world").await?;
        cleo.hears("ben", "good morning").await?;
        until_attribute(
            &cleo,
            "[data-testid=reaction][data-count='2'][data-own=false]",
        )
        .await?;
        until_attribute(&cleo, "[data-testid=message][data-retracted=true]").await?;
        let text = cleo
            .script("return document.body.textContent", Vec::new())
            .await?;
        ensure!(
            !text.as_str().unwrap_or_default().contains("a mistake"),
            "{text}"
        );
        let order = cleo
            .script(
                "return [...document.querySelectorAll('[data-testid=message]')].map((it) => it.dataset.sender)",
                Vec::new(),
            )
            .await?;
        ensure!(order == serde_json::json!(["ann", "ben", "ben"]), "{order}");
        // Everybody names them by the same ids.
        let ids = "return [...document.querySelectorAll('[data-testid=message]')].map((it) => it.dataset.id)";
        let (anns, cleos) = (
            ann.script(ids, Vec::new()).await?,
            cleo.script(ids, Vec::new()).await?,
        );
        ensure!(anns == cleos, "{anns} {cleos}");
        bed.no_errors().await
    });
}

#[test]
fn words_said_to_an_empty_room_wait_and_stay_after_their_author_has_left() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        ann.say("is anybody there?").await?;
        until_attribute(&ann, "[data-testid=message][data-state=waiting]").await?;
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ben.hears("ann", "is anybody there?").await?;
        until_attribute(&ann, "[data-testid=message][data-state=delivered]").await?;
        ann.click("leave").await?;
        ben.sees(&[]).await?;
        let cleo = bed.chromium().await?.open(site.url()).await?;
        cleo.join("cleo").await?;
        cleo.hears("ann", "is anybody there?").await?;

        // Ann comes back, and has her own words once.
        ann.click("rejoin").await?;
        ann.sees(&["ben", "cleo"]).await?;
        ann.say("I am back").await?;
        cleo.hears("ann", "I am back").await?;
        let page = ann.page().await?;
        ensure!(page.messages.len() == 2, "{:?}", page.messages);
        bed.no_errors().await
    });
}

#[test]
fn older_words_come_when_somebody_scrolls_up() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.firefox().await?.open(site.url()).await?;
        ann.join("ann").await?;
        ann.script(
            "for (let number = 0; number < 200; number += 1) {
                document.querySelector('[data-testid=composer]').value = `word ${number}`;
                document.querySelector('[data-testid=send]').click();
            }",
            Vec::new(),
        )
        .await?;
        let ben = bed.chromium().await?.open(site.url()).await?;
        ben.join("ben").await?;
        let page = ben.hears("ann", "word 199").await?;
        let lines = "return Number(document.querySelector('[data-testid=log]').dataset.lines)";
        let is_there = format!("{lines} >= 150");
        ben.until_true(&is_there, Vec::new()).await?;
        ensure!(!page.has_message("ann", "word 49"), "more than a page");
        let to_top = "document.querySelector('.log').scrollTop = 0;
            return document.querySelector('[data-testid=message-text]').textContent === 'word 0'";
        ben.until_true(to_top, Vec::new()).await?;
        let order = "return [...document.querySelectorAll('[data-testid=message-text]')]
            .every((text, at) => text.textContent === `word ${at}`)";
        ben.until_true(order, Vec::new()).await?;
        bed.no_errors().await
    });
}
