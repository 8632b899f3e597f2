//! Calls, and cameras and screens that are shown to whoever opens them.

use super::{Conversation, Order};
use crate::identity::PeerId;
use crate::time::Millis;
pub use crate::wire::frame::{CallId, Sends, Shown as Share};

/// What somebody does about calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallCommand {
    /// Call whoever is in a conversation, or join the call that is there.
    Start {
        /// The conversation.
        conversation: Conversation,
        /// What we send.
        sends: Sends,
    },
    /// Answer a call that rings, or join one that runs. It ends the call that we are in.
    Answer {
        /// The call.
        call: CallId,
        /// What we send.
        sends: Sends,
    },
    /// The person has seen what is noted about calls in a conversation.
    Seen(Conversation),
    /// Turn down a call that rings, for all of our tabs.
    Decline(CallId),
    /// Leave the call that we are in.
    HangUp,
    /// Send something else in the call that we are in.
    Send(Sends),
    /// Show something to whoever opens it, or change what is shown.
    Share(Share),
    /// Show nothing any more.
    Unshare,
    /// Watch what a peer shows, or stop watching it.
    Watch {
        /// The peer.
        peer: PeerId,
        /// Whether to watch.
        on: bool,
    },
    /// Let a peer watch that has asked to, or send it away.
    Admit {
        /// The peer.
        peer: PeerId,
        /// Whether it may watch.
        on: bool,
    },
    /// The height in pixels at which we look at a peer's pictures; 0 while they are hidden.
    Want {
        /// The peer.
        peer: PeerId,
        /// The height of its camera's picture.
        camera: u16,
        /// The height of its screen's picture.
        screen: u16,
    },
}

/// Events of calls.
#[derive(Debug, Clone, PartialEq)]
pub enum CallEvent {
    /// How things stand now.
    Changed(Box<CallsView>),
    /// Something about a call that belongs into its conversation.
    Noted(Box<CallNote>),
}

/// Something about a call that belongs into its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallNote {
    /// The call.
    pub call: CallId,
    /// The conversation.
    pub conversation: Conversation,
    /// The other person's name, as it was shown, where it is about one.
    pub user: Option<String>,
    /// What it is.
    pub what: CallLine,
    /// When it happened.
    pub at: Millis,
    /// Where it is shown among the messages.
    pub order: Order,
    /// Whether it has just happened here. Otherwise it was kept, or another tab has told it.
    pub is_new: bool,
    /// Whether the person has seen it.
    pub is_seen: bool,
}

/// Something about a call that belongs into its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallLine {
    /// It rang here, and nobody answered.
    Missed,
    /// Whoever was called did not answer in time.
    NotAnswered,
    /// Whoever was called declined.
    Declined,
    /// Whoever was called has no calls.
    Unable,
    /// A call ended that lasted for so many seconds.
    Ended(u64),
}

/// How it stands with all calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallsView {
    /// The call that we are in.
    pub call: Option<OwnCall>,
    /// Calls that ring here, the oldest first.
    pub rings: Vec<Ring>,
    /// Calls that others are in, and that do not ring here.
    pub running: Vec<Running>,
    /// What others show to whoever opens it.
    pub shares: Vec<TheirShare>,
    /// What we show.
    pub share: Option<OwnShare>,
}

/// The call that we are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCall {
    /// The call.
    pub id: CallId,
    /// Where it is.
    pub conversation: Conversation,
    /// Whether it rings at others, and nobody has come yet.
    pub rings: bool,
    /// When somebody came first.
    pub since: Option<Millis>,
    /// What we send.
    pub sends: Sends,
    /// The others who are in it.
    pub peers: Vec<CallPeer>,
    /// Whether there are more pictures than calls are made for.
    pub crowded: bool,
}

/// Somebody else in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPeer {
    /// The peer.
    pub peer: PeerId,
    /// Whether it is heard of at the moment.
    pub is_connected: bool,
    /// What it sends.
    pub sends: Sends,
}

/// A call that rings here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// The call.
    pub call: CallId,
    /// Where it is.
    pub conversation: Conversation,
    /// Who calls.
    pub from: PeerId,
    /// Whether they send a picture.
    pub video: bool,
    /// Whether it makes no sound: the person is new, has called too often, or we are in another call.
    pub silent: bool,
}

/// A call that others are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// The call.
    pub call: CallId,
    /// Where it is.
    pub conversation: Conversation,
    /// Who is in it.
    pub peers: Vec<PeerId>,
}

/// What somebody else shows to whoever opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TheirShare {
    /// The peer.
    pub peer: PeerId,
    /// What it shows, and to whom.
    pub share: Share,
    /// How it stands with our wish to watch.
    pub state: WatchState,
}

/// How it stands with our wish to watch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WatchState {
    /// We do not watch.
    #[default]
    Offered,
    /// We have said that we would like to, and there is no answer yet.
    Asking,
    /// We watch.
    Watching,
    /// We may not.
    Refused,
    /// We watched, and may not any more.
    Ended,
}

/// What we show to whoever opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnShare {
    /// What it is.
    pub share: Share,
    /// Who watches.
    pub watchers: Vec<PeerId>,
    /// Who waits for our answer.
    pub asking: Vec<PeerId>,
    /// The most that leaves for all of them together, in bits a second.
    pub uplink: u32,
}

/// What is to run on a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaWish {
    /// Whether our microphone is heard there.
    pub microphone: bool,
    /// How our camera is seen there; `None` if it is not.
    pub camera: Option<PictureLimit>,
    /// How our screen is seen there; `None` if it is not.
    pub screen: Option<PictureLimit>,
    /// Whether anything of the other side is taken.
    pub receive: bool,
    /// Whether its pictures are taken, too. If this is set, so is `receive`.
    pub pictures: bool,
}

/// The most that is sent of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureLimit {
    /// Its height in pixels. With 0, it is hidden at the other end, and nothing is sent.
    pub height: u16,
    /// Pictures a second.
    pub frame_rate: u8,
    /// Bits a second.
    pub bitrate: u32,
}
