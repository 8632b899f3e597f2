//! A program in the style of those written for the first published version of the interface.

use anyhow::{Result, ensure};

use super::{Stage, eval, until};
use crate::support::{Bed, Browser, run};

#[test]
fn chromium_asks_firefox() {
    run(|bed| async move {
        let browsers = [&bed.chromium().await?, &bed.firefox().await?];
        moons(&bed, browsers).await
    });
}

#[test]
fn firefox_asks_chromium() {
    run(|bed| async move {
        let browsers = [&bed.firefox().await?, &bed.chromium().await?];
        moons(&bed, browsers).await
    });
}

async fn moons(bed: &Bed, [first, second]: [&Browser; 2]) -> Result<()> {
    let stage = Stage::with(include_str!("moons.html")).await?;
    let asker = first.open(&stage.url).await?;
    let knows = second.open(&stage.url).await?;
    until(&asker, "return window.peer?.user").await?;
    let user = until(&knows, "return window.peer?.user").await?;
    let user = user.as_str().unwrap_or_default();
    ensure!(
        user.starts_with("anon-") && user.len() == "anon-".len() + 4,
        "{user}"
    );
    let own = eval(&asker, "return client.name").await?;
    ensure!(own == user, "{own} is seen as {user}");
    let script = "return Promise.all([peer.ask('how many moons has Mars?'), peer.ask('how many moons has Venus?')])";
    let answers = eval(&asker, script).await?;
    ensure!(answers == serde_json::json!([2, "look it up"]), "{answers}");
    let heard = until(&asker, "return seen.includes('answer look it up') && seen").await?;
    ensure!(heard.to_string().contains("answer 2"), "{heard}");
    let heard = eval(&knows, "return seen").await?;
    let words = [
        format!("connectionrequest {user}"),
        format!("connectedtopeer {user}"),
        "question how many moons has Mars?".to_owned(),
        "question how many moons has Venus?".to_owned(),
    ];
    ensure!(heard == serde_json::json!(words), "{heard}");
    bed.no_errors().await
}

#[test]
fn a_declined_peer_stays_outside() {
    run(|bed| async move {
        let stage = Stage::with(include_str!("moons.html")).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let alone = chromium.open(&format!("{}#alone", stage.url)).await?;
        until(&alone, "return window.client?.room === 'lobby'").await?;
        let outside = firefox.open(&stage.url).await?;
        until(&alone, "return window.seen.length > 0").await?;
        // A friend who is accepted meanwhile shows that there was enough time to connect.
        let friend = firefox.open(&stage.url).await?;
        until(&outside, "return window.peer?.state === 'verified'").await?;
        until(&friend, "return window.peer?.state === 'verified'").await?;
        let there = eval(&alone, "return [client.users, client.peers.length]").await?;
        ensure!(there == serde_json::json!([[], 0]), "{there}");
        let heard = eval(&alone, "return seen").await?;
        ensure!(!heard.to_string().contains("connectedtopeer"), "{heard}");
        bed.no_errors().await
    });
}

#[test]
fn a_strict_page_needs_just_the_documented_directives() {
    run(|bed| async move {
        let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'nonce-moons'; \
            connect-src 'self' ws://127.0.0.1:*";
        let strict = format!(r#"<meta http-equiv="Content-Security-Policy" content="{policy}">"#);
        let page = include_str!("moons.html")
            .replace("<title>", &format!("{strict}\n<title>"))
            .replace("<script", r#"<script nonce="moons""#);
        let stage = Stage::with(&page).await?;
        let first = bed.chromium().await?.open(&stage.url).await?;
        let second = bed.firefox().await?.open(&stage.url).await?;
        until(&first, "return window.peer?.state === 'verified'").await?;
        until(&second, "return window.peer?.state === 'verified'").await?;
        let answer = eval(&first, "return peer.ask('how many moons has Mars?')").await?;
        ensure!(answer == 2, "{answer}");
        Ok(())
    });
}
