use super::super::pair::{Introduction, PairContext};
use super::super::test_support::{Peer, rng, room};
use super::*;
use crate::wire::connect::Nonce;
use crate::wire::extension::Extensions;
use proptest::prelude::*;

const AT: Millis = Millis(1_700_000_000_001);

fn every_body() -> [Body; 5] {
    let peer = Peer::new(1);
    let sealed = PairSealed {
        attempt: Attempt(7),
        sealed: vec![1, 2, 3],
    };
    [
        Body::Connect(peer.connect.clone()),
        Body::RtcOffer(RtcOffer {
            connect: peer.connect.clone(),
            attempt: Attempt(6),
            nonce: NonceSource::Connect(NonZeroU32::MAX),
            sealed: vec![4, 5, 6],
        }),
        Body::RtcAnswer(sealed.clone()),
        Body::RtcCandidates(sealed),
        Body::Leave(peer.leave),
    ]
}

fn envelope(body: Body) -> Envelope {
    Envelope::new(Peer::new(1).id, AT, body)
}

/// The plaintext of an envelope with these bodies.
fn plain(bodies: &[(u8, &[u8])]) -> Vec<u8> {
    let mut plain = envelope(every_body()[4].clone()).encode().unwrap();
    plain.truncate(24);
    for (kind, content) in bodies {
        plain.push(*kind);
        push_u16(&mut plain, content).unwrap();
    }
    plain
}

#[test]
fn every_kind_opens_on_its_topic_only() {
    let keys = room();
    let inbox = keys.inbox(&PeerId([1; 16]));
    for body in every_body() {
        let envelope = envelope(body);
        let payload = envelope.seal(&keys, inbox, &mut rng(1)).unwrap();
        assert_eq!(Envelope::open(&keys, inbox, &payload), Ok(envelope.clone()));
        assert_eq!(
            Envelope::open(&keys, keys.topic(), &payload),
            Err(EnvelopeError::Closed)
        );
    }
}

#[test]
fn unknown_kinds_are_skipped_and_counted() {
    let leave = every_body()[4].content();
    let opened = Envelope::decode(&plain(&[
        (0, b""),
        (5, &leave),
        (9, b"new"),
        (200, &[0; 900]),
    ]))
    .unwrap();
    assert_eq!(opened.bodies, [every_body()[4].clone()]);
    assert_eq!(opened.skipped, 3);
    let nothing = Envelope::decode(&plain(&[(9, b"new")])).unwrap();
    assert_eq!((nothing.bodies.len(), nothing.skipped), (0, 1));
}

#[test]
fn each_kind_stands_once_and_in_order() {
    let leave = every_body()[4].content();
    for bodies in [
        &[(5, &leave[..]), (5, &leave)][..],
        &[(6, b""), (5, &leave)],
        &[(6, b""), (6, b"")],
    ] {
        assert_eq!(
            Envelope::decode(&plain(bodies)),
            Err(EnvelopeError::Malformed)
        );
    }
    let [connect, .., leave] = every_body();
    let mut both = envelope(leave.clone());
    both.bodies.push(connect.clone());
    let opened = Envelope::decode(&both.encode().unwrap()).unwrap();
    assert_eq!(opened.bodies, [connect, leave.clone()]);
    let mut twice = envelope(leave.clone());
    twice.bodies.push(leave);
    assert_eq!(twice.encode(), Err(EnvelopeError::Malformed));
}

#[test]
fn nobody_announces_somebody_else() {
    for body in every_body() {
        let has_connect = body.connect().is_some();
        let foreign = Envelope::new(PeerId([1; 16]), AT, body);
        let read = Envelope::decode(&foreign.encode().unwrap());
        assert_eq!(read == Err(EnvelopeError::NotOfSender), has_connect);
    }
}

