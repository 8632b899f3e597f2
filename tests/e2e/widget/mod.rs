//! The chat in other people's pages: the script tag, the element, the bubble.

mod accessibility;
mod bubble;
mod calls;
mod catching_up;
mod changing_pages;
mod early;
mod focus;
mod frames;
mod host_pages;
mod isolation;
mod leaving_and_returning;
mod programs;
mod restrictions;
mod tag;

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Site;

use crate::support::Tab;

const ESCAPE: &str = "\u{e00c}";

/// Returns a page with this content in its head and body. It records errors, and the events of the chat.
fn page(head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Somebody's page</title>
        <script>
            window.wrong = [];
            addEventListener('error', (event) => wrong.push(String(event.message)));
            addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));
            const printed = console.error;
            console.error = (...words) => (wrong.push(words.join(' ')), printed(...words));
            window.events = [];
            for (const what of ['message', 'peer', 'unread', 'status'])
                document.addEventListener(`rtchat-${{what}}`, ({{ detail }}) => events.push({{ what, ...detail }}));
        </script>
        {head}
        <body><h1>Somebody's page</h1><p>Text of somebody.</p>{body}</body></html>"
    )
}

/// The script tag with additional attributes.
fn tag(site: &Site, attributes: &str) -> String {
    format!(
        "<script src='{}rtchat.js?add' {attributes}></script>",
        site.url()
    )
}

/// The properties of the chat element that tests check.
async fn chat(tab: &Tab) -> Result<Value> {
    let script = "const chat = document.querySelector('rt-chat');
        const { open, unread, people, status } = chat ?? {};
        const launcher = chat?.shadowRoot?.querySelector('[data-testid=launcher]');
        return { open, unread, people, status, label: launcher?.ariaLabel, expanded: launcher?.ariaExpanded,
            focus: chat?.shadowRoot?.activeElement?.dataset.testid ?? null, chats: document.querySelectorAll('rt-chat').length }";
    tab.script(script, Vec::new()).await
}

/// Checks that there was no error in the page around the chat.
async fn has_no_page_errors(tab: &Tab) -> Result<()> {
    let wrong = tab.script("return wrong", Vec::new()).await?;
    ensure!(wrong == json!([]), "the page has errors: {wrong}");
    Ok(())
}
