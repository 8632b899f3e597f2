//! The protocol on one connection: bytes and time in, bytes and events out.
#![cfg(not(target_arch = "wasm32"))]

mod mqtt_support;

use std::time::Duration;

use mqtt_support::protocol::*;
use mqttbytes::v4::{PingResp, PubComp, PubRec, PubRel, UnsubAck, Unsubscribe};
use rtchat::mqtt::{
    ConnectReturnCode, ConnectionError, Event, Outgoing, Packet, PubAck, QoS, Request, Session,
    SkipReason, SubAck, SubscribeReasonCode, TransportError,
};

#[test]
fn early_requests_are_sent_at_once_and_reported_after_connack() {
    let mut session = session(true);
    assert!(session.accepts_requests());
    session.request(START, subscribe()).unwrap();
    session
        .request(
            START,
            Request::Publish(publish(QoS::AtMostOnce, 0, b"hello")),
        )
        .unwrap();
    assert!(matches!(
        &sent_packets(&mut session)[..],
        [Packet::Connect(_), Packet::Subscribe(_), Packet::Publish(_)]
    ));
    assert_eq!(events(&mut session), Ok(vec![]));
    session.receive(&connack(ConnectReturnCode::Success));
    session.receive(&suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce)));
    let events = events(&mut session).unwrap();
    assert!(matches!(
        &events[..],
        [
            Event::Incoming(Packet::ConnAck(_)),
            Event::Outgoing(Outgoing::Subscribe(1)),
            Event::Outgoing(Outgoing::Publish(0)),
            Event::Incoming(Packet::SubAck(_)),
        ]
    ));
    assert!(session.is_subscribed());
}

#[test]
fn requests_wait_for_connack_without_early_requests() {
    let mut session = session(false);
    assert!(!session.accepts_requests());
    assert!(matches!(
        &sent_packets(&mut session)[..],
        [Packet::Connect(_)]
    ));
    session.receive(&connack(ConnectReturnCode::Success));
    events(&mut session).unwrap();
    assert!(session.accepts_requests());
}

#[test]
fn early_requests_are_suspected_only_of_errors_that_they_may_cause() {
    let closed = ConnectionError::Transport(TransportError::Closed { code: 1006 });
    let mut session = session(true);
    assert!(
        !session.suspects_early_requests(&closed),
        "every broker accepts CONNECT alone"
    );
    session.request(START, subscribe()).unwrap();
    assert!(session.suspects_early_requests(&closed));
    let refused = ConnectionError::ConnectionRefused(ConnectReturnCode::NotAuthorized);
    assert!(!session.suspects_early_requests(&refused));

    session.receive(&connack(ConnectReturnCode::Success));
    events(&mut session).unwrap();
    assert!(!session.suspects_early_requests(&closed));
    assert!(
        session.suspects_early_requests(&ConnectionError::AckTimeout),
        "the subscription was lost"
    );

    session.receive(&suback(1, SubscribeReasonCode::Failure));
    let error = events(&mut session).unwrap_err();
    assert_eq!(error, ConnectionError::EarlyRequestsRefused);
    assert!(session.suspects_early_requests(&error));
}

#[test]
fn refused_subscription_after_connack_is_reported() {
    let mut session = connected_session();
    session.request(START, subscribe()).unwrap();
    session.receive(&suback(1, SubscribeReasonCode::Failure));
    let events = events(&mut session).unwrap();
    assert!(
        matches!(&events[1], Event::Incoming(Packet::SubAck(suback)) if suback.return_codes.len() == 1)
    );
}

#[test]
fn refusals_and_timeouts_end_the_attempt() {
    for code in [
        ConnectReturnCode::BadUserNamePassword,
        ConnectReturnCode::ServiceUnavailable,
    ] {
        assert_eq!(
            error_after(session(true), &connack(code)),
            ConnectionError::ConnectionRefused(code)
        );
    }
    assert_eq!(
        error_after(session(true), &[0xD0, 0]),
        ConnectionError::NotConnAck
    );
    let mut session = session(true);
    assert_eq!(session.deadline(), Some(CONNACK_BY));
    session.wake(CONNACK_BY - Duration::from_millis(1)).unwrap();
    assert_eq!(
        session.wake(CONNACK_BY),
        Err(ConnectionError::ConnectTimeout)
    );
}

