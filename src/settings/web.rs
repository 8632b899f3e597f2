//! The browser adapter of this module: fetches `rtchat.json`, reads the page's address, prints warnings.

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit, Response};

use super::{AddressError, PageAddress, Settings, SettingsWarning};
use crate::browser::within;

/// The file with the site owner's settings, beside the page.
pub const FILE: &str = "rtchat.json";

/// The time limit for fetching the file, in milliseconds. After it, the page uses the defaults.
const PATIENCE: u32 = 5_000;

/// Fetches and reads the settings at `url` ([`FILE`] is relative to the page). Never fails: the defaults are used where
/// something is wrong, and the warnings say why. A missing file causes no warning.
pub async fn load(url: &str) -> (Settings, Vec<SettingsWarning>) {
    let text = match within(PATIENCE, fetch(url)).await {
        Some(Ok(Some(text))) => text,
        Some(Ok(None)) => return Default::default(),
        Some(Err(error)) => return not_loaded(describe(&error)),
        None => return not_loaded("the server did not answer in time".to_owned()),
    };
    Settings::parse(&text)
}

/// Returns the text of the file; `None` if there is no file.
async fn fetch(url: &str) -> Result<Option<String>, JsValue> {
    let init = RequestInit::new();
    // Changed settings apply on the next visit, at the cost of a short request.
    init.set_cache(RequestCache::NoCache);
    let window = web_sys::window().ok_or("there is no window")?;
    let response: Response = JsFuture::from(window.fetch_with_str_and_init(url, &init))
        .await?
        .dyn_into()?;
    match response.status() {
        404 | 410 => Ok(None),
        _ if response.ok() => Ok(JsFuture::from(response.text()?).await?.as_string()),
        status => Err(format!("the server answered {status}").into()),
    }
}

fn not_loaded(detail: String) -> (Settings, Vec<SettingsWarning>) {
    (
        Settings::default(),
        vec![SettingsWarning::NotLoaded { detail }],
    )
}

fn describe(error: &JsValue) -> String {
    let message = || Reflect::get(error, &"message".into()).ok()?.as_string();
    error
        .as_string()
        .or_else(message)
        .unwrap_or_else(|| "the request failed".to_owned())
}

/// Prints the warnings on the console, for the site's owner.
pub fn print(warnings: &[SettingsWarning]) {
    for warning in warnings {
        web_sys::console::warn_1(&warning.to_string().into());
    }
}

/// Reads the page's address.
///
/// # Errors
/// [`AddressError`], which is shown instead of a chat.
pub fn address() -> Result<PageAddress, AddressError> {
    PageAddress::parse(&href().ok_or(AddressError::NotAPage)?)
}

/// The page's address as it is, for [`room_link`](super::room_link).
pub fn href() -> Option<String> {
    web_sys::window()?.location().href().ok()
}
