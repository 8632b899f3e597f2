//! What people do while they write: emoji, shortcodes, names, drafts.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::Broker;

use crate::support::{Tab, run};

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";
const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";

/// Waits until the composer holds exactly this.
async fn holds(tab: &Tab, text: &str) -> Result<()> {
    let script = "return document.querySelector('[data-testid=composer]')?.value ?? ''";
    tab.until_script(script, &[], text).await
}

/// Waits until this element is there, or not there.
async fn until(tab: &Tab, selector: &str, there: bool) -> Result<()> {
    let script = "return !!document.querySelector(arguments[0]) === arguments[1]";
    tab.until_true(script, vec![json!(selector), json!(there)])
        .await
}

/// Waits until the focus is on this element.
async fn focus_on(tab: &Tab, selector: &str) -> Result<()> {
    let script = "return !!document.activeElement?.matches(arguments[0])";
    tab.until_true(script, vec![json!(selector)]).await
}

#[test]
fn emoji_are_picked_searched_for_and_written_as_shortcodes() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;

        // Nothing of it is loaded before somebody needs it.
        let loaded = "return performance.getEntriesByType('resource').some(({ name }) => name.includes('emoji-'))";
        ensure!(ann.script(loaded, Vec::new()).await? == false);
        ann.type_into("composer", "go ").await?;
        ann.click("emoji-button").await?;
        until(&ann, "[data-testid=emoji-picker] [data-testid=emoji]", true).await?;
        focus_on(&ann, "[data-testid=emoji-search]").await?;
        ann.type_into("emoji-search", &format!("rocket{ENTER}"))
            .await?;
        holds(&ann, "go 🚀").await?;
        focus_on(&ann, "[data-testid=composer]").await?;
        ann.say("").await?;
        ben.hears("ann", "go 🚀").await?;

        // What was used last comes first. Arrows move, Escape closes, and the focus returns.
        ann.click("emoji-button").await?;
        until(
            &ann,
            "[data-testid=emoji-picker] section:first-child [data-emoji='🚀']",
            true,
        )
        .await?;
        ann.type_into("emoji-search", DOWN).await?;
        focus_on(&ann, "[data-emoji='🚀']").await?;
        ann.type_on("[data-emoji='🚀']", DOWN).await?;
        focus_on(&ann, "section:nth-child(2) [data-emoji='😀']").await?;
        ann.type_on("section:nth-child(2) [data-emoji='😀']", UP)
            .await?;
        focus_on(&ann, "[data-emoji='🚀']").await?;
        ann.type_on("[data-emoji='🚀']", ESCAPE).await?;
        until(&ann, "[data-testid=emoji-picker]", false).await?;
        focus_on(&ann, "[data-testid=composer]").await?;

        // Shortcodes: offered after two letters, taken with Enter, and replaced where they are closed.
        for tab in [&ann, &ben] {
            tab.type_into("composer", "hi :tad").await?;
            until(
                tab,
                "[data-testid=completion-item][data-value=tada][aria-selected=true]",
                true,
            )
            .await?;
            tab.type_into("composer", ENTER).await?;
            holds(tab, "hi 🎉").await?;
            tab.type_into("composer", " :smile: at 10:30:15 `:smile:` :sm")
                .await?;
            until(tab, "[data-testid=completion-item][data-value=smirk]", true).await?;
            tab.type_into("composer", ESCAPE).await?;
            until(tab, "[data-testid=completion]", false).await?;
            holds(tab, "hi 🎉 😄 at 10:30:15 `:smile:` :sm").await?;
            tab.type_into("composer", ENTER).await?;
        }
        ann.hears("ben", "hi 🎉 😄 at 10:30:15 :smile: :sm").await?;
        ben.hears("ann", "hi 🎉 😄 at 10:30:15 :smile: :sm").await?;

        // Any emoji can be a reaction.
        let menu = "document.querySelector('[data-testid=message][data-sender=ann] [data-testid=message-menu]').click()";
        ben.script(menu, Vec::new()).await?;
        until(&ben, "[data-testid=react]", true).await?;
        ben.click("react").await?;
        until(&ben, "[data-testid=emoji-more]", true).await?;
        ben.click("emoji-more").await?;
        until(&ben, "[data-testid=emoji-search]", true).await?;
        ben.type_into("emoji-search", "unicorn").await?;
        let only = "return document.querySelectorAll('[data-testid=emoji-picker] [data-testid=emoji]').length === 1";
        ben.until_true(only, Vec::new()).await?;
        ben.click_on("[data-testid=emoji-picker] [data-emoji='🦄']")
            .await?;
        until(&ann, "[data-testid=reaction][data-emoji='🦄']", true).await?;
        focus_on(&ben, "[data-testid=message-menu]").await?;

        // A message that is sent in the same moment has its emoji as well: the table is waited for.
        let cleo = bed.chromium().await?.open(site.url()).await?;
        cleo.join("cleo").await?;
        cleo.sees(&["ann", "ben"]).await?;
        cleo.paste_and_send(":wave: all").await?;
        ann.hears("cleo", "👋 all").await?;
        bed.no_errors().await
    });
}

