//! Calls, and what is shown to whoever opens it: who rings where, who is sent what, and when it ends.

use std::time::Duration;

use rtchat::identity::TrustBook;
use rtchat::room::{
    CallCommand, CallEvent, CallId, CallLine, CallsView, Command, Conversation, Event, Input,
    MAIN_CHANNEL, MediaWish, Sends, Share, WatchState,
};
use rtchat::rtc::LinkEvent;
use rtchat::settings::{Accept, CallKinds};

use crate::scenes::{MINUTE, SOON, id, pair};
use crate::world::World;

const A_WHILE: Duration = Duration::from_millis(500);

pub fn sends(camera: bool) -> Sends {
    Sends {
        microphone: true,
        camera,
        screen: false,
        hand: false,
        streams: ["own".to_owned(), "screen".to_owned()],
    }
}

pub fn call(world: &mut World, at: usize, command: CallCommand) {
    world.command(at, Command::Call(command));
    world.run(A_WHILE);
}

pub fn lobby() -> Conversation {
    Conversation::Channel(MAIN_CHANNEL.to_owned())
}

pub fn direct(world: &World, with: usize) -> Conversation {
    Conversation::Direct(world.nodes[with].identity.public())
}

pub fn start(world: &mut World, at: usize, conversation: Conversation) {
    let sends = sends(false);
    let command = CallCommand::Start {
        conversation,
        sends,
    };
    call(world, at, command);
}

pub fn answer(world: &mut World, at: usize) {
    let ring = view(world, at).rings[0].call;
    let command = CallCommand::Answer {
        call: ring,
        sends: sends(false),
    };
    call(world, at, command);
}

/// What `at` sees of calls.
pub fn view(world: &World, at: usize) -> CallsView {
    let events = world.nodes[at].events.iter().rev();
    let mut views = events.filter_map(|event| match event {
        Event::Call(CallEvent::Changed(view)) => Some((**view).clone()),
        _ => None,
    });
    views.next().unwrap_or_default()
}

/// The lines about calls that `at` got in its conversations.
fn lines(world: &World, at: usize) -> Vec<CallLine> {
    let events = world.nodes[at].events.iter();
    let lines = events.filter_map(|event| match event {
        Event::Call(CallEvent::Noted(note)) => Some(note.what),
        _ => None,
    });
    lines.collect()
}

/// What `from` sends to `to`, and takes from it.
fn media(world: &World, from: usize, to: usize) -> MediaWish {
    let to = id(world, to);
    let mut all = world.nodes[from].media.values().rev();
    let found = all.find(|(peer, _)| *peer == to);
    found.map_or_else(MediaWish::default, |(_, wish)| *wish)
}

fn is_heard(world: &World, from: usize, to: usize) -> bool {
    media(world, from, to).microphone && media(world, to, from).receive
}

fn in_call(world: &World, at: usize) -> usize {
    view(world, at).call.map_or(0, |call| call.peers.len())
}

fn camera(asks: bool) -> Share {
    Share {
        sends: Sends {
            microphone: false,
            ..sends(true)
        },
        sensitive: false,
        asks,
        in_return: false,
    }
}

fn watch(world: &mut World, at: usize, whom: usize, on: bool) {
    let peer = id(world, whom);
    call(world, at, CallCommand::Watch { peer, on });
}

fn watching(world: &World, at: usize) -> Vec<WatchState> {
    view(world, at)
        .shares
        .iter()
        .map(|share| share.state)
        .collect()
}

/// Three people who are connected.
fn three() -> (World, usize, usize, usize) {
    let (mut world, ann, ben) = pair();
    let cleo = world.open("cleo");
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    (world, ann, ben, cleo)
}

/// Another tab of whoever is at `at`.
fn other_tab(world: &mut World, at: usize, name: &str) -> usize {
    let identity = world.nodes[at].identity.clone();
    world.next_tab = 2;
    let tab = world.open_as(name, identity, Accept::Everyone, TrustBook::default());
    assert!(world.run_until(MINUTE, World::is_full_mesh));
    world.run(A_WHILE);
    tab
}

