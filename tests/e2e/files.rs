//! Files and pictures beside messages: sent, fetched, shown, saved, and fetched from somebody else.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// Makes a photo as a camera does: a JPEG with a note of where it was taken.
const PHOTO: &str = "
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
    const context = canvas.getContext('2d');
    context.fillStyle = 'teal';
    context.fillRect(0, 0, 640, 480);
    const plain = new Uint8Array(await (await new Promise((done) => canvas.toBlob(done, 'image/jpeg'))).arrayBuffer());
    const note = new TextEncoder().encode('Exif\\0\\0 48.2082 N 16.3738 E');
    const exif = new Uint8Array([0xff, 0xe1, 0, note.length + 2, ...note]);
    const photo = new File([plain.slice(0, 2), exif, plain.slice(2)], 'photo.jpg', { type: 'image/jpeg' });";

/// Picks files, as the browser's dialog does.
const PICK: &str = "
    const picker = document.querySelector('[data-testid=file-input]');
    const transfer = new DataTransfer();
    files.forEach((file) => transfer.items.add(file));
    picker.files = transfer.files;
    picker.dispatchEvent(new Event('change', { bubbles: true }));";

/// What a picture that is shown contains: how it begins, and whether it says where it was taken.
const SHOWN: &str = "
    const picture = document.querySelector('img[data-testid=picture]');
    const bytes = new Uint8Array(await window.made.get(picture.src).arrayBuffer());
    const text = String.fromCharCode(...bytes);
    return [picture.naturalWidth, bytes[0] === 0xff && bytes[1] === 0xd8, text.includes('48.2082'), picture.src.split(':')[0]];";

/// Notes what gets an address, and what is saved: names, and what the browser is told of the content. (The page may fetch no
/// such address.)
const NOTE: &str = "
    [window.made, window.saved] = [new Map(), []];
    const address = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        const made = address(blob);
        window.made.set(made, blob);
        return made;
    };
    HTMLAnchorElement.prototype.click = function () {
        const { type, size } = window.made.get(this.href);
        window.saved.push(`${this.download} ${type} ${size}`);
    };";

async fn script(tab: &Tab, parts: &[&str]) -> Result<Value> {
    let script = format!("return (async () => {{ {} }})()", parts.concat());
    tab.script(&script, Vec::new()).await
}

/// Waits until there is a file of this name in this state.
async fn until_file(tab: &Tab, name: &str, state: &str) -> Result<()> {
    let find = "return !!document.querySelector(arguments[0])";
    let selector = format!("[data-testid=file][data-name='{name}'][data-state={state}]");
    tab.until_true(find, vec![selector.into()]).await
}

async fn press(tab: &Tab, name: &str, button: &str) -> Result<()> {
    let find =
        "const button = document.querySelector(arguments[0]); button?.click(); return !!button";
    let selector = format!("[data-testid=file][data-name='{name}'] [data-testid={button}]");
    tab.until_true(find, vec![selector.into()]).await
}

/// Sends what waits in the composer once it is ready.
async fn send_when_ready(tab: &Tab, count: usize) -> Result<()> {
    let ready = "return document.querySelectorAll('[data-testid=chip][data-state=ready]').length === arguments[0]";
    tab.until_true(ready, vec![count.into()]).await?;
    tab.click("send").await
}

