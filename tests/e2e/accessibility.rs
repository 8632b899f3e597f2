//! axe-core finds no problem in any view, light or dark, wide or narrow.
//!
//! The page is built with the feature `demo`, which shows every state without a network. `widget/accessibility.rs`
//! checks the chat in other people's pages.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::project;
use xtask::testbed::{Site, demo};

use crate::support::{Tab, run};

/// The rules of WCAG 2 up to level AA, and axe-core's best practices. No rule is disabled.
const RULES: [&str; 7] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22a",
    "wcag22aa",
    "best-practice",
];

/// Widths of windows in pixels: one shows the people beside the conversation, the other has a single column.
const WIDTHS: [u32; 2] = [1280, 360];

/// Steps in order: the element that has to be present, and the element that is clicked then, or what is typed into it,
/// with Enter (`type …`) or without (`keys …`).
type Steps = &'static [(&'static str, &'static str)];

/// Scenes of `src/ui/demo/`, with steps, and the element that is there after them.
type Scenes = &'static [(&'static str, Steps, &'static str)];

const FIRST_VIEWS: Scenes = &[
    ("first", &[], "name"),
    ("first", &[("name", "join")], "name-problem"),
    ("private", &[], "name"),
    ("wrong", &[], "wrong-secret"),
    ("failed", &[("name", "type Ada")], "stopped"),
    ("empty", &[], "empty"),
    ("empty-private", &[], "empty"),
    ("empty-known", &[], "empty"),
    ("alone", &[], "try-now"),
    ("alone-dropping", &[], "what-was-dropped"),
    ("alone-tabs", &[], "try-now"),
];

const CONVERSATION: Scenes = &[
    ("talk", &[], "message"),
    ("long", &[], "fold"),
    ("long", &[("fold", "fold")], "fold"),
    ("many", &[], "message"),
    ("joins", &[], "moves"),
    ("full", &[], "message"),
    ("no-path", &[], "message"),
    ("reconnecting", &[], "message"),
    ("unreachable", &[], "message"),
    ("unreachable-alone", &[], "status"),
    ("talk", &[("message", "leave")], "rejoin"),
    ("tabs", &[("peer", "person")], "person-details"),
    ("trouble", &[], "muted"),
    (
        "trouble",
        &[("muted", "listen-again"), ("retry", "retry")],
        "delivery",
    ),
    ("conversations", &[("peer", "person")], "person-details"),
];

const MARKDOWN: Scenes = &[
    ("markdown", &[], "copy-code"),
    ("markup", &[], "copy-code"),
    ("markup", &[("copy-code", "copy-code")], "copy-code"),
];

const ANSWERS: Scenes = &[
    ("answers", &[], "reaction"),
    ("answers", &[("reaction", "message-menu")], "reply"),
    (
        "answers",
        &[("reaction", "message-menu"), ("react", "react")],
        "emoji",
    ),
    (
        "answers",
        &[("reaction", "message-menu"), ("reply", "reply")],
        "composing",
    ),
];

const FILES: Scenes = &[
    ("files", &[], "picture-open"),
    ("files", &[("picture-open", "picture-open")], "viewer"),
];

const TALKS: Scenes = &[
    ("conversations", &[], "conversation"),
    (
        "conversations",
        &[("conversation", "conversation")],
        "channel-welcome",
    ),
    (
        "conversations",
        &[("conversation", "conversation"), ("search", "type the")],
        "search-result",
    ),
    ("talk", &[("delete-room", "delete-room")], "delete-room-now"),
    (
        "talk",
        &[("search", "type nothing like it")],
        "search-results",
    ),
];

const WRITING: Scenes = &[
    ("writing", &[], "mention"),
    ("writing", &[("composer", "keys @")], "completion"),
    ("writing", &[("composer", "keys :smi")], "completion"),
    ("writing", &[("mention", "emoji-button")], "emoji"),
    (
        "writing",
        &[("mention", "emoji-button"), ("emoji-search", "keys tea")],
        "emoji",
    ),
    (
        "answers",
        &[("reaction", "message-menu"), ("forward", "forward")],
        "chooser",
    ),
    ("answers", &[("who-reacted", "who-reacted")], "who-reacted"),
];

const WARNINGS: Scenes = &[
    ("alias", &[], "alias-warning"),
    ("alias", &[("alias-warning", "person")], "person-details"),
    (
        "talk",
        &[("peer", "person"), ("block", "block")],
        "block-question",
    ),
    (
        "talk",
        &[
            ("peer", "person"),
            ("block", "block"),
            ("block-question", "block-now"),
        ],
        "blocked",
    ),
    ("request", &[], "request"),
    ("notices", &[], "notice"),
];

const CALLS: Scenes = &[
    ("call", &[], "tile"),
    ("call", &[("tile", "call-more")], "devices"),
    ("call-full", &[], "tile"),
    ("ring", &[], "ring"),
    ("ring", &[("ring", "decline")], "running-call"),
    ("ring-alias", &[], "ring"),
    ("watch", &[("tile", "watchers")], "admit-watcher"),
    ("talk", &[("message", "call")], "media-go"),
];

const PANELS: Scenes = &[
    ("talk", &[("peer", "person")], "person-details"),
    ("talk", &[("own-name", "me")], "rename"),
    ("talk", &[("message", "keys-button")], "keys"),
    ("talk", &[("message", "status")], "diagnostics"),
    ("talk", &[("composer", "type /panic")], "panic"),
    // This cannot be the last scene: a test that ends with a panic on the page fails.
    ("flood", &[], "message"),
];

