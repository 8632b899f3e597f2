//! Proofs of something else: older announcements, other keys, one's own proof, an earlier attempt, and proofs that come
//! late.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use rtchat::identity::{IdentityKey, Name, TrustBook};
use rtchat::room::{ChatCommand, Command, Event, PeerState, PeopleEvent};
use rtchat::settings::Accept;
use rtchat::wire::bytes::Reader;
use rtchat::wire::extension::Extensions;
use rtchat::wire::frame::LinkFrame;
use rtchat::wire::statement::{Statement, Unsigned};
use rtchat::wire::transcript::{Proof, ProofError, VerifyFields};
use rtchat::wire::{Body, Connect, Envelope, Frame, RoomId};

use super::{derived, key, rng, still_talk};
use crate::scenes::{MINUTE, SOON};
use crate::world::{World, room_keys};

/// The reasons that this tab was given for invalid proofs.
fn failures(world: &World, at: usize) -> Vec<String> {
    let events = world.nodes[at].events.iter();
    let failures = events.filter_map(|event| match event {
        Event::People(PeopleEvent::ValidationFailure { reason, .. }) => Some(reason.clone()),
        _ => None,
    });
    failures.collect()
}

fn is_proof(frame: &str) -> bool {
    frame.contains("\"verify\"")
}

fn proof_frame(proof: &[u8]) -> String {
    let proof = Base64UrlUnpadded::encode_string(proof);
    let mut frames = Frame::Link(LinkFrame::Verify { proof, info: None }).encode();
    frames.remove(0)
}

fn verify_in(frame: &str) -> VerifyFields {
    let Ok(Frame::Link(LinkFrame::Verify { proof, .. })) = Frame::from_json(frame) else {
        panic!("a proof: {frame}");
    };
    let bytes = Base64UrlUnpadded::decode_vec(&proof).unwrap();
    let verify: Statement<VerifyFields> = Statement::read(&mut Reader::new(&bytes)).unwrap();
    verify.fields().clone()
}

/// The same proof, signed by this key for this room.
fn signed_by(frame: &str, key: &IdentityKey, room: &RoomId) -> String {
    let unsigned = Unsigned::new(verify_in(frame), Extensions::default()).unwrap();
    proof_frame(&Proof::new(unsigned.sign(room, key), None).to_bytes())
}

fn names(world: &World, at: usize) -> Vec<String> {
    world.roster(at).into_keys().collect()
}

/// The broker shows nothing but Ben's first announcement, though he has changed his name since. His offers pass if
/// `offers`. Which of the two has the smaller peer id depends on `number`.
fn with_an_old_announcement(offers: bool, number: u64) -> (World, usize, usize) {
    let mut world = World::new(1);
    let everyone = Accept::Everyone;
    let ben = world.open_as("ben", key(number), everyone, TrustBook::default());
    world.run(Duration::from_millis(100));
    world.command(ben, Command::Rename(Name::parse("benjamin").unwrap()));
    world.run(Duration::from_secs(1));
    let old = world.published[0].clone();
    let (room, bens) = (room_keys(), world.nodes[ben].room.id());
    world.interceptor = Some(Box::new(move |name, payload| {
        let envelope = Envelope::open(&room, derived(name), payload).unwrap();
        let original = (name.to_owned(), payload.to_vec());
        match &envelope.bodies[0] {
            Body::Connect(_) if envelope.sender == bens => vec![],
            Body::RtcOffer(_) if envelope.sender == bens && !offers => vec![],
            // Ben's old announcement comes after everybody else's.
            Body::Connect(_) => vec![original, (old.1.clone(), old.2.clone())],
            _ => vec![original],
        }
    }));
    let cleo = world.open("cleo");
    (world, ben, cleo)
}

#[test]
fn a_peer_with_an_older_announcement_is_met_as_it_is_now_or_not_at_all() {
    let mut met = [0, 0];
    for (offers, number) in [true, false]
        .into_iter()
        .flat_map(|o| (0..4).map(move |n| (o, n)))
    {
        let (mut world, ben, cleo) = with_an_old_announcement(offers, number);
        if world.run_until(Duration::from_secs(30), World::is_full_mesh) {
            met[usize::from(offers)] += 1;
            assert_eq!(names(&world, cleo), ["benjamin"], "{offers}");
            still_talk(&mut world, ben, cleo);
        }
        assert_eq!(failures(&world, ben), [""; 0]);
        assert_eq!(failures(&world, cleo), [""; 0]);
    }
    // A broker that holds back the offers of one side keeps apart the pairs that wait for them.
    assert!(met[0] >= 1 && met[1] == 4, "{met:?}");
}

