//! Pages that restrict the chat.

use anyhow::{Context, Result, ensure};
use xtask::testbed::Broker;

use super::{has_no_page_errors, page, tag};
use crate::support::{Bed, Browser, Host, run};

#[test]
fn the_documented_strict_policy_is_enough_in_chromium() {
    run(|bed| async move { check_strict_policy(&bed, bed.chromium().await?).await });
}

#[test]
fn the_documented_strict_policy_is_enough_in_firefox() {
    run(|bed| async move { check_strict_policy(&bed, bed.firefox().await?).await });
}

/// The directives in docs/EMBEDDING.md are sufficient, and the chat says so when one of them is missing.
async fn check_strict_policy(bed: &Bed, browser: Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let address = broker.ws_url();
    let broker_origin = address.trim_end_matches("/mqtt");
    let origin = site.url().trim_end_matches('/');
    let listed = include_str!("../../../docs/EMBEDDING.md");
    let listed = listed
        .split("```http\n")
        .nth(1)
        .and_then(|block| block.split("```").next());
    let policy = listed.context("the docs list no policy")?;
    let policy = policy
        .trim()
        .trim_start_matches("Content-Security-Policy:")
        .replace("https://example.org", origin)
        .replace("wss://broker.example.org", broker_origin);
    let policy = format!("default-src 'none'; require-trusted-types-for 'script';{policy}");
    let integrity = xtask::widget::integrity(&xtask::testbed::dist(), "rtchat.js")?;
    let tag = tag(
        &site,
        &format!("integrity='{integrity}' crossorigin data-open data-name=ann"),
    );
    // The test's own script would be inline, which this policy forbids, so the page has none.
    let html = format!("<!DOCTYPE html><title>Strict</title>{tag}");

    let host = Host::with_headers(&[("content-security-policy", &policy)]).await?;
    let tab = browser.open(&host.write_page("page.html", &html)?).await?;
    tab.until("that it looks for others", |page| page.status == "looking")
        .await?;
    bed.no_errors().await?;
    tab.close().await?;

    // These pages may have one inline script, which records errors.
    let policy = policy.replace("script-src", "script-src 'nonce-own'");
    let html = page("", &tag).replacen("<script", "<script nonce=own", 1);
    let files = format!("connect-src {origin}");
    let lacking = [
        ("'wasm-unsafe-eval'", "", "sorry", "wasm-unsafe-eval"),
        (broker_origin, "", "notice", "connect-src"),
        (&files, "connect-src", "sorry", "connect-src"),
    ];
    for (source, instead, id, word) in lacking {
        ensure!(policy.contains(source), "{source} is not in {policy}");
        let policy = policy.replace(source, instead);
        let host = Host::with_headers(&[("content-security-policy", &policy)]).await?;
        let tab = browser.open(&host.write_page("page.html", &html)?).await?;
        let said = tab.until(format!("a sentence about {word}"), |page| {
            page.text(id).contains(word)
        });
        said.await?;
        has_no_page_errors(&tab).await?;
        tab.close().await?;
    }
    // The browser itself reports the violated policies, as it should.
    browser.errors().await?;
    Ok(())
}

#[test]
fn a_missing_browser_feature_is_named() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let throws = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })";
        let lacks = [
            ("delete window.WebAssembly", "sorry", "WebAssembly"),
            ("delete window.RTCPeerConnection", "stopped", "WebRTC"),
            ("delete window.WebSocket", "stopped", "WebSocket"),
            (throws, "notice", "stor"),
        ];
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            for (number, (lack, id, word)) in lacks.iter().enumerate() {
                let tag = tag(&site, "data-name=ann");
                let html = page(&format!("<script>{lack}</script>{tag}"), "");
                let tab = browser
                    .open(&host.write_page(&format!("{number}.html"), &html)?)
                    .await?;
                // The failure may come before the chat is opened or afterwards.
                tab.until("the bubble", |page| page.has("launcher")).await?;
                tab.click("launcher").await?;
                let said = tab.until(format!("a sentence about {word}"), |page| {
                    page.text(id).contains(word)
                });
                said.await?;
                has_no_page_errors(&tab).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn a_chat_that_breaks_says_so() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page(
            "page.html",
            &page(&tag(&site, "data-name=ann data-open"), ""),
        )?;
        let chromium = bed.chromium().await?;
        let tab = chromium.open(&url).await?;
        tab.joined().await?;
        // One letter is enough: the others are told that somebody writes.
        let no_clock = "Performance.prototype.now = () => { throw new Error('no clock') };
            const field = document.querySelector('rt-chat').shadowRoot.querySelector('[data-testid=composer]');
            field.value = 'h';
            field.dispatchEvent(new Event('input', { bubbles: true }));";
        tab.script(no_clock, Vec::new()).await?;
        tab.until("that it broke", |page| {
            page.text("sorry").contains("stopped working") && !page.has("composer")
        })
        .await?;
        let heading = tab
            .script("return document.body.innerText", Vec::new())
            .await?;
        ensure!(
            heading.to_string().contains("Text of somebody"),
            "{heading}"
        );
        tab.click("again").await?;
        ensure!(tab.joined().await?.own == "ann");
        // The console has the exception.
        chromium.errors().await?;
        Ok(())
    });
}
