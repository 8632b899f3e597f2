//! The texts that depend on the state: short, friendly, exact.

use super::state::Emptiness;
use super::timeline::{Crowd, Delivery, Moves};
use crate::identity::{Name, Trust};
use crate::room::{PeerState, PeerView, Status};
use crate::settings::Accept;
use crate::time::Millis;

/// `1 person`, `3 people`.
pub fn people(count: usize) -> String {
    if count == 1 {
        "1 person".into()
    } else {
        format!("{} people", number(count))
    }
}

/// A number with commas between groups of thousands.
pub fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `ann`, `ann and ben`, `ann, ben and cat`, `ann, ben and 3 others`.
pub fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = names.len();
    names_of(names, count)
}

/// Like [`names`], for people who are not all named.
pub fn crowd(crowd: &Crowd) -> String {
    names_of(crowd.named.iter().map(String::as_str), crowd.count())
}

fn names_of<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    let shown = if count > 3 { 2 } else { count };
    let mut text = String::new();
    let mut written = 0;
    for name in names.take(shown) {
        if written > 0 {
            text.push_str(if written + 1 == count { " and " } else { ", " });
        }
        isolate(&mut text, name);
        written += 1;
    }
    match (written, others(count - written)) {
        (_, None) => {}
        (0, Some(others)) => text = others,
        (_, Some(others)) => text = text + " and " + &others,
    }
    text
}

/// `1 other`, `3 others`; `None` for nobody.
pub fn others(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("1 other".into()),
        count => Some(number(count) + " others"),
    }
}

/// Begins a name in a sentence (first strong isolate, Unicode TR9).
pub const NAME_BEGINS: char = '\u{2068}';
/// Ends it (pop directional isolate). No name contains either of the two.
pub const NAME_ENDS: char = '\u{2069}';

/// Marks a name, so that it cannot change the direction of the sentence around it, and views can set it apart: a name may
/// read like a part of a sentence.
fn isolate(text: &mut String, name: &str) {
    text.push(NAME_BEGINS);
    text.push_str(name);
    text.push(NAME_ENDS);
}

fn isolated(name: &str) -> String {
    let mut text = String::new();
    isolate(&mut text, name);
    text
}

/// At most this many renames are written out in one line.
const MAX_RENAMES: usize = 2;

/// The line about people who joined, left or changed their names; empty if the changes cancelled out.
pub fn moves(moves: &Moves) -> String {
    let mut parts = Vec::new();
    for (people, what) in [(&moves.joined, " joined"), (&moves.left, " left")] {
        if people.count() > 0 {
            parts.push(crowd(people) + what);
        }
    }
    for (before, now) in moves.renamed.iter().take(MAX_RENAMES) {
        parts.push(isolated(before) + " is now " + &isolated(now));
    }
    if let Some(others) = others(renamed(moves).saturating_sub(MAX_RENAMES)) {
        parts.push(others + " changed names");
    }
    parts.join(" · ")
}

/// Whether the line of [`moves`] leaves out names.
pub fn is_folded(moves: &Moves) -> bool {
    moves.joined.count() > 3 || moves.left.count() > 3 || renamed(moves) > MAX_RENAMES
}

fn renamed(moves: &Moves) -> usize {
    moves
        .renamed
        .len()
        .saturating_add(moves.more_renamed as usize)
}

/// The status while no broker answers.
pub const UNREACHABLE: &str = "Can’t reach the server that introduces people.";

/// The status while no broker can be used, because it refuses the room's topics.
pub const REFUSED: &str = "The server that introduces people does not allow this chat. \
    Whoever runs this site can change that.";

/// What helps where two networks let no direct connection through.
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
                // What helps is in the person's details.
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

/// The text under a name in the list of people; empty if the peer is verified.
pub fn peer_state(state: PeerState) -> &'static str {
    match state {
        PeerState::Connecting => "Connecting …",
        PeerState::Verifying => "Checking …",
        PeerState::Verified => "",
        PeerState::Reconnecting => "Reconnecting …",
        PeerState::NoPath => "No direct connection",
        PeerState::Failed => "Couldn’t connect",
    }
}

/// The trust mark in one or two words.
pub fn trust(trust: Trust) -> &'static str {
    match trust {
        Trust::New => "New",
        Trust::Known => "Known",
        Trust::Verified => "Verified",
        Trust::NameOnAnotherKey => "Another key",
    }
}

/// The hint beside another tab of the person at this browser.
pub const OWN_TAB: &str = "your other tab";

/// The sentence that explains it.
pub const OWN_TAB_SENTENCE: &str =
    "This is you, in another tab of this browser. Others see each of your tabs by its number.";

/// The sentence that explains the trust mark.
pub fn trust_sentence(peer: &PeerView) -> &'static str {
    match peer.trust {
        Trust::New => "You haven’t met before.",
        Trust::Known => "You have met before, and their key is the same.",
        Trust::Verified => "You compared the safety number with them.",
        Trust::NameOnAnotherKey => {
            "You know this name with another key: they may be the same person in a new browser, or somebody pretending \
             to be them. Ask them some other way, or compare the safety number."
        }
    }
}

/// The warning about a known name on another key.
pub fn another_key(name: &Name) -> String {
    format!("Another “{}” joined", isolated(name.as_str()))
}

/// The answer to it that they are the same person.
pub fn same_person(name: &Name) -> String {
    format!("Same {}, new browser", isolated(name.as_str()))
}

/// The question whether to block somebody.
pub fn block_question(user: &str) -> String {
    format!("Block {}?", isolated(user))
}

