use super::*;
use crate::room::{Activity, CallEvent, CallId, CallLine, CallNote, Deletion, Order};
use crate::settings::Channel;

fn channel(name: &str) -> Conversation {
    Conversation::Channel(name.into())
}

fn direct(byte: u8) -> Conversation {
    Conversation::Direct(PublicKey([byte; 33]))
}

fn opened() -> State {
    let named = |name: &str| Channel {
        name: name.into(),
        ..Channel::default()
    };
    let opening = Opening {
        channels: vec![named("lobby"), named("news")],
        ..Opening::default()
    };
    State::default()
        .reduce(Action::Opened(opening))
        .reduce(Action::List(false))
}

/// Something that somebody said, or oneself if the byte is 0.
fn said(at: &Conversation, from: u8, place: u64, text: &str) -> Message {
    Message {
        own: from == 0,
        peer: (from > 0).then_some(PeerId([from; 16])),
        order: Order(place, [0; 32]),
        with: Some("ben".into()),
        ..Message::new(
            MessageId(text.into()),
            at.clone(),
            "ben".into(),
            PublicKey([from; 33]),
            text.into(),
            Millis(place),
        )
    }
}

fn event(message: Message) -> Event {
    Event::Chat(ChatEvent::Message(Box::new(message)))
}

fn listed(state: &State) -> Vec<(String, u32)> {
    let listed = state.listed().into_iter();
    listed.map(|its| (its.title, its.unread)).collect()
}

#[test]
fn each_message_belongs_to_its_conversation_and_counts_there() {
    let state = after(
        opened(),
        [
            event(said(&channel("lobby"), 1, 1, "a")),
            event(said(&channel("news"), 1, 2, "b")),
            event(said(&direct(2), 2, 3, "c")),
            event(said(&direct(3), 0, 4, "d")),
            event(said(&channel("unknown"), 1, 5, "e")),
        ],
    );
    // The lobby is open, and its end is in sight. The last word is first among direct ones.
    let expected = [("lobby", 0), ("news", 1), ("ben", 0), ("ben", 1)];
    assert_eq!(
        listed(&state),
        expected.map(|(name, unread)| (name.to_owned(), unread))
    );
    assert_eq!(state.all_unread(), (2, 0));
    let state = state.reduce(Action::Open(direct(2)));
    assert_eq!(state.talk.conversation, direct(2));
    assert_eq!(state.talk.log.lines().len(), 1);
    assert_eq!(state.all_unread().0, 1);
    assert_eq!(state.read_up_to(), Some((direct(2), Order(3, [0; 32]))));
    let state = after(state, [event(said(&channel("lobby"), 1, 6, "f"))]);
    assert_eq!(state.all_unread().0, 2);
}

#[test]
fn a_direct_conversation_is_listed_once_it_was_opened_or_something_was_said() {
    let state = opened();
    assert_eq!(state.listed().len(), 2);
    let state = state.reduce(Action::Open(direct(7)));
    assert_eq!(state.listed().len(), 3);
    let state = state.reduce(Action::Open(channel("lobby")));
    assert_eq!(state.listed().len(), 2);
}

#[test]
fn what_was_read_elsewhere_is_read_here() {
    let news = channel("news");
    let state = after(
        opened(),
        [
            event(said(&news, 1, 1, "a")),
            event(said(&news, 1, 2, "b")),
            event(said(&news, 1, 3, "c")),
        ],
    );
    assert_eq!(state.all_unread().0, 3);
    let read = |place| Event::Chat(ChatEvent::Read(channel("news"), Order(place, [0; 32])));
    let state = after(state, [read(2)]);
    assert_eq!(state.all_unread().0, 1);
    let state = after(state, [read(1), read(3)]);
    assert_eq!(state.all_unread().0, 0);
}

#[test]
fn whoever_comes_back_finds_unread_what_was_said_meanwhile() {
    let (lobby, news) = (channel("lobby"), channel("news"));
    let before = |at: &Conversation, place, text: &str| {
        let message = said(at, 1, place, text);
        event(Message {
            caught_up: true,
            ..message
        })
    };
    let read = Event::Chat(ChatEvent::Read(news.clone(), Order(1, [0; 32])));
    let events = [
        read,
        before(&news, 1, "a"),
        before(&news, 2, "b"),
        before(&direct(2), 3, "c"),
        before(&lobby, 4, "d"),
    ];
    let state = opened().reduce(Action::Watching(false));
    let state = after(state, events);
    // What is caught up on where one never was is not news.
    let expected = [("lobby", 0), ("news", 1), ("ben", 1)];
    assert_eq!(
        listed(&state),
        expected.map(|(name, unread)| (name.to_owned(), unread))
    );
}

