//! What somebody in a call can do with what they see and hear, in the page.

use anyhow::Result;
use serde_json::json;
use xtask::testbed::{Site, demo};

use crate::calls::{Caller, meet};
use crate::support::{Tab, run};

const SCRIPTS: &str = concat!(
    include_str!("calls/before.js"),
    include_str!("calls/controls.js")
);

/// How wide somebody's tile is, in a script.
const WIDTH: &str = "const width = (user) => document.querySelector(`[data-testid=tile][data-user=${user}][data-kind=camera]`).clientWidth;";

/// Presses what stands on somebody's tile.
async fn press_on(tab: &Tab, [user, kind]: [&str; 2], id: &str) -> Result<()> {
    let tile = format!("[data-testid=tile][data-user={user}][data-kind={kind}]");
    tab.click_on(&format!("{tile} [data-testid={id}]")).await
}

/// Waits until this is true of somebody's picture, `video`, or of the tile that it is in.
async fn until_video(tab: &Tab, [user, kind]: [&str; 2], what: &str) -> Result<()> {
    let tile = "document.querySelector(`[data-testid=tile][data-user=${arguments[0]}][data-kind=${arguments[1]}]`)";
    let script =
        format!("const tile = {tile}, video = tile?.querySelector('video'); return {what}");
    tab.until_true(&script, vec![user.into(), kind.into()])
        .await
}

/// A script that returns whether the pictures fill the screen.
const FILLS: &str = "const stage = document.querySelector('[data-testid=call-stage]');
    return document.fullscreenElement?.contains(stage) === true && stage.hasAttribute('data-filled') && stage.clientHeight >= 0.95 * innerHeight";

/// A script that returns whether the element with this test id is seen, with nothing above it.
fn is_seen(id: &str) -> String {
    format!(
        "const one = document.querySelector('[data-testid={id}]'), box = one?.getBoundingClientRect();
        return Boolean(box) && one.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2))"
    )
}

async fn until(tab: &Tab, script: &str) -> Result<()> {
    tab.until_true(script, Vec::new()).await
}

/// Chooses something in the menu of the call.
async fn choose(tab: &Tab, id: &str) -> Result<()> {
    tab.press("call-more").await?;
    tab.press(id).await
}

#[test]
fn everybody_has_their_own_loudness_and_place() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, SCRIPTS).await?;
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        ann.until_call("sees('ben')").await?;
        ben.press("share-screen").await?;
        ann.until_call("sees('ben', 'screen')").await?;
        let (bens, screen) = (["ben", "camera"], ["ben", "screen"]);

        // It is one loudness for everything that somebody sends, and nobody else's matter.
        let quieter = "const volume = document.querySelector('[data-testid=tile][data-user=ben] [data-testid=volume]');
            volume.value = '30';
            volume.dispatchEvent(new Event('input'))";
        ann.script(quieter, Vec::new()).await?;
        for video in [bens, screen] {
            until_video(&ann, video, "video.volume === 0.3 && !video.muted").await?;
        }
        press_on(&ann, bens, "mute-person").await?;
        for video in [bens, screen] {
            until_video(&ann, video, "video.muted").await?;
        }
        ann.until_said("muted('ben')", "false").await?;
        ann.until_said("attribute('mute-person', 'aria-pressed')", "true")
            .await?;
        press_on(&ann, bens, "mute-person").await?;
        until_video(&ann, bens, "!video.muted && video.volume === 0.3").await?;

        // The screen has the middle, until somebody is pinned.
        let wider = |one: &str, other: &str| {
            format!("{WIDTH} return width('{one}') > 1.5 * width('{other}')")
        };
        press_on(&ann, bens, "pin").await?;
        until(&ann, &wider("ben", "ann")).await?;
        press_on(&ann, ["ann", "camera"], "pin").await?;
        until(&ann, &wider("ann", "ben")).await?;
        until_video(
            &ann,
            bens,
            "tile.querySelector('[data-testid=pin]').ariaPressed === 'false'",
        )
        .await?;
        ben.press("share-screen").await?;
        ann.until_said("users()", "ann/camera,ben/camera").await?;
        until(&ann, &wider("ann", "ben")).await?;
        press_on(&ann, ["ann", "camera"], "pin").await?;
        until(&ann, &wider("ben", "ann")).await?;

        // A hand is seen, and read out once.
        ann.press("raise-hand").await?;
        until_video(
            &ben,
            ["ann", "camera"],
            "tile.querySelector('[title=\"Hand raised\"]') !== null",
        )
        .await?;
        let read = "return document.querySelector('.call-stage > [role=status]').textContent === 'ann raises a hand.'";
        until(&ben, read).await?;
        ann.press("raise-hand").await?;
        until_video(
            &ben,
            ["ann", "camera"],
            "tile.querySelector('[title=\"Hand raised\"]') === null",
        )
        .await?;

        // Whoever is muted speaks while they hold Space, and not while they write.
        ann.press("mute").await?;
        ben.until_said("muted('ann')", "true").await?;
        ann.type_into("composer", "a b").await?;
        ann.until("what she wrote", |page| {
            page.composer.as_deref() == Some("a b")
        })
        .await?;
        ann.until_said("attribute('mute', 'aria-pressed')", "true")
            .await?;
        ann.script("document.activeElement.blur()", Vec::new())
            .await?;
        ann.hold(' ').await?;
        ben.until_said("muted('ann')", "false").await?;
        ben.until_call("hears('ann')").await?;
        ann.let_go(' ').await?;
        ben.until_said("muted('ann')", "true").await?;
        ben.until_call("isSilent('ann')").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_call_fills_the_screen_and_goes_on_in_a_small_window() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, SCRIPTS).await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        ann.until_call("sees('ben')").await?;
        choose(&ann, "fill-screen").await?;
        until(&ann, FILLS).await?;
        ann.until_call("sees('ben')").await?;
        // The notices of the page are seen in full screen, too.
        let lose =
            "opened.findLast((track) => track.kind === 'audio').dispatchEvent(new Event('ended'))";
        ann.script(lose, Vec::new()).await?;
        until(&ann, &is_seen("notice")).await?;
        ann.press("dismiss").await?;
        choose(&ann, "fill-screen").await?;
        until(&ann, "return document.fullscreenElement === null").await?;

        // Over the chat, and beside it again.
        let high = "return document.querySelector('[data-testid=call-stage]').dataset.size";
        choose(&ann, "fill-chat").await?;
        ann.until_script(high, &[], "large").await?;
        choose(&ann, "fill-chat").await?;
        ann.until_script(high, &[], "open").await?;

        // The picture in its window goes on while the call is folded.
        choose(&ann, "float").await?;
        let floats = "video === document.pictureInPictureElement";
        until_video(&ann, ["ben", "camera"], floats).await?;
        ann.press("call-larger").await?;
        ann.until_script(high, &[], "strip").await?;
        ann.until_call("sees('ben')").await?;
        choose(&ann, "float").await?;
        until(&ann, "return document.pictureInPictureElement === null").await?;

        // Another call can be answered without leaving the full screen.
        choose(&ann, "fill-screen").await?;
        until(&ann, FILLS).await?;
        ben.click("person").await?;
        ben.press("open-dm").await?;
        ben.press("call").await?;
        ben.press("media-go").await?;
        until(&ann, &is_seen("ring")).await?;
        ann.press("answer").await?;
        ann.until_call("hears('ben')").await?;
        ann.press("hang-up").await?;
        ann.until_said("users()", "").await?;
        until(&ann, "return document.fullscreenElement === null").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_call_that_rings_does_not_cover_a_warning() {
    run(|bed| async move {
        let site = Site::start(demo(), json!({})).await?;
        let url = format!("{}?demo=ring-alias", site.url());
        let tab = bed.chromium().await?.open(&url).await?;
        for width in [1280, 360] {
            tab.set_width(width).await?;
            until(&tab, &is_seen("ring")).await?;
            until(&tab, &is_seen("alias-warning")).await?;
        }
        Ok(())
    });
}

