//! A member who lies about who is here keeps nobody apart.

use core::num::NonZeroU32;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rtchat::identity::PeerId;
use rtchat::room::PeerState;
use rtchat::rtc::LinkEvent;
use rtchat::wire::Envelope;
use rtchat::wire::presence::PresenceDigest;

use super::derived;
use crate::scenes::SOON;
use crate::world::{World, room_keys};

/// Names fifty announcements that do not exist.
fn lie(world: &mut World, from: usize, to: usize, number: u64) {
    let digest = |at: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(number * 100 + at).to_be_bytes());
        PresenceDigest::of(&PeerId(id), NonZeroU32::MIN).to_text()
    };
    let peers: Vec<String> = (0..50).map(|at| format!("\"{}\"", digest(at))).collect();
    let frame = format!("{{\"k\":\"presence\",\"peers\":[{}]}}", peers.join(","));
    world.inject(from, to, LinkEvent::Text(frame));
}

/// Mallory's behaviour in the meantime.
#[derive(Clone, Copy, PartialEq)]
enum Trick {
    Nothing,
    /// Names announcements that do not exist.
    Lies,
    /// Comes and goes, once a second.
    ComesAndGoes,
}

/// Whether ann, who came when cleo's announcement was long over, meets cleo through ben. Nothing passed between ann and
/// cleo at first.
fn healed(trick: Trick) -> bool {
    let mut world = World::new(1);
    let (ben, cleo) = (world.open("ben"), world.open("cleo"));
    let mallory = world.open("mallory");
    assert!(world.run_until(SOON, World::is_full_mesh));
    // Mallory passes nothing on.
    world.muted.push((mallory, "\"connects\"".to_owned()));
    world.run(Duration::from_secs(30));
    let ann = world.open("ann");
    let room = room_keys();
    let [anns, cleos] = [ann, cleo].map(|at| world.nodes[at].room.id());
    let inboxes = [room.inbox(&anns).name(""), room.inbox(&cleos).name("")];
    let torn = Rc::new(Cell::new(true));
    let is_torn = torn.clone();
    world.interceptor = Some(Box::new(move |name, payload| {
        let sender = Envelope::open(&room, derived(name), payload)
            .unwrap()
            .sender;
        let apart =
            (sender == cleos && name == inboxes[0]) || (sender == anns && name == inboxes[1]);
        if apart && is_torn.get() {
            vec![]
        } else {
            vec![(name.to_owned(), payload.to_vec())]
        }
    }));
    assert!(world.run_until(SOON, |world| world.verified(ann) == 2));
    let _ = ben;
    let mut visitor = None;
    for number in 0..300 {
        match trick {
            Trick::Lies => {
                lie(&mut world, mallory, ann, number);
                lie(&mut world, mallory, cleo, number);
            }
            Trick::ComesAndGoes if number % 2 == 0 => {
                if let Some(before) = visitor.take() {
                    world.leave(before);
                }
                visitor = Some(world.open("visitor"));
            }
            _ => {}
        }
        world.run(Duration::from_millis(500));
        if number == 90 {
            torn.set(false);
        }
        let met = world.roster(ann).get("cleo") == Some(&PeerState::Verified);
        if met && world.roster(cleo).get("ann") == Some(&PeerState::Verified) {
            return true;
        }
    }
    false
}

#[test]
fn a_member_who_names_people_who_do_not_exist_keeps_nobody_apart() {
    assert!(healed(Trick::Nothing), "without lies");
    assert!(healed(Trick::Lies), "with lies");
}

#[test]
fn somebody_who_comes_and_goes_keeps_nobody_apart() {
    assert!(healed(Trick::ComesAndGoes));
}
