//! Times in the reader's own format, by the browser's `Intl`. Creating a formatter is slow, so each is created only once.

use gloo_timers::callback::Timeout;
use js_sys::{Array, Date, Function, Intl};
use wasm_bindgen::JsValue;

use crate::browser::object;
use crate::time::Millis;

struct Formats {
    time: Function,
    day: Function,
    full: Function,
    short: Function,
    ago: Intl::RelativeTimeFormat,
}

thread_local! {
    static FORMATS: Formats = Formats {
        time: format(&[("timeStyle", "short".into())]),
        day: format(&[("weekday", "long".into()), ("day", "numeric".into()), ("month", "long".into())]),
        full: format(&[("dateStyle", "full".into()), ("timeStyle", "medium".into())]),
        short: format(&[("day", "numeric".into()), ("month", "short".into())]),
        ago: Intl::RelativeTimeFormat::new(&Array::new(), &object(&[("numeric", "auto".into()), ("style", "short".into())])),
    };
}

fn format(options: &[(&str, JsValue)]) -> Function {
    Intl::DateTimeFormat::new(&Array::new(), &object(options)).format()
}

/// Creates the formats as soon as nothing else is to be done. The first takes the browser as long as drawing a room, so that
/// a chat that is opened later is there sooner.
pub fn prepare() {
    Timeout::new(0, || FORMATS.with(|_| ())).forget();
}

/// Formats a moment; the text is empty if the moment is out of range.
fn apply(format: &Function, at: Millis) -> String {
    let moment = JsValue::from_f64(at.0 as f64);
    format
        .call1(&JsValue::UNDEFINED, &moment)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

/// The current time of this browser's clock.
pub fn now() -> Millis {
    Millis(Date::now() as u64)
}

/// `14:03`.
pub fn time(at: Millis) -> String {
    FORMATS.with(|formats| apply(&formats.time, at))
}

/// `Friday, 20 November`.
pub fn day(at: Millis) -> String {
    FORMATS.with(|formats| apply(&formats.day, at))
}

/// The full date and time.
pub fn full(at: Millis) -> String {
    FORMATS.with(|formats| apply(&formats.full, at))
}

/// `14:03` today, and `20 Nov` on any other day.
pub fn short(at: Millis) -> String {
    if local_day(at) == local_day(now()) {
        return time(at);
    }
    FORMATS.with(|formats| apply(&formats.short, at))
}

/// `now`, `5 min. ago`.
pub fn minutes_ago(minutes: u32) -> String {
    let (value, unit) = if minutes == 0 {
        (0.0, "second")
    } else {
        (-f64::from(minutes), "minute")
    };
    FORMATS.with(|formats| String::from(formats.ago.format(value, unit)))
}

/// The day in the reader's time zone, counted from 1970.
pub fn local_day(at: Millis) -> i32 {
    let millis = at.0 as f64;
    let offset = Date::new(&JsValue::from_f64(millis)).get_timezone_offset() * 60_000.0;
    ((millis - offset) / 86_400_000.0).floor() as i32
}
