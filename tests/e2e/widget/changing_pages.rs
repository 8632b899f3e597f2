//! Pages that become other pages without being loaded.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{Broker, Site};

use super::{has_no_page_errors, page, tag};
use crate::support::{Browser, Host, Tab, run};

/// The changes that libraries make to a page when a link is followed, and on the way back.
const VISITS: &str = "<script>
    const ways = {};
    const read = async (address) => new DOMParser().parseFromString(await (await fetch(address)).text(), 'text/html').body;
    // Turbo replaces the body, lets its scripts run, and keeps a copy of the old body.
    const replace = (body) => {
        document.body.replaceWith(body);
        for (const inert of body.querySelectorAll('script')) {
            const script = document.createElement('script');
            for (const { name, value } of inert.attributes) script.setAttribute(name, value);
            inert.replaceWith(script);
        }
    };
    window.turbo = async (address) => {
        const copy = document.body.cloneNode(true);
        ways[location.href] = () => replace(copy);
        const body = await read(address);
        history.pushState({}, '', address);
        replace(body);
    };
    // htmx replaces the content of the body (hx-boost).
    window.boost = async (address) => {
        const copy = document.body.innerHTML;
        ways[location.href] = () => { document.body.innerHTML = copy };
        const body = await read(address);
        history.pushState({}, '', address);
        document.body.innerHTML = body.innerHTML;
    };
    // A router of an application may change only the address.
    window.route = (address) => history.pushState({}, '', address);
    addEventListener('popstate', () => ways[location.href]?.());
</script>";

/// As in browsers that do not tell pages when their address changes.
const SILENT: &str = "<script>delete window.navigation</script>";

/// A site of two pages.
struct Pages {
    _host: Host,
    first: String,
    second: String,
}

impl Pages {
    async fn start(heads: &str, bodies: [&str; 2]) -> Result<Pages> {
        let host = Host::start().await?;
        let head = format!("{VISITS}{heads}");
        let first = host.write_page("first.html", &page(&head, bodies[0]))?;
        let second = host.write_page("second.html", &page(&head, bodies[1]))?;
        Ok(Pages {
            _host: host,
            first,
            second,
        })
    }
}

/// Waits until there is one bubble, in the corner that its tag names, and this room.
async fn one_bubble(tab: &Tab, room: &str) -> Result<()> {
    tab.until(format!("the room {room}"), |page| {
        page.text("room") == room && !page.own.is_empty()
    })
    .await?;
    let script = "const chats = document.querySelectorAll('rt-chat');
        const { left, top } = chats[0].shadowRoot.querySelector('[data-testid=launcher]').getBoundingClientRect();
        return { count: chats.length, left, top, same: chats[0] === RTChat.widget && chats[0] === RTChat.add() }";
    let shown = tab.script(script, Vec::new()).await?;
    let expected = json!({ "count": 1, "left": 16, "top": 16, "same": true });
    ensure!(shown == expected, "{shown}");
    Ok(())
}

/// One person follows a link and goes back, and each time meets a person who loads the page that is shown.
async fn there_and_back(
    pages: &Pages,
    way: &str,
    rooms: [&str; 2],
    [mover, loader]: [&Browser; 2],
) -> Result<()> {
    let ann = mover.open(&pages.first).await?;
    ann.join("ann").await?;
    one_bubble(&ann, rooms[0]).await?;
    let visit = format!("return {way}(arguments[0])");
    ann.script(&visit, vec![pages.second.as_str().into()])
        .await?;
    let ben = loader.open(&pages.second).await?;
    ben.join("ben").await?;
    ben.sees(&["ann"]).await?;
    ann.sees(&["ben"]).await?;
    one_bubble(&ann, rooms[1]).await?;

    ann.script("history.back()", Vec::new()).await?;
    ben.sees(&[]).await?;
    ben.go(&pages.first).await?;
    ben.sees(&["ann"]).await?;
    ann.sees(&["ben"]).await?;
    one_bubble(&ann, rooms[0]).await?;
    for tab in [ann, ben] {
        has_no_page_errors(&tab).await?;
        tab.close().await?;
    }
    Ok(())
}

