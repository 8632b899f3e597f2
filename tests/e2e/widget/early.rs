//! What the panel shows before the program is there, and how the program takes over. `first_paint.rs` tests the same for the
//! chat's own page.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Broker;

use super::{has_no_page_errors, page};
use crate::first_paint::{ROOM, TEXTS, WELCOME, looks};
use crate::support::{GuardedSite, HeldSite, Host, Tab, run, settings};

const ENTER: &str = "\u{e007}";

/// A broker, a site that holds the program, and a page of somebody with this chat of that site.
async fn held(host: &Host, chat: &str) -> Result<(Broker, HeldSite, String)> {
    let broker = Broker::rumqttd().await?;
    let site = HeldSite::without_program(settings(&broker.ws_url())).await?;
    let chat = chat.replace("SITE/", site.url());
    let url = host.write_page("page.html", &page(&chat, ""))?;
    Ok((broker, site, url))
}

const BUBBLE: &str = "<script src='SITE/rtchat.js?add' data-room='the garden'></script>";

/// Opens the panel and waits until it shows the welcome, or the frame of the room, with the focus in its field.
async fn open(tab: &Tab, field: &str) -> Result<()> {
    tab.until("the bubble", |page| page.has("launcher")).await?;
    tab.click("launcher").await?;
    let focused = "const tree = document.querySelector('rt-chat').shadowRoot;
        return Boolean(tree.activeElement?.matches(arguments[0])) && tree.getAnimations().length === 0";
    tab.until_true(focused, vec![format!("#early {field}").into()])
        .await
}

/// The field with the focus, what is in it, and what of that is selected.
async fn typed(tab: &Tab) -> Result<Value> {
    let script =
        "const tree = document.querySelector('rt-chat').shadowRoot, field = tree.activeElement;
        return [field.dataset.testid, field.value, field.selectionStart, field.selectionEnd,
            tree.querySelectorAll('#early').length]";
    tab.script(script, Vec::new()).await
}

async fn select(tab: &Tab) -> Result<()> {
    let script =
        "document.querySelector('rt-chat').shadowRoot.activeElement.setSelectionRange(1, 4)";
    tab.script(script, Vec::new()).await?;
    Ok(())
}

#[test]
fn the_panel_can_be_used_before_the_program_is_there_which_takes_over_without_a_jump() {
    run(|bed| async move {
        let host = Host::start().await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let (_broker, site, url) = held(&host, BUBBLE).await?;
            let tab = browser.open(&url).await?;
            open(&tab, "input").await?;
            tab.type_on("#early input", "ann marie").await?;
            select(&tab).await?;
            let before = looks(&tab, WELCOME).await?;
            ensure!(
                before.as_array().is_some_and(|all| all.len() == 8),
                "{before:#}"
            );
            let texts = tab.script(TEXTS, Vec::new()).await?;
            site.release(true);
            tab.until("the program", |page| page.has("name")).await?;
            let now = typed(&tab).await?;
            ensure!(now == json!(["name", "ann marie", 1, 4, 0]), "{now}");
            let after = looks(&tab, WELCOME).await?;
            ensure!(before == after, "{before:#} {after:#}");
            let same = tab.script(TEXTS, Vec::new()).await?;
            ensure!(texts == same, "{texts} {same}");
            tab.type_into("name", ENTER).await?;
            ensure!(tab.joined().await?.own == "ann marie");

            // Whoever has a name sees the frame of the room, and can begin a message.
            site.release(false);
            tab.reload().await?;
            // The panel is open, as it was before.
            tab.until_true(
                "return Boolean(document.querySelector('rt-chat')?.shadowRoot?.querySelector('#early textarea'))",
                Vec::new(),
            )
            .await?;
            tab.click_on("#early textarea").await?;
            tab.type_on("#early textarea", &format!("hello{ENTER}"))
                .await?;
            select(&tab).await?;
            let before = looks(&tab, ROOM).await?;
            ensure!(
                before.as_array().is_some_and(|all| all.len() > 8),
                "{before:#}"
            );
            site.release(true);
            tab.joined().await?;
            let now = typed(&tab).await?;
            ensure!(now == json!(["composer", "hello", 1, 4, 0]), "{now}");
            let after = looks(&tab, ROOM).await?;
            let [before, after] = [before, after].map(without_the_status);
            ensure!(before == after, "{before:#} {after:#}");
            has_no_page_errors(&tab).await?;
            bed.no_errors().await?;
            tab.close().await?;
        }
        Ok(())
    });
}

/// The words of the status may have changed meanwhile.
fn without_the_status(mut looks: Value) -> Value {
    for look in looks.as_array_mut().into_iter().flatten() {
        if look[0] == ".where .status" {
            look[1][2] = Value::Null;
        }
    }
    looks
}

#[test]
fn a_join_that_was_pressed_in_the_panel_joins() {
    run(|bed| async move {
        let host = Host::start().await?;
        let pressed = "return document.querySelector('rt-chat').shadowRoot.querySelector('#early [role=status]').textContent";
        for (browser, chat) in [
            (bed.chromium().await?, BUBBLE),
            (bed.firefox().await?, BUBBLE),
            // Trusted Types forbid markup, and the chat is a part of the page.
            (
                bed.chromium().await?,
                "<meta http-equiv=Content-Security-Policy content=\"require-trusted-types-for 'script'; trusted-types 'none'\">
                <script src='SITE/rtchat.js'></script><rt-chat style='height: 500px'></rt-chat>",
            ),
        ] {
            let (_broker, site, url) = held(&host, chat).await?;
            let ann = browser.open(&url).await?;
            if chat == BUBBLE {
                open(&ann, "input").await?;
            }
            ann.until_true(
                "return Boolean(document.querySelector('rt-chat')?.shadowRoot?.querySelector('#early input'))",
                Vec::new(),
            )
            .await?;
            ann.type_on("#early input", "ann").await?;
            ann.click_on("#early .primary").await?;
            let said = ann.script(pressed, Vec::new()).await?;
            ensure!(said == "You join as soon as the page is loaded.", "{said}");
            if chat == BUBBLE {
                // What was typed is there when the panel is opened again.
                ann.click("launcher").await?;
                ann.click("launcher").await?;
            }
            site.release(true);
            ensure!(ann.joined().await?.own == "ann");
            has_no_page_errors(&ann).await?;
            ann.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_site_behind_basic_authentication_has_the_page_and_the_bubble() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = GuardedSite::start(settings(&broker.ws_url())).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for browser in [&chromium, &firefox] {
            let tab = browser.open(&site.url()).await?;
            tab.join("ann").await?;
            let blog = format!("{}demo/blog.html", site.url());
            tab.go(&blog).await?;
            tab.until("the bubble", |page| page.has("launcher")).await?;
            tab.click("launcher").await?;
            tab.joined().await?;
            let wrong = tab.script(
                "return performance.getEntriesByType('resource')
                .filter(({ responseStatus }) => responseStatus === 401).map(({ name }) => name)",
                Vec::new(),
            );
            let wrong = wrong.await?;
            let wrong = wrong.as_array().context("a list")?;
            ensure!(wrong.is_empty(), "{wrong:?}");
            tab.close().await?;
        }
        bed.no_errors().await
    });
}
