//! The chat in other people's pages: the script tag, the element, the bubble.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::{Broker, Site};

use crate::support::{Bed, Browser, Host, Tab, run};

const ESCAPE: &str = "\u{e00c}";

/// Somebody's page, with this in its head and in its body. It notes what goes wrong, and what the chat tells.
fn page(head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>Somebody's page</title>
        <script>
            window.wrong = [];
            addEventListener('error', (event) => wrong.push(String(event.message)));
            addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));
            window.told = [];
            for (const what of ['message', 'peer', 'unread', 'status'])
                document.addEventListener(`rtchat-${{what}}`, ({{ detail }}) => told.push({{ what, ...detail }}));
        </script>
        {head}
        <body><h1>Somebody's page</h1><p>Text of somebody.</p>{body}</body></html>"
    )
}

/// The script tag, with more attributes.
fn tag(site: &Site, attributes: &str) -> String {
    format!(
        "<script src='{}rtchat.js?add' {attributes}></script>",
        site.url()
    )
}

/// What of the element a test looks at.
async fn chat(tab: &Tab) -> Result<Value> {
    let script = "const chat = document.querySelector('rt-chat');
        const { open, unread, people, status } = chat ?? {};
        const launcher = chat?.shadowRoot?.querySelector('[data-testid=launcher]');
        return { open, unread, people, status, label: launcher?.ariaLabel, expanded: launcher?.ariaExpanded,
            focus: chat?.shadowRoot?.activeElement?.dataset.testid ?? null, chats: document.querySelectorAll('rt-chat').length }";
    tab.script(script, Vec::new()).await
}

/// Nothing went wrong in the page around the chat.
async fn nothing_wrong(tab: &Tab) -> Result<()> {
    let wrong = tab.script("return wrong", Vec::new()).await?;
    ensure!(wrong == json!([]), "the page broke: {wrong}");
    Ok(())
}

#[test]
fn readers_of_a_page_talk_through_its_bubble() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let named = host.write_page("blog.html", &page(&tag(&site, ""), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&named).await?;
        ann.until("the bubble", |page| page.has("launcher")).await?;
        ensure!(chat(&ann).await?["open"] == false);
        ann.click("launcher").await?;
        let room = ann.join("ann").await?;
        ensure!(room.text("room") == "lobby" && chat(&ann).await?["focus"] == "composer");

        let ben = firefox.open(&named).await?;
        ben.until("the bubble", |page| page.has("launcher")).await?;
        ben.click("launcher").await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ann.say("what do you think of this page?").await?;
        ben.hears("ann", "what do you think of this page?").await?;

        // Closed, it counts.
        ben.type_into("composer", ESCAPE).await?;
        let closed = chat(&ben).await?;
        ensure!(
            closed["open"] == false && closed["focus"] == "launcher",
            "{closed}"
        );
        ensure!(closed["expanded"] == "false", "{closed}");
        ann.say("are you still there?").await?;
        let shown = ben.until("a number on the bubble", |page| {
            page.text("launcher-unread") == "1"
        });
        ensure!(shown.await?.text("launcher-people") == "2");
        let label = chat(&ben).await?["label"].to_string();
        ensure!(
            label.contains("1 unread message") && label.contains("2 people"),
            "{label}"
        );
        ben.click("launcher").await?;
        ben.until("that it was seen", |page| {
            page.text("launcher-unread") != "1"
        })
        .await?;
        let opened = chat(&ben).await?;
        ensure!(
            opened["unread"] == 0 && opened["focus"] == "composer",
            "{opened}"
        );

        // The page was told, and is as it was.
        let told = ben.script("return told", Vec::new()).await?;
        let told = told.as_array().context("a list")?;
        let message = told
            .iter()
            .find(|told| told["text"] == "are you still there?");
        let message = message.context("the page was told nothing of the message")?;
        ensure!(
            message["what"] == "message" && message["sender"] == "ann" && message["own"] == false
        );
        ensure!(
            told.iter()
                .any(|told| told["what"] == "unread" && told["unread"] == 1)
        );
        ensure!(
            told.iter()
                .any(|told| told["what"] == "peer" && told["state"] == "verified")
        );
        ensure!(
            told.iter()
                .any(|told| told["what"] == "status" && told["status"] == "connected")
        );
        let title = ben.script("return document.title", Vec::new()).await?;
        ensure!(title == "Somebody's page", "{title}");
        for tab in [&ann, &ben] {
            nothing_wrong(tab).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn the_script_is_small() -> Result<()> {
    let sizes = xtask::build::sizes(&xtask::testbed::dist())?;
    let script = sizes
        .iter()
        .find(|size| size.path.as_os_str() == "rtchat.js");
    let bytes = script.context("dist/ has no rtchat.js")?.brotli;
    ensure!(bytes <= 5_000, "rtchat.js has {bytes} bytes");
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
        nothing_wrong(&tab).await?;
        tab.close().await?;
    }

    // Without ?add there is only what one may use.
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
    // Nobody asked for the focus.
    let focus = tab
        .script("return document.activeElement.tagName", Vec::new())
        .await?;
    ensure!(focus == "BODY", "{focus}");
    nothing_wrong(&tab).await?;
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
            "<script src='{}rtchat.js?add&room=query&name=ann&position=middle&open' data-room=tag data-accept=nobody></script>",
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
            "data-accept",
            "nobody",
            "everyone",
        ] {
            ensure!(
                console.contains(word),
                "{word} is not in the console: {console}"
            );
        }

        // What changes an attribute goes into another room.
        tab.script(
            "document.querySelector('rt-chat').room = 'other'",
            Vec::new(),
        )
        .await?;
        tab.until("the other room", |page| {
            page.text("room") == "other" && page.status == "looking"
        })
        .await?;
        nothing_wrong(&tab).await
    });
}

