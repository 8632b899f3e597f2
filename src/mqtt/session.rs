//! One connection's protocol, without the connection: bytes and time in, bytes and events out.

use core::time::Duration;
use std::collections::VecDeque;

use litemap::LiteMap;

use bytes::{Bytes, BytesMut};
use mqttbytes::v4::{
    ConnectReturnCode, Disconnect, Packet, PingReq, PubAck, PubComp, PubRec, PubRel, Publish,
    SubscribeReasonCode,
};
use mqttbytes::{Error, QoS};

use super::error::ConnectionError;
use super::options::MqttOptions;
use super::requests::{Request, is_topic};
use super::{Event, Outgoing};
use crate::time::{Millis, Timers};

/// How long the broker may take to answer PINGREQ.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the broker may take to acknowledge a request.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// How many messages with QoS 2 may be between receipt and release at once.
const MAX_RECEIVED: usize = 1_000;

/// The state of one connection to a broker, from CONNECT on.
///
/// It touches nothing outside: bytes that came in go to [`receive`](Session::receive), bytes to be sent come from
/// [`take_output`](Session::take_output), and [`wake`](Session::wake) is called when [`deadline`](Session::deadline) has
/// come. After an error the session is of no more use.
///
/// QoS 0, 1 and 2 work in both directions (MQTT 3.1.1 section 4.3). Nothing survives the session: what was not acknowledged
/// when it ends is not sent again by the next one.
#[derive(Debug)]
pub struct Session {
    connected: bool,
    disconnected: bool,
    one_flight: bool,
    /// Something was sent between CONNECT and CONNACK.
    flight_sent: bool,
    subscribed: bool,
    incoming: BytesMut,
    outgoing: BytesMut,
    /// What was sent and not yet told. Told after CONNACK, so that every connection begins with it.
    sent: VecDeque<Outgoing>,
    /// Requests that wait for the broker, by packet identifier.
    inflight: LiteMap<u16, Awaiting>,
    /// Messages with QoS 2 that came in and were not released yet, by packet identifier.
    received: LiteMap<u16, ()>,
    last_id: u16,
    max_inflight: usize,
    max_packet_size: usize,
    keep_alive: Duration,
    timers: Timers<Timer>,
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaiting {
    PubAck,
    PubRec,
    PubComp,
    SubAck { filters: usize, in_flight: bool },
    UnsubAck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    ConnAck,
    KeepAlive,
    PingResp,
    Ack(u16),
}

impl Session {
    /// A session whose connection has just been opened: CONNECT is its first output.
    ///
    /// With `one_flight`, requests leave without waiting for CONNACK. CONNACK must have come by `connack_by`.
    ///
    /// # Errors
    /// The options cannot be said in MQTT.
    pub fn new(
        options: &MqttOptions,
        one_flight: bool,
        connack_by: Millis,
    ) -> Result<Session, ConnectionError> {
        let connect = options.connect().map_err(ConnectionError::InvalidOptions)?;
        // mqttbytes writes CONNECT right only into an empty buffer.
        let mut outgoing = BytesMut::new();
        connect
            .write(&mut outgoing)
            .map_err(ConnectionError::Unwritable)?;
        let mut timers = Timers::default();
        timers.set(Timer::ConnAck, connack_by);
        Ok(Session {
            connected: false,
            disconnected: false,
            one_flight,
            flight_sent: false,
            subscribed: false,
            incoming: BytesMut::new(),
            outgoing,
            sent: VecDeque::new(),
            inflight: LiteMap::new(),
            received: LiteMap::new(),
            last_id: 0,
            max_inflight: usize::from(options.inflight()),
            max_packet_size: options.max_packet_size(),
            keep_alive: options.keep_alive(),
            timers,
        })
    }

    /// Whether the broker has accepted the connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether the farewell has been said: nothing is to be sent after the output, and the connection is to be closed.
    pub fn is_disconnected(&self) -> bool {
        self.disconnected
    }