/// What blocking them does.
pub const BLOCKING: &str = "You stop seeing what they write, and they stop seeing what you write, here and in your \
    other tabs. You can unblock them at any time, below the list of people.";

/// Says that somebody was blocked.
pub fn blocked(user: &str) -> String {
    format!("You blocked {}.", isolated(user))
}

/// Explains why a person who changed their name cannot be marked as verified now.
pub fn renamed_meanwhile(before: &str) -> String {
    format!(
        "This person was called {} until a moment ago. Close this and open it again to see who they are now.",
        isolated(before)
    )
}

/// Explains why a peer was turned away.
pub fn validation_failure(user: &str, reason: &str) -> String {
    let name = isolated(user);
    format!(
        "Somebody calling themselves {name} could not prove it and was turned away. Nothing they sent was shown. {reason}"
    )
}

/// The delivery state of a message that the person sent.
pub fn delivery(delivery: Delivery) -> String {
    match delivery {
        Delivery::ToNobody => "Nobody was here to receive it".into(),
        Delivery::Waiting(1) => "Waits for a connection to the person who was here".into(),
        Delivery::Waiting(of) => {
            format!("Waits for a connection to the {of} people who were here")
        }
        Delivery::Sent => "Sent".into(),
        Delivery::Delivered(delivered, of) if delivered >= of => "Delivered".into(),
        Delivery::Delivered(delivered, of) => format!("Delivered to {delivered} of {of}"),
    }
}

/// The recipient of a private message; `None` is the person at this browser.
pub fn private(to: Option<&str>) -> String {
    match to {
        Some(user) => format!("only to {}", isolated(user)),
        None => "only to you".into(),
    }
}

/// Explains why a text was not sent.
pub fn too_long(count: usize, limit: usize) -> String {
    let (count_text, limit_text, over) = (
        number(count),
        number(limit),
        number(count.saturating_sub(limit)),
    );
    format!(
        "Not sent: a message has at most {limit_text} characters, and this one has {count_text}. Shorten it by {over}, or send it in parts."
    )
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

/// What there is to know about an empty room besides its link.
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

/// The text about messages below the visible part of the log.
pub fn new_messages(count: u32) -> String {
    if count == 1 {
        "1 new message".into()
    } else {
        format!("{} new messages", number(count as usize))
    }
}

/// The title of the tab.
pub fn title(room: &str, unread: u32) -> String {
    match (unread, room) {
        (0, "") => "rtchat".into(),
        (0, room) => format!("{room} · rtchat"),
        (unread, room) => format!("({unread}) {room} · rtchat"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text as it is read, without the marks around names.
    fn plain(text: String) -> String {
        text.replace([NAME_BEGINS, NAME_ENDS], "")
    }

    #[test]
    fn names_are_joined_with_commas_and_and() {
        let all = ["ann", "ben", "cat", "dan", "eve"];
        let list = |count: usize| plain(names(all[..count].iter().copied()));
        assert_eq!(
            [list(1), list(2), list(3)],
            ["ann", "ann and ben", "ann, ben and cat"]
        );
        assert_eq!(
            [list(4), list(5)],
            ["ann, ben and 2 others", "ann, ben and 3 others"]
        );
    }

    #[test]
    fn names_are_set_apart_from_the_sentence() {
        let folded = Moves {
            joined: people(&["ben left · eve"], 0),
            ..Moves::default()
        };
        assert_eq!(
            super::moves(&folded),
            "\u{2068}ben left · eve\u{2069} joined"
        );
        assert_eq!(names(["أمل"].into_iter()), "\u{2068}أمل\u{2069}");
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

    #[test]
    fn a_private_message_names_its_recipient() {
        assert_eq!(private(None), "only to you");
        assert_eq!(plain(private(Some("Ben(2)"))), "only to Ben(2)");
    }

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!(
            [0, 999, 1_000, 10_240, 1_234_567].map(number),
            ["0", "999", "1,000", "10,240", "1,234,567"]
        );
        assert_eq!(super::people(1), "1 person");
        assert!(too_long(10_240, 10_000).contains("Shorten it by 240"));
    }

    fn people(named: &[&str], others: u32) -> Crowd {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        Crowd { named, others }
    }

    #[test]
    fn people_who_join_and_leave_are_listed_in_one_line() {
        let folded = Moves {
            joined: people(&["ann"], 0),
            left: people(&["ben", "cat"], 0),
            renamed: vec![("dan".into(), "daniel".into())],
            more_renamed: 0,
        };
        assert_eq!(
            plain(moves(&folded)),
            "ann joined · ben and cat left · dan is now daniel"
        );
        assert!(!is_folded(&folded));
        assert_eq!(moves(&Moves::default()), "");
    }

    #[test]
    fn large_groups_are_counted() {
        let crowd = Moves {
            joined: people(&["ann", "ben"], 998),
            left: people(&["cat", "dan", "eve"], 1),
            renamed: vec![
                ("a".into(), "b".into()),
                ("c".into(), "d".into()),
                ("e".into(), "f".into()),
            ],
            more_renamed: 5,
        };
        assert_eq!(
            plain(moves(&crowd)),
            "ann, ben and 998 others joined · cat, dan and 2 others left · a is now b · c is now d · 6 others changed \
             names"
        );
        assert!(is_folded(&crowd));
        let alone = Moves {
            left: people(&[], 1),
            ..Moves::default()
        };
        assert_eq!(plain(moves(&alone)), "1 other left");
    }
}
