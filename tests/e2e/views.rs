//! The views of the page: how people get from one to the other, and what is left on paper.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::{Broker, Site, demo, dist};

use crate::support::{Tab, run, settings};

const ESCAPE: &str = "\u{e00c}";

async fn eval(tab: &Tab, script: &str) -> Result<Value> {
    tab.script(script, Vec::new()).await
}

/// Whether the conversation is seen, or the people, in a narrow page.
const SEEN: &str = "const seen = (name) => document.querySelector(name).offsetWidth > 0;
    return `${seen('.conversation') ? 'conversation' : ''}${seen('.people') ? 'people' : ''}`";

async fn until_seen(tab: &Tab, view: &str) -> Result<()> {
    let script = format!("return (() => {{ {SEEN} }})() === arguments[0]");
    tab.until_true(&script, vec![view.into()]).await
}

#[test]
fn the_views_of_a_narrow_page_are_entries_of_its_history() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, _ben] = bed.ann_and_ben(&site).await?;
        ann.set_width(360).await?;
        eval(&ann, "window.same = history.length").await?;
        for _ in 0..2 {
            ann.click("people-button").await?;
            until_seen(&ann, "people").await?;
            eval(&ann, "history.back()").await?;
            until_seen(&ann, "conversation").await?;
        }
        eval(&ann, "history.forward()").await?;
        until_seen(&ann, "people").await?;
        ann.click("person").await?;
        ann.until("details", |page| page.has("person-details"))
            .await?;
        ann.click("back").await?;
        until_seen(&ann, "conversation").await?;
        ann.click("people-button").await?;
        until_seen(&ann, "people").await?;
        ensure!(!ann.page().await?.has("person-details"));
        ann.type_into("back", ESCAPE).await?;
        until_seen(&ann, "conversation").await?;
        // No entry was left over, and the page was never loaded again.
        ann.until_true("return history.length === same + 1", Vec::new())
            .await?;
        ensure!(ann.page().await?.has_verified(&["ben"]));

        // A wide page shows both, and adds nothing.
        ann.set_width(1280).await?;
        ann.click("person").await?;
        ann.until("details", |page| page.has("person-details"))
            .await?;
        ensure!(eval(&ann, "return history.state === null").await? == true);
        ann.type_into("composer", ESCAPE).await?;
        ann.until("no details", |page| !page.has("person-details"))
            .await?;
        bed.no_errors().await
    });
}

#[test]
fn back_goes_from_a_conversation_to_the_list_of_them() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut with_channels = settings(&broker.ws_url());
        with_channels["channels"] = json!(["lobby", "news"]);
        let site = Site::start(dist(), with_channels).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.set_width(360).await?;
        until_seen(&ann, "").await?;
        eval(&ann, "window.same = history.length").await?;
        let news = "[data-testid=conversation][data-id='#news']";
        for _ in 0..2 {
            ann.click_on(news).await?;
            until_seen(&ann, "conversation").await?;
            ann.click("people-button").await?;
            until_seen(&ann, "people").await?;
            eval(&ann, "history.back()").await?;
            until_seen(&ann, "conversation").await?;
            eval(&ann, "history.back()").await?;
            until_seen(&ann, "").await?;
        }
        // Forward, and by the page's own buttons: no entry is left over.
        eval(&ann, "history.forward()").await?;
        until_seen(&ann, "conversation").await?;
        ensure!(ann.page().await?.text("title") == "news");
        ann.click("list-button").await?;
        until_seen(&ann, "").await?;
        ann.until_true("return history.state === null", Vec::new())
            .await?;
        ann.click_on(news).await?;
        until_seen(&ann, "conversation").await?;

        // From the people to a conversation with one of them, and back to the list, where it is now.
        ann.click("people-button").await?;
        until_seen(&ann, "people").await?;
        ann.click("person").await?;
        ann.click("open-dm").await?;
        until_seen(&ann, "conversation").await?;
        ann.until_true("return history.state === 'rtchat/talk'", Vec::new())
            .await?;
        ann.say("just you").await?;
        ann.hears("ann", "just you").await?;
        eval(&ann, "history.back()").await?;
        until_seen(&ann, "").await?;
        ensure!(eval(&ann, "return history.length <= same + 2").await? == true);
        ensure!(ann.page().await?.has_verified(&["ben"]));

        // Where a second conversation begins while the people are shown, Back leads to the list that is there then.
        let plain = bed.site(&broker).await?;
        let cleo = bed.chromium().await?.open(plain.url()).await?;
        cleo.set_width(360).await?;
        cleo.join("cleo").await?;
        let dan = bed.firefox().await?.open(plain.url()).await?;
        dan.join("dan").await?;
        cleo.sees(&["dan"]).await?;
        cleo.click("people-button").await?;
        until_seen(&cleo, "people").await?;
        cleo.click("person").await?;
        cleo.click("open-dm").await?;
        until_seen(&cleo, "conversation").await?;
        cleo.say("hello, dan").await?;
        eval(&cleo, "history.back()").await?;
        until_seen(&cleo, "").await?;
        drop(ben);
        bed.no_errors().await
    });
}

