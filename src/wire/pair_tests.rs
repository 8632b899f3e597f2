use super::super::extension::Extension;
use super::super::test_support::{Peer, rng, room};
use super::*;
use proptest::prelude::*;

const AT: Millis = Millis(1_700_000_000_001);

fn context<'a>(key: &'a SealKey, sender: &'a PeerId, recipient: &'a PeerId) -> PairContext<'a> {
    PairContext {
        key,
        topic: room().topic(),
        sender,
        recipient,
        timestamp: AT,
    }
}

fn introduction(challenge: u8) -> Introduction {
    Introduction::new(Nonce([challenge; 16]), vec![1; 110], Extensions::default()).unwrap()
}

fn named(peer: &Peer) -> (NonceSource, &Nonce) {
    (
        NonceSource::Connect(peer.connect.serial),
        &peer.connect.nonce,
    )
}

#[test]
fn an_offer_opens_for_its_recipient_with_the_nonce_it_names() {
    let (ann, ben, eve) = (Peer::new(1), Peer::new(2), Peer::new(3));
    let key = ann.pair_key(&ben);
    assert_eq!(key, ben.pair_key(&ann));
    let ours = context(&key, &ann.id, &ben.id);
    let offer = ours.seal_offer(
        &mut rng(9),
        ann.connect.clone(),
        Attempt(2),
        named(&ben),
        &introduction(5),
    );
    let opened = ours.open_offer(&offer, &ben.connect.nonce).unwrap();
    assert_eq!(opened, introduction(5));
    assert_eq!(opened.hash(), introduction(5).hash());
    let closed = Err(EnvelopeError::Closed);
    assert_eq!(ours.open_offer(&offer, &Nonce([0; 16])), closed, "stale");
    let other_key = eve.pair_key(&ben);
    assert_eq!(
        context(&other_key, &ann.id, &ben.id).open_offer(&offer, &ben.connect.nonce),
        closed
    );
    for elsewhere in [
        context(&key, &ben.id, &ann.id),
        context(&key, &ann.id, &eve.id),
        PairContext {
            timestamp: Millis(AT.0 + 1),
            ..ours
        },
        PairContext {
            topic: DerivedTopic([0; 16]),
            ..ours
        },
    ] {
        assert_eq!(elsewhere.open_offer(&offer, &ben.connect.nonce), closed);
    }
}

#[test]
fn nothing_around_an_offer_can_be_exchanged() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let key = ann.pair_key(&ben);
    let ours = context(&key, &ann.id, &ben.id);
    let offer = ours.seal_offer(
        &mut rng(9),
        ann.renewed(),
        Attempt(2),
        named(&ben),
        &introduction(5),
    );
    let opens = |offer: &RtcOffer| ours.open_offer(offer, &ben.connect.nonce).is_ok();
    assert!(opens(&offer));
    // An older, genuine `Connect` of the same peer, with other capabilities.
    assert!(!opens(&RtcOffer {
        connect: ann.connect.clone(),
        ..offer.clone()
    }));
    assert!(!opens(&RtcOffer {
        attempt: Attempt(4),
        ..offer.clone()
    }));
    assert!(!opens(&RtcOffer {
        nonce: NonceSource::Resume,
        ..offer.clone()
    }));
}

#[test]
fn answers_and_candidates_belong_to_one_offer() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let key = ann.pair_key(&ben);
    let ours = context(&key, &ben.id, &ann.id);
    let challenge = Nonce([5; 16]);
    let answer = ours.seal_answer(&mut rng(9), Attempt(2), &challenge, &introduction(6));
    assert_eq!(ours.open_answer(&answer, &challenge), Ok(introduction(6)));
    let candidates =
        ours.seal_candidates(&mut rng(9), Attempt(2), &challenge, [&b"one"[..], b"two"]);
    assert_eq!(
        ours.open_candidates(&candidates, &challenge),
        Ok(vec![b"one".to_vec(), b"two".to_vec()])
    );
    let closed = EnvelopeError::Closed;
    let other = Nonce([6; 16]);
    assert_eq!(ours.open_answer(&answer, &other), Err(closed));
    assert_eq!(ours.open_candidates(&candidates, &other), Err(closed));
    // One kind does not pass for another.
    assert_eq!(ours.open_candidates(&answer, &challenge), Err(closed));
    assert_eq!(ours.open_answer(&candidates, &challenge), Err(closed));
    let moved = PairSealed {
        attempt: Attempt(4),
        ..answer
    };
    assert_eq!(ours.open_answer(&moved, &challenge), Err(closed));
}

#[test]
fn at_most_sixteen_candidates_are_taken() {
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let key = ann.pair_key(&ben);
    let ours = context(&key, &ben.id, &ann.id);
    let challenge = Nonce([5; 16]);
    let many = vec![&b"candidate"[..]; MAX_CANDIDATES + 1];
    let sealed = ours.seal_candidates(&mut rng(9), Attempt(2), &challenge, many.clone());
    let opened = ours.open_candidates(&sealed, &challenge).unwrap();
    assert_eq!(opened.len(), MAX_CANDIDATES);
    let mut plain = Vec::new();
    for candidate in many {
        push_u16(&mut plain, candidate).unwrap();
    }
    let kind = BodyKind::RtcCandidates;
    let sealed = ours.seal_attempt(&mut rng(9), kind, Attempt(2), &challenge, &plain);
    assert_eq!(
        ours.open_candidates(&sealed, &challenge),
        Err(EnvelopeError::Malformed)
    );
}

#[test]
fn an_introduction_can_be_extended() {
    let extension = |critical| {
        let list = vec![Extension {
            kind: 9,
            critical,
            value: vec![1],
        }];
        Introduction::new(Nonce([1; 16]), vec![2; 3], Extensions::new(list).unwrap()).unwrap()
    };
    let read = Introduction::parse(extension(false).bytes).unwrap();
    assert_eq!(read.unknown_extensions(), 1);
    assert_eq!(read, extension(false));
    assert_eq!(
        Introduction::parse(extension(true).bytes),
        Err(EnvelopeError::Unsupported)
    );
    let huge = Introduction::new(Nonce([1; 16]), vec![0; 5000], Extensions::default());
    assert_eq!(huge, Err(EnvelopeError::TooLarge));
}

proptest! {
    #[test]
    fn introductions_are_kept_as_they_came(bytes in proptest::collection::vec(0u8..4, 0..60)) {
        if let Ok(introduction) = Introduction::parse(bytes.clone()) {
            prop_assert_eq!(introduction.bytes, bytes);
        }
    }
}
