//! New offers and answers on a connection that is verified, over its own channel.

use core::time::Duration;

use super::Links;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::timer::LinkTimer;
use crate::rtc::candidate::MAX_CANDIDATES;
use crate::rtc::{
    Candidate, CheckedDescription, ConnectionId, LinkCommand, SdpType, SessionDescription,
    SessionLimits,
};
use crate::wire::frame::LinkFrame;

use super::link::Open;

/// The polite side lets the other one offer first for this long, and the other one the polite side, once it has its turn.
const OTHER_FIRST: Duration = Duration::from_millis(800);
/// The budget for the offers of a peer has one more after this time.
const OFFERS_PAUSE: Duration = Duration::from_secs(1);

impl Links {
    fn open(&mut self, peer: &PeerId) -> Option<&mut Open> {
        self.links.get_mut(peer)?.state.open_mut()
    }

    /// The connection wants a new offer, because what is sent has changed. Offers with sound or pictures must not cross:
    /// Chromium cannot withdraw one whose extensions have other numbers than the other side's, as Firefox's have. So the
    /// polite side asks for its turn first, which takes the time to the other side and back. Where both have just begun to
    /// send, it only waits: the other's offer is on its way.
    pub(super) fn negotiation_needed(&mut self, peer: PeerId, expects_offer: bool, cx: &mut Cx) {
        let Some(open) = self.open(&peer) else {
            return;
        };
        let timer = LinkTimer::Offer(peer).into();
        if open.negotiation.is_polite() {
            if cx.timers.get(&timer).is_none() {
                cx.timers.set(timer, cx.now + OTHER_FIRST);
                if !expects_offer {
                    cx.send(peer, LinkFrame::Turn);
                }
            }
            return;
        }
        match open.their_turn.filter(|until| *until > cx.now) {
            Some(until) => cx.timers.set_earlier(timer, until),
            None => self.renegotiate(peer, cx),
        }
    }

    /// The peer asks for its turn, or gives us ours. While our own offer is open, it says enough: the other side has its turn
    /// after it.
    pub(super) fn on_turn(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(open) = self.open(&peer) else {
            return;
        };
        if open.negotiation.is_polite() {
            return self.take_turn(peer, cx);
        }
        let is_theirs = open.their_turn.is_some_and(|until| until > cx.now);
        if !is_theirs && !open.negotiation.is_offering() {
            open.their_turn = Some(cx.now + OTHER_FIRST);
            cx.send(peer, LinkFrame::Turn);
        }
    }

    /// Makes the offer that has waited for its turn, if there is one.
    fn take_turn(&mut self, peer: PeerId, cx: &mut Cx) {
        let timer = LinkTimer::Offer(peer).into();
        if cx.timers.get(&timer).is_some() {
            cx.timers.clear(&timer);
            self.renegotiate(peer, cx);
        }
    }

    /// Makes a new offer on the open channel.
    pub(super) fn renegotiate(&mut self, peer: PeerId, cx: &mut Cx) {
        if let Some(open) = self.open(&peer)
            && let Some(step) = open.negotiation.want(false)
        {
            cx.link(open.connection, LinkCommand::Renegotiate(step));
        }
    }

    /// Sends our description for a renegotiation over the verified channel.
    pub(super) fn on_renegotiating(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        description: SessionDescription,
        cx: &mut Cx,
    ) {
        let open = self.open(&peer);
        let open = open.filter(|open| open.connection == connection);
        let is_answer = description.kind() == SdpType::Answer;
        if let Some(description) = open.and_then(|open| open.negotiation.described(description)) {
            let description = Box::new(description);
            cx.send(peer, LinkFrame::Signal { description });
        }
        // The other side has had its turn.
        if is_answer {
            if let Some(open) = self.open(&peer) {
                open.their_turn = None;
            }
            self.take_turn(peer, cx);
        }
    }

    /// Handles their offer or answer that came over the channel. It stays on this very connection: fingerprints other
    /// than those that were proven are refused.
    pub(super) fn on_signal(
        &mut self,
        peer: PeerId,
        description: SessionDescription,
        limits: &SessionLimits,
        cx: &mut Cx,
    ) {
        let Some(open) = self.open(&peer) else {
            return;
        };
        let Ok(description) = description.check(limits, &open.their_fingerprint) else {
            return cx.dropped(Dropped::BadFrame);
        };
        // Descriptions come in order, so whoever says something else has withdrawn the offer before it.
        let withdrawn = open.late_offer.take();
        if description.kind() == SdpType::Answer {
            // There is one for each offer of ours, and others change nothing.
            return self.take_description(peer, description, cx);
        }
        open.late_offer = Some(description);
        if withdrawn.is_some() {
            cx.dropped(Dropped::TooManySignals);
        }
        self.take_late_offer(peer, cx);
    }

    /// Takes the last offer of a peer as soon as its budget allows it. One that was dropped would never be answered, and
    /// nothing could be negotiated any more.
    pub(super) fn take_late_offer(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(open) = self.open(&peer) else {
            return;
        };
        if open.late_offer.is_some() && !open.signals.take(cx.now) {
            let at = cx.now + OFFERS_PAUSE;
            return cx.timers.set_earlier(LinkTimer::LateOffer(peer).into(), at);
        }
        if let Some(offer) = open.late_offer.take() {
            self.take_description(peer, offer, cx);
        }
    }

    fn take_description(&mut self, peer: PeerId, description: CheckedDescription, cx: &mut Cx) {
        let Some(open) = self.open(&peer) else {
            return;
        };
        let steps = [
            open.negotiation.received(description),
            open.negotiation.resume(),
        ];
        for step in steps.into_iter().flatten() {
            cx.link(open.connection, LinkCommand::Renegotiate(step));
        }
    }

    /// Handles their late candidates that came over the channel.
    pub(super) fn on_late_candidates(
        &mut self,
        peer: PeerId,
        mut candidates: Vec<Candidate>,
        cx: &mut Cx,
    ) {
        candidates.truncate(MAX_CANDIDATES);
        if let Some(number) = self.open(&peer).map(|open| open.number) {
            self.add_candidates(peer, number, None, candidates, cx);
        }
    }
}
