//! What a site leaves out of its chat is off, for whoever meets it, too.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{Broker, Site, dist};

use crate::support::{Host, Tab, run, settings};

/// Pastes a file and drops it, as people do.
const HAND_OVER: &str = "
    const tree = document.querySelector('rt-chat')?.shadowRoot ?? document;
    const transfer = new DataTransfer();
    transfer.items.add(new File(['x'], 'pasted.txt'));
    const more = { bubbles: true, cancelable: true, composed: true };
    const paste = new ClipboardEvent('paste', { ...more, clipboardData: transfer });
    tree.querySelector('[data-testid=composer]').dispatchEvent(paste);
    const drop = new DragEvent('drop', { ...more, dataTransfer: transfer });
    tree.querySelector('[data-testid=log]').dispatchEvent(drop);
    return [paste.defaultPrevented, drop.defaultPrevented];";

/// Checks that a chat shows nothing of what is left out.
async fn has_nothing_more(tab: &Tab) -> Result<()> {
    ensure!(tab.script(HAND_OVER, Vec::new()).await? == json!([false, false]));
    let page = tab.page().await?;
    for part in [
        "attach",
        "chip",
        "history-mode",
        "conversation",
        "open-dm",
        "file",
    ] {
        ensure!(!page.has(part), "{part} is there");
    }
    ensure!(page.has("delete-room"));
    // No store was opened.
    let stores = "return indexedDB.databases().then((all) => all.filter(({ name }) => name.includes('history') || name.includes('session')).map(({ name }) => name))";
    let stores = tab.script(stores, Vec::new()).await?;
    ensure!(stores == json!([]), "{stores}");
    Ok(())
}

#[test]
fn a_site_leaves_out_files_channels_direct_messages_and_history() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut all = settings(&broker.ws_url());
        all["channels"] = json!(["lobby", "news"]);
        // The page has everything; the widget on another page meets there, and has nothing but messages.
        let (site, host) = (Site::start(dist(), all).await?, Host::start().await?);
        let tag = format!(
            "<script src='{0}rtchat.js' data-page='{0}'></script><rt-chat page='{0}' name=ben features='calls'></rt-chat>",
            site.url()
        );
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        let page = host.write_page("blog.html", &tag)?;
        let firefox = bed.chromium().await?;
        let ben = firefox.open(&page).await?;
        ben.sees(&["ann"]).await?;
        ann.sees(&["ben"]).await?;
        ben.click("person").await?;
        ben.until("ann's details", |page| page.has("person-details"))
            .await?;
        has_nothing_more(&ben).await?;
        let console = firefox.console().await?.join("\n");
        for words in ["features should be", "calls", "features[0]"] {
            ensure!(console.contains(words), "{words}: {console}");
        }

        // Of a file there is nothing but its name, and what is said to him alone or in other channels does not arrive.
        ann.script(
            "const picker = document.querySelector('[data-testid=file-input]');
            const transfer = new DataTransfer();
            transfer.items.add(new File(['x'], 'plan.txt'));
            picker.files = transfer.files;
            picker.dispatchEvent(new Event('change', { bubbles: true }));",
            Vec::new(),
        )
        .await?;
        let ready = "return !!document.querySelector('[data-testid=chip][data-state=ready]')";
        ann.until_true(ready, Vec::new()).await?;
        ann.click("send").await?;
        ben.hears("ann", "plan.txt").await?;
        ann.click("person").await?;
        ann.click("open-dm").await?;
        ann.say("between us").await?;
        ann.click_on("[data-testid=conversation][data-id='#news']")
            .await?;
        ann.say("news").await?;
        ann.click_on("[data-testid=conversation][data-id='#lobby']")
            .await?;
        ann.say("in the lobby").await?;
        let heard = ben.hears("ann", "in the lobby").await?;
        ensure!(heard.messages.len() == 2, "{:#?}", heard.messages);
        ben.say("I see").await?;
        ann.hears("ben", "I see").await?;
        has_nothing_more(&ben).await?;
        // They were refused, and counted.
        ben.click("status").await?;
        ben.until("what was dropped", |page| {
            page.dropped.iter().sum::<u64>() >= 2
        })
        .await?;

        // A page whose file says so has no more than that, either, and keeps nothing.
        let mut none = settings(&broker.ws_url());
        none["channels"] = json!(["lobby", "news"]);
        none["features"] = json!([]);
        none["history"] = "kept".into();
        let plain = Site::start(dist(), none).await?;
        let cleo = bed.firefox().await?.open(plain.url()).await?;
        cleo.join("cleo").await?;
        cleo.say("to nobody").await?;
        cleo.hears("cleo", "to nobody").await?;
        has_nothing_more(&cleo).await?;
        cleo.reload().await?;
        cleo.joined().await?;
        cleo.until("an empty room", |page| page.has("empty"))
            .await?;
        bed.no_errors().await
    });
}
