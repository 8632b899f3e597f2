//! Peers that cheat: nothing of theirs is ever delivered, and none of them stops the honest.

use std::collections::BTreeSet;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use rtchat::identity::{IdentityKey, Name, PeerId, SealKey, SessionKey, Signature};
use rtchat::room::{Event, PeerState};
use rtchat::rtc::{Description, Kind, Notice};
use rtchat::time::Millis;
use rtchat::wire::envelope::{MAX_ENVELOPE, PairContext, VERSION, sign_leave};
use rtchat::wire::{Attempt, Body, Connect, Envelope, Subtopic};

use super::world::{Faults, World, place, sdp, seed, ufrag};

const SOON: Duration = Duration::from_secs(5);

fn rng(number: u64) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed(number, 200))
}

/// Somebody with keys of their own and no scruples.
struct Mallory {
    identity: IdentityKey,
    session: SessionKey,
    rng: ChaCha20Rng,
}

impl Mallory {
    fn new(number: u64) -> Mallory {
        let mut rng = rng(number);
        Mallory {
            identity: IdentityKey::generate(&mut rng),
            session: SessionKey::generate(&mut rng),
            rng,
        }
    }

    fn id(&self) -> PeerId {
        PeerId::of(&self.identity.public(), &self.session.public())
    }

    fn connect(&self, now: Millis) -> Connect {
        let connect = Connect {
            version: VERSION,
            capabilities: 0,
            identity: self.identity.public(),
            session: self.session.public(),
            name: Name::parse("mallory").unwrap(),
            tab: 1,
            age: 0,
            signed_at: now,
            signature: Signature([0; 64]),
        };
        connect.signed(&self.identity, place().topic())
    }

    fn send(&mut self, world: &mut World, topic: &str, envelope: &Envelope) {
        let payload = envelope.seal(&place(), topic, &mut self.rng);
        world.publish_raw(topic, payload);
    }

    fn announce(&mut self, world: &mut World, sender: PeerId, connect: Connect) {
        let envelope = Envelope {
            sender,
            timestamp: connect.signed_at,
            body: Body::Connect(connect),
        };
        let topic = world.place.topic().to_owned();
        self.send(world, &topic, &envelope);
    }
}

/// What was published so far, opened with the room's key, which every member has.
fn overheard(world: &World) -> Vec<(String, Envelope)> {
    let opened = world.published.iter().filter_map(|(_, topic, payload)| {
        Some((
            topic.clone(),
            Envelope::open(&world.place, topic, payload).ok()?,
        ))
    });
    opened.collect()
}

fn pair() -> (World, usize, usize) {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    (world, ann, ben)
}

/// Ann and Ben can still talk, and have heard nobody else.
fn still_talk(world: &mut World, ann: usize, ben: usize) {
    world.say(ann, "all well?");
    world.say(ben, "all well");
    world.run(Duration::from_millis(100));
    let texts = |at: usize| {
        world
            .heard(at)
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (texts(ben), texts(ann)),
        (vec!["all well?".to_owned()], vec!["all well".to_owned()])
    );
}

#[test]
fn a_forged_announcement_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let good = mallory.connect(world.now);
    let forgeries = [
        Connect {
            name: Name::parse("ann").unwrap(),
            ..good.clone()
        },
        Connect {
            signed_at: world.now + Duration::from_secs(1),
            ..good.clone()
        },
        Connect {
            tab: 9,
            ..good.clone()
        },
        Connect {
            capabilities: 1,
            ..good.clone()
        },
        Connect {
            signature: Signature([7; 64]),
            ..good.clone()
        },
    ];
    let count = forgeries.len() as u64;
    for forged in forgeries {
        mallory.announce(&mut world, mallory.id(), forged);
    }
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), count);
    assert_eq!(world.roster(ann).len(), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn another_rooms_announcement_does_not_count_here() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let elsewhere = mallory
        .connect(world.now)
        .signed(&mallory.identity, "rtchat/1/another-room");
    mallory.announce(&mut world, mallory.id(), elsewhere);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), 1);
    still_talk(&mut world, ann, ben);
}

#[test]
fn other_peoples_peer_ids_cannot_be_claimed() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let theirs = world.nodes[ben].room.id();
    let connect = mallory.connect(world.now);
    mallory.announce(&mut world, theirs, connect.clone());
    // The identity of one with the session key of another is no peer id that anybody has.
    let stolen = Connect {
        identity: world.nodes[ben].room.key(),
        ..connect
    };
    mallory.announce(&mut world, theirs, stolen);
    world.run(SOON);
    assert_eq!(
        world.dropped(ann, "a peer id that does not belong to its keys"),
        2
    );
    still_talk(&mut world, ann, ben);
}

#[test]
fn what_was_overheard_can_be_repeated_for_ever_without_effect() {
    let (mut world, ann, ben) = pair();
    let all = world.published.clone();
    for round in 0..20 {
        for (_, topic, payload) in &all {
            world.publish_raw(topic, payload.clone());
        }
        world.run(Duration::from_millis(200 + round));
    }
    assert!(world.is_full_mesh());
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    assert_eq!(world.published.len(), all.len(), "nothing was answered");
    assert!(world.dropped(ann, "old or repeated") > 0);
    still_talk(&mut world, ann, ben);
}