#[test]
fn nothing_is_sent_before_the_other_has_answered() {
    let (mut world, ann, ben) = pair();
    let published = world.published.len();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    let own = view(&world, ann).call.unwrap();
    assert!(own.rings && own.since.is_none());
    let rings = view(&world, ben).rings;
    assert_eq!((rings.len(), rings[0].from), (1, id(&world, ann)));
    assert!(rings[0].silent, "they have just met");
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert_eq!(media(&world, ben, ann), MediaWish::default());

    answer(&mut world, ben);
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
    let own = view(&world, ann).call.unwrap();
    assert!(!own.rings && own.since.is_some() && own.peers.len() == 1);
    assert!(view(&world, ben).rings.is_empty());

    // Ann turns her camera on, and both hang up at once.
    call(&mut world, ann, CallCommand::Send(sends(true)));
    assert_eq!(media(&world, ann, ben).camera.unwrap().height, 720);
    assert_eq!(media(&world, ben, ann).camera, None);
    assert!(view(&world, ben).call.unwrap().peers[0].sends.camera);
    world.command(ann, Command::Call(CallCommand::HangUp));
    call(&mut world, ben, CallCommand::HangUp);
    for (one, other) in [(ann, ben), (ben, ann)] {
        assert_eq!(media(&world, one, other), MediaWish::default());
        assert_eq!(view(&world, one), CallsView::default());
        assert!(matches!(lines(&world, one)[..], [CallLine::Ended(_)]));
    }
    assert_eq!(world.published.len(), published, "no broker hears of it");
}

#[test]
fn a_call_that_nobody_answers_ends_after_45_seconds_and_was_missed() {
    let (mut world, ann, ben) = pair();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    world.run(Duration::from_secs(43));
    assert_eq!(view(&world, ben).rings.len(), 1);
    world.run(Duration::from_secs(3));
    assert_eq!(lines(&world, ann), [CallLine::NotAnswered]);
    assert_eq!(lines(&world, ben), [CallLine::Missed]);
    assert_eq!(view(&world, ann), CallsView::default());
    assert_eq!(view(&world, ben), CallsView::default());
}

#[test]
fn who_hangs_up_before_it_is_answered_has_called_in_vain() {
    let (mut world, ann, ben) = pair();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    call(&mut world, ann, CallCommand::HangUp);
    assert_eq!(lines(&world, ann), []);
    assert_eq!(lines(&world, ben), [CallLine::Missed]);
    assert!(view(&world, ben).rings.is_empty());
}

#[test]
fn declining_ends_it_for_both_and_is_not_missed() {
    let (mut world, ann, ben) = pair();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    let ring = view(&world, ben).rings[0].call;
    call(&mut world, ben, CallCommand::Decline(ring));
    assert_eq!(lines(&world, ann), [CallLine::Declined]);
    assert_eq!(lines(&world, ben), []);
    assert_eq!(view(&world, ann), CallsView::default());
    assert_eq!(view(&world, ben), CallsView::default());
}

#[test]
fn two_who_call_each_other_have_one_call() {
    let (mut world, ann, ben) = pair();
    let (to_ben, to_ann) = (direct(&world, ben), direct(&world, ann));
    for (at, conversation) in [(ann, to_ben), (ben, to_ann)] {
        let sends = sends(false);
        world.command(
            at,
            Command::Call(CallCommand::Start {
                conversation,
                sends,
            }),
        );
    }
    world.run(A_WHILE);
    let calls = [ann, ben].map(|at| view(&world, at).call.unwrap());
    assert_eq!(calls[0].id, calls[1].id);
    assert!(
        calls
            .iter()
            .all(|call| !call.rings && call.peers.len() == 1)
    );
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
    call(&mut world, ben, CallCommand::HangUp);
    assert_eq!(view(&world, ann), CallsView::default());
    assert!(
        [ann, ben]
            .iter()
            .all(|at| !lines(&world, *at).contains(&CallLine::Missed))
    );
}