#[test]
fn a_strict_policy_is_enough_in_chromium() {
    run(|bed| async move { strict(&bed, bed.chromium().await?).await });
}

#[test]
fn a_strict_policy_is_enough_in_firefox() {
    run(|bed| async move { strict(&bed, bed.firefox().await?).await });
}

/// The directives that docs/EMBEDDING.md lists, and what is said when one of them is missing.
async fn strict(bed: &Bed, browser: Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let site = bed.site(&broker).await?;
    let address = broker.ws_url();
    let meeting = address.trim_end_matches("/mqtt");
    let origin = site.url().trim_end_matches('/');
    let listed = include_str!("../../docs/EMBEDDING.md");
    let listed = listed
        .split("```http\n")
        .nth(1)
        .and_then(|block| block.split("```").next());
    let policy = listed.context("the docs list no policy")?;
    let policy = policy
        .trim()
        .trim_start_matches("Content-Security-Policy:")
        .replace("https://example.org", origin)
        .replace("wss://broker.example.org", meeting);
    let policy = format!("default-src 'none'; require-trusted-types-for 'script';{policy}");
    let integrity = xtask::widget::integrity(&xtask::testbed::dist())?;
    let tag = tag(
        &site,
        &format!("integrity='{integrity}' crossorigin data-open data-name=ann"),
    );
    // The test's own script is inline, which such a page forbids: it does without.
    let html = format!("<!DOCTYPE html><title>Strict</title>{tag}");

    let host = Host::with_headers(&[("content-security-policy", &policy)]).await?;
    let tab = browser.open(&host.write_page("page.html", &html)?).await?;
    tab.until("that it looks for others", |page| page.status == "looking")
        .await?;
    bed.no_errors().await?;
    tab.close().await?;

    let lacking = [
        ("'wasm-unsafe-eval'", "sorry", "wasm-unsafe-eval"),
        (meeting, "notice", "connect-src"),
    ];
    for (source, id, word) in lacking {
        let policy = policy.replace(source, "");
        let host = Host::with_headers(&[("content-security-policy", &policy)]).await?;
        let tab = browser.open(&host.write_page("page.html", &html)?).await?;
        let said = tab.until(format!("a sentence about {word}"), |page| {
            page.text(id).contains(word)
        });
        said.await?;
        tab.close().await?;
    }
    // What the browser itself says about policies is as it should be.
    browser.errors().await?;
    Ok(())
}

