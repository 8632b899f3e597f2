//! One tab, and the actions of a person in it.

use std::future::Future;
use std::panic::Location;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use thirtyfour::{WebDriver, WebElement, WindowHandle};
use tokio::time::{Instant, sleep};

use super::browsers::Browser;
use super::page::{Page, SCRIPT};

/// The limit for every wait. It is generous because machines that also compile are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// The interval between two checks of a page.
const LOOK: Duration = Duration::from_millis(30);

/// WebDriver's code for the Enter key.
const ENTER: &str = "\u{e007}";

/// The beginning of a script: `kept()` counts the records that the browser keeps for all tabs, or those in another database. A
/// database that is opened without a version is made if there is none, and the page's own one would find it. So it is looked
/// for first.
pub const KEPT: &str = "const kept = async (name = 'rtchat/1/history') => {
    const all = await indexedDB.databases();
    if (!all.some((its) => its.name === name)) return 0;
    const result = (request) => new Promise((done, failed) => {
        request.onsuccess = () => done(request.result);
        request.onerror = () => failed(request.error);
    });
    const database = await result(indexedDB.open(name));
    try {
        return await result(database.transaction('records').objectStore('records').count());
    } finally {
        database.close();
    }
};";

/// A tab of a browser.
#[derive(Clone, Debug)]
pub struct Tab {
    browser: Browser,
    window: WindowHandle,
}

impl Tab {
    pub(super) fn new(browser: Browser, window: WindowHandle) -> Tab {
        Tab { browser, window }
    }

    /// Opens an address in this tab.
    pub async fn go(&self, url: &str) -> Result<()> {
        self.within(async |driver| Ok(driver.goto(url).await?))
            .await
    }

    /// Switches to the page's first frame, until another address is opened or another tab of the same browser is used.
    pub async fn enter_frame(&self) -> Result<()> {
        self.within(async |driver| Ok(driver.enter_frame(0).await?))
            .await
    }

    /// Switches back to the page around the frame.
    pub async fn leave_frame(&self) -> Result<()> {
        self.within(async |driver| Ok(driver.enter_default_frame().await?))
            .await
    }

    /// Reloads the page.
    pub async fn reload(&self) -> Result<()> {
        self.within(async |driver| Ok(driver.refresh().await?))
            .await
    }

    /// Closes the tab.
    pub async fn close(self) -> Result<()> {
        self.browser.close(&self.window).await
    }

    /// Types a name, and waits until the tab is in the room.
    pub async fn join(&self, name: &str) -> Result<Page> {
        self.enter_name(name).await?;
        self.joined().await
    }

    /// Types a name and presses Enter without waiting for the result.
    pub async fn enter_name(&self, name: &str) -> Result<()> {
        self.until("the field for a name", |page| page.has("name"))
            .await?;
        self.type_into("name", &format!("{name}{}", ENTER)).await
    }

    /// Waits until the tab is in the room.
    #[track_caller]
    pub fn joined(&self) -> impl Future<Output = Result<Page>> {
        self.until("the room", |page| {
            !page.own.is_empty() && page.has("composer")
        })
    }

    /// Types a message and sends it with Enter.
    pub async fn say(&self, text: &str) -> Result<()> {
        self.type_into("composer", &format!("{text}{}", ENTER))
            .await
    }

    /// Pastes a message, which may be long, and sends it with Enter.
    pub async fn paste_and_send(&self, text: &str) -> Result<()> {
        let script = "const area = document.querySelector('[data-testid=composer]');
            area.value = arguments[0];
            area.dispatchEvent(new InputEvent('input', { bubbles: true }));";
        self.script(script, vec![text.into()]).await?;
        self.type_into("composer", ENTER).await
    }

    /// Waits until exactly these people are here and verified.
    #[track_caller]
    pub fn sees(&self, users: &[&str]) -> impl Future<Output = Result<Page>> {
        let what = format!("exactly {users:?} as verified");
        let users: Vec<String> = users.iter().map(|user| user.to_string()).collect();
        self.until(what, move |page| {
            let users: Vec<&str> = users.iter().map(String::as_str).collect();
            page.has_verified(&users)
        })
    }

