//! The time from pressing `watch` until the first picture, of a camera that is on already.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bed, Figures};
use crate::bench::script;

/// Measures rtchat's page and, in pages that are connected already, bare connections.
pub async fn measure(bed: &mut Bed, figures: &mut Figures) -> Result<()> {
    let room = bed.fresh_room();
    let [ann, ben] = &bed.people(&room, 2, &[]).await?[..] else {
        return Ok(());
    };
    ann.wait("bench.share()").await?;
    let first = seen(ben.wait("bench.watch()").await?)?;
    ben.wait("bench.unwatch()").await?;
    let again = seen(ben.wait("bench.watch()").await?)?;
    bed.stage.clear().await?;

    let scripts = [script("media/measure.js")?];
    let address = format!("{}{}-bare", bed.bare.0.url(), room);
    let ann = bed.stage.window(&scripts).await?;
    ann.go(&address).await?;
    ann.wait("bench.open()").await?;
    ann.run("bench.enter()").await?;
    let ben = bed.stage.window(&scripts).await?;
    ben.go(&address).await?;
    ben.run("bench.enter()").await?;
    ann.met(1).await?;
    ben.met(1).await?;
    let bare = seen(ben.wait("bench.watch()").await?)?;
    bed.stage.clear().await?;
    figures.first.push(first);
    figures.again.push(again);
    figures.bare.push(bare);
    Ok(())
}

/// The milliseconds until a picture was seen.
fn seen(value: Value) -> Result<f64> {
    serde_json::from_value(value).context("the page measures something else")
}