#[test]
fn it_rings_in_every_tab_of_a_person_until_one_answers() {
    let (mut world, ann, ben) = pair();
    let tab = other_tab(&mut world, ben, "ben");
    let with = direct(&world, ben);
    start(&mut world, ann, with.clone());
    assert_eq!([ben, tab].map(|at| view(&world, at).rings.len()), [1, 1]);
    answer(&mut world, tab);
    assert_eq!([ben, tab].map(|at| view(&world, at).rings.len()), [0, 0]);
    assert!(is_heard(&world, ann, tab));
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert_eq!(lines(&world, ben), [], "it was not missed");
    // What the caller changes does not ring again in the other tab.
    call(&mut world, ann, CallCommand::Send(sends(true)));
    assert!(view(&world, ben).rings.is_empty());
    call(&mut world, ann, CallCommand::HangUp);

    // Turning it down in one tab turns it down for the person.
    start(&mut world, ann, with);
    let ring = view(&world, ben).rings[0].call;
    call(&mut world, ben, CallCommand::Decline(ring));
    assert!(view(&world, tab).rings.is_empty());
    assert_eq!(lines(&world, ann).last(), Some(&CallLine::Declined));
    assert!(!lines(&world, tab).contains(&CallLine::Missed));
}

#[test]
fn everyone_in_a_channel_is_called_and_can_join_later() {
    let (mut world, ann, ben, cleo) = three();
    start(&mut world, ann, lobby());
    assert_eq!([ben, cleo].map(|at| view(&world, at).rings.len()), [1, 1]);
    answer(&mut world, ben);
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
    let ring = view(&world, cleo).rings[0].call;
    call(&mut world, cleo, CallCommand::Decline(ring));
    assert_eq!(in_call(&world, ann), 1, "others go on");
    // Whoever declined sees that the call goes on, and can join.
    let running = view(&world, cleo).running;
    assert_eq!((running.len(), running[0].peers.len()), (1, 2));
    let command = CallCommand::Answer {
        call: running[0].call,
        sends: sends(true),
    };
    call(&mut world, cleo, command);
    assert_eq!([ann, ben, cleo].map(|at| in_call(&world, at)), [2, 2, 2]);
    assert!(is_heard(&world, ann, cleo) && is_heard(&world, cleo, ben));
    assert_eq!(
        media(&world, cleo, ann).camera.unwrap().height,
        480,
        "two see it"
    );
    // The one who began leaves; the others go on.
    call(&mut world, ann, CallCommand::HangUp);
    assert_eq!([ben, cleo].map(|at| in_call(&world, at)), [1, 1]);
    assert_eq!(media(&world, ben, ann), MediaWish::default());
}

#[test]
fn a_call_in_a_room_of_many_does_not_ring() {
    let mut world = World::new(3);
    let all: Vec<usize> = (0..9).map(|at| world.open(&format!("p{at}"))).collect();
    assert!(world.run_until(2 * MINUTE, World::is_full_mesh));
    start(&mut world, all[0], lobby());
    assert!(!view(&world, all[0]).call.unwrap().rings);
    assert_eq!(view(&world, all[1]).rings, []);
    assert_eq!(view(&world, all[1]).running.len(), 1);
}

#[test]
fn a_call_survives_a_connection_that_breaks() {
    let (mut world, ann, ben) = pair();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    answer(&mut world, ben);
    world.cut(ann, ben, true);
    world.run(Duration::from_secs(12));
    let own = view(&world, ann).call.unwrap();
    assert!(!own.peers[0].is_connected);
    // Ben has turned his camera on in the meantime.
    call(&mut world, ben, CallCommand::Send(sends(true)));
    world.end_connections(ann, LinkEvent::Closed);
    world.end_connections(ben, LinkEvent::Closed);
    world.cut(ann, ben, false);
    world.run(2 * SOON);
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
    let own = view(&world, ann).call.unwrap();
    assert!(own.peers[0].is_connected && own.peers[0].sends.camera);
    assert!(media(&world, ben, ann).camera.is_some());
}

