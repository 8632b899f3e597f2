//! Calls and broadcasts of programs, with the browsers' fake devices and streams of the programs' own.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{EMPTY, Stage, eval, until};
use crate::support::{Bed, Tab, run};

/// What the tests look at. `shown(stream)` plays it, and `moves` becomes true once its picture has changed.
const TOOLS: &str = r#"
    window.told = seen;
    window.drawn = () => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [320, 180];
        const context = canvas.getContext("2d");
        let at = 0;
        setInterval(() => {
            context.fillStyle = `hsl(${(at += 40) % 360} 90% 50%)`;
            context.fillRect(0, 0, 320, 180);
        }, 100);
        return canvas.captureStream(10);
    };
    window.shown = (stream) => {
        const video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, autoplay: true });
        document.body.append(video);
        const colour = () => {
            const canvas = new OffscreenCanvas(1, 1);
            const context = canvas.getContext("2d");
            context.drawImage(video, 0, 0, 1, 1);
            return context.getImageData(0, 0, 1, 1).data.join();
        };
        const colours = new Set();
        window.moves = false;
        setInterval(() => {
            if (video.videoWidth === 0) return;
            colours.add(colour());
            window.moves = colours.size > 3;
        }, 50);
    };
    client.on("callconnected", (user, { remoteStream }, peer) => {
        told.push(`connected ${user} ${peer.key.length}`);
        window.remote = remoteStream;
    });
    client.on("callended", (user, outcome) => told.push(`ended ${user} ${outcome}`));
    client.on("stream", (user, stream, kind) => told.push(`stream ${user} ${kind}`));
    client.on("streamended", (user, stream, kind) => told.push(`streamended ${user} ${kind}`));
    client.on("track", (user, track, stream) => told.push(`track ${user} ${track.kind} ${stream.getTracks().includes(track)}`));
    client.on("callchange", (call) => told.push(`call ${call?.state ?? "none"}`));
"#;

/// Ann and Ben have met, with these options, and have the tools.
async fn two(bed: &Bed, stage: &Stage, options: Value) -> Result<[Tab; 2]> {
    let tabs = stage.two(bed, options).await?;
    for tab in &tabs {
        eval(tab, TOOLS).await?;
    }
    Ok(tabs)
}

/// Waits until the program was told this.
async fn told(tab: &Tab, what: &str) -> Result<()> {
    let script = format!("return told.includes({})", json!(what));
    until(tab, &script).await.map(drop)
}

#[test]
fn programs_call_each_other_and_send_streams_of_their_own() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = two(&bed, &stage, json!({})).await?;
        // Nobody has loaded what calls need.
        let loaded = "return performance.getEntriesByType('resource').some(({ name }) => name.includes('mqtt-rtc-calls'))";
        ensure!(eval(&ann, loaded).await? == false);
        eval(
            &ben,
            "client.on('call', (user, { video, audio, silent, conversation }, { start, end }, peer) => {
                told.push(`call ${user} ${audio} ${video} ${silent} ${conversation === peer.key}`);
                start.then(({ remoteStream }) => { told.push('started'); shown(remoteStream) });
                end.then(() => told.push('over'));
                return drawn();
            })",
        )
        .await?;
        eval(
            &ann,
            "window.called = peer.call({ audio: true, video: true }).then((call) => { window.call = call; return call.state })",
        )
        .await?;
        until(
            &ann,
            "return called.then((state) => ['ringing', 'connecting', 'connected'].includes(state))",
        )
        .await?;
        // Somebody whom nobody knows makes no sound.
        told(&ben, "call ann true true true true").await?;
        told(&ben, "started").await?;
        told(&ann, "connected ben 44").await?;
        told(&ann, "call connected").await?;
        told(&ann, "stream ben camera").await?;
        told(&ben, "track ann video true").await?;
        eval(&ann, "shown(remote)").await?;
        // The fake camera, and the canvas.
        until(&ben, "return moves").await?;
        until(&ann, "return moves").await?;
        let participants = "return call.participants.map(({ peer, audio, video, screen, connected }) => [peer.user, audio, video, screen, connected])";
        until(&ann, "return call.participants[0].video").await?;
        let found = eval(&ann, participants).await?;
        ensure!(
            found == json!([["ben", false, true, false, true]]),
            "{found}"
        );
        // Whoever is muted is shown as that.
        eval(&ann, "call.enable({ audio: false }); call.raiseHand(true)").await?;
        let heard = "client.on('callchange', (call) => { const [its] = call?.participants ?? []; if (its?.hand && !its.audio) told.push('muted') })";
        eval(&ben, heard).await?;
        eval(&ann, "call.raiseHand(false); call.raiseHand(true)").await?;
        told(&ben, "muted").await?;
        // A handler that is added late is told of the call that there is.
        eval(
            &ann,
            "client.on('callconnected', (user) => told.push(`late ${user}`))",
        )
        .await?;
        told(&ann, "late ben").await?;
        eval(
            &ann,
            "window.own = call.localStream.getTracks(); call.end()",
        )
        .await?;
        told(&ann, "ended ben ended").await?;
        told(&ben, "ended ann ended").await?;
        told(&ben, "over").await?;
        told(&ann, "call none").await?;
        // The devices are closed, and the program's own stream is left as it is.
        until(
            &ann,
            "return own.length === 2 && own.every(({ readyState }) => readyState === 'ended')",
        )
        .await?;
        ensure!(eval(&ann, "return call.state").await? == "ended");
        bed.no_errors().await
    });
}

