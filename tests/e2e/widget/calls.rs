//! Calls in somebody's page that allows sound alone, or none.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{Broker, Site};

use super::{has_no_page_errors, page};
use crate::calls::Caller;
use crate::support::{Bed, Host, Tab, run, settings, with_script};

/// Ann at the site itself, where there are pictures, and Ben at somebody's page with this attribute.
async fn two(bed: &Bed, attribute: &str) -> Result<([Tab; 2], impl Sized)> {
    let broker = Broker::rumqttd().await?;
    let folder = with_script(include_str!("../calls/before.js"))?;
    let site = Site::start(folder.path(), settings(&broker.ws_url())).await?;
    let host = Host::start().await?;
    let before = include_str!("../calls/before.js");
    let asked = "window.asked = [];
        const ask = navigator.mediaDevices.getUserMedia;
        navigator.mediaDevices.getUserMedia = (wished) => (asked.push(Object.keys(wished).join()), ask(wished));";
    let head = format!(
        "<script>{before}{asked}</script><script src='{0}rtchat.js?add' data-page='{0}' data-open=true {attribute}></script>",
        site.url()
    );
    let url = host.write_page("shop.html", &page(&head, ""))?;
    let ann = bed.chromium().await?.open(site.url()).await?;
    ann.join("ann").await?;
    let ben = bed.firefox().await?.open(&url).await?;
    ben.join("ben").await?;
    ann.sees(&["ben"]).await?;
    ben.sees(&["ann"]).await?;
    Ok(([ann, ben], (host, site, folder, broker)))
}

#[test]
fn a_chat_with_sound_alone_has_no_pictures_from_either_side() {
    run(|bed| async move {
        let ([ann, ben], _kept) = two(&bed, "data-calls=audio").await?;
        // What Ann shows can be heard.
        ann.press("share-camera").await?;
        ann.press("media-go").await?;
        // The panel is narrow, so people are behind a button.
        ben.press("people-button").await?;
        ben.press("watch").await?;
        ben.press("back").await?;
        ben.until_call("hears('ann')").await?;
        ben.until_said("picture('ann')", "false").await?;
        let nothing_seen = "return summed('outbound-rtp', 'video').then((video) => video === 0)";
        ann.until_true(nothing_seen, Vec::new()).await?;
        let buttons = ben.page().await?;
        ensure!(buttons.has("call"));
        for id in ["call-video", "share-camera"] {
            ensure!(!buttons.has(id), "there is {id}");
        }
        ann.press("hang-up").await?;
        ben.until_said("users()", "").await?;

        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.until("the call", |page| page.has("answer")).await?;
        ensure!(!ben.page().await?.has("answer-video"));
        ben.press("answer").await?;
        ann.until_call("hears('ben')").await?;
        ben.until_call("hears('ann')").await?;
        ben.until_said("picture('ann')", "false").await?;
        ben.until_call("isShown('mute')").await?;
        for id in ["camera-off", "share-screen"] {
            ben.until_call(&format!("isShown('{id}') === false"))
                .await?;
        }
        // Ann's camera is on, and nothing of it leaves.
        let sent =
            "return Promise.all(['video', 'packets'].map((what) => summed('outbound-rtp', what)))
            .then(([video, packets]) => video === 0 && packets > 100)";
        ann.until_true(sent, Vec::new()).await?;
        ensure!(ben.script("return asked", Vec::new()).await? == json!(["audio"]));
        ann.press("hang-up").await?;
        has_no_page_errors(&ben).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_chat_without_calls_loads_and_asks_for_nothing() {
    run(|bed| async move {
        let ([ann, ben], _kept) = two(&bed, "data-calls=off").await?;
        ann.press("share-camera").await?;
        ann.press("media-go").await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ann.say("can you hear me?").await?;
        ben.hears("ann", "can you hear me?").await?;
        let page = ben.page().await?;
        for id in [
            "call",
            "call-video",
            "share-camera",
            "watch",
            "ring",
            "tile",
        ] {
            ensure!(!page.has(id), "there is {id}");
        }
        let loaded = "return performance.getEntriesByType('resource').some(({ name }) => /calls-\\w+\\.js$/.test(name))";
        ensure!(ben.script(loaded, Vec::new()).await? == false);
        ensure!(ben.script("return asked", Vec::new()).await? == json!([]));
        ann.press("hang-up").await?;
        has_no_page_errors(&ben).await?;
        bed.no_errors().await
    });
}
