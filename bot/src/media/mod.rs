//! Sound and pictures in calls: what a bot sends, and what arrives.
//!
//! | module | responsibility |
//! | --- | --- |
//! | `clip` | sound or pictures that are played again and again |
//! | `ivf`, `ogg` | read the files of clips |
//! | `sections` | what an offer or answer of the other side says of its sections, and which of them are taken |
//! | `link` | the media of one connection: which sections it needs |
//! | `sending`, `hearing` | what leaves on a connection, and what arrives |

mod clip;
mod hearing;
mod ivf;
mod link;
#[cfg(test)]
mod link_tests;
mod ogg;
mod sections;
mod sending;

use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rtchat::identity::PeerId;
use rtchat::room::{CallCommand, Command, Sends};
use rtchat::settings::CallKinds;

pub use clip::{Clip, ClipError};
pub(crate) use link::Link;

/// Calls of a bot: which there are, and what it sends in them. By default there are none.
#[derive(Clone)]
pub struct Calls {
    /// Which calls the site has, by its setting `calls`.
    pub kinds: CallKinds,
    /// What is heard of its microphone. Without a source, it has none.
    pub microphone: Option<Rc<dyn Source>>,
    /// What is seen of its camera. Without a source, it has none.
    pub camera: Option<Rc<dyn Source>>,
    /// What is seen of its screen. Without a source, it has none.
    pub screen: Option<Rc<dyn Source>>,
}

impl Default for Calls {
    fn default() -> Calls {
        Calls {
            kinds: CallKinds::Off,
            microphone: None,
            camera: None,
            screen: None,
        }
    }
}

impl Calls {
    /// These calls, with a test tone, and a test picture for both camera and screen.
    ///
    /// # Errors
    /// None: a test reads the files of both.
    pub fn test(kinds: CallKinds) -> Result<Calls, ClipError> {
        let picture = Rc::new(Clip::test_picture()?);
        Ok(Calls {
            kinds,
            microphone: Some(Rc::new(Clip::test_tone()?)),
            camera: Some(picture.clone()),
            screen: Some(picture),
        })
    }
}

/// Something that a bot sends: sound as Opus, pictures as VP8. It is encoded already.
pub trait Source {
    /// Begins to play it for one peer.
    fn play(&self) -> Box<dyn Track>;
}

/// A source on its way to one peer.
pub trait Track {
    /// The frame that is sent now.
    fn next(&mut self) -> Frame;

    /// The other side needs a picture that stands for itself, as early as possible. Sound has no need of it.
    fn refresh(&mut self) {}
}

/// A packet of sound, or a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The encoded bytes.
    pub data: Arc<[u8]>,
    /// The time until the next frame is sent. It must not be zero.
    pub lasts: Duration,
}

/// Sound or a picture of a peer has begun to arrive, or has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The peer.
    pub peer: PeerId,
    /// What it is.
    pub kind: MediaKind,
    /// The id of the stream that it belongs to. What the peer sends ([`Sends::streams`]) tells a camera from a screen by it.
    pub stream: String,
    /// Whether it arrives: a picture from its first frame on that stands for itself. It has stopped when nothing came for a
    /// second, or when it is not taken any more.
    pub arrives: bool,
    /// What has arrived since it began.
    pub counts: Counts,
}

/// What has arrived of sound or a picture. Nothing of it is decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets of sound, or pictures.
    pub frames: u64,
    /// The bytes of all of them.
    pub bytes: u64,
    /// Pictures that stand for themselves.
    pub keyframes: u64,
}

/// What arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// Sound.
    Sound,
    /// A picture.
    Picture,
}

impl From<str0m::media::MediaKind> for MediaKind {
    fn from(kind: str0m::media::MediaKind) -> MediaKind {
        match kind {
            str0m::media::MediaKind::Audio => MediaKind::Sound,
            str0m::media::MediaKind::Video => MediaKind::Picture,
        }
    }
}

/// What one bot has to send on all its connections.
pub(crate) struct Own {
    calls: Calls,
    /// The ids of its two streams: that of microphone and camera, and that of the screen.
    streams: [String; 2],
}

/// What leaves through a section of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Microphone,
    Camera,
    Screen,
}

impl Slot {
    pub(crate) const ALL: [Slot; 3] = [Slot::Microphone, Slot::Camera, Slot::Screen];

    fn kind(self) -> str0m::media::MediaKind {
        match self {
            Slot::Microphone => str0m::media::MediaKind::Audio,
            Slot::Camera | Slot::Screen => str0m::media::MediaKind::Video,
        }
    }
}

impl Own {
    /// Takes the random bytes that name the streams.
    pub(crate) fn new(calls: Calls, seed: [u8; 32]) -> Own {
        let id = |bytes: &[u8]| {
            bytes.iter().fold(String::new(), |mut id, byte| {
                // Writing to a string cannot fail.
                let _ = write!(id, "{byte:02x}");
                id
            })
        };
        let (camera, screen) = seed.split_at(16);
        Own {
            calls,
            streams: [id(camera), id(screen)],
        }
    }

    fn source(&self, slot: Slot) -> Option<&Rc<dyn Source>> {
        match slot {
            Slot::Microphone => self.calls.microphone.as_ref(),
            Slot::Camera => self.calls.camera.as_ref(),
            Slot::Screen => self.calls.screen.as_ref(),
        }
    }

    fn stream(&self, slot: Slot) -> &str {
        let [camera, screen] = &self.streams;
        match slot {
            Slot::Microphone | Slot::Camera => camera,
            Slot::Screen => screen,
        }
    }

    /// Completes a command of the bot: it says in which streams something is sent, and nothing that there is no source for.
    pub(crate) fn complete(&self, command: Command) -> Command {
        let Command::Call(mut command) = command else {
            return command;
        };
        match &mut command {
            CallCommand::Start { sends, .. }
            | CallCommand::Answer { sends, .. }
            | CallCommand::Send(sends) => self.fill(sends),
            CallCommand::Share(share) => self.fill(&mut share.sends),
            _ => {}
        }
        Command::Call(command)
    }

    fn fill(&self, sends: &mut Sends) {
        sends.microphone &= self.calls.microphone.is_some();
        sends.camera &= self.calls.camera.is_some();
        sends.screen &= self.calls.screen.is_some();
        sends.streams = self.streams.clone();
    }
}
