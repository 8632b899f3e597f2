//! What a page's own program does with the chat: opens it at a conversation, says something, and reads what is unread.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::{Broker, Site, dist};

use super::{chat, has_no_page_errors, page};
use crate::support::{Host, Tab, run, settings};

async fn call(tab: &Tab, call: &str) -> Result<Value> {
    let script = format!("return document.querySelector('rt-chat').{call}");
    tab.script(&script, Vec::new()).await
}

/// Waits until the chat's count of unread messages in each conversation is this.
async fn until_unread(tab: &Tab, unread: Value) -> Result<()> {
    let equal = "const { unread, unreadIn } = document.querySelector('rt-chat');
        const sum = Object.values(unreadIn).reduce((sum, one) => sum + one, 0);
        const last = events.filter(({ what }) => what === 'unread').at(-1);
        const same = (one) => JSON.stringify(Object.entries(one ?? {}).sort()) === JSON.stringify(Object.entries(arguments[0]).sort());
        return unread === sum && same(unreadIn) && (sum === 0 || same(last?.unreadIn))";
    tab.until_true(equal, vec![unread]).await
}

#[test]
fn a_page_opens_the_chat_at_a_conversation_says_something_and_knows_what_is_unread() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut with_channels = settings(&broker.ws_url());
        with_channels["channels"] = json!(["lobby", "news"]);
        let site = Site::start(dist(), with_channels).await?;
        let host = Host::start().await?;
        let tag = format!(
            "<script src='{0}rtchat.js?add' data-page='{0}'></script>",
            site.url()
        );
        let url = host.write_page("shop.html", &page(&tag, ""))?;
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;

        // The page asks for the news before anything is loaded: the reader is asked for a name, and is there then.
        let ann = bed.chromium().await?.open(&url).await?;
        ensure!(call(&ann, "say('too early')").await? == false);
        ensure!(call(&ann, "show('#news')").await?.is_null());
        ann.join("ann").await?;
        ann.sees(&["ben"]).await?;
        let open = "return document.querySelector('rt-chat').shadowRoot
            .querySelector('[data-testid=conversation][aria-current]')?.dataset.id === arguments[0]";
        ann.until_true(open, vec!["#news".into()]).await?;
        ensure!(call(&ann, "say('from the page', { conversation: '#news' })").await? == true);
        ensure!(call(&ann, "say('to all')").await? == true);
        ben.hears("ann", "to all").await?;
        ben.click_on("[data-testid=conversation][data-id='#news']")
            .await?;
        ben.hears("ann", "from the page").await?;
        for wrong in ["say('x', { conversation: 'lobby' })", "show('a-key')"] {
            ensure!(call(&ann, wrong).await.is_err(), "{wrong}");
        }

        // What comes while the panel is closed is counted for each conversation, direct ones by the other's key.
        ann.click("close-panel").await?;
        ben.say("one").await?;
        ben.say("two").await?;
        ben.click("person").await?;
        ben.click("open-dm").await?;
        ben.say("just you").await?;
        let key = ann
            .script(
                "return events.findLast(({ what, user, key }) => what === 'peer' && user === 'ben').key",
                Vec::new(),
            )
            .await?;
        let key = key.as_str().unwrap_or_default();
        until_unread(&ann, json!({ "#news": 2, key: 1 })).await?;
        let said = "return events.filter(({ what, own }) => what === 'message' && !own).map(({ conversation, text }) => [conversation, text])";
        let said = ann.script(said, Vec::new()).await?;
        let expected = json!([["#news", "one"], ["#news", "two"], [key, "just you"]]);
        ensure!(said == expected, "{said}");

        // The page opens the panel where the direct message is, and answers there.
        call(&ann, &format!("show('{key}')")).await?;
        ensure!(chat(&ann).await?["open"] == true);
        ann.until_true(open, vec![key.into()]).await?;
        until_unread(&ann, json!({ "#news": 2 })).await?;
        call(&ann, &format!("say('indeed', {{ conversation: '{key}' }})")).await?;
        ben.hears("ann", "indeed").await?;
        call(&ann, "show('#news')").await?;
        until_unread(&ann, json!({})).await?;
        has_no_page_errors(&ann).await?;
        bed.no_errors().await
    });
}
