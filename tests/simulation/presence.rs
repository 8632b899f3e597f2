//! Leaving, silence, returning, names and policies.

use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, Trust, TrustBook, TrustChange, TrustDecision};
use rtchat::room::{
    BrokerEvent, BrokerId, BrokerState, ChatEvent, Command, Event, GoneReason, Input, MAX_TEXT,
    PeerState, PeopleCommand, PeopleEvent, Status,
};
use rtchat::rtc::{LinkEvent, Path};
use rtchat::settings::Accept;
use rtchat::time::Millis;

use super::scenes::{SOON, pair, shown};
use super::world::{World, seed};

fn gone(world: &World, at: usize) -> Vec<(String, GoneReason)> {
    let gone = world.nodes[at]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::People(PeopleEvent::Gone { peer, reason }) => Some((peer.user.clone(), *reason)),
            _ => None,
        });
    gone.collect()
}

fn key(number: u64) -> IdentityKey {
    IdentityKey::generate(&mut ChaCha20Rng::from_seed(seed(number, 9)))
}

#[test]
fn a_peer_that_leaves_is_gone_at_once_for_everybody() {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.leave(ben);
    world.run(Duration::from_millis(100));
    for at in [ann, cleo] {
        assert_eq!(gone(&world, at), [("ben".into(), GoneReason::Left)]);
        assert_eq!(
            world.status(at),
            Some(Status::Connected {
                people: 1,
                reconnecting: 0,
                own_tabs: 0,
            })
        );
        assert_eq!(world.connections(at), 1);
    }
    assert_eq!(
        world.nodes[ben].events.last(),
        Some(&Event::Status(Status::Left))
    );
}

#[test]
fn a_silent_peer_is_reconnecting_after_five_seconds_and_gone_after_two_minutes() {
    let (mut world, ann, ben) = pair();
    world.crash(ben);
    world.run(Duration::from_millis(4800));
    assert_eq!(world.roster(ann)["ben"], PeerState::Verified);
    world.run(Duration::from_millis(4000));
    assert_eq!(world.roster(ann)["ben"], PeerState::Reconnecting);
    assert_eq!(
        world.status(ann),
        Some(Status::Connected {
            people: 1,
            reconnecting: 1,
            own_tabs: 0,
        })
    );
    world.run(Duration::from_secs(110));
    assert_eq!(world.roster(ann)["ben"], PeerState::Reconnecting);
    world.run(Duration::from_secs(6));
    assert_eq!(gone(&world, ann), [("ben".into(), GoneReason::Silent)]);
    assert!(world.is_looking(ann));
    assert_eq!(world.connections(ann), 0);
}

#[test]
fn a_tab_closed_without_a_goodbye_is_gone_within_two_seconds() {
    for closes_first in [true, false] {
        let (mut world, ann, ben) = pair();
        let (stays, leaves, name) = if closes_first {
            (ben, ann, "ann")
        } else {
            (ann, ben, "ben")
        };
        world.close_tab(leaves);
        world.run(Duration::from_millis(1_000));
        assert_eq!(world.roster(stays)[name], PeerState::Reconnecting);
        world.run(Duration::from_millis(1_000));
        assert_eq!(gone(&world, stays), [(name.into(), GoneReason::Left)]);
        assert!(world.is_looking(stays));
    }
}

#[test]
fn a_peer_that_gives_up_an_attempt_while_reconnecting_is_not_gone() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        let (at, other) = [(ann, "ben"), (ben, "ann")][side];
        world.stop_broker();
        world.end_connections(at, LinkEvent::Path(Path::Lost));
        world.run(Duration::from_secs(7));
        // Only attempts are left, and without a broker none of them can succeed.
        world.end_connections(at, LinkEvent::Closed);
        world.run(Duration::from_secs(4));
        assert_eq!(world.roster(at)[other], PeerState::Reconnecting);
        assert!(gone(&world, at).is_empty());
    }
}

#[test]
fn a_peer_that_replaces_its_connection_is_never_gone() {
    for side in [0, 1] {
        let (mut world, ann, ben) = pair();
        world.end_connections([ann, ben][side], LinkEvent::Path(Path::Lost));
        assert!(!world.is_full_mesh());
        assert!(world.run_until(SOON, World::is_full_mesh));
        world.run(Duration::from_secs(60));
        assert!(gone(&world, ann).is_empty() && gone(&world, ben).is_empty());
        assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    }
}

