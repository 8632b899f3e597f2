//! What is kept and deleted here: in all tabs of a browser, and for good.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use crate::support::{KEPT, NOWHERE, Tab, run};

const MODE: &str =
    "return document.querySelector('[data-testid=history-mode]').value === arguments[0]";
const FOCUSED: &str = "return document.activeElement.dataset.testid === arguments[0]";
const DIRECT: &str = "[data-testid=conversation]:not([data-id^='#'])";

/// Occupies the database that is kept, until `isBusy` is false: a transaction goes on for as long as it has something to do.
const OCCUPY: &str = "window.isBusy = false;
    indexedDB.open('rtchat/1/history').onsuccess = ({ target: { result: database } }) => {
        const records = database.transaction(database.objectStoreNames, 'readwrite').objectStore('records');
        const goOn = () => {
            if (window.isBusy) records.count().onsuccess = goOn;
            else database.close();
        };
        records.count().onsuccess = () => {
            window.isBusy = true;
            goOn();
        };
    };";

async fn choose(tab: &Tab, mode: &str) -> Result<()> {
    let choose = "const select = document.querySelector('[data-testid=history-mode]');
        select.value = arguments[0];
        select.dispatchEvent(new Event('input', { bubbles: true }));
        select.dispatchEvent(new Event('change', { bubbles: true }));";
    tab.script(choose, vec![mode.into()]).await?;
    Ok(())
}

/// Waits until something is written in the database of this name, an expression. Without one, in the one that is kept for good.
async fn until_written(tab: &Tab, name: &str) -> Result<()> {
    let written = format!("{KEPT} return kept({name}).then((count) => count > 0)");
    tab.until_true(&written, Vec::new()).await
}

async fn until(tab: &Tab, selector: &str) -> Result<()> {
    let find = "return !!document.querySelector(arguments[0])";
    tab.until_true(find, vec![selector.into()]).await
}

async fn until_none(tab: &Tab, selector: &str) -> Result<()> {
    let find = "return !document.querySelector(arguments[0])";
    tab.until_true(find, vec![selector.into()]).await
}

#[test]
fn what_a_tab_keeps_stays_if_the_lock_of_its_database_is_released_late() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let ann = browser.open(site.url()).await?;
            ann.join("ann").await?;
            choose(&ann, "session").await?;
            ann.say("for a while").await?;
            let name = "sessionStorage.getItem('rtchat/1/session')";
            until_written(&ann, name).await?;
            let name = ann.script(&format!("return {name}"), Vec::new()).await?;
            // Another page stands for a busy browser: it holds the lock before the reloaded page gets it.
            let busy = browser.open(&format!("{}{NOWHERE}", site.url())).await?;
            let hold = "const late = () => new Promise((done) => setTimeout(done, 2000));
                navigator.locks.request(arguments[0], late)";
            busy.script(hold, vec![name]).await?;
            ann.reload().await?;
            ann.hears("ann", "for a while").await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn what_was_said_stays_if_the_page_is_loaded_again_before_it_is_written() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let ann = browser.open(site.url()).await?;
            ann.join("ann").await?;
            ann.say("written").await?;
            until_written(&ann, "").await?;
            // Another page stands for a busy browser: for now, nobody else can read or write what is kept.
            let busy = browser.open(&format!("{}{NOWHERE}", site.url())).await?;
            busy.script(OCCUPY, Vec::new()).await?;
            busy.until_true("return window.isBusy", Vec::new()).await?;
            ann.say("not written yet").await?;
            ann.hears("ann", "not written yet").await?;
            ann.reload().await?;
            // Nor can this be moved yet.
            until(&ann, "[data-testid=history-mode]").await?;
            choose(&ann, "session").await?;
            ann.say("for a while").await?;
            ann.hears("ann", "for a while").await?;
            ann.reload().await?;
            until(&ann, "[data-testid=history-mode]").await?;
            busy.script("window.isBusy = false", Vec::new()).await?;
            for text in ["written", "not written yet", "for a while"] {
                ann.hears("ann", text).await?;
            }
            let none = format!("{KEPT} return kept().then((count) => count === 0)");
            ann.until_true(&none, Vec::new()).await?;
            // Nothing is noted any more, and all of it is in the tab's own store.
            ann.reload().await?;
            for text in ["written", "not written yet", "for a while"] {
                ann.hears("ann", text).await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn what_one_tab_chooses_to_keep_counts_in_all_and_nothing_goes_from_their_view() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let browser = bed.chromium().await?;
        let one = browser.open(site.url()).await?;
        one.join("ann").await?;
        one.say("stays").await?;
        one.hears("ann", "stays").await?;
        let other = browser.open(site.url()).await?;
        other.hears("ann", "stays").await?;
        for mode in ["session", "kept", "off", "kept", "session"] {
            choose(&one, mode).await?;
            other.until_true(MODE, vec![mode.into()]).await?;
            // What is written from now on is heard of in both tabs, so all of the change is over.
            one.say(&format!("with {mode}")).await?;
            other.hears("ann", &format!("with {mode}")).await?;
            ensure!(other.page().await?.has_message("ann", "stays"), "{mode}");
            ensure!(one.page().await?.has_message("ann", "stays"), "{mode}");
        }
        // Each has it for itself now.
        other.reload().await?;
        other.hears("ann", "stays").await?;
        other.until_true(MODE, vec!["session".into()]).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_conversation_is_deleted_here_in_all_tabs_and_does_not_come_back() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let browser = bed.firefox().await?;
        let ann = browser.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = bed.chromium().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.say("to all").await?;
        ann.hears("ben", "to all").await?;
        ben.click_on("[data-testid=person]").await?;
        ben.click("open-dm").await?;
        ben.say("between us").await?;
        until(&ann, DIRECT).await?;
        ann.click_on(DIRECT).await?;
        ann.hears("ben", "between us").await?;
        let other = browser.open(site.url()).await?;
        until(&other, DIRECT).await?;

        // Not deleted after all: the focus is where it was.
        ann.click("delete-conversation").await?;
        ann.click_settled("keep-conversation").await?;
        ann.until_true(FOCUSED, vec!["delete-conversation".into()])
            .await?;
        ann.hears("ben", "between us").await?;
        // Deleted, and the channel takes its place, in the other tab as well.
        ann.click("delete-conversation").await?;
        ann.click_settled("delete-conversation-now").await?;
        for tab in [&ann, &other] {
            until_none(tab, DIRECT).await?;
            tab.hears("ben", "to all").await?;
        }
        ann.until_true(FOCUSED, vec!["composer".into()]).await?;
        // Nor does it come back from Ben; what he says from now on does.
        ann.reload().await?;
        ann.sees(&["ann(2)", "ben"]).await?;
        ben.say("again").await?;
        until(&ann, DIRECT).await?;
        ann.click_on(DIRECT).await?;
        let page = ann.hears("ben", "again").await?;
        ensure!(
            !page.has_message("ben", "between us"),
            "{:?}",
            page.messages
        );
        // A channel stays, empty.
        ann.click_on("[data-testid=conversation][data-id='#lobby']")
            .await?;
        ann.hears("ben", "to all").await?;
        ann.click("delete-conversation").await?;
        ann.click_settled("delete-conversation-now").await?;
        ann.until("an empty channel", |page| page.messages.is_empty())
            .await?;
        until_none(&ann, "[data-testid=delete-conversation]").await?;
        ann.reload().await?;
        ann.sees(&["ann(2)", "ben"]).await?;
        ensure!(!ann.page().await?.has_message("ben", "to all"));
        bed.no_errors().await
    });
}

