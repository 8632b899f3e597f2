//! People call each other, and show their cameras to whoever opens them, with the fake devices of the browsers.

use anyhow::{Result, ensure};
use serde_json::Value;
use xtask::testbed::{Broker, Site};

use crate::support::{Bed, Browser, Tab, run, settings, with_script};

const LOOK: &str = include_str!("calls/look.js");

/// What tests look at in a call.
pub trait Caller {
    /// Waits until this of `calls/look.js` is true.
    async fn until_call(&self, what: &str) -> Result<()>;
    /// Waits until this of `calls/look.js` is this text.
    async fn until_said(&self, what: &str, text: &str) -> Result<()>;
    /// Presses a button as soon as it is there and can be used.
    async fn press(&self, id: &str) -> Result<()>;
}

impl Caller for Tab {
    async fn until_call(&self, what: &str) -> Result<()> {
        let script = format!("{LOOK} return rtcall.{what};");
        self.until_true(&script, Vec::new()).await
    }

    async fn until_said(&self, what: &str, text: &str) -> Result<()> {
        let script = format!("{LOOK} return rtcall.{what};");
        self.until_script(&script, &[], text).await
    }

    async fn press(&self, id: &str) -> Result<()> {
        self.until(format!("the button {id}"), |page| page.has(id))
            .await?;
        // While devices are being opened, a button does nothing.
        let works = "const tree = document.querySelector('rt-chat')?.shadowRoot ?? document;
            const button = tree.querySelector(arguments[0]);
            return button?.disabled === false && getComputedStyle(button).pointerEvents !== 'none'";
        let selector = format!("[data-testid=\"{id}\"]");
        self.until_true(works, vec![selector.into()]).await?;
        self.click(id).await
    }
}

/// Ann in Chromium and Ben in Firefox, who have met on a page that runs this script before its own.
pub async fn meet(bed: &Bed, script: &str) -> Result<([Tab; 2], impl Sized)> {
    let broker = Broker::rumqttd().await?;
    let folder = with_script(script)?;
    let site = Site::start(folder.path(), settings(&broker.ws_url())).await?;
    let tabs = bed.ann_and_ben(&site).await?;
    Ok((tabs, (site, folder, broker)))
}

/// Two people who have met, each in a browser of their own.
async fn two(bed: &Bed, [first, second]: [&Browser; 2]) -> Result<((Broker, Site), [Tab; 2])> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let ann = first.open(site.url()).await?;
    ann.join("ann").await?;
    let ben = second.open(site.url()).await?;
    ben.join("ben").await?;
    ann.sees(&["ben"]).await?;
    ben.sees(&["ann"]).await?;
    Ok(((broker, site), [ann, ben]))
}

#[test]
fn two_people_in_chromium_talk() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.chromium().await?];
        talk(&bed, browsers).await
    });
}

#[test]
fn two_people_in_firefox_talk() {
    run(|bed| async move {
        let browsers = [&bed.firefox().await?, &bed.firefox().await?];
        talk(&bed, browsers).await
    });
}

#[test]
fn chromium_and_firefox_talk() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        talk(&bed, browsers).await
    });
}

