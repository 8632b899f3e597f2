//! The texts that depend on the state: short, friendly, exact.

pub mod calls;
mod files;
mod room;
mod talks;

use super::line::{Crowd, Delivery, Moves};
use crate::identity::{Name, Trust};
use crate::room::{Activity, PeerState, PeerView};

pub use calls::called;
pub use files::{bytes, file, percent};
pub use room::{
    NO_PATH, emptiness, emptiness_sentence, seconds_until, status, status_aloud, status_word,
    waits, welcome,
};
pub use talks::{
    DELETE_CONVERSATION, DELETE_ROOM, DELETE_SITE, DELETE_THIS, IMPORTED, NOT_READ, TAKEN_BACK,
    delete_question, direct_beginning, excerpt, export_title, found, history_mode, import,
    imported_file, last_line, to_list, yourself,
};

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
    if !moves.unreadable.is_empty() {
        let people = moves.unreadable.iter().map(|(_, user, _)| user.as_str());
        let counts = moves.unreadable.iter().map(|(_, _, count)| *count);
        parts.push(unreadable(
            &names(people),
            counts.fold(0, u32::saturating_add),
        ));
    }
    parts.join(" · ")
}

/// `3 messages from Ben were not readable`.
fn unreadable(people: &str, count: u32) -> String {
    match count {
        1 => format!("1 message from {people} was not readable"),
        count => format!(
            "{} messages from {people} were not readable",
            number(count as usize)
        ),
    }
}

/// Says that nothing of somebody is looked at, and of so many others.
pub fn muted(user: &str, more: usize) -> String {
    match others(more) {
        None => format!("{} is sending too much and is muted.", isolated(user)),
        Some(others) => format!(
            "{} is sending too much and is muted, and so are {others}.",
            isolated(user)
        ),
    }
}

/// Stands under the name of somebody who is muted.
pub const MUTED: &str = "Muted";

/// Whether the line of [`moves`] leaves out names.
pub fn is_folded(moves: &Moves) -> bool {
    moves.joined.count() > 3
        || moves.left.count() > 3
        || renamed(moves) > MAX_RENAMES
        || moves.unreadable.len() > 1
}

fn renamed(moves: &Moves) -> usize {
    moves
        .renamed
        .len()
        .saturating_add(moves.more_renamed as usize)
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

/// Whether somebody is at their page.
pub fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Active => "Active",
        Activity::Away => "Away",
    }
}

/// The sentence that explains it.
pub fn activity_sentence(activity: Activity) -> &'static str {
    match activity {
        Activity::Active => "Active: they see this page, and used it within the last minutes.",
        Activity::Away => "Away: they have not seen this page for some minutes, or not used it.",
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

/// The sentence that explains what blocking somebody does.
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
        Delivery::Failed(reason) => format!("Not sent. {reason}"),
        Delivery::Sent => "Sent".into(),
        Delivery::Delivered(delivered, of) if delivered >= of => "Delivered".into(),
        Delivery::Delivered(delivered, of) => format!("Delivered to {delivered} of {of}"),
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

/// The text about messages below the visible part of the log.
pub fn new_messages(count: u32) -> String {
    if count == 1 {
        "1 new message".into()
    } else {
        format!("{} new messages", number(count as usize))
    }
}

/// Who is writing.
pub fn writing(people: &[&str]) -> String {
    match people.len() {
        0 => String::new(),
        1 => names(people.iter().copied()) + " is writing …",
        _ => names(people.iter().copied()) + " are writing …",
    }
}

/// Follows [`new_messages`] if one of them mentions the person.
pub const MENTIONED: &str = ", you are mentioned";

/// The number on a badge: with an `@` if one of the messages mentions the person.
pub fn badge(count: u32, mentioned: bool) -> String {
    let mark = if mentioned { "@" } else { "" };
    format!("{mark}{count}")
}

/// How many messages are new, and whether one of them mentions the person.
pub fn new_messages_for(count: u32, mentioned: bool) -> String {
    new_messages(count) + if mentioned { MENTIONED } else { "" }
}

/// The title of the tab, which has an `@` if something that waits mentions the person.
pub fn title(room: &str, unread: u32, mentioned: bool) -> String {
    match (unread, room) {
        (0, "") => "rtchat".into(),
        (0, room) => format!("{room} · rtchat"),
        (unread, room) => format!("({}) {room} · rtchat", badge(unread, mentioned)),
    }
}

/// A text that the browser did not put into the clipboard.
pub const NOT_COPIED: &str =
    "The browser does not let this page copy. Select the text and copy it.";

/// The emoji did not come.
pub const NO_EMOJI: &str = "The emoji could not be loaded. Try again in a moment.";

/// Said of a message whose author said something else to others in its place.
pub const FORKED: &str = "Its author sent something else to others in place of this.";

/// Who reacted with an emoji.
pub fn reacted(emoji: &str, people: &[&str]) -> String {
    format!("{emoji} from {}", names(people.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::PublicKey;

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
            ..Moves::default()
        };
        assert_eq!(
            plain(moves(&folded)),
            "ann joined · ben and cat left · dan is now daniel"
        );
        assert!(!is_folded(&folded));
        assert_eq!(moves(&Moves::default()), "");
    }

    #[test]
    fn what_could_not_be_read_is_counted() {
        let of = |byte, user: &str, count| (PublicKey([byte; 33]), user.to_owned(), count);
        let mut folded = Moves {
            unreadable: vec![of(1, "ben", 1)],
            ..Moves::default()
        };
        let text = |folded: &Moves| plain(moves(folded));
        assert_eq!(text(&folded), "1 message from ben was not readable");
        assert!(!is_folded(&folded));
        folded.unreadable.push(of(2, "eve", 1_233));
        assert_eq!(
            text(&folded),
            "1,234 messages from ben and eve were not readable"
        );
        assert!(is_folded(&folded), "how much it is of each is shown below");
        assert_eq!(
            plain(muted("eve", 0)),
            "eve is sending too much and is muted."
        );
        assert_eq!(
            plain(muted("eve", 2)),
            "eve is sending too much and is muted, and so are 2 others."
        );
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
            ..Moves::default()
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
