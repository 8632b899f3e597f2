//! Calls, and cameras and screens that are shown to whoever opens them.
//!
//! Everybody tells everybody else how things stand: which call they are in and what they send there ([`CallFrame::Call`]),
//! what they show to whoever opens it, and what they would like to see. What is told is compared with what was told, so that
//! a new connection, or a change, sends just what is missing (`telling.rs`). What runs on each connection follows from both
//! sides' states (`media.rs`): nothing is sent to somebody who is not in the same call, and does not watch.
//!
//! A conversation has one call. Two people who call each other are therefore in the same one, under the smaller id.

mod media;
mod notes;
mod ringing;
mod sharing;
mod telling;
mod view;

use core::time::Duration;

use chacha20::rand_core::Rng;
use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::PeerEvent;
use super::io::{
    CallCommand, CallEvent, CallId, CallLine, CallsView, Conversation, Deletion, Event, Sends,
    Share, StoreEvent, WatchState,
};
use super::links::Links;
use super::members::Members;
use super::timer::Timer;
use crate::budget::Budget;
use crate::identity::{PeerId, PublicKey};
use crate::rtc::{ConnectionId, SessionLimits};
use crate::settings::CallKinds;
use crate::time::Millis;
use crate::wire::frame::{CallFrame, HangUp};

use media::MediaWish;
pub use notes::CALLS;
use notes::Notes;
use ringing::{Ringing, Rings};
use sharing::{Guest, Sharing};
use telling::Told;

/// A call rings for this long.
const RING_TIME: Duration = Duration::from_secs(45);
/// A call in a channel rings only if at most this many people are in the room, ourselves included.
const MAX_RUNG: usize = 8;
/// For this long after two people come together in a call, each is expected to add what they send.
const BEGINNING: Duration = Duration::from_secs(2);
/// Sound and pictures begin anew on this many connections to one peer in a row …
const STARTS_BURST: u32 = 4;
/// … and then on one in this time: where they break every connection, people can still write to each other.
const STARTS_PAUSE: Duration = Duration::from_secs(10);
/// Frames about calls that one peer may send: at most this many at once …
const FRAMES_BURST: u32 = 60;
/// … and this many a second from then on.
const FRAMES_PER_SECOND: u32 = 4;

/// The call that this tab is in.
#[derive(Debug)]
struct Joined {
    id: CallId,
    conversation: Conversation,
    sends: Sends,
    /// How long it rings at others.
    rings_until: Option<Millis>,
    /// When somebody else was first in it.
    since: Option<Millis>,
}

/// The call that a peer is in.
#[derive(Debug)]
struct TheirCall {
    id: CallId,
    conversation: Conversation,
    ring: bool,
    sends: Sends,
}

/// What one peer has told, and what it was told.
#[derive(Debug)]
struct Other {
    key: PublicKey,
    budget: Budget,
    /// How often it may ring.
    rings: Budget,
    call: Option<TheirCall>,
    /// What it shows to whoever opens it.
    share: Share,
    /// How it stands with our wish to watch that.
    watch: WatchState,
    /// The heights at which we look at its camera and its screen.
    our_heights: [u16; 2],
    /// Its wish to watch what we show.
    guest: Option<Guest>,
    /// The heights at which it looks at our camera and our screen.
    their_heights: [u16; 2],
    told: Told,
    /// What runs on which connection.
    media: Option<(ConnectionId, MediaWish)>,
    /// The connection on which sound and pictures have begun, and how often they may begin on another one.
    started: Option<ConnectionId>,
    starts: Budget,
    /// When sound and pictures in both directions began on this connection.
    began: Option<Millis>,
    /// Whether anything has ever run with it, so that its offers may have sections for sound and pictures.
    has_had_media: bool,
}

