//! Candidates and negotiations: a peer can make the browser try a bounded number of addresses and descriptions only.

use std::time::Duration;

use rtchat::room::Input;
use rtchat::rtc::{LinkEvent, SdpType, SessionDescription};

use super::{Mallory, newest_connect, still_talk};
use crate::scenes::pair;
use crate::world::{World, fingerprint, sdp};

const TOO_MANY: &str = "more candidates than a connection needs";

#[test]
fn more_candidates_over_a_broker_than_a_connection_needs_are_dropped() {
    let (mut world, ann, ben) = pair();
    let theirs = newest_connect(&world, ann);
    let mut mallory = Mallory::new(1);
    mallory.send_offer(&mut world, &theirs);
    world.run(Duration::from_millis(100));
    let before = world.nodes[ann].candidates_added;
    for _ in 0..200 {
        mallory.candidates(&mut world, &theirs, 16);
        world.run(Duration::from_millis(10));
    }
    let added = world.nodes[ann].candidates_added - before;
    assert!((60..=70).contains(&added), "{added}");
    assert!(world.dropped(ann, TOO_MANY) >= 190);
    still_talk(&mut world, ann, ben);
}

#[test]
fn candidates_that_come_before_their_offer_are_kept_in_a_small_number() {
    let (mut world, ann, ben) = pair();
    let theirs = newest_connect(&world, ann);
    let mut mallory = Mallory::new(1);
    let (inbox, offer) = mallory.offer(world.now, &theirs);
    for _ in 0..500 {
        mallory.candidates(&mut world, &theirs, 16);
    }
    world.run(Duration::from_millis(100));
    assert_eq!(world.nodes[ann].candidates_added, 0);
    mallory.send(&mut world, inbox, &offer);
    world.run(Duration::from_millis(500));
    let added = world.nodes[ann].candidates_added;
    assert!((16..=70).contains(&added), "{added}");
    still_talk(&mut world, ann, ben);
}

#[test]
fn more_candidates_over_the_channel_than_a_connection_needs_are_dropped() {
    let (mut world, ann, ben) = pair();
    let line = |port| format!("\"candidate:1 1 udp 2113937151 192.0.2.1 {port} typ host\"");
    let lines: Vec<String> = (20_000..20_040).map(line).collect();
    let frame = format!(
        "{{\"k\":\"candidates\",\"candidates\":[{}]}}",
        lines.join(",")
    );
    for _ in 0..100 {
        world.inject(ben, ann, LinkEvent::Text(frame.clone()));
        world.run(Duration::from_millis(20));
    }
    let added = world.nodes[ann].candidates_added;
    assert!((60..=70).contains(&added), "{added}");
    assert!(world.dropped(ann, TOO_MANY) >= 90);
    still_talk(&mut world, ann, ben);
}

/// An offer or an answer for the connection between ben and ann, as a frame.
fn signal(world: &World, ben: usize, ann: usize, kind: SdpType) -> LinkEvent {
    let connection = world.open_connections(ben, ann)[0];
    let ufrag = format!("u{ben}x{}", connection.0);
    let sdp = sdp(kind, &ufrag, &fingerprint(ben, connection));
    let sdp = sdp.replace("\r\n", "\\r\\n");
    let kind = match kind {
        SdpType::Offer => "offer",
        SdpType::Answer => "answer",
    };
    LinkEvent::Text(format!(
        "{{\"k\":\"signal\",\"description\":{{\"kind\":\"{kind}\",\"sdp\":\"{sdp}\"}}}}"
    ))
}

#[test]
fn a_flood_of_negotiations_is_bounded() {
    let (mut world, ann, ben) = pair();
    let offer = signal(&world, ben, ann, SdpType::Offer);
    let carried = world.carried;
    for _ in 0..300 {
        world.inject(ben, ann, offer.clone());
    }
    world.run(Duration::from_secs(2));
    let renegotiated = world.nodes[ann].renegotiated.len();
    assert!((8..=10).contains(&renegotiated), "{renegotiated}");
    assert!(world.dropped(ann, "too many negotiations at once") >= 290);
    assert!(world.carried - carried <= 300 + 30, "{}", world.carried);
    still_talk(&mut world, ann, ben);
}

#[test]
fn a_negotiation_with_another_fingerprint_or_with_media_is_refused() {
    let (mut world, ann, ben) = pair();
    let LinkEvent::Text(sound) = signal(&world, ben, ann, SdpType::Offer) else {
        panic!("a text");
    };
    let start = sound.find("sha-256 ").unwrap() + 8;
    let mut foreign = sound.clone();
    foreign.replace_range(start..start + 2, "EE");
    let media = sound.replace(
        "m=application",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\\r\\nm=application",
    );
    for frame in [foreign, media] {
        world.inject(ben, ann, LinkEvent::Text(frame));
    }
    world.run(Duration::from_secs(1));
    assert_eq!(world.nodes[ann].renegotiated, []);
    assert_eq!(world.dropped(ann, "an unreadable frame"), 2);
    still_talk(&mut world, ann, ben);
}

#[test]
fn an_unverified_attempt_does_not_renegotiate_the_open_connection() {
    let (mut world, ann, ben) = pair();
    // Nothing arrives any more, so both look for each other while the old connection is still open.
    world.cut(ann, ben, true);
    assert!(world.run_until(Duration::from_secs(20), |world| {
        world.connections(ann) == 2 && world.connections(ben) == 2
    }));
    let connections = world.all_connections(ann);
    let (current, tried) = (connections[0], connections[1]);
    let before = world.nodes[ann].renegotiated.clone();
    let carried = world.carried;
    let text = sdp(SdpType::Offer, "tried", &fingerprint(ann, tried));
    let description = SessionDescription::from_sdp(SdpType::Offer, &text).unwrap();
    for event in [
        LinkEvent::NegotiationNeeded,
        LinkEvent::Renegotiating(description),
    ] {
        world.feed(ann, Input::Link(tried, event));
    }
    assert_eq!(world.nodes[ann].renegotiated, before);
    assert_eq!(world.carried, carried);
    // The open connection itself does renegotiate.
    world.feed(ann, Input::Link(current, LinkEvent::NegotiationNeeded));
    let renegotiated = &world.nodes[ann].renegotiated;
    assert!(
        renegotiated[before.len()..]
            .iter()
            .all(|its| *its == current)
    );
    world.cut(ann, ben, false);
    assert!(world.run_until(Duration::from_secs(30), World::is_full_mesh));
    still_talk(&mut world, ann, ben);
}
