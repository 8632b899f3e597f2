//! Pages that change what a chat is built on: functions, access, directions, and what "fixed" means.

use anyhow::{Result, ensure};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use serde_json::{Value, json};
use xtask::testbed::{Broker, Site, dist, new_origin, pages};

use super::{has_no_page_errors, page, tag};
use crate::support::{Bed, Host, Tab, run, settings};

/// What older libraries did to JavaScript's own functions. The drivers of browsers ask for `toJSON` as well, so only the
/// chat finds that of a library.
const OLD_LIBRARIES: &str = "<script>
    const arrays = function () { return `[${this.map((entry) => JSON.stringify(entry)).join(', ')}]` };
    const objects = function () { return String(this) };
    for (const [prototype, toJSON] of [[Array.prototype, arrays], [Object.prototype, objects]]) {
        const get = () => (new Error().stack.includes('/rtchat') ? toJSON : undefined);
        Object.defineProperty(prototype, 'toJSON', { get });
    }
    const kept = Promise;
    window.Promise = class {
        constructor(act) { this.kept = new kept(act) }
        then(done, failed) { return new Promise((resolve) => resolve(this.kept.then(done, failed))) }
        catch(failed) { return this.then(undefined, failed) }
        static resolve(value) { return new Promise((done) => done(value)) }
        static reject(reason) { return new Promise((done, failed) => failed(reason)) }
    };
</script>";

#[test]
fn a_page_may_have_changed_the_built_in_functions() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = Site::start(dist(), json!({ "room": "file" })).await?;
        let host = Host::start().await?;
        let given = json!({ "brokers": [broker.ws_url()], "iceServers": [], "open": true });
        let add = tag(&site, "").replace("?add", "");
        let add = format!("{add}<script>RTChat.add({given})</script>");
        let url = host.write_page("page.html", &page(OLD_LIBRARIES, &add))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let (ann, ben) = (chromium.open(&url).await?, firefox.open(&url).await?);
        let room = ann.join("ann").await?;
        ensure!(room.text("room") == "file", "{}", room.text("room"));
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        // What is signed is checked, shortcodes are looked up, and what is said is kept.
        ann.say("hello :tada:").await?;
        ben.hears("ann", "hello 🎉").await?;
        let brokers = "return RTChat.widget.brokers[0]";
        ensure!(ann.script(brokers, Vec::new()).await? == json!(broker.ws_url()));
        for tab in [&ann, &ben] {
            has_no_page_errors(tab).await?;
        }
        let mut console = chromium.console().await?;
        console.retain(|line| !line.contains("favicon.ico"));
        ensure!(console.is_empty(), "{console:#?}");
        bed.no_errors().await
    });
}

#[test]
fn a_site_behind_an_access_cookie_can_have_a_chat() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let settings = settings(&broker.ws_url());
        let html = page("", "<script src='rtchat.js?add&open' async></script>");
        let listener = new_origin()?;
        let url = format!("http://{}/page.html", listener.local_addr()?);
        let grant = (
            header::SET_COOKIE,
            "access=granted; HttpOnly; SameSite=Strict",
        );
        let site = pages(&dist(), move |_| settings.clone())
            .route(
                "/page.html",
                get(move || async move { ([grant], Html(html)) }),
            )
            .layer(from_fn(|request: Request, next: Next| async move {
                let cookies = request.headers().get(header::COOKIE);
                let cookies = cookies.and_then(|cookies| cookies.to_str().ok());
                let granted = cookies.is_some_and(|cookies| cookies.contains("access=granted"));
                if granted || request.uri().path() == "/page.html" {
                    next.run(request).await
                } else {
                    StatusCode::UNAUTHORIZED.into_response()
                }
            }));
        let server = tokio::spawn(async move { axum::serve(listener, site).await });
        let ann = bed.chromium().await?.open(&url).await?;
        ann.join("ann").await?;
        let ben = bed.firefox().await?.open(&url).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        has_no_page_errors(&ann).await?;
        has_no_page_errors(&ben).await?;
        bed.no_errors().await?;
        server.abort();
        Ok(())
    });
}

/// The places of the chat's parts in the window, once nothing moves any more, and the directions of all its elements.
async fn places(tab: &Tab) -> Result<Value> {
    tab.until("that it looks for others", |page| page.status == "looking")
        .await?;
    let script = "const tree = document.querySelector('rt-chat').shadowRoot;
        return Promise.all(tree.getAnimations().map((motion) => motion.finished)).then(() =>
            ['launcher', 'panel', 'room', 'status', 'larger', 'close-panel', 'composer', 'send'].map((id) => {
                const { left, top, width, height } = tree.querySelector(`[data-testid=${id}]`).getBoundingClientRect();
                return [id, ...[left, top, width, height].map(Math.round)].join(' ');
            }).concat([...new Set([...tree.querySelectorAll('*')].map((element) => getComputedStyle(element).direction))]))";
    tab.script(script, Vec::new()).await
}

#[test]
fn the_direction_of_the_page_is_not_that_of_the_chat() {
    run(|bed| async move {
        let odd = [
            "<script>document.documentElement.dir = 'rtl'</script>",
            "<style>html { direction: rtl; unicode-bidi: bidi-override }</style>",
            "<style>body, rt-chat { direction: rtl !important }</style>",
        ];
        stays_in_its_place(&bed, true, &odd).await?;
        stays_in_its_place(&bed, false, &odd).await
    });
}

#[test]
fn effects_of_the_page_do_not_move_the_bubble() {
    run(|bed| async move {
        let odd = [
            "<style>body { transform: translateX(0) }</style>",
            "<style>body { filter: contrast(1.1); perspective: 9px; will-change: transform; contain: paint }</style>",
            "<style>html { transform: translateX(0) }</style>",
            "<style>html { will-change: transform }</style>",
            // The bubble is there already.
            "<script>addEventListener('load', () => setTimeout(() => { document.documentElement.style.rotate = '360deg' }, 500))</script>
            <style>::backdrop { background: red }</style>",
        ];
        stays_in_its_place(&bed, true, &odd).await
    });
}

/// The chat's parts are in the same places with and without each of these styles.
async fn stays_in_its_place(bed: &Bed, bubble: bool, odd: &[&str]) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let (site, host) = (bed.site(&broker).await?, Host::start().await?);
    let mut chat = tag(&site, "data-name=ann data-open");
    if !bubble {
        chat = chat.replace("?add", "") + "<rt-chat name=ann></rt-chat>";
    }
    for browser in [bed.chromium().await?, bed.firefox().await?] {
        let mut expected = None;
        for style in std::iter::once(&"").chain(odd) {
            let head = format!("<style>html {{ scrollbar-width: none }}</style>{style}");
            let body = format!("{chat}<p style='height: 5000px'>A long page.</p>");
            let tab = browser
                .open(&host.write_page("page.html", &page(&head, &body))?)
                .await?;
            let found = places(&tab).await?;
            let expected = expected.get_or_insert_with(|| found.clone());
            ensure!(
                found == *expected,
                "{style}: {found:#} and not {expected:#}"
            );
            if bubble {
                tab.script("scrollTo(0, 3000)", Vec::new()).await?;
                let found = places(&tab).await?;
                ensure!(found == *expected, "{style}, scrolled: {found:#}");
            }
            has_no_page_errors(&tab).await?;
            tab.close().await?;
        }
    }
    bed.no_errors().await
}
