//! Pages in a frame of another page, where they may not store anything.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{self, Broker};

use super::{ESCAPE, has_no_page_errors, page, tag};
use crate::support::{Bed, Browser, Host, run};

/// Frames with this attribute have no origin, so nothing can be stored for them.
const NO_ORIGIN: &str = "sandbox=allow-scripts";

#[test]
fn a_frame_without_an_origin_can_chat_in_chromium() {
    run(|bed| async move { chat_in_a_frame(&bed, bed.chromium().await?, NO_ORIGIN).await });
}

#[test]
fn a_frame_without_an_origin_can_chat_in_firefox() {
    run(|bed| async move { chat_in_a_frame(&bed, bed.firefox().await?, NO_ORIGIN).await });
}

#[test]
fn a_cross_site_frame_can_chat_where_chromium_stores_nothing() {
    run(|bed| async move {
        // The setting "Block all cookies". If only third-party cookies are blocked, Chromium gives frames partitioned
        // storage.
        let blocked = json!({ "profile.default_content_setting_values.cookies": 2 });
        let chromium = testbed::Browser::chromium_preferring(blocked).await?;
        chat_in_a_frame(&bed, bed.own(chromium).await?, "").await
    });
}

#[test]
fn a_cross_site_frame_can_chat_where_firefox_stores_nothing_for_it() {
    run(|bed| async move {
        // The setting "Block all cross-site cookies".
        let blocked = [("network.cookie.cookieBehavior", json!(1))];
        let firefox = testbed::Browser::firefox_with(&blocked).await?;
        chat_in_a_frame(&bed, bed.own(firefox).await?, "").await
    });
}

/// One person opens the page in a frame, and another one opens it directly.
async fn chat_in_a_frame(bed: &Bed, browser: Browser, attributes: &str) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let (site, host) = (bed.site(&broker).await?, Host::start().await?);
    let inner = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
    let frame = format!("<iframe {attributes} src='{inner}' width=1000 height=600></iframe>");
    let mut outer = host.write_page("outer.html", &page("", &frame))?;
    if attributes != NO_ORIGIN {
        // Browsers consider these two different sites.
        outer = outer.replace("127.0.0.1", "localhost");
    }
    let ann = browser.open(&outer).await?;
    ann.enter_frame().await?;
    let throws = "try { return localStorage && false } catch { return true }";
    ensure!(
        ann.script(throws, Vec::new()).await? == true,
        "storage is not blocked"
    );
    ann.until("the bubble", |page| page.has("launcher")).await?;
    ann.click("launcher").await?;
    let room = ann.join("ann").await?;
    let notices = room.texts("notice");
    ensure!(
        matches!(notices, [notice] if notice.contains("does not let the page store anything")),
        "{notices:?}"
    );

    let ben = bed.firefox().await?.open(&inner).await?;
    ben.until("the bubble", |page| page.has("launcher")).await?;
    ben.click("launcher").await?;
    ben.join("ben").await?;
    ann.sees(&["ben"]).await?;
    ben.say("can you keep a secret?").await?;
    ann.hears("ben", "can you keep a secret?").await?;
    // Closing and opening the panel would be stored.
    ann.type_into("composer", ESCAPE).await?;
    ann.click("launcher").await?;
    ann.say("not here").await?;
    ben.hears("ann", "not here").await?;

    has_no_page_errors(&ann).await?;
    ann.leave_frame().await?;
    has_no_page_errors(&ann).await?;
    bed.no_errors().await
}
