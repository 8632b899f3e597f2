//! The script for pictures, players and saving (`embed/media/`), which is loaded when it is first needed.

use js_sys::{Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, Element};

#[wasm_bindgen]
extern "C" {
    /// The script.
    #[derive(Clone)]
    pub type Media;
    #[wasm_bindgen(method, structural)]
    fn prepare(this: &Media, file: &Blob, original: bool) -> Promise;
    #[wasm_bindgen(method, structural)]
    fn show(this: &Media, blob: &Blob) -> Promise;
    #[wasm_bindgen(method, structural)]
    fn release(this: &Media, address: &str);
    /// Saves a file under this name.
    #[wasm_bindgen(method, structural)]
    pub fn save(this: &Media, blob: &Blob, name: &str);
    /// Shows a picture over everything. The focus returns to `opener`.
    #[wasm_bindgen(method, structural)]
    pub fn view(this: &Media, address: &str, name: &str, opener: &Element);
}

/// A file that is to be sent.
pub struct Prepared {
    /// Its bytes.
    pub blob: Blob,
    /// Its name.
    pub name: String,
    /// The size of a picture in pixels; zeros if it is none.
    pub width: u32,
    /// See `width`.
    pub height: u32,
    /// The columns of its preview, and the colours of the preview.
    pub preview: (u8, Vec<u8>),
    /// Whether it is a picture that is sent as it is.
    pub as_it_is: bool,
}

/// A received file that can be shown. Its address holds the bytes until this is dropped.
pub struct Showable {
    /// Its address.
    pub address: String,
    /// Whether it is a `picture`, `audio` or `video`.
    pub kind: String,
    media: Media,
}

impl Drop for Showable {
    fn drop(&mut self) {
        self.media.release(&self.address);
    }
}

/// Loads the script with the function that the page passed.
///
/// # Errors
/// A sentence, if it cannot be loaded.
pub async fn load(load: Option<Function>) -> Result<Media, String> {
    let sentence = || {
        "A part of the page that handles files could not be loaded. Try again, or reload the page."
            .to_owned()
    };
    let promise = load.and_then(|load| load.call0(&JsValue::UNDEFINED).ok());
    let promise = promise.map(Promise::from).ok_or_else(sentence)?;
    let module = JsFuture::from(promise).await.map_err(|_| sentence())?;
    Ok(module.unchecked_into())
}

fn field(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or_default()
}

fn number(object: &JsValue, name: &str) -> u32 {
    // The conversion saturates.
    field(object, name).as_f64().unwrap_or_default() as u32
}

fn text(object: &JsValue, name: &str) -> String {
    field(object, name).as_string().unwrap_or_default()
}

impl Media {
    /// Prepares a file to be sent: a picture is drawn anew, unless it is wanted as it is.
    ///
    /// # Errors
    /// A sentence.
    pub async fn prepared(&self, file: &Blob, original: bool) -> Result<Prepared, String> {
        let found = JsFuture::from(self.prepare(file, original)).await;
        let found = found.map_err(|error| text(&error, "message"))?;
        let colours = field(&found, "colours");
        let colours = colours
            .dyn_into()
            .map_or_else(|_| Vec::new(), |it: Uint8Array| it.to_vec());
        Ok(Prepared {
            blob: field(&found, "blob")
                .dyn_into()
                .unwrap_or_else(|_| file.clone()),
            name: text(&found, "name"),
            width: number(&found, "width"),
            height: number(&found, "height"),
            preview: (
                u8::try_from(number(&found, "columns")).unwrap_or_default(),
                colours,
            ),
            as_it_is: field(&found, "asItIs").is_truthy(),
        })
    }

    /// Returns how to show a received file; `None` if it is only to be saved.
    pub async fn showable(&self, blob: &Blob) -> Option<Showable> {
        let found = JsFuture::from(self.show(blob)).await.ok()?;
        found.is_object().then(|| Showable {
            address: text(&found, "address"),
            kind: text(&found, "kind"),
            media: self.clone(),
        })
    }
}
