//! Measures the time that pages take to connect, and the traffic until then.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use super::stage::{Stage, Window};
use super::{Contestant, Line};
use crate::testbed::{Bridge, Traffic};

/// The time that the first page waits for the second one. Both programs repeat their announcement while they are alone:
/// rtchat after 2¼ to 3¾ s and again after 6¾ to 11¼ s, Trystero three times within 2.1 s and then after a minute.
/// After this time neither of them publishes anything.
const QUIET: Duration = Duration::from_millis(4_500);

/// The parameter with which a page joins by itself. Without it, the pages of both programs ask for a name.
const JOINS: &str = "&join";

/// The event at which the time starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A visitor who submits a name, in a page that is open.
    Joining,
    /// A visitor who has been here before, and opens the page.
    Navigation,
}

/// The measurement of pages that connected.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// Milliseconds from the start until all pages are connected to each other.
    pub millis: f64,
    /// Milliseconds of processor time that the browser took until then.
    pub processor: f64,
    /// The traffic until then.
    pub traffic: Traffic,
    /// The events that the scripts recorded: the page (0 was there first), milliseconds since the start, and the event.
    pub notes: Vec<(usize, f64, String)>,
}

/// Measures how one page waits in a room, and another one joins.
pub async fn two(
    stage: &Stage,
    who: &Contestant,
    bridge: &Bridge,
    line: Line,
    room: &str,
    start: Start,
) -> Result<Meeting> {
    let address = who.address(line, room);
    let first = stage.window(&who.scripts).await?;
    first.go(&address).await?;
    first.wait("bench.joinable()").await?;
    first.run("bench.join('ann')").await?;
    first.wait("bench.ready()").await?;
    let quiet = tokio::time::Instant::now() + QUIET;
    let second = match start {
        Start::Joining => {
            let second = stage.window(&who.scripts).await?;
            second.go(&address).await?;
            second.wait("bench.joinable()").await?;
            second
        }
        Start::Navigation => stage.window(&who.scripts).await?,
    };
    tokio::time::sleep_until(quiet).await;
    bridge.reset();
    let before = stage.processor();
    match start {
        Start::Joining => second.run("bench.join('ben')").await?,
        Start::Navigation => second.go(&format!("{address}{}", JOINS)).await?,
    }
    let seconds = second.met(1).await?;
    let firsts = first.met(1).await?;
    let traffic = bridge.stats();
    Ok(Meeting {
        processor: stage.processor() - before,
        millis: firsts.met.max(seconds.met) - seconds.start,
        traffic,
        notes: notes(&[first, second], seconds.start).await?,
    })
}

/// What the pages recorded, since the start.
async fn notes(windows: &[Window<'_>], start: f64) -> Result<Vec<(usize, f64, String)>> {
    let mut notes = Vec::new();
    for (page, window) in windows.iter().enumerate() {
        let noted = window.wait("bench.trace?.() ?? []").await?;
        let noted: Vec<(f64, String)> = serde_json::from_value(noted)?;
        let since = noted.into_iter().map(|(at, what)| (page, at - start, what));
        notes.extend(since);
    }
    Ok(notes)
}

/// Measures how tabs of one browser, which are opened together, connect to each other.
pub async fn many(
    stage: &Stage,
    who: &Contestant,
    bridge: &Bridge,
    room: &str,
    tabs: usize,
) -> Result<Meeting> {
    let address = format!("{}{}", who.address(Line::Fast, room), JOINS);
    let mut windows = Vec::new();
    for _ in 0..tabs {
        windows.push(stage.window(&who.scripts).await?);
    }
    bridge.reset();
    let before = stage.processor();
    // All tabs join at the same time, which is late enough to reach all of them with the command.
    let lead = Duration::from_millis(100 * (tabs as u64 + 2));
    let start = SystemTime::now() + lead;
    let begin = tokio::time::Instant::now() + lead;
    let start = start
        .duration_since(SystemTime::UNIX_EPOCH)
        .context("the computer's clock is wrong")?;
    let start = start.as_secs_f64() * 1e3;
    for window in &windows {
        let go = format!("setTimeout(() => location.assign('{address}'), {start} - Date.now())");
        window.run(&go).await?;
    }
    tokio::time::sleep_until(begin + Duration::from_millis(300)).await;
    let mut end = start;
    for window in &windows {
        end = end.max(window.met(tabs - 1).await?.met);
    }
    Ok(Meeting {
        millis: end - start,
        processor: stage.processor() - before,
        traffic: bridge.stats(),
        notes: notes(&windows, start).await?,
    })
}
