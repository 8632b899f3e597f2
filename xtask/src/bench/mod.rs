//! Measurements: `cargo xtask bench connect`, `data`, `embed` and `links`.
//!
//! | module | what it knows |
//! | --- | --- |
//! | [`stage`] | one Chromium, and pages in windows of it that tell when something happened |
//! | [`meeting`] | how long pages take to meet, and what goes over the broker meanwhile |
//! | [`rtchat`], [`trystero`] | the two that are compared |
//! | [`bare`] | what the browser takes alone |
//! | [`data`] | what goes through a connection once it is there |
//! | [`embed`] | what the script tag costs a page |
//! | [`trace`] | where the time goes |
//! | [`report`] | what is printed |

mod bare;
mod data;
mod embed;
mod machine;
mod meeting;
mod report;
mod rtchat;
mod stage;
mod subject;
mod trace;
mod trystero;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::testbed::{Bridge, Broker};
use crate::{build, process, project};
use machine::Machine;
use meeting::{Meeting, Start};
use stage::Stage;
use subject::Subject;

/// How late every byte to and from the broker is on the slow line, each way.
const DELAY: Duration = Duration::from_millis(50);
/// How many tabs make a room.
const TABS: usize = 6;
/// So often may pages fail to meet, in the whole run, before that is an error.
const PATIENCE: usize = 3;

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// How long two browsers take until they talk, and what it costs the broker
    ///
    /// In one Chromium, with the MQTT broker aedes, side by side: rtchat, Trystero (@trystero-p2p/mqtt, another library
    /// that meets over MQTT), and a bare pair of RTCPeerConnections, which need no meeting. Takes about 6 minutes, and
    /// a machine that does nothing else.
    Connect(Options),
    /// How many messages, bytes and files go through a connection, and how long a question takes meanwhile
    ///
    /// In one Chromium, between two pages, side by side: rtchat's module, Trystero, and bare RTCDataChannels. Ends with
    /// the targets, and whether each is met.
    Data(data::Options),
    /// How much work the script tag is for a page before anybody opens the chat
    ///
    /// The main thread's own time in Chromium, for the demonstration of the bubble with and without the tag.
    Embed(embed::Options),
    /// How long the page takes to find the addresses in the most tedious messages
    ///
    /// Natively, compiled as for tests: `examples/links.rs`.
    Links,
}

/// How to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// How often each thing is measured; the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Measure three times only
    #[arg(long)]
    quick: bool,
    /// Show where rtchat's time goes instead
    #[arg(long, conflicts_with = "json")]
    trace: bool,
    #[command(flatten)]
    subject: Subject,
    /// Write every sample to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs a benchmark.
pub async fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Connect(options) => connect(options).await,
        Bench::Data(options) => data::run(options).await,
        Bench::Embed(options) => embed::run(options).await,
        Bench::Links => tokio::task::spawn_blocking(links).await?,
    }
}

/// Everything that was measured for one of those that are compared.
#[derive(Debug, Default)]
struct Figures {
    /// From joining, in a page that is open.
    joined: Vec<Meeting>,
    /// From navigation, in a page that joins by itself.
    navigated: Vec<Meeting>,
    /// From joining, over a slow line.
    delayed: Vec<Meeting>,
    /// From opening six tabs until all are connected with all.
    mesh: Vec<Meeting>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
struct Results {
    /// In milliseconds.
    bare: Vec<f64>,
    rtchat: Figures,
    trystero: Figures,
    /// All that the page loads, compressed.
    page: u64,
    /// Whose pages did not meet, and were given another try; once for each time.
    failures: Vec<&'static str>,
}

/// One that is compared.
#[derive(Debug)]
struct Contestant {
    name: &'static str,
    /// Run before the page's own.
    scripts: Vec<String>,
    /// Where its page is, for the fast and for the slow line; `room=…` can be added, and `&join` makes it join by itself.
    pages: [String; 2],
}

/// A way to the broker: the fast or the slow one.
#[derive(Clone, Copy, Debug)]
enum Line {
    Fast,
    Slow,
}

impl Contestant {
    fn address(&self, line: Line, room: &str) -> String {
        format!("{}room={room}", self.pages[line as usize])
    }
}

/// What everything is measured with.
#[derive(Debug)]
struct Bed {
    stage: Stage,
    bridges: [Bridge; 2],
    rooms: u32,
    failures: Vec<&'static str>,
}

impl Bed {
    /// A room that nobody has been in.
    fn fresh_room(&mut self) -> String {
        self.rooms += 1;
        format!("bench-{}", self.rooms)
    }