#[test]
fn a_tab_that_crashed_and_was_reloaded_leaves_no_ghost() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    let ben = world.open_as("ben", key(1), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.crash(ben);
    world.open_as("ben", key(1), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, |world| world.roster(ann).len() == 1
        && world.is_full_mesh()));
    assert_eq!(world.roster(ann).keys().collect::<Vec<_>>(), ["ben"]);
}

#[test]
fn a_restored_path_is_used_again_and_messages_sent_meanwhile_arrive() {
    let (mut world, ann, ben) = pair();
    world.cut(ann, ben, true);
    world.run(Duration::from_secs(12));
    assert_eq!(world.roster(ann)["ben"], PeerState::Reconnecting);
    world.say(ann, "are you there?");
    world.say(ann, "it seems not");
    world.cut(ann, ben, false);
    assert!(world.run_until(Duration::from_secs(20), World::is_full_mesh));
    // Wait until the attempt that was in progress has been given up.
    world.run(Duration::from_secs(20));
    let said = [
        ("ann".to_owned(), "are you there?".to_owned()),
        ("ann".to_owned(), "it seems not".to_owned()),
    ];
    assert_eq!(world.heard(ben), said);
    assert_eq!((world.connections(ann), world.connections(ben)), (1, 1));
    let delivered = |event: &&Event| {
        matches!(
            event,
            Event::Chat(ChatEvent::Delivery {
                delivered: 1,
                of: 1,
                ..
            })
        )
    };
    assert_eq!(world.nodes[ann].events.iter().filter(delivered).count(), 2);
}

#[test]
fn a_broken_connection_is_replaced_over_the_broker() {
    let (mut world, ann, ben) = pair();
    world.break_connections(ann, ben);
    assert!(world.run_until(Duration::from_secs(1), |world| world.verified(ann) == 0));
    assert!(world.run_until(SOON, World::is_full_mesh));
    world.say(ben, "still me");
    world.run(Duration::from_millis(100));
    assert_eq!(world.heard(ann), [("ben".into(), "still me".into())]);
    assert_eq!(gone(&world, ann), []);
}

#[test]
fn connected_peers_stay_connected_without_a_broker() {
    let (mut world, ann, ben) = pair();
    world.stop_broker();
    world.run(Duration::from_secs(120));
    assert!(matches!(
        world.status(ann),
        Some(Status::Unreachable { people: 1, .. })
    ));
    world.say(ann, "the broker is gone");
    world.run(Duration::from_millis(100));
    assert_eq!(world.heard(ben).len(), 1);

    let cleo = world.open("cleo");
    assert!(matches!(
        world.status(cleo),
        Some(Status::Unreachable { people: 0, .. })
    ));
    world.start_broker();
    assert!(world.run_until(Duration::from_secs(20), World::is_full_mesh));
}

#[test]
fn a_refusal_of_the_broker_is_shown_until_it_grants_the_subscription() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.run(Duration::from_millis(100));
    let mut status_after = |state| {
        let event = BrokerEvent::State(state);
        world.feed(ann, Input::Broker(BrokerId(0), event));
        world.status(ann)
    };
    let retry_at = Millis(1);
    let refused = Some(Status::Refused {
        people: 0,
        retry_at,
    });
    assert_eq!(status_after(BrokerState::Refused { retry_at }), refused);
    assert_eq!(
        status_after(BrokerState::Opening),
        refused,
        "another try promises nothing"
    );
    let looking = status_after(BrokerState::Ready);
    assert!(
        matches!(looking, Some(Status::Looking { .. })),
        "{looking:?}"
    );
    assert_eq!(status_after(BrokerState::Opening), Some(Status::Joining));

    // The same holds for a broker that cannot be reached.
    let unreachable = Some(Status::Unreachable {
        people: 0,
        retry_at,
    });
    assert_eq!(
        status_after(BrokerState::Unreachable { retry_at }),
        unreachable
    );
    assert_eq!(status_after(BrokerState::Opening), unreachable);
    let looking = status_after(BrokerState::Ready);
    assert!(
        matches!(looking, Some(Status::Looking { .. })),
        "{looking:?}"
    );
}

