//! What goes through a connection once it is there: how many messages, how many bytes, how long a question takes.

mod table;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::machine::Machine;
use super::script;
use super::stage::{Stage, Window};
use super::subject::Subject;
use super::trystero::bundle;
use crate::testbed::{Broker, Site};

/// So many short messages are sent in one go, each of so many characters.
const TEXTS: (u32, u32) = (20_000, 100);
/// So many blocks of so many bytes: 64 MiB.
const BLOCKS: (u32, u32) = (1_024, 64 * 1024);
/// A file has so many bytes: 64 MiB.
const FILE: u32 = 64 * 1024 * 1024;
/// So many questions are asked, one after the other: with nothing else to do, and while much is sent.
const TRIPS: u32 = 500;
const LOADED_TRIPS: u32 = 200;

/// So often two pages may try to meet.
const ATTEMPTS: u32 = 3;

/// How to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// How often each thing is measured; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// The bare channel, rtchat, Trystero.
type Contestants<T> = [T; 3];

/// One that is compared, and its site.
struct Contestant {
    name: &'static str,
    page: String,
    _site: (Site, TempDir),
}

/// Everything that was measured of one of them, one entry for each sample.
#[derive(Debug, Default)]
struct Figures {
    /// Short messages a second.
    rate: Vec<f64>,
    /// Bytes on the channel for each of them beyond its own characters.
    overhead: Vec<f64>,
    /// Megabytes a second, in blocks.
    throughput: Vec<f64>,
    /// The same of a file.
    files: Vec<f64>,
    /// Milliseconds until a question is answered, 50th and 99th percentile.
    idle: [Vec<f64>; 2],
    /// The same while blocks are sent.
    loaded: [Vec<f64>; 2],
    /// The same while a file is on its way.
    with_file: [Vec<f64>; 2],
}

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<()> {
    let dist = options.subject.folder().await?;
    let broker = Broker::aedes().await?;
    let contestants: Contestants<Contestant> = [
        contestant("bare channel", "data/bare.js", &broker, None).await?,
        contestant("rtchat", "data/rtchat.js", &broker, Some(&dist)).await?,
        contestant("Trystero", "data/trystero.js", &broker, None).await?,
    ];
    let stage = Stage::open().await?;
    let mut machine = Machine::look(&stage).await?;
    print!("{machine}");
    let mut figures: Contestants<Figures> = Default::default();
    for sample in 1..=options.samples {
        // In turn, so that whatever else the machine does meets all of them.
        for (contestant, figures) in contestants.iter().zip(&mut figures) {
            measure(&stage, contestant, sample, figures)
                .await
                .with_context(|| format!("{} could not be measured", contestant.name))?;
        }
        println!("{sample} of {} done", options.samples);
    }
    machine.look_again();
    print!("\n{machine}\n{}", table::text(&figures, options.samples));
    Ok(())
}

async fn contestant(
    name: &'static str,
    page: &str,
    broker: &Broker,
    module: Option<&Path>,
) -> Result<Contestant> {
    let folder = bundle(page)?;
    if let Some(dist) = module {
        for entry in std::fs::read_dir(dist)?.flatten() {
            if entry.file_name().to_string_lossy().starts_with("mqtt-rtc") {
                std::fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
            }
        }
    }
    let settings = json!({ "brokers": [broker.ws_url()], "iceServers": [] });
    let site = Site::start(folder.path(), settings).await?;
    Ok(Contestant {
        name,
        page: format!("{}?relay={}&room=", site.url(), broker.ws_url()),
        _site: (site, folder),
    })
}

/// Two pages that have met. How well they meet is measured elsewhere, so here they may try again.
async fn meeting<'a>(
    stage: &'a Stage,
    contestant: &Contestant,
    sample: u32,
) -> Result<[Window<'a>; 2]> {
    let scripts = [script("data/measure.js")?, script("data/files.js")?];
    let mut attempt = 0;
    loop {
        attempt += 1;
        let address = format!("{}data-{sample}-{attempt}", contestant.page);
        let first = stage.window(&scripts).await?;
        first.go(&address).await?;
        let second = stage.window(&scripts).await?;
        second.go(&address).await?;
        let met = async {
            first.met(1).await?;
            second.met(1).await
        };
        match met.await {
            Ok(_) => return Ok([first, second]),
            Err(error) if attempt < ATTEMPTS => {
                eprintln!("{} did not meet; once more ({error:#})", contestant.name);
                stage.clear().await?;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn measure(
    stage: &Stage,
    contestant: &Contestant,
    sample: u32,
    figures: &mut Figures,
) -> Result<()> {
    let [first, second] = meeting(stage, contestant, sample).await?;
    first.wait("bench.receive()").await?;

    let (count, size) = TEXTS;
    // Milliseconds until the other page has said that all came, in their order, and the bytes given to data channels.
    let series = async |expression: String| -> Result<(f64, f64)> {
        Ok(serde_json::from_value(second.wait(&expression).await?)?)
    };
    let (millis, bytes) = series(format!("bench.texts({count}, {size})")).await?;
    figures.rate.push(f64::from(count) / millis * 1e3);
    figures
        .overhead
        .push(bytes / f64::from(count) - f64::from(size));
    let (count, size) = BLOCKS;
    let (millis, _) = series(format!("bench.blocks({count}, {size})")).await?;
    let megabytes = f64::from(count) * f64::from(size) / 1e6;
    figures.throughput.push(megabytes / millis * 1e3);

    first.wait("bench.receiveFiles(true)").await?;
    let millis = second.wait(&format!("bench.file({FILE})")).await?;
    let millis: f64 = serde_json::from_value(millis)?;
    figures.files.push(f64::from(FILE) / 1e6 / millis * 1e3);
    first.wait("bench.receiveFiles(false)").await?;
    for (expression, figures) in [
        (format!("bench.trips({TRIPS})"), &mut figures.idle),
        (
            format!("bench.loadedTrips({LOADED_TRIPS}, {size})"),
            &mut figures.loaded,
        ),
        (
            format!("bench.tripsDuringFiles({LOADED_TRIPS}, {FILE})"),
            &mut figures.with_file,
        ),
    ] {
        let trips: Vec<f64> = serde_json::from_value(second.wait(&expression).await?)?;
        for (percent, figures) in [50, 99].into_iter().zip(figures) {
            let at = trips.len() * percent / 100;
            figures.push(trips.get(at).copied().unwrap_or_default());
        }
    }
    stage.clear().await
}