fn corner(site: &Site, more: &str) -> String {
    tag(site, &format!("data-open data-position=top-left {more}"))
}

#[test]
fn one_bubble_survives_turbo_with_the_tag_in_the_body() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let lobby = corner(&site, "");
        let pages = Pages::start("", [&lobby, &lobby]).await?;
        let rooms = ["lobby", "lobby"];
        there_and_back(&pages, "turbo", rooms, [&chromium, &firefox]).await?;
        // Where the tag of each page names a room, the bubble is in the room of the page that is shown.
        let (one, two) = (
            corner(&site, "data-room=one"),
            corner(&site, "data-room=two"),
        );
        let pages = Pages::start("", [&one, &two]).await?;
        let rooms = ["one", "two"];
        there_and_back(&pages, "turbo", rooms, [&firefox, &chromium]).await?;
        bed.no_errors().await
    });
}

#[test]
fn one_bubble_survives_a_body_that_is_swapped_with_the_tag_in_the_head() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let rooms = ["help", "help"];
        for (way, browsers) in [
            ("turbo", [&chromium, &firefox]),
            ("boost", [&firefox, &chromium]),
        ] {
            let pages = Pages::start(&corner(&site, "data-room=help"), ["", ""]).await?;
            there_and_back(&pages, way, rooms, browsers).await?;
        }

        // The page can remove the bubble and add it again, and its tag still counts. What the page says counts more.
        let pages = Pages::start(&corner(&site, "data-room=help data-name=ann"), ["", ""]).await?;
        let tab = chromium.open(&pages.first).await?;
        one_bubble(&tab, "help").await?;
        let script = "RTChat.remove(); RTChat.add({ name: 'ben' })";
        tab.script(script, Vec::new()).await?;
        one_bubble(&tab, "help").await?;
        ensure!(tab.page().await?.own == "ben");
        // A bubble whose whole document was swapped comes back as it was.
        let script = "const next = document.documentElement.cloneNode(true);
            next.querySelector('rt-chat').remove();
            document.replaceChild(next, document.documentElement)";
        tab.script(script, Vec::new()).await?;
        one_bubble(&tab, "help").await?;
        has_no_page_errors(&tab).await?;
        bed.no_errors().await
    });
}

#[test]
fn a_chat_is_in_the_room_of_the_address_that_an_application_shows() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let rooms = ["lobby", "lobby"];
        for (silent, browsers) in [("", [&chromium, &firefox]), (SILENT, [&firefox, &chromium])] {
            let heads = format!("{silent}{}", corner(&site, ""));
            let pages = Pages::start(&heads, ["", ""]).await?;
            there_and_back(&pages, "route", rooms, browsers).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_chat_stays_in_one_room_where_the_site_says_so() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let pages = Pages::start(&corner(&site, "data-page=/"), ["", ""]).await?;
        let ann = bed.chromium().await?.open(&pages.first).await?;
        ann.join("ann").await?;
        let ben = bed.firefox().await?.open(&pages.first).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ben.watch().await?;
        for way in ["route", "turbo"] {
            let visit = format!("return {way}(arguments[0])");
            let address = format!("{}?{way}", pages.second);
            ann.script(&visit, vec![address.into()]).await?;
            let question = format!("still there after {way}?");
            ben.say(&question).await?;
            ann.hears("ben", &question).await?;
        }
        let watched = ben.watched().await?;
        ensure!(watched.len() == 1, "ann left the room: {watched:?}");
        // The query of an address does not count, and any page of the site leads to the same room.
        ben.go(&pages.second).await?;
        ben.sees(&["ann"]).await?;
        one_bubble(&ann, "lobby").await?;
        // The site may change its mind.
        ann.script("RTChat.widget.page = null", Vec::new()).await?;
        ben.sees(&[]).await?;
        ben.script("RTChat.widget.page = location.href", Vec::new())
            .await?;
        ben.sees(&["ann"]).await?;
        for tab in [ann, ben] {
            has_no_page_errors(&tab).await?;
        }
        bed.no_errors().await
    });
}
