//! Whoever was lost stays away, also when somebody else names them again: a forged offer needs nothing but an
//! announcement that everybody has, and opens nothing, but it makes a peer known once more.

use core::num::NonZeroU32;
use std::time::Duration;

use rtchat::wire::envelope::RtcOffer;
use rtchat::wire::{Attempt, Body, DerivedTopic, Envelope, NonceSource};

use super::Mallory;
use super::ghosts::{is_alone, offerer_first, replay};
use super::overheard;
use crate::scenes::{MINUTE, SOON, id, pair};
use crate::world::World;

/// An offer in the name of somebody else, with the oldest announcement of theirs that was recorded. It does not open.
fn name_again(
    world: &mut World,
    recorded: &[(DerivedTopic, Envelope)],
    (named, to): (usize, usize),
) {
    let (sender, recipient) = (id(world, named), id(world, to));
    let mut theirs = recorded.iter().filter(|(_, its)| its.sender == sender);
    let connect = theirs.find_map(|(_, its)| its.bodies.iter().find_map(Body::connect));
    let offer = RtcOffer {
        connect: connect.unwrap().clone(),
        attempt: Attempt::new(1_000, &sender, &recipient),
        nonce: NonceSource::Connect(NonZeroU32::new(1_000).unwrap()),
        sealed: vec![0; 200],
    };
    let envelope = Envelope::new(sender, world.now, Body::RtcOffer(offer));
    let inbox = world.keys.inbox(&recipient);
    Mallory::new(1).send(world, inbox, &envelope);
}

#[test]
fn recorded_offers_do_not_bring_back_a_lost_peer_that_somebody_else_names_again() {
    let (mut world, ann, ben) = pair();
    let recorded = overheard(&world);
    let (leaver, stayer) = offerer_first(&world, &recorded, (ann, ben));
    world.crash(leaver);
    world.run(Duration::from_secs(130));
    is_alone(&mut world, stayer);
    name_again(&mut world, &recorded, (leaver, stayer));
    is_alone(&mut world, stayer);
    // Nobody answers, and the peer is forgotten again.
    world.run(MINUTE * 3);
    assert_eq!(world.connections(stayer), 0);
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
}

#[test]
fn strangers_do_not_make_us_forget_a_lost_peer_that_is_named_again() {
    let (mut world, ann, ben) = pair();
    let recorded = overheard(&world);
    let (leaver, stayer) = offerer_first(&world, &recorded, (ann, ben));
    world.crash(leaver);
    world.run(Duration::from_secs(130));
    name_again(&mut world, &recorded, (leaver, stayer));
    world.run(MINUTE * 3);
    // Strangers come and go until a list of those that were never met is full of them.
    for number in 0..400 {
        let mut stranger = Mallory::new(9_000 + number);
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        let (sender, secret) = (stranger.id(), stranger.leave.clone());
        world.run(Duration::from_millis(45));
        stranger.leave_with(&mut world, sender, secret);
    }
    world.run(SOON);
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
}
