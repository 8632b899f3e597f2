//! The way to the broker begins before somebody joins, and nothing is said over it until then.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::{Bridge, Broker};

use crate::support::{Browser, HeldSite, run, settings};

/// Waits until this many connections were opened since the start.
async fn connections(bridge: &Bridge, count: u64) -> Result<()> {
    let reached = async {
        while bridge.stats().connections < count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let reached = tokio::time::timeout(Duration::from_secs(20), reached).await;
    let opened = bridge.stats().connections;
    ensure!(
        reached.is_ok() && opened == count,
        "{opened} connections, expected {count}"
    );
    Ok(())
}

/// Checks that nothing was said over the only new connection.
fn silent(bridge: &Bridge) -> Result<()> {
    let silent = bridge.stats().silent;
    ensure!(silent == 1, "{silent} silent connections");
    Ok(())
}

async fn journey(browser: &Browser) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let bridge = Bridge::start(broker.tcp_port(), Duration::ZERO).await?;
    let site = HeldSite::without_program(settings(&bridge.ws_url())).await?;

    // While the program is loading: whoever only looks at the page opens no connection, and whoever types opens one.
    let tab = browser.open(site.url()).await?;
    tab.until_script(
        "return String(document.activeElement.matches('#early input'))",
        &[],
        "true",
    )
    .await?;
    let loaded =
        "return String(performance.getEntriesByName(new URL('rtchat.json', location).href).length)";
    tab.until_script(loaded, &[], "1").await?;
    connections(&bridge, 0).await?;
    tab.type_on("#early input", "a").await?;
    connections(&bridge, 1).await?;
    tab.type_on("#early input", "nn").await?;
    site.release(true);
    tab.until("the program", |page| page.has("name")).await?;
    tab.type_into("name", "a").await?;
    silent(&bridge)?;
    tab.click("join").await?;
    ensure!(tab.joined().await?.own == "anna");
    connections(&bridge, 1).await?;

    // Somebody who has a name joins without being asked, and the way to the broker begins without the program.
    site.release(false);
    tab.go("about:blank").await?;
    bridge.reset();
    tab.go(site.url()).await?;
    connections(&bridge, 1).await?;
    silent(&bridge)?;
    site.release(true);
    ensure!(tab.joined().await?.own == "anna");
    connections(&bridge, 1).await?;
    ensure!(bridge.stats().silent == 0);

    // Somebody who came, found the program there and looks around, and then types.
    tab.script("localStorage.clear()", Vec::new()).await?;
    tab.go("about:blank").await?;
    bridge.reset();
    tab.go(site.url()).await?;
    tab.until("the program", |page| page.has("name")).await?;
    connections(&bridge, 0).await?;
    tab.type_into("name", "b").await?;
    connections(&bridge, 1).await?;
    tab.type_into("name", "en").await?;
    silent(&bridge)?;
    tab.click("join").await?;
    ensure!(tab.joined().await?.own == "ben");
    connections(&bridge, 1).await?;

    // A broker that has closed the connection in the meantime is connected to again.
    tab.script("localStorage.clear()", Vec::new()).await?;
    tab.go("about:blank").await?;
    bridge.reset();
    tab.go(site.url()).await?;
    tab.until("the program", |page| page.has("name")).await?;
    tab.type_into("name", "cleo").await?;
    connections(&bridge, 1).await?;
    bridge.cut().await?;
    bridge.mend().await?;
    tab.click("join").await?;
    ensure!(tab.joined().await?.own == "cleo");
    connections(&bridge, 2).await?;
    tab.close().await
}

#[test]
fn the_way_to_the_broker_begins_when_somebody_types_or_has_a_name_and_in_silence() {
    run(|bed| async move {
        journey(&bed.chromium().await?).await?;
        journey(&bed.firefox().await?).await?;
        bed.no_errors().await
    });
}

/// The browser's sockets are watched, because what must not happen is a connection to a public broker.
#[test]
fn settings_that_the_program_refuses_open_no_connection_to_any_broker() {
    run(|bed| async move {
        let watch = "globalThis.opened = [];
            globalThis.WebSocket = class extends WebSocket {
                constructor(url) { opened.push(url); throw new Error(url); }
            };";
        let local = "ws://127.0.0.1:9/mqtt";
        for refused in [
            json!([]),
            json!({ "Brokers": [local] }),
            json!({ "brokers": null }),
            json!({ "brokers": [] }),
            json!({ "brokers": local }),
            json!({ "brokers": ["http://127.0.0.1:9"] }),
        ] {
            let site = HeldSite::without_program(refused.clone()).await?;
            let tab = bed.chromium().await?.open("about:blank").await?;
            let source = json!({ "source": watch });
            tab.devtools("Page.addScriptToEvaluateOnNewDocument", source)
                .await?;
            tab.go(site.url()).await?;
            tab.type_on("#early input", "ann").await?;
            site.release(true);
            tab.until("that it stopped", |page| page.has("stopped"))
                .await?;
            let opened = tab.script("return opened", Vec::new()).await?;
            ensure!(opened == json!([]), "{refused}: {opened}");
        }
        Ok(())
    });
}
