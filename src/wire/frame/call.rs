//! Frames about calls, and about cameras and screens that are shown to whoever opens them. Each says how things stand, so
//! that it can be sent again on a new connection.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Frame;
use super::json::{Fields, Writer};

/// The most characters of a stream's id (RFC 8830, section 2).
pub const MAX_STREAM_ID: usize = 64;

/// Identifies a call. Where two people call each other, the smaller id stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub [u8; 8]);

impl CallId {
    /// It as in frames: base64url, 11 characters.
    pub fn to_text(self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Reads what [`CallId::to_text`] wrote.
    pub fn parse(text: &str) -> Option<CallId> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        bytes.try_into().ok().map(CallId)
    }
}

/// What somebody sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sends {
    /// Their voice. A microphone that is muted is not sent.
    pub microphone: bool,
    /// The picture of their camera.
    pub camera: bool,
    /// Their screen, with its sound if there is any.
    pub screen: bool,
    /// They have raised their hand.
    pub hand: bool,
    /// The ids of their two streams (RFC 8830): that of microphone and camera, and that of the screen. They are empty as
    /// long as nothing has been sent.
    pub streams: [String; 2],
}

impl Sends {
    const WORDS: [&str; 4] = ["microphone", "camera", "screen", "hand"];

    /// Whether nobody would see or hear anything of it.
    pub fn is_nothing(&self) -> bool {
        !(self.microphone || self.camera || self.screen)
    }

    /// Reads its words. Words that this version does not know are left out.
    fn read(fields: &Fields) -> Option<Sends> {
        let words = fields.texts("sends")?;
        let [microphone, camera, screen, hand] =
            Sends::WORDS.map(|word| words.iter().any(|it| it == word));
        let streams = match fields.texts("streams") {
            Some(streams) => streams.try_into().ok()?,
            None => [String::new(), String::new()],
        };
        let is_id =
            |id: &String| id.len() <= MAX_STREAM_ID && id.bytes().all(|it| it.is_ascii_graphic());
        streams.iter().all(is_id).then_some(Sends {
            microphone,
            camera,
            screen,
            hand,
            streams,
        })
    }

    fn write(&self, writer: Writer) -> Writer {
        let Sends {
            microphone,
            camera,
            screen,
            hand,
            streams,
        } = self;
        let on = [*microphone, *camera, *screen, *hand];
        let words = Sends::WORDS.iter().zip(on).filter(|(_, on)| *on);
        let words: Vec<String> = words.map(|(word, _)| (*word).to_owned()).collect();
        let writer = writer.texts("sends", &words);
        match streams.iter().any(|id| !id.is_empty()) {
            true => writer.texts("streams", streams),
            false => writer,
        }
    }
}

/// Why somebody is not in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// They were in it, and have left it.
    Left,
    /// They do not want to come.
    Declined,
    /// Their page has no calls.
    Unable,
}

/// How it stands with somebody who wants to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watching {
    /// They see what is shown.
    Admitted,
    /// Whoever shows it is being asked.
    Asked,
    /// They do not get to see it.
    Refused,
    /// They are no longer among those who see it.
    Ended,
}

impl Watching {
    const WORDS: [(Watching, &str); 4] = [
        (Watching::Admitted, "admitted"),
        (Watching::Asked, "asked"),
        (Watching::Refused, "refused"),
        (Watching::Ended, "ended"),
    ];
}

impl HangUp {
    const WORDS: [(HangUp, &str); 3] = [
        (HangUp::Left, "left"),
        (HangUp::Declined, "declined"),
        (HangUp::Unable, "unable"),
    ];
}

/// A camera, a microphone or a screen that somebody shows to whoever opens it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// What there is to see and to hear; if there is nothing, it has ended.
    pub sends: Sends,
    /// Whether viewers should agree before they see it.
    pub sensitive: bool,
    /// Whether whoever shows it is asked before somebody sees it.
    pub asks: bool,
    /// Whether only those see it who show their own camera.
    pub in_return: bool,
}

