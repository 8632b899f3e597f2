//! The texts about the room as a whole: its status, why it is empty, and who can join.

use super::{names, number, people};
use crate::room::{PeerState, Status};
use crate::settings::Accept;
use crate::time::Millis;
use crate::ui::state::Emptiness;

/// The status while no broker answers.
const UNREACHABLE: &str = "Can’t reach the server that introduces people.";

/// The status while no broker can be used, because it refuses the room's topics.
const REFUSED: &str = "The server that introduces people does not allow this chat. \
    Whoever runs this site can change that.";

/// The sentence of the status while most of what arrives is dropped.
const DROPPING: &str = "Much of what arrives here is not for this room, or cannot be read.";

/// The sentence that says what helps where two networks let no direct connection through.
pub const NO_PATH: &str = "This network or theirs does not allow one. Another network may help; so does a TURN server, \
    which whoever runs this site can add.";

/// The status line. `named` returns the names of others who are in one of these states.
pub fn status<'a>(
    status: Status,
    named: impl Fn(&[PeerState]) -> Vec<&'a str>,
    now: Millis,
) -> String {
    match status {
        Status::Joining => "Joining …".into(),
        Status::Looking { retry_at, .. } => {
            let text = looking(status, named);
            match retry_at {
                Some(at) => text + " Looking again " + &time_until(at, now),
                None => text,
            }
        }
        Status::Connected {
            people: all,
            reconnecting: silent,
            own_tabs,
        } => {
            let reached = all.saturating_sub(silent) as usize;
            let mut text = String::new();
            if reached > 0 {
                // The count includes the person at this browser, like the list of people.
                text = people(reached + 1);
                if own_tabs > 0 {
                    text = text + " and " + &tabs(own_tabs);
                }
                text.push_str(", connected directly");
            }
            if silent > 0 {
                if reached > 0 {
                    text.push_str(". ");
                }
                let one = silent == 1;
                text.push_str(&named_or(&named(&[PeerState::Reconnecting]), silent));
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
            let whom = named_or(&named(&[PeerState::NoPath]), unreached);
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
            let when = time_until(retry_at, now);
            let kept = if reached > 0 {
                " People here stay connected."
            } else {
                ""
            };
            format!("{what} Trying again {when}{kept}")
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

/// The status for screen readers, without a countdown. It is the same while others are looked for and between two looks, so
/// that it is not read out every time.
pub fn status_aloud<'a>(
    shown: Status,
    named: impl Fn(&[PeerState]) -> Vec<&'a str>,
    now: Millis,
) -> String {
    match shown {
        Status::Looking {
            own_tabs, dropping, ..
        } => {
            let retry_at = Some(now);
            let waiting = Status::Looking {
                retry_at,
                own_tabs,
                dropping,
            };
            looking(waiting, named)
        }
        Status::Unreachable { .. } => UNREACHABLE.into(),
        Status::Refused { .. } => REFUSED.into(),
        other => status(other, named, now),
    }
}

/// The status while nobody else is connected, without the time of the next look.
fn looking<'a>(status: Status, named: impl Fn(&[PeerState]) -> Vec<&'a str>) -> String {
    let Status::Looking {
        retry_at,
        own_tabs,
        dropping,
    } = status
    else {
        return String::new();
    };
    let connecting = named(&[PeerState::Connecting, PeerState::Verifying]);
    let failed = named(&[PeerState::Failed]);
    let mut text = if !connecting.is_empty() {
        format!("Connecting to {} …", names(connecting.into_iter()))
    } else if retry_at.is_none() {
        "Looking for others …".into()
    } else if !failed.is_empty() {
        format!("Couldn’t connect to {}.", names(failed.into_iter()))
    } else if dropping {
        "Nobody else was found.".into()
    } else if own_tabs > 0 {
        format!("Nobody else is here but {}.", tabs(own_tabs))
    } else {
        "Nobody else is here.".into()
    };
    if dropping {
        text = text + " " + DROPPING;
    }
    text
}

/// The person's own tabs, beside this one.
fn tabs(count: u32) -> String {
    if count == 1 {
        "your other tab".into()
    } else {
        format!("{} other tabs of yours", number(count as usize))
    }
}

/// Whether the status waits for a time, so that a countdown and *Try now* stand beside it.
pub fn waits(status: Status) -> bool {
    matches!(
        status,
        Status::Unreachable { .. }
            | Status::Refused { .. }
            | Status::Looking {
                retry_at: Some(_),
                ..
            }
    )
}

/// These names, or how many people they are if nobody is named.
fn named_or(named: &[&str], count: u32) -> String {
    match named {
        [] => people(count as usize),
        some => names(some.iter().copied()),
    }
}

/// `in 40 s.`, `in 2 min.`, `now.`
fn time_until(at: Millis, now: Millis) -> String {
    match seconds_until(at, now) {
        0 => "now.".into(),
        seconds @ 1..=60 => format!("in {seconds} s."),
        seconds => format!("in {} min.", seconds.div_ceil(60)),
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
        Status::Looking { .. } => "looking",
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
        let text = |state| plain(status(state, |_| vec!["Ben"], Millis(1_000)));
        let connected = |people, reconnecting, own_tabs| Status::Connected {
            people,
            reconnecting,
            own_tabs,
        };
        assert_eq!(text(connected(1, 0, 0)), "2 people, connected directly");
        assert_eq!(
            text(connected(1, 0, 1)),
            "2 people and your other tab, connected directly"
        );
        assert_eq!(text(connected(1, 1, 0)), "Ben is reconnecting …");
        assert_eq!(
            text(connected(3, 1, 0)),
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

    #[test]
    fn the_status_says_whether_others_are_looked_for_and_when_the_next_time_is() {
        let nobody = |_: &[PeerState]| Vec::new();
        let looking = |retry_at: Option<u64>, own_tabs, dropping| Status::Looking {
            retry_at: retry_at.map(Millis),
            own_tabs,
            dropping,
        };
        let text = |state| plain(status(state, nobody, Millis(1_000)));
        assert_eq!(text(looking(None, 0, false)), "Looking for others …");
        for (retry_at, when) in [
            (900, "now."),
            (1_001, "in 1 s."),
            (61_000, "in 60 s."),
            (61_001, "in 2 min."),
            (301_000, "in 5 min."),
        ] {
            assert_eq!(
                text(looking(Some(retry_at), 0, false)),
                format!("Nobody else is here. Looking again {when}")
            );
        }
        assert_eq!(
            text(looking(Some(31_000), 1, false)),
            "Nobody else is here but your other tab. Looking again in 30 s."
        );
        assert_eq!(
            text(looking(Some(31_000), 2, false)),
            "Nobody else is here but 2 other tabs of yours. Looking again in 30 s."
        );
        assert_eq!(
            text(looking(Some(31_000), 0, true)),
            "Nobody else was found. Much of what arrives here is not for this room, or cannot be read. Looking again in 30 s."
        );
        // Whoever listens is told once.
        for retry_at in [None, Some(31_000)] {
            let aloud = status_aloud(looking(retry_at, 0, false), nobody, Millis(1_000));
            assert_eq!(aloud, "Nobody else is here.");
        }

        let ben = |state: PeerState| {
            move |states: &[PeerState]| {
                if states.contains(&state) {
                    vec!["Ben"]
                } else {
                    vec![]
                }
            }
        };
        let waiting = looking(Some(31_000), 0, false);
        let text = |state| plain(status(waiting, ben(state), Millis(1_000)));
        assert_eq!(
            text(PeerState::Verifying),
            "Connecting to Ben … Looking again in 30 s."
        );
        assert_eq!(
            text(PeerState::Failed),
            "Couldn’t connect to Ben. Looking again in 30 s."
        );
    }
}