#[test]
fn whoever_loses_the_last_person_announces_themselves_soon() {
    let (mut world, ann, ben) = pair();
    let announced = |world: &World, at: usize| {
        let sent = world.published.iter();
        sent.filter(|(sender, ..)| *sender == at).count()
    };
    world.run(Duration::from_secs(60));
    let before = announced(&world, ann);
    world.leave(ben);
    world.run(Duration::from_secs(4));
    assert!(announced(&world, ann) > before);

    // With company, nobody needs to: a room of a thousand would talk of nothing else.
    let (ben, _cat) = (world.open("ben"), world.open("cat"));
    assert!(world.run_until(Duration::from_secs(20), World::is_full_mesh));
    world.run(Duration::from_secs(60));
    let before = announced(&world, ann);
    world.leave(ben);
    world.run(Duration::from_secs(20));
    assert_eq!(announced(&world, ann), before);
}

#[test]
fn a_computer_that_slept_does_not_give_up_its_peers() {
    let (mut world, ann, ben) = pair();
    world.now = world.now + Duration::from_secs(3600);
    world.run(Duration::from_secs(10));
    assert!(world.is_full_mesh());
    assert_eq!((gone(&world, ann), gone(&world, ben)), (vec![], vec![]));
}

#[test]
fn new_names_reach_present_peers_and_newcomers() {
    let (mut world, ann, ben) = pair();
    world.command(ben, Command::Rename(Name::parse("benjamin").unwrap()));
    world.run(Duration::from_millis(100));
    assert_eq!(world.roster(ann).keys().collect::<Vec<_>>(), ["benjamin"]);
    let cleo = world.open("cleo");
    assert!(world.run_until(SOON, World::is_full_mesh));
    assert!(
        world.roster(cleo).contains_key("benjamin"),
        "{:?}",
        world.roster(cleo)
    );
}

#[test]
fn two_keys_with_one_name_are_distinguished() {
    let mut world = World::new(1);
    let (ann, _, _) = (world.open("ann"), world.open("ben"), world.open("Ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    let users: Vec<String> = world.roster(ann).into_keys().collect();
    assert_eq!(users.len(), 2);
    assert!(
        users
            .iter()
            .all(|user| user.to_lowercase().starts_with("ben (")),
        "{users:?}"
    );
}

#[test]
fn a_known_name_on_another_key_is_a_warning_until_the_person_accepts_it() {
    let mut world = World::new(1);
    let mut trust = TrustBook::default();
    let name = Name::parse("ben").unwrap();
    trust.note(&TrustChange {
        key: key(1).public(),
        name,
        at: world.now,
        what: TrustDecision::Met,
    });
    let ann = world.open_as("ann", key(5), Accept::Everyone, trust);
    let ben = world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let trust_of_ben = |world: &World| {
        world.nodes[ann]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::People(PeopleEvent::Changed(view)) => Some(view.trust),
                _ => None,
            })
    };
    assert_eq!(trust_of_ben(&world), Some(Trust::NameOnAnotherKey));
    let shown = |world: &World| shown(world, ann, ben);
    world.command(
        ann,
        Command::People(PeopleCommand::AcceptKey(shown(&world))),
    );
    assert_eq!(trust_of_ben(&world), Some(Trust::Known));
    world.command(
        ann,
        Command::People(PeopleCommand::MarkVerified(shown(&world))),
    );
    assert_eq!(trust_of_ben(&world), Some(Trust::Verified));
    world.command(ann, Command::People(PeopleCommand::Block(shown(&world))));
    world.run(Duration::from_secs(20));
    assert_eq!(gone(&world, ann), [("ben".into(), GoneReason::Blocked)]);
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
}

#[test]
fn decisions_made_in_another_tab_apply_here() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    let ben = world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
    assert!(world.run_until(SOON, World::is_full_mesh));
    let mut book = TrustBook::default();
    let mut decide = |world: &mut World, what| {
        book.note(&TrustChange {
            key: key(2).public(),
            name: Name::parse("ben").unwrap(),
            at: world.now,
            what,
        });
        world.command(
            ann,
            Command::People(PeopleCommand::TrustBookChanged(book.clone())),
        );
        world.nodes[ann]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::People(PeopleEvent::Changed(view)) if view.user == "ben" => Some(view.trust),
                _ => None,
            })
    };
    let met = decide(&mut world, TrustDecision::Met);
    assert_eq!(met, Some(Trust::New), "ben is here for the first time");
    let compared = decide(&mut world, TrustDecision::Compared);
    assert_eq!(compared, Some(Trust::Verified));
    decide(&mut world, TrustDecision::Blocked);
    world.run(Duration::from_secs(20));
    assert_eq!(gone(&world, ann), [("ben".into(), GoneReason::Blocked)]);
    assert_eq!((world.verified(ann), world.verified(ben)), (0, 0));
}

