use super::super::extension::Extensions;
use super::super::test_support::{Peer, rng, room};
use super::*;
use crate::identity::SessionKey;

fn transcript(ann: &Peer, ben: &Peer) -> Transcript {
    let room = *room().id();
    Transcript {
        room,
        version: 1,
        attempt: Attempt(2),
        offerer: ann.connect.id(&room),
        answerer: ben.connect.id(&room),
        offer: [1; 32],
        answer: [2; 32],
        offerer_fingerprint: [3; 32],
        answerer_fingerprint: [4; 32],
    }
}

/// Ann's proof about `transcript`, with `current` as her newest `Connect`.
fn proof(ann: &Peer, role: Role, transcript: &Transcript, current: &Connect) -> Proof {
    let room = room();
    let fields = VerifyFields {
        role,
        transcript: transcript.hash(),
        current: current.id(room.id()),
        resume: Nonce([9; 16]),
    };
    let verify = Unsigned::new(fields, Extensions::default())
        .unwrap()
        .sign(room.id(), &ann.identity);
    let renewed = (current != &ann.connect).then(|| current.clone());
    let proof = Proof::new(verify, renewed);
    assert_eq!(Proof::parse(&proof.to_bytes()), Ok(proof.clone()));
    proof
}

fn check(ann: &Peer, seen: &Transcript, proof: &Proof) -> Result<Proven, ProofError> {
    proof.check(&Expected {
        room: room().id(),
        transcript: &seen.hash(),
        role: Role::Offerer,
        used: &ann.connect,
    })
}

#[test]
fn a_proof_holds_for_what_both_saw() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let seen = transcript(&ann, &ben);
    let proven = check(
        &ann,
        &seen,
        &proof(&ann, Role::Offerer, &seen, &ann.connect),
    )
    .unwrap();
    assert_eq!(proven.connect, ann.connect);
    assert_eq!(proven.resume, Nonce([9; 16]));
}

#[test]
fn every_field_of_the_transcript_counts() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let seen = transcript(&ann, &ben);
    let others = [
        Transcript {
            room: RoomId([0; 32]),
            ..seen.clone()
        },
        Transcript {
            version: 2,
            ..seen.clone()
        },
        Transcript {
            attempt: Attempt(3),
            ..seen.clone()
        },
        Transcript {
            offerer: seen.answerer,
            ..seen.clone()
        },
        Transcript {
            answerer: seen.offerer,
            ..seen.clone()
        },
        Transcript {
            offer: [0; 32],
            ..seen.clone()
        },
        Transcript {
            answer: [0; 32],
            ..seen.clone()
        },
        Transcript {
            offerer_fingerprint: [0; 32],
            ..seen.clone()
        },
        Transcript {
            answerer_fingerprint: [0; 32],
            ..seen.clone()
        },
    ];
    for other in others {
        let proof = proof(&ann, Role::Offerer, &other, &ann.connect);
        assert_eq!(
            check(&ann, &seen, &proof),
            Err(ProofError::Altered),
            "{other:?}"
        );
    }
}

#[test]
fn a_wrong_key_is_told_from_an_altered_connection() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let seen = transcript(&ann, &ben);
    // Somebody else's signature, about the right transcript and about another.
    for about in [&seen, &transcript(&ben, &ann)] {
        let forged = proof(&ben, Role::Offerer, about, &ben.connect);
        assert_eq!(check(&ann, &seen, &forged), Err(ProofError::WrongKey));
    }
    let altered = Transcript {
        answer: [0; 32],
        ..seen.clone()
    };
    let altered = proof(&ann, Role::Offerer, &altered, &ann.connect);
    assert_eq!(check(&ann, &seen, &altered), Err(ProofError::Altered));
}

#[test]
fn two_tabs_of_one_identity_cannot_be_shown_their_own_proof() {
    let ann = Peer::new(1);
    let tab = Peer::with(ann.identity.clone(), SessionKey::generate(&mut rng(50)), 3);
    let seen = transcript(&ann, &tab);
    let reflected = proof(&tab, Role::Answerer, &seen, &tab.connect);
    assert_eq!(check(&ann, &seen, &reflected), Err(ProofError::Altered));
}

#[test]
fn the_newest_connect_comes_with_the_proof() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let seen = transcript(&ann, &ben);
    let renewed = ann.renewed();
    let good = proof(&ann, Role::Offerer, &seen, &renewed);
    assert_eq!(check(&ann, &seen, &good).unwrap().connect, renewed);
    let wrong = Err(ProofError::WrongConnect);
    let missing = Proof::new(good.verify.clone(), None);
    assert_eq!(check(&ann, &seen, &missing), wrong);
    let another = Proof::new(good.verify.clone(), Some(ben.connect.clone()));
    assert_eq!(check(&ann, &seen, &another), wrong);
    let same = Proof::new(good.verify.clone(), Some(ann.connect.clone()));
    assert_eq!(check(&ann, &seen, &same), wrong, "not a newer one");
    // Another session of the same identity.
    let tab = Peer::with(ann.identity.clone(), SessionKey::generate(&mut rng(50)), 3);
    let tab = proof(&ann, Role::Offerer, &seen, &tab.renewed());
    assert_eq!(check(&ann, &seen, &tab), wrong);
    // A renewed `Connect` whose signature does not fit.
    let mut bytes = good.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let forged = Proof::parse(&bytes).unwrap();
    assert_eq!(check(&ann, &seen, &forged), wrong);
}

#[test]
fn a_proof_is_read_to_its_last_byte() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let seen = transcript(&ann, &ben);
    let bytes = proof(&ann, Role::Offerer, &seen, &ann.renewed()).to_bytes();
    let verify = 2 + 1 + 1 + 32 + 32 + 16 + 64;
    for length in 0..bytes.len() {
        let read = Proof::parse(&bytes[..length]);
        assert_eq!(read.is_ok(), length == verify, "{length}");
    }
    let mut role = bytes.clone();
    role[3] = 2;
    assert_eq!(Proof::parse(&role), Err(ProofError::Malformed));
    let mut format = bytes;
    format[2] = 2;
    assert_eq!(Proof::parse(&format), Err(ProofError::Unsupported));
}
