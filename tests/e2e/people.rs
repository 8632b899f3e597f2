//! What people decide about each other, and what is shown of it.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Tab, run};

/// Where the element with this test id is.
async fn place(tab: &Tab, id: &str) -> Result<String> {
    let script = "const box = document.querySelector(`[data-testid=${arguments[0]}]`).getBoundingClientRect();
        return [box.x, box.y, box.width, box.height].join()";
    let place = tab.script(script, vec![id.into()]).await?;
    Ok(place.as_str().unwrap_or_default().to_owned())
}

#[test]
fn blocking_is_asked_about_undone_and_listed() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        ann.click("person").await?;
        ann.until("details", |page| page.has("block")).await?;

        // Two quick clicks decide one thing, and nothing slides under the pointer.
        let before = [
            place(&ann, "mark-verified").await?,
            place(&ann, "block").await?,
        ];
        ann.double_click("mark-verified").await?;
        let page = ann
            .until("that ben is verified", |page| {
                page.trust_of("ben") == "verified"
            })
            .await?;
        ensure!(!page.has("block-question"), "{page:?}");
        let after = [
            place(&ann, "mark-verified").await?,
            place(&ann, "block").await?,
        ];
        ensure!(before == after, "{before:?} and then {after:?}");
        ann.double_click("block").await?;
        let page = ann
            .until("the question", |page| page.has("block-question"))
            .await?;
        ensure!(page.text("block-question").contains("Block ben?"));
        ann.click_settled("keep").await?;
        ann.until("no question", |page| !page.has("block-question"))
            .await?;
        ann.sees(&["ben"]).await?;

        ann.click("block").await?;
        ann.click_settled("block-now").await?;
        let page = ann.sees(&[]).await?;
        ensure!(page.text("notice").contains("You blocked ben."), "{page:?}");
        ben.sees(&[]).await?;
        ann.click("undo-block").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ben.say("what was that?").await?;
        let page = ann.hears("ben", "what was that?").await?;
        ensure!(!page.has("notice") && !page.has("blocked"), "{page:?}");

        // It also lasts, and can be undone later.
        if !page.has("block") {
            ann.click("person").await?;
        }
        ann.click("block").await?;
        ann.click_settled("block-now").await?;
        ann.sees(&[]).await?;
        ann.reload().await?;
        let page = ann
            .until("whom ann blocked", |page| page.has("blocked-person"))
            .await?;
        ensure!(page.text("blocked-person").contains("ben"), "{page:?}");
        ann.until("that nobody is there", |page| {
            page.status == "looking" && page.peers.is_empty()
        })
        .await?;
        ann.click_on("[data-testid=blocked] summary").await?;
        ann.click("unblock").await?;
        ann.until("ben", |page| {
            page.has_verified(&["ben"]) && !page.has("blocked")
        })
        .await?;
        ben.sees(&["ann"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn who_comes_and_goes_disturbs_nobody_in_the_list() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let ann = browser.open(site.url()).await?;
            ann.join("ann").await?;
            ann.click("me").await?;
            ann.until("the field", |page| page.has("name")).await?;
            ann.type_into("name", "a").await?;
            let guests = bed.chromium().await?;
            let ben = guests.open(site.url()).await?;
            ben.join("ben").await?;
            ann.sees(&["ben"]).await?;
            // What is typed stays, and so does the focus, which a click on somebody else moves.
            let kept = "const field = document.querySelector('[data-testid=name]');
                window.person ??= document.querySelector('[data-user=ben] [data-testid=person]');
                return [field?.value, document.activeElement === field, window.person.isConnected].join()";
            ann.until_script(kept, &[], "a,true,true").await?;
            let bea = guests.open(&format!("{}?x", site.url())).await?;
            bea.joined().await?;
            ann.until("three", |page| page.peers.len() == 2).await?;
            ann.until_script(kept, &[], "a,true,true").await?;
            ben.close().await?;
            bea.close().await?;
            ann.until("that nobody is there", |page| page.peers.is_empty())
                .await?;
            ann.until_script(kept, &[], "a,true,false").await?;
            ann.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn another_tab_shows_who_is_blocked_and_unblocked_meanwhile() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let ann = browser.open(site.url()).await?;
            ann.join("ann").await?;
            let ben = bed.chromium().await?.open(site.url()).await?;
            ben.join("ben").await?;
            ann.sees(&["ben"]).await?;
            let other = browser.open(site.url()).await?;
            other.joined().await?;
            other.until("both", |page| page.peers.len() == 2).await?;

            ann.click_on("[data-user=ben] [data-testid=person]").await?;
            ann.click("block").await?;
            ann.click_settled("block-now").await?;
            // Ben goes for good, so that nothing but the list tells the other tab.
            ben.close().await?;
            for tab in [&ann, &other] {
                tab.until("that ben is blocked", |page| page.has("blocked-person"))
                    .await?;
            }
            ann.until("the notice", |page| page.has("undo-block"))
                .await?;
            other.click_on("[data-testid=blocked] summary").await?;
            other.click("unblock").await?;
            for tab in [&other, &ann] {
                tab.until("that nobody is blocked", |page| {
                    !page.has("blocked") && !page.has("undo-block")
                })
                .await?;
            }
            ann.close().await?;
            other.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_newcomer_with_a_known_name_is_told_apart_or_known_as_the_same() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        let first = bed.firefox().await?.open(site.url()).await?;
        first.join("Alice").await?;
        ann.sees(&["Alice"]).await?;
        // A narrow page shows the warning above the people, too, and the focus goes on to what can be seen.
        ann.set_width(360).await?;
        ann.click("people-button").await?;
        let second = bed.chromium().await?.open(site.url()).await?;
        second.join("Alice").await?;
        let seen = "const place = document.querySelector('[data-testid=alias-warning]')?.getBoundingClientRect();
            return place?.height > 30 && place.top === 0 && place.right <= innerWidth
                && document.querySelector('[data-testid=people]').checkVisibility()
                && !document.querySelector('.log').checkVisibility()";
        ann.until_true(seen, Vec::new()).await?;
        ann.click("different-person").await?;
        let back = "return document.activeElement.dataset.testid === 'back'";
        ann.until_true(back, Vec::new()).await?;
        ann.click("back").await?;
        ann.reload().await?;

        let page = ann
            .until("the warning", |page| page.has("alias-warning"))
            .await?;
        let warning = page.text("alias-warning");
        for words in [
            "Another “Alice” joined",
            "Different person",
            "Same Alice, new browser",
            "Block",
        ] {
            ensure!(warning.contains(words), "{words}: {warning}");
        }
        for width in [360, 1280] {
            ann.set_width(width).await?;
            let low =
                "return document.querySelector('[data-testid=alias-warning]').offsetHeight <= 72
                && document.documentElement.scrollWidth <= innerWidth";
            ann.until_true(low, Vec::new()).await?;
        }
        let trust = |page: &crate::support::Page| {
            let mut trust: Vec<String> = page.peers.iter().map(|peer| peer.trust.clone()).collect();
            trust.sort();
            trust
        };

        // Whoever is somebody else stays marked, and the first Alice is what she was.
        ann.click("different-person").await?;
        let page = ann
            .until("no warning", |page| !page.has("alias-warning"))
            .await?;
        ensure!(trust(&page) == ["known", "name-on-another-key"], "{page:?}");

        ann.reload().await?;
        ann.until("the warning", |page| page.has("alias-warning"))
            .await?;
        ann.click("accept-key").await?;
        ann.until("that both are known", |page| {
            trust(page) == ["known", "known"] && !page.has("alias-warning")
        })
        .await?;
        let focus = "return document.activeElement.dataset.testid === 'composer'";
        ann.until_true(focus, Vec::new()).await?;
        ann.reload().await?;
        ann.until("that both are known", |page| {
            trust(page) == ["known", "known"]
        })
        .await?;
        ensure!(!ann.page().await?.has("alias-warning"));
        bed.no_errors().await
    });
}
