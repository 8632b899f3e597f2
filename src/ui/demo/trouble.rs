//! What goes wrong, for the demonstration: somebody who sends too much, and a message that was not said.

use crate::room::{ChatEvent, Event, MessageId, PeerView, PeopleEvent, Unsaid};

/// Somebody floods, some of whose messages could not be read, and this message could not be signed.
pub fn trouble(flooder: PeerView, said: MessageId) -> Vec<Event> {
    let peer = flooder.id;
    let changed = |peer: PeerView| Event::People(PeopleEvent::Changed(peer));
    let unreadable = |count| Event::People(PeopleEvent::Unreadable { peer, count });
    let muted = PeerView {
        muted: true,
        ..flooder.clone()
    };
    let reason = Unsaid::NotSigned;
    vec![
        changed(flooder),
        unreadable(1),
        unreadable(499),
        changed(muted),
        Event::Chat(ChatEvent::Failed { id: said, reason }),
    ]
}