#[test]
fn keep_alive_sends_pings_and_notices_missing_answers() {
    let mut session = connected_session();
    assert_eq!(session.deadline(), Some(after(50)));
    session.wake(after(49)).unwrap();
    assert_eq!(sent_packets(&mut session), []);
    session
        .request(
            after(20),
            Request::Publish(publish(QoS::AtMostOnce, 0, b"")),
        )
        .unwrap();
    assert!(session.take_output(after(20)).is_some());
    assert_eq!(
        session.deadline(),
        Some(after(70)),
        "sending anything postpones the ping"
    );

    session.wake(after(70)).unwrap();
    assert_eq!(&session.take_output(after(70)).unwrap()[..], [0xC0, 0]);
    session.receive(&[0xD0, 0]);
    session.wake(after(71)).unwrap();
    events(&mut session).unwrap();
    session.wake(after(81)).unwrap();
    assert_eq!(
        session.deadline(),
        Some(after(120)),
        "the answer counts, even if it is read late"
    );

    session.wake(after(120)).unwrap();
    session.ping(after(121)).unwrap();
    assert_eq!(
        &session.take_output(after(121)).unwrap()[..],
        [0xC0, 0],
        "only one PINGREQ is outstanding"
    );
    session.wake(after(129)).unwrap();
    assert_eq!(session.wake(after(130)), Err(ConnectionError::PingTimeout));
}

#[test]
fn zero_keep_alive_sends_no_pings() {
    let mut options = options();
    options.set_keep_alive(Duration::ZERO);
    let mut session = Session::new(&options, true, CONNACK_BY).unwrap();
    sent_packets(&mut session);
    session.receive(&connack(ConnectReturnCode::Success));
    events(&mut session).unwrap();
    assert_eq!(session.deadline(), None);
}

#[test]
fn outgoing_qos_1_and_2_are_acknowledged() {
    let mut session = connected_session();
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        session
            .request(START, Request::Publish(publish(qos, 0, b"hello")))
            .unwrap();
    }
    session
        .request(START, Request::Unsubscribe(Unsubscribe::new("topic")))
        .unwrap();
    assert_eq!(sent_packets(&mut session).len(), 3);
    session.receive(&encoded(|bytes| PubAck::new(1).write(bytes)));
    session.receive(&encoded(|bytes| PubRec::new(2).write(bytes)));
    session.receive(&encoded(|bytes| UnsubAck::new(3).write(bytes)));
    assert_eq!(events(&mut session).unwrap().len(), 7);
    assert_eq!(sent_packets(&mut session), [Packet::PubRel(PubRel::new(2))]);
    assert_eq!(
        session.deadline(),
        Some(after(10)),
        "the broker must send PUBCOMP"
    );
    session.receive(&encoded(|bytes| PubComp::new(2).write(bytes)));
    events(&mut session).unwrap();
    session.wake(after(10)).unwrap();
}

#[test]
fn missing_acknowledgements_time_out() {
    let mut session = connected_session();
    session.request(START, subscribe()).unwrap();
    session.wake(after(9)).unwrap();
    assert_eq!(session.wake(after(10)), Err(ConnectionError::AckTimeout));
}

#[test]
fn incoming_qos_1_and_2_are_acknowledged_and_delivered_once() {
    let mut session = connected_session();
    session.receive(&encoded(|bytes| {
        publish(QoS::AtLeastOnce, 7, b"one").write(bytes)
    }));
    for _ in 0..2 {
        session.receive(&encoded(|bytes| {
            publish(QoS::ExactlyOnce, 8, b"two").write(bytes)
        }));
    }
    let reported = events(&mut session).unwrap();
    let messages = reported
        .iter()
        .filter(|event| matches!(event, Event::Incoming(Packet::Publish(_))))
        .count();
    assert_eq!(messages, 2, "a duplicate with QoS 2 is delivered once");
    assert_eq!(skipped(&reported), [SkipReason::Repeated]);
    let rec = Packet::PubRec(PubRec::new(8));
    assert_eq!(
        sent_packets(&mut session),
        [Packet::PubAck(PubAck::new(7)), rec.clone(), rec]
    );
    session.receive(&encoded(|bytes| PubRel::new(8).write(bytes)));
    session.receive(&encoded(|bytes| {
        publish(QoS::ExactlyOnce, 8, b"three").write(bytes)
    }));
    events(&mut session).unwrap();
    assert_eq!(
        sent_packets(&mut session),
        [
            Packet::PubComp(PubComp::new(8)),
            Packet::PubRec(PubRec::new(8))
        ]
    );
}

