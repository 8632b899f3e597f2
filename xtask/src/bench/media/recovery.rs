//! The time until pictures come again after a network was taken away and another address is there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Error, Result};
use serde_json::json;
use tokio::time::sleep;

use super::page_scripts;
use crate::bench::chat::{number, value};
use crate::bench::script;
use crate::testbed::{Browser, Change, Routers, Server};

/// The time without a network.
const GAP: Duration = Duration::from_secs(2);

/// The milliseconds, for each sample; or why no network could be made.
pub async fn measure(dist: &Path, samples: u32) -> Result<Result<Vec<f64>, Error>> {
    let mut routers = match Routers::new() {
        Ok(routers) => routers,
        Err(reason) => return Ok(Err(reason)),
    };
    let server = routers.serve(dist).await?;
    let ann = person(&routers, 0, &server, "ann").await?;
    let ben = person(&routers, 1, &server, "ben").await?;
    value(&ann, "bench.met(1)").await?;
    value(&ann, "bench.share()").await?;
    value(&ben, "bench.watch()").await?;
    value(&ben, "bench.note()").await?;
    let mut millis = Vec::new();
    for sample in 1..=samples {
        routers.unplug()?;
        sleep(GAP).await;
        routers.change(Change::Address)?;
        let took = number(&ben, "bench.next()").await?;
        println!(
            "{sample} of {samples}: pictures came {took:.0} ms after another address was there"
        );
        millis.push(took);
    }
    Ok(Ok(millis))
}

/// A browser behind one of the routers, in which somebody has joined.
async fn person(routers: &Routers, home: usize, server: &Server, name: &str) -> Result<Browser> {
    let browser = routers.chromium(home, server).await?;
    let scripts = [vec![script("watch.js")?], page_scripts()?].concat();
    for source in scripts {
        let before = "Page.addScriptToEvaluateOnNewDocument";
        browser
            .cdp()
            .send_raw(before, json!({ "source": source }))
            .await?;
    }
    browser.goto(server.url()).await?;
    value(&browser, "bench.joinable()").await?;
    value(&browser, &format!("bench.join('{name}')")).await?;
    value(&browser, "bench.ready()").await?;
    Ok(browser)
}
