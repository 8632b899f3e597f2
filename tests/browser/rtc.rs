//! Two sets of connections in one page connect to each other. Descriptions and candidates are encoded and decoded on
//! their way, as over the wire.

use std::rc::Rc;

use js_sys::Reflect;
use rtchat::rtc::web::{Connections, WebError};
use rtchat::rtc::{
    Candidate, ConnectionId, DataDescription, Limit, LinkCommand, LinkEvent, Path, Renegotiation,
    SdpType,
};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sides::{ID, Side, connect, connected, sleep};

async fn say_hello(anna: &mut Side, bert: &mut Side) {
    anna.command(LinkCommand::Send("hello".into()));
    assert_eq!(bert.text().await, "hello");
    bert.command(LinkCommand::Send("grüß dich".into()));
    assert_eq!(anna.text().await, "grüß dich");
}

/// The same description without candidates.
fn without_candidates(description: &DataDescription) -> DataDescription {
    let sdp: String = description
        .to_sdp()
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("a=candidate"))
        .collect();
    DataDescription::from_sdp(description.kind(), &sdp).unwrap()
}

#[wasm_bindgen_test]
async fn two_sides_connect_and_talk() {
    let (mut anna, mut bert) = connected().await;
    say_hello(&mut anna, &mut bert).await;
    assert_eq!(anna.connections.buffered(ConnectionId(99)), 0);
}

#[wasm_bindgen_test]
async fn sides_that_look_for_addresses_anew_connect_as_well() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.command(LinkCommand::GatherAnew);
    anna.command(LinkCommand::Offer);
    let offer = anna.described().await;
    assert!(!offer.candidates().is_empty());
    bert.command(LinkCommand::GatherAnew);
    bert.command(LinkCommand::Answer(offer));
    let answer = bert.described().await;
    anna.command(LinkCommand::Accept(answer));
    anna.opened().await;
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
async fn the_path_is_reported_and_opened_only_once() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.command(LinkCommand::Offer);
    let offer = anna.described().await;
    bert.command(LinkCommand::Answer(offer));
    let answer = bert.described().await;
    anna.command(LinkCommand::Accept(answer));
    let mut events = Vec::new();
    while let Some(event) = anna.within(300).await {
        events.push(event);
    }
    assert_eq!(
        events
            .iter()
            .filter(|event| **event == LinkEvent::Opened)
            .count(),
        1,
        "{events:?}"
    );
    assert_eq!(
        events
            .iter()
            .filter(|event| **event == LinkEvent::Path(Path::Connected))
            .count(),
        1,
        "{events:?}"
    );
    let only = |event: &LinkEvent| {
        matches!(
            event,
            LinkEvent::Opened | LinkEvent::Path(_) | LinkEvent::Candidates(_)
        )
    };
    assert!(events.iter().all(only), "{events:?}");
}

#[wasm_bindgen_test]
async fn early_candidates_are_kept() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.command(LinkCommand::Offer);
    let offer = anna.described().await;
    bert.command(LinkCommand::AddCandidates(offer.candidates().to_vec()));
    bert.command(LinkCommand::Answer(without_candidates(&offer)));
    let answer = bert.described().await;
    anna.command(LinkCommand::AddCandidates(answer.candidates().to_vec()));
    anna.command(LinkCommand::Accept(without_candidates(&answer)));
    anna.opened().await;
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
async fn late_candidates_are_added_and_bad_ones_are_skipped() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.command(LinkCommand::Offer);
    let offer = anna.described().await;
    bert.command(LinkCommand::Answer(without_candidates(&offer)));
    let answer = bert.described().await;
    anna.command(LinkCommand::Accept(without_candidates(&answer)));
    sleep(50).await;
    let odd = [
        "192.0.2.255 1024",
        "203.0.113.1 80",
        "100::1 2000",
        "00000000-0000-0000-0000-000000000000.local 3000",
    ];
    let odd =
        odd.map(|odd| Candidate::parse(&format!("candidate:1 1 udp 1 {odd} typ host")).unwrap());
    let candidates = odd
        .into_iter()
        .chain(offer.candidates().iter().copied())
        .collect();
    bert.command(LinkCommand::AddCandidates(candidates));
    anna.opened().await;
    say_hello(&mut anna, &mut bert).await;
}

