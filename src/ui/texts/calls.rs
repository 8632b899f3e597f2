//! Words about calls.

use crate::room::{CallLine, CallNote};

/// What a button of calls does, where it would be pressed in vain for now: nobody is there, or not the person whom it would
/// call.
pub fn alone(what: &str, missing: Option<&str>) -> String {
    match missing {
        Some(user) => format!("{what}: {user} is not here now, and can join later"),
        None => format!("{what}: nobody else is here yet, but whoever comes can join"),
    }
}

/// The same of the button that shows a camera.
pub const SHARE_ALONE: &str =
    "Show your camera: nobody else is here yet, but whoever comes can watch";

/// What an empty room says of its buttons for calls.
pub const EMPTY: &str = "Calls work here, too: begin one above, and whoever comes can join it.";

/// A line about a call.
pub fn called(note: &CallNote) -> String {
    let user = note.user.as_deref().unwrap_or("somebody");
    match note.what {
        CallLine::Missed => format!("Missed call from {user}"),
        CallLine::NotAnswered => "Nobody answered the call".to_owned(),
        CallLine::Declined => "The call was declined".to_owned(),
        CallLine::Unable => "They cannot take calls here".to_owned(),
        CallLine::Ended(seconds) => format!("The call ended after {}", lasted(seconds)),
    }
}

/// A length of time, as people say it.
fn lasted(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 1) => "1 second".to_owned(),
        (0, 0, seconds) => format!("{seconds} seconds"),
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
