//! Browsers. Scenarios use them one after the other, because starting one takes a second or more.

use std::fmt::{self, Write};
use std::ops::AsyncFnOnce;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use thirtyfour::{WebDriver, WindowHandle};
use tokio::sync::Mutex;
use xtask::testbed;

use super::tab::Tab;

/// The kind of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Chromium,
    Firefox,
}

/// A browser that one scenario uses.
#[derive(Clone, Debug)]
pub struct Browser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    browser: testbed::Browser,
    /// `None` if no other scenario may use it.
    kind: Option<Kind>,
    /// An empty tab, so that the browser stays when the last other tab is closed.
    home: WindowHandle,
    /// The tab that commands go to. It is locked during a command, because a driver has one current tab.
    current: Mutex<Option<WindowHandle>>,
}

/// A flag that blocks all other hosts. Without it, a page with damaged settings would try public brokers.
const NO_WORLD: &str = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";

/// A path where no site has a page.
pub const NOWHERE: &str = "nothing-here";

/// Browsers that no scenario uses at the moment.
static IDLE: Mutex<Vec<Browser>> = Mutex::const_new(Vec::new());

impl Browser {
    /// Takes an idle browser, or starts a new one.
    pub(super) async fn take(kind: Kind) -> Result<Browser> {
        let mut idle = IDLE.lock().await;
        let free = idle.iter().position(|browser| browser.0.kind == Some(kind));
        let found = free.map(|at| idle.swap_remove(at));
        drop(idle);
        match found {
            Some(browser) => Ok(browser),
            None => Browser::start(kind).await,
        }
    }

    async fn start(kind: Kind) -> Result<Browser> {
        let browser = match kind {
            Kind::Chromium => testbed::Browser::chromium_with(&[NO_WORLD]).await?,
            Kind::Firefox => testbed::Browser::firefox().await?,
        };
        // The browser is ended with the process, because idle browsers in a static are never dropped.
        testbed::end_at_exit(browser.profile());
        Browser::new(browser, Some(kind)).await
    }

    /// A browser that no other scenario uses.
    pub(super) async fn own(browser: testbed::Browser) -> Result<Browser> {
        Browser::new(browser, None).await
    }

    async fn new(browser: testbed::Browser, kind: Option<Kind>) -> Result<Browser> {
        // Wide enough for the people beside the conversation.
        browser.set_window_rect(0, 0, 1200, 900).await?;
        Ok(Browser(Arc::new(Inner {
            home: browser.window().await?,
            current: Mutex::default(),
            browser,
            kind,
        })))
    }

    /// Closes its tabs and lets other scenarios use it.
    pub(super) async fn give_back(self) -> Result<()> {
        for window in self.windows().await? {
            self.close(&window).await?;
        }
        // Discard what the closing pages wrote to the console.
        self.console().await?;
        if self.0.kind.is_some() {
            IDLE.lock().await.push(self);
        }
        Ok(())
    }

    /// Opens a new tab.
    pub async fn open(&self, url: &str) -> Result<Tab> {
        let home = self.0.home.clone();
        let window = self
            .within(&home, async |driver| Ok(driver.new_tab().await?))
            .await?;
        let tab = Tab::new(self.clone(), window);
        tab.go(url).await?;
        Ok(tab)
    }

    /// All tabs, including those that were not opened with [`open`](Self::open) but, for example, by the page itself.
    pub async fn tabs(&self) -> Result<Vec<Tab>> {
        let windows = self.windows().await?.into_iter();
        Ok(windows
            .map(|window| Tab::new(self.clone(), window))
            .collect())
    }

    async fn windows(&self) -> Result<Vec<WindowHandle>> {
        let mut windows = self.0.browser.windows().await?;
        windows.retain(|window| *window != self.0.home);
        Ok(windows)
    }

    /// Closes a tab as a person does, so that the page can run its handlers.
    pub(super) async fn close(&self, window: &WindowHandle) -> Result<()> {
        self.within(window, async |driver| Ok(driver.close_window().await?))
            .await?;
        *self.0.current.lock().await = None;
        Ok(())
    }

    /// Runs commands in one tab.
    pub(super) async fn within<T>(
        &self,
        window: &WindowHandle,
        command: impl AsyncFnOnce(&WebDriver) -> Result<T>,
    ) -> Result<T> {
        let mut current = self.0.current.lock().await;
        if current.as_ref() != Some(window) {
            *current = None;
            self.0.browser.switch_to_window(window.clone()).await?;
            *current = Some(window.clone());
        }
        command(&self.0.browser).await
    }

    /// Errors in any of its tabs since the last call, printed by the page or reported by the browser.
    pub async fn errors(&self) -> Result<Vec<String>> {
        let mut lines = self.console().await?;
        // Scenarios visit a missing page on purpose, and browsers request an icon.
        let ours = |line: &String| !line.contains(NOWHERE) && !line.contains("favicon.ico");
        lines.retain(|line| line.starts_with("SEVERE") && ours(line));
        Ok(lines)
    }

    /// Lines written to the console since the last call. Firefox's driver does not report them.
    pub async fn console(&self) -> Result<Vec<String>> {
        if self.0.kind != Some(Kind::Chromium) {
            return Ok(Vec::new());
        }
        let lines = self.0.browser.console().await;
        lines.context("the console cannot be read")
    }

    /// The content of every tab, with a screenshot of each.
    pub(super) async fn evidence(&self, files: &Path) -> Result<String> {
        let mut report = String::new();
        for (number, tab) in (1..).zip(self.tabs().await?) {
            let file = files.with_extension(format!("{number}.png"));
            let _ = writeln!(report, "tab {number}:\n{}", tab.evidence(&file).await?);
        }
        for line in self.console().await? {
            let _ = writeln!(report, "console: {line}");
        }
        Ok(report)
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0.kind {
            Some(Kind::Chromium) => "Chromium",
            Some(Kind::Firefox) => "Firefox",
            None => "the scenario's own",
        };
        formatter.write_str(name)
    }
}
