//! People reload, leave, come back, and open more tabs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::time::sleep;
use xtask::testbed::{Broker, Site};

use crate::support::{Bed, Browser, NOWHERE, Page, Tab, run};

/// The longest time that a closed tab may still be shown, in milliseconds.
const GHOST_MILLIS: u64 = 2_000;

#[test]
fn a_reloaded_tab_is_back_at_once_as_the_same_person() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let second = chromium.open(site.url()).await?;
        ensure!(second.joined().await?.own == "ann(2)");
        let ben = firefox.open(site.url()).await?;
        ben.join("ben").await?;
        let page = ann.sees(&["ann(2)", "ben"]).await?;
        ensure!(
            page.trust_of("ben") == "new",
            "they have never met: {page:?}"
        );
        second.sees(&["ann", "ben"]).await?;
        ben.sees(&["ann", "ann(2)"]).await?;

        // The second tab keeps its number, and everybody still sees it as the same tab.
        ann.watch().await?;
        ben.watch().await?;
        second.reload().await?;
        let page = second.sees(&["ann", "ben"]).await?;
        ensure!(page.own == "ann(2)", "it is now called {}", page.own);
        for (tab, there) in [(&ann, ["ann(2)", "ben"]), (&ben, ["ann", "ann(2)"])] {
            tab.sees(&there).await?;
            left_and_returned(tab, "ann(2)").await?;
        }

        // The other browser is recognised by its key.
        ben.reload().await?;
        ensure!(ben.sees(&["ann", "ann(2)"]).await?.own == "ben");
        let page = ann.sees(&["ann(2)", "ben"]).await?;
        ensure!(
            page.trust_of("ben") == "known",
            "they have met before: {page:?}"
        );
        left_and_returned(&ann, "ben").await?;
        ben.say("here I am again").await?;
        ann.hears("ben", "here I am again").await?;
        second.hears("ben", "here I am again").await?;
        bed.no_errors().await
    });
}

/// Checks that a watching tab saw the user leave and return, and never saw them twice at once.
pub async fn left_and_returned(tab: &Tab, user: &str) -> Result<()> {
    let watched = tab.watched().await?;
    let there = |people: &str| {
        people
            .split(", ")
            .filter(|person| person.starts_with(&format!("{user} ")))
            .count()
    };
    let counts: Vec<usize> = watched.iter().map(|(_, people)| there(people)).collect();
    ensure!(
        counts.contains(&0) && counts.last() == Some(&1) && counts.iter().all(|count| *count <= 1),
        "{user} did not leave and return as expected: {watched:#?}"
    );
    Ok(())
}

#[test]
fn closing_a_tab_frees_its_number() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(site.url()).await?;
        ensure!(first.join("ann").await?.own == "ann");
        let second = chromium.open(site.url()).await?;
        ensure!(second.joined().await?.own == "ann(2)");
        let third = chromium.open(site.url()).await?;
        ensure!(third.joined().await?.own == "ann(3)");
        first.sees(&["ann(2)", "ann(3)"]).await?;
        second.sees(&["ann", "ann(3)"]).await?;
        third.sees(&["ann", "ann(2)"]).await?;

        second.close().await?;
        first.sees(&["ann(3)"]).await?;
        third.sees(&["ann"]).await?;
        let fourth = chromium.open(site.url()).await?;
        ensure!(fourth.joined().await?.own == "ann(2)");
        fourth.sees(&["ann", "ann(3)"]).await?;
        first.sees(&["ann(2)", "ann(3)"]).await?;
        third.sees(&["ann", "ann(2)"]).await?;
        // These tabs are the person's own, and need neither trust nor a decision.
        let page = first.page().await?;
        ensure!(page.trust_of("ann(2)") == "own", "{page:?}");
        first.click("person").await?;
        let page = first
            .until("details", |page| page.has("person-details"))
            .await?;
        ensure!(page.text("person").contains("your other tab"), "{page:?}");
        ensure!(!page.text("person").contains("Known") && !page.has("block"));
        ensure!(!page.has("safety-number"), "{page:?}");
        third.say("three of us").await?;
        first.hears("ann(3)", "three of us").await?;
        fourth.hears("ann(3)", "three of us").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_tab_closed_in_chromium_is_gone_at_once() {
    run(|bed| async move { close_a_tab(&bed.chromium().await?, &bed).await });
}

#[test]
fn a_tab_closed_in_firefox_is_gone_at_once() {
    run(|bed| async move { close_a_tab(&bed.firefox().await?, &bed).await });
}

async fn close_a_tab(browser: &Browser, bed: &Bed) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let (stays, leaves) = two_tabs(browser, &site).await?;
    stays.watch().await?;
    // Both pages use the same clock, so delays of the driver do not matter.
    let note = "addEventListener('pagehide', () => localStorage.setItem('closed', Date.now()))";
    leaves.script(note, Vec::new()).await?;
    leaves.close().await?;
    stays.sees(&[]).await?;
    let closed = stays
        .script("return localStorage.getItem('closed')", Vec::new())
        .await?;
    let closed: u64 = closed
        .as_str()
        .context("the page got no pagehide event")?
        .parse()?;
    let watched = stays.watched().await?;
    let gone = watched.iter().find(|(_, people)| people.is_empty());
    let (gone, _) = gone.context("the other tab never saw it leave")?;
    let took = gone.saturating_sub(closed);
    ensure!(took <= GHOST_MILLIS, "gone only after {took} ms");
    let page = stays.page().await?;
    ensure!(page.status == "looking", "the status is {}", page.status);
    Ok(())
}

