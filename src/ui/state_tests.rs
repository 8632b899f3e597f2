use super::*;
use crate::identity::Name;
use crate::room::{ChatEvent, MessageId, PeopleEvent};
use crate::time::Millis;
use crate::ui::timeline::Content;

fn peer(byte: u8, user: &str, state: PeerState) -> PeerView {
    PeerView {
        id: PeerId([byte; 16]),
        user: user.into(),
        name: Name::parse("ann").unwrap(),
        info: None,
        key: PublicKey([byte; 33]),
        state,
        trust: Trust::Known,
    }
}

fn message(from: Option<u8>) -> Event {
    Event::Chat(ChatEvent::Message(Message {
        id: MessageId("m".into()),
        peer: from.map(|byte| PeerId([byte; 16])),
        sender: "ann".into(),
        key: PublicKey([from.unwrap_or(0); 33]),
        text: "text".into(),
        at: Millis(0),
        private: false,
        to: None,
    }))
}

fn after(state: State, events: impl IntoIterator<Item = Event>) -> State {
    events.into_iter().fold(state, |state, event| {
        state.reduce(Action::Event { event, day: 0 })
    })
}

fn moves(state: &State) -> Vec<String> {
    let text = |line: &Rc<crate::ui::timeline::Line>| match &line.content {
        Content::Moves(moves) => Some(crate::ui::texts::moves(moves)),
        Content::Said(_) => None,
    };
    state.log.lines().iter().filter_map(text).collect()
}

#[test]
fn the_way_into_the_room() {
    let state = State::default();
    assert_eq!(state.stage, Stage::Loading);
    let wrong = Opening {
        entry: Entry::WrongSecret,
        ..Opening::default()
    };
    assert_eq!(
        state.clone().reduce(Action::Opened(wrong)).stage,
        Stage::WrongSecret
    );
    let opening = Opening {
        notices: vec!["Storage is blocked.".into()],
        ..Opening::default()
    };
    let state = state.reduce(Action::Opened(opening));
    assert_eq!(
        (state.stage.clone(), state.notices.len()),
        (Stage::NameNeeded, 1)
    );
    let own = Own {
        id: PeerId([0; 16]),
        user: "ann".into(),
        key: PublicKey([0; 33]),
    };
    let state = state.reduce(Action::Joined(own));
    assert_eq!(
        (state.stage.clone(), state.present(), state.is_empty()),
        (Stage::Joined, 1, true)
    );
}

#[test]
fn people_stand_in_the_order_of_their_names_whatever_their_state() {
    let state = after(
        State::default(),
        [
            Event::People(PeopleEvent::Changed(peer(3, "cat", PeerState::Connecting))),
            Event::People(PeopleEvent::Changed(peer(1, "Ann", PeerState::Failed))),
            Event::People(PeopleEvent::Changed(peer(2, "ben", PeerState::Verified))),
            Event::People(PeopleEvent::Changed(peer(3, "cat", PeerState::Verified))),
        ],
    );
    let users: Vec<&str> = state.people.iter().map(|peer| peer.user.as_str()).collect();
    assert_eq!(users, ["Ann", "ben", "cat"]);
    assert_eq!(state.present(), 3);
}

#[test]
fn the_log_tells_who_came_and_went_but_not_who_never_arrived() {
    let (ben, cat) = (
        peer(2, "ben", PeerState::Verified),
        peer(3, "cat", PeerState::Connecting),
    );
    let state = after(
        State::default(),
        [
            Event::People(PeopleEvent::Changed(peer(2, "ben", PeerState::Connecting))),
            Event::People(PeopleEvent::Changed(ben.clone())),
            Event::People(PeopleEvent::Changed(peer(
                2,
                "ben",
                PeerState::Reconnecting,
            ))),
            Event::People(PeopleEvent::Changed(ben.clone())),
            Event::People(PeopleEvent::Changed(cat.clone())),
            Event::People(PeopleEvent::Gone {
                peer: cat,
                reason: GoneReason::Unreachable,
            }),
        ],
    );
    assert_eq!(moves(&state), ["ben joined"]);
    let renamed = after(
        state.clone(),
        [
            message(Some(2)),
            Event::People(PeopleEvent::Changed(peer(2, "benno", PeerState::Verified))),
        ],
    );
    assert_eq!(moves(&renamed), ["ben joined", "ben is now benno"]);
    let state = after(
        state,
        [
            message(Some(2)),
            Event::People(PeopleEvent::Gone {
                peer: ben,
                reason: GoneReason::Silent,
            }),
        ],
    );
    assert_eq!(moves(&state), ["ben joined", "ben left"]);
    assert!(state.people.is_empty() && !state.is_empty());
}