    /// Waits until the tab shows this message of this sender.
    #[track_caller]
    pub fn hears(&self, sender: &str, text: &str) -> impl Future<Output = Result<Page>> {
        let what = format!("{sender}'s message");
        let (sender, text) = (sender.to_owned(), text.to_owned());
        self.until(what, move |page| page.has_message(&sender, &text))
    }

    /// Waits until the page meets a condition.
    #[track_caller]
    pub fn until(
        &self,
        what: impl Into<String>,
        is_there: impl Fn(&Page) -> bool,
    ) -> impl Future<Output = Result<Page>> {
        let (what, caller) = (what.into(), Location::caller());
        async move {
            let end = Instant::now() + PATIENCE;
            loop {
                // A page cannot be described while it is being replaced by another one.
                let page = self.page().await;
                match page {
                    Ok(page) if is_there(&page) => return Ok(page),
                    Ok(page) if Instant::now() > end => {
                        let seconds = PATIENCE.as_secs();
                        bail!(
                            "{caller}: the tab did not show {what} within {seconds} s, but: {page:#?}"
                        )
                    }
                    Err(error) if Instant::now() > end => {
                        return Err(error.context(format!(
                            "{caller}: while waiting for the tab to show {what}"
                        )));
                    }
                    _ => sleep(LOOK).await,
                }
            }
        }
    }