/// Ann calls Ben from their direct conversation. He answers; they hear and see each other, until she hangs up.
async fn talk(bed: &Bed, browsers: [&Browser; 2]) -> Result<()> {
    let (_servers, [ann, ben]) = two(bed, browsers).await?;
    ann.click("person").await?;
    ann.press("open-dm").await?;
    ann.press("call").await?;
    ann.press("media-go").await?;
    ann.until_said("attribute('call-state', 'data-state')", "ringing")
        .await?;
    ben.until_said("attribute('ring', 'data-user')", "ann")
        .await?;
    let none: Value = "return document.querySelectorAll('[data-testid=tile]').length".into();
    let before = ben
        .script(none.as_str().unwrap_or_default(), Vec::new())
        .await?;
    ensure!(before == 0, "there is {before} before he answers");

    ben.press("answer").await?;
    for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
        tab.until_said("attribute('call-state', 'data-state')", "connected")
            .await?;
        tab.until_said("users()", "ann/camera,ben/camera").await?;
        tab.until_call(&format!("hears('{other}')")).await?;
        tab.until_said(&format!("muted('{other}')"), "false")
            .await?;
    }
    // Nobody has a camera on.
    ann.until_said("sends('ben', 'camera')", "audio").await?;

    ann.press("camera-off").await?;
    ann.until_said("attribute('camera-off', 'aria-pressed')", "false")
        .await?;
    ben.until_call("sees('ann')").await?;
    ann.until_call("sees('ann')").await?;

    // Mute is silence.
    ann.press("mute").await?;
    ann.until_said("attribute('mute', 'aria-pressed')", "true")
        .await?;
    ben.until_said("muted('ann')", "true").await?;
    ben.until_call("isSilent('ann')").await?;
    ann.press("mute").await?;
    ben.until_call("hears('ann')").await?;

    // Off is off: no track of the camera lives on.
    ann.press("camera-off").await?;
    ann.until_said("attribute('camera-off', 'aria-pressed')", "true")
        .await?;
    let own = "return [...document.querySelectorAll('[data-testid=tile] video')]
        .flatMap((video) => video.srcObject?.getVideoTracks() ?? [])
        .every((track) => track.readyState === 'ended')";
    ann.until_true(own, Vec::new()).await?;

    // The call goes on whichever conversation is open, and they chat beside it.
    ben.say("I can hear you").await?;
    ann.until("that it came", |page| page.has("conversation"))
        .await?;
    ann.click_on("[data-testid=conversation][data-id='#lobby']")
        .await?;
    ann.until_said("attribute('call-state', 'data-state')", "connected")
        .await?;
    ann.until_call("hears('ben')").await?;

    ann.press("hang-up").await?;
    for tab in [&ann, &ben] {
        tab.until_said("users()", "").await?;
    }
    ben.until("the line about the call", |page| {
        page.has("conversation") || page.has("call-line")
    })
    .await?;
    bed.no_errors().await
}

#[test]
fn a_call_that_is_declined_is_said_to_whoever_called() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        let (_servers, [ann, ben]) = two(&bed, browsers).await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.press("decline").await?;
        ben.until("no ring", |page| !page.has("ring")).await?;
        // A channel's call goes on without him, and he can join it.
        ben.press("join-call").await?;
        ann.until_call("hears('ben')").await?;
        ben.press("hang-up").await?;
        ann.until_said("users()", "ann/camera").await?;
        ann.press("hang-up").await?;
        ann.until_said("users()", "").await?;

        // A call that he misses is noted for as long as what is said.
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.until("a ring", |page| page.has("ring")).await?;
        ann.press("hang-up").await?;
        let is_noted =
            "return document.querySelectorAll('[data-testid=call-line][data-missed]').length === 1";
        ben.until_true(is_noted, Vec::new()).await?;
        ben.reload().await?;
        ben.until_true(is_noted, Vec::new()).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_camera_is_shown_to_whoever_opens_it_and_to_nobody_else() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        let (_servers, [ann, ben]) = two(&bed, browsers).await?;
        let loaded = "return performance.getEntriesByType('resource').some(({ name }) => /\\/calls-\\w+\\.js$/.test(name))";
        ensure!(ben.script(loaded, Vec::new()).await? == false);
        ann.press("share-camera").await?;
        ann.press("media-go").await?;
        // The first press on the button does not wait for anything.
        ben.until_true(loaded, Vec::new()).await?;
        ben.press("watch").await?;
        ben.until_call("sees('ann')").await?;
        ann.until_said("attribute('watchers', 'data-count')", "1")
            .await?;
        // Ann sends him away, and he sees that it has ended.
        ann.press("watchers").await?;
        ann.press("remove-watcher").await?;
        ann.until_said("attribute('watchers', 'data-count')", "0")
            .await?;
        ben.until_call("sends('ann', 'camera') === ''").await?;
        bed.no_errors().await
    });
}
