//! People leave and return, go through the views, and decide about others.

use super::*;

/// A person at this browser who has joined, with somebody else there.
fn joined() -> State {
    let own = Own {
        id: PeerId([0; 16]),
        user: "ann".into(),
        key: PublicKey([0; 33]),
    };
    let there = Event::People(PeopleEvent::Changed(peer(2, "ben", PeerState::Verified)));
    after(State::default().reduce(Action::Joined(own)), [there])
}

#[test]
fn leaving_keeps_what_was_said_and_joining_again_goes_on_with_it() {
    let state = after(joined(), [message(Some(2))]);
    let state = state.reduce(Action::People(true));
    let left = after(state, [Event::Status(Status::Left)]);
    assert!(left.talk.log.has_messages() && !left.people_open);
    assert_eq!((left.present(), left.status), (1, Status::Left));
    let again = left.reduce(Action::Rejoining);
    let own = Own {
        id: PeerId([9; 16]),
        user: "ann".into(),
        key: PublicKey([0; 33]),
    };
    let again = again.reduce(Action::Joined(own));
    assert!(again.talk.log.has_messages());
    assert_eq!(
        (again.stage.clone(), again.status),
        (Stage::Joined, Status::Joining)
    );
    let there = Event::People(PeopleEvent::Changed(peer(2, "ben", PeerState::Verified)));
    assert_eq!(moves(&after(again, [there])), ["ben joined", "ben joined"]);
}

#[test]
fn escape_closes_what_can_be_seen_and_nothing_else() {
    let person = Some(PeerId([2; 16]));
    // In a narrow page: the people, somebody's details, and back to the log.
    let open = joined().reduce(Action::People(true));
    let back = open.clone().reduce(Action::Person(person));
    let back = back.reduce(Action::People(false));
    assert!(!back.is_covered(), "nothing is left for Escape to close");
    let details = open.reduce(Action::Person(person)).reduce(Action::Escape);
    assert!(details.people_open && details.person.is_none());
    assert!(!details.reduce(Action::Escape).is_covered());
    // A wide page always shows the people, so Escape has nothing but the details to close.
    let details = joined().reduce(Action::Person(person));
    assert!(details.people_open, "a narrow page shows them there");
    assert!(!details.clone().reduce(Action::Escape).is_covered());
    assert!(!details.reduce(Action::Person(None)).is_covered());
}

#[test]
fn blocking_is_asked_about_and_can_be_undone() {
    let ben = Rc::new(peer(2, "ben", PeerState::Verified));
    let asked = joined().reduce(Action::Blocking(Some(ben.clone())));
    assert!(asked.blocking.is_some());
    let kept = asked.clone().reduce(Action::Blocking(None));
    assert!(kept.blocking.is_none() && kept.notices.is_empty());
    let blocked = asked.reduce(Action::Blocked(ben.key, ben.user.clone()));
    assert!(blocked.blocking.is_none());
    let undo = |state: &State| -> Vec<_> {
        let notices = state.notices.iter();
        notices.filter_map(|notice| notice.blocked).collect()
    };
    assert_eq!(undo(&blocked), [ben.key]);
    let listed = |key| Blocked {
        key,
        name: "somebody".into(),
    };
    let both = vec![listed(ben.key), listed(PublicKey([7; 33]))];
    let both = blocked.reduce(Action::BlockedAre(both));
    assert_eq!((undo(&both), both.blocked.len()), (vec![ben.key], 2));
    // Whether they were unblocked here or in another tab, there is nothing left to undo.
    let other = vec![listed(PublicKey([7; 33]))];
    let other = both.reduce(Action::BlockedAre(other));
    assert_eq!((undo(&other), other.blocked.len()), (vec![], 1));
}

#[test]
fn a_tab_of_ones_own_is_known_by_its_proven_key() {
    let state = joined();
    let tab = |state| PeerView {
        key: PublicKey([0; 33]),
        ..peer(3, "ann(2)", state)
    };
    assert!(state.is_own_tab(&tab(PeerState::Verified)));
    assert!(!state.is_own_tab(&tab(PeerState::Connecting)));
    assert!(!state.is_own_tab(&peer(2, "ann", PeerState::Verified)));
    // It is the same person, who counts once.
    let there = Event::People(PeopleEvent::Changed(tab(PeerState::Verified)));
    assert_eq!((state.present(), after(state, [there]).present()), (2, 2));
}
