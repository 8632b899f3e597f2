//! The texts about files beside messages.

use super::number;
use crate::room::{FileState, FileView, MAX_KEPT_FILE};

/// A number of bytes for people: `5 bytes`, `240 kB`, `1.2 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return if bytes == 1 {
            "1 byte".to_owned()
        } else {
            format!("{bytes} bytes")
        };
    }
    let (mut whole, mut unit) = (bytes, "");
    let mut tenths = 0;
    for next in UNITS {
        if !unit.is_empty() && whole < 1_000 {
            break;
        }
        unit = next;
        tenths = whole % 1_000 / 100;
        whole /= 1_000;
    }
    if whole < 10 && unit != "kB" {
        format!("{whole}.{tenths} {unit}")
    } else {
        let whole = usize::try_from(whole).unwrap_or(usize::MAX);
        format!("{} {unit}", number(whole))
    }
}

/// How much of a file has come, in percent.
pub fn percent(done: u64, size: u64) -> u64 {
    // An empty file is whole.
    done.saturating_mul(100).checked_div(size).unwrap_or(100)
}

/// The line about a file, under its name.
pub fn file(size: u64, view: &FileView) -> String {
    let whole = bytes(size);
    match &view.state {
        FileState::Transferring { done, per_second } => {
            let what = if view.here { "sending" } else { "fetching" };
            let part = format!("{} of {whole}", bytes(*done));
            let speed = format!("{}/s", bytes(*per_second));
            let left = size.saturating_sub(*done).checked_div(*per_second);
            let left = left.map_or_else(String::new, |left| format!(" · {} left", seconds(left)));
            format!("{what} · {part} · {speed}{left}")
        }
        FileState::Waiting => format!("{whole} · waiting for somebody who has it"),
        FileState::Failed(why) => why.clone(),
        FileState::Refused => format!("{whole} · not wanted"),
        FileState::Offered | FileState::Done if size > MAX_KEPT_FILE => {
            format!("{whole} · only while somebody who has it is here")
        }
        FileState::Offered | FileState::Done => whole,
    }
}

/// `12 s`, `3 min`, `2 h`.
fn seconds(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{} s", seconds.max(1)),
        100..6_000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (size, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 kB"),
            (240_500, "240 kB"),
            (999_999, "999 kB"),
            (1_250_000, "1.2 MB"),
            (48_000_000, "48 MB"),
            (3_100_000_000, "3.1 GB"),
            (9_007_199_254_740_992, "9,007 TB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn a_transfer_says_how_far_how_fast_and_how_long() {
        let view = |state, here| FileView { state, here };
        let coming = FileState::Transferring {
            done: 1_200_000,
            per_second: 800_000,
        };
        assert_eq!(
            file(3_400_000, &view(coming.clone(), false)),
            "fetching · 1.2 MB of 3.4 MB · 800 kB/s · 2 s left"
        );
        assert!(file(3_400_000, &view(coming, true)).starts_with("sending · "));
        let standing = FileState::Transferring {
            done: 5,
            per_second: 0,
        };
        assert_eq!(
            file(10, &view(standing, false)),
            "fetching · 5 bytes of 10 bytes · 0 bytes/s"
        );
        assert_eq!(
            file(9_000_000, &view(FileState::Offered, false)),
            "9.0 MB · only while somebody who has it is here"
        );
        assert_eq!(
            (percent(1, 3), percent(3, 3), percent(0, 0)),
            (33, 100, 100)
        );
    }
}
