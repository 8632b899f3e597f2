//! Devices that cannot be opened, or vanish in the middle, in the page.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{Broker, Site};

use crate::calls::{Caller, meet};
use crate::support::{Tab, run, settings, with_script};

const BEFORE: &str = include_str!("calls/before.js");
const STATE: &str = "attribute('call-state', 'data-state')";

/// Waits until the page says this.
async fn says(tab: &Tab, sentence: &str) -> Result<()> {
    let script =
        "return [...document.querySelectorAll('[data-testid=notice], [data-testid=media-problem]')]
        .some((its) => its.textContent.includes(arguments[0]))";
    tab.until_true(script, vec![sentence.into()]).await
}

/// What the browser says from now on instead of opening a device; nothing if that is empty.
async fn refuse(tab: &Tab, error: &str) -> Result<()> {
    let script = "window.refusal = arguments[0]";
    tab.script(script, vec![error.into()]).await.map(drop)
}

/// Ends the last device of this kind that was opened, as pulling it out does.
async fn pull_out(tab: &Tab, kind: &str) -> Result<()> {
    let script = "const track = opened.findLast((its) => its.kind === arguments[0]);
        track.stop();
        track.dispatchEvent(new Event('ended'));";
    tab.script(script, vec![kind.into()]).await.map(drop)
}

#[test]
fn devices_that_vanish_are_said_and_the_call_goes_on() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, BEFORE).await?;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer").await?;
        ben.until_call("sees('ann')").await?;

        pull_out(&ann, "video").await?;
        says(
            &ann,
            "The camera was disconnected. Another one is used now.",
        )
        .await?;
        ben.until_call("sees('ann')").await?;

        refuse(&ann, "NotFoundError").await?;
        pull_out(&ann, "video").await?;
        says(&ann, "The camera was disconnected, so it is off.").await?;
        ann.until_said("attribute('camera-off', 'aria-pressed')", "true")
            .await?;
        let no_picture =
            "return document.querySelector('[data-testid=tile][data-user=ann]').dataset.picture";
        ben.until_script(no_picture, &[], "false").await?;
        ben.until_call("hears('ann')").await?;
        pull_out(&ann, "audio").await?;
        says(&ann, "The microphone was disconnected, so it is off.").await?;
        ann.until_said("attribute('mute', 'aria-pressed')", "true")
            .await?;
        ben.until_said("muted('ann')", "true").await?;

        // The call goes on, and the microphone is back once there is one.
        ann.until_call("hears('ben')").await?;
        ann.until_said(STATE, "connected").await?;
        refuse(&ann, "").await?;
        ann.press("mute").await?;
        ben.until_call("hears('ann')").await?;
        ann.say("can you hear me again?").await?;
        ben.hears("ann", "can you hear me again?").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_device_that_cannot_be_opened_is_said_with_what_to_do() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, BEFORE).await?;
        for (error, sentence) in [
            (
                "NotAllowedError",
                "This page may not use the camera. Allow it with the sign beside the page's address",
            ),
            ("NotFoundError", "No camera was found. Connect one"),
            (
                "NotReadableError",
                "The camera cannot be opened, because another program may be using it",
            ),
        ] {
            refuse(&ann, error).await?;
            ann.press("call-video").await?;
            says(&ann, sentence).await?;
            ann.press("media-cancel").await?;
            ann.until("no preview", |page| !page.has("preview")).await?;
        }
        // The chat works on, and whoever has no device can still listen.
        ann.say("I have no camera").await?;
        ben.hears("ann", "I have no camera").await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.press("answer").await?;
        ann.until_call("hears('ben')").await?;
        ben.until_said("muted('ann')", "true").await?;
        bed.no_errors().await
    });
}

#[test]
fn whoever_answers_another_call_leaves_the_one_before() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, BEFORE).await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.press("answer").await?;
        ben.until_call("hears('ann')").await?;
        let before = ann.script("return opened.length", Vec::new()).await?;

        // Ben calls her alone, while both are in the room's call.
        ben.click("person").await?;
        ben.press("open-dm").await?;
        ben.press("call").await?;
        ben.press("media-go").await?;
        ann.until_said("attribute('ring', 'data-user')", "ben")
            .await?;
        ann.press("answer").await?;
        ann.until_call("hears('ben')").await?;
        ben.until_call("hears('ann')").await?;
        for tab in [&ann, &ben] {
            tab.until_said(STATE, "connected").await?;
            tab.until_said("users()", "ann/camera,ben/camera").await?;
        }
        ensure!(before == 1, "{before} devices were open for one call");
        // One microphone is open, not two.
        let open = "return opened.filter((track) => track.readyState === 'live').length === 1";
        ann.until_true(open, Vec::new()).await?;
        ben.press("hang-up").await?;
        ann.until_said("users()", "").await?;
        bed.no_errors().await
    });
}

/// Gives a permission in Chromium, takes it back, or lets the browser ask again, as the sign beside the page's address does.
async fn permit(tab: &Tab, device: &str, setting: &str) -> Result<()> {
    let permission = json!({ "permission": { "name": device }, "setting": setting });
    tab.devtools("Browser.setPermission", permission).await
}

