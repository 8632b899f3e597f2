//! What the page shows before its program is there, and how the program takes over.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::Broker;

use crate::support::{Bed, HeldSite, Tab, run, settings};

const ENTER: &str = "\u{e007}";

/// A page and its broker. The page waits for its settings.
async fn held() -> Result<(Broker, HeldSite)> {
    held_with(&json!({})).await
}

/// The same with further settings.
async fn held_with(more: &Value) -> Result<(Broker, HeldSite)> {
    let broker = Broker::rumqttd().await?;
    let mut settings = settings(&broker.ws_url());
    for (key, value) in more.as_object().into_iter().flatten() {
        settings[key] = value.clone();
    }
    let site = HeldSite::start(settings).await?;
    Ok((broker, site))
}

/// The places and texts of these elements, as far as they are visible, in whole pixels.
pub async fn looks(tab: &Tab, selectors: &[&str]) -> Result<Value> {
    let script = "const tree = document.querySelector('rt-chat')?.shadowRoot ?? document;
        return arguments[0].flatMap((selector) => [...tree.querySelectorAll(selector)]
        .filter((element) => element.checkVisibility())
        .map((element) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            const style = getComputedStyle(element);
            return [selector, [x, y, width, height].map(Math.round), style.font, style.color, style.backgroundColor];
        }))";
    tab.script(script, vec![json!(selectors)]).await
}

/// The welcome's elements. Their texts count, too, except for the room's name.
pub const WELCOME: &[&str] = &[
    ".card",
    ".card .logo",
    ".card .over",
    ".card h1",
    ".card label",
    ".card input",
    ".card button",
    ".card .hint",
];

pub const ROOM: &[&str] = &[
    ".bar",
    ".talks",
    ".bar .seat",
    ".composer .attach",
    ".where h1",
    ".where .status",
    ".where .lamp",
    ".bar .copy",
    ".bar .to-people",
    ".log-frame",
    ".log",
    ".composer",
    ".composer textarea",
    ".composer .send",
    ".people",
    ".people h2",
    ".people footer",
    ".people footer button",
];

/// Waits until nothing of the first paint is left.
async fn taken_over(tab: &Tab) -> Result<()> {
    tab.until("the program", |page| {
        page.has("name") || page.has("composer")
    })
    .await?;
    let left = "return document.querySelectorAll('#early, .unstarted').length";
    ensure!(tab.script(left, Vec::new()).await? == 0);
    Ok(())
}

pub const TEXTS: &str =
    "return [...(document.querySelector('rt-chat')?.shadowRoot ?? document).querySelectorAll('.card > :not(h1)')].filter((part) => part.checkVisibility())
        .map((part) => (part.innerText ?? '').trim())";

#[test]
fn the_program_takes_over_what_was_typed_without_a_jump() {
    run(|bed| async move {
        for (browser, more) in [
            (bed.chromium().await?, ""),
            (bed.firefox().await?, "?room=the%20garden"),
            (
                bed.firefox().await?,
                "#k=AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIGFkCs",
            ),
        ] {
            let (_broker, site) = held().await?;
            let tab = browser.open(&format!("{}{more}", site.url())).await?;
            let focused = "return String(document.activeElement.matches('#early input'))";
            tab.until_script(focused, &[], "true").await?;
            tab.type_on("#early input", "ann marie").await?;
            let select = "document.activeElement.setSelectionRange(4, 6)";
            tab.script(select, Vec::new()).await?;
            let before = looks(&tab, WELCOME).await?;
            ensure!(
                before.as_array().is_some_and(|all| all.len() == 8),
                "{before}"
            );
            let texts = tab.script(TEXTS, Vec::new()).await?;
            let room = "return document.querySelector('#early h1').innerText.trim()";
            let room = tab.script(room, Vec::new()).await?;
            ensure!(
                room == if more.starts_with('?') {
                    "the garden"
                } else {
                    ""
                },
                "{room}"
            );

            site.release(true);
            taken_over(&tab).await?;
            let after = looks(&tab, WELCOME).await?;
            ensure!(before == after, "{more}: {before:#} {after:#}");
            let same = tab.script(TEXTS, Vec::new()).await?;
            ensure!(texts == same, "{texts} {same}");
            let typed = "const field = document.activeElement;
                return [field.dataset.testid, field.value, field.selectionStart, field.selectionEnd]";
            let typed = tab.script(typed, Vec::new()).await?;
            ensure!(typed == json!(["name", "ann marie", 4, 6]), "{typed}");
            // The next text that is typed replaces the selection.
            tab.script("document.execCommand('insertText', false, 'L')", Vec::new())
                .await?;
            tab.type_into("name", ENTER).await?;
            let page = tab.joined().await?;
            ensure!(page.own == "ann Lrie", "{}", page.own);
            bed.no_errors().await?;
            tab.close().await?;
        }
        Ok(())
    });
}

