//! Measures the time of a page's main thread that the script tag takes before anybody opens the chat.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::cdp::domains::performance::{Enable, TimeDomain};

use super::Measured;
use super::machine::Machine;
use super::numbers::median;
use super::stage::Stage;
use super::subject::Subject;
use super::table::{Row, Target};
use crate::project;
use crate::testbed::{Broker, Browser, Site};

/// The target for the script tag and everything that it loads.
const MILLIS: f64 = 50.0;
/// The demonstration, and the part that is removed from it for comparison.
const PAGE: &str = "embed/demo/blog.html";
const TAG: &str = r#"<script src="../rtchat.js?add" async></script>"#;
/// The time for which the page is left alone, because every script would count as work. The chat is ready long before.
const SETTLED: Duration = Duration::from_secs(3);
/// The number of failed samples that are accepted.
const PATIENCE: u32 = 10;

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// The kind of reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// The chat asks for a name when it is opened.
    New,
    /// The chat knows the name, and joins in order to show the number of people.
    Known,
}

impl Reader {
    /// An expression that is true when everything is done that happens before the bubble is opened.
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
pub async fn run(options: Options) -> Result<Measured> {
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
                // Another port is another origin, with empty storage.
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
    let mut rows = Vec::new();
    for ((who, _), [without, with]) in readers.iter().zip(&figures) {
        let (without, with) = (median(without), median(with));
        let tag = with - without;
        let met = if tag <= MILLIS { "yes" } else { "NO" };
        println!("{who:<52}{without:>8.1}{with:>8.1}{tag:>10.1}{MILLIS:>10.0}{met:>6}");
        let what = format!("ms of the page's main thread for the script tag: {who}");
        rows.push(Row::new(what, tag).target(Target::AtMost(MILLIS)).short());
    }
    Ok(Measured {
        machine: Some(machine),
        rows,
    })
}

/// Creates a folder with the page as it is, and with a copy without the script tag.
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

/// The CPU time of the main thread for a page, which other load on the machine does not change.
async fn measure(site: &Site, page: &str, reader: Reader) -> Result<f64> {
    // Every measurement has a new browser, because a browser keeps the code that it has compiled.
    let browser = Browser::chromium().await?;
    if reader == Reader::Known {
        browser.goto(format!("{}bare.html", site.url())).await?;
        let name = "localStorage.setItem('rtchat/1/name', 'ann')";
        browser.execute(name, vec![]).await?;
        // The first visit creates a key.
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

/// Waits until the page is idle.
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
