//! Somebody who takes another name again and again while the person is asked about them does not fill the screen.

use std::time::Duration;

use rtchat::identity::{Name, TrustBook};
use rtchat::room::{Event, PeopleEvent};
use rtchat::settings::Accept;

use super::{Mallory, key, newest_connect};
use crate::scenes::SOON;
use crate::world::World;

fn requests(world: &World, at: usize, name: &str) -> usize {
    let events = world.nodes[at].events.iter();
    let requests = events.filter(|event| match event {
        Event::People(PeopleEvent::Request(view)) => view.name.as_str().starts_with(name),
        _ => false,
    });
    requests.count()
}

#[test]
fn a_peer_that_keeps_changing_its_name_causes_few_questions() {
    let mut world = World::new(1);
    let ann = world.open_as("ann", key(1), Accept::Ask, TrustBook::default());
    world.run(SOON);
    let theirs = newest_connect(&world, ann);
    let mut mallory = Mallory::new(1);
    mallory.knock(&mut world, &theirs);
    for number in 0..600 {
        mallory.name = Name::parse(&format!("mallory {number}")).unwrap();
        let connect = mallory.connect(world.now);
        mallory.announce(&mut world, mallory.id(), connect);
        world.run(Duration::from_millis(100));
        if number == 300 {
            Mallory::named(2, "cleo").knock(&mut world, &theirs);
        }
    }
    let asked = requests(&world, ann, "mallory");
    assert!((1..=25).contains(&asked), "{asked}");
    assert_eq!(requests(&world, ann, "cleo"), 1);
}