#[test]
fn what_is_written_goes_out_without_the_table_of_emoji() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.devtools("Network.enable", json!({})).await?;
        ann.devtools("Network.setBlockedURLs", json!({ "urls": ["*emoji-*"] }))
            .await?;
        ann.click("emoji-button").await?;
        ann.until("a sentence", |page| {
            page.text("notice").contains("could not be loaded")
        })
        .await?;
        ann.say(":smile: at 10:30").await?;
        ben.hears("ann", ":smile: at 10:30").await?;
        ann.devtools("Network.setBlockedURLs", json!({ "urls": [] }))
            .await?;
        ann.click("emoji-button").await?;
        until(&ann, "[data-testid=emoji-picker]", true).await
    });
}

#[test]
fn names_are_offered_and_whoever_is_mentioned_is_told() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        let zoe = bed.firefox().await?.open(site.url()).await?;
        zoe.join("Zoë Müller").await?;
        let ben = bed.chromium().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben", "Zoë Müller"]).await?;
        ben.sees(&["ann", "Zoë Müller"]).await?;
        zoe.sees(&["ann", "ben"]).await?;

        ann.type_into("composer", "@").await?;
        until(&ann, "[data-testid=completion-item]:nth-child(2)", true).await?;
        ann.type_into("composer", "zoe m").await?;
        until(&ann, "[data-testid=completion-item]:only-child", true).await?;
        ann.type_into("composer", TAB).await?;
        holds(&ann, "@Zoë Müller ").await?;
        focus_on(&ann, "[data-testid=composer]").await?;
        for number in 0..3 {
            ben.say(&format!("word {number}")).await?;
            zoe.hears("ben", &format!("word {number}")).await?;
        }
        // Zoë reads what was said before.
        let low = "const log = document.querySelector('.log'); log.style.blockSize = '60px'; return log.scrollTop > 0";
        zoe.until_true(low, Vec::new()).await?;
        zoe.script("document.querySelector('.log').scrollTop = 0", Vec::new())
            .await?;
        until(&zoe, "[data-testid=new-messages]", true).await?;
        ben.say("mail zoe@example.org").await?;
        zoe.until_true("return document.title.startsWith('(1)')", Vec::new())
            .await?;
        ann.say("look, x@ben").await?;
        zoe.until_true("return document.title.startsWith('(@2)')", Vec::new())
            .await?;
        until(&zoe, "[data-testid=mentioned]", true).await?;
        // So does the icon: a square with the number, which is another shape than that of a plain number.
        let icon = "const icon = decodeURIComponent(document.querySelector('link[rel=icon]').href);
            return [icon.includes('>2<'), icon.includes(\"rx='4'\")].join()";
        zoe.until_script(icon, &[], "true,true").await?;
        until(&zoe, "[data-testid=message][data-sender=ann][data-mentions=you] [data-testid=mention][data-mentions=you]", true)
            .await?;
        // The first press goes to what is new, which does not fit here, and the second one to the end.
        zoe.click("new-messages").await?;
        let at_new = "const [line, log] = ['.day.new', '.log'].map((name) => document.querySelector(name).getBoundingClientRect());
            return Math.abs(line.top - log.top) < 20";
        zoe.until_true(at_new, Vec::new()).await?;
        zoe.click("new-messages").await?;
        zoe.until_true("return document.title.startsWith('lobby')", Vec::new())
            .await?;
        let own =
            "return document.querySelector('link[rel=icon]').href.split('/').at(-1).split('-')[0]";
        zoe.until_script(own, &[], "icon").await?;
        // To others it is a quiet mark, and what was sent is plain text.
        let page = ben.hears("ann", "@Zoë Müller look, x@ben").await?;
        ensure!(page.texts("mention") == ["@Zoë Müller"], "{page:?}");
        until(&ben, "[data-mentions=you]", false).await?;
        bed.no_errors().await
    });
}

/// Opens the menu of the last message of somebody, and presses one of its entries.
async fn press(tab: &Tab, sender: &str, entry: &str) -> Result<()> {
    let open = "[...document.querySelectorAll(`[data-testid=message][data-sender='${arguments[0]}'] [data-testid=message-menu]`)].at(-1).click()";
    tab.script(open, vec![json!(sender)]).await?;
    until(tab, &format!("[role=menu] [data-testid={entry}]"), true).await?;
    tab.click(entry).await
}

