//! Connections to somebody else: who is not who they say proves nothing, and is not heard.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{PeerId, SealKey, SessionKey};
use rtchat::room::{Event, PeopleEvent};
use rtchat::rtc::{Description, LinkEvent, SdpType};
use rtchat::wire::envelope::PairContext;
use rtchat::wire::{Attempt, Body, Envelope, Subtopic};

use super::{Mallory, overheard, rng, still_talk};
use crate::scenes::pair;
use crate::world::{World, room_keys, sdp, seed, ufrag};

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
    world.interceptor = Some(Box::new(move |topic, payload| {
        let original = vec![(topic.to_owned(), payload.to_vec())];
        let Ok(mut envelope) = Envelope::open(&room, topic, payload) else {
            return original;
        };
        let (Body::RtcOffer {
            attempt, sealed, ..
        }
        | Body::RtcAnswer { attempt, sealed }) = &envelope.body
        else {
            if !ids.contains(&envelope.sender) {
                ids.push(envelope.sender);
            }
            return original;
        };
        let [first, second] = ids[..] else {
            return original;
        };
        let (recipient, ours, theirs) = if envelope.sender == first {
            (second, &keys[1], &keys[0])
        } else {
            (first, &keys[0], &keys[1])
        };
        let pair = SealKey::for_pair(
            room.seal_key(),
            (ours, &recipient),
            (&theirs.public(), &envelope.sender),
        )
        .unwrap();
        let context = PairContext {
            topic: room.topic(),
            subtopic: envelope.body.subtopic(),
            sender: &envelope.sender,
            recipient: &recipient,
            attempt: *attempt,
            timestamp: envelope.timestamp,
        };
        let mut introduction = context
            .open_introduction(&pair, sealed)
            .expect("the stolen keys open it");
        let kind = introduction.description.kind();
        let changed = sdp(kind, &ufrag(&introduction.description), &[0x66; 32]);
        introduction.description = Description::from_sdp(kind, &changed).unwrap();
        let resealed = context.seal(&pair, &mut rng, &introduction);
        match &mut envelope.body {
            Body::RtcOffer { sealed, .. } | Body::RtcAnswer { sealed, .. } => *sealed = resealed,
            _ => {}
        }
        vec![(topic.to_owned(), envelope.seal(&room, topic, &mut rng))]
    }));
    // Mallory's own ends accept whatever fingerprint they are shown.
    world.trusting_paths = true;
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.run(Duration::from_secs(2));
    let failures = |at: usize| {
        world.nodes[at]
            .events
            .iter()
            .filter(|event| matches!(event, Event::People(PeopleEvent::ValidationFailure { .. })))
            .count()
    };
    assert!(failures(ann) > 0 && failures(ben) > 0);
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
    world.say(ann, "is anybody listening?");
    world.run(Duration::from_secs(60));
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
    assert_eq!(world.heard(ben), []);
}

#[test]
fn whoever_speaks_before_proving_itself_is_cut_off_and_not_heard() {
    for first in [
        r#"{"k":"chat","id":"1","text":"hello","at":5}"#,
        r#"{"k":"verify","signature":"AAAA"}"#,
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
fn a_description_with_no_fingerprint_leads_nowhere() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let without: Vec<String> = sdp(SdpType::Offer, "evil", &[1; 32])
        .lines()
        .filter(|line| !line.starts_with("a=fingerprint"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let description =
        Description::from_sdp(SdpType::Offer, &without.concat()).expect("it travels whole");
    let (id, theirs) = (mallory.id(), world.nodes[ann].room.id());
    let anns_connect =
        overheard(&world)
            .into_iter()
            .find_map(|(_, envelope)| match envelope.body {
                Body::Connect(connect) if envelope.sender == theirs => Some(connect),
                _ => None,
            });
    let session = anns_connect.unwrap().session;
    let pair = SealKey::for_pair(
        world.keys.seal_key(),
        (&mallory.session, &id),
        (&session, &theirs),
    )
    .unwrap();
    let (attempt, timestamp) = (Attempt::new(0, &id, &theirs), world.now);
    let topic = world.keys.topic().to_owned();
    let subtopic = Subtopic::RtcOffer;
    let context = PairContext {
        topic: &topic,
        subtopic,
        sender: &id,
        recipient: &theirs,
        attempt,
        timestamp,
    };
    let introduction = rtchat::wire::Introduction {
        description,
        challenge: [0; 16],
    };
    let sealed = context.seal(&pair, &mut mallory.rng, &introduction);
    let connect = Box::new(mallory.connect(world.now));
    let inbox = world.keys.inbox(&theirs);
    let offer = Envelope {
        sender: id,
        timestamp,
        body: Body::RtcOffer {
            connect,
            attempt,
            sealed,
        },
    };
    mallory.send(&mut world, &inbox, &offer);
    world.run(Duration::from_secs(60));
    assert_eq!(world.dropped(ann, "unreadable"), 1);
    assert_eq!(world.verified(ann), 1);
    still_talk(&mut world, ann, ben);
}
