//! Candidates over a broker are read by one peer alone, but everybody in the room can send the same sealed part again in
//! an envelope of their own. That does not use up what their author may say.

use std::time::Duration;

use super::{Mallory, newest_connect, still_talk};
use crate::scenes::pair;

#[test]
fn candidates_that_others_repeat_do_not_use_up_what_a_connection_may_be_told() {
    let (mut world, ann, ben) = pair();
    let theirs = newest_connect(&world, ann);
    // Somebody honest, of whom nothing more is needed than an offer and some candidates.
    let mut cleo = Mallory::named(1, "cleo");
    let mut mallory = Mallory::new(2);
    cleo.send_offer(&mut world, &theirs);
    world.run(Duration::from_millis(100));
    let before = world.nodes[ann].candidates_added;
    let (inbox, recorded) = cleo.candidates(&mut world, &theirs, 4);
    world.run(Duration::from_millis(100));
    assert_eq!(world.nodes[ann].candidates_added - before, 4);
    for _ in 0..100 {
        mallory.send(&mut world, inbox, &recorded);
    }
    world.run(Duration::from_millis(100));
    assert_eq!(world.nodes[ann].candidates_added - before, 4);
    // The address that matters is found last.
    cleo.candidates(&mut world, &theirs, 4);
    world.run(Duration::from_millis(100));
    assert_eq!(world.nodes[ann].candidates_added - before, 8);
    still_talk(&mut world, ann, ben);
}
