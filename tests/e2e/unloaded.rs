//! A page that cannot work says why: it was opened as a file, or a part of it is missing.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use xtask::project;
use xtask::testbed::{dist, pages};

use crate::support::{Host, Tab, run, serve};

/// Returns the text that the page shows.
async fn notice(tab: &Tab) -> Result<String> {
    let page = tab.until("a notice", |page| page.has("unloaded")).await?;
    Ok(page.text("unloaded").to_owned())
}

#[test]
fn a_page_that_was_opened_as_a_file_says_what_to_do() {
    run(|bed| async move {
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            for folder in [dist(), project::root()] {
                let file = folder.join("index.html");
                let tab = browser.open(&format!("file://{}", file.display())).await?;
                let notice = notice(&tab).await?;
                ensure!(notice.contains("opened as a file"), "{notice}");
                ensure!(notice.contains("cargo xtask serve"), "{notice}");
                let only = "return [...document.body.children].map((child) => child.className || child.outerHTML).join()";
                let only = tab.script(only, Vec::new()).await?;
                ensure!(only == "rt-panic", "{only}");
            }
        }
        Ok(())
    });
}

/// The page, as many times with a link to a file that is gone, as from a cache that does not know of an update.
async fn outdated(file: &str, times: u32) -> Result<(String, Arc<AtomicU32>)> {
    let page = fs::read_to_string(dist().join("index.html"))?;
    ensure!(page.contains(file), "{file}");
    let old = page.replace(file, &format!("old-{file}"));
    let left = Arc::new(AtomicU32::new(times));
    let counted = left.clone();
    let index = get(move || async move {
        let take = |left: u32| left.checked_sub(1);
        let is_old = counted.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        Html(if is_old.is_ok() { old } else { page })
    });
    let settings = json!({ "brokers": ["ws://127.0.0.1:9"], "iceServers": [] });
    let routes = pages(&dist(), move |_| settings.clone()).route("/", index);
    // It is served until the process ends.
    Ok((serve(routes).await?.0, left))
}

#[test]
fn a_page_whose_files_are_gone_reloads_once_and_then_says_so() {
    run(|bed| async move {
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            for file in ["boot-", "app-", "style-"] {
                let (url, _) = outdated(file, 1).await?;
                let tab = browser.open(&url).await?;
                tab.until("the welcome", |page| page.has("name")).await?;
                tab.close().await?;
            }
            for file in ["boot-", "app-"] {
                const MANY: u32 = 1000;
                let (url, left) = outdated(file, MANY).await?;
                let tab = browser.open(&url).await?;
                let notice = notice(&tab).await?;
                ensure!(notice.contains("could not be loaded"), "{notice}");
                ensure!(left.load(Ordering::SeqCst) == MANY - 2);
                left.store(0, Ordering::SeqCst);
                tab.click_on("[data-testid=unloaded] button").await?;
                tab.until("the welcome", |page| page.has("name")).await?;
                tab.close().await?;
            }
        }
        Ok(())
    });
}

#[test]
fn a_page_whose_program_cannot_be_read_says_so() {
    run(|bed| async move {
        let host = Host::start().await?;
        let url = host.put("chat/", json!({}))?;
        let files = fs::read_dir(dist())?.flatten();
        let mut names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        let program = names.find(|name| name.starts_with("app-") && name.ends_with("_bg.wasm"));
        let program = program.context("there is no program")?;
        host.write_page(&format!("chat/{program}"), "nonsense")?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let tab = browser.open(&url).await?;
            let notice = notice(&tab).await?;
            ensure!(notice.contains("rtchat could not start"), "{notice}");
        }
        Ok(())
    });
}