impl Other {
    fn new(key: PublicKey, now: Millis) -> Other {
        Other {
            key,
            budget: Budget::new(FRAMES_BURST, FRAMES_PER_SECOND, now),
            rings: ringing::budget(now),
            call: None,
            share: Share::default(),
            watch: WatchState::default(),
            our_heights: [u16::MAX; 2],
            guest: None,
            their_heights: [u16::MAX; 2],
            told: Told::default(),
            media: None,
            started: None,
            starts: Budget::slow(STARTS_BURST, STARTS_PAUSE, now),
            began: None,
            has_had_media: false,
        }
    }

    fn is_in(&self, conversation: &Conversation) -> bool {
        let call = self.call.as_ref();
        call.is_some_and(|call| call.conversation == *conversation)
    }
}

/// The machine of calls.
#[derive(Debug)]
pub(super) struct Calls {
    kinds: CallKinds,
    channels: Vec<String>,
    own: Option<Joined>,
    others: LiteMap<PeerId, Other>,
    rings: Rings,
    sharing: Sharing,
    notes: Notes,
    shown: CallsView,
}

impl Calls {
    /// Creates it for a room with these channels, where there are these calls.
    pub fn new(kinds: CallKinds, channels: &[String]) -> Calls {
        Calls {
            kinds,
            channels: channels.to_vec(),
            own: None,
            others: LiteMap::new(),
            rings: Rings::default(),
            sharing: Sharing::default(),
            notes: Notes::default(),
            shown: CallsView::default(),
        }
    }

    /// The limits of what a peer may negotiate: nothing but data, until something has run with it.
    pub fn limits(&self, peer: &PeerId) -> SessionLimits {
        let other = self.others.get(peer);
        match other.is_some_and(|other| other.has_had_media) {
            true => SessionLimits::MEDIA,
            false => SessionLimits::DATA_ONLY,
        }
    }

    /// Whether a peer will soon offer to send something, as we do: both have just begun.
    pub fn expects_offer(&self, peer: &PeerId, now: Millis) -> bool {
        let began = self.others.get(peer).and_then(|other| other.began);
        began.is_some_and(|began| now.since(began) < BEGINNING)
    }

    /// Handles a command of the person.
    pub fn on_command(
        &mut self,
        command: CallCommand,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        if self.kinds == CallKinds::Off && !matches!(command, CallCommand::Seen(_)) {
            return cx.event(Event::Refused("This chat has no calls.".to_owned()));
        }
        match command {
            CallCommand::Seen(conversation) => self.notes.seen(&conversation, cx),
            CallCommand::Start {
                conversation,
                sends,
            } => self.start(conversation, sends, links, cx),
            CallCommand::Answer { call, sends } => match self.place_of(&call) {
                Some(conversation) => self.start(conversation, sends, links, cx),
                None => cx.event(Event::Refused("The call is over.".to_owned())),
            },
            CallCommand::Decline(call) => self.decline(call, cx),
            CallCommand::HangUp => self.end(cx),
            CallCommand::Send(sends) => {
                if let Some(own) = &mut self.own {
                    own.sends = allowed(sends, self.kinds);
                }
            }
            CallCommand::Share(share) => {
                let sends = allowed(share.sends, self.kinds);
                self.share(Share { sends, ..share });
            }
            CallCommand::Unshare => self.share(Share::default()),
            CallCommand::Watch { peer, on } => self.watch(&peer, on),
            CallCommand::Admit { peer, on } => self.admit(&peer, on),
            CallCommand::Want {
                peer,
                camera,
                screen,
            } => {
                if let Some(other) = self.others.get_mut(&peer)
                    && self.kinds == CallKinds::Video
                {
                    other.our_heights = [camera, screen];
                }
            }
        }
        self.settle(members, links, cx);
    }

    /// Notes about calls go with the messages among which they stand.
    pub fn on_deletion(&mut self, deletion: &Deletion, cx: &mut Cx) {
        match deletion {
            Deletion::Message(_) => {}
            Deletion::Conversation(conversation) => self.notes.delete(conversation, cx),
            Deletion::Room | Deletion::Site => self.notes.clear(),
        }
    }

