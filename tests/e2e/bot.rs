//! A peer outside the browser, `examples/bot`: for people it is somebody like everybody else.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{self, Broker};

use crate::support::{Bed, Bot, Browser, Tab, run};

#[test]
fn a_helper_for_chromium() {
    run(|bed| async move {
        let browser = testbed::Browser::chromium_in_hiding().await?;
        let browser = bed.own(browser).await?;
        meet_a_helper(&bed, &browser).await
    });
}

#[test]
fn a_helper_for_firefox() {
    run(|bed| async move {
        let hidden = [(
            "media.peerconnection.ice.obfuscate_host_addresses",
            json!(true),
        )];
        let browser = testbed::Browser::firefox_with(&hidden).await?;
        let browser = bed.own(browser).await?;
        meet_a_helper(&bed, &browser).await
    });
}

/// Somebody asks, goes, and comes back.
async fn meet_a_helper(bed: &Bed, browser: &Browser) -> Result<()> {
    let mut broker = Broker::mosquitto().await?;
    let site = bed.site(&broker).await?;
    let folder = tempfile::tempdir()?;
    let identity = folder.path().join("helper.json");
    let helper = Bot::start("helper", site.url(), &broker, &identity).await?;

    let tab = browser.open(site.url()).await?;
    hides_addresses(&tab).await?;
    tab.join("ann").await?;
    let page = tab.sees(&["helper"]).await?;
    ensure!(page.trust_of("helper") == "new", "{page:#?}");
    let greeting = "Hello ann, I am helper. Ask me something: end it with a question mark.";
    tab.hears("helper", greeting).await?;
    // What is said from now on goes from one to the other.
    broker.kill().await?;
    tab.say("Who are you?").await?;
    let answer = "I am helper, a program. I came here without a browser.";
    tab.hears("helper", answer).await?;
    // Silent for long enough, it is looked for with an ICE restart: without a broker there is no other way.
    helper.freeze()?;
    tab.until("that it is missed", |page| {
        page.peers.iter().any(|peer| peer.state == "reconnecting")
    })
    .await?;
    helper.thaw()?;
    tab.sees(&["helper"]).await?;
    tab.say("And who is here?").await?;
    tab.hears("helper", "I see ann.").await?;
    tab.close().await?;

    drop(helper);
    broker.restart().await?;
    // Now the page is here first, so it makes the offer.
    let tab = browser.open(site.url()).await?;
    tab.until("that it waits", |page| page.status == "looking")
        .await?;
    let _helper = Bot::start("helper", site.url(), &broker, &identity).await?;
    let page = tab.sees(&["helper"]).await?;
    ensure!(page.trust_of("helper") == "known", "{page:#?}");
    tab.hears("helper", "Welcome back, ann!").await?;
    bed.no_errors().await
}

/// A helper cannot resolve the names that stand for private addresses; people must reach it all the same.
async fn hides_addresses(tab: &Tab) -> Result<()> {
    let script = "return new Promise(resolve => {
            const peer = new RTCPeerConnection(), lines = [];
            peer.createDataChannel('');
            peer.onicecandidate = ({ candidate }) =>
                candidate ? lines.push(candidate.candidate) : (peer.close(), resolve(lines));
            peer.setLocalDescription();
        })";
    let candidates = tab.script(script, Vec::new()).await?;
    let lines: Vec<String> = serde_json::from_value(candidates)?;
    let mut hosts = lines.iter().filter(|line| line.contains("typ host"));
    ensure!(
        !lines.is_empty() && hosts.all(|line| line.contains(".local ")),
        "addresses are not hidden: {lines:#?}"
    );
    Ok(())
}

#[test]
fn helpers_among_themselves() {
    run(|_| async move {
        let broker = Broker::rumqttd().await?;
        let folder = tempfile::tempdir()?;
        let page = "https://example.org/chat/";
        let start = async |name| {
            let identity = folder.path().join(name);
            Bot::start(name, page, &broker, &identity).await
        };
        let (mut ann, mut ben) = (start("ann").await?, start("ben").await?);
        ann.prints("ben is here.").await?;
        ben.prints("ann is here.").await?;
        let greeting = "Hello ben, I am ann. Ask me something: end it with a question mark.";
        ben.prints(&format!("ann: {greeting}")).await
    });
}