#[test]
fn what_may_not_sound_is_seen_and_sounds_after_a_press() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, SCRIPTS).await?;
        let quiet = "window.quiet = true";
        for tab in [&ann, &ben] {
            tab.script(quiet, Vec::new()).await?;
        }
        ann.press("call-video").await?;
        ann.press("media-go").await?;
        ben.press("answer-video").await?;
        ben.press("media-go").await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            let theirs = [other, "camera"];
            tab.until("the button for sound", |page| page.has("turn-on-sound"))
                .await?;
            let is_hidden = "return document.querySelector('[data-testid=turn-on-sound]').hidden";
            tab.until_true(&format!("{is_hidden} === false"), Vec::new())
                .await?;
            until_video(tab, theirs, "video.muted && !video.paused").await?;
            tab.until_call(&format!("sees('{other}')")).await?;
            tab.press("turn-on-sound").await?;
            until_video(tab, theirs, "!video.muted && !video.paused").await?;
            tab.until_true(&format!("{is_hidden} === true"), Vec::new())
                .await?;
            tab.until_call(&format!("sees('{other}')")).await?;
            tab.until_call(&format!("hears('{other}')")).await?;
        }
        // With the call, the button goes.
        ann.script(quiet, Vec::new()).await?;
        ben.press("share-screen").await?;
        let shown = |is: bool| {
            format!(
                "return document.querySelector('[data-testid=turn-on-sound]').checkVisibility() === {is}"
            )
        };
        ann.until_true(&shown(true), Vec::new()).await?;
        ann.press("hang-up").await?;
        ann.until_true(&shown(false), Vec::new()).await?;
        ann.until_said("users()", "").await?;
        bed.no_errors().await
    });
}

#[test]
fn two_who_show_their_screens_at_the_same_moment_keep_their_connection() {
    run(|bed| async move {
        let ([ann, ben], _kept) = meet(&bed, SCRIPTS).await?;
        ann.press("call").await?;
        ann.press("media-go").await?;
        ben.press("answer").await?;
        // At the beginning, both offer anyway.
        let goes_on = "return Number(document.querySelector('.call-bar time').textContent.split(':')[1]) >= 4";
        until(&ann, goes_on).await?;
        ben.until_call("hears('ann')").await?;
        // All browsers of this machine have the same clock.
        let soon = ann.script("return Date.now() + 500", Vec::new()).await?;
        for tab in [&ann, &ben] {
            let press = "setTimeout(() => document.querySelector('[data-testid=share-screen]').click(), arguments[0] - Date.now())";
            tab.script(press, vec![soon.clone()]).await?;
        }
        ann.until_call("sees('ben', 'screen')").await?;
        ben.until_call("sees('ann', 'screen')").await?;
        for tab in [&ann, &ben] {
            let kept = "return connections.filter(({ connectionState }) => connectionState === 'connected').length === 1
                && connections.every(({ connectionState }) => connectionState !== 'closed')";
            until(tab, kept).await?;
        }
        bed.no_errors().await
    });
}
