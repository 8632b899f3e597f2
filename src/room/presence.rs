//! Presence: peers tell each other whom they are connected to, so that a room that has split grows together again.
//!
//! They name announcements by digests. A peer that lacks one asks for it, and checks the answer like any announcement,
//! with the budgets of the member that passed it on.

use core::num::NonZeroU32;
use core::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Effect, PeerEvent};
use super::links::Links;
use super::members::{MAX_PEERS, Members};
use super::signaling::Signaling;
use crate::identity::PeerId;
use crate::room::timer::PresenceTimer;
use crate::time::Millis;
use crate::wire::frame::PeopleFrame;
use crate::wire::presence::PresenceDigest;
use crate::wire::{Connect, Frame};

/// Presence is sent this long after a change …
const PRESENCE_DELAY: Duration = Duration::from_secs(2);
/// … and again after this, then after three times as long, since offers to those who were missing can be lost, …
const FIRST_PAUSE: Duration = Duration::from_secs(20);
/// … and at last this rarely.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A member's presence is read at most this often. Members send it every two seconds at most.
const PRESENCE_PAUSE: Duration = Duration::from_secs(1);
/// Announcements are asked for within this time, so that not everybody asks the same member at once.
const FETCH_DELAY: Duration = Duration::from_secs(2);
/// The most announcements that are asked for, or passed on, at once.
const MAX_FETCHED: usize = 16;
/// A member is asked, and answered, at most this often.
const FETCH_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Presence {
    /// Announcements that we lack, by the member that named them. Each member has its own list, so that one that names
    /// announcements which do not exist, or keeps back those it has, does not stand in the way of the others.
    wanted: LiteMap<PeerId, Vec<PresenceDigest>>,
    /// Members that were asked: when, and whether the answer is still awaited.
    asked: LiteMap<PeerId, (Millis, bool)>,
    /// Members that were answered, and when.
    answered: LiteMap<PeerId, Millis>,
    /// Members that sent their presence, and when.
    told: LiteMap<PeerId, Millis>,
    /// How often presence has been sent since the last change.
    repeats: u32,
}