    /// Whether the broker has acknowledged a subscription.
    pub fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// Whether a request would be taken now.
    pub fn takes_requests(&self) -> bool {
        (self.connected || self.one_flight)
            && !self.disconnected
            && self.inflight.len() < self.max_inflight
    }

    /// Whether `error` may come from having sent more than CONNECT before CONNACK, so that the slow way is worth a try.
    pub fn suspects_flight(&self, error: &ConnectionError) -> bool {
        let in_flight = |awaiting: &Awaiting| {
            matches!(
                awaiting,
                Awaiting::SubAck {
                    in_flight: true,
                    ..
                }
            )
        };
        self.flight_sent
            && match error {
                ConnectionError::Transport(_) => !self.connected,
                ConnectionError::FlightRefused => true,
                ConnectionError::AckTimeout => self.inflight.values().any(in_flight),
                _ => false,
            }
    }

    /// Carries out `request`. Ask [`takes_requests`](Session::takes_requests) first.
    ///
    /// # Errors
    /// The packet cannot be written.
    pub fn request(&mut self, now: Millis, request: Request) -> Result<(), ConnectionError> {
        let out = &mut self.outgoing;
        let (sent, written) = match request {
            Request::Publish(mut publish) => {
                publish.pkid = match publish.qos {
                    QoS::AtMostOnce => 0,
                    QoS::AtLeastOnce => {
                        await_ack(&mut self.inflight, &mut self.last_id, Awaiting::PubAck)
                    }
                    QoS::ExactlyOnce => {
                        await_ack(&mut self.inflight, &mut self.last_id, Awaiting::PubRec)
                    }
                };
                (Outgoing::Publish(publish.pkid), publish.write(out))
            }
            Request::Subscribe(mut subscribe) => {
                let awaiting = Awaiting::SubAck {
                    filters: subscribe.filters.len(),
                    in_flight: !self.connected,
                };
                subscribe.pkid = await_ack(&mut self.inflight, &mut self.last_id, awaiting);
                (Outgoing::Subscribe(subscribe.pkid), subscribe.write(out))
            }
            Request::Unsubscribe(mut unsubscribe) => {
                unsubscribe.pkid =
                    await_ack(&mut self.inflight, &mut self.last_id, Awaiting::UnsubAck);
                (
                    Outgoing::Unsubscribe(unsubscribe.pkid),
                    unsubscribe.write(out),
                )
            }
            Request::Disconnect => {
                self.disconnected = true;
                (Outgoing::Disconnect, Disconnect.write(out))
            }
        };
        written.map_err(ConnectionError::Unwritable)?;
        if let Outgoing::Publish(id) | Outgoing::Subscribe(id) | Outgoing::Unsubscribe(id) = sent
            && id != 0
        {
            self.timers.set(Timer::Ack(id), now + ACK_TIMEOUT);
        }
        self.flight_sent |= !self.connected;
        self.sent.push_back(sent);
        Ok(())
    }

    /// Asks the broker for a sign of life now, unless it has been asked already.
    pub fn ping(&mut self, now: Millis) -> Result<(), ConnectionError> {
        if !self.connected || self.disconnected || self.timers.get(&Timer::PingResp).is_some() {
            return Ok(());
        }
        PingReq
            .write(&mut self.outgoing)
            .map_err(ConnectionError::Unwritable)?;
        self.sent.push_back(Outgoing::PingReq);
        self.timers.set(Timer::PingResp, now + PING_TIMEOUT);
        Ok(())
    }

    /// Takes in bytes as they came, cut anywhere. They are looked at by [`next_event`](Session::next_event).
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The next event from what came in and what was sent; `None` when there is nothing more.
    ///
    /// Packets are read one at a time, so what a broker sends takes no more memory than its bytes. Answers go to the output.
    ///
    /// # Errors
    /// The broker broke the protocol or a limit, or refused the connection.
    pub fn next_event(&mut self, now: Millis) -> Result<Option<Event>, ConnectionError> {
        loop {
            if self.connected
                && let Some(sent) = self.sent.pop_front()
            {
                return Ok(Some(Event::Outgoing(sent)));
            }
            let Some(packet) = self.read_packet()? else {
                return Ok(None);
            };
            if let Some(packet) = self.handle(now, packet)? {
                return Ok(Some(Event::Incoming(packet)));
            }
        }
    }

