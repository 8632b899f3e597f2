//! Whoever knocks is offered to. Somebody who lets every connection fail and knocks again makes nobody open connections
//! without end, and does not fill the person's screen with warnings.

use std::time::Duration;

use rtchat::room::{Event, Input, PeopleEvent};
use rtchat::rtc::{ConnectionId, LinkEvent};

use super::{Mallory, newest_connect, still_talk};
use crate::scenes::pair;
use crate::world::World;

const SECONDS: u64 = 60;

/// For a minute somebody answers every offer, and then does this ten times a second. How many connections it cost, and
/// how many warnings.
fn cost(mut again: impl FnMut(&mut Mallory, &mut World, usize)) -> (u64, usize) {
    let (mut world, ann, ben) = pair();
    let kept = world.open_connections(ann, ben);
    let mut mallory = Mallory::new(1);
    let before = world.nodes[ann].room.diagnostics().connections_opened;
    for _ in 0..10 * SECONDS {
        again(&mut mallory, &mut world, ann);
        world.run(Duration::from_millis(60));
        mallory.answer(&mut world, ann);
        world.run(Duration::from_millis(40));
        let all: Vec<ConnectionId> = world.all_connections(ann);
        for connection in all.into_iter().filter(|its| !kept.contains(its)) {
            for event in [LinkEvent::Opened, LinkEvent::Text("nonsense".to_owned())] {
                world.feed(ann, Input::Link(connection, event));
            }
        }
    }
    let warnings = world.nodes[ann].events.iter();
    let warnings = warnings
        .filter(|event| matches!(event, Event::People(PeopleEvent::ValidationFailure { .. })));
    let warnings = warnings.count();
    let after = world.nodes[ann].room.diagnostics().connections_opened;
    still_talk(&mut world, ann, ben);
    (after - before, warnings)
}

#[test]
fn a_peer_that_knocks_after_every_failure_costs_few_connections() {
    let (connections, warnings) = cost(|mallory, world, ann| {
        let theirs = newest_connect(world, ann);
        mallory.knock(world, &theirs);
    });
    assert!(connections <= 25, "{connections} connections");
    assert!(warnings <= 25, "{warnings} warnings");
}

#[test]
fn a_peer_that_announces_itself_after_every_failure_costs_few_connections() {
    let (connections, warnings) = cost(|mallory, world, _| {
        let connect = mallory.connect(world.now);
        mallory.announce(world, mallory.id(), connect);
    });
    assert!(connections <= 25, "{connections} connections");
    assert!(warnings <= 25, "{warnings} warnings");
}
