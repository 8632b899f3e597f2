//! Connections to impostors: they prove nothing, and are not heard.

use std::collections::BTreeMap;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{PeerId, SessionKey};
use rtchat::room::{Event, PeopleEvent};
use rtchat::rtc::{DataDescription, LinkEvent, SdpType};
use rtchat::wire::extension::Extensions;
use rtchat::wire::pair::PairContext;
use rtchat::wire::transcript::ProofError;
use rtchat::wire::{Attempt, Body, Connect, Envelope, Introduction, Nonce, NonceSource};

use super::{Mallory, derived, newest_connect, rng, still_talk};
use crate::scenes::pair;
use crate::world::{World, room_keys, sdp, seed, ufrag};

/// The reasons that this tab was given for invalid proofs.
fn failures(world: &World, at: usize) -> Vec<String> {
    let events = world.nodes[at].events.iter();
    let failures = events.filter_map(|event| match event {
        Event::People(PeopleEvent::ValidationFailure { reason, .. }) => Some(reason.clone()),
        _ => None,
    });
    failures.collect()
}

/// The same introduction, with other fingerprints.
fn with_fingerprint(introduction: &Introduction, fingerprint: &[u8; 32]) -> Introduction {
    let description = DataDescription::from_bytes(introduction.description()).unwrap();
    let kind = description.kind();
    let changed = sdp(kind, &ufrag(&description), fingerprint);
    let changed = DataDescription::from_sdp(kind, &changed).unwrap();
    let extensions = Extensions::default();
    Introduction::new(*introduction.challenge(), changed.to_bytes(), extensions).unwrap()
}

/// The worst case: the broker is Mallory's and both session keys have leaked, so everything can be opened and
/// sealed anew. Mallory puts own fingerprints into the descriptions and passes the proofs on.
#[test]
fn a_man_in_the_middle_with_own_fingerprints_is_found_out_even_with_stolen_session_keys() {
    let mut world = World::new(1);
    let stolen = |at: u64| SessionKey::generate(&mut ChaCha20Rng::from_seed(seed(at, 2)));
    let keys = [stolen(0), stolen(1)];
    let room = room_keys();
    let mut rng = rng(5);
    let mut ids: Vec<PeerId> = Vec::new();
    let mut connects: Vec<Connect> = Vec::new();
    let mut challenges: BTreeMap<Attempt, Nonce> = BTreeMap::new();
    world.interceptor = Some(Box::new(move |name, payload| {
        let original = vec![(name.to_owned(), payload.to_vec())];
        let topic = derived(name);
        let Ok(mut envelope) = Envelope::open(&room, topic, payload) else {
            return original;
        };
        if let Some(connect) = envelope.bodies[0].connect() {
            connects.push(connect.clone());
        }
        let sender = envelope.sender;
        if !ids.contains(&sender) {
            ids.push(sender);
        }
        let [first, second] = ids[..] else {
            return original;
        };
        let (recipient, ours, theirs) = if sender == first {
            (second, &keys[1], &keys[0])
        } else {
            (first, &keys[0], &keys[1])
        };
        let pair = room.pair_key((ours, &recipient), (&theirs.public(), &sender));
        let context = PairContext {
            key: &pair.unwrap(),
            topic: room.topic(),
            sender: &sender,
            recipient: &recipient,
            timestamp: envelope.timestamp,
        };
        let resealed = match &envelope.bodies[0] {
            Body::RtcOffer(offer) => {
                let NonceSource::Connect(serial) = offer.nonce else {
                    return original;
                };
                let mut named = connects.iter();
                let named = named.find(|its| its.peer_id() == recipient && its.serial == serial);
                let nonce = named.expect("it was overheard").nonce;
                let opened = context.open_offer(offer, &nonce);
                let introduction = opened.expect("the stolen keys open it");
                challenges.insert(offer.attempt, *introduction.challenge());
                let changed = with_fingerprint(&introduction, &[0x66; 32]);
                let connect = offer.connect.clone();
                let nonce = (offer.nonce, &nonce);
                let resealed =
                    context.seal_offer(&mut rng, connect, offer.attempt, nonce, &changed);
                Body::RtcOffer(resealed)
            }
            Body::RtcAnswer(answer) => {
                let challenge = challenges[&answer.attempt];
                let opened = context.open_answer(answer, &challenge);
                let introduction = opened.expect("the stolen keys open it");
                let changed = with_fingerprint(&introduction, &[0x66; 32]);
                let attempt = answer.attempt;
                Body::RtcAnswer(context.seal_answer(&mut rng, attempt, &challenge, &changed))
            }
            _ => return original,
        };
        envelope.bodies = vec![resealed];
        let payload = envelope.seal(&room, topic, &mut rng).unwrap();
        vec![(name.to_owned(), payload)]
    }));
    // Mallory's own ends accept whatever fingerprint they are shown.
    world.trusting_paths = true;
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.run(Duration::from_secs(2));
    for at in [ann, ben] {
        let failures = failures(&world, at);
        assert!(!failures.is_empty());
        let altered = ProofError::Altered.to_string();
        assert!(failures.iter().all(|why| *why == altered), "{failures:?}");
    }
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
    world.say(ann, "is anybody listening?");
    world.run(Duration::from_secs(60));
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
    assert_eq!(world.heard(ben), []);
}

#[test]
fn a_peer_that_speaks_before_its_proof_is_cut_off_and_not_heard() {
    for first in [
        r#"{"k":"chat","id":"1","text":"hello","at":5}"#,
        r#"{"k":"verify","signature":"AAAA"}"#,
        r#"{"k":"verify","proof":""}"#,
        r#"{"k":"verify","proof":"AAAA"}"#,
        r#"{"k":"verify","proof":"no base64 at all"}"#,
        r#"{"k":"verify","proof":7}"#,
        r#"{"k":"verify"}"#,
        r#"{"k":"ping"}"#,
        "",
        "garbage",
    ] {
        let mut world = World::new(1);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        world.replace_first_frame = Some((ben, LinkEvent::Text(first.to_owned())));
        world.run(Duration::from_secs(2));
        assert_eq!(
            (world.verified(ann), world.heard(ann)),
            (0, vec![]),
            "{first}"
        );
        let failed =
            |event: &Event| matches!(event, Event::People(PeopleEvent::ValidationFailure { .. }));
        assert!(world.nodes[ann].events.iter().any(failed), "{first}");
    }
}

#[test]
fn a_text_with_media_is_not_negotiated_before_proof() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    // An offer with three pictures, in the form in which descriptions once travelled whole.
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    let text = sdp(SdpType::Offer, "evil", &[1; 32]) + &video.repeat(3);
    let description = [&[1 << 1], text.as_bytes()].concat();
    let theirs = newest_connect(&world, ann);
    let connect = mallory.connect(world.now);
    let (inbox, offer) = mallory.offer_with(world.now, &theirs, connect, description);
    mallory.send(&mut world, inbox, &offer);
    world.run(Duration::from_secs(60));
    assert_eq!(world.dropped(ann, "unreadable"), 1);
    assert_eq!(world.verified(ann), 1);
    still_talk(&mut world, ann, ben);
}