/// A frame about calls, or about what is shown to whoever opens it.
#[derive(Debug, Clone, PartialEq)]
pub enum CallFrame {
    /// The sender is in this call.
    Call {
        /// The call.
        id: CallId,
        /// The channel in which it is; without one, it is in the direct conversation of the two.
        channel: Option<String>,
        /// Whether the receiver is asked to come.
        ring: bool,
        /// What the sender sends.
        sends: Sends,
    },
    /// The sender is not in this call.
    HangUp {
        /// The call.
        id: CallId,
        /// The reason.
        why: HangUp,
    },
    /// What the sender shows to whoever opens it.
    Share(Shown),
    /// Whether the sender wants to see what the receiver shows.
    Watch {
        /// Whether they want to.
        on: bool,
    },
    /// How it stands with the receiver's wish to watch.
    Watching {
        /// How it stands.
        is: Watching,
    },
    /// The height in pixels at which the sender looks at the receiver's pictures: 0 while they are hidden.
    Size {
        /// That of the camera.
        camera: u16,
        /// That of the screen.
        screen: u16,
    },
}

impl CallFrame {
    pub(super) const KINDS: [&str; 6] = ["call", "hangup", "share", "watch", "watching", "size"];

    pub(super) fn read(kind: &str, fields: &Fields) -> Option<CallFrame> {
        let flag = |name| fields.json(name) == Some("true");
        let id = || CallId::parse(&fields.text("id")?);
        Some(match kind {
            "call" => CallFrame::Call {
                id: id()?,
                channel: fields.text("channel"),
                ring: flag("ring"),
                sends: Sends::read(fields)?,
            },
            "hangup" => CallFrame::HangUp {
                id: id()?,
                // Whatever reason a later version gives, they are not in it.
                why: meaning(&HangUp::WORDS, &fields.text("why")?).unwrap_or(HangUp::Left),
            },
            "share" => CallFrame::Share(Shown {
                sends: Sends::read(fields)?,
                sensitive: flag("sensitive"),
                asks: flag("asks"),
                in_return: flag("return"),
            }),
            "watch" => CallFrame::Watch { on: flag("on") },
            "watching" => CallFrame::Watching {
                is: meaning(&Watching::WORDS, &fields.text("is")?).unwrap_or(Watching::Refused),
            },
            _ => CallFrame::Size {
                camera: fields.number("camera")?,
                screen: fields.number("screen")?,
            },
        })
    }

    pub(super) fn write(&self) -> String {
        let [call, hang_up, share, watch, watching, size] = CallFrame::KINDS;
        let flag = |writer: Writer, name, on| match on {
            true => writer.json(name, "true"),
            false => writer,
        };
        let object = match self {
            CallFrame::Call {
                id,
                channel,
                ring,
                sends,
            } => {
                let object = Writer::new(call).text("id", &id.to_text());
                let object = object.text_if("channel", channel.as_ref());
                sends.write(flag(object, "ring", *ring))
            }
            CallFrame::HangUp { id, why } => {
                let object = Writer::new(hang_up).text("id", &id.to_text());
                object.text("why", word(&HangUp::WORDS, *why))
            }
            CallFrame::Share(shown) => {
                let object = shown.sends.write(Writer::new(share));
                let object = flag(object, "sensitive", shown.sensitive);
                flag(flag(object, "asks", shown.asks), "return", shown.in_return)
            }
            CallFrame::Watch { on } => flag(Writer::new(watch), "on", *on),
            CallFrame::Watching { is } => {
                Writer::new(watching).text("is", word(&Watching::WORDS, *is))
            }
            CallFrame::Size { camera, screen } => Writer::new(size)
                .number("camera", u64::from(*camera))
                .number("screen", u64::from(*screen)),
        };
        object.end()
    }
}

/// What a word stands for.
fn meaning<T: Copy>(words: &[(T, &str)], text: &str) -> Option<T> {
    let found = words.iter().find(|(_, word)| *word == text);
    found.map(|(meaning, _)| *meaning)
}

fn word<T: Copy + PartialEq>(words: &[(T, &'static str)], meaning: T) -> &'static str {
    let found = words.iter().find(|(it, _)| *it == meaning);
    found.map_or("", |(_, word)| word)
}

impl From<CallFrame> for Frame {
    fn from(frame: CallFrame) -> Frame {
        Frame::Call(frame)
    }
}
