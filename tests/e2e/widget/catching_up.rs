//! What people find when they open the panel again, go through its views, and have several chats on one page.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Broker;

use super::{ESCAPE, chat, has_no_page_errors, page, tag};
use crate::support::{Host, Tab, run};

/// Begins a script in the chat's tree.
const TREE: &str = "const tree = document.querySelector('rt-chat').shadowRoot;
    const first = (name) => tree.querySelector(name);";

async fn inside(tab: &Tab, script: &str) -> Result<Value> {
    tab.script(&format!("{TREE} {script}"), Vec::new()).await
}

/// Says this many things, as fast as they can be typed.
const SAY_MANY: &str = "const area = document.querySelector('rt-chat').shadowRoot.querySelector('[data-testid=composer]');
    for (let number = 1; number <= arguments[0]; number += 1) {
        area.value = `line ${number}`;
        area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    }";

#[test]
fn a_panel_that_is_opened_again_begins_with_what_is_new() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
        let (ann, ben) = (
            bed.chromium().await?.open(&url).await?,
            bed.firefox().await?.open(&url).await?,
        );
        for (tab, name) in [(&ann, "ann"), (&ben, "ben")] {
            tab.until("the bubble", |page| page.has("launcher")).await?;
            tab.click("launcher").await?;
            tab.join(name).await?;
        }
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ben.say("before you close").await?;
        ann.hears("ben", "before you close").await?;

        // Escape closes what can be seen: somebody's details, the people, the panel.
        ann.click("people-button").await?;
        ann.click("person").await?;
        ann.until("details", |page| page.has("person-details"))
            .await?;
        ann.click("back").await?;
        ann.type_into("composer", ESCAPE).await?;
        ensure!(
            chat(&ann).await?["open"] == false,
            "the first one closes it"
        );

        ben.script(SAY_MANY, vec![json!(105)]).await?;
        ann.until("a number on the bubble", |page| {
            page.text("launcher-unread") == "99+"
        })
        .await?;
        ann.click("launcher").await?;
        let new_is_seen = format!(
            "{TREE} const [line, log] = ['.day.new', '.log'].map((name) => first(name)?.getBoundingClientRect());
            return line?.top >= log.top && line?.bottom <= log.top + log.height / 2"
        );
        ann.until_true(&new_is_seen, Vec::new()).await?;
        ann.until("how many are below", |page| {
            page.text("new-messages").contains("105 new messages")
        })
        .await?;
        ensure!(chat(&ann).await?["unread"] == 105);
        // Whoever reads on from there sees who is speaking.
        let named = "const said = first('.day.new').nextElementSibling;
            return Boolean(said.querySelector('.face') && said.querySelector('header .name'))";
        ensure!(inside(&ann, named).await? == true);
        ann.click("new-messages").await?;
        ann.until("that all is read", |page| !page.has("new-messages"))
            .await?;
        ensure!(chat(&ann).await?["unread"] == 0);

        for tab in [&ann, &ben] {
            has_no_page_errors(tab).await?;
        }
        bed.no_errors().await
    });
}

/// With this, chats that come while `hold` is true have no number of their own, and so are not ready, until `release()`.
const GATE: &str = "<script>
    const request = navigator.locks.request.bind(navigator.locks);
    Object.assign(window, { hold: false, held: 0 });
    const opened = new Promise((resolve) => (window.release = resolve));
    navigator.locks.request = async (...all) => {
        if (hold && all[0].startsWith('rtchat/tab/')) {
            held += 1;
            await opened;
        }
        return request(...all);
    };
</script>";

