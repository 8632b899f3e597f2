//! Two sets of connections in one page connect to each other; descriptions and candidates take the way over the wire.

use std::rc::Rc;

use js_sys::Reflect;
use rtchat::rtc::web::{Connections, WebError};
use rtchat::rtc::{Candidate, ConnectionId, Description, LinkCommand, LinkEvent, Path, SdpType};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;

use super::sides::{ID, Side, connect, connected, sleep};

async fn say_hello(anna: &mut Side, bert: &mut Side) {
    anna.order(LinkCommand::Send("hello".into()));
    assert_eq!(bert.text().await, "hello");
    bert.order(LinkCommand::Send("grüß dich".into()));
    assert_eq!(anna.text().await, "grüß dich");
}

/// The same description without candidates.
fn bare(description: &Description) -> Description {
    let sdp: String = description
        .to_sdp()
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("a=candidate"))
        .collect();
    Description::from_sdp(description.kind(), &sdp).unwrap()
}

#[wasm_bindgen_test]
async fn two_sides_connect_and_talk() {
    let (mut anna, mut bert) = connected().await;
    say_hello(&mut anna, &mut bert).await;
    assert_eq!(anna.connections.buffered(ConnectionId(99)), 0);
}

#[wasm_bindgen_test]
async fn the_path_is_told_and_opened_only_once() {
    let (mut anna, bert) = (Side::new(), Side::new());
    let mut bert = bert;
    anna.order(LinkCommand::Offer { restart: false });
    let offer = anna.described().await;
    bert.order(LinkCommand::Answer(offer));
    let answer = bert.described().await;
    anna.order(LinkCommand::Accept(answer));
    let mut notices = Vec::new();
    while let Some(notice) = anna.within(300).await {
        notices.push(notice);
    }
    assert_eq!(
        notices
            .iter()
            .filter(|notice| **notice == LinkEvent::Opened)
            .count(),
        1,
        "{notices:?}"
    );
    assert_eq!(
        notices
            .iter()
            .filter(|notice| **notice == LinkEvent::Path(Path::Connected))
            .count(),
        1,
        "{notices:?}"
    );
    let only = |notice: &LinkEvent| {
        matches!(
            notice,
            LinkEvent::Opened | LinkEvent::Path(_) | LinkEvent::Candidates(_)
        )
    };
    assert!(notices.iter().all(only), "{notices:?}");
}

#[wasm_bindgen_test]
async fn candidates_that_come_before_the_description_are_kept() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.order(LinkCommand::Offer { restart: false });
    let offer = anna.described().await;
    bert.order(LinkCommand::AddCandidates(offer.candidates()));
    bert.order(LinkCommand::Answer(bare(&offer)));
    let answer = bert.described().await;
    anna.order(LinkCommand::AddCandidates(answer.candidates()));
    anna.order(LinkCommand::Accept(bare(&answer)));
    anna.opened().await;
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
async fn candidates_that_come_late_are_added_and_bad_ones_skipped() {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    anna.order(LinkCommand::Offer { restart: false });
    let offer = anna.described().await;
    bert.order(LinkCommand::Answer(bare(&offer)));
    let answer = bert.described().await;
    anna.order(LinkCommand::Accept(bare(&answer)));
    sleep(50).await;
    let odd = [
        "0.0.0.0 1",
        "255.255.255.255 9",
        "::1 2",
        "00000000-0000-0000-0000-000000000000.local 3",
    ];
    let odd =
        odd.map(|odd| Candidate::parse(&format!("candidate:1 1 udp 1 {odd} typ host")).unwrap());
    let candidates = odd.into_iter().chain(offer.candidates()).collect();
    bert.order(LinkCommand::AddCandidates(candidates));
    anna.opened().await;
    say_hello(&mut anna, &mut bert).await;
}