#[test]
fn what_was_typed_outlives_a_reload_and_a_second_thought() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.say("**one** thing").await?;
        ben.hears("ann", "one thing").await?;
        ben.say("another").await?;
        ann.hears("ben", "another").await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            tab.type_into("composer", "half a thought").await?;
            tab.reload().await?;
            tab.joined().await?;
            holds(tab, "half a thought").await?;
            // What stood there before somebody edits a message comes back when they give that up.
            tab.sees(&[other]).await?;
            tab.type_into("composer", " and more").await?;
        }
        ben.hears("ben", "another").await?;
        press(&ben, "ben", "edit").await?;
        holds(&ben, "another").await?;
        ben.type_into("composer", " try").await?;
        ben.reload().await?;
        ben.joined().await?;
        until(&ben, "[data-testid=composing][data-purpose=edit]", true).await?;
        holds(&ben, "another try").await?;
        ben.sees(&["ann"]).await?;
        ben.hears("ann", "one thing").await?;
        ben.type_into("composer", ENTER).await?;
        ann.hears("ben", "another try").await?;
        holds(&ben, "half a thought and more").await?;

        // So does the message that is answered, whose quote has no marks.
        ben.type_into("composer", ENTER).await?;
        ann.hears("ben", "half a thought and more").await?;
        press(&ben, "ann", "reply").await?;
        ben.type_into("composer", "to that").await?;
        ben.reload().await?;
        ben.joined().await?;
        until(&ben, "[data-testid=composing][data-purpose=reply]", true).await?;
        let page = ben.page().await?;
        ensure!(page.text("composing").contains("one thing"), "{page:?}");
        holds(&ben, "to that").await?;
        ben.sees(&["ann"]).await?;
        ben.type_into("composer", ENTER).await?;
        let page = ann.hears("ben", "to that").await?;
        ensure!(page.text("quote") == "annone thing", "{page:?}");
        ben.reload().await?;
        ben.joined().await?;
        holds(&ben, "").await?;
        until(&ben, "[data-testid=composing]", false).await?;

        // Up in an empty field edits the last message. Enter that belongs to an input method sends nothing.
        ann.type_into("composer", ENTER).await?;
        ann.hears("ann", "half a thought and more").await?;
        ann.type_into("composer", UP).await?;
        holds(&ann, "half a thought and more").await?;
        ann.type_into("composer", "!").await?;
        let composing = "const field = document.querySelector('[data-testid=composer]');
            for (const how of [{ isComposing: true }, { keyCode: 229 }]) {
                field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...how }));
            }";
        ann.script(composing, Vec::new()).await?;
        holds(&ann, "half a thought and more!").await?;
        // Where storage is blocked, everything works but the coming back.
        let block = "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError'); } })";
        ann.script(block, Vec::new()).await?;
        ann.type_into("composer", &format!("!{ENTER}")).await?;
        ben.hears("ann", "half a thought and more!!").await?;
        holds(&ann, "").await?;
        bed.no_errors().await
    });
}

#[test]
fn messages_are_passed_on_and_who_reacted_can_be_seen() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.say("**bold** words").await?;
        ben.hears("ann", "bold words").await?;
        press(&ben, "ann", "forward").await?;
        until(&ben, "[data-testid=chooser]", true).await?;
        ben.type_on("[data-testid=chooser]", ESCAPE).await?;
        until(&ben, "[data-testid=chooser]", false).await?;
        let direct = "[data-testid=conversation]:not([data-id^='#'])";
        for to in ["#lobby", "ann"] {
            press(&ben, "ann", "forward").await?;
            let destination = format!("[data-testid=destination][data-name='{to}']");
            until(&ben, &destination, true).await?;
            ben.click_on(&destination).await?;
            until(&ben, "[data-testid=chooser]", false).await?;
            for tab in [&ann, &ben] {
                if to == "ann" {
                    until(tab, direct, true).await?;
                    tab.click_on(direct).await?;
                }
                let shown =
                    "[data-testid=message][data-sender=ben] blockquote[data-look=forwarded]";
                until(tab, shown, true).await?;
                let said = "const text = document.querySelector(arguments[0]).closest('[data-testid=message-text]');
                    return `${text.querySelector('blockquote').textContent} / ${text.querySelector('strong').textContent}`";
                let said = tab.script(said, vec![json!(shown)]).await?;
                ensure!(said == "Forwarded from ann / bold", "{said}");
            }
        }
        for tab in [&ann, &ben] {
            tab.click_on("[data-testid=conversation][data-id='#lobby']")
                .await?;
        }

        press(&ben, "ann", "react").await?;
        until(&ben, "[data-emoji='🎉']", true).await?;
        ben.click_on("[data-emoji='🎉']").await?;
        until(&ann, "[data-testid=reaction]", true).await?;
        // By key, and by mouse or finger.
        ann.type_on("[data-testid=who-reacted] summary", ENTER)
            .await?;
        ben.click_on("[data-testid=who-reacted] summary").await?;
        for tab in [&ann, &ben] {
            let names = "return document.querySelector('[data-testid=who-reacted][open] li')?.textContent ?? ''";
            tab.until_script(names, &[], "🎉ben").await?;
        }
        bed.no_errors().await
    });
}
