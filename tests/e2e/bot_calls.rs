//! Calls with the helper in `bot/`: it sends a test tone and a test picture, and says what arrives.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::calls::Caller;
use crate::support::{Bed, Bot, Browser, Tab, run};

/// How many people are seen or heard.
const TILES: &str = "return document.querySelectorAll('[data-testid=tile]').length";

/// Somebody in a browser who has met a helper with these options.
async fn meet(bed: &Bed, browser: &Browser, options: &[&str]) -> Result<(Tab, Bot, Broker)> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let folder = tempfile::tempdir()?;
    let identity = folder.path().join("helper.json");
    let helper = Bot::start_with("helper", site.url(), &broker, &identity, options).await?;
    let tab = browser.open(site.url()).await?;
    tab.join("ann").await?;
    tab.sees(&["helper"]).await?;
    Ok((tab, helper, broker))
}

/// Opens the direct conversation with the helper.
async fn open_talk(tab: &Tab) -> Result<()> {
    tab.click("person").await?;
    tab.press("open-dm").await?;
    // Until then, the buttons for calls are those of the channel.
    tab.shows("Only you and helper read this").await
}

#[test]
fn chromium_calls_a_helper() {
    run(|bed| async move { call(&bed, &bed.chromium().await?).await });
}

#[test]
fn firefox_calls_a_helper() {
    run(|bed| async move { call(&bed, &bed.firefox().await?).await });
}

/// Ann calls the helper with her camera on, twice. Each hears and sees the other until she hangs up.
async fn call(bed: &Bed, browser: &Browser) -> Result<()> {
    let (tab, mut helper, _broker) = meet(bed, browser, &["--calls", "video"]).await?;
    open_talk(&tab).await?;
    for _ in 0..2 {
        let before = tab.script(TILES, Vec::new()).await?;
        ensure!(before == 0, "there is {before} before she calls");
        tab.press("call-video").await?;
        tab.press("media-go").await?;
        helper.prints_all(&["I hear ann.", "I see ann."]).await?;
        tab.until_call("sees('helper')").await?;
        tab.until_call("hears('helper')").await?;

        // What is muted is not sent, and the connection stays as it is.
        tab.press("mute").await?;
        helper.prints("I no longer hear ann.").await?;
        tab.press("mute").await?;
        helper.prints("I hear ann.").await?;
        tab.press("camera-off").await?;
        helper.prints("I no longer see ann.").await?;
        tab.until_call("sees('helper')").await?;

        tab.press("hang-up").await?;
        helper.prints("I no longer hear ann.").await?;
        tab.until_said("users()", "").await?;
    }
    bed.no_errors().await
}

#[test]
fn chromium_watches_a_helper() {
    run(|bed| async move { watch(&bed, &bed.chromium().await?).await });
}

#[test]
fn firefox_watches_a_helper() {
    run(|bed| async move { watch(&bed, &bed.firefox().await?).await });
}

/// Ann watches the camera and the screen that the helper shows to whoever opens them, and calls it then.
async fn watch(bed: &Bed, browser: &Browser) -> Result<()> {
    let options = ["--calls", "video", "--share-camera", "--share-screen"];
    let (tab, mut helper, _broker) = meet(bed, browser, &options).await?;
    tab.press("watch").await?;
    tab.until_said("users()", "helper/camera,helper/screen")
        .await?;
    for kind in ["camera", "screen"] {
        tab.until_call(&format!("sees('helper', '{kind}')")).await?;
        tab.until_said(&format!("sends('helper', '{kind}')"), "video")
            .await?;
    }

    // Now she calls as well: what the helper offered first goes on beside what she offers.
    tab.press("call-video").await?;
    tab.press("media-go").await?;
    helper.prints_all(&["I hear ann.", "I see ann."]).await?;
    tab.until_call("hears('helper')").await?;
    tab.until_call("sees('helper')").await?;
    tab.press("hang-up").await?;
    helper.prints("I no longer hear ann.").await?;
    tab.until_call("sees('helper')").await?;
    tab.until_call("sees('helper', 'screen')").await?;
    bed.no_errors().await
}

#[test]
fn a_helper_without_calls_answers_none() {
    run(|bed| async move {
        let browser = bed.chromium().await?;
        let (tab, _helper, _broker) = meet(&bed, &browser, &[]).await?;
        open_talk(&tab).await?;
        tab.press("call").await?;
        tab.press("media-go").await?;
        // The helper says at once that it has no calls.
        tab.until("the line about the call", |page| page.has("call-line"))
            .await?;
        tab.until_said("users()", "").await?;
        bed.no_errors().await
    });
}
