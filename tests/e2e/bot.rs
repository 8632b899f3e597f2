//! The helper in `bot/`, a peer outside the browser. People see it as an ordinary peer.

use std::fs;

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{self, Broker};

use crate::support::{Bed, Bot, Browser, Tab, run};

/// The page on which helpers meet without a browser.
const PAGE: &str = "https://example.org/chat/";

#[test]
fn a_helper_chats_with_chromium() {
    run(|bed| async move {
        let browser = testbed::Browser::chromium_hiding_addresses().await?;
        let browser = bed.own(browser).await?;
        meet_a_helper(&bed, &browser).await
    });
}

#[test]
fn a_helper_chats_with_firefox() {
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

/// A person asks the helper something, leaves and returns.
async fn meet_a_helper(bed: &Bed, browser: &Browser) -> Result<()> {
    let mut broker = Broker::mosquitto().await?;
    let site = bed.site(&broker).await?;
    let folder = tempfile::tempdir()?;
    let identity = folder.path().join("helper.json");
    let helper = Bot::start("helper", site.url(), &broker, &identity).await?;

    let tab = browser.open(site.url()).await?;
    ensure_addresses_are_hidden(&tab).await?;
    tab.join("ann").await?;
    let page = tab.sees(&["helper"]).await?;
    ensure!(page.trust_of("helper") == "new", "{page:#?}");
    let greeting = "Hello ann, I am helper. Ask me something: end it with a question mark.";
    // Nobody else sees the greeting.
    let unread = "[data-testid=conversation][data-unread='1']:not([data-id='#lobby'])";
    let is_there = "return !!document.querySelector(arguments[0])";
    tab.until_true(is_there, vec![unread.into()]).await?;
    tab.click_on(unread).await?;
    tab.hears("helper", greeting).await?;
    tab.click_on("[data-testid=conversation][data-id='#lobby']")
        .await?;
    // Everything from here on is sent directly.
    broker.kill().await?;
    tab.say("Who are you?").await?;
    let answer = "I am helper, a program. I came here without a browser.";
    tab.hears("helper", answer).await?;
    // After a long silence the page tries an ICE restart, which is the only way to reach the helper without a broker.
    helper.freeze()?;
    tab.until("that the helper is reconnecting", |page| {
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
    // Now the page is in the room first, so it sends the offer.
    let tab = browser.open(site.url()).await?;
    tab.until("that it looks for others", |page| page.status == "looking")
        .await?;
    let _helper = Bot::start("helper", site.url(), &broker, &identity).await?;
    let page = tab.sees(&["helper"]).await?;
    ensure!(page.trust_of("helper") == "known", "{page:#?}");
    tab.until_true(is_there, vec![unread.into()]).await?;
    tab.click_on(unread).await?;
    tab.hears("helper", "Welcome back, ann!").await?;
    bed.no_errors().await
}

/// Checks that the browser hides private addresses behind mDNS names. A helper cannot resolve them, but has to be
/// reachable.
async fn ensure_addresses_are_hidden(tab: &Tab) -> Result<()> {
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
fn helpers_ask_and_answer_each_other() {
    run(|_| async move {
        let broker = Broker::rumqttd().await?;
        let folder = tempfile::tempdir()?;
        let start = async |name, more: &[&str]| {
            let identity = folder.path().join(name);
            Bot::start_with(name, PAGE, &broker, &identity, more).await
        };
        let mut ann = start("ann", &[]).await?;
        let mut ben = start("ben", &["--ask", "Who are you?"]).await?;
        ann.prints("ben is here.").await?;
        ann.prints("Asked: \"Who are you?\"").await?;
        let answer = "\"I am ann, a program. I came here without a browser.\"";
        ben.prints(&format!("Answered: {answer}")).await
    });
}

#[test]
fn a_helper_that_was_killed_gives_newcomers_what_was_said_before() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let folder = tempfile::tempdir()?;
        let (identity, history) = (
            folder.path().join("helper.json"),
            folder.path().join("helper.history"),
        );
        let keeps = ["--history", history.to_str().unwrap_or_default()];
        let start = || Bot::start_with("helper", site.url(), &broker, &identity, &keeps);
        let mut helper = start().await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        ann.sees(&["helper"]).await?;
        for text in ["**the first** word", "another", "the last"] {
            ann.say(text).await?;
            helper.prints(&format!("ann: {text}")).await?;
        }
        ann.close().await?;
        // It is killed while it writes, and a line of its file is damaged.
        drop(helper);
        let written = fs::read_to_string(&history)?;
        let lines: Vec<&str> = written.lines().collect();
        ensure!(lines.len() > 3, "{written}");
        fs::write(
            &history,
            format!("{written}put something else\nput a line that is c"),
        )?;
        let _helper = start().await?;
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ben.sees(&["helper"]).await?;
        ben.hears("ann", "the first word").await?;
        ben.hears("ann", "another").await?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&history)?.permissions().mode();
            ensure!(mode & 0o777 == 0o600, "{mode:o}");
        }
        // What is broken is gone from the file, and what was said to Ben alone is in it.
        let written = fs::read_to_string(&history)?;
        ensure!(!written.contains("something else"), "{written}");
        bed.no_errors().await
    });
}

#[test]
fn a_file_that_holds_no_identity_is_left_alone() {
    run(|_| async move {
        let broker = Broker::rumqttd().await?;
        let folder = tempfile::tempdir()?;
        let letter = folder.path().join("letter.txt");
        fs::write(&letter, "Dear Ann")?;
        let mut helper = Bot::start("helper", PAGE, &broker, &letter).await?;
        helper.ends().await?;
        ensure!(fs::read_to_string(&letter)? == "Dear Ann");
        Ok(())
    });
}
