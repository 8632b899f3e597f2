//! What is said is shown once, also to somebody who had given the speaker up in between.

use std::time::Duration;

use crate::scenes::{MINUTE, SOON, pair};

#[test]
fn a_message_whose_receipt_was_lost_is_not_shown_again_after_the_speaker_slept() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        world.run(SOON);
        let (speaker, other) = [(ann, ben), (ben, ann)][side];
        world.say(speaker, "hello");
        // It arrives, and the receipt is on its way back when the lid closes.
        world.run(Duration::from_millis(3));
        assert_eq!(world.heard(other).len(), 1);
        world.sleep(speaker, MINUTE);
        world.say(speaker, "are you still there?");
        world.run(10 * MINUTE);
        let said: Vec<String> = world
            .heard(other)
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert_eq!(said, ["hello", "are you still there?"], "{side}");
    }
}