/// Exchanges an offer and an answer over an open connection; the credentials that both named.
async fn renegotiate(anna: &mut Side, bert: &mut Side, restart: bool) -> [String; 2] {
    anna.order(LinkCommand::Offer { restart });
    let offer = anna.described().await;
    bert.order(LinkCommand::Answer(offer.clone()));
    let answer = bert.described().await;
    anna.order(LinkCommand::Accept(answer.clone()));
    let found = [&offer, &answer].map(|description| description.candidates().len());
    assert!(
        found.iter().all(|found| *found > 0),
        "restart {restart}: {found:?}"
    );
    [offer, answer].map(|description| {
        let sdp = description.to_sdp();
        sdp.lines()
            .find(|line| line.starts_with("a=ice-ufrag:"))
            .unwrap()
            .to_owned()
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
async fn offers_that_cross_are_rolled_back() {
    let (mut anna, mut bert) = connected().await;
    for restart in [false, true] {
        anna.order(LinkCommand::Offer { restart });
        bert.order(LinkCommand::Offer { restart });
        let offer = anna.described().await;
        let ignored = bert.described().await;
        assert_eq!(ignored.kind(), SdpType::Offer);
        bert.order(LinkCommand::Answer(offer));
        let answer = bert.described().await;
        anna.order(LinkCommand::Accept(answer));
        say_hello(&mut anna, &mut bert).await;
        renegotiate(&mut bert, &mut anna, restart).await;
        say_hello(&mut anna, &mut bert).await;
    }
}

#[wasm_bindgen_test]
async fn orders_are_carried_out_in_their_order() {
    let (mut anna, mut bert) = connected().await;
    anna.order(LinkCommand::Offer { restart: false });
    for number in 0..50 {
        anna.order(LinkCommand::Send(number.to_string()));
    }
    anna.described().await;
    for number in 0..50 {
        assert_eq!(bert.text().await, number.to_string());
    }
}

#[wasm_bindgen_test]
async fn text_and_bytes_keep_their_order() {
    let (mut anna, mut bert) = connected().await;
    // Some of them while the connection is busy, and wait for their turn.
    anna.order(LinkCommand::Offer { restart: false });
    for number in 0..100u8 {
        anna.order(LinkCommand::Send(number.to_string()));
        anna.order(LinkCommand::SendBytes(vec![
            number;
            usize::from(number) * 160
        ]));
    }
    anna.described().await;
    for number in 0..100u8 {
        let text = bert.wait(|notice| match notice {
            LinkEvent::Text(text) => Some(text),
            LinkEvent::Bytes(bytes) => panic!("{} bytes before {number}", bytes.len()),
            _ => None,
        });
        assert_eq!(text.await, number.to_string());
        let bytes = bert.wait(|notice| match notice {
            LinkEvent::Bytes(bytes) => Some(bytes),
            LinkEvent::Text(text) => panic!("{text} before the bytes of {number}"),
            _ => None,
        });
        assert_eq!(bytes.await, vec![number; usize::from(number) * 160]);
    }
}

#[wasm_bindgen_test]
async fn the_last_word_arrives_and_closing_is_noticed() {
    let (mut anna, mut bert) = connected().await;
    anna.order(LinkCommand::Send("bye".into()));
    anna.order(LinkCommand::Close);
    assert_eq!(bert.text().await, "bye");
    bert.closed().await;
    bert.order(LinkCommand::Close);
    while let Some(notice) = anna.within(100).await {
        assert!(
            matches!(notice, LinkEvent::Path(_) | LinkEvent::Candidates(_)),
            "{notice:?}"
        );
    }
}

#[wasm_bindgen_test]
async fn nothing_is_told_after_closing() {
    let mut anna = Side::new();
    let offer = {
        let mut other = Side::new();
        other.order(LinkCommand::Offer { restart: false });
        other.described().await
    };
    for order in [
        LinkCommand::Offer { restart: false },
        LinkCommand::Answer(offer),
    ] {
        for pause in [-1, 0, 1, 2, 4] {
            anna.order(order.clone());
            if pause >= 0 {
                sleep(pause).await;
            }
            anna.order(LinkCommand::Close);
            // What was told before.
            anna.forget();
            assert_eq!(anna.within(80).await, None);
            anna.order(LinkCommand::Send("nobody hears".into()));
            assert_eq!(anna.within(20).await, None);
        }
    }
}

#[wasm_bindgen_test]
async fn who_wants_nothing_but_relays_shows_no_address() {
    for relay_only in [false, true] {
        let mut anna = Side::making(relay_only);
        anna.order(LinkCommand::Offer { restart: false });
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
        connections.carry_out(id, LinkCommand::Offer { restart: false });
        // Before, while and after the offer is made.
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
async fn dropping_them_all_closes_them() {
    let (anna, mut bert) = connected().await;
    drop(anna);
    bert.closed().await;
}

#[wasm_bindgen_test]
async fn broken_descriptions_fail_with_a_sentence_without_addresses() {
    let mut anna = Side::new();
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=nonsense 192.0.2.1\r\na=candidate:192.0.2.1\r\n";
    let broken = Description::from_sdp(SdpType::Offer, text).unwrap();
    anna.order(LinkCommand::Answer(broken));
    let why = anna.failed().await;
    assert!(
        why.starts_with("The browser could not take the other side's offer (")
            && !why.contains("192"),
        "{why}"
    );
    // The connection is still there for a better one.
    let mut bert = Side::new();
    connect(&mut bert, &mut anna).await;
    say_hello(&mut anna, &mut bert).await;
    let stale = Description::from_sdp(SdpType::Answer, text).unwrap();
    anna.order(LinkCommand::Accept(stale));
    let why = anna.failed().await;
    assert!(
        why.starts_with("The browser could not take the other side's answer ("),
        "{why}"
    );
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
async fn what_cannot_be_sent_fails() {
    let mut anna = Side::new();
    anna.order(LinkCommand::Offer { restart: false });
    anna.order(LinkCommand::Send("too early".into()));
    assert_eq!(anna.failed().await, "The channel is not open.");
    let (mut anna, _bert) = connected().await;
    for _ in 0..400 {
        anna.order(LinkCommand::Send("x".repeat(60_000)));
    }
    assert_eq!(anna.failed().await, "Too much is waiting to be sent.");
    assert!(anna.connections.buffered(ID) > 1_000_000);
}

#[wasm_bindgen_test]
async fn frames_that_are_too_large_are_dropped() {
    let (mut anna, mut bert) = connected().await;
    anna.order(LinkCommand::Send("x".repeat(64 * 1024 + 1)));
    anna.order(LinkCommand::Send("x".repeat(64 * 1024)));
    assert_eq!(bert.text().await.len(), 64 * 1024);
    anna.order(LinkCommand::SendBytes(vec![1; 64 * 1024 + 1]));
    anna.order(LinkCommand::SendBytes(vec![2; 64 * 1024]));
    assert_eq!(bert.bytes().await, vec![2; 64 * 1024]);
    say_hello(&mut anna, &mut bert).await;
}

#[wasm_bindgen_test]
fn a_browser_without_webrtc_is_told_of() {
    let (name, global) = ("RTCPeerConnection".into(), js_sys::global());
    let constructor = Reflect::get(&global, &name).unwrap();
    Reflect::set(&global, &name, &JsValue::UNDEFINED).unwrap();
    let made = Connections::new(&[], false, Rc::new(|_, _| {}));
    Reflect::set(&global, &name, &constructor).unwrap();
    assert_eq!(made.err(), Some(WebError::Missing));
}

#[wasm_bindgen_test]
fn servers_that_make_no_sense_are_refused() {
    let server = rtchat::settings::IceServer {
        urls: vec!["gopher:x".into()],
        username: None,
        credential: None,
    };
    let made = Connections::new(&[server], false, Rc::new(|_, _| {}));
    assert!(matches!(made.err(), Some(WebError::Refused { .. })));
}