#[test]
fn requests_in_flight_are_bounded_and_have_distinct_identifiers() {
    let mut options = options();
    options.set_inflight(2);
    let mut session = Session::new(&options, true, CONNACK_BY).unwrap();
    session.receive(&connack(ConnectReturnCode::Success));
    events(&mut session).unwrap();
    session.request(START, subscribe()).unwrap();
    for id in (2..=65_535).chain([2, 3]) {
        assert!(session.accepts_requests());
        session
            .request(START, Request::Publish(publish(QoS::AtLeastOnce, 0, b"")))
            .unwrap();
        assert!(!session.accepts_requests());
        session.receive(&encoded(|bytes| PubAck::new(id).write(bytes)));
        events(&mut session).unwrap();
        sent_packets(&mut session);
    }
}

#[test]
fn disconnect_is_the_last_packet() {
    let mut session = connected_session();
    session.request(START, Request::Disconnect).unwrap();
    assert!(session.is_disconnected() && !session.accepts_requests());
    assert_eq!(sent_packets(&mut session), [Packet::Disconnect]);
}

#[test]
fn packets_that_only_a_broker_can_spoil_end_the_session() {
    let cases: [(&[u8], ConnectionError); 8] = [
        (
            &[0x90, 0xE9, 0x07],
            ConnectionError::TooLarge {
                size: 1_001,
                limit: 1_000,
            },
        ),
        (
            &[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1],
            ConnectionError::Malformed(mqttbytes::Error::MalformedRemainingLength),
        ),
        (
            &[0x62, 1, 0],
            ConnectionError::Malformed(mqttbytes::Error::MalformedPacket),
        ),
        (&[0x36, 5, 0, 1, b't', 0, 1], ConnectionError::Unexpected),
        (&[0x40, 2, 0, 1], ConnectionError::Unexpected),
        (&[0x90, 3, 0, 1, 0], ConnectionError::Unexpected),
        (&[0xE0, 0], ConnectionError::Unexpected),
        (&[0x20, 2, 0, 0], ConnectionError::Unexpected),
    ];
    for (bytes, error) in cases {
        assert_eq!(
            error_after(connected_session(), bytes),
            error,
            "{bytes:02x?}"
        );
    }
    let mut session = connected_session();
    session.request(START, subscribe()).unwrap();
    let two_codes =
        encoded(|bytes| SubAck::new(1, vec![SubscribeReasonCode::Failure; 2]).write(bytes));
    assert_eq!(
        error_after(session, &two_codes),
        ConnectionError::Malformed(mqttbytes::Error::MalformedPacket)
    );
}

/// Receives `bytes`, then a valid message, and returns the reasons why messages were skipped before it.
fn skip_reasons_before_sound_message(session: &mut Session, bytes: &[u8]) -> Vec<SkipReason> {
    session.receive(bytes);
    session.receive(&sound_publish());
    let events = events(session).unwrap();
    assert_eq!(payloads(&events), [b"sound"], "{bytes:02x?}");
    skipped(&events)
}

#[test]
fn malformed_publish_packets_are_skipped() {
    let cases: [&[u8]; 10] = [
        &[0x30, 0],                         // no body
        &[0x30, 1, 0],                      // half a topic length
        &[0x30, 2, 0, 0],                   // an empty topic
        &[0x30, 3, 0, 9, b't'],             // a topic that is longer than the packet
        &[0x30, 3, 0, 1, b'#'],             // wildcards
        &[0x30, 5, 0, 3, b'a', b'/', b'+'], //
        &[0x30, 3, 0, 1, 0],                // a zero
        &[0x30, 3, 0, 1, 0xFF],             // invalid UTF-8
        &[0x32, 3, 0, 1, b't'],             // no packet identifier
        &[0x32, 5, 0, 1, b't', 0, 0],       // packet identifier zero
    ];
    let mut session = connected_session();
    for bytes in cases {
        assert_eq!(
            skip_reasons_before_sound_message(&mut session, bytes),
            [SkipReason::Malformed],
            "{bytes:02x?}"
        );
    }
    assert_eq!(sent_packets(&mut session), []);
}

