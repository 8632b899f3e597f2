//! The script for calls, without the program: its media over a real pair of connections, and its views.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::project;

use crate::support::{Browser, Host, Tab, run};

/// The rules of WCAG 2 up to level AA, and axe-core's best practices.
const RULES: &str =
    "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa', 'best-practice']";

/// Whether both sides have agreed on everything.
const NEGOTIATED: &str = "ann.pc.signalingState === 'stable' && ben.pc.signalingState === 'stable'";

/// Bundles a script or a style sheet of the project.
fn bundle(source: &str, name: &str) -> Result<String> {
    let root = project::root();
    let file =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("calls-{}-{name}", std::process::id()));
    let mut esbuild = Command::new(root.join("node_modules/.bin/esbuild"));
    esbuild
        .arg(root.join(source))
        .args(["--bundle", "--format=iife", "--log-level=warning"])
        .arg(format!("--outfile={}", file.display()));
    if name.ends_with(".js") {
        // Sheets are a part of the script.
        esbuild.arg("--loader:.css=text");
    }
    let status = esbuild
        .status()
        .context("`cargo xtask setup` installs esbuild")?;
    ensure!(status.success(), "{source} was not bundled");
    let text = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    Ok(text)
}

/// A host with a page that can connect two sides.
async fn sides() -> Result<(Host, String)> {
    let host = Host::start().await?;
    host.write_page(
        "pair.js",
        &bundle("tests/e2e/calls_script/pair.ts", "pair.js")?,
    )?;
    let url = host.write_page("pair.html", include_str!("calls_script/pair.html"))?;
    Ok((host, url))
}

/// A host with a page of made-up calls.
async fn made_up() -> Result<(Host, String)> {
    let host = Host::start().await?;
    host.write_page(
        "scenes.js",
        &bundle("tests/e2e/calls_script/scenes.ts", "scenes.js")?,
    )?;
    let styles = ["tokens", "page", "log", "files", "early"]
        .map(|name| fs::read_to_string(project::root().join(format!("src/ui/style/{name}.css"))));
    let styles: String = styles.into_iter().collect::<Result<_, _>>()?;
    host.write_page("page.css", &styles)?;
    let url = host.write_page("scenes.html", include_str!("calls_script/scenes.html"))?;
    Ok((host, url))
}

async fn eval(tab: &Tab, script: &str) -> Result<Value> {
    tab.script(script, Vec::new()).await
}

async fn until(tab: &Tab, script: &str) -> Result<()> {
    tab.until_true(script, Vec::new()).await
}

/// Waits until the number of pictures that ben has got stays the same from one look to the next.
async fn until_no_pictures(tab: &Tab) -> Result<()> {
    eval(tab, "window.before = -1").await?;
    until(
        tab,
        "return arrived(ben.pc).then(({ frames }) => frames === before || (window.before = frames, false))",
    )
    .await
}

/// Waits until new pictures have come, which are others than those before.
async fn until_pictures(tab: &Tab, stream: &str) -> Result<()> {
    eval(tab, &format!("window.video = show({stream})")).await?;
    until(tab, "return moved(video) > 0").await
}

#[test]
fn pictures_and_sound_go_where_they_are_wished_in_chromium() {
    run(|bed| async move { wishes(&bed.chromium().await?).await });
}

#[test]
fn pictures_and_sound_go_where_they_are_wished_in_firefox() {
    run(|bed| async move { wishes(&bed.firefox().await?).await });
}

