//! Each side signs, for this very connection: the room, both peer ids, the other's challenge, and both DTLS
//! fingerprints as it sees them. Whoever put itself in the middle has other fingerprints.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::link::{Binding, Stage, State};
use super::{Links, Timer};
use crate::identity::{PeerId, PublicKey, Signature};
use crate::room::counters::Dropped;
use crate::room::cx::{Cx, Effect, PeerEvent};
use crate::room::members::Members;
use crate::rtc::ConnectionId;
use crate::settings::options::MAX_INFO;
use crate::wire::Frame;
use crate::wire::frame::LinkFrame;

const TAG: &str = "rtchat/1 verify";

const NOT_PROVEN: &str =
    "They did not prove that they hold the key they showed, on this very connection.";

/// Whether an application may tell this about its user: a JSON object that is not long.
fn is_info(text: &str) -> bool {
    text.len() <= MAX_INFO && serde_json::from_str::<Value>(text).is_ok_and(|info| info.is_object())
}

/// What one side signs and the other checks.
struct Statement<'a> {
    topic: &'a str,
    signer: &'a PeerId,
    checker: &'a PeerId,
    /// Chosen by the checker.
    challenge: &'a [u8; 16],
    signer_fingerprint: &'a [u8; 32],
    checker_fingerprint: &'a [u8; 32],
}

impl Statement<'_> {
    fn parts(&self) -> [&[u8]; 6] {
        [
            self.topic.as_bytes(),
            &self.signer.0,
            &self.checker.0,
            self.challenge,
            self.signer_fingerprint,
            self.checker_fingerprint,
        ]
    }
}

impl Links {
    /// Signs our proof as soon as everything it covers is known, while the browser still looks for a path.
    pub(super) fn prepare_proof(&mut self, peer: PeerId, cx: &mut Cx) {
        cx.timers.clear(&Timer::Prove(peer).into());
        let Some(attempt) = self.attempt(&peer) else {
            return;
        };
        let Stage::Connecting {
            binding,
            proof: proof @ None,
        } = &mut attempt.stage
        else {
            return;
        };
        let statement = Statement {
            topic: &cx.own.topic,
            signer: &cx.own.id,
            checker: &peer,
            challenge: &binding.theirs.challenge,
            signer_fingerprint: &binding.fingerprint,
            checker_fingerprint: &binding.theirs.fingerprint,
        };
        let signature = cx.own.identity.sign(TAG, &statement.parts());
        *proof = Some(Frame::Link(LinkFrame::Verify {
            signature: Base64UrlUnpadded::encode_string(&signature.0),
            info: cx.own.info.clone(),
        }));
    }

    /// The first frame on a channel that is not verified: their proof, or the end.
    pub(super) fn check_proof(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        text: &str,
        members: &Members,
        cx: &mut Cx,
    ) {
        let Some(attempt) = self
            .attempt(&peer)
            .filter(|its| its.connection == connection)
        else {
            return;
        };
        let (challenge, binding) = match &attempt.stage {
            Stage::Verifying { binding } => (attempt.challenge, *binding),
            _ => return self.not_proven(peer, cx),
        };
        let (Ok(Frame::Link(LinkFrame::Verify { signature, info })), Some(connect)) =
            (Frame::from_json(text), members.connect(&peer))
        else {
            return self.not_proven(peer, cx);
        };
        if !is_proven(
            &connect.identity,
            &peer,
            &challenge,
            &binding,
            &signature,
            cx,
        ) {
            return self.not_proven(peer, cx);
        }
        let info = info.filter(|info| {
            let fits = is_info(info);
            if !fits {
                cx.dropped(Dropped::BadFrame);
            }
            fits
        });
        cx.effect(Effect::Info(peer, info));
        self.verified(peer, binding, cx);
    }

    /// They are who they claim to be: the channel is theirs from now on.
    fn verified(&mut self, peer: PeerId, binding: Binding, cx: &mut Cx) {
        let Some(link) = self.links.get_mut(&peer) else {
            return;
        };
        let Some(attempt) = link.attempt.take() else {
            return;
        };
        let open = attempt.open(binding, &cx.own.id, &peer, cx.now);
        let state = State::Verified {
            open,
            heard: cx.now,
        };
        let former = core::mem::replace(&mut link.state, state);
        link.tries = super::link::Tries::default();
        if let Some(former) = former.open().map(|open| open.connection) {
            self.close(former, cx);
        }
        cx.timers.clear(&Timer::Attempt(peer).into());
        self.watch(peer, cx);
        cx.changed = true;
        cx.peer(peer, PeerEvent::Verified);
    }

    /// Closes the connection of a peer that did not prove who it is. It is not tried again by itself: a false proof is
    /// no accident of the network.
    fn not_proven(&mut self, peer: PeerId, cx: &mut Cx) {
        self.give_up_attempt(peer, cx);
        if let Some(link) = self.links.get_mut(&peer)
            && link.state.open().is_none()
        {
            // A former connection that was proven stays what it is.
            link.state = State::Failed {
                heard: link.state.heard(),
            };
        }
        cx.effect(Effect::NotProven(peer, NOT_PROVEN));
        cx.changed = true;
    }
}

fn is_proven(
    identity: &PublicKey,
    peer: &PeerId,
    challenge: &[u8; 16],
    binding: &Binding,
    signature: &str,
    cx: &Cx,
) -> bool {
    let Ok(signature) = Base64UrlUnpadded::decode_vec(signature) else {
        return false;
    };
    let Ok(signature) = <[u8; 64]>::try_from(signature) else {
        return false;
    };
    let statement = Statement {
        topic: &cx.own.topic,
        signer: peer,
        checker: &cx.own.id,
        challenge,
        signer_fingerprint: &binding.theirs.fingerprint,
        checker_fingerprint: &binding.fingerprint,
    };
    identity
        .verify(TAG, &statement.parts(), &Signature(signature))
        .is_ok()
}
