//! Giving files: to whom, how often, and how much.
//!
//! Nobody can make us send a file but one that stands where they may read, and of that no more than a person can use.

use core::time::Duration;

use litemap::LiteMap;

use super::io::BlobCommand;
use super::{Attachments, Place};
use crate::budget::Budget;
use crate::identity::{PeerId, PublicKey};
use crate::room::channel::files::{ATTACHMENTS, FileCommand};
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::Output;
use crate::room::members::Members;
use crate::rtc::file_channel::FileId;
use crate::time::Millis;
use crate::wire::attachment::FileKey;
use crate::wire::frame::AttachmentFrame;

/// Requests of one peer: at most this many at once …
const ASKS_BURST: u32 = 60;
/// … and then one in each of these pauses.
const ASKS_PAUSE: Duration = Duration::from_secs(1);
/// The most files that are sent to one peer at once …
const MAX_FOR_ONE: usize = 4;
/// … and to all of them: each needs some megabytes of memory.
const MAX_SERVED: usize = 12;
/// The bytes of files that one peer is sent: at most this many a second …
const BYTES_PER_SECOND: u64 = 4 << 20;
/// … on average over this time. A file that was begun is sent to its end.
const BYTES_OVER: Duration = Duration::from_secs(256);

/// What one peer may ask for.
#[derive(Debug)]
pub(super) struct Asker {
    asks: Budget,
    /// What it was sent would have taken until then.
    paid: Millis,
}

impl Asker {
    fn new(now: Millis) -> Asker {
        Asker {
            asks: Budget::slow(ASKS_BURST, ASKS_PAUSE, now),
            paid: now,
        }
    }

    /// Notes that it was sent so many bytes.
    fn was_sent(&mut self, bytes: u64, now: Millis) {
        self.paid = self.paid.max(now) + Duration::from_millis(bytes * 1_000 / BYTES_PER_SECOND);
    }

    fn may_have_more(&self, now: Millis) -> bool {
        self.paid <= now + BYTES_OVER
    }
}

/// A file that is being sent to somebody.
#[derive(Debug)]
pub(super) struct Serving {
    pub peer: PeerId,
    pub key: FileKey,
    pub token: u32,
    /// The number of bytes that have come there.
    pub done: u64,
    /// When the first bytes came there.
    pub since: Option<Millis>,
}

/// What is given to whom.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub list: Vec<Serving>,
    askers: LiteMap<PeerId, Asker>,
    last_token: u32,
}

impl Served {
    fn asker(&mut self, peer: PeerId, now: Millis) -> &mut Asker {
        self.askers.entry(peer).or_insert_with(|| Asker::new(now))
    }

    fn find(&mut self, token: u32) -> Option<&mut Serving> {
        self.list.iter_mut().find(|its| its.token == token)
    }

    pub fn take(&mut self, token: u32) -> Option<Serving> {
        let at = self.list.iter().position(|its| its.token == token)?;
        Some(self.list.remove(at))
    }

    /// Notes that more bytes have come, and returns the file.
    pub fn moved(&mut self, token: u32, done: u64, now: Millis) -> Option<FileKey> {
        let its = self.find(token)?;
        let more = done.saturating_sub(its.done);
        its.done = done;
        its.since.get_or_insert(now);
        let (peer, key) = (its.peer, its.key);
        self.asker(peer, now).was_sent(more, now);
        Some(key)
    }

    pub fn gone(&mut self, peer: &PeerId) {
        self.askers.remove(peer);
    }
}

impl Attachments {
    /// A peer asks for a file.
    pub(super) fn on_want(&mut self, peer: PeerId, key: FileKey, members: &Members, cx: &mut Cx) {
        let now = cx.now;
        if !self.served.asker(peer, now).asks.take(now) {
            return cx.dropped(Dropped::FloodedFrames);
        }
        if self.to_give(&peer, &key, members, cx).is_none() {
            return cx.send(peer, AttachmentFrame::Lack(key));
        }
        let list = &self.served.list;
        // What is asked for again is given once.
        if list.iter().any(|its| its.peer == peer && its.key == key) {
            return cx.dropped(Dropped::Repeated);
        }
        let is_busy = list.len() >= MAX_SERVED
            || list.iter().filter(|its| its.peer == peer).count() >= MAX_FOR_ONE
            || !self.served.asker(peer, now).may_have_more(now);
        if is_busy {
            return cx.send(peer, AttachmentFrame::Lack(key));
        }
        self.served.last_token = self.served.last_token.wrapping_add(1) % ATTACHMENTS;
        let token = ATTACHMENTS + self.served.last_token;
        self.served.list.push(Serving {
            peer,
            key,
            token,
            done: 0,
            since: None,
        });
        cx.output(Output::Blob(BlobCommand::Send { token, key }));
    }

    /// A place where this peer may read of a file that is here.
    fn to_give(&self, peer: &PeerId, key: &FileKey, members: &Members, cx: &Cx) -> Option<&Place> {
        let asker = members.connect(peer)?.identity;
        let known = self.known.get(key).filter(|known| known.here)?;
        let mut places = known.places.iter();
        places.find(|place| may_read(&asker, place, members, cx))
    }

    /// The bytes of a file that was asked for are at hand: it is offered.
    pub(super) fn on_ready(&mut self, token: u32, members: &Members, cx: &mut Cx) {
        let served = self.served.find(token);
        let Some((peer, key)) = served.map(|its| (its.peer, its.key)) else {
            return cx.effect(Effect::Transfer(
                FileCommand::Cancel(FileId::Ours(token)),
                None,
            ));
        };
        let Some(place) = self.to_give(&peer, &key, members, cx) else {
            return self.on_missing(token, cx);
        };
        let offer = FileCommand::Offer {
            peer,
            token,
            name: place.name.clone(),
            size: key.size,
            mime: place.mime.clone(),
        };
        cx.effect(Effect::Transfer(offer, Some(key.hash)));
    }

    /// The bytes of a file that was asked for are not here any more.
    pub(super) fn on_missing(&mut self, token: u32, cx: &mut Cx) {
        if let Some(Serving { peer, key, .. }) = self.served.take(token) {
            cx.send(peer, AttachmentFrame::Lack(key));
        }
    }
}

/// Whether a peer may read what was said here.
fn may_read(asker: &PublicKey, place: &Place, members: &Members, cx: &Cx) -> bool {
    match place.with {
        Some(with) => *asker == with || *asker == cx.own.key,
        None => members.may_have_words_of(&place.author, asker, cx),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_was_sent_a_gigabyte_waits_until_others_would_have_it_too() {
        let now = Millis(1_000);
        let mut asker = Asker::new(now);
        let large = 256 << 20;
        let mut times = 0;
        while asker.may_have_more(now) && times < 100 {
            asker.was_sent(large, now);
            times += 1;
        }
        assert_eq!(times, 5, "a gigabyte, and the file that goes beyond it");
        assert!(!asker.may_have_more(now + Duration::from_secs(63)));
        assert!(asker.may_have_more(now + Duration::from_secs(64)));
        // One file may be larger than that.
        let mut asker = Asker::new(now);
        asker.was_sent(1 << 40, now);
        assert!(!asker.may_have_more(now + Duration::from_secs(3_600)));
    }
}
