//! A known name on another key always leads to a warning, whichever announcement brings it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use rtchat::identity::{Name, Trust, TrustBook, TrustDecision};
use rtchat::room::{Command, Event, PeerView, PeopleEvent};
use rtchat::rtc::LinkEvent;
use rtchat::settings::Accept;
use rtchat::wire::{Body, Envelope};

use super::{book_of, derived, key};
use crate::scenes::pair;
use crate::world::{World, room_keys};

fn last_view(world: &World, at: usize, other: usize) -> Option<PeerView> {
    let id = world.nodes[other].room.id();
    let events = world.nodes[at].events.iter().rev();
    let mut views = events.filter_map(|event| match event {
        Event::People(PeopleEvent::Changed(view)) if view.id == id => Some(view.clone()),
        _ => None,
    });
    views.next()
}

/// Mallory announces itself as zed, and takes the name of a friend of cleo's in the announcement that comes with the
/// proof. It does not announce the change on the channel.
#[test]
fn a_known_name_that_comes_with_the_proof_is_a_warning() {
    let mut world = World::new(1);
    let book = book_of(&[(key(2).public(), "ann", TrustDecision::Compared)]);
    let cleo = world.open_as("cleo", key(1), Accept::Everyone, book);
    world.run(Duration::from_secs(1));
    let (room, cleos) = (room_keys(), world.nodes[cleo].room.id());
    // Mallory sees to it that its first announcement is the only one that goes around before the proof.
    let first = Rc::new(RefCell::new(None));
    world.interceptor = Some(Box::new(move |name, payload| {
        let original = vec![(name.to_owned(), payload.to_vec())];
        let envelope = Envelope::open(&room, derived(name), payload).unwrap();
        if envelope.sender == cleos {
            return original;
        }
        match &envelope.bodies[0] {
            Body::Connect(_) => {
                let mut first = first.borrow_mut();
                let first = first.get_or_insert_with(|| original.clone());
                first.clone()
            }
            Body::RtcOffer(_) => vec![],
            _ => original,
        }
    }));
    let everyone = Accept::Everyone;
    let mallory = world.open_as("zed", key(3), everyone, TrustBook::default());
    world.muted.push((mallory, "\"profile\"".to_owned()));
    world.command(mallory, Command::Rename(Name::parse("ann").unwrap()));
    assert!(world.run_until(Duration::from_secs(60), |world| world.verified(cleo) == 1));
    let view = last_view(&world, cleo, mallory).unwrap();
    assert_eq!(view.name.as_str(), "ann", "the newest announcement counts");
    assert_eq!(view.trust, Trust::NameOnAnotherKey);
}

/// A name on the channel is valid only as it could stand in an announcement.
#[test]
fn a_name_that_would_be_shown_in_another_way_than_it_was_sent_is_dropped() {
    let (mut world, ann, ben) = pair();
    for name in [" ben two ", "ben  two", "be\\u0301n", "\\u200fben two"] {
        let frame = format!("{{\"k\":\"profile\",\"name\":\"{name}\"}}");
        world.inject(ben, ann, LinkEvent::Text(frame));
        world.run(Duration::from_millis(100));
        let users: Vec<String> = world.roster(ann).into_keys().collect();
        assert_eq!(users, ["ben"], "{name:?}");
    }
    assert_eq!(world.dropped(ann, "an unreadable frame"), 4);
}