/// Exchanges an offer and an answer over an open connection. Returns the credentials that both named.
async fn renegotiate(anna: &mut Side, bert: &mut Side, restart: bool) -> [String; 2] {
    anna.renegotiate(Renegotiation::Offer { restart });
    let offer = anna.renegotiating().await;
    bert.renegotiate(Renegotiation::Answer(offer.clone()));
    let answer = bert.renegotiating().await;
    anna.renegotiate(Renegotiation::Accept(answer.clone()));
    let found = [&offer, &answer].map(|description| {
        let lines = description.sdp().lines();
        lines.filter_map(Candidate::parse).count()
    });
    assert!(
        found.iter().all(|found| *found > 0),
        "restart {restart}: {found:?}"
    );
    [offer, answer].map(|description| {
        let mut lines = description.sdp().lines();
        let ufrag = lines.find(|line| line.starts_with("a=ice-ufrag:"));
        ufrag.unwrap().to_owned()
    })
}

#[wasm_bindgen_test]
async fn an_open_connection_renegotiates_and_restarts_its_path() {
    let (mut anna, mut bert) = connected().await;
    let first = renegotiate(&mut anna, &mut bert, false).await;
    say_hello(&mut anna, &mut bert).await;
    let second = renegotiate(&mut bert, &mut anna, true).await;
    say_hello(&mut anna, &mut bert).await;
    let third = renegotiate(&mut anna, &mut bert, true).await;
    say_hello(&mut anna, &mut bert).await;
    let fourth = renegotiate(&mut anna, &mut bert, false).await;
    say_hello(&mut anna, &mut bert).await;
    assert!(!second.contains(&first[0]) && !second.contains(&first[1]));
    assert!(!third.contains(&second[0]) && !third.contains(&second[1]));
    assert_eq!(fourth, third);
}

#[wasm_bindgen_test]
async fn crossing_offers_are_rolled_back() {
    let (mut anna, mut bert) = connected().await;
    for restart in [false, true] {
        anna.renegotiate(Renegotiation::Offer { restart });
        bert.renegotiate(Renegotiation::Offer { restart });
        let offer = anna.renegotiating().await;
        let ignored = bert.renegotiating().await;
        assert_eq!(ignored.kind(), SdpType::Offer);
        bert.renegotiate(Renegotiation::Answer(offer));
        let answer = bert.renegotiating().await;
        anna.renegotiate(Renegotiation::Accept(answer));
        say_hello(&mut anna, &mut bert).await;
        renegotiate(&mut bert, &mut anna, restart).await;
        say_hello(&mut anna, &mut bert).await;
    }
}

#[wasm_bindgen_test]
async fn nothing_is_renegotiated_before_the_channel_is_open() {
    let (mut anna, mut bert) = connected().await;
    anna.renegotiate(Renegotiation::Offer { restart: false });
    let offer = anna.renegotiating().await;
    bert.command(LinkCommand::Close);
    bert.forget();
    bert.renegotiate(Renegotiation::Answer(offer.clone()));
    assert_eq!(bert.within(50).await, None);
    bert.command(LinkCommand::Offer);
    bert.described().await;
    bert.renegotiate(Renegotiation::Answer(offer));
    assert_eq!(bert.failed().await, "The channel is not open.");
}

#[wasm_bindgen_test]
async fn waiting_commands_and_candidates_are_bounded() {
    let (mut anna, _bert) = connected().await;
    for _ in 0..20 {
        anna.renegotiate(Renegotiation::Offer { restart: true });
    }
    anna.exceeded(Limit::Negotiation).await;
    let candidate =
        |port| Candidate::parse(&format!("candidate:1 1 udp 1 192.0.2.9 {port} typ host")).unwrap();
    for first in [2000, 2020, 2040] {
        let candidates = (first..first + 16).map(candidate).collect();
        anna.command(LinkCommand::AddCandidates(candidates));
    }
    anna.exceeded(Limit::Candidates).await;
}