#[test]
fn sound_that_breaks_every_connection_is_begun_less_and_less_often() {
    let (mut world, ann, ben) = pair();
    let conversation = direct(&world, ben);
    start(&mut world, ann, conversation);
    answer(&mut world, ben);
    assert!(is_heard(&world, ann, ben));
    let mut begun = 0;
    let before = world.now;
    while world.now.since(before) < MINUTE {
        if media(&world, ann, ben).microphone {
            begun += 1;
            world.end_connections(ann, LinkEvent::Failed("It broke.".to_owned()));
        }
        world.run(A_WHILE);
        assert_eq!((in_call(&world, ann), in_call(&world, ben)), (1, 1));
    }
    // Four times at once, and then once in ten seconds. Meanwhile they can write to each other.
    assert!((5..=11).contains(&begun), "{begun}");
    world.run(SOON);
    world.run(SOON);
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
}

#[test]
fn who_hangs_up_while_the_way_is_cut_is_out_of_the_call_afterwards() {
    let (mut world, ann, ben) = pair();
    start(&mut world, ann, lobby());
    answer(&mut world, ben);
    world.cut(ann, ben, true);
    world.run(SOON);
    call(&mut world, ben, CallCommand::HangUp);
    world.end_connections(ann, LinkEvent::Closed);
    world.end_connections(ben, LinkEvent::Closed);
    world.cut(ann, ben, false);
    world.run(2 * SOON);
    assert_eq!(in_call(&world, ann), 0);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
}

#[test]
fn a_call_with_one_person_ends_when_they_are_gone() {
    let (mut world, ann, ben) = pair();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    answer(&mut world, ben);
    world.leave(ben);
    world.run(SOON);
    assert_eq!(view(&world, ann), CallsView::default());
    assert!(matches!(lines(&world, ann)[..], [CallLine::Ended(_)]));
}

#[test]
fn a_second_call_ends_the_first() {
    let (mut world, ann, ben, cleo) = three();
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    answer(&mut world, ben);
    let with = direct(&world, ben);
    start(&mut world, cleo, with);
    assert!(view(&world, ben).rings[0].silent, "he is talking");
    answer(&mut world, ben);
    assert!(is_heard(&world, ben, cleo));
    assert_eq!(media(&world, ben, ann), MediaWish::default());
    assert_eq!(view(&world, ann).call, None);
}

#[test]
fn only_who_watches_is_sent_anything() {
    let (mut world, ann, ben, cleo) = three();
    call(&mut world, ann, CallCommand::Share(camera(false)));
    assert_eq!(
        [ben, cleo].map(|at| watching(&world, at)),
        [[WatchState::Offered]; 2]
    );
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Watching]);
    let wish = media(&world, ann, ben);
    assert!(wish.camera.is_some() && !wish.microphone && !wish.receive);
    assert!(media(&world, ben, ann).receive);
    assert_eq!(media(&world, ann, cleo), MediaWish::default());
    let own = view(&world, ann).share.unwrap();
    assert_eq!((own.watchers, own.asking), (vec![id(&world, ben)], vec![]));
    assert!(own.uplink > 0);
    // He looks at it small, and then not at all.
    for (height, bitrate) in [(180, 200_000), (0, 0)] {
        let (peer, screen) = (id(&world, ann), 0);
        let camera = height;
        call(
            &mut world,
            ben,
            CallCommand::Want {
                peer,
                camera,
                screen,
            },
        );
        let limit = media(&world, ann, ben).camera.unwrap();
        assert_eq!((limit.height, limit.bitrate), (height, bitrate));
    }
    watch(&mut world, ben, ann, false);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert!(view(&world, ann).share.unwrap().watchers.is_empty());
    // It ends for whoever watches when it ends.
    watch(&mut world, cleo, ann, true);
    call(&mut world, ann, CallCommand::Unshare);
    assert_eq!(media(&world, ann, cleo), MediaWish::default());
    assert_eq!(watching(&world, cleo), []);
    assert_eq!(view(&world, ann), CallsView::default());
}