#[test]
fn a_refused_name_stays_in_its_field_until_it_is_better() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let tab = bed.chromium().await?.open(site.url()).await?;
        tab.enter_name("ann (work)").await?;
        let page = tab
            .until("what is wrong", |page| {
                !page.text("name-problem").is_empty()
            })
            .await?;
        ensure!(
            page.text("name-problem") == "Names can’t end with “)”. Try “ann work”.",
            "{page:?}"
        );
        let typed = "return document.querySelector('[data-testid=name]').value === arguments[0]";
        tab.until_true(typed, vec!["ann (work)".into()]).await?;
        tab.type_into("name", "\u{e003}").await?;
        tab.until("no problem", |page| page.text("name-problem").is_empty())
            .await?;
        tab.until_true(typed, vec!["ann (work".into()]).await?;
        let welcome = eval(&tab, "return document.querySelector('.front').innerText").await?;
        ensure!(welcome.to_string().contains("IP address"), "{welcome}");
        tab.type_into("name", "\u{e007}").await?;
        ensure!(tab.joined().await?.own == "ann (work");
        bed.no_errors().await
    });
}

#[test]
fn all_of_the_conversation_and_nothing_else_is_printed() {
    run(|bed| async move {
        let site = Site::start(demo(), json!({})).await?;
        let tab = bed.chromium().await?.open(site.url()).await?;
        for (scene, most) in [("flood", 300), ("long", 30)] {
            tab.go(&format!("{}?demo={scene}", site.url())).await?;
            tab.until("messages", |page| page.has("message")).await?;
            let media = json!({ "media": "print" });
            tab.devtools("Emulation.setEmulatedMedia", media).await?;
            eval(&tab, "dispatchEvent(new Event('beforeprint'))").await?;
            let lines = "const texts = [...document.querySelectorAll('[data-testid=message-text]')];
                return texts.reduce((sum, text) => sum + text.innerText.trim().split('\\n').length, 0) > arguments[0]";
            tab.until_true(lines, vec![json!(most + 60)]).await?;
            let cut = eval(
                &tab,
                "return ['.rt', '.conversation', '.log'].filter((name) => {
                    const { scrollHeight, clientHeight } = document.querySelector(name);
                    return scrollHeight > clientHeight + 1;
                }).join()",
            )
            .await?;
            ensure!(cut == "", "{scene}: {cut} would be cut off");
            let shown = eval(
                &tab,
                "return [...document.querySelectorAll('button, textarea, input')]
                    .filter((control) => control.offsetWidth > 0).map((control) => control.outerHTML).join()",
            )
            .await?;
            ensure!(shown == "", "{scene}: controls are printed: {shown}");
            eval(&tab, "dispatchEvent(new Event('afterprint'))").await?;
            let media = json!({ "media": "" });
            tab.devtools("Emulation.setEmulatedMedia", media).await?;
        }
        Ok(())
    });
}

