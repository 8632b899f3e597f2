//! Several people in one call, and several who could open what one of them shows.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::testbed::{Broker, Site};

use crate::calls::Caller;
use crate::support::{Bed, Tab, run, settings, with_script};

const NAMES: [&str; 4] = ["ann", "ben", "cid", "dan"];

/// So many pictures have to come while it is looked whether others get any.
const PICTURES: u64 = 50;

/// Four browsers with cameras are enough for a small machine at a time.
static PLACE: Mutex<()> = Mutex::new(());

/// Waits until no other four people meet. The time does not count as the test's own.
fn place() -> MutexGuard<'static, ()> {
    PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What several people meet on.
struct Meeting {
    tabs: [Tab; 4],
    _site: Site,
    _folder: TempDir,
    _broker: Broker,
}

/// Four people who have met, two in Chromium and two in Firefox, with small pictures.
async fn four(bed: &Bed) -> Result<Meeting> {
    let broker = Broker::rumqttd().await?;
    let folder = with_script(include_str!("calls/before.js"))?;
    let site = Site::start(folder.path(), settings(&broker.ws_url())).await?;
    let tabs = [
        bed.chromium().await?.open(site.url()).await?,
        bed.firefox().await?.open(site.url()).await?,
        bed.chromium().await?.open(site.url()).await?,
        bed.firefox().await?.open(site.url()).await?,
    ];
    for (tab, name) in tabs.iter().zip(NAMES) {
        tab.join(name).await?;
    }
    for (tab, own) in tabs.iter().zip(NAMES) {
        tab.sees(&others(own, &NAMES)).await?;
    }
    Ok(Meeting {
        tabs,
        _site: site,
        _folder: folder,
        _broker: broker,
    })
}

fn others<'a>(own: &str, all: &[&'a str]) -> Vec<&'a str> {
    all.iter().copied().filter(|name| *name != own).collect()
}

/// The sum of what all connections of a tab count.
async fn summed(tab: &Tab, type_: &str, what: &str) -> Result<u64> {
    let script = "return summed(arguments[0], arguments[1])";
    let sum = tab.script(script, vec![json!(type_), json!(what)]).await?;
    sum.as_u64().with_context(|| format!("{sum} is no count"))
}

/// Waits until so many more pictures have come.
async fn until_more_pictures(tab: &Tab) -> Result<()> {
    let wanted = summed(tab, "inbound-rtp", "frames").await? + PICTURES;
    let script = "return summed('inbound-rtp', 'frames').then((now) => now >= arguments[0])";
    tab.until_true(script, vec![json!(wanted)]).await
}

/// The bytes of sound and pictures that have come.
async fn received(tab: &Tab) -> Result<u64> {
    Ok(summed(tab, "inbound-rtp", "audio").await? + summed(tab, "inbound-rtp", "video").await?)
}

#[test]
fn four_people_see_and_hear_each_other_and_go_on_when_one_leaves() {
    let _place = place();
    run(|bed| async move {
        let meeting = four(&bed).await?;
        let [ann, ben, cid, dan] = &meeting.tabs;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        for tab in [ben, cid, dan] {
            tab.press("answer-video").await?;
            tab.press("media-go").await?;
        }
        all_meet(&meeting.tabs, &NAMES).await?;

        // Each picture is as large as it is looked at, and no more than three receivers are worth.
        let limited = "return Promise.all(connections.filter((its) => its.connectionState === 'connected').map(async (connection) => {
                const sent = [...(await connection.getStats()).values()].filter((its) => its.type === 'outbound-rtp' && its.kind === 'video');
                const sender = connection.getSenders().find((its) => its.track?.kind === 'video');
                const { maxFramerate, maxBitrate } = sender?.getParameters().encodings[0] ?? {};
                return sent.length === 1 && sent[0].frameHeight > 0 && sent[0].frameHeight <= 180 && maxFramerate <= 25 && maxBitrate <= 900_000;
            })).then((all) => all.length === 3 && all.every((its) => its))";
        for tab in &meeting.tabs {
            tab.until_true(limited, Vec::new()).await?;
        }

        dan.press("hang-up").await?;
        dan.until_said("users()", "").await?;
        all_meet(&meeting.tabs[..3], &NAMES[..3]).await?;
        let state = "attribute('call-state', 'data-state')";
        for tab in [ann, ben, cid] {
            tab.until_said(state, "connected").await?;
            until_more_pictures(tab).await?;
        }
        // Whoever speaks is in the middle, if that is wished.
        ann.press("call-more").await?;
        ann.press("spotlight").await?;
        for (silent, speaker, other) in [(ben, "cid", "ben"), (cid, "ben", "cid")] {
            silent.press("mute").await?;
            let middle = "const width = (user) => document.querySelector(`[data-testid=tile][data-user=${user}]`).clientWidth;
                return width(arguments[0]) > 1.5 * width(arguments[1])";
            ann.until_true(middle, vec![json!(speaker), json!(other)])
                .await?;
            silent.press("mute").await?;
        }
        // Nothing of him is left open.
        let closed = "return opened.every((track) => track.readyState === 'ended')";
        dan.until_true(closed, Vec::new()).await?;
        bed.no_errors().await
    });
}

