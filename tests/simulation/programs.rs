//! Features for programs on a page, beyond those for people.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, TrustBook, TrustChange, TrustDecision};
use rtchat::room::{Command, Event, PeerState, PeopleCommand, PeopleEvent};
use rtchat::settings::Accept;
use rtchat::settings::options::MAX_INFO;

use super::world::{World, seed};

fn key(number: u64) -> IdentityKey {
    IdentityKey::generate(&mut ChaCha20Rng::from_seed(seed(number, 150)))
}

#[test]
fn a_program_that_wants_to_decide_is_asked_about_every_peer() {
    let mut world = World::new(1);
    let mut trust = TrustBook::default();
    trust.note(&TrustChange {
        key: key(2).public(),
        name: Name::parse("ben").unwrap(),
        at: world.now,
        what: TrustDecision::Met,
    });
    let ann = world.open_as("ann", key(1), Accept::Everyone, trust);
    world.command(ann, Command::People(PeopleCommand::AskAboutAll(true)));
    world.run(Duration::from_secs(1));
    // More peers than may wait for a decision at once. One of them is known.
    world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
    for number in 3..=10 {
        world.open(&format!("guest {number}"));
    }
    let mut asked = Vec::new();
    for _ in 0..100 {
        world.run(Duration::from_millis(100));
        let requests = world.nodes[ann]
            .events
            .iter()
            .filter_map(|event| match event {
                Event::People(PeopleEvent::Request(view)) => Some(view.clone()),
                _ => None,
            });
        for request in requests.collect::<Vec<_>>() {
            if !asked.contains(&request.user) {
                let accept = request.user != "guest 7";
                asked.push(request.user.clone());
                let who = request.shown();
                world.command(ann, Command::People(PeopleCommand::Decide { who, accept }));
            }
        }
    }
    assert_eq!(asked.len(), 9, "{asked:?}");
    assert!(asked.contains(&"ben".to_owned()), "{asked:?}");
    assert_eq!(world.verified(ann), 8);

    world.command(ann, Command::People(PeopleCommand::AskAboutAll(false)));
    world.open("late");
    world.run(Duration::from_secs(10));
    assert_eq!(world.verified(ann), 9, "the policy decides again");
}

#[test]
fn a_peer_that_the_policy_accepts_late_is_dialed_at_once() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.command(ann, Command::People(PeopleCommand::AskAboutAll(true)));
    world.run(Duration::from_secs(1));
    // Two more than the person is asked about at once.
    for number in 1..=7 {
        world.open(&format!("guest {number}"));
    }
    world.run(Duration::from_secs(12));
    let requests = world.nodes[ann].events.iter();
    let mut requests = requests.filter_map(|event| match event {
        Event::People(PeopleEvent::Request(view)) => Some(view.shown()),
        _ => None,
    });
    let who = requests.next().expect("the person is asked");
    assert_eq!(world.verified(ann), 0);
    world.command(ann, Command::People(PeopleCommand::AskAboutAll(false)));
    let accept = false;
    world.command(ann, Command::People(PeopleCommand::Decide { who, accept }));
    assert!(world.run_until(Duration::from_secs(2), |world| world.verified(ann) > 0));
}

#[test]
fn user_info_arrives_with_the_proof_and_not_before() {
    let valid = r#"{"plays":"chess"}"#;
    let long = format!(r#"{{"plays":"{}"}}"#, "x".repeat(MAX_INFO));
    for (info, expected) in [
        (valid, Some(valid)),
        ("{}", Some("{}")),
        (&long, None),
        ("[]", None),
        ("{", None),
    ] {
        let mut world = World::new(1);
        let ann = world.open("ann");
        let info = Some(info.to_owned());
        let trust = TrustBook::default();
        let ben = world.open_with_info("ben", key(2), Accept::Everyone, trust, info);
        world.run(Duration::from_secs(5));
        assert_eq!(
            (world.verified(ann), world.verified(ben)),
            (1, 1),
            "invalid info keeps nobody out"
        );
        let views = world.nodes[ann]
            .events
            .iter()
            .filter_map(|event| match event {
                Event::People(PeopleEvent::Changed(view)) => Some(view),
                _ => None,
            });
        for view in views {
            let known = (view.state == PeerState::Verified).then_some(expected);
            assert_eq!(view.info.as_deref(), known.flatten(), "{view:?}");
        }
    }
}
