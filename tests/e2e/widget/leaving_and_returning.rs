//! Chats that leave a page and return to it.

use anyhow::{Context, Result, ensure};
use xtask::testbed::Broker;

use super::{chat, has_no_page_errors, page, tag};
use crate::leaving_and_returning::left_and_returned;
use crate::support::{Bed, Browser, Host, NOWHERE, Tab, run};

#[test]
fn a_removed_chat_leaves_the_room_and_frees_everything() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let notes = "<script>
            window.made = [];
            for (const name of ['WebSocket', 'RTCPeerConnection'])
                window[name] = new Proxy(window[name], { construct(target, given) {
                    const it = new target(...given);
                    made.push(it);
                    return it;
                } });
        </script>";
        let tag = tag(&site, "data-name=ann data-open");
        let url = host.write_page("page.html", &page(&format!("{notes}{tag}"), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for (leaver, stayer) in [(&chromium, &firefox), (&firefox, &chromium)] {
            let stays = stayer.open(&url).await?;
            stays.joined().await?;
            let leaves = leaver.open(&url).await?;
            leaves.joined().await?;
            leaves
                .until("the other peer", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            // A chat that is moved within the page stays in the room.
            leaves
                .script(
                    "document.body.prepend(document.querySelector('rt-chat'))",
                    Vec::new(),
                )
                .await?;
            leaves
                .script("window.chat = RTChat.widget; RTChat.remove()", Vec::new())
                .await?;
            stays.sees(&[]).await?;
            let script = "return made.map((it) => it.connectionState ?? it.readyState)
                .concat(chat.shadowRoot.querySelector('.app') ? ['shown'] : [])";
            for _ in 0..200 {
                let states = leaves.script(script, Vec::new()).await?;
                let states = states.as_array().context("a list")?;
                if states.iter().all(|state| *state == "closed" || *state == 3) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            let states = leaves.script(script, Vec::new()).await?;
            let all = states.as_array().context("a list")?;
            ensure!(
                all.len() >= 2 && all.iter().all(|state| *state == "closed" || *state == 3),
                "{states}"
            );
            // A chat can be added again.
            leaves
                .script("RTChat.add({ name: 'ben', open: true })", Vec::new())
                .await?;
            stays
                .until("the other peer again", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            for tab in [stays, leaves] {
                has_no_page_errors(&tab).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn chats_that_come_and_go_leave_nothing_behind() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let tag = tag(&site, "").replace("?add", "");
        let chromium = bed.chromium().await?;
        let tab = chromium
            .open(&host.write_page("page.html", &page(&tag, ""))?)
            .await?;
        let mut counts = Vec::new();
        for round in 1..=7 {
            let add = "const chat = document.createElement('rt-chat');
                chat.name = 'ann';
                document.body.append(chat)";
            tab.script(add, Vec::new()).await?;
            tab.until("that it looks for others", |page| page.status == "looking")
                .await?;
            let remove = "document.querySelector('rt-chat').remove(); events.length = 0";
            tab.script(remove, Vec::new()).await?;
            // Later chats reuse objects that the first chat created.
            if round == 2 || round == 7 {
                counts.push(settled(&tab).await?);
            }
        }
        ensure!(
            counts[1].0 <= counts[0].0 && counts[1].1 <= counts[0].1,
            "listeners and nodes, and again after five more chats: {counts:?}"
        );
        bed.no_errors().await
    });
}

/// The numbers of listeners and nodes of a page once they no longer change.
async fn settled(tab: &Tab) -> Result<(u64, u64)> {
    let (mut last, mut same) = (tab.counts().await?, 0);
    while same < 5 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = tab.counts().await?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}

#[test]
fn a_chat_is_in_the_room_again_when_chromium_returns_to_its_page() {
    run(|bed| async move { away_and_back(&bed, bed.chromium().await?).await });
}

#[test]
fn a_chat_is_in_the_room_again_when_firefox_returns_to_its_page() {
    run(|bed| async move { away_and_back(&bed, bed.firefox().await?).await });
}

/// Leaves the page and returns to it, with the panel open and with only the bubble.
async fn away_and_back(bed: &Bed, browser: Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let (site, host) = (bed.site(&broker).await?, Host::start().await?);
    let url = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
    let stays = bed.firefox().await?.open(&url).await?;
    let leaves = browser.open(&url).await?;
    for (tab, name) in [(&stays, "ann"), (&leaves, "ben")] {
        tab.until("the bubble", |page| page.has("launcher")).await?;
        tab.click("launcher").await?;
        tab.join(name).await?;
    }
    stays.sees(&["ben"]).await?;

    for open in [true, false] {
        if !open {
            leaves.click("close-panel").await?;
        }
        // The browser may keep the page or load it again.
        stays.watch().await?;
        leaves.go(&format!("{}{NOWHERE}", site.url())).await?;
        stays.sees(&[]).await?;
        leaves.script("history.back()", Vec::new()).await?;
        stays.sees(&["ben"]).await?;
        left_and_returned(&stays, "ben").await?;
        leaves
            .until("two people", |page| page.text("launcher-people") == "2")
            .await?;
        // Imitate a browser that keeps it, since browsers do not say whether they will.
        stays.watch().await?;
        for event in ["pagehide", "pageshow"] {
            let dispatch =
                "dispatchEvent(new PageTransitionEvent(arguments[0], { persisted: true }))";
            leaves.script(dispatch, vec![event.into()]).await?;
            if event == "pagehide" {
                stays.sees(&[]).await?;
            }
        }
        stays.sees(&["ben"]).await?;
        left_and_returned(&stays, "ben").await?;
        leaves
            .until("two people", |page| page.text("launcher-people") == "2")
            .await?;

        let shown = chat(&leaves).await?;
        ensure!(
            shown["open"] == open && shown["chats"] == 1 && shown["people"] == 2,
            "{shown}"
        );
        let question = format!("back again? {open}");
        stays.say(&question).await?;
        if !open {
            leaves
                .until("a number on the bubble", |page| {
                    page.text("launcher-unread") == "1"
                })
                .await?;
            leaves.click("launcher").await?;
        }
        leaves.hears("ann", &question).await?;
    }
    leaves.sees(&["ann"]).await?;
    leaves.say("back again").await?;
    stays.hears("ben", "back again").await?;
    has_no_page_errors(&stays).await?;
    has_no_page_errors(&leaves).await
}
