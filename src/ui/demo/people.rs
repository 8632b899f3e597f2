//! The people of the demonstration, who have numbers: the bytes of their keys and ids.

use crate::identity::{Name, PeerId, PublicKey, Trust};
use crate::room::{Activity, Conversation, MAIN_CHANNEL, PeerState, PeerView};

/// The person at this page.
pub(super) const OWN: u8 = 200;

/// The room's only channel.
pub(super) fn lobby() -> Conversation {
    Conversation::Channel(MAIN_CHANNEL.to_owned())
}

/// The key of the person with this number.
pub(super) fn key(byte: u8) -> PublicKey {
    let mut key = [byte; 33];
    key[0] = 2;
    PublicKey(key)
}

/// The name without a suffix. The demo's people have simple names.
fn name(user: &str) -> Name {
    let name = user.split(['(', '\n']).next().unwrap_or_default();
    Name::parse(name)
        .or_else(|_| Name::parse("Somebody"))
        .unwrap_or_else(|_| unreachable!("it is a name"))
}

/// Somebody as the room tells of them.
pub(super) fn view(byte: u8, user: &str, state: PeerState, trust: Trust) -> PeerView {
    PeerView {
        id: PeerId([byte; 16]),
        user: user.into(),
        name: name(user),
        info: None,
        key: key(byte),
        state,
        trust,
        activity: [None, Some(Activity::Active), Some(Activity::Away)][usize::from(byte % 3)],
        muted: false,
    }
}