#[test]
fn everything_of_the_site_is_deleted_and_the_key_only_if_it_is_asked_for() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let browser = bed.chromium().await?;
        let other_room = format!("{}?room=garden", site.url());
        let garden = browser.open(&other_room).await?;
        garden.join("ann").await?;
        garden.say("in the garden").await?;
        garden.hears("ann", "in the garden").await?;
        let ben = bed.firefox().await?.open(&other_room).await?;
        ben.join("ben").await?;
        ben.hears("ann", "in the garden").await?;
        let lobby = browser.open(site.url()).await?;
        lobby
            .until("the room", |page| page.composer.is_some())
            .await?;
        lobby.say("in the lobby").await?;
        lobby.hears("ann(2)", "in the lobby").await?;
        let key = "return localStorage.getItem('rtchat/1/identity')";
        let before = lobby.script(key, Vec::new()).await?;

        lobby.click("delete-site").await?;
        lobby.click("delete-site-now").await?;
        for tab in [&lobby, &garden] {
            tab.until("that nothing is left", |page| page.messages.is_empty())
                .await?;
        }
        garden.reload().await?;
        garden.sees(&["ben"]).await?;
        ben.say("are you there?").await?;
        let page = garden.hears("ben", "are you there?").await?;
        ensure!(
            !page.has_message("ann", "in the garden"),
            "Ben still has it"
        );
        ensure!(lobby.script(key, Vec::new()).await? == before);

        // The other room has one message again. With the key, nothing at all is left.
        lobby.click("delete-site").await?;
        lobby.click("delete-identity").await?;
        lobby.click("delete-site-now").await?;
        lobby.until("the welcome", |page| page.has("name")).await?;
        let none = format!("{KEPT} return kept().then((count) => count === 0)");
        lobby.until_true(&none, Vec::new()).await?;
        let name = "return localStorage.getItem('rtchat/1/name') === null";
        lobby.until_true(name, Vec::new()).await?;
        let after = lobby.script(key, Vec::new()).await?;
        ensure!(after != before, "another key");
        garden.until("the welcome", |page| page.has("name")).await?;
        bed.no_errors().await
    });
}