impl Presence {
    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, cx: &mut Cx) {
        match event {
            PeerEvent::Verified => {
                self.repeats = 0;
                // A later change does not postpone it: somebody who comes and goes would postpone it for ever.
                let soon = cx.now + PRESENCE_DELAY;
                cx.timers.set_earlier(PresenceTimer::Tell.into(), soon);
            }
            PeerEvent::Gone { .. } => {
                self.wanted.remove(&peer);
                self.asked.remove(&peer);
                self.answered.remove(&peer);
                self.told.remove(&peer);
            }
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Forgotten => {}
        }
    }

    /// Handles a timer of this machine.
    pub fn on_timer(
        &mut self,
        timer: PresenceTimer,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match timer {
            PresenceTimer::Tell => {
                let pause = FIRST_PAUSE.saturating_mul(3u32.saturating_pow(self.repeats));
                let pause = cx.jittered(pause.min(LONGEST_PAUSE));
                self.repeats = self.repeats.saturating_add(1);
                cx.timers.set(PresenceTimer::Tell.into(), cx.now + pause);
                tell(members, links, cx);
            }
            PresenceTimer::Fetch => self.fetch(members, links, cx),
        }
    }

    /// Handles a frame about who is here.
    pub fn on_frame(
        &mut self,
        peer: PeerId,
        frame: PeopleFrame,
        members: &Members,
        links: &Links,
        signaling: &Signaling,
        cx: &mut Cx,
    ) {
        match frame {
            PeopleFrame::Presence { peers } => {
                self.on_presence(peer, &peers, members, signaling, cx);
            }
            PeopleFrame::Fetch { peers } => self.on_fetch(peer, &peers, members, links, cx),
            PeopleFrame::Connects { connects } => self.on_connects(peer, &connects, signaling, cx),
            // `Room` routes this to the members.
            PeopleFrame::Profile { .. } => {}
        }
    }

    fn on_presence(
        &mut self,
        peer: PeerId,
        named: &[String],
        members: &Members,
        signaling: &Signaling,
        cx: &mut Cx,
    ) {
        // Each costs a hash for every known peer.
        let recent = self.told.get(&peer);
        if recent.is_some_and(|at| cx.now.since(*at) < PRESENCE_PAUSE) {
            return cx.dropped(Dropped::FloodedFrames);
        }
        self.told.insert(peer, cx.now);
        let own = signaling.serials().map(|serial| (cx.own.id, serial));
        let known = digests(members.serials().chain(own));
        let named = named.iter().take(MAX_PEERS);
        let named = named.filter_map(|text| PresenceDigest::parse(text));
        let mut lacking: Vec<PresenceDigest> = Vec::new();
        for digest in named.filter(|digest| !known.contains_key(digest)) {
            if !lacking.contains(&digest) {
                lacking.push(digest);
            }
        }
        if !lacking.is_empty() {
            // Only the latest list of a member counts.
            self.wanted.insert(peer, lacking);
        }
        if !self.wanted.is_empty() && !members.is_full() {
            let delay = cx.random_below(FETCH_DELAY);
            cx.timers
                .set_earlier(PresenceTimer::Fetch.into(), cx.now + delay);
        }
    }

    fn fetch(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        if members.is_full() {
            return self.wanted.clear();
        }
        let known = digests(members.serials());
        for (peer, mut digests) in core::mem::take(&mut self.wanted) {
            // Some may have come in the meantime.
            digests.retain(|digest| !known.contains_key(digest));
            if digests.is_empty() {
                continue;
            }
            let asked = self.asked.get(&peer);
            let recent = asked.is_some_and(|(at, _)| cx.now.since(*at) < FETCH_PAUSE);
            // Digests beyond the limit, or too early, wait.
            if recent {
                self.wanted.insert(peer, digests);
                continue;
            }
            let later = digests.split_off(MAX_FETCHED.min(digests.len()));
            if !later.is_empty() {
                self.wanted.insert(peer, later);
            }
            if links.is_connected(&peer) {
                self.asked.insert(peer, (cx.now, true));
                let peers = digests.into_iter().map(PresenceDigest::to_text).collect();
                cx.send(peer, PeopleFrame::Fetch { peers });
            }
        }
        if !self.wanted.is_empty() {
            cx.timers
                .set(PresenceTimer::Fetch.into(), cx.now + FETCH_PAUSE);
        }
    }

    fn on_fetch(
        &mut self,
        peer: PeerId,
        wanted: &[String],
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let recent = self.answered.get(&peer);
        if recent.is_some_and(|at| cx.now.since(*at) < FETCH_PAUSE) {
            return cx.dropped(Dropped::FloodedFrames);
        }
        self.answered.insert(peer, cx.now);
        let wanted = wanted.iter().take(MAX_FETCHED);
        let wanted: Vec<PresenceDigest> = wanted
            .filter_map(|text| PresenceDigest::parse(text))
            .collect();
        let connects = links.connected().filter_map(|other| {
            let connect = members.connect(&other)?;
            let digest = PresenceDigest::of(&other, connect.serial);
            let passed_on = other != peer && wanted.contains(&digest);
            passed_on.then(|| Base64UrlUnpadded::encode_string(connect.as_bytes()))
        });
        let connects: Vec<String> = connects.collect();
        if !connects.is_empty() {
            cx.send(peer, PeopleFrame::Connects { connects });
        }
    }

    fn on_connects(
        &mut self,
        peer: PeerId,
        connects: &[String],
        signaling: &Signaling,
        cx: &mut Cx,
    ) {
        // Each answer to a question of ours is taken once.
        let asked = self.asked.get_mut(&peer);
        if !asked.is_some_and(|(_, open)| core::mem::take(open)) {
            return cx.dropped(Dropped::Unexpected);
        }
        for text in connects.iter().take(MAX_FETCHED) {
            let bytes = Base64UrlUnpadded::decode_vec(text).ok();
            let connect = bytes.and_then(|bytes| Connect::parse(&bytes).ok());
            match connect {
                Some(connect) if connect.peer_id() == cx.own.id => {}
                Some(connect) if signaling.has_left(&connect.peer_id()) => {
                    cx.dropped(Dropped::Departed);
                }
                Some(connect) => cx.effect(Effect::Introduce(peer, Box::new(connect))),
                None => cx.dropped(Dropped::BadFrame),
            }
        }
    }
}

/// The digests of announcements, given by their peer and serial.
fn digests(
    announcements: impl Iterator<Item = (PeerId, NonZeroU32)>,
) -> LiteMap<PresenceDigest, ()> {
    announcements.fold(LiteMap::new(), |mut digests, (peer, serial)| {
        digests.insert(PresenceDigest::of(&peer, serial), ());
        digests
    })
}

fn tell(members: &Members, links: &Links, cx: &mut Cx) {
    let connected = links.connected();
    let digests = connected.filter_map(|peer| {
        let serial: NonZeroU32 = members.connect(&peer)?.serial;
        Some(PresenceDigest::of(&peer, serial).to_text())
    });
    let peers: Vec<String> = digests.collect();
    if peers.len() > 1 {
        let frame = Frame::People(PeopleFrame::Presence { peers });
        cx.effect(Effect::SendAll(frame));
    }
}