#[test]
fn a_peer_that_another_tab_met_a_moment_earlier_is_still_new() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
    let trust_of_ben = |world: &World| {
        let events = world.nodes[ann].events.iter().rev();
        let mut seen = events.filter_map(|event| match event {
            Event::People(PeopleEvent::Changed(view)) if view.user == "ben" => Some(view.trust),
            _ => None,
        });
        seen.next()
    };
    assert!(world.run_until(SOON, |world| trust_of_ben(world).is_some()));
    assert_eq!(world.verified(ann), 0, "ben has not proven anything yet");
    let mut book = TrustBook::default();
    book.note(&TrustChange {
        key: key(2).public(),
        name: Name::parse("ben").unwrap(),
        at: world.now,
        what: TrustDecision::Met,
    });
    world.command(ann, Command::People(PeopleCommand::TrustBookChanged(book)));
    assert!(world.run_until(SOON, World::is_full_mesh));
    assert_eq!(trust_of_ben(&world), Some(Trust::New));
}

#[test]
fn tabs_of_one_person_find_each_other_whatever_the_policy() {
    for accept in [Accept::Ask, Accept::Known] {
        let mut world = World::new(1);
        for _ in 0..2 {
            world.open_as("ann", key(1), accept, TrustBook::default());
        }
        assert!(world.run_until(SOON, World::is_full_mesh));
        let asked = |event: &Event| matches!(event, Event::People(PeopleEvent::Request(_)));
        assert!(!world.nodes.iter().any(|node| node.events.iter().any(asked)));
    }
}

#[test]
fn with_the_policy_ask_only_a_knock_is_sent_before_the_answer() {
    for accept in [true, false] {
        let mut world = World::new(1);
        let ann = world.open_as("ann", key(1), Accept::Ask, TrustBook::default());
        world.run(Duration::from_secs(1));
        let ben = world.open("ben");
        world.run(Duration::from_secs(2));
        let inboxes = world
            .published
            .iter()
            .filter(|(at, topic, _)| *at == ann && **topic != world.keys.topic().name(""));
        let inboxes: Vec<_> = inboxes.collect();
        assert_eq!(inboxes.len(), 1, "one knock besides the announcements");
        let payload = &inboxes[0].2;
        assert!(payload.len() < 400, "a knock has no room for addresses");
        let request = world.nodes[ann]
            .events
            .iter()
            .find_map(|event| match event {
                Event::People(PeopleEvent::Request(view)) => Some(view.clone()),
                _ => None,
            });
        let request = request.expect("ann should get a request");
        assert_eq!(request.user, "ben");
        world.command(
            ann,
            Command::People(PeopleCommand::Decide {
                who: request.shown(),
                accept,
            }),
        );
        world.run(Duration::from_secs(30));
        assert_eq!(world.verified(ann), usize::from(accept));
        assert_eq!(world.verified(ben), usize::from(accept));
    }
}

#[test]
fn with_the_policy_known_strangers_stay_outside() {
    let mut world = World::new(1);
    let mut trust = TrustBook::default();
    let name = Name::parse("ben").unwrap();
    trust.note(&TrustChange {
        key: key(2).public(),
        name,
        at: world.now,
        what: TrustDecision::Met,
    });
    let ann = world.open_as("ann", key(1), Accept::Known, trust);
    world.open_as("ben", key(2), Accept::Everyone, TrustBook::default());
    world.open_as("mallory", key(3), Accept::Everyone, TrustBook::default());
    world.run(Duration::from_secs(40));
    assert_eq!(world.roster(ann).into_keys().collect::<Vec<_>>(), ["ben"]);
}

#[test]
fn too_long_and_empty_messages_are_refused_with_a_sentence() {
    let (mut world, ann, ben) = pair();
    world.say(ann, &"ä".repeat(MAX_TEXT + 1));
    world.say(ann, "  \n ");
    world.say(ann, &"𝄞".repeat(MAX_TEXT));
    world.run(Duration::from_millis(100));
    assert_eq!(world.heard(ben).len(), 1);
    assert_eq!(world.heard(ben)[0].1.chars().count(), MAX_TEXT);
    let refused: Vec<&String> = world.nodes[ann]
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Refused(sentence) => Some(sentence),
            _ => None,
        })
        .collect();
    assert_eq!(refused.len(), 2);
    assert!(refused[0].contains("10001"), "{refused:?}");
}