#[test]
fn an_offer_with_an_older_announcement_in_it_does_not_open() {
    let mut world = World::new(1);
    let ben = world.open("ben");
    world.run(Duration::from_millis(100));
    let (room, bens, mut rng) = (room_keys(), world.nodes[ben].room.id(), rng(7));
    let first: RefCell<Option<Connect>> = RefCell::new(None);
    world.interceptor = Some(Box::new(move |name, payload| {
        let topic = derived(name);
        let original = (name.to_owned(), payload.to_vec());
        let mut envelope = Envelope::open(&room, topic, payload).unwrap();
        if envelope.sender != bens {
            return vec![original];
        }
        match &mut envelope.bodies[0] {
            Body::Connect(connect) => {
                first.borrow_mut().get_or_insert(connect.clone());
                vec![original]
            }
            Body::RtcOffer(offer) => {
                let first = first.borrow().clone();
                offer.connect = first
                    .filter(|old| old.serial < offer.connect.serial)
                    .unwrap();
                vec![(
                    name.to_owned(),
                    envelope.seal(&room, topic, &mut rng).unwrap(),
                )]
            }
            _ => vec![original],
        }
    }));
    // Two announcements pass; what ben shows from now on is the second one or a later one.
    world.run(Duration::from_secs(30));
    world.command(ben, Command::Rename(Name::parse("benjamin").unwrap()));
    world.run(Duration::from_secs(1));
    let cleo = world.open("cleo");
    world.run(MINUTE);
    assert!(world.dropped(cleo, "sealed with another key") > 0);
    // If they have met, it was by an offer of cleo's, and she knows his current name.
    let roster = world.roster(cleo);
    let met = roster
        .iter()
        .find(|(_, state)| **state == PeerState::Verified);
    assert!(met.is_none_or(|(name, _)| name == "benjamin"), "{roster:?}");
}

#[test]
fn a_proof_of_another_key_says_that_the_key_was_not_proven() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    let room = *world.keys.id();
    world.frames = Some(Box::new(move |from, frame| {
        if from == ben && is_proof(frame) {
            signed_by(frame, &key(7), &room)
        } else {
            frame.to_owned()
        }
    }));
    world.run(Duration::from_secs(2));
    assert_eq!(failures(&world, ann), [ProofError::WrongKey.to_string()]);
    assert_eq!(world.verified(ann), 0);
}

#[test]
fn a_proof_for_another_room_or_about_something_else_is_refused() {
    let bens_key = |world: &World, ben: usize| {
        let bytes = world.nodes[ben].identity.to_bytes();
        IdentityKey::from_bytes(&bytes).unwrap()
    };
    // Even with the right key.
    for (other_room, why) in [(true, ProofError::WrongKey), (false, ProofError::Altered)] {
        let mut world = World::new(1);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        let key = bens_key(&world, ben);
        let room = if other_room {
            RoomId([7; 32])
        } else {
            *world.keys.id()
        };
        world.frames = Some(Box::new(move |from, frame| {
            if from != ben || !is_proof(frame) {
                return frame.to_owned();
            }
            let mut fields = verify_in(frame);
            fields.transcript.0[5] ^= u8::from(!other_room);
            let unsigned = Unsigned::new(fields, Extensions::default()).unwrap();
            proof_frame(&Proof::new(unsigned.sign(&room, &key), None).to_bytes())
        }));
        world.run(Duration::from_secs(2));
        assert_eq!(failures(&world, ann), [why.to_string()]);
        assert_eq!(world.verified(ann), 0);
    }
}

/// Ben sends ann's own proof back to her instead of his.
fn reflect(world: &mut World, ann: usize, ben: usize) {
    let anns: Rc<RefCell<Option<String>>> = Rc::default();
    world.frames = Some(Box::new(move |from, frame| {
        if !is_proof(frame) {
            return frame.to_owned();
        }
        if from == ann {
            *anns.borrow_mut() = Some(frame.to_owned());
        }
        let reflected = anns.borrow().clone().filter(|_| from == ben);
        reflected.unwrap_or_else(|| frame.to_owned())
    }));
}

