//! What the script tag costs a page before anybody opens the chat: how long the page's main thread works for it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::cdp::domains::performance::{Enable, TimeDomain};

use super::machine::Machine;
use super::report::median;
use super::stage::Stage;
use super::subject::Subject;
use crate::project;
use crate::testbed::{Broker, Browser, Site};

/// So much may the script tag, and all that it loads, cost.
const MILLIS: f64 = 50.0;
/// The demonstration, and what is taken out of it for comparison.
const PAGE: &str = "embed/demo/blog.html";
const TAG: &str = r#"<script src="../rtchat.js?add" async></script>"#;
/// Nothing is asked of the page meanwhile, since that would be work as well. The chat is there long before.
const SETTLED: Duration = Duration::from_secs(3);
/// So often it may take longer.
const PATIENCE: u32 = 10;

/// How to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// How often each thing is measured; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// Who reads the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// The chat will ask for a name once it is opened.
    New,
    /// The chat knows the name, and joins so that it can count.
    Known,
}

impl Reader {
    /// True once all that is done before the bubble is opened has been done.
    fn ready(self) -> &'static str {
        match self {
            Reader::New => {
                "const loaded = ({ name }) => name.endsWith('.wasm');
                return performance.getEntriesByType('resource').some(loaded)
                    && !RTChat.widget.shadowRoot.querySelector('[aria-busy]')"
            }
            Reader::Known => "return RTChat.widget.status === 'looking'",
        }
    }
}

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<()> {
    let dist = options.subject.folder().await?;
    let mut machine = Machine::look(&Stage::open().await?).await?;
    print!("{machine}");
    let broker = Broker::aedes().await?;
    let (folder, settings) = (
        pages(&dist)?,
        json!({ "brokers": [broker.ws_url()], "iceServers": [] }),
    );
    let readers = [
        ("somebody who is new, and is asked for a name", Reader::New),
        ("somebody who was there before, and joins", Reader::Known),
    ];
    let mut figures: [[Vec<f64>; 2]; 2] = Default::default();
    for sample in 1..=options.samples {
        for ((_, reader), figures) in readers.iter().zip(&mut figures) {
            for (page, millis) in ["bare.html", "index.html"].into_iter().zip(figures) {
                // Another port is another origin, where nothing is stored.
                let site = Site::start(folder.path(), settings.clone()).await?;
                millis.push(measure(&site, page, *reader).await?);
            }
        }
        println!("{sample} of {} done", options.samples);
    }
    machine.look_again();
    print!("\n{machine}");
    let heading = format!("Work of the main thread, ms, median of {}", options.samples);
    println!(
        "\n{heading:<52}{:>8}{:>8}{:>10}{:>10}{:>6}",
        "without", "with", "the tag", "at most", "met"
    );
    for ((who, _), [without, with]) in readers.iter().zip(&figures) {
        let (without, with) = (median(without), median(with));
        let tag = with - without;
        let met = if tag <= MILLIS { "yes" } else { "NO" };
        println!("{who:<52}{without:>8.1}{with:>8.1}{tag:>10.1}{MILLIS:>10.0}{met:>6}");
    }
    Ok(())
}

/// A folder with the page as it is, and without the script tag.
fn pages(dist: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(dist)?.flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    let page = std::fs::read_to_string(project::root().join(PAGE))?;
    if !page.contains(TAG) {
        bail!("{PAGE} has no {TAG}");
    }
    let with = page.replace(TAG, &TAG.replace("../", ""));
    std::fs::write(folder.path().join("index.html"), with)?;
    std::fs::write(folder.path().join("bare.html"), page.replace(TAG, ""))?;
    Ok(folder)
}

/// How long the main thread works for a page: its own time, and not that of whatever else the machine does.
async fn measure(site: &Site, page: &str, reader: Reader) -> Result<f64> {
    // One for each measurement: what it has compiled once it compiles no more.
    let browser = Browser::chromium().await?;
    if reader == Reader::Known {
        browser.goto(format!("{}bare.html", site.url())).await?;
        let name = "localStorage.setItem('rtchat/1/name', 'ann')";
        browser.execute(name, vec![]).await?;
        // The first visit makes a key.
        browser.goto(site.url()).await?;
        settle(&browser, reader).await?;
    }
    browser.goto("about:blank").await?;
    let own_time = Enable {
        time_domain: Some(TimeDomain::ThreadTicks),
    };
    browser.cdp().send(own_time).await?;
    browser.goto(format!("{}{page}", site.url())).await?;
    if page == "bare.html" {
        tokio::time::sleep(SETTLED).await;
    } else {
        settle(&browser, reader).await?;
    }
    let metrics = browser.cdp().performance().get_metrics().await?;
    let tasks = metrics.iter().find(|metric| metric.name == "TaskDuration");
    let seconds = tasks.context("the browser does not say how long its tasks took")?;
    Ok(seconds.value * 1e3)
}

/// Waits until nothing more happens by itself.
async fn settle(browser: &Browser, reader: Reader) -> Result<()> {
    for _ in 0..PATIENCE {
        tokio::time::sleep(SETTLED).await;
        let ready = browser.execute(reader.ready(), vec![]).await?;
        if *ready.json() == Value::Bool(true) {
            return Ok(());
        }
    }
    bail!("the chat was never there")
}