    /// Measures how two meet; again, if they do not.
    async fn two(&mut self, who: &Contestant, line: Line, start: Start) -> Result<Meeting> {
        loop {
            let room = self.fresh_room();
            let bridge = &self.bridges[line as usize];
            let met = meeting::two(&self.stage, who, bridge, line, &room, start).await;
            if let Some(meeting) = self.judge(who, met).await? {
                return Ok(meeting);
            }
        }
    }

    /// Measures how many meet; again, if they do not.
    async fn many(&mut self, who: &Contestant) -> Result<Meeting> {
        loop {
            let room = self.fresh_room();
            let bridge = &self.bridges[Line::Fast as usize];
            let met = meeting::many(&self.stage, who, bridge, &room, TABS).await;
            if let Some(meeting) = self.judge(who, met).await? {
                return Ok(meeting);
            }
        }
    }

    async fn judge(&mut self, who: &Contestant, met: Result<Meeting>) -> Result<Option<Meeting>> {
        self.stage.clear().await?;
        let error = match met {
            Ok(meeting) => return Ok(Some(meeting)),
            Err(error) => error.context(format!("{} could not be measured", who.name)),
        };
        self.failures.push(who.name);
        if self.failures.len() > PATIENCE {
            return Err(error);
        }
        eprintln!("{error:#}; once more");
        Ok(None)
    }
}

async fn connect(options: Options) -> Result<()> {
    let dist = options.subject.folder().await?;
    let page = build::sizes(&dist)?
        .iter()
        .filter(|file| file.part() == build::Part::Page)
        .map(|file| file.brotli)
        .sum();

    let broker = Broker::aedes().await?;
    let bridges = [
        Bridge::start(broker.tcp_port(), Duration::ZERO).await?,
        Bridge::start(broker.tcp_port(), DELAY).await?,
    ];
    let (_sites, rtchat) = rtchat::contestant(&dist, &bridges).await?;
    let (_site, trystero) = trystero::contestant(&bridges).await?;
    let mut bed = Bed {
        stage: Stage::open().await?,
        bridges,
        rooms: 0,
        failures: Vec::new(),
    };
    let samples = if options.quick { 3 } else { options.samples };
    let mut machine = Machine::look(&bed.stage).await?;
    print!("{machine}");
    if options.trace {
        return trace::run(&mut bed, rtchat, samples).await;
    }

    let mut results = Results {
        page,
        ..Results::default()
    };
    for sample in 1..=samples {
        // In turn, so that whatever else the machine does meets all of them.
        let bare = bare::measure(&bed.stage, &trystero.pages[0]).await?;
        results.bare.push(bare);
        let mut shown = format!("{sample} of {samples}: bare {bare:.0}");
        for (who, figures) in [
            (&rtchat, &mut results.rtchat),
            (&trystero, &mut results.trystero),
        ] {
            let joined = bed.two(who, Line::Fast, Start::Joining).await?;
            let navigated = bed.two(who, Line::Fast, Start::Navigation).await?;
            let delayed = bed.two(who, Line::Slow, Start::Joining).await?;
            shown += &format!(
                "; {} {:.0} joined, {:.0} navigated, {:.0} delayed",
                who.name, joined.millis, navigated.millis, delayed.millis
            );
            figures.joined.push(joined);
            figures.navigated.push(navigated);
            figures.delayed.push(delayed);
        }
        println!("{shown} ms");
    }
    let rooms = samples.div_ceil(3);
    for sample in 1..=rooms {
        let ours = bed.many(&rtchat).await?;
        let theirs = bed.many(&trystero).await?;
        println!(
            "room of {TABS}, {sample} of {rooms}: {} {} B in {:.0} ms; {} {} B in {:.0} ms",
            rtchat.name,
            ours.traffic.payload_bytes,
            ours.millis,
            trystero.name,
            theirs.traffic.payload_bytes,
            theirs.millis
        );
        results.rtchat.mesh.push(ours);
        results.trystero.mesh.push(theirs);
    }
    results.failures = bed.failures;
    machine.look_again();
    println!("\n{}", report::text(&results, &machine));
    if let Some(file) = options.json {
        let text = serde_json::to_string_pretty(&report::json(&results, &machine))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn links() -> Result<()> {
    let mut cargo = project::cargo();
    cargo.args([
        "run",
        "--quiet",
        "--package",
        "rtchat",
        "--example",
        "links",
    ]);
    process::run(&mut cargo)
}

/// A script of ours, run in pages.
fn script(name: &str) -> Result<String> {
    let path = project::root().join("xtask/bench").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