    /// Handles an event of the store.
    pub fn on_store(&mut self, event: &StoreEvent, cx: &mut Cx) {
        self.notes.on_store(event, cx);
    }

    /// Handles a frame of a peer.
    pub fn on_frame(
        &mut self,
        peer: PeerId,
        frame: CallFrame,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let Some(other) = self.others.get_mut(&peer) else {
            return;
        };
        if !other.budget.take(cx.now) {
            return cx.dropped(Dropped::FloodedFrames);
        }
        if self.kinds == CallKinds::Off {
            if let CallFrame::Call { id, ring: true, .. } = frame {
                let why = HangUp::Unable;
                cx.send(peer, CallFrame::HangUp { id, why });
            }
            return;
        }
        match frame {
            CallFrame::Call {
                id,
                channel,
                ring,
                sends,
            } => {
                let is_own = other.key == cx.own.key;
                let conversation = match channel {
                    Some(name) if self.channels.contains(&name) => Conversation::Channel(name),
                    // Another tab of ours has answered.
                    None if is_own => {
                        self.rings.answer(&id);
                        return self.settle(members, links, cx);
                    }
                    None if cx.features.direct => Conversation::Direct(other.key),
                    _ => return,
                };
                let ring = ring && !is_own;
                let sends = other.limit_sends(sends, self.kinds);
                let call = TheirCall {
                    id,
                    conversation,
                    ring,
                    sends,
                };
                self.is_in_call(peer, call, members, links, cx);
            }
            CallFrame::HangUp { id, why } => self.hung_up(peer, id, why, members, cx),
            CallFrame::Share(share) => {
                let sends = other.limit_sends(share.sends, self.kinds);
                self.shows(&peer, Share { sends, ..share });
            }
            CallFrame::Watch { on } => self.wants_to_watch(&peer, on),
            CallFrame::Watching { is } => self.may_watch(&peer, is),
            CallFrame::Size { camera, screen } => other.their_heights = [camera, screen],
        }
        self.settle(members, links, cx);
    }

    /// Handles an event of a peer.
    pub fn on_peer(
        &mut self,
        peer: PeerId,
        event: &PeerEvent,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match event {
            PeerEvent::Verified => {
                let Some(connect) = members.connect(&peer) else {
                    return;
                };
                let now = cx.now;
                let other = self.others.entry(peer);
                let other = other.or_insert_with(|| Other::new(connect.identity, now));
                // What was on its way is lost with the former connection.
                other.told.is_stale = true;
            }
            PeerEvent::Forgotten => {
                if let Some(other) = self.others.get_mut(&peer) {
                    let fresh = Other::new(other.key, cx.now);
                    let before = core::mem::replace(other, fresh);
                    other.media = before.media;
                    other.started = before.started;
                    other.starts = before.starts.clone();
                    other.has_had_media = before.has_had_media;
                    self.is_gone(before, members, cx);
                }
            }
            PeerEvent::Gone { .. } => {
                if let Some(before) = self.others.remove(&peer) {
                    self.is_gone(before, members, cx);
                }
            }
            PeerEvent::Lost | PeerEvent::Returned => {}
        }
        self.settle(members, links, cx);
    }

    /// Handles the timer of this machine.
    pub fn on_timer(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        if let Some(own) = &mut self.own
            && own.rings_until.take_if(|until| *until <= cx.now).is_some()
            && own.since.is_none()
            && let Conversation::Direct(_) = own.conversation
        {
            self.end_with(CallLine::NotAnswered, cx);
        }
        for ring in self.rings.take_due(cx.now) {
            self.missed(&ring, members, cx);
        }
        self.settle(members, links, cx);
    }

    /// Ends everything, because we leave.
    pub fn clear(&mut self, cx: &mut Cx) {
        *self = Calls::new(self.kinds, &self.channels);
        cx.timers.clear(&Timer::Calls);
        cx.event(Event::Call(CallEvent::Changed(Box::default())));
    }