#[test]
fn who_is_removed_leaves_and_frees_everything() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let notes = "<script>
            window.made = [];
            for (const name of ['WebSocket', 'RTCPeerConnection'])
                window[name] = new Proxy(window[name], { construct(target, given) {
                    const it = new target(...given);
                    made.push(it);
                    return it;
                } });
        </script>";
        let tag = tag(&site, "data-name=ann data-open");
        let url = host.write_page("page.html", &page(&format!("{notes}{tag}"), ""))?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for (leaver, stayer) in [(&chromium, &firefox), (&firefox, &chromium)] {
            let stays = stayer.open(&url).await?;
            stays.joined().await?;
            let leaves = leaver.open(&url).await?;
            leaves.joined().await?;
            leaves
                .until("the other", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            // Moved, it stays.
            leaves
                .script(
                    "document.body.prepend(document.querySelector('rt-chat'))",
                    Vec::new(),
                )
                .await?;
            leaves
                .script("window.chat = RTChat.widget; RTChat.remove()", Vec::new())
                .await?;
            stays.sees(&[]).await?;
            let script = "return made.map((it) => it.connectionState ?? it.readyState)
                .concat(chat.shadowRoot.querySelector('.app') ? ['shown'] : [])";
            for _ in 0..200 {
                let states = leaves.script(script, Vec::new()).await?;
                let states = states.as_array().context("a list")?;
                if states.iter().all(|state| *state == "closed" || *state == 3) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            let states = leaves.script(script, Vec::new()).await?;
            let all = states.as_array().context("a list")?;
            ensure!(
                all.len() >= 2 && all.iter().all(|state| *state == "closed" || *state == 3),
                "{states}"
            );
            // And it can come back.
            leaves
                .script("RTChat.add({ name: 'ben', open: true })", Vec::new())
                .await?;
            stays
                .until("them again", |page| {
                    page.peers.iter().any(|peer| peer.state == "verified")
                })
                .await?;
            for tab in [stays, leaves] {
                nothing_wrong(&tab).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn keys_and_styles_stay_on_their_side_in_chromium() {
    run(|bed| async move { apart(&bed, bed.chromium().await?).await });
}

#[test]
fn keys_and_styles_stay_on_their_side_in_firefox() {
    run(|bed| async move { apart(&bed, bed.firefox().await?).await });
}

async fn apart(bed: &Bed, browser: Browser) -> Result<()> {
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
    // The tag came first, so that even those who listen before all others hear nothing.
    tab.say("? not a shortcut").await?;
    tab.hears("ann", "? not a shortcut").await?;
    tab.type_into("composer", "ab").await?;
    let typed = tab.page().await?.composer;
    ensure!(typed.as_deref() == Some("ab"), "{typed:?}");
    let heard = tab.script("return heard", Vec::new()).await?;
    ensure!(heard == json!([]), "the page heard {heard}");
    // Nor does the chat keep what is typed beside it.
    let script = "document.getElementById('own').focus();
        document.getElementById('own').dispatchEvent(new KeyboardEvent('keydown', { key: 'x', bubbles: true, composed: true }));
        return heard";
    let heard = tab.script(script, Vec::new()).await?;
    ensure!(
        heard.as_array().is_some_and(|heard| heard.len() == 4),
        "{heard}"
    );
    nothing_wrong(&tab).await?;
    bed.no_errors().await
}

#[test]
fn it_stays_as_it_was_left() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page(
            "page.html",
            &page(&tag(&site, "data-name=ann data-open"), ""),
        )?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            tab.joined().await?;
            ensure!(chat(&tab).await?["open"] == true);
            tab.click("close-panel").await?;
            let closed = chat(&tab).await?;
            ensure!(
                closed["open"] == false && closed["focus"] == "launcher",
                "{closed}"
            );
            tab.reload().await?;
            tab.until("the bubble", |page| page.has("launcher")).await?;
            ensure!(chat(&tab).await?["open"] == false);
            tab.click("launcher").await?;
            tab.joined().await?;
            tab.click("larger").await?;
            let script = "const { width, height } = document.querySelector('rt-chat').shadowRoot.querySelector('[part=panel]').getBoundingClientRect();
                return width >= document.documentElement.clientWidth && height >= innerHeight - 20";
            ensure!(tab.script(script, Vec::new()).await? == true);
            // Step by step.
            tab.type_into("composer", ESCAPE).await?;
            ensure!(
                tab.script(script, Vec::new()).await? == false && chat(&tab).await?["open"] == true
            );
            tab.type_into("composer", ESCAPE).await?;
            ensure!(chat(&tab).await?["open"] == false);
            tab.click("launcher").await?;
            tab.reload().await?;
            tab.joined().await?;
            let opened = chat(&tab).await?;
            ensure!(
                opened["open"] == true && opened["focus"] == Value::Null,
                "{opened}"
            );
            nothing_wrong(&tab).await?;
            tab.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn what_is_missing_is_said() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let throws = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })";
        let lacks = [
            ("delete window.WebAssembly", "sorry", "WebAssembly"),
            ("delete window.RTCPeerConnection", "stopped", "WebRTC"),
            ("delete window.WebSocket", "stopped", "WebSocket"),
            (throws, "notice", "stor"),
        ];
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            for (number, (lack, id, word)) in lacks.iter().enumerate() {
                let tag = tag(&site, "data-name=ann data-open");
                let html = page(&format!("<script>{lack}</script>{tag}"), "");
                let tab = browser
                    .open(&host.write_page(&format!("{number}.html"), &html)?)
                    .await?;
                let said = tab.until(format!("a sentence about {word}"), |page| {
                    page.text(id).contains(word)
                });
                said.await?;
                nothing_wrong(&tab).await?;
                tab.close().await?;
            }
        }
        bed.no_errors().await
    });
}

