//! Sessions under test, and the packets that a broker sends to them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rtchat::mqtt::{
    ConnAck, ConnectReturnCode, ConnectionError, Event, MqttOptions, Packet, Publish, QoS, Request,
    Session, SkipReason, SubAck, Subscribe, SubscribeReasonCode,
};
use rtchat::time::Millis;

pub const START: Millis = Millis(1_000_000);
pub const CONNACK_BY: Millis = Millis(1_004_000);

pub fn after(seconds: u64) -> Millis {
    START + Duration::from_secs(seconds)
}

pub fn options() -> MqttOptions {
    let mut options = MqttOptions::new("me", "ws://broker");
    options
        .set_keep_alive(Duration::from_secs(50))
        .set_max_packet_size(1_000, 1_000);
    options
}

pub fn session(early_requests: bool) -> Session {
    Session::new(&options(), early_requests, CONNACK_BY).unwrap()
}

pub fn connected_session() -> Session {
    let mut session = session(true);
    sent_packets(&mut session);
    session.receive(&connack(ConnectReturnCode::Success));
    assert!(matches!(
        session.next_event(START),
        Ok(Some(Event::Incoming(Packet::ConnAck(_))))
    ));
    session
}

pub fn encoded(write: impl FnOnce(&mut BytesMut) -> Result<usize, mqttbytes::Error>) -> Bytes {
    let mut bytes = BytesMut::new();
    write(&mut bytes).unwrap();
    bytes.freeze()
}

pub fn connack(code: ConnectReturnCode) -> Bytes {
    encoded(|bytes| {
        ConnAck {
            session_present: false,
            code,
        }
        .write(bytes)
    })
}

pub fn publish(qos: QoS, id: u16, payload: &[u8]) -> Publish {
    let mut publish = Publish::new("topic", qos, payload);
    publish.pkid = id;
    publish
}

/// The packets that the session sends now.
pub fn sent_packets(session: &mut Session) -> Vec<Packet> {
    let mut stream = BytesMut::from(&session.take_output(START).unwrap_or_default()[..]);
    let mut packets = Vec::new();
    while !stream.is_empty() {
        packets.push(mqttbytes::v4::read(&mut stream, 10_000).unwrap());
    }
    packets
}

pub fn events(session: &mut Session) -> Result<Vec<Event>, ConnectionError> {
    let mut events = Vec::new();
    while let Some(event) = session.next_event(START)? {
        events.push(event);
    }
    Ok(events)
}

pub fn error_after(mut session: Session, bytes: &[u8]) -> ConnectionError {
    session.receive(bytes);
    events(&mut session).unwrap_err()
}

pub fn subscribe() -> Request {
    Request::Subscribe(Subscribe::new("topic", QoS::AtMostOnce))
}

pub fn suback(id: u16, code: SubscribeReasonCode) -> Bytes {
    encoded(|bytes| SubAck::new(id, vec![code]).write(bytes))
}

/// A PUBLISH packet with these flags and this body, whose fixed header is valid.
pub fn raw_publish(flags: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x30 | flags];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest % 128).unwrap();
        rest /= 128;
        packet.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

pub fn sound_publish() -> Bytes {
    encoded(|bytes| publish(QoS::AtMostOnce, 0, b"sound").write(bytes))
}

pub fn skipped(events: &[Event]) -> Vec<SkipReason> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Skipped(reason) => Some(*reason),
            _ => None,
        })
        .collect()
}

pub fn payloads(events: &[Event]) -> Vec<Vec<u8>> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Incoming(Packet::Publish(publish)) => Some(publish.payload.to_vec()),
            _ => None,
        })
        .collect()
}