#[wasm_bindgen_test]
async fn commands_are_carried_out_in_order() {
    let (mut anna, mut bert) = connected().await;
    anna.renegotiate(Renegotiation::Offer { restart: false });
    for number in 0..50 {
        anna.command(LinkCommand::Send(number.to_string()));
    }
    anna.renegotiating().await;
    for number in 0..50 {
        assert_eq!(bert.text().await, number.to_string());
    }
}

#[wasm_bindgen_test]
async fn text_and_bytes_keep_their_order() {
    let (mut anna, mut bert) = connected().await;
    // The connection is busy at first, so some of the messages have to wait.
    anna.renegotiate(Renegotiation::Offer { restart: false });
    for number in 0..100u8 {
        anna.command(LinkCommand::Send(number.to_string()));
        anna.command(LinkCommand::SendBytes(vec![
            number;
            usize::from(number) * 160
        ]));
    }
    anna.renegotiating().await;
    for number in 0..100u8 {
        let text = bert.wait(|event| match event {
            LinkEvent::Text(text) => Some(text),
            LinkEvent::Bytes(bytes) => panic!("{} bytes before {number}", bytes.len()),
            _ => None,
        });
        assert_eq!(text.await, number.to_string());
        let bytes = bert.wait(|event| match event {
            LinkEvent::Bytes(bytes) => Some(bytes),
            LinkEvent::Text(text) => panic!("{text} before the bytes of {number}"),
            _ => None,
        });
        assert_eq!(bytes.await, vec![number; usize::from(number) * 160]);
    }
}

