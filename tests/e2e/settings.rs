//! `rtchat.json` that is late, damaged, wrong or missing: in the page, in the widget and in the module.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};
use axum::http::StatusCode;
use axum::response::Html;
use axum::{Router, routing::get};
use serde_json::json;
use tokio::task::JoinHandle;
use xtask::testbed::{Broker, dist, new_origin, pages};

use crate::support::{Browser, Tab, run, settings};

/// An answer for `rtchat.json`.
type Answer = (StatusCode, Vec<u8>);

/// A page with the bubble, which is open.
const WIDGET: &str = "<!DOCTYPE html><html lang=en><title>Somebody's page</title>\
    <script src='/rtchat.js?add&open&name=ann'></script><body></body></html>";

/// A program that shows why it cannot enter the room, or what its state is.
const MODULE: &str = "<!DOCTYPE html><html lang=en><title>A program</title><body></body><script type=module>\
    import { MQTTRTCClient } from '/mqtt-rtc.js';\
    const client = new MQTTRTCClient({ name: 'ann', room: 'module', storage: 'memory' });\
    client.on('error', ({ message }) => { document.body.textContent = message; });\
    client.on('status', ({ state }) => { if (state !== 'failed') document.body.textContent = state; });\
    </script></html>";

/// A site whose `rtchat.json` gives these answers, one after the other. The last one stays.
struct Owner {
    url: String,
    server: JoinHandle<()>,
}

impl Owner {
    async fn start(answers: impl IntoIterator<Item = Answer>) -> Result<Owner> {
        let answers: VecDeque<Answer> = answers.into_iter().collect();
        let answers = Arc::new(Mutex::new(answers));
        let answer = move || {
            let mut answers = answers.lock().expect("nobody panics while holding it");
            let answer = match answers.len() {
                0 | 1 => answers.front().cloned().unwrap_or_default(),
                _ => answers.pop_front().unwrap_or_default(),
            };
            std::future::ready(answer)
        };
        let routes = Router::new()
            .route("/rtchat.json", get(answer))
            .route("/widget.html", get(|| async { Html(WIDGET) }))
            .route("/module.html", get(|| async { Html(MODULE) }))
            .fallback_service(pages(&dist(), |_| json!({})));
        let listener = new_origin()?;
        let url = format!("http://{}/", listener.local_addr()?);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Owner { url, server })
    }

    async fn open(&self, browser: &Browser, path: &str) -> Result<Tab> {
        browser.open(&format!("{}{path}", self.url)).await
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn found(text: impl Into<Vec<u8>>) -> Answer {
    (StatusCode::OK, text.into())
}

fn broken() -> Answer {
    (StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
}

/// Waits until the page or the widget shows this sentence in place of the chat.
async fn stops(tab: &Tab, words: &str) -> Result<()> {
    let page = tab
        .until(format!("a sentence with {words:?}"), |page| {
            ["stopped", "sorry"].map(|id| page.text(id).contains(words)) != [false, false]
        })
        .await?;
    ensure!(!page.has("name") && !page.has("composer"), "{page:?}");
    Ok(())
}

#[test]
fn settings_that_cannot_be_used_stop_the_page_the_widget_and_the_module() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        for (answer, words) in [
            (broken(), "500"),
            (found(b"{ \"room\": \"caf\xe9\" }".as_slice()), "UTF-8"),
            (found("<!DOCTYPE html>"), "not valid JSON"),
            (found("[]"), "should be an object"),
            (
                found(r#"{ "brokers": "ws://127.0.0.1:9" }"#),
                "\"brokers\" should be a list",
            ),
            (
                found(r#"{ "brokers": ["http://127.0.0.1:9"] }"#),
                "no usable entry",
            ),
            (
                found(r#"{ "accept": "nobody" }"#),
                "\"everyone\", \"ask\" or \"known\"",
            ),
        ] {
            let owner = Owner::start([answer]).await?;
            stops(&owner.open(&chromium, "").await?, words).await?;
            let widget = owner.open(&chromium, "widget.html").await?;
            stops(&widget, words).await?;
            let status = "return document.querySelector('rt-chat').status";
            ensure!(widget.script(status, Vec::new()).await? == "stopped");
            owner
                .open(&chromium, "module.html")
                .await?
                .shows(words)
                .await?;
        }
        Ok(())
    });
}

#[test]
fn settings_that_fail_once_are_fetched_again() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        let broker = Broker::rumqttd().await?;
        let sound = || found(settings(&broker.ws_url()).to_string());
        let owner = Owner::start([broken(), sound()]).await?;
        owner.open(&chromium, "").await?.join("ann").await?;
        let owner = Owner::start([found("{"), sound()]).await?;
        owner.open(&chromium, "widget.html").await?.joined().await?;
        let owner = Owner::start([broken(), broken(), sound()]).await?;
        owner
            .open(&chromium, "module.html")
            .await?
            .shows("looking")
            .await?;
        Ok(())
    });
}

#[test]
fn a_missing_file_means_the_defaults_and_one_bad_broker_is_skipped() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        let missing = Owner::start([(StatusCode::NOT_FOUND, Vec::new())]).await?;
        let tab = missing.open(&chromium, "").await?;
        tab.until("the field for a name", |page| page.has("name"))
            .await?;
        let broker = Broker::rumqttd().await?;
        let mut settings = settings(&broker.ws_url());
        settings["brokers"] = json!(["http://127.0.0.1:9", broker.ws_url()]);
        let owner = Owner::start([found(settings.to_string())]).await?;
        for path in ["", "widget.html"] {
            let tab = owner.open(&chromium, path).await?;
            if path.is_empty() {
                tab.enter_name("ann").await?;
            }
            tab.joined().await?;
        }
        owner
            .open(&chromium, "module.html")
            .await?
            .shows("looking")
            .await
    });
}

#[test]
fn a_mistake_in_the_tag_about_who_is_let_in_stops_the_widget() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        let broker = Broker::rumqttd().await?;
        let owner = Owner::start([found(settings(&broker.ws_url()).to_string())]).await?;
        let tab = owner.open(&chromium, "widget.html").await?;
        tab.joined().await?;
        tab.script(
            "document.querySelector('rt-chat').setAttribute('accept', 'nobody')",
            Vec::new(),
        )
        .await?;
        stops(&tab, "\"everyone\", \"ask\" or \"known\"").await
    });
}
