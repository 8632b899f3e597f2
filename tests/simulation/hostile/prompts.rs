//! Requests to the person: about people who are there, and about everybody who is there in time.

use std::collections::BTreeSet;
use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{Command, Event, PeerView, PeopleCommand, PeopleEvent};
use rtchat::settings::Accept;
use rtchat::wire::{Body, BodyKind, Envelope};

use super::{Mallory, key, newest_connect, overheard};
use crate::scenes::{MINUTE, SOON};
use crate::world::World;

fn requests(world: &World, at: usize) -> Vec<PeerView> {
    let events = world.nodes[at].events.iter();
    let requests = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Request(view)) => Some(view.clone()),
        _ => None,
    });
    requests.collect()
}

pub(super) fn was_asked_about(world: &World, at: usize, name: &str) -> bool {
    let requests = requests(world, at);
    requests.iter().any(|view| view.name.as_str() == name)
}

pub(super) fn accept(world: &mut World, at: usize, name: &str) {
    let requests = requests(world, at);
    let mut requests = requests.iter().rev();
    let view = requests.find(|view| view.name.as_str() == name).unwrap();
    let (who, accept) = (view.shown(), true);
    world.command(at, Command::People(PeopleCommand::Decide { who, accept }));
}

pub(super) fn open_asking(world: &mut World, name: &str, number: u64) -> usize {
    world.open_as(name, key(number), Accept::Ask, TrustBook::default())
}

/// The kinds of the bodies that a tab published.
fn kinds(world: &World, at: usize) -> BTreeSet<BodyKind> {
    let own = world.nodes[at].room.id();
    let all = overheard(world).into_iter();
    let own = all.filter(|(_, envelope)| envelope.sender == own);
    own.flat_map(|(_, envelope)| envelope.bodies)
        .map(|body| body.kind())
        .collect()
}

fn shows_an_address(kind: BodyKind) -> bool {
    use BodyKind::{RtcAnswer, RtcCandidates, RtcOffer};
    matches!(kind, RtcOffer | RtcAnswer | RtcCandidates)
}

#[test]
fn an_announcement_alone_leads_to_no_request() {
    let mut world = World::new(1);
    let alice = world.open_as("alice", key(1), Accept::Everyone, TrustBook::default());
    world.run(SOON);
    let recorded = overheard(&world);
    world.leave(alice);
    world.run(SOON);
    let ann = open_asking(&mut world, "ann", 2);
    world.run(SOON);
    // Alice has left before ann came, and five others have never been here.
    let mut mallory = Mallory::new(1);
    for (topic, envelope) in &recorded {
        if envelope.bodies[0].kind() == BodyKind::Connect {
            mallory.send(&mut world, *topic, envelope);
        }
    }
    for number in 0..5 {
        let mut invented = Mallory::new(100 + number);
        let connect = invented.connect(world.now);
        invented.announce(&mut world, invented.id(), connect);
    }
    world.run(SOON);
    assert_eq!(requests(&world, ann), []);
    // A peer that is there leads to a request.
    world.open("honest");
    world.run(SOON);
    let asked = requests(&world, ann);
    let asked: Vec<&str> = asked.iter().map(|view| view.name.as_str()).collect();
    assert_eq!(asked, ["honest"]);
}