#[test]
fn whoever_is_removed_sees_that_it_ended_and_does_not_come_back() {
    let (mut world, ann, ben, cleo) = three();
    call(&mut world, ann, CallCommand::Share(camera(false)));
    watch(&mut world, ben, ann, true);
    watch(&mut world, cleo, ann, true);
    let peer = id(&world, ben);
    call(&mut world, ann, CallCommand::Admit { peer, on: false });
    assert_eq!(watching(&world, ben), [WatchState::Ended]);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert!(media(&world, ann, cleo).camera.is_some());
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Refused]);
    // Not in another tab, either.
    let tab = other_tab(&mut world, ben, "ben");
    watch(&mut world, tab, ann, true);
    assert_eq!(watching(&world, tab), [WatchState::Refused]);
    // Something new that is shown is for everybody again.
    call(&mut world, ann, CallCommand::Unshare);
    call(&mut world, ann, CallCommand::Share(camera(false)));
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Watching]);
}

#[test]
fn whoever_shows_it_can_be_asked_first() {
    let (mut world, ann, ben, cleo) = three();
    call(&mut world, ann, CallCommand::Share(camera(true)));
    watch(&mut world, ben, ann, true);
    watch(&mut world, cleo, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Asking]);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert_eq!(view(&world, ann).share.unwrap().asking.len(), 2);
    for (whom, on) in [(ben, true), (cleo, false)] {
        let peer = id(&world, whom);
        call(&mut world, ann, CallCommand::Admit { peer, on });
    }
    assert_eq!(watching(&world, ben), [WatchState::Watching]);
    assert_eq!(watching(&world, cleo), [WatchState::Refused]);
    assert_eq!(media(&world, ann, cleo), MediaWish::default());
    // Whoever was let in is not asked about again.
    watch(&mut world, ben, ann, false);
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Watching]);
}

#[test]
fn a_camera_can_be_shown_only_in_return_for_one() {
    let (mut world, ann, ben) = pair();
    let share = Share {
        in_return: true,
        ..camera(false)
    };
    call(&mut world, ann, CallCommand::Share(share));
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Refused]);
    call(&mut world, ben, CallCommand::Share(camera(false)));
    watch(&mut world, ben, ann, true);
    assert_eq!(watching(&world, ben), [WatchState::Watching]);
    call(&mut world, ben, CallCommand::Unshare);
    assert_eq!(watching(&world, ben), [WatchState::Ended]);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
}

#[test]
fn offers_of_two_who_begin_to_talk_do_not_cross() {
    let (mut world, ann, ben) = pair();
    start(&mut world, ann, lobby());
    answer(&mut world, ben);
    let needed = |world: &mut World, at: usize, other: usize| {
        let connection = world.open_connections(at, other)[0];
        world.feed(at, Input::Link(connection, LinkEvent::NegotiationNeeded));
    };
    let (first, polite) = match id(&world, ann) < id(&world, ben) {
        true => (ann, ben),
        false => (ben, ann),
    };
    let steps = |world: &World| [first, polite].map(|at| world.nodes[at].renegotiated.len());
    needed(&mut world, polite, first);
    needed(&mut world, first, polite);
    assert_eq!(steps(&world), [1, 0], "the polite side waits");
    world.run(A_WHILE);
    // An offer, its acceptance and an answer on each side.
    assert_eq!(steps(&world), [3, 3]);
    // It does not wait for ever.
    needed(&mut world, polite, first);
    world.run(SOON);
    assert_eq!(steps(&world), [4, 5]);
}

#[test]
fn offers_in_a_call_do_not_cross_whoever_is_first() {
    for gap in (0..=200).step_by(10) {
        for is_polite_first in [false, true] {
            let (mut world, ann, ben) = pair();
            start(&mut world, ann, lobby());
            answer(&mut world, ben);
            world.run(SOON);
            let (first, polite) = match id(&world, ann) < id(&world, ben) {
                true => (ann, ben),
                false => (ben, ann),
            };
            let both = match is_polite_first {
                true => [(polite, first), (first, polite)],
                false => [(first, polite), (polite, first)],
            };
            for (at, other) in both {
                let connection = world.open_connections(at, other)[0];
                world.feed(at, Input::Link(connection, LinkEvent::NegotiationNeeded));
                world.run(Duration::from_millis(gap));
            }
            // Much less than the time for which somebody waits who gets no answer.
            world.run(A_WHILE);
            let steps = [first, polite].map(|at| world.nodes[at].renegotiated.len());
            // An offer, its acceptance and an answer on each side; an offer that crossed another would be one more.
            assert_eq!(steps, [3, 3], "{gap} ms, {is_polite_first}");
        }
    }
}