#[test]
fn what_was_deleted_is_gone_wherever_it_was() {
    let (lobby, news) = (channel("lobby"), channel("news"));
    let state = after(
        opened(),
        [
            event(said(&lobby, 1, 1, "a")),
            event(said(&news, 1, 2, "b")),
            event(said(&direct(2), 2, 3, "c")),
        ],
    )
    .reduce(Action::Open(direct(2)));
    let deleted = |deletion| Event::Chat(ChatEvent::Deleted(deletion));
    let state = after(state, [deleted(Deletion::Message(MessageId("b".into())))]);
    let state = state.reduce(Action::Open(news));
    assert!(!state.talk.log.has_messages());
    let state = state.reduce(Action::Open(direct(2)));
    let state = after(state, [deleted(Deletion::Conversation(direct(2)))]);
    assert_eq!(state.talk.conversation, lobby);
    assert_eq!(state.listed().len(), 2);
    let state = after(state, [deleted(Deletion::Room)]);
    assert!(!state.talk.log.has_messages());
}

#[test]
fn the_list_shows_mentions_and_who_is_at_their_page() {
    let ben = PeerView {
        activity: Some(Activity::Away),
        ..peer(2, "ben", PeerState::Verified)
    };
    let here = Event::People(PeopleEvent::Changed(ben));
    let own = Own {
        id: PeerId([9; 16]),
        user: "ann".into(),
        key: PublicKey([0; 33]),
    };
    let state = after(
        opened().reduce(Action::Joined(own)),
        [
            here,
            event(said(&channel("news"), 1, 1, "hello @ann")),
            event(said(&channel("news"), 1, 2, "hello")),
            event(said(&direct(2), 2, 3, "psst")),
        ],
    );
    let rows: Vec<_> = state
        .listed()
        .into_iter()
        .map(|its| (its.unread, its.is_called, its.is_mentioned, its.activity))
        .collect();
    assert_eq!(
        rows,
        [
            (0, false, false, None),
            (2, true, true, None),
            (1, true, false, Some(Activity::Away))
        ]
    );
    let badge = |unread, mentioned| crate::ui::texts::badge(unread, mentioned);
    assert_eq!((badge(2, true), badge(1, false)), ("@2".into(), "1".into()));
    let title = |mentioned| crate::ui::texts::title("lobby", 3, mentioned);
    assert_eq!(title(true), "(@3) lobby · rtchat");
    assert_eq!(title(false), "(3) lobby · rtchat");
}

#[test]
fn a_question_about_a_conversation_ends_when_another_tab_has_deleted_it() {
    let deleted = |deletion| Event::Chat(ChatEvent::Deleted(deletion));
    let asked = || opened().reduce(Action::Deleting(Some(channel("lobby"))));
    let other = Deletion::Conversation(channel("news"));
    assert!(after(asked(), [deleted(other)]).deleting.is_some());
    for deletion in [
        Deletion::Conversation(channel("lobby")),
        Deletion::Room,
        Deletion::Site,
    ] {
        assert_eq!(after(asked(), [deleted(deletion)]).deleting, None);
    }
}

#[test]
fn what_was_imported_is_not_unread_and_an_own_message_of_it_is_not_edited() {
    let imported = |from, place, text| {
        event(Message {
            caught_up: true,
            imported: true,
            ..said(&direct(2), from, place, text)
        })
    };
    let state = opened().reduce(Action::Watching(false));
    let state = after(state, [imported(2, 1, "a"), imported(0, 2, "b")]);
    assert_eq!(state.all_unread().0, 0);
    let state = state.reduce(Action::Open(direct(2)));
    assert_eq!(state.reduce(Action::EditLast).composing, None);
}

fn missed(is_new: bool, is_seen: bool) -> Event {
    Event::Call(CallEvent::Noted(Box::new(CallNote {
        call: CallId([1; 8]),
        conversation: direct(2),
        user: Some("ben".into()),
        what: CallLine::Missed,
        at: Millis(5),
        order: Order(5, [0; 32]),
        is_new,
        is_seen,
    })))
}

#[test]
fn a_missed_call_is_unread_until_it_is_seen_here_or_in_another_tab() {
    for is_new in [true, false] {
        let state = after(opened(), [missed(is_new, false)]);
        assert_eq!(state.all_unread().0, 1);
        assert_eq!(listed(&state).last(), Some(&("ben".to_owned(), 1)));
        // What was read of messages says nothing about it.
        let read = Event::Chat(ChatEvent::Read(direct(2), Order(9, [0; 32])));
        let state = after(state, [read]);
        assert_eq!(state.all_unread().0, 1);
        assert_eq!(state.missed_call_seen(), None);
        let opened = state.clone().reduce(Action::Open(direct(2)));
        assert_eq!(opened.all_unread().0, 0);
        assert_eq!(
            opened.missed_call_seen().map(|seen| seen.0),
            Some(direct(2))
        );
        assert_eq!(after(state, [missed(false, true)]).all_unread().0, 0);
    }
    assert_eq!(after(opened(), [missed(false, true)]).all_unread().0, 0);
}
