//! What the room wants to be woken for. Each machine has timers of its own.

use crate::identity::PeerId;

/// Why the room wants to be woken: each machine has timers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// Of the machine that announces us.
    Signaling(SignalingTimer),
    /// Of the links to peers.
    Link(LinkTimer),
    /// Of what runs on verified links.
    Channel(ChannelTimer),
    /// To forget strangers who have been silent for long, and to ask about the next ones who wait.
    Members,
    /// Of presence.
    Presence(PresenceTimer),
    /// To see whether files to this peer and back still move.
    #[cfg(feature = "files")]
    Files(PeerId),
}

/// Timers of the machine that announces us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignalingTimer {
    /// To say "I am here" again.
    Announce,
    /// Our own announcement should have come back by now.
    Echo,
}

/// Timers of the links to peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkTimer {
    /// This peer should have sent its offer by now, or it is time for another try of ours.
    Dial(PeerId),
    /// An attempt has taken too long.
    Attempt(PeerId),
    /// A peer that could not be reached is worth another round of tries.
    Retry(PeerId),
    /// There is time to prepare our proof.
    Prove(PeerId),
    /// To see whether this peer is still there.
    Silence(PeerId),
    /// To find places for those that wait to be dialed.
    Queue,
}

/// Timers of what runs on verified links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChannelTimer {
    /// To tell this peer how much of its stream has come.
    Ack(PeerId),
    /// The time for an answer may be over.
    Answers,
}

/// Timers of presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PresenceTimer {
    /// To tell the others whom we are connected to.
    Tell,
    /// To ask for the announcements that we lack.
    Fetch,
}

/// Each machine sets its own timers as the room's.
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
    Presence(PresenceTimer)
);