#[test]
fn unusual_publish_packets_are_delivered() {
    let mut session = connected_session();
    for (bytes, payload) in [
        (raw_publish(0, b"\0\x01t"), &b""[..]),       // no payload
        (raw_publish(0b1000, b"\0\x01tdup"), b"dup"), // DUP with QoS 0
        (raw_publish(0b0010, b"\0\x01t\0\x07qos1"), b"qos1"), // a QoS that was not asked for
        (raw_publish(0b1100, b"\0\x01t\0\x07qos2"), b"qos2"),
    ] {
        session.receive(&bytes);
        assert_eq!(payloads(&events(&mut session).unwrap()), [payload]);
    }
}

#[test]
fn retained_messages_are_skipped() {
    let mut session = connected_session();
    let mut retained = publish(QoS::AtMostOnce, 0, b"old");
    retained.retain = true;
    let bytes = encoded(|bytes| retained.write(bytes));
    assert_eq!(
        skip_reasons_before_sound_message(&mut session, &bytes),
        [SkipReason::Retained]
    );
    assert_eq!(sent_packets(&mut session), []);

    retained.qos = QoS::AtLeastOnce;
    retained.pkid = 7;
    let bytes = encoded(|bytes| retained.write(bytes));
    assert_eq!(
        skip_reasons_before_sound_message(&mut session, &bytes),
        [SkipReason::Retained]
    );
    assert_eq!(
        sent_packets(&mut session),
        [Packet::PubAck(PubAck::new(7))],
        "otherwise the broker would keep it in flight"
    );
}

#[test]
fn publish_packets_above_the_limit_are_skipped() {
    let mut session = connected_session();
    let largest = raw_publish(0, &[b"\0\x01t", &[7; 997][..]].concat());
    session.receive(&largest);
    assert_eq!(payloads(&events(&mut session).unwrap()), [[7; 997]]);
    for size in [1_001, 70_000, 3_000_000] {
        assert_eq!(
            skip_reasons_before_sound_message(
                &mut session,
                &raw_publish(0b1101, &vec![0x30; size])
            ),
            [SkipReason::TooLarge]
        );
    }
}

/// The largest packet that MQTT can express, in chunks.
#[test]
fn packets_above_the_limit_are_skipped_across_received_chunks() {
    let mut session = connected_session();
    session.receive(&[0x31, 0xFF, 0xFF]);
    assert_eq!(events(&mut session), Ok(vec![]));
    session.receive(&[0xFF, 0x7F]);
    assert_eq!(
        skipped(&events(&mut session).unwrap()),
        [SkipReason::TooLarge]
    );
    let chunk = vec![0x20; 1 << 20];
    let mut left = 268_435_455;
    while left > 0 {
        let part = left.min(chunk.len());
        session.receive(&chunk[..part]);
        assert_eq!(events(&mut session), Ok(vec![]));
        left -= part;
    }
    assert_eq!(skip_reasons_before_sound_message(&mut session, &[]), []);
}

#[test]
fn unreleased_messages_are_bounded() {
    let mut session = connected_session();
    for id in 1..=1_500 {
        session.receive(&encoded(|bytes| {
            publish(QoS::ExactlyOnce, id, b"").write(bytes)
        }));
        let events = events(&mut session).unwrap();
        let answered = sent_packets(&mut session).len();
        if id <= 1_000 {
            assert_eq!((payloads(&events).len(), answered), (1, 1));
        } else {
            assert_eq!(skipped(&events), [SkipReason::TooManyUnreleased]);
            assert_eq!(answered, 0, "it is not acknowledged");
        }
    }
}

#[test]
fn every_packet_is_reported_so_that_the_caller_can_pause() {
    let mut session = connected_session();
    let unsolicited = encoded(|bytes| PingResp.write(bytes));
    let reasons = skip_reasons_before_sound_message(&mut session, &unsolicited.repeat(3));
    assert_eq!(reasons, [SkipReason::Unsolicited; 3]);
}