async fn wishes(browser: &Browser) -> Result<()> {
    let (_host, url) = sides().await?;
    let tab = browser.open(&url).await?;
    eval(&tab, "programs()").await?;
    until(&tab, "return ann.pc.connectionState === 'connected'").await?;

    // Nothing that is not wished is taken, whoever sends it.
    eval(
        &tab,
        "return ann.media.use('camera', { audio: true, video: true })",
    )
    .await?;
    eval(&tab, "ann.want({ microphone: true, camera: true })").await?;
    let refused = "return ann.pc.getTransceivers().length === 2 && ann.pc.getTransceivers().every((its) => its.currentDirection === 'inactive')";
    until(&tab, refused).await?;
    ensure!(eval(&tab, "return Object.keys(ben.streams)").await? == json!([]));

    // Pictures will begin small, because browsers leave out large ones at first.
    let scale = "const [, camera] = ann.pc.getSenders(); return camera.track.getSettings().height / camera.getParameters().encodings[0].scaleResolutionDownBy";
    let height = eval(&tab, scale).await?;
    ensure!(
        height.as_f64().is_some_and(|height| height <= 180.5),
        "{height} high"
    );

    // Then it is wished: the other side asks for it anew.
    eval(&tab, "ben.want({}, { receive: true })").await?;
    until(&tab, "return ben.streams.camera?.getTracks().length === 2").await?;
    until_pictures(&tab, "ben.streams.camera").await?;
    until(
        &tab,
        "return arrived(ben.pc).then(({ energy }) => energy > 0.001)",
    )
    .await?;

    // Whoever is muted is silent.
    eval(&tab, "window.last = -1; ann.want({ camera: true })").await?;
    let silent = "return arrived(ben.pc).then(({ energy }) => Math.abs(energy - last) < 1e-9 || (window.last = energy, false))";
    until(&tab, silent).await?;
    eval(&tab, "ann.want({ microphone: true, camera: true })").await?;
    until(
        &tab,
        "return arrived(ben.pc).then(({ energy }) => energy > last + 1e-4)",
    )
    .await?;

    // Limits count while pictures are sent.
    for height in [120, 480] {
        let limit =
            format!("{{ camera: {{ height: {height}, frameRate: 30, bitrate: 1_000_000 }} }}");
        eval(
            &tab,
            &format!("ann.want({{ microphone: true, camera: true }}, {limit})"),
        )
        .await?;
        until(
            &tab,
            &format!("return arrived(ben.pc).then((its) => its.height === {height})"),
        )
        .await?;
    }
    let nothing = "ann.want({ microphone: true, camera: true }, { camera: { height: 0, frameRate: 30, bitrate: 1_000_000 } })";
    eval(&tab, nothing).await?;
    until_no_pictures(&tab).await?;

    // What is sent again has the same sections as before.
    for _ in 0..3 {
        eval(&tab, "ann.want({}, { camera: { height: 480, frameRate: 30, bitrate: 1_000_000 } }); ben.want({}, { receive: false })").await?;
        until(&tab, "return ben.streams.camera.getTracks().length === 0").await?;
        until(&tab, &format!("return {NEGOTIATED}")).await?;
        eval(
            &tab,
            "ann.want({ microphone: true, camera: true }); ben.want({}, { receive: true })",
        )
        .await?;
        until(&tab, "return ben.streams.camera.getTracks().length === 2").await?;
        until_pictures(&tab, "ben.streams.camera").await?;
    }
    let sections = eval(&tab, "return [ann.sections, ben.sections]").await?;
    ensure!(sections == json!([3, 3]), "{sections}");

    // Both at once, and a screen.
    eval(&tab, "return ben.media.use('camera', { audio: true, video: true }).then(() => ben.media.use('screen', moving()))").await?;
    let both = "ann.want({ microphone: true, camera: true }, { receive: true });
        ben.want({ microphone: true, camera: true, screen: true }, { receive: true })";
    eval(&tab, both).await?;
    until(&tab, "return ann.streams.camera?.getTracks().length === 2 && ann.streams.screen?.getTracks().length === 1").await?;
    until_pictures(&tab, "ann.streams.screen").await?;
    let sections = eval(&tab, "return [ann.sections, ben.sections]").await?;
    ensure!(sections == json!([6, 6]), "{sections}");

    // Somebody who wants no pictures receives sound alone.
    let want = "ann.want({ microphone: true, camera: true }, { pictures: false })";
    eval(&tab, want).await?;
    // Firefox leaves the track of a section that it closes itself where it is, and mutes it.
    let sound = "const of = (kind) => ann.streams.camera.getTracks().filter((its) => its.kind === kind);
        return of('audio').length === 1 && !of('audio')[0].muted && [...of('video'), ...ann.streams.screen.getTracks()].every((its) => its.muted)
            && ann.pc.getTransceivers().every((its) => its.receiver.track.kind === 'audio' || !its.currentDirection?.startsWith('recv'))";
    until(&tab, sound).await?;
    let refused = "return ben.pc.getTransceivers().filter((its) => its.direction === 'sendonly' && its.sender.track?.kind === 'video')
        .every((its) => its.currentDirection === 'inactive')";
    until(&tab, refused).await?;

    // The pictures come again.
    let want = "ann.want({ microphone: true, camera: true }, { pictures: true })";
    eval(&tab, want).await?;
    let open = "return ben.pc.getTransceivers().filter((its) => its.direction === 'sendonly').every((its) => its.currentDirection === 'sendonly')
        && ann.streams.camera.getTracks().length === 2 && ann.streams.screen.getTracks().length === 1";
    until(&tab, open).await?;
    until_pictures(&tab, "ann.streams.screen").await?;

    // It is not wished any more.
    eval(
        &tab,
        "ann.want({ microphone: true, camera: true }, { receive: false })",
    )
    .await?;
    until(&tab, "return ann.streams.camera.getTracks().length === 0 && ann.streams.screen.getTracks().length === 0").await?;
    let closed = "return ben.pc.getTransceivers().filter((its) => its.direction === 'sendonly').every((its) => its.currentDirection === 'inactive')";
    until(&tab, closed).await?;
    let told = eval(&tab, "return [...ann.told, ...ben.told]").await?;
    ensure!(told == json!([]), "{told}");
    Ok(())
}