#[test]
fn envelopes_that_are_cut_short_or_too_long_are_refused() {
    for body in every_body() {
        let whole = envelope(body.clone()).encode().unwrap();
        for length in 0..whole.len() {
            // The header alone is an envelope that says nothing.
            let read = Envelope::decode(&whole[..length]);
            assert_eq!(read.is_ok(), length == 24, "{:?}, {length}", body.kind());
        }
        assert!(Envelope::decode(&[&whole[..], &[0]].concat()).is_err());
    }
    let mut leave = every_body()[4].content();
    leave.push(0);
    assert!(Envelope::decode(&plain(&[(5, &leave)])).is_err());
    let keys = room();
    assert_eq!(
        Envelope::open(&keys, keys.topic(), &[1; MAX_ENVELOPE + 1]),
        Err(EnvelopeError::TooLarge)
    );
    let large = Body::RtcAnswer(PairSealed {
        attempt: Attempt(1),
        sealed: vec![0; MAX_ENVELOPE],
    });
    assert_eq!(
        envelope(large).seal(&keys, keys.topic(), &mut rng(1)),
        Err(EnvelopeError::TooLarge)
    );
}

#[test]
fn a_connect_of_a_later_version_is_told_from_damage() {
    let mut connect = every_body()[0].content();
    connect[2] = 2;
    assert_eq!(
        Envelope::decode(&plain(&[(1, &connect)])),
        Err(EnvelopeError::Unsupported)
    );
    connect[2] = 1;
    connect[3] = 0;
    assert_eq!(
        Envelope::decode(&plain(&[(1, &connect)])),
        Err(EnvelopeError::Malformed)
    );
}

/// The reason for every layout here: two browsers meet with about a kilobyte on the broker.
#[test]
fn a_first_meeting_costs_at_most_1100_bytes() {
    let keys = room();
    let (ann, ben) = (Peer::new(1), Peer::new(2));
    let pair = ann.pair_key(&ben);
    // A compact description with credentials, fingerprint and four to six candidates.
    let introduction = |challenge| {
        Introduction::new(Nonce([challenge; 16]), vec![0; 110], Extensions::default()).unwrap()
    };
    let from_ben = PairContext {
        key: &pair,
        topic: keys.topic(),
        sender: &ben.id,
        recipient: &ann.id,
        timestamp: AT,
    };
    let from_ann = PairContext {
        sender: &ann.id,
        recipient: &ben.id,
        ..from_ben
    };
    let offer = from_ben.seal_offer(
        &mut rng(3),
        ben.connect.clone(),
        Attempt(2),
        (NonceSource::Connect(ann.connect.serial), &ann.connect.nonce),
        &introduction(4),
    );
    let answer = from_ann.seal_answer(&mut rng(4), Attempt(2), &Nonce([4; 16]), &introduction(5));
    let size = |sender: &Peer, body| {
        Envelope::new(sender.id, AT, body)
            .seal(&keys, keys.topic(), &mut rng(5))
            .unwrap()
            .len()
    };
    let sizes = [
        size(&ann, Body::Connect(ann.connect.clone())),
        size(&ben, Body::RtcOffer(offer)),
        size(&ann, Body::RtcAnswer(answer)),
    ];
    assert_eq!(sizes, [258, 435, 241]);
    assert!(sizes.iter().sum::<usize>() <= 1_100);
}

#[test]
fn crossing_offers_never_share_a_number() {
    let (a, b) = (PeerId([1; 16]), PeerId([2; 16]));
    for count in [0, 1, 2, u32::MAX] {
        let (ours, theirs) = (Attempt::new(count, &a, &b), Attempt::new(count, &b, &a));
        assert_ne!(ours, theirs);
        assert!(ours.is_from(&a, &b) && !ours.is_from(&b, &a));
        assert!(theirs.is_from(&b, &a) && !theirs.is_from(&a, &b));
    }
}

proptest! {
    #[test]
    fn contents_from_the_network_do_no_harm(
        bodies in proptest::collection::vec((0u8..8, proptest::collection::vec(any::<u8>(), 0..300)), 0..4)
    ) {
        let bodies: Vec<(u8, &[u8])> = bodies.iter().map(|(kind, content)| (*kind, &content[..])).collect();
        if let Ok(envelope) = Envelope::decode(&plain(&bodies)) {
            prop_assert_eq!(envelope.bodies.len() + envelope.skipped, bodies.len());
        }
    }
}
