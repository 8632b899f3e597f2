use super::people::MAX_PEOPLE;
use super::prompts::{MAX_DECISIONS, MAX_NOTICES, MAX_REQUESTS, MAX_WARNINGS};
use super::*;
use crate::identity::Trust;
use crate::identity::{Name, PublicKey};
use crate::room::{ChatEvent, Conversation, GoneReason, MessageId, PeopleEvent};
use crate::time::Millis;
use crate::ui::line::Content;
use crate::ui::texts;

#[path = "state_journey_tests.rs"]
mod journeys;
#[path = "state_talks_tests.rs"]
mod talks;
#[path = "state_writing_tests.rs"]
mod writing;

fn peer(byte: u8, user: &str, state: PeerState) -> PeerView {
    PeerView {
        id: PeerId([byte; 16]),
        user: user.into(),
        name: Name::parse(user.split('(').next().unwrap().trim()).unwrap(),
        info: None,
        key: PublicKey([byte; 33]),
        state,
        trust: Trust::Known,
        activity: None,
        muted: false,
    }
}

fn lobby() -> Conversation {
    Conversation::Channel("lobby".into())
}

fn message(from: Option<u8>) -> Event {
    let key = PublicKey([from.unwrap_or(0); 33]);
    Event::Chat(ChatEvent::Message(Box::new(Message {
        peer: from.map(|byte| PeerId([byte; 16])),
        own: from.is_none(),
        ..Message::new(
            MessageId("m".into()),
            lobby(),
            "ann".into(),
            key,
            "text".into(),
            Millis(0),
        )
    })))
}

fn after(state: State, events: impl IntoIterator<Item = Event>) -> State {
    events.into_iter().fold(state, |state, event| {
        state.reduce(Action::Event { event, day: 0 })
    })
}

fn moves(state: &State) -> Vec<String> {
    let text = |line: &Rc<crate::ui::line::Line>| match &line.content {
        Content::Moves(moves) => {
            Some(texts::moves(moves).replace([texts::NAME_BEGINS, texts::NAME_ENDS], ""))
        }
        Content::Said(_) | Content::Called(_) => None,
    };
    state.talk.log.lines().iter().filter_map(text).collect()
}

#[test]
fn opening_and_joining_change_the_stage() {
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
        (state.stage.clone(), state.present(), state.emptiness()),
        (Stage::Joined, 1, Some(Emptiness::Joining))
    );
}

#[test]
fn an_empty_room_says_why_it_is_empty() {
    let looking = Status::Looking {
        retry_at: None,
        own_tabs: 0,
        dropping: false,
    };
    let alone = after(State::default(), [Event::Status(looking)]);
    assert_eq!(alone.emptiness(), Some(Emptiness::Alone));
    let retry_at = Millis(1);
    let people = 0;
    let status = Event::Status(Status::Unreachable { people, retry_at });
    let offline = after(State::default(), [status]);
    assert_eq!(offline.emptiness(), Some(Emptiness::Offline));
    let request = Event::People(PeopleEvent::Request(peer(1, "Ben", PeerState::Connecting)));
    let asked = after(alone, [request]);
    // The title and the bubble count it, too: somebody waits.
    assert_eq!(
        (asked.emptiness(), asked.talk.unread, asked.waiting()),
        (Some(Emptiness::Asked), 0, 1)
    );
}