#[test]
fn offers_that_come_too_fast_are_answered_late() {
    let (mut world, ann, ben) = pair();
    start(&mut world, ann, lobby());
    answer(&mut world, ben);
    world.run(SOON);
    let steps = |world: &World| [ann, ben].map(|at| world.nodes[at].renegotiated.len());
    let before = steps(&world);
    for _ in 0..40 {
        let connection = world.open_connections(ann, ben)[0];
        world.feed(ann, Input::Link(connection, LinkEvent::NegotiationNeeded));
        world.run(Duration::from_millis(200));
    }
    world.run(SOON);
    let [offered, answered] = steps(&world);
    let [offered, answered] = [offered - before[0], answered - before[1]];
    assert!((12..40).contains(&answered), "{answered}");
    // Each of her offers was accepted, the last one too.
    assert_eq!(offered, 2 * answered);
}

#[test]
fn a_microphone_that_is_muted_in_the_call_is_not_sent_there() {
    let (mut world, ann, ben, cleo) = three();
    let spoken = Share {
        sends: sends(false),
        ..Share::default()
    };
    call(&mut world, ann, CallCommand::Share(spoken));
    watch(&mut world, cleo, ann, true);
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    answer(&mut world, ben);
    let muted = Sends {
        microphone: false,
        ..sends(false)
    };
    call(&mut world, ann, CallCommand::Send(muted));
    assert!(!media(&world, ann, ben).microphone, "others are still told");
    assert!(media(&world, ann, cleo).microphone);
    call(&mut world, ann, CallCommand::Send(sends(false)));
    assert!(is_heard(&world, ann, ben));
}

#[test]
fn a_site_without_calls_neither_calls_nor_rings() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.calls = CallKinds::Off;
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    assert_eq!(view(&world, ben), CallsView::default());
    assert_eq!(lines(&world, ann), [CallLine::Unable]);
    let with = direct(&world, ann);
    start(&mut world, ben, with);
    assert_eq!(view(&world, ben).call, None);
    assert_eq!(view(&world, ann).rings, []);
    call(&mut world, ben, CallCommand::Share(camera(false)));
    assert_eq!(view(&world, ann).shares, []);
}

#[test]
fn a_site_without_direct_conversations_does_not_ring_for_one() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.features.direct = false;
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    let with = direct(&world, ben);
    start(&mut world, ann, with);
    assert_eq!(view(&world, ben), CallsView::default());
    call(&mut world, ann, CallCommand::HangUp);
    start(&mut world, ann, lobby());
    assert_eq!(view(&world, ben).rings.len(), 1);
}

#[test]
fn a_site_with_sound_alone_sends_no_pictures() {
    let mut world = World::new(1);
    world.calls = CallKinds::Audio;
    let (ann, ben) = (world.open("ann"), world.open("ben"));
    assert!(world.run_until(SOON, World::is_full_mesh));
    start(&mut world, ann, lobby());
    answer(&mut world, ben);
    call(&mut world, ann, CallCommand::Send(sends(true)));
    assert_eq!(media(&world, ann, ben).camera, None);
    assert!(is_heard(&world, ann, ben));
}