#[test]
fn a_join_that_was_pressed_early_joins() {
    run(|bed| async move {
        let pressed = "return document.querySelector('#early [role=status]').innerText";
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let (_broker, site) = held().await?;
            // With Enter.
            let ann = browser.open(site.url()).await?;
            ann.type_on("#early input", &format!("ann{ENTER}")).await?;
            let said = ann.script(pressed, Vec::new()).await?;
            ensure!(said == "You join as soon as the page is loaded.", "{said}");
            site.release(true);
            ensure!(ann.joined().await?.own == "ann");

            // With the button, in another origin, which knows no name.
            let (_broker, site) = held().await?;
            let ben = browser.open(site.url()).await?;
            ben.type_on("#early input", "ben").await?;
            ben.click_on("#early .primary").await?;
            site.release(true);
            ensure!(ben.joined().await?.own == "ben");

            // A name that is changed afterwards has to be confirmed again, and one that is not allowed is explained.
            let (_broker, site) = held().await?;
            let cid = browser.open(site.url()).await?;
            cid.type_on("#early input", &format!("ci{ENTER}d")).await?;
            ensure!(cid.script(pressed, Vec::new()).await? == "");
            site.release(true);
            taken_over(&cid).await?;
            ensure!(cid.page().await?.has("name"));

            let (_broker, site) = held().await?;
            let long = "x".repeat(100);
            let dan = browser.open(site.url()).await?;
            dan.type_on("#early input", &format!("{long}{ENTER}"))
                .await?;
            site.release(true);
            dan.until("what is wrong", |page| {
                !page.text("name-problem").is_empty()
            })
            .await?;
            let kept = "return document.querySelector('[data-testid=name]').value";
            ensure!(dan.script(kept, Vec::new()).await? == json!(long));
        }
        Ok(())
    });
}

/// Sets the size of Chromium's page.
async fn resize(tab: &Tab, width: u32) -> Result<()> {
    let size =
        json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 720 });
    tab.devtools("Emulation.setDeviceMetricsOverride", size)
        .await
}

#[test]
fn whoever_has_a_name_sees_the_room_at_once() {
    run(|bed| async move {
        for width in [1200, 360] {
            room_at_once(&bed, width, &json!({})).await?;
        }
        // What a site leaves out has no place in the frame, either.
        room_at_once(&bed, 1200, &json!({ "features": ["dm"] })).await
    });
}

#[test]
fn a_room_with_several_channels_has_its_list_at_once() {
    run(|bed| async move {
        let channels = json!({ "channels": ["lobby", { "name": "news", "icon": "📰" }] });
        room_at_once(&bed, 1200, &channels).await?;
        list_at_once(&bed, &channels).await
    });
}

/// A narrow page shows the list, and nothing else.
async fn list_at_once(bed: &Bed, more: &Value) -> Result<()> {
    const LIST: &[&str] = &[
        ".talks",
        ".talks .bar",
        ".talks h2",
        ".talk",
        ".talk .sign",
        ".talk .name",
        ".conversation",
        ".people",
    ];
    let (_broker, site) = held_with(more).await?;
    site.release(true);
    let tab = bed.chromium().await?.open(site.url()).await?;
    resize(&tab, 360).await?;
    tab.join("ann").await?;
    site.release(false);
    tab.reload().await?;
    let listed = "return !!document.querySelector('#early .talks')?.checkVisibility()";
    tab.until_true(listed, Vec::new()).await?;
    let before = looks(&tab, LIST).await?;
    ensure!(
        before.as_array().is_some_and(|all| all.len() == 9),
        "{before}"
    );
    let names = "return [...document.querySelectorAll('.talk')].map((row) => row.textContent)";
    let names = tab.script(names, Vec::new()).await?;
    ensure!(names == json!(["#lobby", "📰news"]), "{names}");
    site.release(true);
    taken_over(&tab).await?;
    let after = looks(&tab, LIST).await?;
    ensure!(before == after, "{before:#} {after:#}");
    let moved = tab.script(SHIFTS, Vec::new()).await?;
    ensure!(moved == 0, "things moved by {moved}");
    bed.no_errors().await?;
    tab.close().await
}

/// How much of what was seen has moved since the page was loaded, in thousandths, as Chromium counts it.
const SHIFTS: &str = "return new Promise((done) => {
        const shifts = [];
        const observed = new PerformanceObserver((list) => shifts.push(...list.getEntries()));
        observed.observe({ type: 'layout-shift', buffered: true });
        // There always is one of these, which comes after what was noted before.
        new PerformanceObserver(() => done(Math.round(1_000 * [...shifts, ...observed.takeRecords()]
            .reduce((sum, { value }) => sum + value, 0)))).observe({ type: 'navigation', buffered: true });
    })";

async fn room_at_once(bed: &Bed, width: u32, more: &Value) -> Result<()> {
    let (_broker, site) = held_with(more).await?;
    site.release(true);
    let tab = bed.chromium().await?.open(site.url()).await?;
    resize(&tab, width).await?;
    tab.join("ann").await?;
    site.release(false);
    tab.reload().await?;
    let busy = "return document.querySelector('#early [aria-busy]').checkVisibility()
        && !document.querySelector('#early .card').checkVisibility()";
    ensure!(tab.script(busy, Vec::new()).await? == true);
    // A message can be begun before the program is there. It is not sent, since nobody is here.
    let focused = "return document.activeElement.matches('#early textarea')";
    tab.until_true(focused, Vec::new()).await?;
    tab.type_on("#early textarea", &format!("hello{ENTER}"))
        .await?;
    let select = "document.activeElement.setSelectionRange(1, 4)";
    tab.script(select, Vec::new()).await?;
    let before = looks(&tab, ROOM).await?;
    site.release(true);
    tab.joined().await?;
    taken_over(&tab).await?;
    let typed = "const field = document.activeElement;
        return [field.dataset.testid, field.value, field.selectionStart, field.selectionEnd]";
    let typed = tab.script(typed, Vec::new()).await?;
    ensure!(typed == json!(["composer", "hello", 1, 4]), "{typed}");
    let after = looks(&tab, ROOM).await?;
    // The words of the status may have changed meanwhile.
    let [before, after] = [before, after].map(|mut looks| {
        for look in looks.as_array_mut().into_iter().flatten() {
            if look[0] == ".where .status" {
                look[1][2] = Value::Null;
            }
        }
        looks
    });
    ensure!(before == after, "{width}: {before:#} {after:#}");
    bed.no_errors().await?;
    tab.close().await
}
