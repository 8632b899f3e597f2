//! The browsers of the test bed show pages, and leave no processes behind. Part of `cargo xtask test e2e`.
#![allow(clippy::disallowed_methods)] // Only the core must not read clocks.

use std::time::{Duration, Instant};

use serde_json::json;
use xtask::testbed::{Browser, Site};

/// The number of processes with this text in their command line.
#[cfg(target_os = "linux")]
fn running(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(mark)).count()
}

async fn shows_a_page_and_ends(browser: Browser) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<title>Here</title>").unwrap();
    let site = Site::start(folder.path(), json!({})).await.unwrap();
    browser.goto(site.url()).await.unwrap();
    assert_eq!(browser.title().await.unwrap(), "Here");
    let profile = browser.profile().display().to_string();
    assert!(running(&profile) > 1);
    drop(browser);
    let start = Instant::now();
    while running(&profile) > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "it still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn chromium_starts_and_leaves_nothing_behind() {
    let browser = Browser::chromium().await.unwrap();
    browser
        .execute("console.error('noted')", vec![])
        .await
        .unwrap();
    assert!(
        browser
            .console()
            .await
            .unwrap()
            .iter()
            .any(|line| line.contains("noted"))
    );
    shows_a_page_and_ends(browser).await;
}

#[tokio::test]
async fn firefox_starts_and_leaves_nothing_behind() {
    shows_a_page_and_ends(Browser::firefox().await.unwrap()).await;
}