#[test]
fn a_photo_leaves_without_its_place_and_comes_from_others_when_its_sender_has_left() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        // Two files at once; one of them is removed again.
        let other = "const other = new File(['x'], 'other.txt'); const files = [photo, other];";
        script(&ann, &[PHOTO, other, PICK]).await?;
        ann.click_on("[data-testid=chip][data-name='other.txt'] [data-testid=chip-remove]")
            .await?;
        ann.type_into("composer", "Look").await?;
        send_when_ready(&ann, 1).await?;
        until_file(&ann, "photo.jpg", "offered").await?;
        ben.hears("ann", "Look").await?;
        script(&ben, &[NOTE]).await?;

        // Ben meets Ann for the first time: a tile stands there until he wants the picture.
        until_file(&ben, "photo.jpg", "offered").await?;
        let tile = ben.page().await?.text("picture").to_owned();
        ensure!(tile.starts_with("Picture from ann"), "{tile:?}");
        let is_button =
            "return document.querySelector('[data-testid=picture]').tagName === 'BUTTON'";
        ben.until_true(is_button, Vec::new()).await?;
        press(&ben, "photo.jpg", "accept-file").await?;
        until_file(&ben, "photo.jpg", "done").await?;
        until_file(&ann, "photo.jpg", "done").await?;
        let is_shown =
            "return document.querySelector('img[data-testid=picture]')?.naturalWidth > 0";
        ben.until_true(is_shown, Vec::new()).await?;
        let shown = script(&ben, &[SHOWN]).await?;
        ensure!(shown == json!([640, true, false, "blob"]), "{shown}");

        // A press opens it, Escape closes it, and the focus is where it was.
        ben.click("picture-open").await?;
        let opened = "return document.querySelector('[data-testid=viewer]')?.open === true";
        ben.until_true(opened, Vec::new()).await?;
        ben.type_into("viewer-close", "\u{e00c}").await?;
        let closed = "return !document.querySelector('[data-testid=viewer]')
            && document.activeElement.dataset.testid === 'picture-open'";
        ben.until_true(closed, Vec::new()).await?;

        // Ann leaves, and Cleo, who comes now, gets the picture from Ben.
        ann.close().await?;
        let cleo = bed.chromium().await?.open(site.url()).await?;
        cleo.join("cleo").await?;
        cleo.sees(&["ben"]).await?;
        press(&cleo, "photo.jpg", "accept-file").await?;
        until_file(&cleo, "photo.jpg", "done").await?;
        cleo.until_true(is_shown, Vec::new()).await?;

        // Ben reloads: the message comes from Cleo, and the picture was kept in his browser.
        ben.reload().await?;
        ben.joined().await?;
        until_file(&ben, "photo.jpg", "done").await?;
        ben.until_true(is_shown, Vec::new()).await?;
        bed.no_errors().await
    });
}

#[test]
fn what_others_sent_never_runs() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let files = "
            const markup = '<script>window.pwned = true</script><svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"window.pwned = true\"/>';
            const huge = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60, 8, 2, 0, 0, 0]);
            const files = [
                new File([markup, 1], 'page.html', { type: 'text/html' }),
                new File([markup, 2], 'drawing.svg', { type: 'image/svg+xml' }),
                new File([markup, 3], 'lie.png', { type: 'image/png' }),
                new File([huge], 'huge.png', { type: 'image/png' }),
            ];";
        script(&ann, &[files, PICK]).await?;
        send_when_ready(&ann, 4).await?;
        script(&ben, &[NOTE]).await?;
        for name in ["page.html", "drawing.svg", "lie.png", "huge.png"] {
            press(&ben, name, "accept-file").await?;
            until_file(&ben, name, "done").await?;
            press(&ben, name, "save-file").await?;
            let saved = "return window.saved.some((saved) => saved.startsWith(arguments[0]))";
            let line = format!("{name} application/octet-stream ");
            ben.until_true(saved, vec![line.into()]).await?;
        }
        // None of them is shown as a picture, and nothing ran.
        let shown = "return document.querySelectorAll('img[data-testid=picture], iframe, object, embed').length === 0";
        for tab in [&ann, &ben] {
            tab.until_true(shown, Vec::new()).await?;
            ensure!(!tab.page().await?.pwned);
        }
        // What is not wanted stays away.
        script(
            &ann,
            &["const files = [new File(['x'], 'unwanted.txt')];", PICK],
        )
        .await?;
        send_when_ready(&ann, 1).await?;
        press(&ben, "unwanted.txt", "refuse-file").await?;
        until_file(&ben, "unwanted.txt", "refused").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_large_file_shows_its_progress_and_is_cancelled_and_fetched_again() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        // Dropped on the chat, and not picked.
        let drop = "
            const files = [new File([new Uint8Array(64_000_000).fill(7)], 'large.bin')];
            const transfer = new DataTransfer();
            files.forEach((file) => transfer.items.add(file));
            const log = document.querySelector('[data-testid=log]');
            log.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));";
        script(&ann, &[drop]).await?;
        send_when_ready(&ann, 1).await?;
        until_file(&ben, "large.bin", "offered").await?;
        let words = ben.page().await?.text("file").to_owned();
        ensure!(
            words.contains("only while somebody who has it is here"),
            "{words:?}"
        );
        press(&ben, "large.bin", "accept-file").await?;
        let moves =
            "const file = document.querySelector('[data-testid=file][data-state=transferring]');
            return Number(file?.dataset.progress) > 0 && file.textContent.includes('/s')";
        ben.until_true(moves, Vec::new()).await?;
        press(&ben, "large.bin", "cancel-file").await?;
        until_file(&ben, "large.bin", "offered").await?;
        press(&ben, "large.bin", "accept-file").await?;
        until_file(&ben, "large.bin", "done").await?;
        until_file(&ann, "large.bin", "done").await?;
        script(&ben, &[NOTE]).await?;
        press(&ben, "large.bin", "save-file").await?;
        let saved = "return window.saved[0] ?? ''";
        ben.until_script(saved, &[], "large.bin application/octet-stream 64000000")
            .await?;
        bed.no_errors().await
    });
}

