//! The timers that wake the room. Each machine has timers of its own.

use crate::identity::PeerId;

/// A timer that wakes the room: each machine has timers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A timer of the machine that announces us.
    Signaling(SignalingTimer),
    /// A timer of the links to peers.
    Link(LinkTimer),
    /// A timer of the channels on verified links.
    Channel(ChannelTimer),
    /// Time to forget strangers who have been silent for long, and to ask about the next ones who wait.
    Members,
    /// A timer of the conversations.
    Conversation(ConversationTimer),
    /// A timer of presence.
    Presence(PresenceTimer),
    /// The person may be away by now.
    Away,
    /// A call may have rung for long enough.
    Calls,
    /// Time to check whether files to this peer and back still move.
    #[cfg(feature = "files")]
    Files(PeerId),
    /// Somebody may have been asked for a file in vain.
    #[cfg(feature = "attachments")]
    Attachments,
}

/// Timers of the machine that announces us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignalingTimer {
    /// Time to say "I am here" again.
    Announce,
    /// Our own announcement should have come back by now.
    Echo,
    /// Those who are here have had time to answer our announcement.
    Answers,
}

/// Timers of the links to peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkTimer {
    /// This peer should have sent its offer by now, or it is time for another try of ours.
    Dial(PeerId),
    /// An attempt has taken too long.
    Attempt(PeerId),
    /// A path to this peer should have been found by now.
    Path(PeerId),
    /// A peer that could not be reached is worth another round of tries.
    Retry(PeerId),
    /// There is time to prepare our proof.
    Prove(PeerId),
    /// Time for our offer on the open connection to this peer, if it has not offered first.
    Offer(PeerId),
    /// Time for an offer of this peer that came too soon after others.
    LateOffer(PeerId),
    /// Time to check whether this peer is still there.
    Silence(PeerId),
    /// Time to find places for peers that wait to be dialed.
    Queue,
    /// Nothing may have come from anybody for a while.
    Quiet,
}

/// Timers of the channels on verified links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelTimer {
    /// Time to tell this peer how much of its stream has come.
    Ack(PeerId),
    /// Time to tell how much of this peer could not be read.
    Unreadable(PeerId),
    /// The time for an answer may be over.
    Answers,
}

/// Timers of the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConversationTimer {
    /// Time to check the next entries that have come.
    Check,
    /// Somebody may have been asked for entries in vain.
    Patience,
    /// Time to check more of a file that is being imported.
    #[cfg(feature = "export")]
    Import,
}

/// Timers of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PresenceTimer {
    /// Time to tell the others whom we are connected to.
    Tell,
    /// Time to ask for the announcements that we lack.
    Fetch,
}

/// Converts the timers of each machine into the room's.
macro_rules! timers {
    ($($machine:ident($timers:ident)),*) => {
        $(impl From<$timers> for Timer {
            fn from(timer: $timers) -> Timer {
                Timer::$machine(timer)
            }
        })*
    };
}

timers!(
    Signaling(SignalingTimer),
    Link(LinkTimer),
    Channel(ChannelTimer),
    Conversation(ConversationTimer),
    Presence(PresenceTimer)
);