#[test]
fn a_knock_or_an_offer_that_does_not_open_leads_to_no_request() {
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 2);
    world.run(SOON);
    let theirs = newest_connect(&world, ann);
    let (mut mallory, mut other) = (Mallory::new(1), Mallory::new(2));
    let (inbox, offer) = mallory.offer(world.now, &theirs);
    let Body::RtcOffer(sealed) = offer.bodies[0].clone() else {
        panic!("an offer");
    };
    // With a sealed part of somebody else's, with bytes changed, for a nonce that nobody gave, and at another time.
    let (_, others) = other.offer(world.now, &theirs);
    let mut mixed = sealed.clone();
    if let Body::RtcOffer(others) = &others.bodies[0] {
        mixed.sealed = others.sealed.clone();
    }
    let mut flipped = sealed.clone();
    flipped.sealed[30] ^= 1;
    let mut unknown = sealed.clone();
    unknown.nonce = rtchat::wire::NonceSource::Connect(77.try_into().unwrap());
    let mut resumes = sealed.clone();
    resumes.nonce = rtchat::wire::NonceSource::Resume;
    for changed in [mixed, flipped, unknown, resumes] {
        let body = Body::RtcOffer(changed);
        let envelope = Envelope::new(mallory.id(), offer.timestamp, body);
        mallory.send(&mut world, inbox, &envelope);
    }
    let later = offer.timestamp + Duration::from_secs(1);
    let moved = Envelope::new(mallory.id(), later, offer.bodies[0].clone());
    mallory.send(&mut world, inbox, &moved);
    world.run(SOON);
    assert_eq!(requests(&world, ann), []);
    assert_eq!(world.connections(ann), 0);
    // Unchanged, it leads to a request.
    mallory.send(&mut world, inbox, &offer);
    world.run(SOON);
    assert_eq!(requests(&world, ann).len(), 1);
}

#[test]
fn strangers_who_knock_and_never_go_keep_nobody_from_being_asked_about_for_long() {
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 2);
    world.run(SOON);
    let mut strangers: Vec<Mallory> = (0..5).map(|number| Mallory::new(100 + number)).collect();
    let knock = |world: &mut World, strangers: &mut Vec<Mallory>| {
        let theirs = newest_connect(world, ann);
        for stranger in strangers {
            stranger.knock(world, &theirs);
        }
    };
    knock(&mut world, &mut strangers);
    world.run(SOON);
    assert_eq!(requests(&world, ann).len(), 5);
    let honest = world.open("honest");
    for _ in 0..10 {
        knock(&mut world, &mut strangers);
        world.run(Duration::from_secs(30));
        if was_asked_about(&world, ann, "honest") {
            break;
        }
    }
    assert!(was_asked_about(&world, ann, "honest"));
    accept(&mut world, ann, "honest");
    let met = world.run_until(Duration::from_secs(30), World::is_full_mesh);
    assert!(met, "{:?} {:?}", world.roster(ann), world.roster(honest));
}

#[test]
fn when_both_ask_both_are_asked_and_show_no_address_before_they_have_accepted() {
    for ann_first in [true, false] {
        let mut world = World::new(1);
        let ann = open_asking(&mut world, "ann", 1);
        world.run(SOON);
        let ben = open_asking(&mut world, "ben", 2);
        world.run(SOON);
        assert!(was_asked_about(&world, ann, "ben"));
        assert!(was_asked_about(&world, ben, "ann"));
        for at in [ann, ben] {
            assert!(kinds(&world, at).contains(&BodyKind::Knock));
            assert!(!kinds(&world, at).into_iter().any(shows_an_address));
        }
        let order = if ann_first {
            [(ann, "ben", ben), (ben, "ann", ann)]
        } else {
            [(ben, "ann", ann), (ann, "ben", ben)]
        };
        let [(first, other_name, second), (_, first_name, _)] = order;
        accept(&mut world, first, other_name);
        // The other one takes half a minute to decide.
        world.run(Duration::from_secs(30));
        assert!(!kinds(&world, second).into_iter().any(shows_an_address));
        assert_eq!(world.verified(second), 0);
        accept(&mut world, second, first_name);
        assert!(
            world.run_until(Duration::from_secs(20), World::is_full_mesh),
            "{:?} {:?}",
            world.roster(ann),
            world.roster(ben)
        );
    }
}

#[test]
fn endless_knocks_cost_few_knocks_in_return() {
    let mut world = World::new(1);
    let ann = open_asking(&mut world, "ann", 2);
    world.run(SOON);
    let published = world.published.len();
    for number in 0..600 {
        let mut stranger = Mallory::new(100 + number);
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        world.run(Duration::from_millis(100));
    }
    assert_eq!(requests(&world, ann), []);
    let knocks = world.published.len() - published;
    assert!(knocks <= 10 + MINUTE.as_secs() as usize + 5, "{knocks}");
}
