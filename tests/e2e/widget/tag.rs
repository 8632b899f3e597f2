//! The forms of the script tag, and its options.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::names;
use xtask::size;
use xtask::testbed::{Broker, Site, dist};

use super::{has_no_page_errors, page, tag};
use crate::support::{Bed, Browser, Host, run};

#[test]
fn the_script_is_small() -> Result<()> {
    let sizes = size::sizes(&dist())?;
    let script = sizes
        .iter()
        .find(|size| size.path.as_os_str() == "rtchat.js");
    let bytes = script.context("dist/ has no rtchat.js")?.compressed.brotli;
    ensure!(bytes <= 5_000, "rtchat.js has {bytes} bytes");
    Ok(())
}

#[test]
fn the_files_that_people_load_stay_within_their_budgets() -> Result<()> {
    size::check(&size::sizes(&dist())?)
}

#[test]
fn browsers_may_keep_files_with_a_hash_in_their_names() -> Result<()> {
    let mut count = 0;
    for file in std::fs::read_dir(dist())?.flatten() {
        let content = std::fs::read(file.path())?;
        let name = file.file_name().to_string_lossy().into_owned();
        if let Some(right) = names::name_for(&name, &content) {
            ensure!(name == right, "{name} should be {right}, from its content");
            count += 1;
        }
    }
    ensure!(count >= 5, "only {count} files have a hash in their names");
    Ok(())
}

#[test]
fn every_form_of_the_tag_gives_one_bubble_in_chromium() {
    run(|bed| async move { every_form(&bed, bed.chromium().await?).await });
}

#[test]
fn every_form_of_the_tag_gives_one_bubble_in_firefox() {
    run(|bed| async move { every_form(&bed, bed.firefox().await?).await });
}

async fn every_form(bed: &Bed, browser: Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let (site, host) = (bed.site(&broker).await?, Host::start().await?);
    let plain = tag(&site, "");
    let other = plain
        .replace("?add", "?add=yes&v=2")
        .replace("><", " type=module><");
    let imported = format!(
        "<script type=module>import '{}rtchat.js?add&position=top-left'</script>",
        site.url()
    );
    let attributes = "data-position=top-left";
    let forms = [
        ("head", tag(&site, attributes), String::new()),
        ("body", String::new(), tag(&site, attributes)),
        (
            "async",
            tag(&site, &format!("async {attributes}")),
            String::new(),
        ),
        (
            "defer",
            tag(&site, &format!("defer {attributes}")),
            String::new(),
        ),
        (
            "module",
            tag(&site, &format!("type=module {attributes}")),
            String::new(),
        ),
        ("imported", imported, String::new()),
        ("twice", tag(&site, attributes), format!("{plain}{other}")),
    ];
    for (name, head, body) in forms {
        let url = host.write_page(&format!("{name}.html"), &page(&head, &body))?;
        let tab = browser.open(&url).await?;
        tab.until(format!("the bubble ({name})"), |page| page.has("launcher"))
            .await?;
        let script = "const chats = [...document.querySelectorAll('rt-chat')];
            const { left, top } = chats[0].shadowRoot.querySelector('[data-testid=launcher]').getBoundingClientRect();
            return { count: chats.length, left, top, global: typeof RTChat.add }";
        let shown = tab.script(script, Vec::new()).await?;
        let expected = json!({ "count": 1, "left": 16, "top": 16, "global": "function" });
        ensure!(shown == expected, "{name}: {shown}");
        has_no_page_errors(&tab).await?;
        tab.close().await?;
    }

    // Without ?add the script only defines the element and `RTChat`.
    let silent = plain.replace("?add", "");
    let url = host.write_page(
        "silent.html",
        &page(&silent, "<rt-chat room=help name=ann></rt-chat>"),
    )?;
    let tab = browser.open(&url).await?;
    let page = tab.joined().await?;
    ensure!(page.text("room") == "help" && page.own == "ann" && !page.has("wrong"));
    let launcher = "return document.querySelector('rt-chat').shadowRoot.querySelector('[data-testid=launcher]').offsetWidth";
    ensure!(tab.script(launcher, Vec::new()).await? == 0);
    // The chat does not take the focus.
    let focus = tab
        .script("return document.activeElement.tagName", Vec::new())
        .await?;
    ensure!(focus == "BODY", "{focus}");
    has_no_page_errors(&tab).await?;
    bed.no_errors().await
}

#[test]
fn options_come_from_attributes_then_the_query_then_the_file() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut settings = crate::support::settings(&broker.ws_url());
        settings["room"] = "file".into();
        settings["theme"] = "dark".into();
        let site = Site::start(xtask::testbed::dist(), settings).await?;
        let host = Host::start().await?;
        let tag = format!(
            "<script src='{}rtchat.js?add&room=query&name=ann&position=middle&open' data-room=tag data-lang=tlh></script>",
            site.url()
        );
        let chromium = bed.chromium().await?;
        let tab = chromium
            .open(&host.write_page("page.html", &page(&tag, ""))?)
            .await?;
        let page = tab.joined().await?;
        ensure!(page.text("room") == "tag" && page.own == "ann", "{page:?}");
        let theme = "return document.querySelector('rt-chat').shadowRoot.querySelector('.frame').dataset.theme";
        ensure!(tab.script(theme, Vec::new()).await? == "dark");
        let console = chromium.console().await?.join("\n");
        for word in [
            "?position=",
            "middle",
            "bottom-left",
            "data-lang",
            "tlh",
            "counts as not given",
        ] {
            ensure!(
                console.contains(word),
                "{word} is not in the console: {console}"
            );
        }

        // A changed attribute moves the chat to another room.
        tab.script(
            "document.querySelector('rt-chat').room = 'other'",
            Vec::new(),
        )
        .await?;
        tab.until("the other room", |page| {
            page.text("room") == "other" && page.status == "looking"
        })
        .await?;
        has_no_page_errors(&tab).await
    });
}

#[test]
fn the_address_of_the_embedding_page_does_not_choose_the_room() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, "data-open"), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&url).await?;
        ann.join("ann").await?;
        // On rtchat's own page this address would name another room, and be a damaged link.
        let ben = firefox
            .open(&format!("{url}?room=elsewhere#k=damaged"))
            .await?;
        let room = ben.join("ben").await?;
        ensure!(room.text("room") == "lobby", "{}", room.text("room"));
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        has_no_page_errors(&ben).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_name_of_the_site_is_taken_or_the_console_says_why_not() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let host = Host::start().await?;
        let chromium = bed.chromium().await?;
        let given = "\u{200e}Ann (she/her)\u{200e}";
        let html = page(&tag(&site, &format!("data-open data-name='{given}'")), "");
        let tab = chromium
            .open(&host.write_page("taken.html", &html)?)
            .await?;
        ensure!(tab.joined().await?.own == "Ann (she/her)");

        let html = page(&tag(&site, "data-open data-name='Ann (2)'"), "");
        let tab = chromium
            .open(&host.write_page("refused.html", &html)?)
            .await?;
        tab.until("the field for a name", |page| page.has("name"))
            .await?;
        let console = chromium.console().await?.join("\n");
        for words in ["Ann (2)", "counts as not given", "cannot end in brackets"] {
            ensure!(console.contains(words), "{words}: {console}");
        }
        Ok(())
    });
}
