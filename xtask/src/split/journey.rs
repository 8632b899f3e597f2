//! What people do until the first messages are said, in programs whose functions tell that they are called.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::Value;

use crate::testbed::{Browser, Site};

/// How often something is waited for, and the time between two looks.
const PATIENCE: u32 = 300;
const LOOK: Duration = Duration::from_millis(100);

/// Finds elements, also in the bubble.
const ALL: &str = "const roots = [document, ...[...document.querySelectorAll('rt-chat')].map((it) => it.shadowRoot).filter(Boolean)];
    const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);";

/// The numbers of functions that were called.
type Called = HashSet<u64>;

/// Two people who have met.
const VERIFIED: &str = "[data-testid=peer][data-state=verified]";

/// A page of somebody else with the chat as a bubble.
const HOST: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Host</title><h1>Host</h1>\
    <script src=\"rtchat.js?add\" async></script>";

/// A page with a program that uses the module.
const MODULE: &str = "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Program</title><script type=\"module\">\
    import { MQTTRTCClient } from \"./mqtt-rtc.js\"; window.Client = MQTTRTCClient;</script>";

/// Writes the pages besides that of the chat.
pub fn write_pages(folder: &Path) -> Result<()> {
    std::fs::write(folder.join("host.html"), HOST)?;
    Ok(std::fs::write(folder.join("module.html"), MODULE)?)
}

/// Two people meet on the page, talk, come back and leave.
pub async fn on_the_page(
    ann: &Browser,
    ben: &Browser,
    site: &Site,
    called: &mut Called,
) -> Result<()> {
    for (browser, name) in [(ann, "ann"), (ben, "ben")] {
        browser.goto(site.url()).await?;
        // The program rehearses a meeting while somebody thinks about a name.
        rest(browser).await?;
        write(browser, "name", name).await?;
        press(browser, "join").await?;
        until(
            browser,
            "[data-testid=status][data-state=looking], [data-testid=peer]",
        )
        .await?;
    }
    talk(ann, ben, called).await?;
    // Whoever has a name joins at once.
    for (browser, other) in [(ben, ann), (ann, ben)] {
        leave(browser, called).await?;
        browser.goto(site.url()).await?;
        for each in [browser, other] {
            until(each, VERIFIED).await?;
        }
    }
    talk(ben, ann, called).await?;
    for browser in [ben, ann] {
        leave(browser, called).await?;
    }
    Ok(())
}

/// Two people meet who have the page open already.
pub async fn in_a_second_tab(
    ann: &Browser,
    ben: &Browser,
    site: &Site,
    called: &mut Called,
) -> Result<()> {
    for browser in [ann, ben] {
        browser.goto(site.url()).await?;
    }
    for browser in [ann, ben] {
        until(browser, VERIFIED).await?;
        collect(browser, called).await?;
        open_tab(browser).await?;
        browser.goto(site.url()).await?;
        until(browser, VERIFIED).await?;
    }
    talk(ann, ben, called).await
}

/// Opens another tab, in which everything happens from then on.
async fn open_tab(browser: &Browser) -> Result<()> {
    let tab = browser.new_tab().await?;
    Ok(browser.switch_to_window(tab).await?)
}

/// Two people meet in the panel of a bubble.
pub async fn in_a_panel(
    ann: &Browser,
    ben: &Browser,
    site: &Site,
    called: &mut Called,
) -> Result<()> {
    for browser in [ann, ben] {
        open_tab(browser).await?;
        browser.goto(format!("{}host.html", site.url())).await?;
        until(browser, "[data-testid=launcher]").await?;
        press(browser, "launcher").await?;
    }
    talk(ann, ben, called).await?;
    for browser in [ann, ben] {
        leave(browser, called).await?;
    }
    Ok(())
}

