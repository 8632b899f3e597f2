//! Safari's engine shows every view, and says what it cannot do. Debian's build of it has no WebRTC, so nobody talks here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use xtask::testbed::{self, Broker, Site, demo, dist};

use crate::accessibility::{ALL, play};
use crate::support::{Bed, Tab, run, settings};

/// Keeps what goes wrong on a page. WebKit's driver does not report the console.
const WATCH: &str = "<script>
    window.wrong = [];
    addEventListener('error', ({ message, target }) => wrong.push(message ?? `${target.outerHTML} failed`), true);
    addEventListener('unhandledrejection', ({ reason }) => wrong.push(`${reason}`));
    console.error = (...words) => wrong.push(words.join(' '));
    </script>";
/// Takes WebRTC away, where a build has it.
const NO_WEBRTC: &str = "<script>delete window.RTCPeerConnection</script>";

/// What nobody should see: text that is cut off at the side, colours that the browser does not know, and texts that were
/// not written.
const PROBLEMS: &str = "const found = [...wrong];
    const scroller = document.scrollingElement;
    if (scroller.scrollWidth > innerWidth) found.push(`${scroller.scrollWidth} px wide`);
    const rt = document.querySelector('.rt, #early');
    const style = rt && getComputedStyle(rt);
    if (rt && style.color === style.backgroundColor) found.push(`text in ${style.color} on the same`);
    if (/undefined|NaN|Invalid Date|\\[object/.test(document.body.innerText)) found.push(document.body.innerText);
    return found";

/// A copy of the page that runs these scripts before its own.
fn watched(page: &Path, scripts: &str) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(page)
        .with_context(|| format!("{} was not built", page.display()))?
        .flatten()
    {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    let index = folder.path().join("index.html");
    let text = std::fs::read_to_string(&index)?;
    let begin = text.find("<head>").context("index.html has no head")? + "<head>".len();
    std::fs::write(index, [&text[..begin], scripts, &text[begin..]].concat())?;
    Ok(folder)
}

async fn open(bed: &Bed, url: &str) -> Result<Tab> {
    bed.own(testbed::Browser::webkit().await?)
        .await?
        .open(url)
        .await
}

#[test]
fn every_view_opens_in_webkit() {
    run(|bed| async move {
        let folder = watched(&demo(), WATCH)?;
        let site = Site::start(folder.path(), json!({})).await?;
        let tab = open(&bed, site.url()).await?;
        let mut problems = Vec::new();
        for (scene, steps, shown) in ALL.into_iter().flatten() {
            // A page that breaks reports that, as it should.
            if *shown == "panic" {
                continue;
            }
            // What one scene leaves in the composer is not there in the next one.
            tab.script("sessionStorage.clear()", Vec::new()).await?;
            tab.go(&format!("{}?demo={scene}", site.url())).await?;
            play(&tab, steps, shown)
                .await
                .with_context(|| format!("{scene} {shown}"))?;
            if let Some(folder) = std::env::var_os("RTCHAT_SCREENSHOTS") {
                let file = PathBuf::from(folder).join(format!("webkit-{scene}-{shown}.png"));
                tab.screenshot(&file).await?;
            }
            let found = tab.script(PROBLEMS, Vec::new()).await?;
            if found != json!([]) {
                problems.push(format!("{scene} {shown}: {found:#}"));
            }
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n\n"));
        Ok(())
    });
}

#[test]
fn a_browser_without_webrtc_says_so_in_a_sentence() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let folder = watched(&dist(), &[WATCH, NO_WEBRTC].concat())?;
        let site = Site::start(folder.path(), settings(&broker.ws_url())).await?;
        let tab = open(&bed, site.url()).await?;
        tab.enter_name("ann").await?;
        let page = tab.until("a sentence", |page| page.has("stopped")).await?;
        let said = page.text("stopped");
        ensure!(
            said.contains(
                "This browser does not allow direct connections: WebRTC is missing or switched off."
            ),
            "{said}"
        );
        let found = tab.script(PROBLEMS, Vec::new()).await?;
        ensure!(found == json!([]), "{found:#}");
        Ok(())
    });
}
