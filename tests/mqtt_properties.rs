//! Properties that hold for any bytes that a broker may send.
#![cfg(not(target_arch = "wasm32"))]

mod mqtt_support;

use bytes::BytesMut;
use mqtt_support::protocol::*;
use proptest::prelude::*;
use rtchat::mqtt::{ConnectReturnCode, Event, Packet, Publish, QoS, Request};

fn qos() -> impl Strategy<Value = QoS> {
    prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ]
}

fn message() -> impl Strategy<Value = Publish> {
    (
        qos(),
        1u16..,
        "[a-zé/]{1,20}",
        prop::collection::vec(any::<u8>(), 0..300),
        any::<bool>(),
    )
        .prop_map(|(qos, id, topic, payload, retain)| {
            let mut publish = Publish::new(topic, qos, payload);
            publish.pkid = if qos == QoS::AtMostOnce { 0 } else { id };
            publish.retain = retain;
            publish
        })
}

proptest! {
    /// The decoded messages are those that were encoded, however the bytes are split into chunks.
    #[test]
    fn chunk_boundaries_do_not_matter(
        messages in prop::collection::vec(message(), 0..10),
        cuts in prop::collection::vec(1usize..50, 1..100),
    ) {
        let mut stream = BytesMut::from(&connack(ConnectReturnCode::Success)[..]);
        for message in &messages {
            message.write(&mut stream).unwrap();
        }
        let mut session = session(true);
        let mut reported = Vec::new();
        let mut rest = stream.freeze();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            session.receive(&rest.split_to((*cut).min(rest.len())));
            reported.extend(events(&mut session).unwrap());
        }
        let mut seen = std::collections::BTreeSet::new();
        let wanted: Vec<Publish> = messages
            .into_iter()
            .filter(|message| message.qos != QoS::ExactlyOnce || seen.insert(message.pkid))
            .filter(|message| !message.retain)
            .collect();
        let received: Vec<Publish> = reported
            .into_iter()
            .filter_map(|event| match event {
                Event::Incoming(Packet::Publish(publish)) => Some(publish),
                _ => None,
            })
            .collect();
        prop_assert_eq!(received, wanted);
    }

    /// A broker decodes the packet that was requested.
    #[test]
    fn requests_can_be_decoded(message in message()) {
        let mut session = connected_session();
        session.request(START, Request::Publish(message.clone())).unwrap();
        let mut wanted = message;
        wanted.pkid = u16::from(wanted.qos != QoS::AtMostOnce);
        prop_assert_eq!(sent_packets(&mut session), [Packet::Publish(wanted)]);
    }

    /// Random bytes lead to an error or to events, and never to a panic.
    #[test]
    fn random_bytes_do_not_panic(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..32), connected: bool) {
        let mut session = if connected { connected_session() } else { session(true) };
        session.request(START, subscribe()).unwrap();
        for chunk in chunks {
            session.receive(&chunk);
            if events(&mut session).is_err() {
                break;
            }
            session.take_output(START);
        }
    }

    /// The same holds for packets with a few wrong bytes.
    #[test]
    fn damaged_packets_do_not_panic(messages in prop::collection::vec(message(), 1..5), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut stream = BytesMut::new();
        for message in &messages {
            message.write(&mut stream).unwrap();
        }
        for (index, value) in flips {
            let index = index.index(stream.len());
            stream[index] = value;
        }
        let mut session = connected_session();
        session.receive(&stream);
        let _ = events(&mut session);
    }

    /// A PUBLISH packet with any body is delivered or skipped, and all packets after it are processed.
    #[test]
    fn no_publish_body_ends_the_session(
        packets in prop::collection::vec((0u8..16, prop::collection::vec(any::<u8>(), 0..1_200)), 1..20),
        topics in prop::collection::vec(prop::option::of(0u8..8), 20),
        cuts in prop::collection::vec(1usize..600, 1..100),
    ) {
        let mut session = connected_session();
        let mut stream = BytesMut::new();
        let mut count = 0;
        for ((flags, mut body), topic) in packets.into_iter().zip(topics) {
            // QoS 3 does not exist, so it would make the fixed header malformed.
            if flags & 0b0110 == 0b0110 {
                continue;
            }
            // Some of the topics fit into the packet.
            if let (Some(length), [high, low, ..]) = (topic, &mut body[..]) {
                (*high, *low) = (0, length);
            }
            stream.extend_from_slice(&raw_publish(flags, &body));
            stream.extend_from_slice(&sound_publish());
            count += 1;
        }
        let mut reported = Vec::new();
        let mut rest = stream.freeze();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            session.receive(&rest.split_to((*cut).min(rest.len())));
            reported.extend(events(&mut session).unwrap());
        }
        let sound = payloads(&reported).into_iter().filter(|payload| payload == b"sound").count();
        prop_assert!(sound >= count, "{sound} of {count}");
    }
}