#[test]
fn a_chat_with_sound_alone_shows_no_pictures_of_others() {
    let mut world = World::new(1);
    let ann = world.open("ann");
    world.calls = CallKinds::Audio;
    let ben = world.open("ben");
    assert!(world.run_until(SOON, World::is_full_mesh));
    call(&mut world, ann, CallCommand::Share(camera(false)));
    assert_eq!(view(&world, ben).shares, [], "there is nothing to hear");
    let share = Share {
        sends: sends(true),
        ..camera(false)
    };
    call(&mut world, ann, CallCommand::Share(share));
    watch(&mut world, ben, ann, true);
    assert_eq!(view(&world, ben).shares[0].share.sends, sends(false));
    call(&mut world, ann, CallCommand::Unshare);

    let command = CallCommand::Start {
        conversation: lobby(),
        sends: sends(true),
    };
    call(&mut world, ann, command);
    assert!(!view(&world, ben).rings[0].video);
    answer(&mut world, ben);
    assert!(is_heard(&world, ann, ben) && is_heard(&world, ben, ann));
    let seen = view(&world, ben).call.unwrap().peers[0].sends.clone();
    assert_eq!(seen, sends(false));
    assert!(!media(&world, ben, ann).pictures && media(&world, ann, ben).pictures);
    // Whatever the views ask for, she sends no picture that nobody sees.
    let want = CallCommand::Want {
        peer: id(&world, ann),
        camera: 720,
        screen: 720,
    };
    call(&mut world, ben, want);
    assert_eq!(media(&world, ann, ben).camera.unwrap().height, 0);
}

/// `at` says this to `to` on their connection, whatever its room thinks.
fn say(world: &mut World, at: usize, to: usize, frame: &str) {
    world.inject(at, to, LinkEvent::Text(frame.to_owned()));
    world.run(Duration::from_millis(100));
}

#[test]
fn ringing_without_end_is_limited() {
    let (mut world, ann, ben) = pair();
    let ring = |number: u8| {
        let id = CallId([number; 8]).to_text();
        format!(r#"{{"k":"call","id":"{id}","ring":true,"sends":[]}}"#)
    };
    for number in 0..40 {
        say(&mut world, ben, ann, &ring(number));
        let hang_up = CallId([number; 8]).to_text();
        say(
            &mut world,
            ben,
            ann,
            &format!(r#"{{"k":"hangup","id":"{hang_up}","why":"left"}}"#),
        );
    }
    let missed = lines(&world, ann).len();
    assert!(missed <= 5, "{missed} calls rang");
    world.run(MINUTE);
    // Somebody who rings for long is not heard for longer than others.
    say(&mut world, ben, ann, &ring(200));
    assert_eq!(view(&world, ann).rings.len(), 1);
    world.run(MINUTE);
    assert_eq!(view(&world, ann).rings, []);
}

#[test]
fn nothing_that_a_peer_claims_makes_us_send() {
    let (mut world, ann, ben) = pair();
    let call_id = CallId([1; 8]).to_text();
    for frame in [
        format!(r#"{{"k":"call","id":"{call_id}","channel":"lobby","sends":["camera"]}}"#),
        format!(r#"{{"k":"call","id":"{call_id}","channel":"nowhere","ring":true,"sends":[]}}"#),
        r#"{"k":"watch","on":true}"#.to_owned(),
        r#"{"k":"watching","is":"admitted"}"#.to_owned(),
        r#"{"k":"size","camera":65535,"screen":65535}"#.to_owned(),
        format!(
            r#"{{"k":"share","sends":["camera"],"streams":["{}","b"]}}"#,
            "x".repeat(65)
        ),
        r#"{"k":"call","id":"short","sends":[]}"#.to_owned(),
    ] {
        say(&mut world, ben, ann, &frame);
    }
    assert_eq!(media(&world, ann, ben), MediaWish::default());
    assert_eq!(
        view(&world, ann).shares,
        [],
        "an id of 65 characters is none"
    );
    assert_eq!(view(&world, ann).rings, []);
    // A share that nobody asked to see is not taken because its owner says so.
    say(&mut world, ben, ann, r#"{"k":"share","sends":["camera"]}"#);
    say(&mut world, ben, ann, r#"{"k":"watching","is":"admitted"}"#);
    assert_eq!(watching(&world, ann), [WatchState::Offered]);
    assert_eq!(media(&world, ann, ben), MediaWish::default());
}

#[test]
fn a_flood_of_frames_about_calls_is_dropped() {
    let (mut world, ann, ben) = pair();
    for number in 0..400 {
        let frame = format!(r#"{{"k":"size","camera":{number},"screen":0}}"#);
        world.inject(ben, ann, LinkEvent::Text(frame));
    }
    world.run(SOON);
    let dropped = world.dropped(ann, "too many frames at once");
    assert!(dropped >= 300, "{dropped} were dropped");
}