#[test]
fn chats_on_one_page_ask_for_a_name_once() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let head = tag(&site, "").replace("?add", "") + GATE;
        // All of them are in view: others are not drawn yet.
        let chats = "<style>rt-chat { block-size: 200px }</style><rt-chat room=one></rt-chat><rt-chat room=three name=eve></rt-chat>";
        let url = host.write_page("page.html", &page(&head, chats))?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            // Tabs of one browser are numbered, and so are chats.
            let named = |names: &[&str]| {
                let names: Vec<String> = names
                    .iter()
                    .map(|name| format!(r"{name}(\(\d\))?"))
                    .collect();
                format!(
                    "const names = [...document.querySelectorAll('rt-chat')].map(({{ shadowRoot }}) =>
                        shadowRoot?.querySelector('[data-testid=own-name]')?.textContent ?? '').join();
                    return /^{}$/.test(names)",
                    names.join(",")
                )
            };
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            tab.until_true(&named(&["", "eve"]), Vec::new()).await?;
            // One that is not ready when somebody has typed a name does not ask for it again.
            let add = "window.hold = true;
                document.body.insertAdjacentHTML('beforeend', '<rt-chat room=two></rt-chat>')";
            tab.script(add, Vec::new()).await?;
            tab.until_true("return held === 1", Vec::new()).await?;
            tab.join("ann").await?;
            tab.script("window.hold = false; release()", Vec::new())
                .await?;
            tab.until_true(&named(&["ann", "eve", "ann"]), Vec::new())
                .await?;
            // The name is changed for all, and not where the site chose it.
            tab.click("me").await?;
            tab.until("the field", |page| page.has("name")).await?;
            inside(&tab, "first('[data-testid=name]').value = 'anna'").await?;
            tab.type_into("name", "\u{e007}").await?;
            tab.until_true(&named(&["anna", "eve", "anna"]), Vec::new())
                .await?;
            has_no_page_errors(&tab).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_chat_that_is_part_of_a_page_is_printed_with_it() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let head = tag(&site, "").replace("?add", "");
        let inline = page(&head, "<rt-chat name=ann></rt-chat>");
        let url = host.write_page("inline.html", &inline)?;
        let tab = bed.chromium().await?.open(&url).await?;
        tab.joined().await?;
        tab.script(SAY_MANY, vec![json!(60)]).await?;
        tab.hears("ann", "line 60").await?;
        tab.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" }))
            .await?;
        let cut = "const chat = document.querySelector('rt-chat');
            return [chat, ...['.panel', '.rt', '.log'].map(first)]
                .filter(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1)
                .map(({ className }) => className || 'rt-chat').join()";
        let cut = inside(&tab, cut).await?;
        ensure!(cut == "", "{cut} would be cut off");
        let controls = "return [...tree.querySelectorAll('button, textarea')]
            .filter((control) => control.offsetWidth > 0).map((control) => control.outerHTML).join()";
        let controls = inside(&tab, controls).await?;
        ensure!(controls == "", "{controls}");
        tab.devtools("Emulation.setEmulatedMedia", json!({ "media": "" }))
            .await?;
        Ok(())
    });
}

#[test]
fn in_forced_colours_the_bubble_has_an_edge_and_lamps_have_shapes() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
        let tab = bed.chromium().await?.open(&url).await?;
        tab.until("the bubble", |page| page.has("launcher")).await?;
        let features = json!([{ "name": "forced-colors", "value": "active" }]);
        tab.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await?;
        let edge =
            "const { borderTopWidth, borderTopStyle } = getComputedStyle(first('.launcher'));
            return `${borderTopWidth} ${borderTopStyle}`";
        ensure!(inside(&tab, edge).await? == "2px solid");
        tab.click("launcher").await?;
        tab.join("ann").await?;
        let looks = "const status = first('[data-testid=status]');
            const look = (state) => {
                status.dataset.state = state;
                const lamp = getComputedStyle(status.querySelector('.lamp'));
                return [lamp.backgroundColor, lamp.backgroundImage, lamp.borderRadius].join(' ');
            };
            return new Set(['looking', 'connected', 'reconnecting', 'unreachable'].map(look)).size";
        let looks = inside(&tab, looks).await?;
        ensure!(looks == 4, "{looks} looks");
        tab.devtools("Emulation.setEmulatedMedia", json!({ "features": [] }))
            .await?;
        Ok(())
    });
}