/// Makes the page believe that its tab is seen, or that it is not.
const HIDE: &str =
    "Object.defineProperty(document, 'hidden', { configurable: true, value: arguments[0] });
    document.dispatchEvent(new Event('visibilitychange'))";

#[test]
fn a_tab_that_is_looked_at_again_shows_what_is_new() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let hide = async |hidden: bool| ann.script(HIDE, vec![hidden.into()]).await;
        let many = "const area = document.querySelector('[data-testid=composer]');
            for (let number = 1; number <= 105; number += 1) {
                area.value = `line ${number}`;
                area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
            }";
        hide(true).await?;
        eval(&ben, many).await?;
        ann.until_true("return document.title.startsWith('(105)')", Vec::new())
            .await?;
        hide(false).await?;
        let in_sight = "const [line, log] = ['.day.new', '.log'].map((name) => document.querySelector(name).getBoundingClientRect());
            return line.top >= log.top && line.bottom <= log.top + log.height / 2";
        ann.until_true(in_sight, Vec::new()).await?;
        ann.until("how many follow", |page| {
            page.text("new-messages").contains("105 new messages")
        })
        .await?;
        ann.click("new-messages").await?;
        ann.until_true("return document.title.startsWith('lobby')", Vec::new())
            .await?;

        // What fits is read at a glance, and somebody who reads further up is left where they are.
        hide(true).await?;
        ben.say("one more").await?;
        ann.until_true("return document.title.startsWith('(1)')", Vec::new())
            .await?;
        hide(false).await?;
        ann.until_true("return document.title.startsWith('lobby')", Vec::new())
            .await?;
        eval(&ann, "document.querySelector('.log').scrollTop = 40").await?;
        ann.until("that the end is not seen", |page| page.has("new-messages"))
            .await?;
        hide(true).await?;
        ben.say("and another one").await?;
        ann.until_true("return document.title.startsWith('(1)')", Vec::new())
            .await?;
        hide(false).await?;
        ann.until_true(
            "return document.querySelector('.log').scrollTop === 40",
            Vec::new(),
        )
        .await?;
        ensure!(ann.page().await?.text("new-messages").contains("1 new"));
        bed.no_errors().await
    });
}

#[test]
fn a_date_leads_to_the_first_message_from_then_on() {
    run(|bed| async move {
        let site = Site::start(demo(), json!({})).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser
                .open(&format!("{}?demo=flood2000", site.url()))
                .await?;
            tab.until("the log", |page| page.has("message")).await?;
            // Whoever reads further up finds it above what is read.
            let up = "document.querySelector('.log').scrollTop -= 400;
                return document.querySelector('.elsewhere [data-testid=go-to-day]') !== null";
            tab.until_true(up, Vec::new()).await?;
            // The scene begins a day ago, with five messages of that day or the next, and goes on for some hours.
            let choose = "const day = new Date(Date.now() - arguments[0] * 86_400_000);
                const two = (number) => String(number).padStart(2, '0');
                const field = [...document.querySelectorAll('[data-testid=go-to-day]')].at(-1);
                field.value = `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
                field.dispatchEvent(new InputEvent('input', { bubbles: true }));
                return field.value !== ''";
            ensure!(tab.script(choose, vec![json!(3)]).await? == true);
            let found = "const found = document.querySelector('[data-found]');
                const log = document.querySelector('.log').getBoundingClientRect();
                const place = found?.getBoundingClientRect();
                return !!found?.textContent.includes(arguments[0]) && place.top >= log.top && place.bottom <= log.bottom";
            tab.until_true(found, vec![json!("Did anybody try the new link?")])
                .await?;
            // Nothing is as late as tomorrow, so nothing moves.
            tab.script(choose, vec![json!(-1)]).await?;
            tab.until_true(found, vec![json!("Did anybody try the new link?")])
                .await?;
        }
        bed.no_errors().await
    });
}
