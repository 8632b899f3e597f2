use super::*;
use crate::room::Unsaid;
use crate::ui::composing::Purpose;
use crate::ui::drafts::Draft;
use crate::ui::state::writing::TYPING;

#[test]
fn whoever_is_mentioned_is_told_and_others_are_marked() {
    let own = Own {
        id: PeerId([9; 16]),
        user: "Zoë(2)".into(),
        key: PublicKey([9; 33]),
    };
    let state = State::default().reduce(Action::Joined(own));
    let ben = Event::People(PeopleEvent::Changed(peer(1, "ben", PeerState::Verified)));
    let state = after(state, [ben]).reduce(Action::Watching(false));
    assert_eq!(state.names(), "ben\n");
    let said = |id: &str, text: &str| {
        let (key, id) = (PublicKey([1; 33]), MessageId(id.into()));
        Box::new(Message {
            peer: Some(PeerId([1; 16])),
            own: false,
            ..Message::new(id, lobby(), "ben".into(), key, text.into(), Millis(0))
        })
    };
    let marked = |state: &State| -> Vec<Vec<String>> {
        let of = |line: &Rc<crate::ui::line::Line>| match &line.content {
            Content::Said(said) => Some(said.mentions.iter().map(|it| it.0.clone()).collect()),
            Content::Moves(_) | Content::Called(_) => None,
        };
        state.talk.log.lines().iter().filter_map(of).collect()
    };
    let texts = [("a", "hi @zoe"), ("b", "hi @ben, x@zoe"), ("c", "@Zoë(2)")];
    let events = texts.map(|(id, text)| Event::Chat(ChatEvent::Message(said(id, text))));
    let state = after(state, events);
    assert_eq!((state.talk.unread, state.talk.mentioned), (3, 2));
    assert_eq!(marked(&state), [vec!["zoe"], vec!["ben"], vec!["Zoë(2)"]]);
    // An edit mentions whom its new text mentions.
    let edit = |text| Event::Chat(ChatEvent::Changed(said("a", text)));
    let state = after(state, [edit("hi @ben")]);
    assert_eq!(marked(&state)[0], ["ben"]);
    let state = after(state, [edit("hi")]).reduce(Action::Watching(true));
    assert!(marked(&state)[0].is_empty());
    assert_eq!((state.talk.unread, state.talk.mentioned), (0, 0));
}

#[test]
fn whoever_writes_is_named_until_they_stop() {
    let typing = |byte: u8| {
        Event::Chat(ChatEvent::Typing {
            peer: PeerId([byte; 16]),
            conversation: lobby(),
        })
    };
    let here = |byte: u8, user: &str| {
        Event::People(PeopleEvent::Changed(peer(byte, user, PeerState::Verified)))
    };
    let writing = |state: &State| {
        state
            .writing()
            .replace([texts::NAME_BEGINS, texts::NAME_ENDS], "")
    };
    let people = [
        here(1, "ann"),
        here(2, "ben"),
        typing(1),
        typing(2),
        typing(2),
        typing(3),
    ];
    let state = after(State::default(), people);
    assert_eq!(writing(&state), "ann and ben are writing …");
    // A message ends it, and so does silence.
    let state = after(state, [message(Some(1))]);
    assert_eq!(writing(&state), "ben is writing …");
    let look =
        |state: State, times: u8| (0..times).fold(state, |state, _| state.reduce(Action::Look));
    let state = after(look(state, TYPING - 1), [typing(2)]);
    let state = look(state, TYPING - 1);
    assert_eq!(writing(&state), "ben is writing …");
    assert_eq!(writing(&look(state, 1)), "");
}

#[test]
fn the_last_own_message_that_can_be_changed_is_edited() {
    let said = |id: &str, own, change: fn(&mut Message)| {
        let (key, id) = (PublicKey([1; 33]), MessageId(id.into()));
        let mut message = Message {
            own,
            peer: (!own).then_some(PeerId([1; 16])),
            ..Message::new(id, lobby(), "ann".into(), key, "text".into(), Millis(0))
        };
        change(&mut message);
        Event::Chat(ChatEvent::Message(Box::new(message)))
    };
    let edited = |state: State| {
        let composing = state.reduce(Action::EditLast).composing;
        composing.map(|it| (it.purpose, it.id.0.clone()))
    };
    assert_eq!(edited(State::default()), None);
    let events = [
        said("a", true, |_| {}),
        said("b", true, |message| message.retracted = true),
        said("d", false, |_| {}),
    ];
    let state = after(State::default(), events);
    assert_eq!(edited(state), Some((Purpose::Edit, "a".to_owned())));
}

#[test]
fn a_message_that_was_not_said_shows_why_until_it_is_said() {
    let id = MessageId("m".into());
    let failed = Event::Chat(ChatEvent::Failed {
        id: id.clone(),
        reason: Unsaid::NotSigned,
    });
    let state = State::default().reduce(Action::Sent("text".into()));
    let state = after(state, [message(None), failed]);
    let delivery = |state: &State| state.talk.log.last_said().and_then(|said| said.delivery);
    let shown = delivery(&state);
    assert_eq!(shown, Some(Delivery::Failed(Unsaid::NotSigned)));
    assert_eq!(
        shown.map(texts::delivery).as_deref(),
        Some("Not sent. This browser could not sign it with your key.")
    );
    // It is in the log, so it comes back into the composer neither now nor by an arrow key.
    assert_eq!(state.returned, None);
    let edited = state.clone().reduce(Action::EditLast);
    assert_eq!(edited.composing, None);
    let sent = Event::Chat(ChatEvent::Delivery {
        id,
        sent: 1,
        delivered: 1,
        of: 1,
    });
    let state = after(state, [sent]);
    assert_eq!(delivery(&state), Some(Delivery::Delivered(1, 1)));
}

#[test]
fn what_is_refused_comes_back_and_what_was_said_does_not() {
    let draft = Rc::new(Draft {
        text: "text".into(),
        ..Draft::default()
    });
    let said = || Action::Sent("text".into());
    let refused = || Event::Refused("No.".into());
    let sent = || State::default().reduce(said());
    assert_eq!(after(sent(), [refused()]).returned, Some(draft.clone()));
    assert_eq!(after(sent(), [message(None), refused()]).returned, None);
    let other = after(sent(), [message(Some(1)), refused()]);
    assert_eq!(other.returned, Some(draft.clone()));
    // It comes back once.
    let again = after(sent(), [refused()]);
    let returned = again.returned.clone();
    assert_eq!(after(again, [refused()]).returned, returned);
}
