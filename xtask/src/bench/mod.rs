//! Benchmarks: `cargo xtask bench connect`, `data`, `chat`, `media`, `embed`, `load` and `links`; without a name, all of them, into one table.
//!
//! A further one is a variant of [`Bench`] and an arm of [`measure`] that returns its rows.
//!
//! | module | responsibility |
//! | --- | --- |
//! | [`stage`] | one Chromium with pages in windows, which record when something happened |
//! | [`meeting`] | the time that pages take to connect, and the traffic until then |
//! | [`rtchat`], [`minimal`] | the contestants: rtchat's page, and Trystero and the browser alone in minimal pages |
//! | [`processor`] | the processor time and the memory of the browser |
//! | [`bare`] | the browser alone, without a broker |
//! | [`data`] | data on an open connection |
//! | [`chat`] | a conversation with 10,000 messages |
//! | [`media`] | sound and pictures |
//! | [`embed`] | the cost of the script tag |
//! | [`load`] | the time until a page can be used |
//! | [`trace`] | the steps of connecting, with their times |
//! | [`links`] | addresses and Markdown in messages |
//! | [`numbers`] | medians, and numbers as people read them |
//! | [`report`] | the printed report |
//! | [`all`], [`table`] | all benchmarks, in one table |

mod all;
mod bare;
mod chat;
mod data;
mod embed;
mod links;
mod load;
mod machine;
mod media;
mod meeting;
mod minimal;
mod numbers;
mod processor;
mod report;
mod rtchat;
mod stage;
mod subject;
mod table;
mod trace;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::testbed::{Bridge, Broker};
use crate::{project, size};
use machine::Machine;
use meeting::{Meeting, Start};
use stage::Stage;
use subject::Subject;
use table::Row;

/// The delay of the slow line to the broker, in each direction.
const DELAY: Duration = Duration::from_millis(50);
/// The number of tabs in the room of the mesh benchmark.
const TABS: usize = 6;
/// The number of times that pages may fail to connect in a run. More failures are an error.
const MAX_FAILURES: usize = 3;

/// A benchmark.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// Measure how long two browsers take to connect, and the traffic at the broker
    ///
    /// In one Chromium, with the MQTT broker aedes, in turn: rtchat, Trystero (@trystero-p2p/mqtt, another library
    /// with signalling over MQTT), and the browser alone: a bare pair of RTCPeerConnections, which need no signalling, and
    /// pages without a library that make the same connections over the same broker. What these take, nobody can save.
    /// Beside the time on the clock stands the processor time of all of the browser's processes (from /proc), which
    /// depends less on what else the machine does. Takes about 7 minutes. The machine should do nothing else.
    Connect(Options),
    /// Measure messages, bytes and files on a connection, and the time that a question takes meanwhile
    ///
    /// In one Chromium, between two pages, in turn: rtchat's module, Trystero, and bare RTCDataChannels. Ends with
    /// the targets, and whether each is met.
    Data(data::Options),
    /// Measure a conversation with 10,000 messages: opening it, scrolling, typing, catching up, memory
    ///
    /// In Chromium. The messages come from a native peer (`bot/src/bin/archive.rs`), which has them and passes them on. What
    /// two people say to each other is compared with a bare data channel between two pages.
    Chat(chat::Options),
    /// Measure sound and pictures: the first picture, the cost of calls, and another network
    ///
    /// In one Chromium with its synthetic devices, in turn: rtchat's page and bare connections. First, somebody opens a
    /// camera that is on, and the browser begins with the size that it likes; bare connections are open already, and
    /// renegotiate over a data channel. Then 2, 4 and 6 people
    /// are in a call with pictures of 320 × 180, 10 a second; a bare mesh sends with the same parameters, and draws with the
    /// same sizes. Last, in network namespaces, where this machine lets us make them: a network is taken away for 2 s and
    /// comes back with another address. The end-to-end test `network_calls` does the same for calls.
    Media(media::Options),
    /// Measure the work that the script tag causes in a page before anybody opens the chat
    ///
    /// The main thread's own time in Chromium, for the demonstration of the bubble with and without the tag.
    Embed(embed::Options),
    /// Measure how long the page takes until its welcome is seen, can be typed into, and has been joined
    ///
    /// In Chromium, on a first visit, with the browser's own imitation of slow lines and processors. The files are
    /// compressed, as static hosts send them.
    Load(load::Options),
    /// Measure how long the page takes to find the addresses and the Markdown in worst-case messages
    ///
    /// Natively, compiled as for tests: `examples/links.rs`.
    Links,
}

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Measure three times only
    #[arg(long)]
    quick: bool,
    /// Show the steps of connecting with their times instead
    #[arg(long, conflicts_with = "json")]
    trace: bool,
    /// Measure only how six tabs connect that are opened together, as often as there are samples
    #[arg(long, conflicts_with = "json")]
    tabs: bool,
    #[command(flatten)]
    subject: Subject,
    /// Write every sample to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs a benchmark, or all of them.
pub async fn run(bench: Option<Bench>) -> Result<()> {
    match bench {
        Some(bench) => measure(bench).await.map(drop),
        None => all::run().await,
    }
}

/// Runs a benchmark, prints its report, and returns its figures for the table of all benchmarks.
async fn measure(bench: Bench) -> Result<Measured> {
    match bench {
        Bench::Connect(options) => connect(options).await,
        Bench::Data(options) => data::run(options).await,
        Bench::Chat(options) => chat::run(options).await,
        Bench::Media(options) => media::run(options).await,
        Bench::Embed(options) => embed::run(options).await,
        Bench::Links => links::run().await,
        Bench::Load(options) => load::run(options).await,
    }
}