#[test]
fn a_permission_that_is_taken_back_is_said_and_can_be_given_again() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, BEFORE).await?;
        for device in ["camera", "microphone"] {
            permit(&ann, device, "granted").await?;
        }
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer").await?;
        // At first it is forbidden, and then the browser would ask again.
        for setting in ["denied", "prompt"] {
            ben.until_call("sees('ann')").await?;
            ben.until_call("hears('ann')").await?;
            permit(&ann, "camera", setting).await?;
            let lost = |device: &str| {
                format!(
                    "This page may not use the {device} any more, so it is off. Allow it with the sign beside the page's address"
                )
            };
            says(&ann, &lost("camera")).await?;
            ann.until_said("attribute('camera-off', 'aria-pressed')", "true")
                .await?;
            let no_picture = "return document.querySelector('[data-testid=tile][data-user=ann]').dataset.picture";
            for tab in [&ann, &ben] {
                tab.until_script(no_picture, &[], "false").await?;
            }
            ben.until_call("hears('ann')").await?;
            permit(&ann, "microphone", setting).await?;
            says(&ann, &lost("microphone")).await?;
            ann.until_said("attribute('mute', 'aria-pressed')", "true")
                .await?;
            ben.until_said("muted('ann')", "true").await?;
            ann.until_call("hears('ben')").await?;
            ann.until_said(STATE, "connected").await?;

            // It is asked for when she presses the button, and not before.
            let closed = "return opened.every((track) => track.readyState === 'ended')";
            ann.until_true(closed, Vec::new()).await?;
            refuse(&ann, "NotAllowedError").await?;
            ann.press("mute").await?;
            says(&ann, "This page may not use the microphone. Allow it with").await?;
            ann.until_said("attribute('mute', 'aria-pressed')", "true")
                .await?;
            refuse(&ann, "").await?;
            for device in ["camera", "microphone"] {
                permit(&ann, device, "granted").await?;
            }
            ann.press("mute").await?;
            ann.press("camera-off").await?;
        }
        ben.until_call("hears('ann')").await?;
        ben.until_call("sees('ann')").await?;
        bed.no_errors().await
    });
}

/// Waits until no picture leaves, while sound does.
async fn until_no_picture_leaves(tab: &Tab) -> Result<()> {
    tab.script("window.mark = { video: -1, packets: 0 }", Vec::new())
        .await?;
    // Fifty packets of sound are a second.
    let script = "return Promise.all(['video', 'packets'].map((what) => summed('outbound-rtp', what))).then(([video, packets]) => {
        if (mark.video !== video) window.mark = { video, packets };
        return packets - mark.packets >= 50;
    })";
    tab.until_true(script, Vec::new()).await
}

#[test]
fn pictures_that_nobody_sees_are_not_sent() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, BEFORE).await?;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        for (looks, sends, other) in [(&ann, &ben, "ben"), (&ben, &ann, "ann")] {
            looks.until_call(&format!("sees('{other}')")).await?;
            looks.press("call-larger").await?;
            until_no_picture_leaves(sends).await?;
            looks.until_call(&format!("hears('{other}')")).await?;
            looks.press("call-larger").await?;
            looks.until_call(&format!("sees('{other}')")).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_call_goes_on_after_a_tab_was_hidden_and_frozen() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let folder = with_script(BEFORE)?;
        let site = Site::start(folder.path(), settings(&broker.ws_url())).await?;
        let chromium = bed.chromium().await?;
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ann.click("person").await?;
        ann.press("open-dm").await?;
        ann.shows("Only you and ben read this").await?;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        ann.until_call("sees('ben')").await?;
        ben.until_call("sees('ann')").await?;

        freeze(&ann).await?;
        ben.until_said(STATE, "reconnecting").await?;
        ben.until_said("users()", "ann/camera,ben/camera").await?;
        thaw(&ann).await?;
        ann.until_said(STATE, "connected").await?;
        ann.until_call("hears('ben')").await?;
        until_no_picture_leaves(&ben).await?;
        show(&ann).await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            tab.until_said(STATE, "connected").await?;
            tab.until_call(&format!("sees('{other}')")).await?;
            tab.until_call(&format!("hears('{other}')")).await?;
        }
        let same =
            "return opened.length === 2 && opened.every((track) => track.readyState === 'live')";
        ann.until_true(same, Vec::new()).await?;

        // Whoever hangs up meanwhile has done so.
        freeze(&ann).await?;
        ben.press("hang-up").await?;
        ben.until_said("users()", "").await?;
        thaw(&ann).await?;
        ann.until_said("users()", "").await?;
        ann.until("the line about the call", |page| page.has("call-line"))
            .await?;
        let closed = "return opened.every((track) => track.readyState === 'ended')";
        ann.until_true(closed, Vec::new()).await?;
        // That the connection to the broker ended is no error.
        for line in chromium.console().await? {
            ensure!(
                !line.starts_with("SEVERE") || line.contains("Page entered Back-Forward Cache"),
                "{line}"
            );
        }
        bed.no_errors().await
    });
}

/// Hides a tab and lets nothing in it run, as browsers do with tabs in the background. Chromium only.
async fn freeze(tab: &Tab) -> Result<()> {
    emulate_focus(tab, false).await?;
    let state = json!({ "state": "frozen" });
    tab.devtools("Page.setWebLifecycleState", state).await
}

/// Lets it run again. It stays hidden.
async fn thaw(tab: &Tab) -> Result<()> {
    let state = json!({ "state": "active" });
    tab.devtools("Page.setWebLifecycleState", state).await?;
    tab.until_true("return document.hidden", Vec::new()).await
}

/// Shows a tab that is hidden.
async fn show(tab: &Tab) -> Result<()> {
    emulate_focus(tab, true).await?;
    tab.until_true("return !document.hidden", Vec::new()).await
}

async fn emulate_focus(tab: &Tab, is: bool) -> Result<()> {
    let focus = json!({ "enabled": is });
    tab.devtools("Emulation.setFocusEmulationEnabled", focus)
        .await
}