    /// Waits until a page that is not the chat shows this text.
    pub async fn shows(&self, text: &str) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let script = "return document.body?.innerText ?? ''";
        loop {
            let shown = self.script(script, Vec::new()).await;
            match shown {
                Ok(Value::String(shown)) if shown.contains(text) => return Ok(()),
                shown if Instant::now() > end => bail!("{text:?} was never shown, but {shown:?}"),
                _ => sleep(LOOK).await,
            }
        }
    }

    /// Waits until a script returns this text.
    #[track_caller]
    pub fn until_script(
        &self,
        script: &str,
        arguments: &[&str],
        text: &str,
    ) -> impl Future<Output = Result<()>> {
        let caller = Location::caller();
        async move {
            let end = Instant::now() + PATIENCE;
            let arguments: Vec<Value> = arguments.iter().map(|text| json!(text)).collect();
            loop {
                match self.script(script, arguments.clone()).await {
                    Ok(Value::String(found)) if found == text => return Ok(()),
                    found if Instant::now() > end => {
                        bail!("{caller}: {arguments:?} never gave {text:?}, but {found:?}")
                    }
                    _ => sleep(LOOK).await,
                }
            }
        }
    }

    /// Describes the current content of the tab.
    pub async fn page(&self) -> Result<Page> {
        let page = self.script(SCRIPT, Vec::new()).await?;
        serde_json::from_value(page).context("the page cannot be described")
    }

    /// Clicks on the element with this test id.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.click_on(&by_test_id(id)).await
    }

    /// Clicks on the element that this selector finds, once it is visible.
    pub async fn click_on(&self, selector: &str) -> Result<()> {
        let is_visible = format!("{FIND}?.checkVisibility({{ visibilityProperty: true }})");
        self.until_true(&is_visible, vec![selector.into()]).await?;
        self.within(async |driver| Ok(find(driver, selector).await?.click().await?))
            .await
    }

    /// Clicks twice, as fast as a person does, on the element with this test id.
    pub async fn double_click(&self, id: &str) -> Result<()> {
        let selector = by_test_id(id);
        self.within(async |driver| {
            let element = find(driver, &selector).await?;
            let chain = driver.action_chain().double_click_element(&element);
            Ok(chain.perform().await?)
        })
        .await
    }

    /// Waits until a click on the element with this test id does something, and clicks.
    pub async fn click_settled(&self, id: &str) -> Result<()> {
        let selector = by_test_id(id);
        let settled = "return getComputedStyle(document.querySelector(arguments[0])).pointerEvents !== 'none'";
        self.until_true(settled, vec![selector.into()]).await?;
        self.click(id).await
    }

    /// Waits until a script returns true.
    pub async fn until_true(&self, script: &str, arguments: Vec<Value>) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.script(script, arguments.clone()).await {
                Ok(Value::Bool(true)) => return Ok(()),
                other if Instant::now() > end => {
                    bail!("{script} never returned true, but {other:?}")
                }
                _ => sleep(LOOK).await,
            }
        }
    }

    /// Gives the tab this width in pixels. Chromium only.
    pub async fn set_width(&self, width: u32) -> Result<()> {
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await?;
        self.until_true("return innerWidth === arguments[0]", vec![width.into()])
            .await
    }

    /// Types into the element with this test id.
    pub async fn type_into(&self, id: &str, text: &str) -> Result<()> {
        self.type_on(&by_test_id(id), text).await
    }

    /// Types into the element that this selector finds.
    pub async fn type_on(&self, selector: &str, text: &str) -> Result<()> {
        self.within(async |driver| Ok(find(driver, selector).await?.send_keys(text).await?))
            .await
    }

    /// Presses a key, and does not let it go.
    pub async fn hold(&self, key: char) -> Result<()> {
        self.within(async |driver| Ok(driver.action_chain().key_down(key).perform().await?))
            .await
    }

    /// Lets a key go that is held.
    pub async fn let_go(&self, key: char) -> Result<()> {
        self.within(async |driver| Ok(driver.action_chain().key_up(key).perform().await?))
            .await
    }

    /// Runs a script in the page.
    pub async fn script(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.within(async |driver| {
            let answer = driver.execute(script, arguments).await?;
            Ok(answer.json().clone())
        })
        .await
    }

    /// Sends a command to Chromium's developer tools.
    pub async fn devtools(&self, method: &'static str, arguments: Value) -> Result<()> {
        self.within(async |driver| {
            driver.cdp().send_raw(method, arguments).await?;
            Ok(())
        })
        .await
    }

    /// Writes a screenshot of the tab to a file.
    pub async fn screenshot(&self, file: &Path) -> Result<()> {
        self.within(async |driver| Ok(driver.screenshot(file).await?))
            .await
    }

    /// The numbers of event listeners and nodes of the page after a garbage collection. Chromium only.
    pub async fn counts(&self) -> Result<(u64, u64)> {
        self.within(async |driver| {
            let devtools = driver.cdp();
            devtools.performance().enable().await?;
            // Objects that are only freed after others take more than one round.
            for _ in 0..3 {
                devtools
                    .send_raw("HeapProfiler.collectGarbage", json!({}))
                    .await?;
            }
            let metrics = devtools.performance().get_metrics().await?;
            let count = |name| metrics.iter().find(|metric| metric.name == name);
            let count = |name| count(name).map_or(0, |metric| metric.value as u64);
            Ok((count("JSEventListeners"), count("Nodes")))
        })
        .await
    }

    /// Records all changes of the list of people from now on.
    pub async fn watch(&self) -> Result<()> {
        self.script(include_str!("watch.js"), Vec::new()).await?;
        Ok(())
    }

    /// The recorded changes: the time, and the people at that time as in `ann verified, ben connecting`.
    pub async fn watched(&self) -> Result<Vec<(u64, String)>> {
        let script = "return window.watched.map(({ at, people }) => [at, people])";
        let recorded = self.script(script, Vec::new()).await?;
        Ok(serde_json::from_value(recorded)?)
    }

    /// The visible text of the tab, and a screenshot in a file.
    pub(super) async fn evidence(&self, file: &Path) -> Result<String> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.within(async |driver| Ok(driver.screenshot(file).await?))
            .await?;
        let script = "return `${location.href}\n${document.body?.innerText}`";
        let text = self.script(script, Vec::new()).await?;
        let text = text.as_str().unwrap_or_default().replace('\n', "\n  | ");
        Ok(format!("  {text}\n  screenshot: {}", file.display()))
    }

    async fn within<T>(&self, command: impl AsyncFnOnce(&WebDriver) -> Result<T>) -> Result<T> {
        self.browser.within(&self.window, command).await
    }
}

/// Finds an element in the page, or in the chat that is a part of the page.
const FIND: &str = "return (document.querySelector('rt-chat')?.shadowRoot ?? document).querySelector(arguments[0])";

async fn find(driver: &WebDriver, selector: &str) -> Result<WebElement> {
    let found = driver.execute(FIND, vec![selector.into()]).await?;
    found
        .element()
        .with_context(|| format!("there is no {selector}"))
}

fn by_test_id(id: &str) -> String {
    format!("[data-testid={id}]")
}