/// Every view.
pub const ALL: [Scenes; 10] = [
    FIRST_VIEWS,
    CONVERSATION,
    MARKDOWN,
    ANSWERS,
    FILES,
    TALKS,
    WRITING,
    WARNINGS,
    CALLS,
    PANELS,
];

/// Checks the tab in every width and in both colour schemes. `part` is the selector of the part that is checked.
pub async fn audit(tab: &Tab, view: &str, part: &str) -> Result<()> {
    let axe = project::root().join("node_modules/axe-core/axe.min.js");
    let axe =
        std::fs::read_to_string(&axe).with_context(|| format!("cannot read {}", axe.display()))?;
    tab.script(&axe, Vec::new()).await?;
    let mut found = Vec::new();
    for width in WIDTHS {
        for scheme in ["light", "dark"] {
            emulate(tab, width, scheme).await?;
            if let Some(folder) = std::env::var_os("RTCHAT_SCREENSHOTS") {
                let name = view.replace([' ', '/'], "-");
                let file = PathBuf::from(folder).join(format!("{name}-{width}-{scheme}.png"));
                tab.screenshot(&file).await?;
            }
            let script = "return axe.run({ include: [arguments[0]] },
                { resultTypes: ['violations'], runOnly: { type: 'tag', values: arguments[1] } })
                .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
                    `${id}: ${html.slice(0, 300)}\n    ${failureSummary.replaceAll('\\n', '\\n    ')}`)))";
            let violations = tab.script(script, vec![part.into(), json!(RULES)]).await?;
            for violation in violations.as_array().context("a list of violations")? {
                found.push(format!(
                    "{view}, {width} px, {scheme}: {}",
                    violation.as_str().unwrap_or_default()
                ));
            }
        }
    }
    ensure!(found.is_empty(), "{}", found.join("\n\n"));
    Ok(())
}

/// Gives the tab this width and colour scheme, and disables motion, since the colours in the middle of a transition
/// differ from the final ones.
async fn emulate(tab: &Tab, width: u32, scheme: &str) -> Result<()> {
    let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
    tab.devtools("Emulation.setDeviceMetricsOverride", size)
        .await?;
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ]);
    tab.devtools(
        "Emulation.setEmulatedMedia",
        json!({ "features": features }),
    )
    .await?;
    // Wait until it is drawn.
    let drawn = "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(innerWidth))))";
    let drawn = tab.script(drawn, Vec::new()).await?;
    ensure!(drawn == width, "{drawn} px wide");
    Ok(())
}

/// Takes the steps, and waits for the element that is there after them.
pub async fn play(tab: &Tab, steps: Steps, shown: &'static str) -> Result<()> {
    for (there, pressed) in steps {
        tab.until(*there, |page| page.has(there)).await?;
        match (pressed.strip_prefix("type "), pressed.strip_prefix("keys ")) {
            (Some(text), _) => tab.type_into(there, &format!("{text}\u{e007}")).await?,
            (_, Some(keys)) => tab.type_into(there, keys).await?,
            _ if *there == "block-question" => tab.click_settled(pressed).await?,
            _ => tab.click(pressed).await?,
        }
    }
    tab.until(shown, |page| page.has(shown)).await?;
    Ok(())
}

/// Opens each scene of `src/ui/demo/`, takes the steps and checks the result. All problems are reported together.
fn audit_scenes(scenes: Scenes) {
    run(move |bed| async move {
        let site = Site::start(demo(), json!({})).await?;
        let tab = bed.chromium().await?.open(site.url()).await?;
        let mut problems = Vec::new();
        for (scene, steps, shown) in scenes {
            // What one scene leaves in the composer is not there in the next one.
            tab.script("sessionStorage.clear()", Vec::new()).await?;
            tab.go(&format!("{}?demo={scene}", site.url())).await?;
            emulate(&tab, WIDTHS[0], "light").await?;
            play(&tab, steps, shown).await?;
            if let Err(error) = audit(&tab, &format!("{scene} {shown}"), "html").await {
                problems.push(format!("{error:#}"));
            }
        }
        ensure!(problems.is_empty(), "{}", problems.join("\n\n"));
        Ok(())
    });
}

#[test]
fn the_first_views_are_accessible() {
    audit_scenes(FIRST_VIEWS);
}

#[test]
fn a_conversation_is_accessible() {
    audit_scenes(CONVERSATION);
}

#[test]
fn messages_with_markdown_are_accessible() {
    audit_scenes(MARKDOWN);
}

#[test]
fn answers_reactions_and_menus_are_accessible() {
    audit_scenes(ANSWERS);
}

#[test]
fn files_and_pictures_are_accessible() {
    audit_scenes(FILES);
}

#[test]
fn conversations_and_search_are_accessible() {
    audit_scenes(TALKS);
}

#[test]
fn what_is_kept_deleted_and_imported_is_accessible() {
    audit_scenes(&[
        ("imported", &[], "imported"),
        ("talk", &[("delete-site", "delete-site")], "delete-site-now"),
        (
            "talk",
            &[("delete-conversation", "delete-conversation")],
            "delete-question",
        ),
    ]);
}

#[test]
fn what_helps_with_writing_is_accessible() {
    audit_scenes(WRITING);
}

#[test]
fn warnings_requests_and_notices_are_accessible() {
    audit_scenes(WARNINGS);
}

#[test]
fn calls_and_what_is_shown_are_accessible() {
    audit_scenes(CALLS);
}

#[test]
fn panels_and_dialogs_are_accessible() {
    audit_scenes(PANELS);
}