    /// What is to be sent, all of it.
    pub fn take_output(&mut self, now: Millis) -> Option<Bytes> {
        if self.outgoing.is_empty() {
            return None;
        }
        if self.connected {
            self.restart_keep_alive(now);
        }
        Some(self.outgoing.split().freeze())
    }

    /// When [`wake`](Session::wake) is to be called.
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.next().map(|(_, at)| at)
    }

    /// Does what is due at `now`. Take in first what has come in already.
    ///
    /// # Errors
    /// The broker has been silent for too long.
    pub fn wake(&mut self, now: Millis) -> Result<(), ConnectionError> {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::ConnAck => return Err(ConnectionError::ConnectTimeout),
                Timer::PingResp => return Err(ConnectionError::PingTimeout),
                Timer::Ack(_) => return Err(ConnectionError::AckTimeout),
                Timer::KeepAlive => {
                    self.ping(now)?;
                    self.restart_keep_alive(now);
                }
            }
        }
        Ok(())
    }

    fn restart_keep_alive(&mut self, now: Millis) {
        if !self.keep_alive.is_zero() {
            self.timers.set(Timer::KeepAlive, now + self.keep_alive);
        }
    }

    fn read_packet(&mut self) -> Result<Option<Packet>, ConnectionError> {
        let Some(first) = self.incoming.first() else {
            return Ok(None);
        };
        if !may_come_from_broker(*first) {
            return Err(ConnectionError::Unexpected);
        }
        match mqttbytes::v4::read(&mut self.incoming, self.max_packet_size) {
            Ok(packet) => Ok(Some(packet)),
            Err(Error::InsufficientBytes(_)) => Ok(None),
            Err(Error::PayloadSizeLimitExceeded(size)) => Err(ConnectionError::TooLarge {
                size,
                limit: self.max_packet_size,
            }),
            Err(error) => Err(ConnectionError::Malformed(error)),
        }
    }

    /// Does what `packet` asks for, and returns it if it is to be told.
    fn handle(&mut self, now: Millis, packet: Packet) -> Result<Option<Packet>, ConnectionError> {
        if !self.connected {
            return self.handle_connack(now, packet);
        }
        match &packet {
            Packet::Publish(publish) => {
                if !self.handle_publish(publish)? {
                    return Ok(None);
                }
            }
            Packet::PubAck(PubAck { pkid }) => self.acknowledge(*pkid, Awaiting::PubAck)?,
            Packet::PubRec(PubRec { pkid }) => {
                self.acknowledge(*pkid, Awaiting::PubRec)?;
                self.inflight.insert(*pkid, Awaiting::PubComp);
                self.timers.set(Timer::Ack(*pkid), now + ACK_TIMEOUT);
                self.answer(Outgoing::PubRel(*pkid))?;
            }
            Packet::PubComp(PubComp { pkid }) => self.acknowledge(*pkid, Awaiting::PubComp)?,
            Packet::PubRel(PubRel { pkid }) => {
                // An unknown one is answered too: the broker may have missed the answer (MQTT 3.1.1 section 4.3.3).
                self.received.remove(pkid);
                self.answer(Outgoing::PubComp(*pkid))?;
            }
            Packet::SubAck(suback) => self.handle_suback(suback.pkid, &suback.return_codes)?,
            Packet::UnsubAck(unsuback) => self.acknowledge(unsuback.pkid, Awaiting::UnsubAck)?,
            Packet::PingResp => {
                // One that was not asked for says nothing.
                if self.timers.get(&Timer::PingResp).is_none() {
                    return Ok(None);
                }
                self.timers.clear(&Timer::PingResp);
            }
            _ => return Err(ConnectionError::Unexpected),
        }
        Ok(Some(packet))
    }

    fn handle_connack(
        &mut self,
        now: Millis,
        packet: Packet,
    ) -> Result<Option<Packet>, ConnectionError> {
        let Packet::ConnAck(connack) = &packet else {
            return Err(ConnectionError::NotConnAck);
        };
        if connack.code != ConnectReturnCode::Success {
            return Err(ConnectionError::ConnectionRefused(connack.code));
        }
        self.connected = true;
        self.timers.clear(&Timer::ConnAck);
        self.restart_keep_alive(now);
        Ok(Some(packet))
    }

    /// Answers a message, and says whether it is to be told: one with QoS 2 only once (MQTT 3.1.1 section 4.3.3).
    fn handle_publish(&mut self, publish: &Publish) -> Result<bool, ConnectionError> {
        if !is_topic(&publish.topic) {
            return Err(ConnectionError::Malformed(Error::MalformedPacket));
        }
        let id = publish.pkid;
        match publish.qos {
            QoS::AtMostOnce => Ok(true),
            QoS::AtLeastOnce => {
                self.answer(Outgoing::PubAck(id))?;
                Ok(true)
            }
            QoS::ExactlyOnce => {
                let first = self.received.insert(id, ()).is_none();
                if self.received.len() > MAX_RECEIVED {
                    return Err(ConnectionError::Unexpected);
                }
                self.answer(Outgoing::PubRec(id))?;
                Ok(first)
            }
        }
    }

    fn handle_suback(
        &mut self,
        id: u16,
        codes: &[SubscribeReasonCode],
    ) -> Result<(), ConnectionError> {
        let Some(Awaiting::SubAck { filters, in_flight }) = self.inflight.get(&id).copied() else {
            return Err(ConnectionError::Unexpected);
        };
        if codes.len() != filters {
            return Err(ConnectionError::Malformed(Error::MalformedPacket));
        }
        if in_flight && codes.contains(&SubscribeReasonCode::Failure) {
            return Err(ConnectionError::FlightRefused);
        }
        self.subscribed = true;
        self.acknowledge(id, Awaiting::SubAck { filters, in_flight })
    }

    fn acknowledge(&mut self, id: u16, awaiting: Awaiting) -> Result<(), ConnectionError> {
        if self.inflight.get(&id) != Some(&awaiting) {
            return Err(ConnectionError::Unexpected);
        }
        self.inflight.remove(&id);
        self.timers.clear(&Timer::Ack(id));
        Ok(())
    }

    fn answer(&mut self, answer: Outgoing) -> Result<(), ConnectionError> {
        let out = &mut self.outgoing;
        let written = match answer {
            Outgoing::PubAck(id) => PubAck::new(id).write(out),
            Outgoing::PubRec(id) => PubRec::new(id).write(out),
            Outgoing::PubRel(id) => PubRel::new(id).write(out),
            Outgoing::PubComp(id) => PubComp::new(id).write(out),
            _ => return Ok(()),
        };
        written.map_err(ConnectionError::Unwritable)?;
        self.sent.push_back(answer);
        Ok(())
    }
}

/// Chooses the next free packet identifier: never 0 (MQTT 3.1.1 section 2.3.1). There is always one, since the limit on
/// requests in flight is below their number.
fn await_ack(inflight: &mut LiteMap<u16, Awaiting>, last_id: &mut u16, awaiting: Awaiting) -> u16 {
    loop {
        *last_id = last_id.checked_add(1).unwrap_or(1);
        if !inflight.contains_key(last_id) {
            inflight.insert(*last_id, awaiting);
            return *last_id;
        }
    }
}

/// Whether a packet whose first byte is this may come from a broker: its type, and the flags that belong to it (MQTT 3.1.1
/// sections 2.2.1 and 2.2.2).
fn may_come_from_broker(first: u8) -> bool {
    match first {
        // CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP
        0x20 | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 => true,
        // PUBLISH, of which QoS 3 does not exist
        0x30..=0x3F => first & 0b0110 != 0b0110,
        _ => false,
    }
}
