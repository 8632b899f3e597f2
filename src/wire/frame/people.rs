//! Frames about who is here.

use super::Frame;
use super::json::{Fields, Writer};

/// A frame about who is here.
#[derive(Debug, Clone, PartialEq)]
pub enum PeopleFrame {
    /// The sender has changed its name.
    Profile {
        /// The new name.
        name: String,
    },
    /// The peers that the sender is connected to, so that a receiver that lacks one can ask for it.
    Presence {
        /// [`PresenceDigest`](crate::wire::presence::PresenceDigest)s of their announcements.
        peers: Vec<String>,
    },
    /// A request for announcements that the sender lacks.
    Fetch {
        /// Their digests.
        peers: Vec<String>,
    },
    /// The announcements that were asked for.
    Connects {
        /// Each as it was signed, base64url without padding.
        connects: Vec<String>,
    },
}

impl PeopleFrame {
    pub(super) const KINDS: [&str; 4] = ["profile", "presence", "fetch", "connects"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<PeopleFrame> {
        Some(match kind {
            "profile" => PeopleFrame::Profile {
                name: fields.text("name")?,
            },
            "presence" => PeopleFrame::Presence {
                peers: fields.texts("peers")?,
            },
            "fetch" => PeopleFrame::Fetch {
                peers: fields.texts("peers")?,
            },
            _ => PeopleFrame::Connects {
                connects: fields.texts("connects")?,
            },
        })
    }

    pub(super) fn write(&self) -> String {
        let [profile, presence, fetch, connects] = PeopleFrame::KINDS;
        let object = match self {
            PeopleFrame::Profile { name } => Writer::new(profile).text("name", name),
            PeopleFrame::Presence { peers } => Writer::new(presence).texts("peers", peers),
            PeopleFrame::Fetch { peers } => Writer::new(fetch).texts("peers", peers),
            PeopleFrame::Connects { connects: all } => Writer::new(connects).texts("connects", all),
        };
        object.end()
    }
}

impl From<PeopleFrame> for Frame {
    fn from(frame: PeopleFrame) -> Frame {
        Frame::People(frame)
    }
}
