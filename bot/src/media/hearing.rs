//! What arrives on a connection. It is counted, and not decoded.

use std::time::{Duration, Instant};

use rtchat::identity::PeerId;
use str0m::Rtc;
use str0m::media::{KeyframeRequestKind, MediaData, Mid};

use super::{Counts, MediaKind, Received};

/// A section of which nothing has come for this long has stopped.
const SILENCE: Duration = Duration::from_secs(1);

/// A picture that stands for itself is asked for this often, until there is one.
const ASKING: Duration = Duration::from_secs(1);

/// Everything that arrives on one connection.
#[derive(Default)]
pub struct Hearing {
    peer: Option<PeerId>,
    /// The tracks that arrive at the moment, at most one for each section.
    heard: Vec<Heard>,
    received: Vec<Received>,
}

struct Heard {
    mid: Mid,
    kind: MediaKind,
    stream: String,
    counts: Counts,
    last: Instant,
    /// Whether it was told of.
    is_told: bool,
    asked: Option<Instant>,
}

impl Hearing {
    /// The peer at the other end.
    pub fn take_from(&mut self, peer: PeerId) {
        self.peer = Some(peer);
    }

    /// Counts a packet of sound, or a picture.
    pub fn receive(&mut self, data: &MediaData, rtc: &mut Rtc, now: Instant) {
        let Some(media) = rtc.media(data.mid) else {
            return;
        };
        let at = self.heard.iter().position(|heard| heard.mid == data.mid);
        let at = at.unwrap_or_else(|| {
            self.heard.push(Heard {
                mid: data.mid,
                kind: media.kind().into(),
                stream: media.stream_id().to_owned(),
                counts: Counts::default(),
                last: now,
                is_told: false,
                asked: None,
            });
            self.heard.len() - 1
        });
        let heard = &mut self.heard[at];
        heard.last = now;
        heard.counts.frames += 1;
        heard.counts.bytes += data.data.len() as u64;
        heard.counts.keyframes += u64::from(data.is_keyframe());
        if heard.kind == MediaKind::Sound || heard.counts.keyframes > 0 {
            if !std::mem::replace(&mut heard.is_told, true) {
                self.received.extend(heard.tell(self.peer, true));
            }
        } else if heard.asked.is_none_or(|asked| asked + ASKING <= now) {
            heard.asked = Some(now);
            if let Some(mut writer) = rtc.writer(data.mid) {
                // If it cannot be asked for, it comes at some time.
                let _ = writer.request_keyframe(data.rid, KeyframeRequestKind::Pli);
            }
        }
    }

    /// Notices what has stopped.
    pub fn look(&mut self, now: Instant) {
        self.end_of(|heard| heard.last + SILENCE <= now);
    }

    /// Nothing is taken any more.
    pub fn end(&mut self) {
        self.end_of(|_| true);
    }

    fn end_of(&mut self, is_over: impl Fn(&Heard) -> bool) {
        let peer = self.peer;
        for heard in self.heard.extract_if(.., |heard| is_over(heard)) {
            if heard.is_told {
                self.received.extend(heard.tell(peer, false));
            }
        }
    }

    /// Tracks that have begun or stopped arriving since the last call.
    pub fn take_received(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.received)
    }

    /// When [`look`](Hearing::look) has to be called next.
    pub fn next_wake(&self) -> Option<Instant> {
        self.heard.iter().map(|heard| heard.last + SILENCE).min()
    }
}

impl Heard {
    fn tell(&self, peer: Option<PeerId>, arrives: bool) -> Option<Received> {
        Some(Received {
            peer: peer?,
            kind: self.kind,
            stream: self.stream.clone(),
            arrives,
            counts: self.counts,
        })
    }
}
