//! Peers that cheat: none of their messages is ever delivered, and none of them stops the honest peers.

mod attachments;
mod attempts;
mod blocks;
mod broker;
mod brokers;
mod candidates;
mod candidates_said_again;
mod crowded_doors;
mod decisions;
mod entries;
mod files;
mod floods;
mod ghosts;
mod ghosts_named_again;
mod ghosts_of_strangers;
mod knocking_anew;
mod known_names;
mod later_version;
mod leaving;
mod long_answers;
mod mallory;
mod muted;
mod noise;
mod one_number_twice;
mod places;
mod presence;
mod prompts;
mod proof;
mod proof_replays;
mod restless_names;
mod resuming;
mod rough_nights;
mod said_twice;
mod shares_of_places;
mod slept_while_apart;
mod slow_brokers;
mod slow_keys;
mod values;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, PublicKey, TrustBook, TrustChange, TrustDecision};
use rtchat::time::Millis;

use super::world::{World, seed};
pub(crate) use mallory::{Mallory, derived, newest_connect, overheard, patched};

/// The offsets of the fields of a `Connect` in its bytes.
pub(crate) mod field {
    pub const VERSION: usize = 3;
    pub const CAPABILITIES: usize = 4;
    pub const SERIAL: usize = 74;
    pub const NONCE: usize = 78;
    pub const LEAVE: usize = 94;
    pub const SIGNED_AT: usize = 110;
    pub const TAB: usize = 118;
    pub const NAME: usize = 121;
}

fn rng(number: u64) -> ChaCha20Rng {
    ChaCha20Rng::from_seed(seed(number, 200))
}

pub(crate) fn key(number: u64) -> IdentityKey {
    IdentityKey::generate(&mut rng(10_000 + number))
}

/// A trust book with these decisions about these keys, by name.
fn book_of(people: &[(PublicKey, &str, TrustDecision)]) -> TrustBook {
    let mut book = TrustBook::default();
    for (number, (key, name, what)) in people.iter().enumerate() {
        book.note(&TrustChange {
            key: *key,
            name: Name::parse(name).unwrap(),
            at: Millis(1 + number as u64),
            what: *what,
        });
    }
    book
}

/// Asserts that Ann and Ben can still talk, and have heard nobody else.
fn still_talk(world: &mut World, ann: usize, ben: usize) {
    world.say(ann, "all well?");
    world.say(ben, "all well");
    let talked = |world: &World| !world.heard(ann).is_empty() && !world.heard(ben).is_empty();
    world.run_until(std::time::Duration::from_secs(2), talked);
    world.run(std::time::Duration::from_millis(100));
    let texts = |at: usize| {
        world
            .heard(at)
            .into_iter()
            .map(|(_, text)| text)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (texts(ben), texts(ann)),
        (vec!["all well?".to_owned()], vec!["all well".to_owned()])
    );
}