#[wasm_bindgen_test]
async fn the_last_message_arrives_before_closing_is_noticed() {
    let (mut anna, mut bert) = connected().await;
    anna.command(LinkCommand::Send("bye".into()));
    anna.command(LinkCommand::Close);
    assert_eq!(bert.text().await, "bye");
    bert.closed().await;
    bert.command(LinkCommand::Close);
    while let Some(event) = anna.within(100).await {
        assert!(
            matches!(event, LinkEvent::Path(_) | LinkEvent::Candidates(_)),
            "{event:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn nothing_is_reported_after_closing() {
    let mut anna = Side::new();
    let offer = {
        let mut other = Side::new();
        other.command(LinkCommand::Offer);
        other.described().await
    };
    for command in [LinkCommand::Offer, LinkCommand::Answer(offer)] {
        for pause in [-1, 0, 1, 2, 4] {
            anna.command(command.clone());
            if pause >= 0 {
                sleep(pause).await;
            }
            anna.command(LinkCommand::Close);
            // Drop the events that were reported before.
            anna.forget();
            assert_eq!(anna.within(80).await, None);
            anna.command(LinkCommand::Send("nobody hears".into()));
            assert_eq!(anna.within(20).await, None);
        }
    }
}

#[wasm_bindgen_test]
async fn relay_only_connections_reveal_no_address() {
    for relay_only in [false, true] {
        let mut anna = Side::with_relay_only(relay_only);
        anna.command(LinkCommand::Offer);
        let description = anna.described().await;
        assert_eq!(description.candidates().is_empty(), relay_only);
        if relay_only {
            assert_eq!(anna.within(500).await, None);
        }
    }
}

#[wasm_bindgen_test]
async fn closed_connections_are_freed() {
    let notify: Rc<dyn Fn(ConnectionId, LinkEvent)> = Rc::new(|_, _| {});
    let connections = Connections::new(&[], false, notify.clone()).unwrap();
    sleep(100).await;
    let holders = Rc::strong_count(&notify);
    for number in 0..20 {
        let id = ConnectionId(number);
        connections.carry_out(id, LinkCommand::Offer);
        // Close before, during and after the creation of the offer.
        if number % 3 > 0 {
            sleep(if number % 3 == 1 { 1 } else { 20 }).await;
        }
        connections.carry_out(id, LinkCommand::Close);
    }
    sleep(200).await;
    assert_eq!(Rc::strong_count(&notify), holders);
    drop(connections);
    sleep(1200).await;
    assert_eq!(Rc::strong_count(&notify), 1);
}

#[wasm_bindgen_test]
async fn dropping_all_connections_closes_them() {
    let (anna, mut bert) = connected().await;
    drop(anna);
    bert.closed().await;
}

#[wasm_bindgen_test]
async fn refused_descriptions_fail_with_a_sentence_without_addresses() {
    let mut anna = Side::new();
    let mut stranger = Side::new();
    stranger.command(LinkCommand::Offer);
    let offer = stranger.described().await;
    let address = |line: &Candidate| line.to_line(0).split(' ').nth(4).unwrap().to_owned();
    let addresses: Vec<String> = offer.candidates().iter().map(address).collect();
    // Descriptions with a section that the connection does not have.
    let other = |kind| {
        let sdp = offer.to_sdp().replace("actpass", "active");
        let sdp = sdp
            .replace("a=mid:0", "a=mid:other")
            .replace("BUNDLE 0", "BUNDLE other");
        DataDescription::from_sdp(kind, &sdp).unwrap()
    };
    let answer = LinkCommand::Accept(other(SdpType::Answer));
    anna.command(LinkCommand::AddCandidates(offer.candidates().to_vec()));
    anna.command(answer.clone());
    let why = anna.failed().await;
    let expected = "The browser could not take the other side's answer (";
    assert!(why.starts_with(expected), "{why}");
    assert!(
        !addresses.iter().any(|address| why.contains(address)),
        "{why}"
    );
    // The connection can still take a valid description.
    let mut bert = Side::new();
    connect(&mut bert, &mut anna).await;
    say_hello(&mut anna, &mut bert).await;
    anna.command(answer);
    let why = anna.failed().await;
    assert!(why.starts_with(expected), "{why}");
    say_hello(&mut anna, &mut bert).await;
    anna.command(LinkCommand::Answer(other(SdpType::Offer)));
    let why = anna.failed().await;
    let expected = "The browser could not take the other side's offer (";
    assert!(why.starts_with(expected), "{why}");
    assert!(
        !addresses.iter().any(|address| why.contains(address)),
        "{why}"
    );
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
async fn messages_that_cannot_be_sent_fail() {
    let mut anna = Side::new();
    anna.command(LinkCommand::Offer);
    anna.command(LinkCommand::Send("too early".into()));
    assert_eq!(anna.failed().await, "The channel is not open.");
    let (mut anna, mut bert) = connected().await;
    // A channel may open before the answer is taken. Until then, messages wait in the queue, which has a limit of its own.
    say_hello(&mut anna, &mut bert).await;
    for _ in 0..400 {
        anna.command(LinkCommand::Send("x".repeat(60_000)));
    }
    assert_eq!(anna.failed().await, "Too much is waiting to be sent.");
    assert!(anna.connections.buffered(ID) > 1_000_000);
}

#[wasm_bindgen_test]
async fn messages_that_are_too_large_are_dropped() {
    let (mut anna, mut bert) = connected().await;
    anna.command(LinkCommand::Send("x".repeat(64 * 1024 + 1)));
    anna.command(LinkCommand::Send("x".repeat(64 * 1024)));
    assert_eq!(bert.text().await.len(), 64 * 1024);
    anna.command(LinkCommand::SendBytes(vec![1; 64 * 1024 + 1]));
    anna.command(LinkCommand::SendBytes(vec![2; 64 * 1024]));
    assert_eq!(bert.bytes().await, vec![2; 64 * 1024]);
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
fn a_browser_without_webrtc_is_reported() {
    let (name, global) = ("RTCPeerConnection".into(), js_sys::global());
    let constructor = Reflect::get(&global, &name).unwrap();
    Reflect::set(&global, &name, &JsValue::UNDEFINED).unwrap();
    let made = Connections::new(&[], false, Rc::new(|_, _| {}));
    Reflect::set(&global, &name, &constructor).unwrap();
    assert_eq!(made.err(), Some(WebError::Missing));
}

#[wasm_bindgen_test]
fn malformed_server_addresses_are_refused() {
    let server = rtchat::settings::IceServer {
        urls: vec!["gopher:x".into()],
        username: None,
        credential: None,
    };
    let made = Connections::new(&[server], false, Rc::new(|_, _| {}));
    assert!(matches!(made.err(), Some(WebError::Refused { .. })));
}
