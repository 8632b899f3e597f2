//! What a call of several people costs: processor time, and bytes.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::{Instant, sleep};

use super::Bed;
use crate::bench::script;
use crate::bench::stage::{Stage, Window};

/// The time until browsers have found out how much they can send, and that in which is measured.
const SETTLED: Duration = Duration::from_secs(6);
const SPAN: Duration = Duration::from_secs(8);

/// The size of windows, in which pictures of 180 lines are asked for. Larger ones cost more to draw than to decode.
const SIZE: [u32; 2] = [900, 700];

/// What all people of a call cost together, in a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Milliseconds of processor time.
    pub processor: f64,
    pub kilobytes: f64,
    /// The pictures that were decoded: by them, both do the same work.
    pub pictures: f64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost {
            processor,
            kilobytes,
            pictures,
        } = self;
        write!(
            f,
            "{processor:.0} ms of the processor, {kilobytes:.0} kB and {pictures:.0} pictures a second"
        )
    }
}

/// Measures a call in rtchat's page and then a bare mesh, which sends with the same limits and draws with the same sizes.
pub async fn measure(bed: &mut Bed, count: usize) -> Result<[Cost; 2]> {
    let room = bed.fresh_room();
    let small = script("media/small.js")?;
    let people = bed
        .people(&room, count, std::slice::from_ref(&small))
        .await?;
    for window in &people {
        window.resize(SIZE).await?;
    }
    let (first, others) = people.split_first().context("nobody calls")?;
    first.wait("bench.call()").await?;
    for window in others {
        window.wait("bench.answer()").await?;
    }
    let ours = cost(&bed.stage, &people).await?;
    let mut terms = Vec::new();
    for window in &people {
        terms.push(window.wait(&format!("bench.terms({})", count - 1)).await?);
    }
    bed.stage.clear().await?;

    let scripts = [script("media/measure.js")?, small];
    let mut pages = Vec::new();
    for _ in 0..count {
        let window = bed.stage.window(&scripts).await?;
        let address = format!("{}{room}-bare&call", bed.bare.0.url());
        window.go(&address).await?;
        window.resize(SIZE).await?;
        window.wait("bench.open()").await?;
        window.run("bench.enter()").await?;
        pages.push(window);
    }
    for (window, terms) in pages.iter().zip(terms) {
        window.met(count - 1).await?;
        window.wait(&format!("bench.limit({terms})")).await?;
    }
    let bare = cost(&bed.stage, &pages).await?;
    bed.stage.clear().await?;
    Ok([ours, bare])
}

async fn cost(stage: &Stage, windows: &[Window<'_>]) -> Result<Cost> {
    sleep(SETTLED).await;
    let before = sums(windows).await?;
    let (start, processor) = (Instant::now(), stage.processor());
    sleep(SPAN).await;
    let processor = stage.processor() - processor;
    let seconds = start.elapsed().as_secs_f64();
    let after = sums(windows).await?;
    let mut cost = Cost {
        processor: processor / seconds,
        ..Cost::default()
    };
    // Each window was asked at a time of its own.
    for ([start, sent, seen], [end, sent_then, seen_then]) in before.into_iter().zip(after) {
        cost.kilobytes += (sent_then - sent) / (end - start);
        cost.pictures += (seen_then - seen) / (end - start) * 1e3;
    }
    Ok(cost)
}

/// In each window: the milliseconds, the bytes that were sent, and the pictures that were decoded.
async fn sums(windows: &[Window<'_>]) -> Result<Vec<[f64; 3]>> {
    let mut sums = Vec::new();
    for window in windows {
        let value = window.wait("bench.sums()").await?;
        sums.push(serde_json::from_value(value).context("the page counts something else")?);
    }
    Ok(sums)
}
