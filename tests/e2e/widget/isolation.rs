//! The page and the chat do not affect each other's keys and styles.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::testbed::Broker;

use super::{has_no_page_errors, page, tag};
use crate::support::{Bed, Browser, Host, run};

#[test]
fn keys_and_styles_do_not_leak_in_chromium() {
    run(|bed| async move { check_isolation(&bed, bed.chromium().await?).await });
}

#[test]
fn keys_and_styles_do_not_leak_in_firefox() {
    run(|bed| async move { check_isolation(&bed, bed.firefox().await?).await });
}

async fn check_isolation(bed: &Bed, browser: Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let (site, host) = (bed.site(&broker).await?, Host::start().await?);
    let attributes = "data-open data-name=ann";
    let loud = "<style>
        * { color: rgb(255, 0, 0) !important; font-size: 40px !important; letter-spacing: 9px !important; visibility: visible }
        button, textarea, section { display: none !important }
        :root { --rt-accent: rgb(255, 0, 0) }
    </style>";
    let listening = "<script>
        window.heard = [];
        for (const target of [window, document])
            for (const capture of [true, false])
                for (const type of ['keydown', 'keypress', 'keyup'].concat(capture ? [] : ['input', 'beforeinput', 'paste']))
                    target.addEventListener(type, (event) => heard.push(`${type} ${event.key}`), capture);
    </script>";
    let look = "const look = (element) => { const { color, fontSize, letterSpacing, display, background } = getComputedStyle(element);
        return { color, fontSize, letterSpacing, display, background } };";
    let own =
        format!("{look} return ['h1', 'p'].map((name) => look(document.querySelector(name)))");
    let inside = format!(
        "{look} const tree = document.querySelector('rt-chat').shadowRoot;
        return ['launcher', 'composer', 'send', 'status', 'room'].map((id) => look(tree.querySelector(`[data-testid=${{id}}]`)))"
    );
    let quiet = browser
        .open(&host.write_page("quiet.html", &page(&tag(&site, attributes), ""))?)
        .await?;
    quiet.joined().await?;
    let expected = quiet.script(&inside, Vec::new()).await?;
    let bare = browser
        .open(&host.write_page("bare.html", &page("", ""))?)
        .await?;
    ensure!(bare.script(&own, Vec::new()).await? == quiet.script(&own, Vec::new()).await?);
    bare.close().await?;
    quiet.close().await?;

    let head = format!("{}{loud}{listening}", tag(&site, attributes));
    let tab = browser
        .open(&host.write_page("loud.html", &page(&head, "<input id=own>"))?)
        .await?;
    tab.joined().await?;
    ensure!(tab.script(&inside, Vec::new()).await? == expected);
    // The tag came first, so even listeners in the capture phase of the page receive nothing.
    tab.say("? not a shortcut").await?;
    tab.hears("ann", "? not a shortcut").await?;
    tab.type_into("composer", "ab").await?;
    let typed = tab.page().await?.composer;
    ensure!(typed.as_deref() == Some("ab"), "{typed:?}");
    let heard = tab.script("return heard", Vec::new()).await?;
    ensure!(heard == json!([]), "the page heard {heard}");
    // The chat does not stop key events outside of it.
    let script = "document.getElementById('own').focus();
        document.getElementById('own').dispatchEvent(new KeyboardEvent('keydown', { key: 'x', bubbles: true, composed: true }));
        return heard";
    let heard = tab.script(script, Vec::new()).await?;
    ensure!(
        heard.as_array().is_some_and(|heard| heard.len() == 4),
        "{heard}"
    );
    has_no_page_errors(&tab).await?;
    bed.no_errors().await
}

#[test]
fn a_site_can_style_every_documented_part() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let docs = include_str!("../../../docs/EMBEDDING.md");
        let table = docs.split("| part | what it is |").nth(1);
        let table = table.context("the docs list no parts")?;
        let rows = table.trim_start().lines().skip(1);
        let parts: Vec<&str> = rows
            .map_while(|row| row.strip_prefix("| "))
            .filter_map(|row| row.split(" | ").next())
            .flat_map(|names| names.split(", "))
            .map(|name| name.trim_matches('`'))
            .collect();
        ensure!(parts.len() > 10, "{parts:?}");
        // The chat itself never sets this property, and it is not inherited.
        let rules: String = parts
            .iter()
            .map(|part| format!("rt-chat::part({part}) {{ scroll-margin-top: 7px }}"))
            .collect();
        let html = page(
            &format!("<style>{rules}</style>{}", tag(&site, "data-open")),
            "",
        );
        let url = host.write_page("page.html", &html)?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            let styled = "const tree = document.querySelector('rt-chat').shadowRoot;
                const all = [...tree.querySelectorAll('[part]')];
                return all.filter((element) => getComputedStyle(element).scrollMarginTop === '7px')
                    .flatMap((element) => [...element.part])";
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            let before = tab.script(styled, Vec::new()).await?;
            tab.join("ann").await?;
            tab.say("how does it look?").await?;
            tab.hears("ann", "how does it look?").await?;
            let after = tab.script(styled, Vec::new()).await?;
            let mut found: Vec<&str> = [&before, &after]
                .into_iter()
                .flat_map(|styled| styled.as_array().into_iter().flatten())
                .filter_map(|name| name.as_str())
                .collect();
            found.sort_unstable();
            found.dedup();
            let mut parts = parts.clone();
            // No file was sent, and one conversation needs no list.
            parts.retain(|part| !["file", "conversations"].contains(part));
            parts.sort_unstable();
            ensure!(found == parts, "{found:?} and not {parts:?}");
            tab.close().await?;
        }
        bed.no_errors().await
    });
}
