//! Measures how long a page takes until it can be used, on slow lines and slow processors.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Measured;
use super::machine::Machine;
use super::numbers::median;
use super::script;
use super::stage::Stage;
use super::subject::Subject;
use super::table::{Row, Target};
use crate::size;
use crate::testbed::{Broker, Browser, Site};

/// The number of times that a page is asked whether it has joined, and the time between two of them.
const PATIENCE: u32 = 600;
const LOOK: Duration = Duration::from_millis(100);

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// A line and a processor, as Chromium imitates them.
struct Profile {
    name: &'static str,
    /// Bits a second in each direction; `None` is as fast as it goes.
    line: Option<[u32; 2]>,
    /// The delay of a response in milliseconds.
    latency: u32,
    /// How many times slower the processor is.
    slower: u32,
    /// The milliseconds after which the welcome should be usable.
    usable: Option<f64>,
}

const PROFILES: [Profile; 3] = [
    Profile {
        name: "this machine",
        line: None,
        latency: 0,
        slower: 1,
        usable: None,
    },
    Profile {
        name: "a slow phone: 1.6 Mbit/s, 150 ms, a quarter of the processor",
        line: Some([1_600_000, 750_000]),
        latency: 150,
        slower: 4,
        usable: Some(700.0),
    },
    Profile {
        name: "3G: 0.4 Mbit/s, 400 ms, a quarter of the processor",
        line: Some([400_000, 400_000]),
        latency: 400,
        slower: 4,
        usable: None,
    },
];

impl Profile {
    async fn apply(&self, browser: &Browser) -> Result<()> {
        let devtools = browser.cdp();
        devtools.send_raw("Network.enable", json!({})).await?;
        let [down, up] = match self.line {
            Some(line) => line.map(|bits| i64::from(bits / 8)),
            None => [-1, -1],
        };
        let conditions = json!({
            "offline": false, "latency": self.latency, "downloadThroughput": down, "uploadThroughput": up,
        });
        devtools
            .send_raw("Network.emulateNetworkConditions", conditions)
            .await?;
        let rate = json!({ "rate": self.slower });
        devtools
            .send_raw("Emulation.setCPUThrottlingRate", rate)
            .await?;
        Ok(())
    }
}

/// What `load.js` records: the times until the welcome was seen, typed into, and the room joined, and the bytes until then.
type Loaded = [f64; 4];

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<Measured> {
    let dist = options.subject.folder().await?;
    let mut machine = Machine::look(&Stage::open().await?).await?;
    print!("{machine}");
    let (folder, script) = (compressed(&dist)?, script("load.js")?);
    let broker = Broker::aedes().await?;
    let settings = json!({ "brokers": [broker.ws_url()], "iceServers": [] });
    let mut figures: [Vec<Loaded>; 3] = Default::default();
    for sample in 1..=options.samples {
        for (profile, figures) in PROFILES.iter().zip(&mut figures) {
            // Another port is another origin, with empty storage.
            let site = Site::start(folder.path(), settings.clone()).await?;
            figures.push(measure(&site, profile, &script).await?);
        }
        println!("{sample} of {} done", options.samples);
    }
    machine.look_again();
    print!("\n{machine}");
    let heading = format!("First visit, ms, median of {}", options.samples);
    println!(
        "\n{heading:<64}{:>8}{:>8}{:>8}{:>6}",
        "seen", "typed", "joined", "kB"
    );
    let mut rows = Vec::new();
    for (profile, figures) in PROFILES.iter().zip(&figures) {
        let of = |figure: usize| {
            let figures: Vec<_> = figures.iter().map(|loaded| loaded[figure]).collect();
            median(&figures)
        };
        let [seen, typed, joined] = [of(0), of(1), of(2)];
        println!(
            "{:<64}{seen:>8.0}{typed:>8.0}{joined:>8.0}{:>6.0}",
            profile.name,
            of(3) / 1e3,
        );
        let row =
            |what: &str, millis| Row::new(format!("ms until {what}, {}", profile.name), millis);
        let usable = row("the welcome can be typed into", typed);
        let usable = match profile.usable {
            Some(limit) => usable.target(Target::AtMost(limit)).short(),
            None => usable,
        };
        rows.extend([
            row("the welcome is seen", seen),
            usable,
            row("the room is joined", joined),
        ]);
    }
    Ok(Measured {
        machine: Some(machine),
        rows,
    })
}

/// The page, with every file beside its compressed form, as static hosts send it.
fn compressed(dist: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(dist)?.flatten() {
        let (name, bytes) = (entry.file_name(), std::fs::read(entry.path())?);
        let mut brotli = name.clone();
        brotli.push(".br");
        std::fs::write(folder.path().join(brotli), size::brotli(&bytes)?)?;
        std::fs::write(folder.path().join(name), bytes)?;
    }
    Ok(folder)
}

async fn measure(site: &Site, profile: &Profile, script: &str) -> Result<Loaded> {
    // Every measurement has a new browser, because a browser keeps the code that it has compiled.
    let browser = Browser::chromium().await?;
    let source = json!({ "source": script });
    let before = "Page.addScriptToEvaluateOnNewDocument";
    browser.cdp().send_raw(before, source).await?;
    profile.apply(&browser).await?;
    browser.goto(site.url()).await?;
    for _ in 0..PATIENCE {
        let loaded = browser
            .execute(
                "return loaded.bytes && [loaded.seen, loaded.typed, loaded.joined, loaded.bytes]",
                vec![],
            )
            .await?;
        if matches!(loaded.json(), Value::Array(_)) {
            let loaded = loaded.json().clone();
            return serde_json::from_value(loaded).context("the page records something else");
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("the page never joined")
}
