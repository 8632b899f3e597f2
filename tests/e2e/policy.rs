//! The site owner's policy decides who is let in.

use anyhow::ensure;
use xtask::testbed::Broker;

use crate::support::{Host, run, settings};

#[test]
fn the_policy_ask_connects_only_accepted_people() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let mut ask = settings(&broker.ws_url());
        ask["accept"] = "ask".into();
        let url = host.put("ask/", ask)?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&url).await?;
        let welcome = ann.until("the welcome", |page| page.has("join")).await?;
        ensure!(
            welcome
                .text("welcome")
                .contains("are asked before you join"),
            "{}",
            welcome.text("welcome")
        );
        ann.join("ann").await?;
        let page = ann
            .until("that it looks for others", |page| page.status == "looking")
            .await?;
        ensure!(
            page.text("empty").contains("they are asked about you"),
            "{}",
            page.text("empty")
        );
        ann.watch().await?;
        let ben = firefox.open(&url).await?;
        ben.join("ben").await?;

        let page = ann
            .until("the question", |page| page.has("request"))
            .await?;
        ensure!(
            page.text("request").contains("ben"),
            "{}",
            page.text("request")
        );
        // The empty room does not claim that nobody is here, and the title says that somebody waits. On a busy machine, Yew
        // lets the browser go on between drawing the question and these.
        ann.until("that the empty room tells of it", |page| {
            page.text("empty")
                .contains("Somebody would like to talk to you")
        })
        .await?;
        let title = "return document.title === '(1) lobby · rtchat'";
        ann.until_true(title, Vec::new()).await?;
        ann.click("decline").await?;
        ann.until("no question", |page| !page.has("request"))
            .await?;

        // A reloaded tab is a new peer, and may ask again.
        ben.reload().await?;
        ben.until("that it looks for others", |page| page.status == "looking")
            .await?;
        ann.until("the question", |page| page.has("request"))
            .await?;
        let watched = ann.watched().await?;
        ensure!(
            watched.iter().all(|(_, people)| people.is_empty()),
            "somebody got in: {watched:?}"
        );
        ensure!(ben.page().await?.peers.is_empty());

        ann.click("accept").await?;
        let focus = "return document.activeElement.dataset.testid === 'composer'";
        ann.until_true(focus, Vec::new()).await?;
        ben.until("the question", |page| page.has("request"))
            .await?;
        ben.click("accept").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ann.say("come in").await?;
        ben.hears("ann", "come in").await?;

        // People who were met before are let in without a question.
        ben.reload().await?;
        ben.sees(&["ann"]).await?;
        let page = ann.sees(&["ben"]).await?;
        ensure!(
            !page.has("request") && page.trust_of("ben") == "known",
            "{page:?}"
        );
        bed.no_errors().await
    });
}

#[test]
fn the_policy_known_connects_only_people_met_before() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let everyone = settings(&broker.ws_url());
        let url = host.put("known/", &everyone)?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&url).await?;
        ann.join("ann").await?;
        let ben = firefox.open(&url).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;

        // From now on strangers stay outside, but these two have met before.
        let mut known = everyone;
        known["accept"] = "known".into();
        host.change_settings("known/", known)?;
        ann.reload().await?;
        ben.reload().await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;

        // A stranger with the same name.
        let memory = ben
            .script(
                "const memory = { ...localStorage }; localStorage.clear(); return memory",
                Vec::new(),
            )
            .await?;
        ann.watch().await?;
        ben.reload().await?;
        ben.join("ben").await?;
        ben.until("that it looks for others", |page| page.status == "looking")
            .await?;
        ann.sees(&[]).await?;
        ensure!(ben.page().await?.peers.is_empty());

        // The friend returns and is let in.
        ben.script(
            "localStorage.clear(); Object.assign(localStorage, arguments[0])",
            vec![memory],
        )
        .await?;
        ben.reload().await?;
        ben.sees(&["ann"]).await?;
        ann.sees(&["ben"]).await?;
        let watched = ann.watched().await?;
        let stranger = |people: &str| people.contains('(');
        ensure!(
            !watched.iter().any(|(_, people)| stranger(people)),
            "{watched:?}"
        );
        bed.no_errors().await
    });
}
