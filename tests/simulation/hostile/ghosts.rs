//! Recorded messages of a peer that has left do not bring it back.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{ChatEvent, Event};
use rtchat::settings::Accept;
use rtchat::wire::{BodyKind, DerivedTopic, Envelope};

use super::{Mallory, overheard};
use crate::scenes::{SOON, id, pair};
use crate::world::World;

/// Sends recorded envelopes again. Everybody who has the room's key can seal them anew, so that no bytes are the same.
pub(super) fn replay(world: &mut World, recorded: &[(DerivedTopic, Envelope)]) {
    let mut mallory = Mallory::new(1);
    for (topic, envelope) in recorded {
        mallory.send(world, *topic, envelope);
    }
    world.run(SOON);
}

/// Asserts that nobody is shown to this tab, and that a message of this tab is meant for nobody.
pub(super) fn is_alone(world: &mut World, at: usize) {
    assert_eq!(world.roster(at).into_keys().collect::<Vec<_>>(), [""; 0]);
    let before = world.nodes[at].events.len();
    world.say(at, "who is there?");
    let meant = world.nodes[at].events[before..].iter();
    let meant = meant.filter_map(|event| match event {
        Event::Chat(ChatEvent::Delivery { of, .. }) => Some(*of),
        _ => None,
    });
    assert_eq!(meant.max().unwrap_or_default(), 0);
}

/// The two peers, beginning with the one whose offer was recorded.
pub(super) fn offerer_first(
    world: &World,
    recorded: &[(DerivedTopic, Envelope)],
    (ann, ben): (usize, usize),
) -> (usize, usize) {
    let mut offers = recorded.iter();
    let offer = offers.find(|(_, its)| its.bodies[0].kind() == BodyKind::RtcOffer);
    if offer.unwrap().1.sender == id(world, ann) {
        (ann, ben)
    } else {
        (ben, ann)
    }
}

/// Two peers met, and the offerer goes. Its messages to the other one are repeated, at once and later.
fn ghosts(goes: impl Fn(&mut World, usize)) {
    let (mut world, ann, ben) = pair();
    let recorded = overheard(&world);
    let (leaver, stayer) = offerer_first(&world, &recorded, (ann, ben));
    goes(&mut world, leaver);
    is_alone(&mut world, stayer);
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
    for number in 0..700 {
        let mut stranger = Mallory::new(9_000 + number);
        let connect = stranger.connect(world.now);
        stranger.announce(&mut world, stranger.id(), connect);
        world.run(Duration::from_millis(45));
    }
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
    // After this the nonces have expired.
    world.run(Duration::from_secs(16 * 60));
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
    world.run(Duration::from_secs(120));
    is_alone(&mut world, stayer);
    assert_eq!(world.connections(stayer), 0);
}

#[test]
fn recorded_offers_of_somebody_who_left_bring_nobody_back() {
    ghosts(|world, leaver| {
        world.leave(leaver);
        world.run(SOON);
    });
}

#[test]
fn recorded_offers_of_somebody_who_was_lost_bring_nobody_back() {
    ghosts(|world, leaver| {
        world.crash(leaver);
        world.run(Duration::from_secs(130));
    });
}

#[test]
fn recorded_messages_of_strangers_who_were_never_met_show_nobody() {
    let (mut world, ann, ben) = pair();
    world.run(SOON);
    let theirs = super::newest_connect(&world, ann);
    let mut mallory = Mallory::new(1);
    let (inbox, offer) = mallory.offer(world.now, &theirs);
    world.run(Duration::from_secs(16 * 60));
    // The nonce that it names has expired: it shows nobody, whoever made it.
    let before = world.nodes[ann].events.len();
    mallory.send(&mut world, inbox, &offer);
    world.run(Duration::from_secs(120));
    let stale = "for an announcement of ours that has expired";
    assert_eq!(world.dropped(ann, stale), 1);
    let shown = world.nodes[ann].events[before..].iter();
    let shown = shown.filter(|event| matches!(event, Event::People(_)));
    assert_eq!(shown.collect::<Vec<_>>(), Vec::<&Event>::new());
    super::still_talk(&mut world, ann, ben);
}

/// So many proven peers come and go that those who left before are no longer remembered. All of them can be one person
/// with one key: each session is another peer.
#[test]
fn recorded_offers_of_somebody_who_left_bring_nobody_back_however_many_came_and_went_since() {
    let (mut world, ann, ben) = pair();
    let recorded = overheard(&world);
    let (leaver, stayer) = offerer_first(&world, &recorded, (ann, ben));
    world.leave(leaver);
    world.run(SOON);
    for _ in 0..520 {
        let visitor = world.open_as(
            "visitor",
            super::key(1),
            Accept::Everyone,
            TrustBook::default(),
        );
        assert!(world.run_until(SOON, |world| world.verified(stayer) == 1));
        world.leave(visitor);
        world.run(Duration::from_millis(100));
    }
    is_alone(&mut world, stayer);
    replay(&mut world, &recorded);
    is_alone(&mut world, stayer);
}
