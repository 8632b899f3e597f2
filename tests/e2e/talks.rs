//! Several conversations: channels and direct messages, what is unread in them, what stays after a reload, and search.

use anyhow::{Result, ensure};
use xtask::testbed::{Broker, Site, dist};

use crate::support::{Tab, run, settings};

const IS_THERE: &str = "return !!document.querySelector(arguments[0])";

async fn until(tab: &Tab, selector: &str) -> Result<()> {
    tab.until_true(IS_THERE, vec![selector.into()]).await
}

fn conversation(id: &str) -> String {
    format!("[data-testid=conversation][data-id='{id}']")
}

async fn open(tab: &Tab, id: &str) -> Result<()> {
    tab.click_on(&conversation(id)).await
}

/// Opens the direct conversation with the only other person.
async fn open_direct(tab: &Tab) -> Result<()> {
    tab.click("person").await?;
    tab.click("open-dm").await
}

async fn texts(tab: &Tab) -> Result<Vec<String>> {
    let page = tab.page().await?;
    Ok(page.messages.into_iter().map(|said| said.text).collect())
}

#[test]
fn channels_and_direct_messages_count_what_is_unread_and_stay_after_a_reload() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut with_channels = settings(&broker.ws_url());
        with_channels["channels"] = serde_json::json!([
            { "name": "lobby", "topic": "Everything else", "welcome": ["Welcome", "Be kind"] },
            { "name": "news", "icon": "📰" },
        ]);
        let site = Site::start(dist(), with_channels).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        for tab in [&ann, &ben] {
            until(tab, &conversation("#news")).await?;
            let page = tab.page().await?;
            ensure!(
                page.text("channel-welcome").contains("Be kind"),
                "{page:#?}"
            );
        }
        ann.say("in the lobby").await?;
        ben.hears("ann", "in the lobby").await?;

        // What is said elsewhere is counted there, and read once it is opened.
        open(&ann, "#news").await?;
        ann.say("big news").await?;
        until(&ben, &format!("{}[data-unread='1']", conversation("#news"))).await?;
        ensure!(texts(&ben).await? == ["in the lobby"]);
        open(&ben, "#news").await?;
        ben.hears("ann", "big news").await?;
        until(&ben, &format!("{}[data-unread='0']", conversation("#news"))).await?;

        // A direct message reaches the other one alone, and can be answered there.
        open_direct(&ann).await?;
        ann.say("between us").await?;
        let direct = "[data-testid=conversation][data-unread='1']:not([data-id^='#'])";
        until(&ben, direct).await?;
        ben.click_on(direct).await?;
        ben.hears("ann", "between us").await?;
        ben.say("indeed").await?;
        ann.hears("ben", "indeed").await?;
        until(&ann, "[data-testid=message][data-state=delivered]").await?;

        // All of it is there after a reload, also for somebody who is alone.
        ben.close().await?;
        ann.until("that ben is gone", |page| page.peers.is_empty())
            .await?;
        ann.say("for when you are back").await?;
        until(&ann, "[data-testid=message][data-state=waiting]").await?;
        ann.reload().await?;
        until(&ann, &conversation("#lobby")).await?;
        ann.hears("ann", "in the lobby").await?;
        open(&ann, "#news").await?;
        ann.hears("ann", "big news").await?;
        let direct = "[data-testid=conversation]:not([data-id^='#'])";
        ann.click_on(direct).await?;
        ann.hears("ben", "indeed").await?;
        ensure!(texts(&ann).await? == ["between us", "indeed", "for when you are back"]);
        until(&ann, "[data-testid=message][data-state=waiting]").await?;
        bed.no_errors().await
    });
}

#[test]
fn people_choose_what_is_kept_search_in_it_and_delete_it() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.firefox().await?.open(site.url()).await?;
        ann.join("ann").await?;
        for text in ["the first word", "another one", "Straße nach Norden"] {
            ann.say(text).await?;
            ann.hears("ann", text).await?;
        }
        let choose = "const select = document.querySelector('[data-testid=history-mode]');
            select.value = arguments[0];
            select.dispatchEvent(new Event('input', { bubbles: true }));
            select.dispatchEvent(new Event('change', { bubbles: true }));";
        let chosen = "return document.querySelector('[data-testid=history-mode]').value";
        ensure!(ann.script(chosen, Vec::new()).await? == "kept");

        // All of it is there after a reload, also what was written after the browser was asked to keep it for good: Firefox
        // asks the person, who need not answer.
        ann.reload().await?;
        for text in ["the first word", "another one", "Straße nach Norden"] {
            ann.hears("ann", text).await?;
        }

        // A search finds what is there, and leads to it.
        ann.type_into("search", "STRASSE").await?;
        until(&ann, "[data-testid=search-results]").await?;
        ensure!(!ann.page().await?.has("search-result"));
        ann.script(
            "document.querySelector('[data-testid=search]').value = ''",
            Vec::new(),
        )
        .await?;
        ann.type_into("search", "straße").await?;
        until(&ann, "[data-testid=search-result]").await?;
        ann.click("search-result").await?;
        until(&ann, "[data-testid=message][data-found]").await?;

        // Nothing is kept any more.
        ann.script(choose, vec!["off".into()]).await?;
        ann.reload().await?;
        ann.until("an empty room", |page| page.has("empty")).await?;
        ensure!(ann.script(chosen, Vec::new()).await? == "off");

        // Kept until the tab closes.
        ann.script(choose, vec!["session".into()]).await?;
        ann.say("for a while").await?;
        ann.hears("ann", "for a while").await?;
        ann.reload().await?;
        ann.hears("ann", "for a while").await?;

        // Deleted, also for the next time.
        ann.click("delete-room").await?;
        ann.click("delete-room-now").await?;
        ann.until("that nothing is left", |page| page.messages.is_empty())
            .await?;
        ann.reload().await?;
        ann.until("an empty room", |page| page.has("empty")).await?;
        bed.no_errors().await
    });
}
