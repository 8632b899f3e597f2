//! The module `mqtt-rtc.js` in other people's pages.

mod attachments;
mod away;
mod broken;
mod calls;
mod client;
mod content;
mod conversations;
mod exports;
mod files;
mod hostile;
mod no_path;
mod persons;
mod program;
mod storage;
mod values;

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};
use xtask::testbed::Broker;

use crate::support::{Bed, Host, Tab, settings};

const EMPTY: &str = include_str!("empty.html");

/// A host with the module, one page and a broker of its own.
struct Stage {
    /// These are stopped when the stage is dropped.
    _host: Host,
    _broker: Broker,
    url: String,
}

impl Stage {
    async fn with(page: &str) -> Result<Stage> {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let url = host.put("blog/", settings(&broker.ws_url()))?;
        host.write_page("blog/index.html", page)?;
        Ok(Stage {
            _host: host,
            _broker: broker,
            url,
        })
    }

    /// Opens the page in Chromium and in Firefox, with a client in each: `ann` and `ben`, with these options. Their
    /// events are recorded in `window.seen`.
    async fn two(&self, bed: &Bed, options: Value) -> Result<[Tab; 2]> {
        let ann = bed.chromium().await?.open(&self.url).await?;
        let ben = bed.firefox().await?.open(&self.url).await?;
        start_client(&ann, "ann", options.clone()).await?;
        start_client(&ben, "ben", options).await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            until(
                tab,
                &format!("return (window.peer = client.getPeer('{other}'))?.state === 'verified'"),
            )
            .await?;
        }
        Ok([ann, ben])
    }
}

/// Creates a client called `name` and records its events, without the `Peer` that is their last argument.
async fn start_client(tab: &Tab, name: &str, options: Value) -> Result<()> {
    until(tab, "return 'module' in window").await?;
    let script = r#"
        const [name, options] = arguments;
        window.seen = [];
        window.client = new module.MQTTRTCClient({ name, ...options });
        const events = ["connectedtopeer", "disconnectedfrompeer", "answer", "chat", "dm", "data", "typing",
            "namechange", "validationfailure", "error"];
        for (const event of events) {
            client.on(event, (...values) => seen.push([event, ...values.filter((value) => !value?.markVerified)
                .map((value) => value?.stack !== undefined ? `${value.name}: ${value.message}` : value)]));
        }"#;
    tab.script(script, vec![name.into(), options]).await?;
    Ok(())
}

/// The result of a script, or of the promise that it returns.
async fn eval(tab: &Tab, script: &str) -> Result<Value> {
    tab.script(script, Vec::new()).await
}

/// Waits until a script returns a true value, and returns that value.
async fn until(tab: &Tab, script: &str) -> Result<Value> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let found = eval(tab, script).await;
        match found {
            Ok(value) if is_true(&value) => return Ok(value),
            _ if Instant::now() > end => {
                let seen = eval(tab, "return window.seen").await;
                bail!("never true: {script}; last {found:?}; seen {seen:?}")
            }
            _ => sleep(Duration::from_millis(30)).await,
        }
    }
}

/// Whether JavaScript takes a value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Waits until this event, written as JSON, was recorded.
async fn seen(tab: &Tab, event: &str) -> Result<Value> {
    let script =
        format!("return seen.some((its) => JSON.stringify(its) === JSON.stringify({event}))");
    until(tab, &script).await
}
