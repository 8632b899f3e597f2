//! One Chromium with pages in windows, which record when something happened.
//!
//! Every page has a window of its own, since Chromium slows down pages in the background. All pages of one browser use the
//! same clock.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use thirtyfour::WindowHandle;
use tokio::sync::Mutex;

use super::{processor, script};
use crate::testbed::Browser;

/// The time limit for a script in a page.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(45);

/// The pause between measurements, after which closed windows are gone.
const PAUSE: Duration = Duration::from_millis(400);

/// The browser.
#[derive(Debug)]
pub struct Stage {
    browser: Browser,
    /// An empty window, so that the browser does not end when the last other window is closed.
    home: WindowHandle,
    opened: Mutex<Vec<WindowHandle>>,
}

/// A window with one page.
#[derive(Debug)]
pub struct Window<'a> {
    stage: &'a Stage,
    handle: WindowHandle,
}

/// The times at which a page joined and was connected.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    /// The time of joining, in milliseconds since the epoch.
    pub start: f64,
    /// The time of being connected, in milliseconds since the epoch.
    pub met: f64,
}

impl Stage {
    /// Starts the browser.
    pub async fn open() -> Result<Stage> {
        let browser = Browser::chromium().await?;
        browser.set_script_timeout(SCRIPT_TIMEOUT).await?;
        Ok(Stage {
            home: browser.window().await?,
            browser,
            opened: Mutex::default(),
        })
    }

    /// The name and version of the browser.
    pub async fn version(&self) -> Result<String> {
        let version = self.browser.cdp().browser().get_version().await?;
        Ok(version.product)
    }

    /// The milliseconds of processor time that the browser has taken.
    pub fn processor(&self) -> f64 {
        processor::millis(self.browser.driver_id())
    }

    /// Opens an empty window. The scripts run in every page that it shows, before the page's own.
    pub async fn window(&self, scripts: &[String]) -> Result<Window<'_>> {
        let mut opened = self.opened.lock().await;
        let handle = self.browser.new_window().await?;
        opened.push(handle.clone());
        let window = Window {
            stage: self,
            handle,
        };
        window.focus().await?;
        let watch = script("watch.js")?;
        for source in std::iter::once(&watch).chain(scripts) {
            let page = self.browser.cdp();
            let page = page.page();
            page.add_script_to_evaluate_on_new_document(source.as_str())
                .await?;
        }
        Ok(window)
    }

    /// Closes all windows.
    pub async fn clear(&self) -> Result<()> {
        for window in std::mem::take(&mut *self.opened.lock().await) {
            self.browser.switch_to_window(window).await?;
            self.browser.close_window().await?;
        }
        self.browser.switch_to_window(self.home.clone()).await?;
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

impl Window<'_> {
    async fn focus(&self) -> Result<()> {
        Ok(self
            .stage
            .browser
            .switch_to_window(self.handle.clone())
            .await?)
    }

    /// Opens an address.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.focus().await?;
        Ok(self.stage.browser.goto(url).await?)
    }

    /// Gives it this width and height.
    pub async fn resize(&self, [width, height]: [u32; 2]) -> Result<()> {
        self.focus().await?;
        let browser = &self.stage.browser;
        Ok(browser.set_window_rect(0, 0, width, height).await?)
    }

    /// Runs a script.
    pub async fn run(&self, script: &str) -> Result<()> {
        self.focus().await?;
        self.stage.browser.execute(script, vec![]).await?;
        Ok(())
    }

    /// The value of an expression, which may be a promise.
    pub async fn wait(&self, expression: &str) -> Result<Value> {
        self.focus().await?;
        let script = format!(
            "const done = arguments[arguments.length - 1];
            (async () => {expression})().then((value) => done({{ value }}), (error) => done({{ error: `${{error}}` }}));"
        );
        let result = self.stage.browser.execute_async(script, vec![]).await;
        let result = result.with_context(|| format!("waiting for {expression}"))?;
        match result.json().get("error") {
            Some(error) => Err(anyhow!("{expression} failed: {error}")),
            None => Ok(result.json()["value"].clone()),
        }
    }

    /// Returns when this page joined, and when it was connected to this number of others.
    pub async fn met(&self, others: usize) -> Result<Met> {
        let met = self.wait(&format!("bench.met({others})")).await?;
        let (start, met, visible): (_, _, bool) = serde_json::from_value(met)?;
        ensure!(
            visible,
            "a window is in the background, where Chromium slows it down"
        );
        Ok(Met { start, met })
    }
}