    /// Enters the call of a conversation, and calls whoever is there if nobody is in it.
    fn start(&mut self, conversation: Conversation, sends: Sends, links: &Links, cx: &mut Cx) {
        let is_here = match &conversation {
            Conversation::Channel(name) => self.channels.contains(name),
            Conversation::Direct(key) => *key != cx.own.key && cx.features.direct,
        };
        if !is_here {
            return cx.event(Event::Refused("There is nobody to call there.".to_owned()));
        }
        let sends = allowed(sends, self.kinds);
        if let Some(own) = self
            .own
            .as_mut()
            .filter(|own| own.conversation == conversation)
        {
            own.sends = sends;
            return;
        }
        self.end(cx);
        self.rings.answer_in(&conversation);
        let there = calls(&self.others).filter(|call| call.conversation == conversation);
        let there = there.map(|call| call.id).min();
        let rings = there.is_none() && self.can_ring(&conversation, links, cx);
        let id = there.unwrap_or_else(|| {
            let mut id = [0; 8];
            cx.rng.fill_bytes(&mut id);
            CallId(id)
        });
        self.own = Some(Joined {
            id,
            conversation,
            sends,
            rings_until: rings.then(|| cx.now + RING_TIME),
            since: there.map(|_| cx.now),
        });
    }

    /// The conversation in which this call is.
    fn place_of(&self, call: &CallId) -> Option<Conversation> {
        let mut there = calls(&self.others).filter(|it| it.id == *call);
        there.next().map(|call| call.conversation.clone())
    }

    /// Leaves the call that we are in, if any.
    fn end(&mut self, cx: &mut Cx) {
        let since = self.own.as_ref().and_then(|own| own.since);
        match since {
            Some(since) => self.end_with(CallLine::Ended(cx.now.since(since).as_secs()), cx),
            None => self.own = None,
        }
    }

    fn end_with(&mut self, what: CallLine, cx: &mut Cx) {
        if let Some(own) = self.own.take() {
            self.notes.add(own.id, own.conversation, None, what, cx);
        }
    }

    /// A peer says that it is in a call.
    fn is_in_call(
        &mut self,
        peer: PeerId,
        call: TheirCall,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let can_ring = self.can_ring(&call.conversation, links, cx);
        let Some(other) = self.others.get_mut(&peer) else {
            return;
        };
        let known = other
            .call
            .as_ref()
            .is_some_and(|before| before.id == call.id);
        let begins = call.ring && can_ring && (known || other.rings.take(cx.now));
        match &mut self.own {
            Some(own) if own.conversation == call.conversation => {
                own.id = own.id.min(call.id);
                own.since.get_or_insert(cx.now);
                if let Conversation::Direct(_) = call.conversation {
                    own.rings_until = None;
                }
            }
            // Another tab of ours has joined it.
            _ if other.key == cx.own.key => drop(self.rings.answer(&call.id)),
            own if begins => {
                let trust = members.trust_here(&other.key);
                let is_loud = own.is_none() && trust.is_some_and(ringing::is_loud);
                self.rings.begin(Ringing {
                    call: call.id,
                    conversation: call.conversation.clone(),
                    from: peer,
                    video: call.sends.camera,
                    silent: !is_loud,
                    until: cx.now + RING_TIME,
                });
            }
            _ => {}
        }
        other.call = Some(call);
        self.stop_rings(members, cx);
    }

    /// Whether a call there rings: not in a room with many people.
    fn can_ring(&self, conversation: &Conversation, links: &Links, cx: &Cx) -> bool {
        if let Conversation::Direct(_) = conversation {
            return true;
        }
        let mut keys = vec![cx.own.key];
        for (peer, other) in &self.others {
            if links.is_connected(peer) && !keys.contains(&other.key) {
                keys.push(other.key);
            }
        }
        keys.len() <= MAX_RUNG
    }

