//! The browser adapter of this module: fetches `rtchat.json`, reads the page's address, prints warnings.

use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit, Response, Url};

use super::{AddressError, PageAddress, Settings, SettingsError, SettingsWarning};
use crate::browser::{sleep, within};

/// The file with the site owner's settings, beside the page.
pub const FILE: &str = "rtchat.json";

/// The time limit for fetching the file, in milliseconds.
const PATIENCE: u32 = 5_000;

/// The pauses before a file that cannot be read is fetched again, in milliseconds: a server that is being restarted, or
/// a file that is being replaced, is sound again soon.
const PAUSES: [u32; 2] = [500, 2_000];

/// The settings that were read, and warnings about those that are ignored.
pub type Loaded = (Result<Settings, SettingsError>, Vec<SettingsWarning>);

/// Fetches and reads the settings at `url` ([`FILE`] is relative to the page). Only a missing file means the defaults.
/// `begun` is the promise of a first request that was sent before.
pub async fn load(url: &str, begun: Option<Promise>) -> Loaded {
    let mut loaded = load_once(begun.unwrap_or_else(|| request(url))).await;
    for pause in PAUSES {
        let may_pass = matches!(
            loaded.0,
            Err(SettingsError::NotLoaded { .. }
                | SettingsError::NotUtf8
                | SettingsError::NotJson { .. })
        );
        if !may_pass {
            break;
        }
        sleep(pause).await;
        loaded = load_once(request(url)).await;
    }
    loaded
}

async fn load_once(request: Promise) -> Loaded {
    let not_loaded = |detail: String| (Err(SettingsError::NotLoaded { detail }), Vec::new());
    match within(PATIENCE, read(request)).await {
        Some(Ok(Some(bytes))) => match String::from_utf8(bytes) {
            Ok(text) => Settings::parse(&text),
            Err(_) => (Err(SettingsError::NotUtf8), Vec::new()),
        },
        Some(Ok(None)) => (Ok(Settings::default()), Vec::new()),
        Some(Err(error)) => not_loaded(describe(&error)),
        None => not_loaded("the server did not answer in time".to_owned()),
    }
}

fn request(url: &str) -> Promise {
    let init = RequestInit::new();
    // Changed settings apply on the next visit, at the cost of a short request.
    init.set_cache(RequestCache::NoCache);
    match (web_sys::window(), without_password(url)) {
        (Some(window), Ok(url)) => window.fetch_with_str_and_init(&url, &init),
        (None, _) => Promise::reject(&"there is no window".into()),
        (_, Err(error)) => Promise::reject(&error),
    }
}

/// Nobody may fetch an address with a name and a password in it, as a relative one has where the page's address has them.
fn without_password(url: &str) -> Result<String, JsValue> {
    let url = Url::new_with_base(url, &href().unwrap_or_default())?;
    url.set_username("");
    url.set_password("");
    Ok(url.href())
}

/// Returns the bytes of the file; `None` if there is no file.
async fn read(request: Promise) -> Result<Option<Vec<u8>>, JsValue> {
    let response: Response = JsFuture::from(request).await?.dyn_into()?;
    match response.status() {
        404 | 410 => Ok(None),
        _ if response.ok() => {
            let buffer = JsFuture::from(response.array_buffer()?).await?;
            Ok(Some(Uint8Array::new(&buffer).to_vec()))
        }
        status => Err(format!("the server answered {status}").into()),
    }
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