/// What a benchmark measured.
#[derive(Debug, Default)]
struct Measured {
    /// The machine, unless nothing but its processor matters.
    machine: Option<Machine>,
    rows: Vec<Row>,
}

/// The measurements of one contestant.
#[derive(Debug, Default)]
struct Figures {
    /// From joining, in a page that is open.
    joined: Vec<Meeting>,
    /// From navigation, in a page that joins by itself.
    navigated: Vec<Meeting>,
    /// From joining, over a slow line.
    delayed: Vec<Meeting>,
    /// From opening six tabs until all are connected to each other.
    mesh: Vec<Meeting>,
}

/// All measurements.
#[derive(Debug, Default)]
struct Results {
    /// Milliseconds.
    bare: Vec<f64>,
    rtchat: Figures,
    trystero: Figures,
    alone: Figures,
    /// The compressed size of everything that the page loads.
    page: u64,
    /// The names of contestants whose pages failed to connect and were tried again, one entry for each failure.
    failures: Vec<&'static str>,
}

/// A program that is measured.
#[derive(Debug)]
struct Contestant {
    name: &'static str,
    /// Scripts that run before the page's own.
    scripts: Vec<String>,
    /// The addresses of its page, for the fast and for the slow line. With `room=…` and `&join` added, it joins by itself.
    pages: [String; 2],
}

/// The line to the broker.
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

/// The browser and the lines to the broker.
#[derive(Debug)]
struct Bed {
    stage: Stage,
    bridges: [Bridge; 2],
    rooms: u32,
    failures: Vec<&'static str>,
}

impl Bed {
    /// The name of a room that was not used before.
    fn fresh_room(&mut self) -> String {
        self.rooms += 1;
        format!("bench-{}", self.rooms)
    }

    /// Measures how two pages connect, and tries again if they do not.
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

    /// Measures how many pages connect, and tries again if they do not.
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
        if self.failures.len() > MAX_FAILURES {
            return Err(error);
        }
        eprintln!("{error:#}; trying again");
        Ok(None)
    }
}

async fn connect(options: Options) -> Result<Measured> {
    let dist = options.subject.folder().await?;
    let page = size::total(&size::sizes(&dist)?, size::Part::Page).brotli;

    let broker = Broker::aedes().await?;
    let bridges = [
        Bridge::start(broker.tcp_port(), Duration::ZERO).await?,
        Bridge::start(broker.tcp_port(), DELAY).await?,
    ];
    let (_sites, rtchat) = rtchat::contestant(&dist, &bridges).await?;
    let minimal = |name, source| minimal::contestant(name, source, &bridges);
    let (_trystero_site, trystero) = minimal("Trystero", "trystero.js").await?;
    let (_alone_site, alone) = minimal("browser alone", "alone.js").await?;
    let mut bed = Bed {
        stage: Stage::open().await?,
        bridges,
        rooms: 0,
        failures: Vec::new(),
    };
    let samples = if options.quick { 3 } else { options.samples };
    let mut machine = Machine::look(&bed.stage).await?;
    print!("{machine}");
    if options.tabs {
        // Joins under a name, which the browser then knows.
        bed.two(&rtchat, Line::Fast, Start::Joining).await?;
    }
    if options.trace {
        if options.tabs {
            trace::tabs(&mut bed, rtchat).await?;
        } else {
            trace::run(&mut bed, rtchat, samples).await?;
        }
        return Ok(Measured::default());
    }

    let mut results = Results {
        page,
        ..Results::default()
    };
    let pairs = if options.tabs { 0 } else { samples };
    for sample in 1..=pairs {
        // The contestants take turns, so that other load on the machine affects all of them.
        let bare = bare::measure(&bed.stage, &trystero.pages[0]).await?;
        results.bare.push(bare);
        let mut shown = format!("{sample} of {samples}: bare {bare:.0}");
        let navigated = bed.two(&alone, Line::Fast, Start::Navigation).await?;
        shown += &format!("; {} {:.0} navigated", alone.name, navigated.millis);
        results.alone.navigated.push(navigated);
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
    let rooms = if options.tabs {
        samples
    } else {
        samples.div_ceil(3)
    };
    for sample in 1..=rooms {
        let mut shown = format!("room of {TABS}, {sample} of {rooms}");
        for (who, figures) in [
            (&rtchat, &mut results.rtchat),
            (&trystero, &mut results.trystero),
            (&alone, &mut results.alone),
        ] {
            let met = bed.many(who).await?;
            shown += &format!(
                "; {} {:.0} ms, {:.0} of the processor",
                who.name, met.millis, met.processor
            );
            figures.mesh.push(met);
        }
        println!("{shown}");
    }
    results.failures = bed.failures;
    machine.look_again();
    if options.tabs {
        print!("\n{machine}\n{}", report::tabs(&results));
        return Ok(Measured::default());
    }
    println!("\n{}", report::text(&results, &machine));
    if let Some(file) = options.json {
        let text = serde_json::to_string_pretty(&report::json(&results, &machine))?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(Measured {
        rows: report::rows(&results),
        machine: Some(machine),
    })
}

/// A script that runs in pages.
fn script(name: &str) -> Result<String> {
    let path = project::root().join("xtask/bench").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