    /// A peer says that it is not in a call.
    fn hung_up(&mut self, peer: PeerId, id: CallId, why: HangUp, members: &Members, cx: &mut Cx) {
        let Some(other) = self.others.get_mut(&peer) else {
            return;
        };
        let key = other.key;
        let left = other.call.take_if(|call| call.id == id);
        if key == cx.own.key && why == HangUp::Declined {
            self.rings.answer(&id);
        }
        if let Some(left) = left {
            self.has_left(&left.conversation, cx);
        }
        let own = self.own.as_ref();
        let called = own.is_some_and(|own| {
            own.id == id && own.since.is_none() && own.conversation == Conversation::Direct(key)
        });
        match why {
            HangUp::Declined if called => self.end_with(CallLine::Declined, cx),
            HangUp::Unable if called => self.end_with(CallLine::Unable, cx),
            _ => {}
        }
        self.stop_rings(members, cx);
    }

    fn is_gone(&mut self, before: Other, members: &Members, cx: &mut Cx) {
        if let Some(call) = before.call {
            self.has_left(&call.conversation, cx);
            self.stop_rings(members, cx);
        }
    }

    /// Somebody left the call of a conversation. One with one person ends with that.
    fn has_left(&mut self, conversation: &Conversation, cx: &mut Cx) {
        let own = self.own.as_ref();
        let is_ours = own.is_some_and(|own| own.conversation == *conversation);
        let is_direct = matches!(conversation, Conversation::Direct(_));
        if is_ours && is_direct && !self.others.values().any(|other| other.is_in(conversation)) {
            self.end(cx);
        }
    }

    /// Turns down a call, for all of our tabs.
    fn decline(&mut self, call: CallId, cx: &mut Cx) {
        if !self.rings.answer(&call) {
            return;
        }
        let frame = CallFrame::HangUp {
            id: call,
            why: HangUp::Declined,
        };
        for (peer, other) in &self.others {
            let is_in_it = other.call.as_ref().is_some_and(|it| it.id == call);
            if is_in_it || other.key == cx.own.key {
                cx.send(*peer, frame.clone());
            }
        }
    }

    /// Ends the rings of which nobody rings any more.
    fn stop_rings(&mut self, members: &Members, cx: &mut Cx) {
        let others = &self.others;
        let rings = |id: &CallId| calls(others).any(|call| call.ring && call.id == *id);
        for ring in self.rings.take_unless(rings) {
            self.missed(&ring, members, cx);
        }
    }

    fn missed(&mut self, ring: &Ringing, members: &Members, cx: &mut Cx) {
        let user = members.user(&ring.from).map(str::to_owned);
        let conversation = ring.conversation.clone();
        self.notes
            .add(ring.call, conversation, user, CallLine::Missed, cx);
    }

    /// Tells others what has changed, and asks the browser for what follows from it.
    fn settle(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        self.review_guests();
        self.tell_all(links, cx);
        let again = self.move_media(links, cx);
        let own_rings = self.own.as_ref().and_then(|own| own.rings_until);
        let due = [own_rings, self.rings.next_due(), again];
        match due.into_iter().flatten().min() {
            Some(at) => cx.timers.set(Timer::Calls, at),
            None => cx.timers.clear(&Timer::Calls),
        }
        let view = self.view(members, links);
        if view != self.shown {
            self.shown = view.clone();
            cx.event(Event::Call(CallEvent::Changed(Box::new(view))));
        }
    }
}

/// The calls that others are in.
fn calls(others: &LiteMap<PeerId, Other>) -> impl Iterator<Item = &TheirCall> {
    others.values().filter_map(|other| other.call.as_ref())
}

/// What the site allows of this.
fn allowed(sends: Sends, kinds: CallKinds) -> Sends {
    let has_video = kinds == CallKinds::Video;
    Sends {
        camera: sends.camera && has_video,
        screen: sends.screen && has_video,
        ..sends
    }
}
