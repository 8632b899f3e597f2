//! A chat never takes the keyboard focus unless the person gives it the focus.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use super::{chat, has_no_page_errors, page, tag};
use crate::support::{Bed, Browser, Host, Tab, run, settings};

/// A field of the page that the reader types into while the chat loads.
const FIELD: &str = "<input id=own><script>document.getElementById('own').focus()</script>";

/// The element with the focus, as the page around the chat sees it.
async fn focused(tab: &Tab) -> Result<String> {
    let script = "const { id, tagName } = document.activeElement ?? {}; return id || tagName";
    let focused = tab.script(script, Vec::new()).await?;
    Ok(focused.as_str().unwrap_or_default().to_owned())
}

/// Checks that the field of the page still has the focus.
async fn keeps_focus(tab: &Tab, when: &str) -> Result<()> {
    let focused = focused(tab).await?;
    ensure!(focused == "own", "{when}: {focused} has the focus");
    has_no_page_errors(tab).await
}

async fn each_browser(bed: &Bed) -> Result<[Browser; 2]> {
    Ok([bed.chromium().await?, bed.firefox().await?])
}

#[test]
fn a_chat_that_loads_does_not_take_the_focus() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let plain = tag(&site, "").replace("?add", "");
        let kinds = [
            ("inline", &plain, "<rt-chat></rt-chat>", "name"),
            (
                "inline-named",
                &plain,
                "<rt-chat name=ann></rt-chat>",
                "composer",
            ),
            ("open", &tag(&site, "data-open"), "", "name"),
            (
                "open-named",
                &tag(&site, "data-open data-name=ann"),
                "",
                "composer",
            ),
        ];
        for browser in each_browser(&bed).await? {
            for (kind, head, body, field) in kinds {
                let html = page(head, &format!("{FIELD}{body}"));
                let url = host.write_page(&format!("{kind}.html"), &html)?;
                let tab = browser.open(&url).await?;
                tab.until(format!("the {field} ({kind})"), |page| page.has(field))
                    .await?;
                keeps_focus(&tab, kind).await?;
                tab.script("localStorage.clear()", Vec::new()).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn a_chat_that_is_added_late_or_restarts_does_not_take_the_focus() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let head = tag(&site, "").replace("?add", "");
        let url = host.write_page("late.html", &page(&head, FIELD))?;
        for browser in each_browser(&bed).await? {
            let tab = browser.open(&url).await?;
            let add = "document.body.append(document.createElement('rt-chat'))";
            tab.script(add, Vec::new()).await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            keeps_focus(&tab, "added").await?;

            // A reader who chatted and then went on in the page keeps the focus there when the chat restarts: with
            // other options, or in a page that the browser kept.
            tab.join("ann").await?;
            let back = "document.getElementById('own').focus(); events.length = 0";
            let again = [
                "document.querySelector('rt-chat').room = 'another'",
                "for (const event of ['pagehide', 'pageshow'])
                    dispatchEvent(new PageTransitionEvent(event, { persisted: true }))",
            ];
            for again in again {
                tab.script(back, Vec::new()).await?;
                tab.script(again, Vec::new()).await?;
                wait_until_restarted(&tab).await?;
                keeps_focus(&tab, again).await?;
            }

            // If the chat has the focus when it restarts, it keeps it.
            tab.type_into("composer", "a").await?;
            tab.script("events.length = 0", Vec::new()).await?;
            tab.script(again[1], Vec::new()).await?;
            wait_until_restarted(&tab).await?;
            let focus = chat(&tab).await?["focus"].to_string();
            ensure!(focus == "\"composer\"", "{focus} has the focus");
            tab.script("localStorage.clear()", Vec::new()).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}

/// Waits until a restarted chat is in its room.
async fn wait_until_restarted(tab: &Tab) -> Result<()> {
    let script =
        "return events.some(({ what, status }) => what === 'status' && status === 'looking')";
    for _ in 0..600 {
        let looks = tab.script(script, Vec::new()).await? == true;
        if looks && tab.page().await?.has("composer") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let events = tab.script("return events", Vec::new()).await?;
    anyhow::bail!("the chat did not restart: {events}")
}

#[test]
fn a_panel_opened_by_the_site_does_not_take_the_focus() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, ""), FIELD))?;
        for browser in each_browser(&bed).await? {
            let tab = browser.open(&url).await?;
            tab.until("the bubble", |page| page.has("launcher")).await?;
            let open = "document.querySelector('rt-chat').open = true";
            tab.script(open, Vec::new()).await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            keeps_focus(&tab, "opened by the site").await?;
            // A reader who opens the panel can type at once.
            tab.click("launcher").await?;
            tab.click("launcher").await?;
            let focus = chat(&tab).await?["focus"].to_string();
            ensure!(focus == "\"name\"", "{focus} has the focus");
            tab.join("ann").await?;
            let focus = chat(&tab).await?["focus"].to_string();
            ensure!(focus == "\"composer\"", "{focus} has the focus");
            has_no_page_errors(&tab).await?;
            tab.script("localStorage.clear()", Vec::new()).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn the_page_in_a_frame_does_not_take_the_focus() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let chat = host.put("chat/", settings(&broker.ws_url()))?;
        // The frame has the same origin, so it could take the focus.
        let frame = format!("{FIELD}<iframe src='{chat}' width=1000 height=600></iframe>");
        let outer = host.write_page("outer.html", &page("", &frame))?;
        for browser in each_browser(&bed).await? {
            let tab = browser.open(&outer).await?;
            tab.enter_frame().await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            tab.leave_frame().await?;
            keeps_focus(&tab, "new").await?;
            tab.enter_frame().await?;
            tab.join("ann").await?;
            let inside = "return document.activeElement.dataset.testid";
            let focus = tab.script(inside, Vec::new()).await?;
            ensure!(focus == "composer", "{focus} has the focus");
            // A reader whose name is stored.
            tab.go(&outer).await?;
            tab.enter_frame().await?;
            tab.joined().await?;
            tab.leave_frame().await?;
            keeps_focus(&tab, "known").await?;
            tab.script("localStorage.clear()", Vec::new()).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn the_chats_own_page_focuses_its_field_at_once() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in each_browser(&bed).await? {
            let tab = browser.open(site.url()).await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            let inside = "return document.activeElement.dataset.testid";
            ensure!(tab.script(inside, Vec::new()).await? == "name");
            tab.join("ann").await?;
            ensure!(tab.script(inside, Vec::new()).await? == "composer");
            tab.reload().await?;
            tab.joined().await?;
            ensure!(tab.script(inside, Vec::new()).await? == "composer");
            tab.close().await?;
        }
        bed.no_errors().await
    });
}