#[test]
fn devices_are_closed_and_their_end_is_said_in_chromium() {
    run(|bed| async move { devices(&bed.chromium().await?).await });
}

#[test]
fn devices_are_closed_and_their_end_is_said_in_firefox() {
    run(|bed| async move { devices(&bed.firefox().await?).await });
}

async fn devices(browser: &Browser) -> Result<()> {
    let (_host, url) = sides().await?;
    let tab = browser.open(&url).await?;
    eval(&tab, "people()").await?;
    until(&tab, "return ann.pc.connectionState === 'connected'").await?;
    let begin = "ben.want({}, { receive: true });
        return Promise.all([ann.devices.open('microphone'), ann.devices.open('camera')]).then(([microphone, camera]) => {
            window.first = { microphone, camera };
            ann.want(ann.self.begin('call', first));
            ann.self.shown(true, false);
        })";
    eval(&tab, begin).await?;
    until(&tab, "return ben.streams.camera?.getTracks().length === 2").await?;
    until_pictures(&tab, "ben.streams.camera").await?;

    // The camera's light goes out, and nothing more comes.
    eval(&tab, "return ann.self.turn('camera', false)").await?;
    let states = eval(
        &tab,
        "return [first.camera.readyState, first.microphone.readyState]",
    )
    .await?;
    ensure!(states == json!(["ended", "live"]), "{states}");
    until_no_pictures(&tab).await?;
    eval(&tab, "return ann.self.turn('camera', true)").await?;
    until_pictures(&tab, "ben.streams.camera").await?;
    eval(&tab, "ann.self.turn('microphone', false)").await?;
    ensure!(eval(&tab, "return first.microphone.enabled").await? == false);
    eval(&tab, "ann.self.turn('microphone', true)").await?;
    ensure!(
        eval(
            &tab,
            "return first.microphone.enabled && ann.sections === 3"
        )
        .await?
            == true
    );

    // Whoever shows a camera without sound beside the call is not heard there after a switch in the call.
    let share = "ann.self.begin('share', { camera: ann.own.track('camera') });
        ann.self.shown(true, true);
        ann.self.turn('microphone', false);
        return ann.self.turn('microphone', true).then(() => {
            const last = (what) => ann.told.findLast((its) => its.do === what).sends;
            return [last('send').microphone, last('share').microphone, last('share').camera];
        })";
    let sent = eval(&tab, share).await?;
    ensure!(sent == json!([true, false, true]), "{sent}");
    eval(&tab, "ann.self.shown(true, false)").await?;

    // A camera that is pulled out: another one takes its place, as long as there is one.
    let lent = "ann.self.turn('camera', false); window.pull = lend(); return ann.self.turn('camera', true)";
    eval(&tab, lent).await?;
    eval(&tab, "window.lent = ann.own.track('camera'); pull()").await?;
    let said = "return ann.told.includes('The camera was disconnected. Another one is used now.')";
    until(&tab, said).await?;
    let other = "return ann.own.track('camera') !== lent && ann.self.on.camera";
    ensure!(eval(&tab, other).await? == true);
    until_pictures(&tab, "ben.streams.camera").await?;
    eval(&tab, lent).await?;
    eval(&tab, "unplug(); pull()").await?;
    let said = "return ann.told.includes('The camera was disconnected, so it is off. Connect one and switch it on again.')";
    until(&tab, said).await?;
    let state = "const { on } = ann.self;
        return [on.camera, on.microphone, ann.told.findLast((its) => its.do === 'send').sends.camera]";
    let off = eval(&tab, state).await?;
    ensure!(off == json!([false, true, false]), "{off}");

    // One that cannot be opened is said, and stays off.
    eval(&tab, "return ann.self.turn('camera', true)").await?;
    let last = eval(&tab, "return ann.told.at(-1)").await?;
    ensure!(
        last == "No camera was found. Connect one, then press the button again.",
        "{last}"
    );
    let state = "return ann.self.on.camera || ann.self.isTurning('camera')";
    ensure!(eval(&tab, state).await? == false);

    // A screen, and one that is ended by the browser's own button.
    let screen = "navigator.mediaDevices.getDisplayMedia = async () => moving();
        return ann.self.turn('screen', true)";
    eval(&tab, screen).await?;
    until(&tab, "return ben.streams.screen?.getTracks().length === 1").await?;
    until_pictures(&tab, "ben.streams.screen").await?;
    let lent = "ann.self.turn('screen', false); window.pull = lend(); return ann.self.turn('screen', true)";
    eval(&tab, lent).await?;
    let told = eval(
        &tab,
        "return ann.told.filter((its) => typeof its === 'string').length",
    )
    .await?;
    eval(&tab, "pull()").await?;
    until(&tab, "return !ann.self.on.screen").await?;
    until(&tab, "return ben.streams.screen.getTracks().length === 0").await?;
    let now = eval(
        &tab,
        "return ann.told.filter((its) => typeof its === 'string').length",
    )
    .await?;
    ensure!(now == told, "whoever ends a screen is told so");

    // With the call, everything is closed.
    eval(&tab, "ann.self.shown(false, false)").await?;
    let closed = eval(
        &tab,
        "return first.microphone.readyState === 'ended' && !ann.own.track('microphone')",
    )
    .await?;
    ensure!(closed == true);
    Ok(())
}

