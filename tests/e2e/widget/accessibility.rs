//! axe-core finds no problem in the chat in other people's pages.

use anyhow::{Result, ensure};
use xtask::testbed::Broker;

use super::{ESCAPE, page, tag};
use crate::accessibility::audit;
use crate::support::{Host, Tab, run};

/// Checks the chat, and collects the problems.
async fn check(tab: &Tab, view: &str, problems: &mut Vec<String>) -> Result<()> {
    if let Err(error) = audit(tab, view, "rt-chat").await {
        problems.push(format!("{error:#}"));
    }
    Ok(())
}

#[test]
fn the_bubble_and_the_inline_chat_are_accessible() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let (site, host) = (bed.site(&broker).await?, Host::start().await?);
        let url = host.write_page("page.html", &page(&tag(&site, ""), ""))?;
        let mut problems = Vec::new();
        let tab = bed.chromium().await?.open(&url).await?;
        tab.until("the bubble", |page| page.has("launcher")).await?;
        check(&tab, "bubble closed", &mut problems).await?;
        // A small screen's panel hides the bubble, and a wide one's does not.
        tab.click("launcher").await?;
        tab.until("the field for a name", |page| page.has("name"))
            .await?;
        check(&tab, "bubble open", &mut problems).await?;
        tab.join("ann").await?;
        check(&tab, "bubble joined", &mut problems).await?;
        tab.say("anybody there?").await?;
        tab.hears("ann", "anybody there?").await?;
        check(&tab, "bubble with a message", &mut problems).await?;
        // Somebody else takes the name.
        let impostor = bed.firefox().await?.open(&url).await?;
        impostor
            .until("the bubble", |page| page.has("launcher"))
            .await?;
        impostor.click("launcher").await?;
        impostor.join("ann").await?;
        tab.until("the warning", |page| page.has("alias-warning"))
            .await?;
        check(&tab, "bubble with a warning", &mut problems).await?;
        impostor.close().await?;
        tab.click("different-person").await?;
        tab.devtools(
            "Emulation.clearDeviceMetricsOverride",
            serde_json::json!({}),
        )
        .await?;
        tab.click("larger").await?;
        check(&tab, "bubble enlarged", &mut problems).await?;
        tab.type_into("composer", ESCAPE).await?;
        tab.type_into("composer", ESCAPE).await?;
        check(&tab, "bubble closed again", &mut problems).await?;

        let head = tag(&site, "").replace("?add", "");
        let inline = host.write_page("inline.html", &page(&head, "<rt-chat></rt-chat>"))?;
        tab.script("localStorage.clear()", Vec::new()).await?;
        tab.go(&inline).await?;
        tab.until("the field for a name", |page| page.has("name"))
            .await?;
        check(&tab, "inline new", &mut problems).await?;
        tab.join("ann").await?;
        check(&tab, "inline joined", &mut problems).await?;

        let nowhere = tag(&site, "data-open").replace("?add", "?add&config=nothing");
        let broken = "<script>window.WebAssembly = undefined</script>";
        let url = host.write_page("broken.html", &page(&format!("{broken}{nowhere}"), ""))?;
        tab.go(&url).await?;
        tab.until("the apology", |page| page.has("sorry")).await?;
        check(&tab, "bubble broken", &mut problems).await?;
        ensure!(problems.is_empty(), "{}", problems.join("\n\n"));
        Ok(())
    });
}