/// Two programs meet, and talk.
pub async fn in_programs(
    ann: &Browser,
    ben: &Browser,
    site: &Site,
    called: &mut Called,
) -> Result<()> {
    for (browser, name) in [(ann, "ann"), (ben, "ben")] {
        open_tab(browser).await?;
        browser.goto(format!("{}module.html", site.url())).await?;
        wait(browser, "return 'Client' in window").await?;
        let script = "window.heard = 0; window.client = new Client({ name: arguments[0] });
            for (const event of ['chat', 'dm', 'data', 'message']) client.on(event, () => { window.heard += 1 });
            client.on('question', () => 'yes'); client.connect().catch(() => {})";
        browser.execute(script, vec![name.into()]).await?;
    }
    let verified = "return client.peers.length > 0";
    for browser in [ann, ben] {
        wait(browser, verified).await?;
    }
    for browser in [ann, ben] {
        let say = "client.chat('hello'); client.send({ a: 1 }).catch(() => {})";
        browser.execute(say, Vec::new()).await?;
    }
    for browser in [ann, ben] {
        wait(browser, "return heard > 0").await?;
    }
    for browser in [ann, ben] {
        browser.execute("client.disconnect()", Vec::new()).await?;
        collect(browser, called).await?;
    }
    Ok(())
}

/// Two who have joined see each other, and each says something.
async fn talk(ann: &Browser, ben: &Browser, called: &mut Called) -> Result<()> {
    for browser in [ann, ben] {
        until(browser, VERIFIED).await?;
    }
    for (browser, other) in [(ann, ben), (ben, ann)] {
        let before = wait(
            other,
            &format!("{ALL} return [all('[data-testid=message]').length]"),
        )
        .await?;
        let before = before[0].as_u64().unwrap_or_default();
        write(
            browser,
            "composer",
            "Hello **you**, see https://example.org :)\u{e007}",
        )
        .await?;
        wait(
            other,
            &format!("{ALL} return all('[data-testid=message]').length > {before}"),
        )
        .await?;
        until(browser, "[data-testid=message][data-state=delivered]").await?;
    }
    for browser in [ann, ben] {
        rest(browser).await?;
        collect(browser, called).await?;
    }
    Ok(())
}

/// Waits until nothing is called that was not called before.
async fn rest(browser: &Browser) -> Result<()> {
    let script = "const known = window.rtchatKnown ?? [-1, 0];
        const count = rtchatCalled.size;
        window.rtchatKnown = [count, known[0] === count ? known[1] + 1 : 0];
        return window.rtchatKnown[1] > 20";
    wait(browser, script).await?;
    Ok(())
}

/// Does what a page does that is closed.
async fn leave(browser: &Browser, called: &mut Called) -> Result<()> {
    let script = "for (const event of ['beforeunload', 'pagehide']) dispatchEvent(new PageTransitionEvent(event))";
    browser.execute(script, Vec::new()).await?;
    collect(browser, called).await?;
    browser.goto("about:blank").await?;
    Ok(())
}

async fn collect(browser: &Browser, called: &mut Called) -> Result<()> {
    let numbers = browser
        .execute("return [...rtchatCalled]", Vec::new())
        .await?;
    let numbers: Vec<u64> = serde_json::from_value(numbers.json().clone())?;
    called.extend(numbers);
    Ok(())
}

async fn write(browser: &Browser, id: &str, text: &str) -> Result<()> {
    let find = format!("{ALL} return all('[data-testid={id}]')[0]");
    wait(
        browser,
        &format!("{ALL} return all('[data-testid={id}]').length > 0"),
    )
    .await?;
    let field = browser.execute(find, Vec::new()).await?.element()?;
    field.send_keys(text).await?;
    Ok(())
}

async fn press(browser: &Browser, id: &str) -> Result<()> {
    wait(
        browser,
        &format!("{ALL} const [it] = all('[data-testid={id}]'); it?.click(); return !!it"),
    )
    .await?;
    Ok(())
}

async fn until(browser: &Browser, selector: &str) -> Result<()> {
    wait(
        browser,
        &format!("{ALL} return all('{selector}').length > 0"),
    )
    .await?;
    Ok(())
}

/// Waits until a script returns something true, and returns that.
async fn wait(browser: &Browser, script: &str) -> Result<Value> {
    for _ in 0..PATIENCE {
        let found = browser.execute(script, Vec::new()).await;
        if let Ok(found) = &found
            && !matches!(found.json(), Value::Null | Value::Bool(false))
        {
            return Ok(found.json().clone());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("never true: {script}")
}
