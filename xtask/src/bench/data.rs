//! Measures an open connection: messages and bytes a second, and the time that a question takes.

mod table;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::Measured;
use super::machine::Machine;
use super::minimal::bundle;
use super::script;
use super::stage::{Stage, Window};
use super::subject::Subject;
use crate::testbed::{Broker, Site};

/// Short messages that are sent in one go: their number, and the characters in each.
const TEXTS: (u32, u32) = (20_000, 100);
/// Blocks that are sent: their number, and the bytes in each. Together they are 64 MiB.
const BLOCKS: (u32, u32) = (1_024, 64 * 1024);
/// The size of a file: 64 MiB.
const FILE: u32 = 64 * 1024 * 1024;
/// The number of questions that are asked one after the other: on an idle connection, and while data is sent.
const TRIPS: u32 = 500;
const LOADED_TRIPS: u32 = 200;

/// The number of times that two pages may try to connect.
const ATTEMPTS: u32 = 3;

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// The bare channel, rtchat, Trystero.
type Contestants<T> = [T; 3];

/// A contestant and its site.
struct Contestant {
    name: &'static str,
    page: String,
    _site: (Site, TempDir),
}

/// The measurements of one contestant, with one entry for each sample.
#[derive(Debug, Default)]
struct Figures {
    /// Short messages a second.
    rate: Vec<f64>,
    /// Bytes on the channel for each message, without its own characters.
    overhead: Vec<f64>,
    /// Megabytes a second, in blocks.
    throughput: Vec<f64>,
    /// The same for a file.
    files: Vec<f64>,
    /// Milliseconds until a question is answered, 50th and 99th percentile.
    idle: [Vec<f64>; 2],
    /// The same while blocks are sent.
    loaded: [Vec<f64>; 2],
    /// The same while a file is sent.
    with_file: [Vec<f64>; 2],
}

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<Measured> {
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
        // The contestants take turns, so that other load on the machine affects all of them.
        for (contestant, figures) in contestants.iter().zip(&mut figures) {
            measure(&stage, contestant, sample, figures)
                .await
                .with_context(|| format!("{} could not be measured", contestant.name))?;
        }
        println!("{sample} of {} done", options.samples);
    }
    machine.look_again();
    print!("\n{machine}\n{}", table::text(&figures, options.samples));
    Ok(Measured {
        machine: Some(machine),
        rows: table::rows(&figures),
    })
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

/// Connects two pages. How fast that is, is measured elsewhere, so they may try again here.
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
    // Milliseconds until the other page reports that everything arrived in order, and the bytes given to data channels.
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