#[test]
fn people_are_sorted_by_name_whatever_their_state() {
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
fn the_log_shows_who_joined_and_left_but_not_who_never_connected() {
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
    assert!(state.people.is_empty() && state.emptiness().is_none());
}

#[test]
fn only_messages_that_arrive_unwatched_count_as_unread() {
    let state = after(State::default(), [message(Some(1))]);
    assert_eq!((state.talk.unread, state.talk.unread_from), (0, None));
    let state = after(
        state.reduce(Action::Watching(false)),
        [message(Some(1)), message(Some(1))],
    );
    assert_eq!((state.talk.unread, state.talk.unread_from), (2, Some(1)));
    let state = state.reduce(Action::Watching(true));
    assert_eq!(
        (state.talk.unread, state.talk.unread_from),
        (0, Some(1)),
        "the marker stays until the next message"
    );
    assert_eq!(after(state, [message(None)]).talk.unread_from, None);
}

#[test]
fn a_closed_chat_counts_unread_messages_and_opening_it_reads_them() {
    let closed = State::default()
        .reduce(Action::Watching(true))
        .reduce(Action::Shown(false));
    let state = after(closed, [message(Some(1)), message(Some(1))]);
    assert_eq!(state.talk.unread, 2);
    // The log stays scrolled to its end all the time, which means nothing while it is not visible.
    let state = state.reduce(Action::Watching(true));
    assert_eq!(state.talk.unread, 2);
    // When it is opened, the log goes to the first of them, and says whether the end is in sight, too.
    let state = state.reduce(Action::Shown(true));
    assert_eq!(state.talk.unread, 2);
    let away = state.clone().reduce(Action::Watching(false));
    assert_eq!(away.talk.unread, 2);
    assert_eq!(state.reduce(Action::Watching(true)).talk.unread, 0);
}

#[test]
fn nothing_is_drawn_before_the_chat_is_shown_for_the_first_time() {
    let opened = |state: State| state.reduce(Action::Opened(Opening::default()));
    let never_shown = opened(State::default().reduce(Action::Shown(false)));
    assert!(!never_shown.drawn);
    let shown = never_shown.reduce(Action::Shown(true));
    assert!(shown.drawn);
    assert!(
        shown.reduce(Action::Shown(false)).drawn,
        "a hidden chat stays drawn"
    );
    assert!(opened(State::default()).drawn);
}

#[test]
fn requests_are_listed_once_and_removed_when_answered_or_withdrawn() {
    let (ann, ben) = (
        peer(1, "ann", PeerState::Connecting),
        peer(2, "ben", PeerState::Connecting),
    );
    let asked = [
        Event::People(PeopleEvent::Request(ann.clone())),
        Event::People(PeopleEvent::Request(ben.clone())),
        Event::People(PeopleEvent::Request(ann.clone())),
    ];
    let state = after(State::default(), asked);
    assert_eq!(state.requests.len(), 2);
    let answered = state.clone().reduce(Action::RequestAnswered(ben.shown()));
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
fn a_known_name_on_another_key_causes_one_warning() {
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
        "a peer without a proof cannot raise a warning"
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
    assert_eq!(gone.warnings.len(), 1, "their messages are still there");
    let state = after(
        state.reduce(Action::WarningDecided(other.shown())),
        [Event::People(PeopleEvent::Changed(other))],
    );
    assert!(state.warnings.is_empty());
}

/// A peer with a name that is known with another key.
fn impostor(byte: u8, user: &str) -> PeerView {
    PeerView {
        trust: Trust::NameOnAnotherKey,
        ..peer(byte, user, PeerState::Verified)
    }
}

fn warned_about(state: &State) -> Vec<&str> {
    let warnings = state.warnings.iter();
    warnings.map(|peer| peer.user.as_str()).collect()
}

#[test]
fn a_decision_applies_to_one_name_only() {
    let (zed, alice) = (impostor(1, "zed"), impostor(1, "alice"));
    // The peer changes its name while the person reads the warning. The warning on the screen does not change.
    let state = after(
        State::default(),
        [
            Event::People(PeopleEvent::Changed(zed.clone())),
            Event::People(PeopleEvent::Changed(alice.clone())),
        ],
    );
    assert_eq!(warned_about(&state), ["zed", "alice"]);
    let state = state.reduce(Action::WarningDecided(zed.shown()));
    assert_eq!(warned_about(&state), ["alice"]);
    // The decision about zed does not suppress the warning about alice.
    let state = after(
        State::default(),
        [Event::People(PeopleEvent::Changed(zed.clone()))],
    );
    let state = state.reduce(Action::WarningDecided(zed.shown()));
    let state = after(
        state,
        [
            Event::People(PeopleEvent::Changed(zed)),
            Event::People(PeopleEvent::Changed(alice)),
        ],
    );
    assert_eq!(warned_about(&state), ["alice"]);
}

#[test]
fn a_suffix_behind_a_name_does_not_make_it_another_name() {
    let decided = Action::WarningDecided(impostor(1, "zed (k7qd)").shown());
    let state = after(
        State::default(),
        [Event::People(PeopleEvent::Changed(impostor(
            1,
            "zed (k7qd)",
        )))],
    )
    .reduce(decided);
    let state = after(
        state,
        [Event::People(PeopleEvent::Changed(impostor(1, "zed(2)")))],
    );
    assert!(state.warnings.is_empty());
}

#[test]
fn changing_the_name_does_not_withdraw_a_warning() {
    let state = after(
        State::default(),
        [Event::People(PeopleEvent::Changed(impostor(1, "zed")))],
    );
    let stranger = peer(1, "nobody", PeerState::Verified);
    let state = after(
        state,
        [Event::People(PeopleEvent::Changed(stranger.clone()))],
    );
    assert_eq!(
        warned_about(&state),
        ["zed"],
        "their messages as zed are still there"
    );
    let known = peer(1, "zed", PeerState::Verified);
    assert!(
        after(state.clone(), [Event::People(PeopleEvent::Changed(known))])
            .warnings
            .is_empty()
    );
    let verified = PeerView {
        trust: Trust::Verified,
        ..stranger
    };
    assert!(
        after(state, [Event::People(PeopleEvent::Changed(verified))])
            .warnings
            .is_empty()
    );
}

#[test]
fn the_first_warning_stays_while_further_ones_arrive() {
    let first = impostor(0, "zed");
    let here = impostor(1, "ann");
    let mut state = after(
        State::default(),
        [
            Event::People(PeopleEvent::Changed(first.clone())),
            Event::People(PeopleEvent::Changed(here)),
        ],
    );
    for byte in 2..=255 {
        let (one, other) = (impostor(byte, "ben"), impostor(byte, "cat"));
        let gone = Event::People(PeopleEvent::Gone {
            peer: other.clone(),
            reason: GoneReason::Left,
        });
        state = after(
            state,
            [
                Event::People(PeopleEvent::Changed(one)),
                Event::People(PeopleEvent::Changed(other)),
                gone,
            ],
        );
    }
    assert_eq!(state.warnings.len(), MAX_WARNINGS);
    assert_eq!(warned_about(&state)[..3], ["zed", "ann", "cat"]);
    for number in 0..1_000 {
        let name = format!("{number}");
        state = after(
            state,
            [Event::People(PeopleEvent::Changed(impostor(0, &name)))],
        );
    }
    assert_eq!(state.warnings.len(), MAX_WARNINGS);
    assert_eq!(warned_about(&state)[0], "zed");
    let about_them = |state: &State| {
        state
            .warnings
            .iter()
            .filter(|peer| peer.key == first.key)
            .count()
    };
    assert_eq!(
        about_them(&state),
        2,
        "the warning on the screen, and the one about their last name"
    );
}

#[test]
fn remembered_decisions_are_limited() {
    let decided = |state: State, number: usize| {
        state.reduce(Action::WarningDecided(
            impostor(1, &format!("{number}")).shown(),
        ))
    };
    let state = (0..2 * MAX_DECISIONS).fold(State::default(), decided);
    assert_eq!(state.decided.len(), MAX_DECISIONS);
    let last = impostor(1, &format!("{}", 2 * MAX_DECISIONS - 1));
    assert!(
        after(state, [Event::People(PeopleEvent::Changed(last))])
            .warnings
            .is_empty()
    );
}

#[test]
fn a_request_under_another_name_is_a_new_request() {
    let (zed, alice) = (
        peer(1, "zed", PeerState::Connecting),
        peer(1, "alice", PeerState::Connecting),
    );
    let ben = peer(2, "ben", PeerState::Connecting);
    let asked = |state: &State| -> Vec<String> {
        let requests = state.requests.iter();
        requests.map(|peer| peer.user.clone()).collect()
    };
    let state = after(
        State::default(),
        [
            Event::People(PeopleEvent::Request(zed.clone())),
            Event::People(PeopleEvent::Request(ben.clone())),
            Event::People(PeopleEvent::Request(zed.clone())),
        ],
    );
    assert_eq!(
        asked(&state),
        ["zed", "ben"],
        "a repeated request keeps its place"
    );
    let state = after(state, [Event::People(PeopleEvent::Request(alice))]);
    assert_eq!(asked(&state), ["ben", "alice"]);
    let state = state.reduce(Action::RequestAnswered(zed.shown()));
    assert_eq!(asked(&state), ["ben", "alice"], "the answer was about zed");
}

fn many(byte: u8, number: usize) -> PeerView {
    let mut id = [byte; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    PeerView {
        id: PeerId(id),
        ..peer(byte, &format!("{number}"), PeerState::Connecting)
    }
}

#[test]
fn pending_requests_are_limited() {
    let asked = (0..1_000).map(|number| Event::People(PeopleEvent::Request(many(1, number))));
    let state = after(State::default(), asked);
    assert_eq!(state.requests.len(), MAX_REQUESTS);
    assert_eq!(
        state.requests[0].user, "0",
        "the oldest request comes first"
    );
}

#[test]
fn the_list_of_people_is_limited_and_prefers_connected_people() {
    let on_the_way = (0..1_000).map(|number| Event::People(PeopleEvent::Changed(many(1, number))));
    let state = after(State::default(), on_the_way);
    assert_eq!(state.people.len(), MAX_PEOPLE);
    let here = |number| PeerView {
        state: PeerState::Verified,
        ..many(2, number)
    };
    let come = (0..MAX_PEOPLE).map(|number| Event::People(PeopleEvent::Changed(here(number))));
    let state = after(state, come);
    assert_eq!(state.present(), MAX_PEOPLE + 1);
    let more =
        (0..1_000).map(|number| Event::People(PeopleEvent::Changed(here(MAX_PEOPLE + number))));
    let state = after(state, more);
    assert_eq!(
        (state.people.len(), state.arrived.len()),
        (MAX_PEOPLE, MAX_PEOPLE)
    );
    let events = (0..1_000).flat_map(|number| {
        let peer = here(number);
        let reason = GoneReason::Left;
        [
            Event::People(PeopleEvent::Changed(peer.clone())),
            Event::People(PeopleEvent::Gone { peer, reason }),
        ]
    });
    let state = after(state, events);
    assert!(state.arrived.len() <= MAX_PEOPLE);
}

#[test]
fn events_for_programs_do_not_change_the_state() {
    let typing = (0..1_000).map(|number| {
        Event::Chat(ChatEvent::Typing {
            peer: many(1, number).id,
            conversation: lobby(),
        })
    });
    assert_eq!(after(State::default(), typing), State::default());
}

#[test]
fn notices_are_limited_and_unique() {
    let state = State::default()
        .reduce(Action::Notice("a".into()))
        .reduce(Action::Notice("a".into()));
    assert_eq!(state.notices.len(), 1);
    let state = (0..9).fold(state, |state, number| {
        state.reduce(Action::Notice(format!("{number}")))
    });
    assert_eq!(state.notices.len(), MAX_NOTICES);
    let last = state.notices[3].id;
    assert_eq!(state.reduce(Action::Dismiss(last)).notices.len(), 3);
}

#[test]
fn escape_closes_the_topmost_element() {
    let state = State::default()
        .reduce(Action::People(true))
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
