//! The program comes in two parts: the first message needs the first one only, and the other comes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use xtask::testbed::{Broker, dist, pages};

use crate::support::{HeldSite, Host, Tab, run, serve, settings};

/// A page with a program that keeps what it hears.
const PROGRAM: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Program</title><script type=\"module\">
    import { MQTTRTCClient } from \"./mqtt-rtc.js\";
    const name = new URLSearchParams(location.search).get('name');
    window.heard = [];
    window.client = new MQTTRTCClient({ name });
    client.on('chat', (_, text) => heard.push(text));
    client.connect();
</script>";

/// The end of the names of both files.
const REST: &str = "rest.wasm";

#[test]
fn people_and_programs_meet_and_talk_before_the_rest_is_there() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = HeldSite::without_rest(settings(&broker.ws_url()), PROGRAM).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        // If anything here needed the rest, the page would wait for it, and the test with it.
        let (ann, ben) = (
            chromium.open(site.url()).await?,
            firefox.open(site.url()).await?,
        );
        ann.join("ann").await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        for (tab, other, name) in [(&ann, &ben, "ann"), (&ben, &ann, "ben")] {
            tab.say("hello there").await?;
            other.hears(name, "hello there").await?;
        }
        let program = |name: &str| format!("{}program.html?name={name}", site.url());
        let one = chromium.open(&program("one")).await?;
        let two = firefox.open(&program("two")).await?;
        for tab in [&one, &two] {
            tab.until_true("return window.client?.peers.length > 0", Vec::new())
                .await?;
        }
        for tab in [&one, &two] {
            tab.script("client.chat('hello')", Vec::new()).await?;
        }
        for tab in [&one, &two] {
            tab.until_true("return heard.includes('hello')", Vec::new())
                .await?;
        }
        // What comes later works as soon as it is there.
        site.release(true);
        for tab in [&ann, &ben] {
            exported(tab).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn whoever_needs_the_rest_before_it_has_come_waits_for_it() {
    run(|bed| async move {
        // The page asks once in the background, which fails, and again when it is needed.
        let broker = Broker::rumqttd().await?;
        let (url, asked) = missing(1, &broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            asked.store(0, Ordering::SeqCst);
            let tab = browser.open(&url).await?;
            joined(&tab).await?;
            exported(&tab).await?;
            let asked = asked.load(Ordering::SeqCst);
            ensure!(asked == 2, "the rest was asked for {asked} times");
        }
        Ok(())
    });
}

#[test]
fn a_page_whose_rest_is_gone_says_so_once_it_is_needed() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (url, _) = missing(1_000, &broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            joined(&tab).await?;
            tab.click_on(EXPORT).await?;
            let notice =
                "return document.querySelector('[data-testid=panic] pre')?.textContent ?? ''";
            let says = format!(
                "const says = (() => {{ {notice} }})(); return says.includes(arguments[0])"
            );
            let words = "A part of the program is missing";
            tab.until_true(&says, vec![words.into()]).await?;
            // The harness takes a page that has stopped for a mistake.
            tab.close().await?;
        }
        Ok(())
    });
}

#[test]
fn a_script_tag_takes_no_rest_of_another_build() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        host.put("chat/", settings(&broker.ws_url()))?;
        let files = std::fs::read_dir(dist())?.flatten();
        let mut names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let rest = names.find(|name| name.starts_with("app-") && name.ends_with(REST));
        let rest = rest.context("there is no rest")?;
        let mut bytes = std::fs::read(dist().join(&rest))?;
        // A section that means nothing.
        bytes.extend([0, 2, 1, b'x']);
        host.write_file(&format!("chat/{rest}"), &bytes)?;
        let page =
            "<!DOCTYPE html><title>Blog</title><script src=\"chat/rtchat.js?add\" async></script>";
        let url = host.write_page("blog.html", page)?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            tab.until_true(
                "return !!document.querySelector('rt-chat')?.shadowRoot",
                Vec::new(),
            )
            .await?;
            tab.click("launcher").await?;
            tab.join("ann").await?;
            tab.click("people-button").await?;
            tab.click_on(EXPORT).await?;
            let page = tab
                .until("that it stopped", |page| page.has("sorry"))
                .await?;
            ensure!(
                page.text("sorry").contains("stopped working"),
                "{}",
                page.text("sorry")
            );
        }
        Ok(())
    });
}

/// A button whose work is not needed for a message.
const EXPORT: &str = "[data-testid=export][data-format=text]";

/// Joins, and waits until the room is there.
async fn joined(tab: &Tab) -> Result<()> {
    tab.join("ann").await?;
    tab.until("that it looks for others", |page| page.status == "looking")
        .await?;
    Ok(())
}

/// Presses it, and waits for what it does.
async fn exported(tab: &Tab) -> Result<()> {
    let saved = "window.saved = []; const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { saved.push(blob.size); return make.call(URL, blob) }";
    tab.script(saved, Vec::new()).await?;
    tab.click_on(EXPORT).await?;
    tab.until_true("return saved.length > 0", Vec::new()).await
}

/// A site whose rest is missing so many times, and the number of times that it was asked for.
async fn missing(times: u32, broker: &Broker) -> Result<(String, Arc<AtomicU32>)> {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = asked.clone();
    let lose = from_fn(move |request: Request, next: Next| {
        let is_lost =
            request.uri().path().ends_with(REST) && counted.fetch_add(1, Ordering::SeqCst) < times;
        async move {
            if is_lost {
                return StatusCode::NOT_FOUND.into_response();
            }
            next.run(request).await
        }
    });
    let settings = settings(&broker.ws_url());
    let routes = pages(&dist(), move |_| settings.clone()).layer(lose);
    // It is served until the process ends.
    Ok((serve(routes).await?.0, asked))
}
