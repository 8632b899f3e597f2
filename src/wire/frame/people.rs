//! Frames about who is here.

use super::Frame;
use super::json::{Fields, Writer};

/// About who is here.
#[derive(Debug, Clone, PartialEq)]
pub enum PeopleFrame {
    /// The sender goes by another name from now on.
    Profile {
        /// The new name.
        name: String,
    },
    /// The peers that the sender is connected to, so that whoever misses one can announce itself.
    Presence {
        /// Their peer ids.
        peers: Vec<String>,
    },
}

impl PeopleFrame {
    pub(super) const KINDS: [&str; 2] = ["profile", "presence"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<PeopleFrame> {
        Some(match kind {
            "profile" => PeopleFrame::Profile {
                name: fields.text("name")?,
            },
            _ => PeopleFrame::Presence {
                peers: fields.value("peers")?,
            },
        })
    }

    pub(super) fn write(&self) -> String {
        let [profile, presence] = PeopleFrame::KINDS;
        let object = match self {
            PeopleFrame::Profile { name } => Writer::new(profile).text("name", name),
            PeopleFrame::Presence { peers } => Writer::new(presence).value("peers", peers),
        };
        object.end()
    }
}

impl From<PeopleFrame> for Frame {
    fn from(frame: PeopleFrame) -> Frame {
        Frame::People(frame)
    }
}