/// Pastes files into the composer.
const PASTE: &str = "
    const pasted = new DataTransfer();
    files.forEach((file) => pasted.items.add(file));
    const paste = { bubbles: true, cancelable: true, clipboardData: pasted };
    document.querySelector('[data-testid=composer]').dispatchEvent(new ClipboardEvent('paste', paste));";

/// Makes a GIF of two pictures, one second of a tone, and a film of some frames.
const MOVING: &str = "
    const frame = (colour) => [0x21, 0xf9, 4, 4, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, colour ? 0x4c : 0x44, 1, 0];
    const gif = [...new TextEncoder().encode('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255,
        0x21, 0xff, 11, ...new TextEncoder().encode('NETSCAPE2.0'), 3, 1, 0, 0, 0, ...frame(0), ...frame(1), 0x3b];
    const tone = new DataView(new ArrayBuffer(44 + 8_000));
    [...'RIFF'].forEach((letter, at) => tone.setUint8(at, letter.charCodeAt()));
    [...'WAVEfmt '].forEach((letter, at) => tone.setUint8(8 + at, letter.charCodeAt()));
    [...'data'].forEach((letter, at) => tone.setUint8(36 + at, letter.charCodeAt()));
    for (const [at, value] of [[4, 36 + 8_000], [16, 16], [24, 8_000], [28, 8_000], [40, 8_000]]) tone.setUint32(at, value, true);
    for (const [at, value] of [[20, 1], [22, 1], [32, 1], [34, 8]]) tone.setUint16(at, value, true);
    for (let at = 0; at < 8_000; at++) tone.setUint8(44 + at, 128 + 90 * Math.sin(at / 3));
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
    const context = canvas.getContext('2d');
    const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: 'video/webm' });
    const film = await new Promise((done) => {
        const parts = [];
        let drawn = 0;
        recorder.ondataavailable = ({ data }) => parts.push(data);
        recorder.onstop = () => done(new Blob(parts, { type: 'video/webm' }));
        recorder.start();
        const draw = () => {
            context.fillStyle = `hsl(${drawn * 10} 80% 50%)`;
            context.fillRect(0, 0, 64, 48);
            if ((drawn += 1) > 20) recorder.stop();
            else requestAnimationFrame(draw);
        };
        draw();
    });
    const files = [
        new File([new Uint8Array(gif)], 'moving.gif', { type: 'image/gif' }),
        new File([tone], 'tone.wav', { type: 'audio/wav' }),
        new File([film], 'film.webm', { type: 'video/webm' }),
    ];";