#[test]
fn repeated_for_those_who_come_later_it_only_costs_them_some_offers() {
    let (mut world, ann, ben) = pair();
    let ghost = world.published.clone();
    world.leave(ann);
    world.leave(ben);
    world.run(SOON);
    let (cleo, dan) = (world.open("cleo"), world.open("dan"));
    for _ in 0..30 {
        for (_, topic, payload) in &ghost {
            world.publish_raw(topic, payload.clone());
        }
        world.run(Duration::from_secs(1));
    }
    assert_eq!(
        world.roster(cleo).into_iter().collect::<Vec<_>>(),
        [("dan".to_owned(), PeerState::Verified)]
    );
    let offers = overheard(&world).into_iter().filter(|(_, envelope)| {
        envelope.sender == world.nodes[cleo].room.id()
            && envelope.body.subtopic() == Subtopic::RtcOffer
    });
    assert!(offers.count() <= 7, "three for each ghost and one for dan");
    still_talk(&mut world, cleo, dan);
}

#[test]
fn a_sealed_part_moved_to_another_envelope_does_not_open() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    for (topic, envelope) in overheard(&world) {
        let moved = match envelope.body.clone() {
            Body::RtcOffer {
                connect,
                attempt,
                sealed,
            } => Body::RtcOffer {
                connect,
                attempt: Attempt(attempt.0 + 2),
                sealed,
            },
            Body::RtcAnswer { attempt, sealed } => Body::RtcCandidates { attempt, sealed },
            other => other,
        };
        let timestamp = envelope.timestamp + Duration::from_secs(1);
        let moved = Envelope {
            timestamp,
            body: moved,
            ..envelope
        };
        mallory.send(&mut world, &topic, &moved);
    }
    world.run(SOON);
    let closed = |world: &World, at| world.dropped(at, "sealed with another key");
    assert!(closed(&world, ann) + closed(&world, ben) >= 2);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn nobody_can_send_somebody_else_away() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let (theirs, topic, now) = (
        world.nodes[ben].room.id(),
        world.place.topic().to_owned(),
        world.now,
    );
    let signature = sign_leave(&mallory.identity, &topic, &theirs, now);
    let leave = Envelope {
        sender: theirs,
        timestamp: now,
        body: Body::Leave { signature },
    };
    mallory.send(&mut world, &topic, &leave);
    world.run(SOON);
    assert_eq!(world.dropped(ann, "a signature that does not fit"), 1);
    still_talk(&mut world, ann, ben);
}