#[test]
fn the_names_of_the_first_rtchat_work() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = two(&bed, &stage, json!({})).await?;
        eval(
            &ben,
            "window.answers = [undefined, Promise.reject(new Error('not now')), Promise.resolve(true)];
            answers[1].catch(() => {});
            client.on('error', () => {});
            client.on('call', () => answers.shift())",
        )
        .await?;
        // A handler that returns nothing declines, and so does one that rejects.
        for _ in 0..2 {
            let declined = "const { start, end } = client.callUser('ben', { audio: true });
                return start.catch((error) => error.code).then((code) => end.then(() => code))";
            let code = eval(&ann, declined).await?;
            ensure!(code == "refused", "{code}");
        }
        told(&ann, "ended ben declined").await?;
        // What is sent may be a stream.
        eval(
            &ann,
            "const { start, end } = client.callUser('ben', drawn());
            start.then(({ localStream, remoteStream }) => {
                told.push(`local ${localStream.getVideoTracks().length} remote ${remoteStream.getAudioTracks().length}`);
            });
            end.then(() => told.push('over'))",
        )
        .await?;
        told(&ann, "local 1 remote 1").await?;
        told(&ben, "connected ann 44").await?;
        eval(&ben, "shown(remote)").await?;
        until(&ben, "return moves").await?;
        eval(&ben, "client.endCallWithUser('ann')").await?;
        for tab in [&ann, &ben] {
            until(
                tab,
                "return told.some((line) => String(line).endsWith(' ended'))",
            )
            .await?;
        }
        told(&ann, "over").await?;
        // Nobody has that name.
        let nobody = "const { start } = client.callUser('nobody'); return start.catch((error) => error.code)";
        ensure!(eval(&ann, nobody).await? == "gone");
        bed.no_errors().await
    });
}

#[test]
fn programs_watch_what_somebody_broadcasts_until_they_are_removed() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = two(&bed, &stage, json!({})).await?;
        eval(
            &ben,
            "client.on('broadcast', (user, { audio, video, asks }) => told.push(`broadcast ${user} ${audio} ${video} ${asks}`));
            client.on('broadcastended', (user) => told.push(`broadcastended ${user}`))",
        )
        .await?;
        let code = "return client.watch(peer).catch((error) => error.code)";
        ensure!(eval(&ben, code).await? == "gone");
        eval(
            &ann,
            "client.on('watchers', (watchers) => told.push(`watchers ${watchers.map(({ user }) => user)}`));
            client.on('watchrequest', (user) => { told.push(`request ${user}`); return true });
            client.broadcast(drawn(), { ask: true }).then((broadcast) => (window.broadcast = broadcast))",
        )
        .await?;
        told(&ben, "broadcast ann false true true").await?;
        eval(&ben, "client.watch(peer).then((stream) => { told.push('watching'); shown(stream) }); client.showAt(peer, { camera: 90 })").await?;
        told(&ann, "request ben").await?;
        told(&ben, "watching").await?;
        told(&ann, "watchers ben").await?;
        until(&ben, "return moves").await?;
        // Whoever is removed sees it end, and may not ask again.
        eval(&ann, "broadcast.remove(broadcast.watchers[0])").await?;
        told(&ben, "streamended ann camera").await?;
        told(&ann, "watchers ").await?;
        ensure!(eval(&ben, code).await? == "refused");
        eval(&ann, "broadcast.end()").await?;
        told(&ben, "broadcastended ann").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_program_hears_why_there_is_no_call() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, _ben] = two(&bed, &stage, json!({ "calls": "audio" })).await?;
        // Of a site without pictures, no camera is opened.
        eval(
            &ann,
            "const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            navigator.mediaDevices.getUserMedia = (constraints) => { told.push(JSON.stringify(constraints)); return ask(constraints) }",
        )
        .await?;
        eval(&ann, "window.called = client.call({ audio: true, video: true }); called.then((call) => call.shareScreen(drawn()).catch(({ code }) => told.push(`screen ${code}`)).then(() => call.end()))").await?;
        told(&ann, r#"{"audio":true,"video":false}"#).await?;
        told(&ann, "screen refused").await?;
        until(&ann, "return called.then(({ state }) => state === 'ended')").await?;
        eval(
            &ann,
            "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('No', 'NotFoundError'))",
        )
        .await?;
        let refused = "return client.call().catch(({ code, message }) => [code, message])";
        let found = eval(&ann, refused).await?;
        ensure!(
            found
                == json!([
                    "device",
                    "No microphone was found. Connect one, then press the button again."
                ]),
            "{found}"
        );
        let wrong = "return client.call('loud').catch(({ name }) => name)";
        ensure!(eval(&ann, wrong).await? == "TypeError");
        eval(&ann, "client.disconnect()").await?;
        let left = "return client.call({ audio: false }).catch(({ code }) => code)";
        ensure!(eval(&ann, left).await? == "gone");
        bed.no_errors().await
    });
}