#[test]
fn unread_counts_only_what_nobody_watched() {
    let state = after(State::default(), [message(Some(1))]);
    assert_eq!((state.unread, state.unread_from), (0, None));
    let state = after(
        state.reduce(Action::Watching(false)),
        [message(Some(1)), message(Some(1))],
    );
    assert_eq!((state.unread, state.unread_from), (2, Some(1)));
    let state = state.reduce(Action::Watching(true));
    assert_eq!(
        (state.unread, state.unread_from),
        (0, Some(1)),
        "the line stays until something is said"
    );
    assert_eq!(after(state, [message(None)]).unread_from, None);
}

#[test]
fn a_closed_chat_counts_and_an_open_one_is_read() {
    let closed = State::default()
        .reduce(Action::Watching(true))
        .reduce(Action::Shown(false));
    let state = after(closed, [message(Some(1)), message(Some(1))]);
    assert_eq!(state.unread, 2);
    // Its log is at its end all the time, which means nothing while nobody sees it.
    let state = state.reduce(Action::Watching(true));
    assert_eq!(state.unread, 2);
    let away = state.clone().reduce(Action::Watching(false));
    assert_eq!(away.reduce(Action::Shown(true)).unread, 2);
    assert_eq!(state.reduce(Action::Shown(true)).unread, 0);
}

#[test]
fn nothing_is_drawn_before_it_is_shown_for_the_first_time() {
    let opened = |state: State| state.reduce(Action::Opened(Opening::default()));
    let never_shown = opened(State::default().reduce(Action::Shown(false)));
    assert!(!never_shown.drawn);
    let shown = never_shown.reduce(Action::Shown(true));
    assert!(shown.drawn);
    assert!(shown.reduce(Action::Shown(false)).drawn, "it comes back");
    assert!(opened(State::default()).drawn);
}

#[test]
fn requests_come_once_and_go() {
    let (ann, ben) = (
        peer(1, "ann", PeerState::Connecting),
        peer(2, "ben", PeerState::Connecting),
    );
    let asked = [
        Event::People(PeopleEvent::Request(ann.clone())),
        Event::People(PeopleEvent::Request(ben)),
        Event::People(PeopleEvent::Request(ann.clone())),
    ];
    let state = after(State::default(), asked);
    assert_eq!(state.requests.len(), 2);
    let answered = state.clone().reduce(Action::Answered(PeerId([2; 16])));
    assert_eq!(answered.requests.len(), 1);
    let state = after(
        state,
        [Event::People(PeopleEvent::RequestWithdrawn(PeerId(
            [2; 16],
        )))],
    );
    let state = after(
        state,
        [Event::People(PeopleEvent::Gone {
            peer: ann,
            reason: GoneReason::Silent,
        })],
    );
    assert!(state.requests.is_empty() && moves(&state).is_empty());
}

#[test]
fn a_known_name_on_another_key_is_loud_once() {
    let other = PeerView {
        trust: Trust::NameOnAnotherKey,
        ..peer(1, "ann", PeerState::Verified)
    };
    let claimed = PeerView {
        state: PeerState::Connecting,
        ..other.clone()
    };
    let state = after(
        State::default(),
        [Event::People(PeopleEvent::Changed(claimed))],
    );
    assert!(
        state.warnings.is_empty(),
        "nobody who has not proved anything can raise it"
    );
    let state = after(
        state,
        [
            Event::People(PeopleEvent::Changed(other.clone())),
            Event::People(PeopleEvent::Changed(other.clone())),
        ],
    );
    assert_eq!(state.warnings.len(), 1);
    let gone = after(
        state.clone(),
        [Event::People(PeopleEvent::Gone {
            peer: other.clone(),
            reason: GoneReason::Left,
        })],
    );
    assert_eq!(gone.warnings.len(), 1, "what they said is still there");
    let state = after(
        state.reduce(Action::Heed(PublicKey([1; 33]))),
        [Event::People(PeopleEvent::Changed(other))],
    );
    assert!(state.warnings.is_empty());
}

#[test]
fn notices_are_few_and_never_twice() {
    let state = State::default()
        .reduce(Action::LinkEvent("a".into()))
        .reduce(Action::LinkEvent("a".into()));
    assert_eq!(state.notices.len(), 1);
    let state = (0..9).fold(state, |state, number| {
        state.reduce(Action::LinkEvent(format!("{number}")))
    });
    assert_eq!(state.notices.len(), NOTICES);
    let last = state.notices[3].id;
    assert_eq!(state.reduce(Action::Dismiss(last)).notices.len(), 3);
}

#[test]
fn escape_closes_what_is_on_top() {
    let state = State::default()
        .reduce(Action::Person(Some(PeerId([1; 16]))))
        .reduce(Action::Sheet(Some(Sheet::Keys)))
        .reduce(Action::Escape);
    assert_eq!(
        (state.sheet, state.person.is_some(), state.people_open),
        (None, true, true)
    );
    let state = state.reduce(Action::Escape);
    assert_eq!((state.person, state.people_open), (None, true));
    assert!(state.is_covered());
    let state = state.reduce(Action::Escape);
    assert!(!state.people_open && !state.is_covered());
}
