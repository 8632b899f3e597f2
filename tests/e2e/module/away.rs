//! Pages that people leave and return to.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{Stage, eval, seen, until};
use crate::support::{Bed, Browser, NOWHERE, run};

#[test]
fn a_program_goes_on_when_chromium_returns_to_its_page() {
    run(|bed| async move { away_and_back(&bed, bed.chromium().await?).await });
}

#[test]
fn a_program_goes_on_when_firefox_returns_to_its_page() {
    run(|bed| async move { away_and_back(&bed, bed.firefox().await?).await });
}

async fn away_and_back(bed: &Bed, browser: Browser) -> Result<()> {
    let stage = Stage::with(include_str!("away.html")).await?;
    let named = |name: &str| format!("{}?name={name}", stage.url);
    let stays = bed.firefox().await?.open(&named("ann")).await?;
    let leaves = browser.open(&named("ben")).await?;
    let met = r#"["connectedtopeer", "ben", null]"#;
    let gone = r#"["disconnectedfrompeer", "ben", "left"]"#;
    seen(&stays, met).await?;

    // The browser may keep the page or load it again.
    eval(&stays, "seen.length = 0").await?;
    leaves.go(&format!("{}{NOWHERE}", stage.url)).await?;
    seen(&stays, gone).await?;
    eval(&leaves, "history.back()").await?;
    seen(&stays, met).await?;
    // Imitate a browser that keeps it, since browsers do not say whether they will.
    until(&leaves, "return window.client?.users.length === 1").await?;
    eval(&leaves, "seen.length = 0; window.kept = client").await?;
    let tell =
        |event| format!("dispatchEvent(new PageTransitionEvent('{event}', {{ persisted: true }}))");
    eval(&leaves, &tell("pagehide")).await?;
    until(&stays, "return client.users.length === 0").await?;
    eval(&leaves, &tell("pageshow")).await?;
    seen(&leaves, r#"["connectedtopeer", "ann", null]"#).await?;
    until(&stays, "return client.users.length === 1").await?;

    for (tab, other) in [(&stays, "ben"), (&leaves, "ann")] {
        let said = format!("return client.getPeer('{other}').chat('back again, {other}')");
        eval(tab, &said).await?;
    }
    seen(&stays, r#"["chat", "back again, ann", "ben"]"#).await?;
    seen(&leaves, r#"["chat", "back again, ben", "ann"]"#).await?;
    let reported = eval(&stays, "return seen").await?;
    let expected = json!([
        ["disconnectedfrompeer", "ben", "left"],
        ["connectedtopeer", "ben", null],
        ["disconnectedfrompeer", "ben", "left"],
        ["connectedtopeer", "ben", null],
        ["chat", "back again, ann", "ben"],
    ]);
    ensure!(reported == expected, "{reported}");
    let reported = eval(&leaves, "return seen").await?;
    ensure!(!reported.to_string().contains("error"), "{reported}");
    Ok(())
}
