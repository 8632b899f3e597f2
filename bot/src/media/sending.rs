//! What leaves on a connection, each frame at its time.

use std::rc::Rc;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{MediaTime, Mid};

use super::{Source, Track};

/// Frames that are late by more than this, because the machine slept, are not made up for.
const MAX_LATE: Duration = Duration::from_secs(1);

/// No frame is shorter than this, whatever its source says.
const MIN_LASTS: Duration = Duration::from_millis(1);

/// All tracks that are sent on one connection.
pub struct Sending {
    /// The beginning of the time that frames carry.
    began: Instant,
    tracks: Vec<Sent>,
}

struct Sent {
    mid: Mid,
    track: Box<dyn Track>,
    due: Instant,
}

impl Sending {
    pub fn new(now: Instant) -> Sending {
        Sending {
            began: now,
            tracks: Vec::new(),
        }
    }

    /// Begins or ends what is sent in a section.
    pub fn set(&mut self, mid: Mid, source: Option<&Rc<dyn Source>>, now: Instant) {
        let at = self.tracks.iter().position(|sent| sent.mid == mid);
        match (at, source) {
            (None, Some(source)) => self.tracks.push(Sent {
                mid,
                track: source.play(),
                due: now,
            }),
            (Some(at), None) => drop(self.tracks.swap_remove(at)),
            _ => {}
        }
    }

    /// Writes a frame of each track that is due. Returns whether there was one.
    pub fn play(&mut self, rtc: &mut Rtc, now: Instant) -> bool {
        let mut wrote = false;
        for sent in self.tracks.iter_mut().filter(|sent| sent.due <= now) {
            let frame = sent.track.next();
            let time = sent.due.duration_since(self.began).as_micros();
            let time = MediaTime::from_micros(u64::try_from(time).unwrap_or(u64::MAX));
            sent.due += frame.lasts.max(MIN_LASTS);
            if sent.due + MAX_LATE < now {
                sent.due = now;
            }
            let Some(writer) = rtc.writer(sent.mid) else {
                continue;
            };
            let payload = writer
                .payload_params()
                .find(|it| matches!(it.spec().codec, Codec::Opus | Codec::Vp8))
                .map(|it| it.pt());
            if let Some(payload) = payload {
                // A frame that cannot be sent is lost, as on any network.
                let _ = writer.write(payload, now, time, frame.data);
                wrote = true;
            }
        }
        wrote
    }

    /// The other side needs a picture that stands for itself.
    pub fn refresh(&mut self, mid: Mid) {
        for sent in self.tracks.iter_mut().filter(|sent| sent.mid == mid) {
            sent.track.refresh();
        }
    }

    /// When a frame is due next.
    pub fn next_wake(&self) -> Option<Instant> {
        self.tracks.iter().map(|sent| sent.due).min()
    }
}
