//! New offers and answers on a connection that is verified, over its own channel.

use super::Links;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::rtc::candidate::MAX_CANDIDATES;
use crate::rtc::{Candidate, ConnectionId, LinkCommand, SessionDescription, SessionLimits};
use crate::wire::frame::LinkFrame;

use super::link::Open;

impl Links {
    fn open(&mut self, peer: &PeerId) -> Option<&mut Open> {
        self.links.get_mut(peer)?.state.open_mut()
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
        if let Some(description) = open.and_then(|open| open.negotiation.described(description)) {
            let description = Box::new(description);
            cx.send(peer, LinkFrame::Signal { description });
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
        if !open.signals.take(cx.now) {
            return cx.dropped(Dropped::TooManySignals);
        }
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