/// Two peers meet, and ann's proof comes back to her instead of the other one's.
///
/// The order of the two decides whose proof is ready first: in one order, ann's is there before ben's is sent.
fn a_reflected_proof_fails_with(reason: ProofError, open: impl Fn(&mut World, u16) -> usize) {
    let mut reflected = 0;
    for swapped in [false, true] {
        let mut world = World::new(1);
        let (first, second) = (open(&mut world, 1), open(&mut world, 2));
        let (ann, ben) = if swapped {
            (second, first)
        } else {
            (first, second)
        };
        reflect(&mut world, ann, ben);
        world.run(Duration::from_secs(2));
        if !failures(&world, ann).is_empty() {
            reflected += 1;
            assert_eq!(failures(&world, ann), [reason.to_string()]);
            assert_eq!(world.verified(ann), 0);
        }
    }
    assert!(reflected > 0);
}

#[test]
fn a_reflected_proof_proves_nothing() {
    a_reflected_proof_fails_with(ProofError::WrongKey, |world, which| {
        world.open(if which == 1 { "ann" } else { "ben" })
    });
}

#[test]
fn between_two_tabs_of_one_profile_a_reflected_proof_proves_nothing_either() {
    a_reflected_proof_fails_with(ProofError::Altered, |world, tab| {
        world.next_tab = tab;
        world.open_as("ann", key(1), Accept::Everyone, TrustBook::default())
    });
}

#[test]
fn a_proof_of_an_earlier_attempt_proves_nothing_on_the_next() {
    let mut world = World::new(1);
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    let first: Rc<RefCell<Option<String>>> = Rc::default();
    world.frames = Some(Box::new(move |from, frame| {
        if from != ben || !is_proof(frame) {
            return frame.to_owned();
        }
        first.borrow_mut().get_or_insert(frame.to_owned()).clone()
    }));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.break_connections(ann, ben);
    world.run(MINUTE);
    let failures = failures(&world, ann);
    assert!((1..=8).contains(&failures.len()), "{failures:?}");
    let altered = ProofError::Altered.to_string();
    assert!(failures.iter().all(|why| *why == altered), "{failures:?}");
    assert_eq!(world.verified(ann), 0);
}

#[test]
fn a_proof_that_comes_late_accuses_nobody_and_they_meet_afterwards() {
    for seconds in [4, 7, 12, 25] {
        let mut world = World::new(1);
        let (ann, ben) = (world.open("ann"), world.open("ben"));
        // The path works, and then carries nothing for a while.
        let open = |world: &World| !world.open_connections(ann, ben).is_empty();
        assert!(world.run_until(SOON, open));
        world.cut(ann, ben, true);
        world.run(Duration::from_secs(seconds));
        world.cut(ann, ben, false);
        assert!(
            world.run_until(MINUTE, World::is_full_mesh),
            "{seconds}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        for at in [ann, ben] {
            assert_eq!(failures(&world, at), [""; 0], "{seconds}");
        }
        still_talk(&mut world, ann, ben);
    }
}

#[test]
fn when_one_side_hears_nothing_nobody_is_accused_and_they_meet_afterwards() {
    let seconds = [4, 7, 10, 14];
    let cases = seconds
        .into_iter()
        .flat_map(|s| [0, 1].map(|side| (s, side)));
    for (seconds, side) in cases.flat_map(|(s, side)| (0..3).map(move |n| (s, (side, n)))) {
        let (side, number) = side;
        let mut world = World::new(1);
        let ann = world.open("ann");
        let bens = key(number);
        let ben = world.open_as("ben", bens, Accept::Everyone, TrustBook::default());
        // Every frame contains the empty text.
        world.muted.push(([ann, ben][side], String::new()));
        world.run(Duration::from_secs(seconds));
        // A channel loses no frame before one that arrives, so nothing more is heard on this connection.
        let closed = |world: &World| world.open_connections(ann, ben).is_empty();
        assert!(world.run_until(2 * SOON, closed));
        world.muted.clear();
        assert!(
            world.run_until(MINUTE, World::is_full_mesh),
            "{seconds} {side}: {:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
        for at in [ann, ben] {
            assert_eq!(failures(&world, at), [""; 0], "{side}");
        }
        let said = ChatCommand::say("we meet");
        world.command(ann, Command::Chat(said));
        world.run(Duration::from_secs(1));
        assert_eq!(world.heard(ben).last().unwrap().1, "we meet");
    }
}