/// The worst case: the broker is Mallory's and both session keys have leaked, so everything can be opened and
/// sealed anew. Mallory puts own fingerprints into the descriptions and passes the proofs on.
#[test]
fn a_man_in_the_middle_with_own_fingerprints_is_found_out_even_with_stolen_session_keys() {
    let mut world = World::new(1);
    let stolen = |at: u64| SessionKey::generate(&mut ChaCha20Rng::from_seed(seed(at, 2)));
    let keys = [stolen(0), stolen(1)];
    let place = place();
    let mut rng = rng(5);
    let mut ids: Vec<PeerId> = Vec::new();
    world.interceptor = Some(Box::new(move |topic, payload| {
        let original = vec![(topic.to_owned(), payload.to_vec())];
        let Ok(mut envelope) = Envelope::open(&place, topic, payload) else {
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
            place.seal_key(),
            (ours, &recipient),
            (&theirs.public(), &envelope.sender),
        )
        .unwrap();
        let context = PairContext {
            topic: place.topic(),
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
        vec![(topic.to_owned(), envelope.seal(&place, topic, &mut rng))]
    }));
    // Mallory's own ends accept whatever fingerprint they are shown.
    world.trusting_paths = true;
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    world.run(Duration::from_secs(2));
    let failures = |at: usize| {
        world.nodes[at]
            .events
            .iter()
            .filter(|event| matches!(event, Event::ValidationFailure { .. }))
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
        world.replace_first_frame = Some((ben, Notice::Text(first.to_owned())));
        world.run(Duration::from_secs(2));
        assert_eq!(
            (world.verified(ann), world.heard(ann)),
            (0, vec![]),
            "{first}"
        );
        let failed = |event: &Event| matches!(event, Event::ValidationFailure { .. });
        assert!(world.nodes[ann].events.iter().any(failed), "{first}");
    }
}

#[test]
fn garbage_of_every_length_is_dropped_and_counted() {
    let (mut world, ann, ben) = pair();
    let mut rng = rng(3);
    let [topic, inbox] = world.nodes[ann].room.subscriptions();
    let before: u64 = world.nodes[ann]
        .room
        .diagnostics()
        .dropped
        .iter()
        .map(|(_, count)| count)
        .sum();
    let mut sent = 0;
    for length in (0..300).chain((300..MAX_ENVELOPE + 300).step_by(37)) {
        let mut payload = vec![0; length];
        rng.fill_bytes(&mut payload);
        for topic in [&topic, &inbox] {
            // As it is, with the right version, and sealed with the room's key.
            let mut versioned = payload.clone();
            versioned.first_mut().into_iter().for_each(|byte| *byte = 1);
            let sealed = world
                .place
                .seal_key()
                .seal(&mut rng, topic.as_bytes(), &payload);
            for payload in [payload.clone(), versioned, sealed] {
                world.publish_raw(topic, payload);
                sent += 1;
            }
        }
    }
    world.run(SOON);
    let after: u64 = world.nodes[ann]
        .room
        .diagnostics()
        .dropped
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(after - before, sent);
    still_talk(&mut world, ann, ben);
}

#[test]
fn every_truncation_and_every_flipped_bit_of_a_sound_envelope_is_dropped() {
    let (mut world, ann, ben) = pair();
    let mut rng = rng(4);
    for (topic, envelope) in overheard(&world) {
        let plain = {
            let sealed = envelope.seal(&world.place, &topic, &mut rng);
            world
                .place
                .seal_key()
                .open(topic.as_bytes(), &sealed)
                .unwrap()
        };
        for at in 0..plain.len() {
            let mut flipped = plain.clone();
            flipped[at] ^= 1 << (at % 8);
            for changed in [&plain[..at], &flipped[..]] {
                let sealed = world
                    .place
                    .seal_key()
                    .seal(&mut rng, topic.as_bytes(), changed);
                world.publish_raw(&topic, sealed);
            }
        }
    }
    world.run(Duration::from_secs(40));
    assert!(
        world.is_full_mesh(),
        "{:?} {:?}",
        world.roster(ann),
        world.roster(ben)
    );
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_flood_of_forgeries_costs_a_bounded_number_of_signature_checks() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let before = world.nodes[ann].room.diagnostics().signatures_checked;
    let connect = Connect {
        tab: 3,
        ..mallory.connect(world.now)
    };
    for number in 0..20_000u64 {
        let signed_at = Millis(connect.signed_at.0 + number);
        mallory.announce(
            &mut world,
            mallory.id(),
            Connect {
                signed_at,
                ..connect.clone()
            },
        );
        if number % 2000 == 0 {
            world.run(Duration::from_secs(1));
        }
    }
    world.run(Duration::from_secs(1));
    let checked = world.nodes[ann].room.diagnostics().signatures_checked - before;
    assert!(checked <= 100 + 25 * 12, "{checked}");
    assert!(world.dropped(ann, "too many signatures to check at once") > 10_000);
    still_talk(&mut world, ann, ben);
    let cleo = world.open("cleo");
    assert!(
        world.run_until(Duration::from_secs(60), World::is_full_mesh),
        "{:?}",
        world.roster(cleo)
    );
}

#[test]
fn a_flood_of_strangers_who_never_answer_does_not_keep_the_honest_out() {
    let (mut world, ann, ben) = pair();
    let mut strangers: Vec<Mallory> = (100..400).map(Mallory::new).collect();
    for stranger in &mut strangers {
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        world.run(Duration::from_millis(50));
    }
    let cleo = world.open("cleo");
    assert!(
        world.run_until(Duration::from_secs(120), World::is_full_mesh),
        "{:?} {:?} {:?}",
        world.roster(ann),
        world.roster(ben),
        world.roster(cleo)
    );
    assert!(
        world.connections(ann) <= 12,
        "{} connections",
        world.connections(ann)
    );
    world.run(Duration::from_secs(300));
    assert_eq!(world.connections(ann), 2);
    let seen: BTreeSet<String> = world.roster(ann).into_keys().collect();
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        ["ben", "cleo"],
        "ghosts are never shown"
    );
}

#[test]
fn a_member_who_floods_the_channel_is_heard_only_so_often() {
    let (mut world, ann, ben) = pair();
    for number in 0..2000 {
        world.say(ben, &format!("{number}"));
    }
    world.run(Duration::from_secs(1));
    assert!(world.heard(ann).len() <= 400, "{}", world.heard(ann).len());
    assert!(world.dropped(ann, "too many frames at once") > 1000);
}

#[test]
fn a_broker_that_loses_and_repeats_at_will_delays_but_never_misleads() {
    let mut world = World::new(8);
    world.faults = Faults {
        loss: 0.4,
        duplicates: 0.5,
        delay: 1..=2000,
    };
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(Duration::from_secs(600), World::is_full_mesh));
    world.faults = Faults::none();
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_description_with_no_fingerprint_leads_nowhere() {
    let (mut world, ann, ben) = pair();
    let mut mallory = Mallory::new(1);
    let without: Vec<String> = sdp(Kind::Offer, "evil", &[1; 32])
        .lines()
        .filter(|line| !line.starts_with("a=fingerprint"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let description =
        Description::from_sdp(Kind::Offer, &without.concat()).expect("it travels whole");
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
        world.place.seal_key(),
        (&mallory.session, &id),
        (&session, &theirs),
    )
    .unwrap();
    let (attempt, timestamp) = (Attempt::new(0, &id, &theirs), world.now);
    let topic = world.place.topic().to_owned();
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
    let inbox = world.place.inbox(&theirs);
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