/// Waits until everybody sees and hears all others.
async fn all_meet(tabs: &[Tab], names: &[&str]) -> Result<()> {
    let tiles: Vec<String> = names.iter().map(|name| format!("{name}/camera")).collect();
    for (tab, own) in tabs.iter().zip(names) {
        tab.until_said("users()", &tiles.join(",")).await?;
        for other in others(own, names) {
            tab.until_call(&format!("sees('{other}')")).await?;
            tab.until_call(&format!("hears('{other}')")).await?;
        }
    }
    Ok(())
}

#[test]
fn what_is_shown_is_sent_to_nobody_but_those_who_have_opened_it() {
    let _place = place();
    run(|bed| async move {
        let meeting = four(&bed).await?;
        let [ann, ben, cid, dan] = &meeting.tabs;
        ann.press("share-camera").await?;
        ann.press("media-go").await?;
        for tab in [cid, dan] {
            tab.until("what ann shows", |page| page.has("watch"))
                .await?;
        }
        ben.press("watch").await?;
        ben.until_call("sees('ann')").await?;
        until_more_pictures(ben).await?;
        ensure!(received(cid).await? == 0, "something came to cid");
        ensure!(received(dan).await? == 0, "something came to dan");
        let sent = ann
            .script("return counted('outbound-rtp')", Vec::new())
            .await?;
        let sent = sent.as_array().context("there are connections")?;
        let sending = |its: &&Value| its["video"] != 0 || its["audio"] != 0;
        ensure!(sent.iter().filter(sending).count() == 1, "{sent:?}");

        // Ann sends him away, and dan opens it: what comes to him shows that time passes.
        ann.press("watchers").await?;
        // Her list stays as it is while others do something, so that no press on it is lost.
        let button = "document.querySelector('[data-testid=remove-watcher]')";
        ann.until("the list", |page| page.has("remove-watcher"))
            .await?;
        ann.script(&format!("{button}.dataset.same = 'true'"), Vec::new())
            .await?;
        cid.press("share-camera").await?;
        cid.press("media-go").await?;
        ann.until("what cid shows", |page| page.has("watch"))
            .await?;
        let is_same = format!("return {button}.dataset.same === 'true'");
        ensure!(
            ann.script(&is_same, Vec::new()).await? == true,
            "it was drawn anew"
        );
        ann.press("remove-watcher").await?;
        ben.until_call("sends('ann', 'camera') === ''").await?;
        ben.script("window.before = -1", Vec::new()).await?;
        let still = "return Promise.all([summed('inbound-rtp', 'audio'), summed('inbound-rtp', 'video')])
            .then(([audio, video]) => audio + video === before || (window.before = audio + video, false))";
        ben.until_true(still, Vec::new()).await?;
        let before = received(ben).await?;
        dan.press("watch").await?;
        dan.until_call("sees('ann')").await?;
        until_more_pictures(dan).await?;
        let after = received(ben).await?;
        // Browsers may forget the counts of what has ended.
        ensure!(
            after <= before,
            "{} bytes came to ben after he was sent away",
            after - before
        );
        ensure!(received(cid).await? == 0, "something came to cid");
        bed.no_errors().await
    });
}
