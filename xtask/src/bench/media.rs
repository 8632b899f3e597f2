//! Measures sound and pictures: when the first one is seen, what they cost, and how soon they come on another network.

mod call;
mod recovery;
mod report;
mod watching;

use std::path::Path;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use tempfile::TempDir;

use super::machine::Machine;
use super::minimal::bundle;
use super::stage::{Stage, Window};
use super::subject::Subject;
use super::{Measured, script};
use crate::testbed::{Broker, Site};

/// The numbers of people in a call.
const PEOPLE: [usize; 3] = [2, 4, 6];
const NAMES: [&str; 6] = ["ann", "ben", "cid", "dan", "eve", "fay"];

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    /// Measure three times only
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    subject: Subject,
}

/// What was measured, with one entry for each sample.
#[derive(Debug, Default)]
struct Figures {
    /// Milliseconds from `watch` until the first picture: rtchat, the same once more, and bare connections.
    first: Vec<f64>,
    again: Vec<f64>,
    bare: Vec<f64>,
    /// What calls cost, for each number of people: rtchat, and a bare mesh.
    calls: [[Vec<call::Cost>; 2]; 3],
    /// Milliseconds until pictures come on another network; nothing where no networks can be made.
    recovery: Vec<f64>,
}

/// What all measurements share.
struct Bed {
    stage: Stage,
    rtchat: Site,
    bare: (Site, TempDir),
    _broker: Broker,
    rooms: u32,
}

impl Bed {
    async fn open(dist: &Path) -> Result<Bed> {
        let broker = Broker::aedes().await?;
        let settings = json!({ "brokers": [broker.ws_url()], "iceServers": [] });
        let folder = bundle("media/bare.js")?;
        Ok(Bed {
            stage: Stage::open().await?,
            rtchat: Site::start(dist, settings).await?,
            bare: (Site::start(folder.path(), json!({})).await?, folder),
            _broker: broker,
            rooms: 0,
        })
    }

    /// The query of a room that was not used before.
    fn fresh_room(&mut self) -> String {
        self.rooms += 1;
        format!("?room=media-{}", self.rooms)
    }

    /// People in a room of rtchat's page, each with storage of their own, who are all connected.
    async fn people(&self, room: &str, count: usize, more: &[String]) -> Result<Vec<Window<'_>>> {
        let person = script("media/person.js")?;
        let mut people = Vec::new();
        for name in NAMES.into_iter().take(count) {
            let own = [person.replace("PERSON", name)];
            let scripts = [&own, &page_scripts()?[..], more].concat();
            let window = self.stage.window(&scripts).await?;
            window.go(&format!("{}{room}", self.rtchat.url())).await?;
            window.wait("bench.joinable()").await?;
            window.wait(&format!("bench.join('{name}')")).await?;
            window.wait("bench.ready()").await?;
            people.push(window);
        }
        for window in &people {
            window.met(count - 1).await?;
        }
        Ok(people)
    }
}

/// The scripts that measure in rtchat's page, and press its buttons.
fn page_scripts() -> Result<Vec<String>> {
    let names = ["rtchat.js", "media/measure.js", "media/rtchat.js"];
    names.into_iter().map(script).collect()
}

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<Measured> {
    let dist = options.subject.folder().await?;
    let samples = if options.quick { 3 } else { options.samples };
    let mut bed = Bed::open(&dist).await?;
    let mut machine = Machine::look(&bed.stage).await?;
    print!("{machine}");
    let mut figures = Figures::default();
    for sample in 1..=samples {
        // The contestants take turns, so that other load on the machine affects both of them.
        watching::measure(&mut bed, &mut figures).await?;
        let last = |values: &[f64]| values.last().copied().unwrap_or_default();
        println!(
            "{sample} of {samples}: the first picture after {:.0} ms, once more after {:.0}, bare after {:.0}",
            last(&figures.first),
            last(&figures.again),
            last(&figures.bare)
        );
    }
    let calls = samples.div_ceil(3);
    for sample in 1..=calls {
        for (count, figures) in PEOPLE.into_iter().zip(&mut figures.calls) {
            let costs = match call::measure(&mut bed, count).await {
                Ok(costs) => costs,
                Err(error) => {
                    // A few cores are not enough for the pictures of many.
                    println!("{sample} of {calls}, {count} people: not measured, {error:#}");
                    bed.stage.clear().await?;
                    continue;
                }
            };
            let [ours, bare] = costs;
            println!("{sample} of {calls}, {count} people: {ours}; bare {bare}");
            for (figures, cost) in figures.iter_mut().zip(costs) {
                figures.push(cost);
            }
        }
    }
    match recovery::measure(&dist, calls).await? {
        Ok(millis) => figures.recovery = millis,
        Err(reason) => {
            println!("Another network is not measured: this machine lets us make none. {reason:#}")
        }
    }
    machine.look_again();
    let rows = report::rows(&figures);
    print!("\n{machine}\nMedians of {samples}, for calls and networks of {calls}\n");
    print!("{}", report::text(&rows));
    Ok(Measured {
        machine: Some(machine),
        rows,
    })
}
