//! Each side signs, for this very connection: the room, both peer ids, the other's challenge, and both DTLS
//! fingerprints as it sees them. Who put itself in the middle has other fingerprints.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use super::peer::{Link, Stage};
use super::{Deadline, Dropped, Event, GoneReason, Room};
use crate::identity::{PeerId, PublicKey, Signature, TrustChange, TrustDecision};
use crate::rtc::{ConnectionId, LinkCommand};
use crate::settings::options::MAX_INFO;
use crate::wire::Frame;

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

impl Room {
    /// Signs our proof as soon as everything it covers is known, while the browser still looks for a path.
    pub(super) fn prepare_proof(&mut self, id: PeerId) {
        self.deadlines.clear(&Deadline::Prove(id));
        let Some(link) = self.peers.get(&id).and_then(|peer| peer.trying.as_ref()) else {
            return;
        };
        let (None, Some(challenge), Some(ours), Some(theirs)) = (
            &link.proof,
            &link.their_challenge,
            &link.fingerprint,
            &link.their_fingerprint,
        ) else {
            return;
        };
        let statement = Statement {
            topic: self.keys.topic(),
            signer: &self.id,
            checker: &id,
            challenge,
            signer_fingerprint: ours,
            checker_fingerprint: theirs,
        };
        let signature = self.identity.sign(TAG, &statement.parts());
        let proof = Frame::Verify {
            signature: Base64UrlUnpadded::encode_string(&signature.0),
            info: self.info.clone(),
        };
        if let Some(link) = self.trying(id) {
            link.proof = Some(proof);
        }
    }

    /// Our first frame on the open channel.
    pub(super) fn send_proof(&mut self, id: PeerId) {
        let Some(link) = self.trying(id) else { return };
        let connection = link.connection;
        match link.proof.take() {
            Some(proof) => {
                for text in proof.encode() {
                    self.order(connection, LinkCommand::Send(text));
                }
            }
            None => self.not_proven(
                id,
                "The connection has no fingerprint that could be signed.",
            ),
        }
    }

    /// The first frame on a channel that is not verified: their proof, or the end.
    pub(super) fn check_proof(&mut self, id: PeerId, connection: ConnectionId, text: &str) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let Some(link) = peer
            .trying
            .as_ref()
            .filter(|link| link.connection == connection)
        else {
            return;
        };
        let proof = Frame::from_json(text);
        let Ok(Frame::Verify { signature, info }) = proof else {
            return self.not_proven(id, NOT_PROVEN);
        };
        if !self.is_proven(peer.connect.identity, id, link, &signature) {
            return self.not_proven(id, NOT_PROVEN);
        }
        match info {
            Some(info) if !is_info(&info) => self.dropped(Dropped::BadFrame),
            info => {
                if let Some(peer) = self.peers.get_mut(&id) {
                    peer.info = info;
                }
            }
        }
        self.verified(id);
    }

    fn is_proven(&self, identity: PublicKey, id: PeerId, link: &Link, signature: &str) -> bool {
        let Ok(signature) = Base64UrlUnpadded::decode_vec(signature) else {
            return false;
        };
        let Ok(signature) = <[u8; 64]>::try_from(signature) else {
            return false;
        };
        let (Some(ours), Some(theirs)) = (&link.fingerprint, &link.their_fingerprint) else {
            return false;
        };
        let statement = Statement {
            topic: self.keys.topic(),
            signer: &id,
            checker: &self.id,
            challenge: &link.challenge,
            signer_fingerprint: theirs,
            checker_fingerprint: ours,
        };
        identity
            .verify(TAG, &statement.parts(), &Signature(signature))
            .is_ok()
    }

    /// They are who they claim to be: the channel is theirs from now on.
    fn verified(&mut self, id: PeerId) {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        let Some(mut link) = peer.trying.take() else {
            return;
        };
        link.stage = Stage::Verified;
        let former = peer.current.replace(link);
        peer.was_verified = true;
        peer.present = true;
        peer.failed = false;
        peer.silent = false;
        peer.closed = None;
        peer.tries = 0;
        peer.rounds = 0;
        peer.heard = now;
        let (key, name) = (peer.connect.identity, peer.name.clone());
        if let Some(former) = former {
            self.order(former.connection, LinkCommand::Close);
        }
        self.deadlines.clear(&Deadline::Attempt(id));
        self.watch(id);
        self.remember(TrustChange {
            key,
            name,
            at: now,
            what: TrustDecision::Met,
        });
        self.dirty = true;
        self.replace_former_self(id);
        self.begin_stream(id);
        self.send_waiting(id);
        self.presence_soon();
        self.begin_waiting_attempts();
    }

    /// What is left of a tab that was loaded again goes at once if it is silent, and is asked at once if it does not
    /// seem so.
    fn replace_former_self(&mut self, id: PeerId) {
        let Some(peer) = self.peers.get(&id) else {
            return;
        };
        let former = self.peers.values();
        let former = former.filter(|other| other.is_same_tab(peer) && other.was_verified);
        let former: Vec<(PeerId, bool)> = former.map(|other| (other.id, other.silent)).collect();
        for (other, silent) in former {
            if silent {
                self.remove(other, GoneReason::Left);
            } else {
                self.ask(other);
            }
        }
    }

    /// Closes the connection of a peer that did not prove who it is.
    pub(super) fn not_proven(&mut self, id: PeerId, reason: &str) {
        self.give_up_attempt(id);
        let Some(peer) = self.peers.get_mut(&id) else {
            return;
        };
        // A former connection that was proven stays what it is.
        peer.failed = peer.current.is_none();
        self.name_everybody();
        if let Some(peer) = self.peers.get(&id) {
            let view = peer.view();
            self.event(Event::ValidationFailure {
                peer: view,
                reason: reason.to_owned(),
            });
        }
        self.dirty = true;
        self.begin_waiting_attempts();
    }
}
