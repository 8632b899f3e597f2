//! Received content that could run in the page's origin when it is opened.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{EMPTY, Stage, eval, until};
use crate::support::{Bed, Browser, run};

/// Types that can run or navigate, or could be mistaken for such a type. Some are written to pass a careless check.
const ACTIVE: [&str; 16] = [
    "text/html",
    "TEXT/HTML; charset=utf-8",
    " text/html",
    "application/xhtml+xml",
    "image/svg+xml",
    "text/xml",
    "application/xml",
    "application/rss+xml",
    "text/xsl",
    "multipart/related",
    "message/rfc822",
    "text/javascript",
    "application/pdf",
    "image/png, text/html",
    "video/*",
    "",
];

/// Types that browsers only display or play, and the type that is kept of each: browsers use the last type of a list.
const INERT: [(&str, &str); 6] = [
    ("image/png", "image/png"),
    ("audio/mpeg", "audio/mpeg"),
    ("video/webm;codecs=vp9", "video/webm"),
    ("TEXT/Plain", "text/plain"),
    ("text/plain;charset=utf-8", "text/plain"),
    ("text/plain;a=b,text/html", "text/plain"),
];

#[test]
fn active_content_arrives_without_its_type() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let take = r#"
            window.types = [];
            client.on("data", (blob) => types.push([blob.type, blob.saidType]));
            client.on("file", async (file) => {
                const types = [file.type, file.saidType];
                const whole = await file.accept();
                window.types.push([...types, whole.type, whole.saidType]);
            });"#;
        eval(&ben, take).await?;
        let send = r#"
            const types = arguments[0];
            return (async () => {
                for (const type of types) {
                    // A `Blob` with any type that its sender chooses, as a modified client could send it.
                    const blob = new Blob(["<script>window.opener</script>"]);
                    Object.defineProperty(blob, "type", { value: type });
                    await peer.send(blob);
                    await peer.sendFile(blob, { name: "a" });
                }
            })();"#;
        let opaque = ACTIVE.map(|said| (said, "application/octet-stream"));
        for list in [&opaque[..], &INERT[..]] {
            eval(&ben, "types.length = 0").await?;
            let said: Vec<&str> = list.iter().map(|(said, _)| *said).collect();
            ann.script(send, vec![json!(said)]).await?;
            let count = format!("return types.length === {} && types", 2 * list.len());
            let types = until(&ben, &count).await?;
            let types = types.as_array().map(Vec::as_slice).unwrap_or_default();
            for (said, given) in list {
                for expected in [json!([given, said]), json!([given, said, given, said])] {
                    ensure!(types.contains(&expected), "no {expected} in {types:?}");
                }
            }
        }
        bed.no_errors().await
    });
}

/// If this runs, it copies the key from the site's storage.
const THIEF: &str = r#"<!DOCTYPE html><svg xmlns="http://www.w3.org/2000/svg"><script>
    localStorage.setItem("stolen", localStorage.getItem("rtchat/1/identity"))</script></svg>"#;

#[test]
fn opened_content_does_not_run_in_chromium() {
    run(|bed| async move {
        let victim = bed.chromium().await?;
        open_everything(&bed, victim).await
    });
}

#[test]
fn opened_content_does_not_run_in_firefox() {
    run(|bed| async move {
        let victim = bed.firefox().await?;
        open_everything(&bed, victim).await
    });
}

/// Opens received content in the two ways that a page has: in a frame, and by a link as in the documentation. The same
/// bytes with their own type show that they would run.
async fn open_everything(bed: &Bed, browser: Browser) -> Result<()> {
    let stage = Stage::with(EMPTY).await?;
    let ben = browser.open(&stage.url).await?;
    super::start_client(&ben, "ben", json!({})).await?;
    let ann = bed.chromium().await?.open(&stage.url).await?;
    super::start_client(&ann, "ann", json!({})).await?;
    until(
        &ann,
        "return (window.peer = client.getPeer('ben'))?.state === 'verified'",
    )
    .await?;
    let open = r#"
        window.opened = [];
        window.show = (blob) => new Promise((done) => {
            const frame = document.createElement("iframe");
            frame.onload = () => done();
            // A frame whose content is downloaded instead of shown fires no event.
            setTimeout(done, 1000);
            frame.src = URL.createObjectURL(blob);
            document.body.append(frame);
        });
        window.follow = (blob) => {
            const link = document.createElement("a");
            link.href = URL.createObjectURL(blob);
            link.download = "a.html";
            link.textContent = link.download;
            document.body.append(link);
            link.click();
        };
        const open = async (blob) => {
            await show(blob);
            follow(blob);
            opened.push(blob.saidType);
        };
        client.on("data", open);
        client.on("file", async (file) => open(await file.accept()));"#;
    eval(&ben, open).await?;
    let send = r#"
        const [types, text] = arguments;
        return (async () => {
            for (const type of types) {
                const blob = new Blob([text]);
                Object.defineProperty(blob, "type", { value: type });
                await peer.send(blob);
                await peer.sendFile(blob, { name: "a.html" });
            }
        })();"#;
    let types = json!([
        "text/html",
        "image/svg+xml",
        "application/xhtml+xml",
        "",
        "text/plain",
        "image/png"
    ]);
    ann.script(send, vec![types, THIEF.into()]).await?;
    until(&ben, "return opened.length === 12").await?;
    let stolen = "return localStorage.getItem('stolen')";
    ensure!(eval(&ben, stolen).await?.is_null(), "something ran");

    let html = "return show(new Blob([arguments[0]], { type: 'text/html' })).then(() => true)";
    ben.script(html, vec![THIEF.into()]).await?;
    let key = eval(&ben, "return localStorage.getItem('rtchat/1/identity')").await?;
    ensure!(
        key.is_string() && eval(&ben, stolen).await? == key,
        "the same bytes as HTML would not have run, so this shows nothing"
    );
    Ok(())
}
