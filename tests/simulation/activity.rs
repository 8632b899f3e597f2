//! Who is at their page, and who is away.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{Activity, Event, Input, PeerView, PeopleEvent};
use rtchat::rtc::LinkEvent;
use rtchat::settings::Accept;

use crate::scenes::{MINUTE, SOON, id, pair};
use crate::world::World;

use Activity::{Active, Away};

/// What `at` was shown of another tab's person: everything that is not the same as before.
fn told(world: &World, at: usize, other: usize) -> Vec<Option<Activity>> {
    let other = id(world, other);
    let views = world.nodes[at]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::People(PeopleEvent::Changed(view)) if view.id == other => Some(view),
            _ => None,
        });
    let mut told: Vec<Option<Activity>> =
        views.map(|PeerView { activity, .. }| *activity).collect();
    told.dedup();
    told
}

fn attend(world: &mut World, at: usize, attentive: bool) {
    world.feed(at, Input::Attention(attentive));
}

#[test]
fn becoming_active_is_told_at_once_and_becoming_away_after_a_while() {
    let (mut world, ann, ben) = pair();
    assert_eq!(told(&world, ann, ben), [None], "nothing is known yet");
    attend(&mut world, ben, true);
    world.run(SOON);
    assert_eq!(told(&world, ann, ben), [None, Some(Active)]);
    // A glance elsewhere is told to nobody.
    attend(&mut world, ben, false);
    world.run(MINUTE);
    attend(&mut world, ben, true);
    world.run(4 * MINUTE);
    assert_eq!(told(&world, ann, ben), [None, Some(Active)]);
    // A page that nobody touches, and one that nobody sees.
    world.run(2 * MINUTE);
    attend(&mut world, ben, true);
    world.run(SOON);
    attend(&mut world, ben, false);
    world.run(2 * MINUTE + SOON);
    let all = [None, Some(Active), Some(Away), Some(Active), Some(Away)];
    assert_eq!(told(&world, ann, ben), all);
    assert_eq!(told(&world, ben, ann), [None], "ann never says it");
}

#[test]
fn nothing_of_it_goes_over_the_broker() {
    let (mut world, ann, ben) = pair();
    world.run(MINUTE);
    let before = world.published.len();
    for _ in 0..20 {
        attend(&mut world, ben, true);
        attend(&mut world, ben, false);
        world.run(Duration::from_secs(1));
    }
    world.run(3 * MINUTE);
    assert_eq!(told(&world, ann, ben), [None, Some(Active), Some(Away)]);
    // Two announce themselves every 300 s, whatever their people do.
    let after = world.published.len() - before;
    assert!(after <= 4, "{after} messages");
}

#[test]
fn a_person_with_several_tabs_is_active_if_one_of_them_is() {
    let (mut world, ann, ben) = pair();
    let identity = world.nodes[ben].identity.clone();
    world.next_tab = 2;
    let other = world.open_as("ben", identity, Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    // The tab that was opened in the background is away at once.
    attend(&mut world, other, false);
    world.run(SOON);
    assert_eq!(
        told(&world, ann, ben).last(),
        Some(&Some(Away)),
        "the other tab speaks for both"
    );
    attend(&mut world, ben, true);
    world.run(SOON);
    for tab in [ben, other] {
        assert_eq!(told(&world, ann, tab).last(), Some(&Some(Active)));
    }
    world.leave(ben);
    world.run(SOON);
    assert_eq!(told(&world, ann, other).last(), Some(&Some(Away)));
}

#[test]
fn whoever_comes_later_is_told() {
    let (mut world, _, ben) = pair();
    attend(&mut world, ben, true);
    world.run(6 * MINUTE);
    let cleo = world.open("cleo");
    attend(&mut world, cleo, true);
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(SOON);
    assert_eq!(told(&world, cleo, ben).last(), Some(&Some(Away)));
    assert_eq!(told(&world, ben, cleo).last(), Some(&Some(Active)));
}

#[test]
fn a_peer_that_changes_its_mind_without_end_is_heard_only_so_often() {
    let (mut world, ann, ben) = pair();
    for number in 0..300 {
        let word = ["active", "away", "dancing"][number % 3];
        let frame = format!(r#"{{"k":"activity","is":"{word}"}}"#);
        world.inject(ben, ann, LinkEvent::Text(frame));
        world.run(Duration::from_millis(100));
    }
    let told = told(&world, ann, ben);
    assert!((6..=13).contains(&told.len()), "{told:?}");
    assert!(world.dropped(ann, "too many frames at once") > 250);
    assert!(world.is_full_mesh());
}
