//! Calls on networks that change, as in `network.rs`.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep_until};
use xtask::testbed::{Change, Routers};

use crate::calls::Caller;
use crate::network::{BUSY, LIMIT, open, routers};
use crate::support::{Tab, run, with_script};

const STATE: &str = "attribute('call-state', 'data-state')";

#[test]
fn a_call_goes_on_soon_after_the_network_has_changed() {
    let Some(mut routers) = routers() else {
        return;
    };
    run(|bed| async move {
        let folder = with_script(include_str!("calls/before.js"))?;
        let server = routers.serve(folder.path()).await?;
        let ann = open(&bed, &routers, 0, &server, "ann").await?;
        let ben = open(&bed, &routers, 1, &server, "ben").await?;
        ann.sees(&["ben"]).await?;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        let tabs = [ann, ben];
        for (tab, other) in tabs.iter().zip(["ben", "ann"]) {
            tab.until_said(STATE, "connected").await?;
            tab.until_call(&format!("sees('{other}')")).await?;
            tab.until_call(&format!("hears('{other}')")).await?;
            tab.script(include_str!("calls/flow.js"), Vec::new())
                .await?;
        }
        let two_seconds = Duration::from_secs(2);
        for (change, gap) in [
            (Change::Address, Duration::ZERO),
            (Change::Address, two_seconds),
            (Change::Router, two_seconds),
        ] {
            let took = across(&tabs, &mut routers, change, gap).await?;
            println!("{change:?} after a gap of {gap:?}: pictures and sound after {took:?}");
            let slowest = took.into_iter().flatten().max().unwrap_or_default();
            ensure!(
                u128::from(slowest) <= (LIMIT * BUSY).as_millis(),
                "{change:?} took {slowest} ms"
            );
        }
        Ok(())
    });
}

/// Changes the network of the first one, after a gap. Returns, for both, after how many milliseconds pictures and sound came
/// again. The call is the same one, nobody has left it, and no device was opened anew.
async fn across(
    tabs: &[Tab; 2],
    routers: &mut Routers,
    change: Change,
    gap: Duration,
) -> Result<[[u64; 2]; 2]> {
    if !gap.is_zero() {
        routers.unplug()?;
        // The gap itself is what is tested, so it has to last.
        sleep_until(Instant::now() + gap).await;
    }
    routers.change(change)?;
    // All browsers of this machine have the same clock.
    let moment = tabs[1].script("return Date.now()", Vec::new()).await?;
    let mut took = [[0; 2]; 2];
    for ((tab, took), other) in tabs.iter().zip(&mut took).zip(["ben", "ann"]) {
        let goes_on = "return (flow.took = flow.after(arguments[0])) !== null";
        tab.until_true(goes_on, vec![moment.clone()]).await?;
        *took = serde_json::from_value(tab.script("return flow.took", Vec::new()).await?)?;
        tab.until_said(STATE, "connected").await?;
        tab.until_said("users()", "ann/camera,ben/camera").await?;
        tab.until_call(&format!("hears('{other}')")).await?;
        tab.until_true("return flow.isSame()", Vec::new()).await?;
        let page = tab.page().await?;
        ensure!(!page.has("call-line"), "the call has ended: {page:?}");
        let states = tab.script("return flow.states", Vec::new()).await?;
        println!("{other} was there; the call was said to be {states}");
    }
    Ok(took)
}