#[test]
fn what_is_pasted_for_one_person_stays_as_it_is_and_plays_there() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let cleo = bed.chromium().await?.open(site.url()).await?;
        cleo.join("cleo").await?;
        cleo.sees(&["ann", "ben"]).await?;
        ann.click_on("[data-testid=peer][data-user=ben] [data-testid=person]")
            .await?;
        ann.click("open-dm").await?;

        // A photo that is pasted can be sent with what the camera noted.
        script(&ann, &[PHOTO, "const files = [photo];", PASTE]).await?;
        let ready = "return !!document.querySelector('[data-testid=chip][data-state=ready] [data-testid=chip-original]')";
        ann.until_true(ready, Vec::new()).await?;
        let plain = ann.page().await?.text("chip").to_owned();
        ensure!(plain.contains("without place and camera"), "{plain}");
        ann.click("chip-original").await?;
        ann.until("the original", |page| {
            page.text("chip")
                .contains("original, with what the camera noted")
        })
        .await?;
        send_when_ready(&ann, 1).await?;
        let direct = "[data-testid=conversation][data-unread='1']:not([data-id^='#'])";
        ben.until_true(
            "return !!document.querySelector(arguments[0])",
            vec![direct.into()],
        )
        .await?;
        script(&ben, &[NOTE]).await?;
        ben.click_on(direct).await?;
        press(&ben, "photo.jpg", "accept-file").await?;
        let is_shown =
            "return document.querySelector('img[data-testid=picture]')?.naturalWidth > 0";
        ben.until_true(is_shown, Vec::new()).await?;
        let shown = script(&ben, &[SHOWN]).await?;
        ensure!(shown == json!([640, true, true, "blob"]), "{shown}");

        // A picture that moves, a tone and a film come as they are, and play where they stand.
        script(&ann, &[MOVING, PASTE]).await?;
        send_when_ready(&ann, 3).await?;
        for name in ["moving.gif", "tone.wav", "film.webm"] {
            press(&ben, name, "accept-file").await?;
            until_file(&ben, name, "done").await?;
        }
        let moves = "const picture = document.querySelector('[data-name=\"moving.gif\"] img[data-testid=picture]');
            const blob = window.made.get(picture?.src);
            return !!blob && picture.naturalWidth === 1 && new TextDecoder('latin1').decode(await blob.arrayBuffer()).split('\\x21\\xf9').length === 3";
        let moves = format!("return (async () => {{ {moves} }})()");
        ben.until_true(&moves, Vec::new()).await?;
        for (name, tag) in [("tone.wav", "AUDIO"), ("film.webm", "VIDEO")] {
            let plays = "const player = document.querySelector(`[data-name='${arguments[0]}'] [data-testid=player]`);
                return player?.tagName === arguments[1] && player.controls && player.readyState > 0 && !player.error";
            for tab in [&ann, &ben] {
                tab.until_true(plays, vec![name.into(), tag.into()]).await?;
            }
            let play = "const player = document.querySelector(`[data-name='${arguments[0]}'] [data-testid=player]`);
                player.muted = true;
                return player.play().then(() => player.currentTime > 0 || !player.paused || player.ended)";
            ann.until_true(play, vec![name.into()]).await?;
        }

        // Nobody else hears of any of it.
        ben.say("all of it is here").await?;
        ann.hears("ben", "all of it is here").await?;
        ann.click_on("[data-testid=conversation][data-id^='#']")
            .await?;
        ann.say("to everybody").await?;
        let heard = cleo.hears("ann", "to everybody").await?;
        ensure!(
            heard.messages.len() == 1 && !heard.has("file"),
            "{heard:#?}"
        );

        // A text that nobody could send is not sent, stays where it is, and the page goes on.
        let long = "const field = document.querySelector('[data-testid=composer]');
            field.focus();
            return document.execCommand('insertText', false, 'words '.repeat(1_700_000)) && field.value.length";
        ensure!(ann.script(long, Vec::new()).await? == 60_000);
        ann.click("send").await?;
        let page = ann
            .until("that it is too long", |page| {
                page.text("composer-problem").contains("60,000")
            })
            .await?;
        ensure!(page.messages.len() == 1, "{:#?}", page.messages.len());
        ann.script(
            "document.querySelector('[data-testid=composer]').select()",
            Vec::new(),
        )
        .await?;
        ann.say("shorter").await?;
        cleo.hears("ann", "shorter").await?;
        bed.no_errors().await
    });
}