#[test]
fn a_chat_that_breaks_says_so() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page(
            "page.html",
            &page(&tag(&site, "data-name=ann data-open"), ""),
        )?;
        let chromium = bed.chromium().await?;
        let tab = chromium.open(&url).await?;
        tab.joined().await?;
        let no_clock = "Performance.prototype.now = () => { throw new Error('no clock') }";
        tab.script(no_clock, Vec::new()).await?;
        tab.say("hello?").await?;
        tab.click("status").await?;
        tab.until("that it broke", |page| {
            page.text("sorry").contains("stopped working") && !page.has("composer")
        })
        .await?;
        let heading = tab
            .script("return document.body.innerText", Vec::new())
            .await?;
        ensure!(
            heading.to_string().contains("Text of somebody"),
            "{heading}"
        );
        tab.click("again").await?;
        ensure!(tab.joined().await?.own == "ann");
        // What ended the program is in the console.
        chromium.errors().await?;
        Ok(())
    });
}

#[test]
fn the_demonstrations_work() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for name in ["blog", "inline"] {
            let url = format!("{}demo/{name}.html", site.url());
            let (ann, ben) = (chromium.open(&url).await?, firefox.open(&url).await?);
            for (tab, user) in [(&ann, "ann"), (&ben, "ben")] {
                if name == "blog" {
                    tab.until("the bubble", |page| page.has("launcher")).await?;
                    tab.click("launcher").await?;
                    tab.join(user).await?;
                } else {
                    tab.joined().await?;
                }
            }
            ann.sees(&["ben"]).await?;
            ben.sees(&["ann"]).await?;
            ann.say("hello").await?;
            ben.hears("ann", "hello").await?;
            ann.close().await?;
            ben.close().await?;
        }
        bed.no_errors().await
    });
}
