//! A conversation that is too long to be drawn: its reader notices nothing of that.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use xtask::testbed::{Broker, Child, Site};
use xtask::{build, process};

use crate::support::{Tab, run};

/// The messages that the peer has: three pages.
const MESSAGES: u64 = 450;
/// More rows than these are never drawn, unless the conversation is printed.
const MOST_ROWS: u64 = 320;

/// What the scripts below share.
const LOG: &str = "const lines = document.querySelector('[data-testid=log]'), log = lines.closest('.log');
    const rows = [...document.querySelectorAll('[data-testid=message]')];
    const number = (row) => Number(/\\((\\d+)\\)$/.exec(row.querySelector('[data-testid=message-text]').innerText.trim())[1]);
    const seen = () => rows.filter((row) => {
        const [{ top, bottom }, view] = [row, log].map((it) => it.getBoundingClientRect());
        return bottom > view.top && top < view.bottom;
    });";

async fn in_log(tab: &Tab, script: &str, arguments: Vec<Value>) -> Result<Value> {
    tab.script(&format!("{LOG}{script}"), arguments).await
}

async fn until_in_log(tab: &Tab, script: &str) -> Result<()> {
    tab.until_true(&format!("{LOG}{script}"), Vec::new()).await
}

/// Starts a native peer that has a long conversation.
async fn archive(site: &Site, broker: &Broker) -> Result<(Child, tempfile::TempDir)> {
    let program = tokio::task::spawn_blocking(build::archive_program).await??;
    let folder = tempfile::tempdir()?;
    let broker = format!("mqtt://127.0.0.1:{}", broker.tcp_port());
    let mut command = Command::new(program);
    command.args([site.url(), &broker, "archive"]);
    command.arg(folder.path().join("identity.json"));
    command.arg(MESSAGES.to_string()).stdout(Stdio::piped());
    let mut program = Child::start(&mut command)?;
    if let Some(output) = program.take_stdout() {
        let ready = process::first_line(output, |line| line.contains("messages").then_some(()));
        tokio::task::spawn_blocking(move || ready.recv()).await??;
    }
    Ok((program, folder))
}

#[test]
fn a_long_conversation_is_read_from_its_end_to_its_beginning_and_nothing_jumps() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let _archive = archive(&site, &broker).await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(site.url()).await?;
            tab.join("ann").await?;
            until_in_log(&tab, "return Number(lines.dataset.lines) >= 150").await?;
            until_in_log(&tab, "return seen().some((row) => number(row) === 449)").await?;
            reads_up(&tab).await?;
            reads_down(&tab).await?;
            uses_keys(&tab).await?;
            prints(&tab).await?;
        }
        bed.no_errors().await
    });
}

/// Scrolls up in small steps. Whatever is drawn meanwhile, each step moves what is seen by as much, and not further.
async fn reads_up(tab: &Tab) -> Result<()> {
    let mut read = 449;
    for _ in 0..2_000 {
        // The row in the middle, and where it is before and after.
        let step = "const view = log.getBoundingClientRect();
            const row = seen()[Math.floor(seen().length / 2)];
            const [before, position] = [row.getBoundingClientRect().top, log.scrollTop];
            log.scrollTop -= 150;
            window.stepped = [row.dataset.id, before + position - log.scrollTop];
            return [number(seen()[0]), log.scrollTop, rows.length, Number(lines.dataset.lines)]";
        let [first, top, drawn, all]: [f64; 4] =
            serde_json::from_value(in_log(tab, step, Vec::new()).await?)?;
        ensure!(drawn <= MOST_ROWS as f64, "{drawn} rows are drawn");
        ensure!(first <= f64::from(read) + 1.0, "{first} comes after {read}");
        read = first as u32;
        // Frames in which other rows are drawn, and in which older messages come. An observer of intersections is told
        // where things are when they are painted.
        let stays = "return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
            const row = rows.find((row) => row.dataset.id === stepped[0]);
            new IntersectionObserver(([{ boundingClientRect }], observer) => {
                observer.disconnect();
                resolve(Math.abs(boundingClientRect.top - stepped[1]));
            }).observe(row);
        })))";
        let moved = in_log(tab, stays, Vec::new()).await?;
        let moved = moved.as_f64().unwrap_or(f64::INFINITY);
        ensure!(
            moved <= 1.0,
            "what was read moved by {moved} pixels, at {first}"
        );
        if top == 0.0 && first == 0.0 && all >= MESSAGES as f64 {
            return Ok(());
        }
    }
    anyhow::bail!("the beginning was never reached, but {read}")
}

/// Scrolls down, and sees every message once, in order.
async fn reads_down(tab: &Tab) -> Result<()> {
    let read = "const read = new Set();
        const done = arguments[arguments.length - 1];
        return (async () => {
            for (let steps = 0; steps < 3000; steps += 1) {
                for (const row of document.querySelectorAll('[data-testid=message]')) {
                    const [{ top, bottom }, view] = [row, log].map((it) => it.getBoundingClientRect());
                    if (bottom > view.top && top < view.bottom) {
                        read.add(number(row));
                    }
                }
                if (read.has(449)) {
                    break;
                }
                log.scrollTop += 200;
                await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            }
            const numbers = [...read];
            return [numbers.length, numbers.every((number, at) => number === at)];
        })()";
    let read = in_log(tab, read, Vec::new()).await?;
    ensure!(read == json!([MESSAGES, true]), "read: {read}");
    // The bar is dragged, and the key *Home* is pressed: what is there is drawn.
    for part in [0.5, 0.25, 0.0] {
        let drag = "log.scrollTop = log.scrollHeight * arguments[0]";
        in_log(tab, drag, vec![json!(part)]).await?;
        until_in_log(tab, "return seen().length > 4").await?;
    }
    until_in_log(tab, "return number(seen()[0]) === 0").await?;
    in_log(tab, "log.scrollTop = log.scrollHeight", Vec::new()).await?;
    // All of the last message, so that the arrow keys begin with it.
    until_in_log(
        tab,
        "const edge = log.getBoundingClientRect().bottom + 1;
        return seen().some((row) => number(row) === 449 && row.getBoundingClientRect().bottom <= edge)",
    )
    .await
}

/// Arrow keys go from message to message, and what has the focus is drawn and seen.
async fn uses_keys(tab: &Tab) -> Result<()> {
    in_log(tab, "log.focus()", Vec::new()).await?;
    let mut last = 450;
    for _ in 0..120 {
        tab.type_on(":focus", "\u{e013}").await?;
        let focused = "const row = document.activeElement.closest('[data-testid=message]');
            return [row ? number(row) : -1, seen().includes(row)]";
        let focused = in_log(tab, focused, Vec::new()).await?;
        let (number, seen): (i64, bool) = serde_json::from_value(focused)?;
        ensure!(number == last - 1 && seen, "{number} after {last}");
        last = number;
    }
    tab.type_on(":focus", "\u{e015}").await?;
    let down = in_log(tab, "return number(document.activeElement)", Vec::new());
    ensure!(down.await? == json!(last + 1));
    Ok(())
}

/// What is printed is the whole conversation.
async fn prints(tab: &Tab) -> Result<()> {
    tab.script("dispatchEvent(new Event('beforeprint'))", Vec::new())
        .await?;
    until_in_log(tab, "return rows.length === 450").await?;
    tab.script("dispatchEvent(new Event('afterprint'))", Vec::new())
        .await?;
    until_in_log(tab, "return rows.length < 320").await
}