#[test]
fn a_person_who_leaves_by_the_button_can_come_back() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let (stays, leaves) = two_tabs(&chromium, &site).await?;
        stays.say("do not forget this").await?;
        leaves.hears("ann", "do not forget this").await?;
        leaves.click("leave").await?;
        let page = leaves
            .until("that it left", |page| page.status == "left")
            .await?;
        ensure!(page.has_message("ann", "do not forget this"), "{page:?}");
        ensure!(page.peers.is_empty(), "{page:?}");
        let focus = "return document.activeElement.dataset.testid === arguments[0]";
        leaves.until_true(focus, vec!["rejoin".into()]).await?;
        stays.sees(&[]).await?;
        leaves.click("rejoin").await?;
        leaves.sees(&["ann"]).await?;
        stays.sees(&["ann(2)"]).await?;
        leaves.until_true(focus, vec!["composer".into()]).await?;
        leaves.say("I did not").await?;
        let page = leaves.hears("ann(2)", "I did not").await?;
        ensure!(page.has_message("ann", "do not forget this"), "{page:?}");
        stays.hears("ann(2)", "I did not").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_tab_that_goes_to_another_page_and_back_is_in_the_room_again() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let site = bed.site(&broker).await?;
            let (stays, leaves) = two_tabs(&browser, &site).await?;
            leaves.go(&format!("{}{NOWHERE}", site.url())).await?;
            stays.sees(&[]).await?;
            leaves.script("history.back()", Vec::new()).await?;
            leaves.sees(&["ann"]).await?;
            stays.sees(&["ann(2)"]).await?;
            leaves.say("back again").await?;
            stays.hears("ann(2)", "back again").await?;
        }
        Ok(())
    });
}

#[test]
fn two_tabs_of_chromium_opened_at_the_same_moment_are_one_person() {
    run(|bed| async move { open_two_tabs_at_once(&bed.chromium().await?, &bed).await });
}

#[test]
fn two_tabs_of_firefox_opened_at_the_same_moment_are_one_person() {
    run(|bed| async move { open_two_tabs_at_once(&bed.firefox().await?, &bed).await });
}

/// A first visit in two tabs at once. Chance decides which of them creates the key, so the test tries several times.
async fn open_two_tabs_at_once(browser: &Browser, bed: &Bed) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    for _ in 0..3 {
        let site = bed.site(&broker).await?;
        let opener = browser.open(&format!("{}{NOWHERE}", site.url())).await?;
        let before = browser.tabs().await?.len();
        let open = "open(arguments[0]); open(arguments[0])";
        opener.script(open, vec![site.url().into()]).await?;
        let tabs = browser.tabs().await?.split_off(before);
        ensure!(tabs.len() == 2, "{} tabs were opened", tabs.len());
        let mut owns = Vec::new();
        for tab in &tabs {
            // A slow tab that found the name stored by the other tab has already joined.
            let ready = |page: &Page| page.has("name") || !page.own.is_empty();
            if tab
                .until("the field for a name, or the room", ready)
                .await?
                .own
                .is_empty()
            {
                tab.enter_name("ann").await?;
            }
            owns.push(tab.joined().await?.own);
        }
        let [first, second] = [&tabs[0], &tabs[1]];
        first.sees(&[&owns[1]]).await?;
        second.sees(&[&owns[0]]).await?;
        let keys = [
            fingerprint_of(first, &owns[1]).await?,
            fingerprint_of(second, &owns[0]).await?,
        ];
        ensure!(keys[0] == keys[1], "two identities: {keys:?}");
        owns.sort();
        ensure!(owns == ["ann", "ann(2)"], "they are called {owns:?}");
        for tab in tabs {
            tab.close().await?;
        }
    }
    bed.no_errors().await
}

/// The fingerprint that a tab shows for a user.
async fn fingerprint_of(tab: &Tab, user: &str) -> Result<String> {
    tab.click_on(&format!("[data-testid=peer][data-user='{user}'] .person"))
        .await?;
    let page = tab
        .until("their key", |page| page.has("fingerprint"))
        .await?;
    Ok(page.text("fingerprint").to_owned())
}

/// Two connected tabs of the same person.
async fn two_tabs(browser: &Browser, site: &Site) -> Result<(Tab, Tab)> {
    let first = browser.open(site.url()).await?;
    first.join("ann").await?;
    let second = browser.open(site.url()).await?;
    second.joined().await?;
    first.sees(&["ann(2)"]).await?;
    second.sees(&["ann"]).await?;
    Ok((first, second))
}

/// Longer than the half minute of a print dialog, of an alert, or of a tab that the browser freezes.
const STANDS_STILL: Duration = Duration::from_secs(36);

#[test]
fn a_page_that_stood_still_goes_on_as_if_nothing_had_happened() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;

        // No script of the page runs meanwhile.
        ann.devtools("Page.setWebLifecycleState", json!({ "state": "frozen" }))
            .await?;
        ben.say("are you there?").await?;
        ben.until("that ann is silent", |page| page.status == "reconnecting")
            .await?;
        sleep(STANDS_STILL).await;
        ann.devtools("Page.setWebLifecycleState", json!({ "state": "active" }))
            .await?;

        ann.hears("ben", "are you there?").await?;
        ann.say("I am").await?;
        let page = ben.hears("ann", "I am").await?;
        ensure!(!page.text("moves").contains("left"), "{page:?}");
        let page = ann.until("ben", |page| page.status == "connected").await?;
        ensure!(!page.text("moves").contains("left"), "{page:?}");
        // The browser itself reports that a frozen page loses its connection to the broker.
        Ok(())
    });
}
