//! Words about calls.

use crate::room::{CallLine, CallNote};

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
