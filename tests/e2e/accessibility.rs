//! What axe-core finds in every view, light and dark, wide and narrow: nothing.
//!
//! The page is the one with the feature `demo`, which shows every state without a network. The chat in somebody's page
//! is looked at in `widget/accessibility.rs`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::project;
use xtask::testbed::{Site, demo};

use crate::support::{Tab, run};

/// WCAG 2 up to level AA, and what else axe-core takes for good practice. No rule is switched off.
const RULES: [&str; 7] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22a",
    "wcag22aa",
    "best-practice",
];

/// Widths of windows, in pixels: people beside the conversation, and one column.
const WIDTHS: [u32; 2] = [1280, 360];

/// One after the other: what has to be there, and what is clicked on then.
type Steps = &'static [(&'static str, &'static str)];

/// Looks at the tab in every width and in both schemes. `part` is the selector of what counts.
pub async fn audit(tab: &Tab, view: &str, part: &str) -> Result<()> {
    let axe = project::root().join("node_modules/axe-core/axe.min.js");
    let axe =
        std::fs::read_to_string(&axe).with_context(|| format!("cannot read {}", axe.display()))?;
    tab.script(&axe, Vec::new()).await?;
    let mut found = Vec::new();
    for width in WIDTHS {
        for scheme in ["light", "dark"] {
            look(tab, width, scheme).await?;
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

/// Gives the tab this width and scheme, and no motion: half of a transition has other colours than its end.
async fn look(tab: &Tab, width: u32, scheme: &str) -> Result<()> {
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
    // Drawn, and not only asked for.
    let drawn = "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(innerWidth))))";
    let drawn = tab.script(drawn, Vec::new()).await?;
    ensure!(drawn == width, "{drawn} px wide");
    Ok(())
}

/// Opens each scene of `src/ui/demo.rs`, takes the steps, and looks. All that goes wrong is told at once.
fn audit_scenes(scenes: &'static [(&'static str, Steps, &'static str)]) {
    run(move |bed| async move {
        let site = Site::start(demo(), json!({})).await?;
        let tab = bed.chromium().await?.open(site.url()).await?;
        let mut problems = Vec::new();
        for (scene, steps, shown) in scenes {
            tab.go(&format!("{}?demo={scene}", site.url())).await?;
            look(&tab, WIDTHS[0], "light").await?;
            for (there, pressed) in *steps {
                tab.until(*there, |page| page.has(there)).await?;
                match pressed.strip_prefix("type ") {
                    Some(text) => tab.type_into(there, &format!("{text}\u{e007}")).await?,
                    None => tab.click(pressed).await?,
                }
            }
            tab.until(*shown, |page| page.has(shown)).await?;
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
    audit_scenes(&[
        ("first", &[], "name"),
        ("first", &[("name", "join")], "name-problem"),
        ("private", &[], "name"),
        ("wrong", &[], "wrong-secret"),
        ("failed", &[("name", "type Ada")], "stopped"),
        ("empty", &[], "empty"),
        ("empty-private", &[], "empty"),
    ]);
}

#[test]
fn a_conversation_is_accessible() {
    audit_scenes(&[
        ("talk", &[], "message"),
        ("many", &[], "message"),
        ("joins", &[], "moves"),
        ("full", &[], "message"),
        ("reconnecting", &[], "message"),
        ("unreachable", &[], "message"),
        ("unreachable-alone", &[], "status"),
        ("talk", &[("message", "leave")], "reload"),
    ]);
}

#[test]
fn warnings_requests_and_notices_are_accessible() {
    audit_scenes(&[
        ("alias", &[], "alias-warning"),
        ("request", &[], "request"),
        ("notices", &[], "notice"),
    ]);
}

#[test]
fn panels_and_dialogs_are_accessible() {
    audit_scenes(&[
        ("talk", &[("peer", "person")], "person-details"),
        ("talk", &[("own-name", "me")], "rename"),
        ("talk", &[("message", "keys-button")], "keys"),
        ("talk", &[("message", "status")], "diagnostics"),
        ("talk", &[("composer", "type /panic")], "panic"),
        // Not the last one: a page that broke by itself would be.
        ("flood", &[("earlier", "earlier")], "message"),
    ]);
}
