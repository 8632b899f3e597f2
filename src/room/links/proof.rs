//! Each side signs what it has seen of this very attempt: the room, both announcements, both introductions and both
//! DTLS fingerprints. Anybody in the middle has other fingerprints; anything that was changed on the way gives another
//! transcript.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Links;
use super::link::{State, Tries};
use crate::identity::{PeerId, Signature};
use crate::json::Json;
use crate::room::counters::Dropped;
use crate::room::cx::{Cx, SignFor};
use crate::room::effect::{Effect, PeerEvent, Proven};
use crate::room::timer::LinkTimer;
use crate::rtc::ConnectionId;
use crate::settings::options::MAX_INFO;
use crate::wire::extension::Extensions;
use crate::wire::frame::LinkFrame;
use crate::wire::transcript::{Expected, Proof, ProofError, Role, UnsignedVerify, VerifyFields};
use crate::wire::{Frame, Nonce};

/// Whether an application may give this information about its user: a JSON object of at most [`MAX_INFO`] bytes.
fn is_info(text: &str) -> bool {
    text.len() <= MAX_INFO && Json::parse(text).is_ok_and(|info| info.as_object().is_some())
}

impl Links {
    /// Requests the signature of our proof as soon as everything it covers is known, while the browser still looks for
    /// a path.
    pub(super) fn prepare_proof(&mut self, peer: PeerId, cx: &mut Cx) {
        cx.timers.clear(&LinkTimer::Prove(peer).into());
        if let Some((message, connection)) = self.unsigned_proof(peer, cx) {
            cx.sign(SignFor::Verify(peer, connection), message);
        }
    }

    fn unsigned_proof(&mut self, peer: PeerId, cx: &mut Cx) -> Option<(Vec<u8>, ConnectionId)> {
        let attempt = self.attempt(&peer)?;
        // One proof for each attempt.
        if attempt.given.is_some() {
            return None;
        }
        let transcript = attempt.transcript(&cx.own.room)?;
        let own = cx.own.connect.clone()?;
        let fields = VerifyFields {
            role: attempt.role,
            transcript,
            current: own.id,
            resume: Nonce::generate(&mut cx.rng),
        };
        attempt.given = Some((fields.resume, own.id));
        let renewed = attempt.named.as_ref()?.ours != own.id;
        let unsigned = UnsignedVerify::new(fields, Extensions::default()).ok()?;
        let message = unsigned.message(&cx.own.room);
        attempt.verify = Some((unsigned, renewed.then_some(own.connect)));
        Some((message, attempt.connection))
    }

    /// Handles the signature of our proof.
    pub fn on_verify_signed(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        signature: Signature,
        cx: &mut Cx,
    ) {
        let attempt = self
            .attempt(&peer)
            .filter(|its| its.connection == connection);
        let Some(attempt) = attempt else {
            return;
        };
        let Some((unsigned, renewed)) = attempt.verify.take() else {
            return;
        };
        let Ok(verify) = unsigned.signed(signature) else {
            return self.attempt_failed(peer, cx);
        };
        let proof = Proof::new(verify, renewed).to_bytes();
        attempt.proof = Some(Frame::Link(LinkFrame::Verify {
            proof: Base64UrlUnpadded::encode_string(&proof),
            info: cx.own.info.clone(),
        }));
        self.send_proof(peer, cx);
        let early = self.attempt(&peer).and_then(|its| its.early.take());
        if let Some(text) = early {
            self.check_proof(peer, connection, &text, cx);
        }
    }

    /// Sends our proof, our first frame on the channel, once it is signed and the channel is open.
    pub(super) fn send_proof(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(attempt) = self.attempt(&peer).filter(|its| its.is_open()) else {
            return;
        };
        let connection = attempt.connection;
        if let Some(proof) = attempt.proof.take() {
            cx.send_on(connection, &proof);
        }
    }

    /// Checks the first frame on a channel that is not verified: if it is not their proof, the attempt ends.
    pub(super) fn check_proof(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        text: &str,
        cx: &mut Cx,
    ) {
        let room = cx.own.room;
        let attempt = self
            .attempt(&peer)
            .filter(|its| its.connection == connection);
        let Some(attempt) = attempt else { return };
        if attempt.is_open() && attempt.verify.is_some() && attempt.early.is_none() {
            // Whatever we say before our own proof would be taken for a false one.
            attempt.early = Some(text.to_owned());
            return;
        }
        let (true, Some(transcript), Some(named)) =
            (attempt.is_open(), attempt.transcript(&room), &attempt.named)
        else {
            return self.not_proven(peer, ProofError::Malformed, cx);
        };
        let Ok(Frame::Link(LinkFrame::Verify { proof, info })) = Frame::from_json(text) else {
            return self.not_proven(peer, ProofError::Malformed, cx);
        };
        let expected = Expected {
            room: &room,
            transcript: &transcript,
            role: match attempt.role {
                Role::Offerer => Role::Answerer,
                Role::Answerer => Role::Offerer,
            },
            used: &named.connect,
        };
        let bytes = Base64UrlUnpadded::decode_vec(&proof).map_err(|_| ProofError::Malformed);
        let proof = bytes.and_then(|bytes| Proof::parse(&bytes)?.check(&expected));
        let (proof, given) = match (proof, attempt.given) {
            (Ok(proof), Some(given)) => (proof, given),
            (Ok(_), None) => return self.attempt_failed(peer, cx),
            (Err(error), _) => return self.not_proven(peer, error, cx),
        };
        let fits = info.as_deref().is_none_or(is_info);
        if !fits {
            cx.dropped(Dropped::BadFrame);
        }
        let id = proof.connect.id(&room);
        let proven = Proven {
            connect: proof.connect,
            id,
            resume: proof.resume,
            ours: given,
            info: info.filter(|_| fits),
        };
        cx.effect(Effect::Proven(peer, Box::new(proven)));
        self.verified(peer, cx);
    }

    /// Turns the attempt of a peer that has proven who it is into the connection that frames go over.
    fn verified(&mut self, peer: PeerId, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(attempt) = link.attempt.take() else {
            return;
        };
        let Some(binding) = attempt.binding().copied() else {
            return;
        };
        let open = attempt.open(binding, &cx.own.id, &peer, cx.now);
        let state = State::Verified {
            open,
            heard: cx.now,
        };
        let former = core::mem::replace(&mut link.state, state);
        link.tries = Tries::default();
        if let Some(former) = former.open().map(|open| open.connection) {
            self.close(former, cx);
        }
        cx.timers.clear(&LinkTimer::Attempt(peer).into());
        self.watch(peer, cx);
        cx.changed = true;
        cx.peer(peer, PeerEvent::Verified);
    }

    /// Closes the connection of a peer that did not prove who it is. It is not tried again by itself: a false proof is
    /// no accident of the network.
    fn not_proven(&mut self, peer: PeerId, error: ProofError, cx: &mut Cx) {
        self.give_up_attempt(peer, cx);
        if let Some(link) = self.links.get_mut(&peer)
            && link.state.open().is_none()
        {
            // A former connection that was proven stays what it is.
            link.state = State::Failed {
                heard: link.state.heard(),
            };
        }
        cx.effect(Effect::NotProven(peer, error));
        cx.changed = true;
    }
}