#[test]
fn every_view_of_calls_is_accessible() {
    run(|bed| async move {
        let (_host, url) = made_up().await?;
        let axe = fs::read_to_string(project::root().join("node_modules/axe-core/axe.min.js"))?;
        let tab = bed.chromium().await?.open(&url).await?;
        let scenes = eval(&tab, "return scenes").await?;
        for scene in scenes.as_array().context("no scenes")? {
            for (width, scheme) in [(1280, "light"), (360, "dark")] {
                tab.go(&url).await?;
                tab.set_width(width).await?;
                let media =
                    json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                tab.devtools("Emulation.setEmulatedMedia", media).await?;
                tab.script(
                    "return scene(arguments[0]).then(() => undefined)",
                    vec![scene.clone()],
                )
                .await?;
                // Colours are those of a view that is wholly there.
                until(&tab, "return document.getAnimations().length === 0").await?;
                tab.script(&axe, Vec::new()).await?;
                let violations = format!(
                    "return axe.run({{ runOnly: {RULES} }}).then(({{ violations }}) => violations.map(({{ id, nodes }}) => `${{id}}: ${{nodes[0].html}}`))"
                );
                let violations = eval(&tab, &violations).await?;
                ensure!(violations == json!([]), "{scene}, {width} px: {violations}");
                let wide = eval(
                    &tab,
                    "return document.documentElement.scrollWidth > innerWidth",
                )
                .await?;
                ensure!(wide == false, "{scene}, {width} px, is wider than the page");
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn a_picture_that_is_watched_stays_seen_in_a_call_of_sound_alone() {
    run(|bed| async move {
        let (_host, url) = made_up().await?;
        let tab = bed.chromium().await?.open(&url).await?;
        // What is seen of ben, whose camera is watched: whether the stage is open, and what his tile says.
        let seen = "const [stage, tile] = ['[data-testid=call-stage]', '[data-testid=tile][data-user=ben]'].map((its) => document.querySelector(its));
            const { picture, blurred } = tile.dataset;
            return [stage.dataset.size, picture, blurred, tile.querySelector('video').muted,
                tile.querySelector('[data-testid=stop-watching]') !== null, tile.checkVisibility()]";
        for (scene, blurred) in [("watched-in-call", "false"), ("sensitive-in-call", "true")] {
            tab.go(&url).await?;
            tab.script(
                "return scene(arguments[0]).then(() => undefined)",
                vec![scene.into()],
            )
            .await?;
            let seen = eval(&tab, seen).await?;
            // He is heard, also while his picture is blurred.
            ensure!(
                seen == json!(["open", "true", blurred, false, true, true]),
                "{scene}: {seen}"
            );
        }
        bed.no_errors().await
    });
}
