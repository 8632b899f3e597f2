//! The texts about the room as a whole: its status, why it is empty, and who can join.

use super::{names, people};
use crate::room::Status;
use crate::settings::Accept;
use crate::time::Millis;
use crate::ui::state::Emptiness;

/// The status while no broker answers.
pub const UNREACHABLE: &str = "Can’t reach the server that introduces people.";

/// The status while no broker can be used, because it refuses the room's topics.
pub const REFUSED: &str = "The server that introduces people does not allow this chat. \
    Whoever runs this site can change that.";

/// The sentence that says what helps where two networks let no direct connection through.
pub const NO_PATH: &str = "This network or theirs does not allow one. Another network may help; so does a TURN server, \
    which whoever runs this site can add.";

/// The status line. `named` are the people whom it is about: those who are reconnecting, or who cannot be reached.
pub fn status(status: Status, named: &[&str], now: Millis) -> String {
    match status {
        Status::Joining => "Joining …".into(),
        Status::Looking => "Looking for others …".into(),
        Status::Connected {
            people: all,
            reconnecting: silent,
        } => {
            let reached = all.saturating_sub(silent) as usize;
            let mut text = String::new();
            if reached > 0 {
                // The count includes the person at this browser, like the list of people.
                text = format!("{}, connected directly", people(reached + 1));
            }
            if silent > 0 {
                if reached > 0 {
                    text.push_str(". ");
                }
                let one = silent == 1;
                text.push_str(&named_or(named, silent));
                text.push_str(if one {
                    " is reconnecting …"
                } else {
                    " are reconnecting …"
                });
            }
            text
        }
        Status::NoPath {
            people: reached,
            unreached,
        } => {
            let whom = named_or(named, unreached);
            match reached {
                0 => format!("No direct connection to {whom}. {NO_PATH}"),
                // The person's details say what helps.
                reached => format!(
                    "{}, connected directly. No direct connection to {whom}.",
                    people(reached as usize + 1)
                ),
            }
        }
        Status::Unreachable {
            people: reached,
            retry_at,
        }
        | Status::Refused {
            people: reached,
            retry_at,
        } => {
            let what = match status {
                Status::Refused { .. } => REFUSED,
                _ => UNREACHABLE,
            };
            let left = seconds_until(retry_at, now);
            let when = if left == 0 {
                "Trying again now.".into()
            } else {
                format!("Trying again in {left} s.")
            };
            let kept = if reached > 0 {
                " People here stay connected."
            } else {
                ""
            };
            format!("{what} {when}{kept}")
        }
        // Nobody can check this: whoever says so has no place for us.
        Status::Full { people: 0 } => {
            "Looking for others … Somebody here says that the room is full.".into()
        }
        Status::Full { people: reached } => {
            format!(
                "This room is full: {} are connected, and a browser can connect to no more.",
                people(reached as usize + 1)
            )
        }
        Status::Left => "You left the room.".into(),
    }
}

/// These names, or how many people they are if nobody is named.
fn named_or(named: &[&str], count: u32) -> String {
    match named {
        [] => people(count as usize),
        some => names(some.iter().copied()),
    }
}

/// The seconds from `now` until `at`, rounded up.
pub fn seconds_until(at: Millis, now: Millis) -> u64 {
    at.0.saturating_sub(now.0).div_ceil(1_000)
}

/// The status as one word, for tests, style sheets and events.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Joining => "joining",
        Status::Looking => "looking",
        Status::Connected {
            reconnecting: 0, ..
        } => "connected",
        Status::Connected { .. } => "reconnecting",
        Status::NoPath { .. } => "no-path",
        Status::Unreachable { .. } => "unreachable",
        Status::Refused { .. } => "refused",
        Status::Full { .. } => "full",
        Status::Left => "left",
    }
}

/// The heading in an empty room.
pub fn emptiness(why: Emptiness) -> &'static str {
    match why {
        Emptiness::Asked => "Somebody would like to talk to you",
        Emptiness::Joining => "Looking for others …",
        Emptiness::Offline => "Nobody can be found at the moment",
        Emptiness::Alone => "Nobody else is here yet",
    }
}

/// Explains an empty room, where its link is not all that there is to say.
pub fn emptiness_sentence(why: Emptiness, accept: Accept) -> Option<&'static str> {
    match (why, accept) {
        (Emptiness::Asked, _) => {
            Some("Answer above. The conversation begins once both of you have agreed.")
        }
        (Emptiness::Offline, _) => Some(
            "The server that introduces people does not answer. People appear here once it does.",
        ),
        (Emptiness::Joining | Emptiness::Alone, Accept::Everyone) => None,
        (Emptiness::Joining | Emptiness::Alone, Accept::Ask) => Some(
            "You are asked about everybody you have not met before, and they are asked about you.",
        ),
        (Emptiness::Joining | Emptiness::Alone, Accept::Known) => {
            Some("Only people you have met before can talk to you here. Others are not let in.")
        }
    }
}

/// The sentence below the name on the first visit: who can join, and what they see. `index.html` has those for everyone.
pub fn welcome(is_private: bool, accept: Accept) -> &'static str {
    match (accept, is_private) {
        (Accept::Everyone, false) => {
            "Anyone with this page can join. They see your name and what you write, which goes directly from browser to \
             browser. So the people you connect to can also see your IP address."
        }
        (Accept::Everyone, true) => {
            "Only people with this link can join. They see your name and what you write, which goes directly from browser \
             to browser. So the people you connect to can also see your IP address."
        }
        (Accept::Ask, _) => {
            "The people here are asked before you join them, and you about them. Then they see your name and what you \
             write, which goes directly from browser to browser, and they can see your IP address."
        }
        (Accept::Known, _) => {
            "Only people who have met before can talk to each other here. In a new browser that is nobody yet."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::texts::{NAME_BEGINS, NAME_ENDS};

    /// The text as it is read, without the marks around names.
    fn plain(text: String) -> String {
        text.replace([NAME_BEGINS, NAME_ENDS], "")
    }

    #[test]
    fn the_status_is_one_line() {
        let text = |state| plain(status(state, &["Ben"], Millis(1_000)));
        assert_eq!(
            text(Status::Connected {
                people: 1,
                reconnecting: 0
            }),
            "2 people, connected directly"
        );
        assert_eq!(
            text(Status::Connected {
                people: 1,
                reconnecting: 1
            }),
            "Ben is reconnecting …"
        );
        assert_eq!(
            text(Status::Connected {
                people: 3,
                reconnecting: 1
            }),
            "3 people, connected directly. Ben is reconnecting …"
        );
        assert_eq!(
            text(Status::NoPath {
                people: 2,
                unreached: 1
            }),
            "3 people, connected directly. No direct connection to Ben."
        );
        assert_eq!(
            text(Status::NoPath {
                people: 0,
                unreached: 1
            }),
            "No direct connection to Ben. This network or theirs does not allow one. Another network may help; so does a \
             TURN server, which whoever runs this site can add."
        );
        assert_eq!(
            text(Status::Unreachable {
                people: 2,
                retry_at: Millis(8_500)
            }),
            "Can’t reach the server that introduces people. Trying again in 8 s. People here stay connected."
        );
        assert_eq!(
            text(Status::Unreachable {
                people: 0,
                retry_at: Millis(500)
            }),
            "Can’t reach the server that introduces people. Trying again now."
        );
        assert_eq!(
            text(Status::Refused {
                people: 0,
                retry_at: Millis(8_500)
            }),
            "The server that introduces people does not allow this chat. Whoever runs this site can change that. \
             Trying again in 8 s."
        );
    }
}
