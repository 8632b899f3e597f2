//! The MQTT protocol on one connection, without I/O: bytes and time in, bytes and events out.

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
use super::packet_reader::{PacketReader, Read};
use super::request_queue::{Request, is_valid_topic};
use super::{Event, Outgoing, SkipReason};
use crate::time::{Millis, Timers};

/// Time limit for the answer to PINGREQ.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// Time limit for the acknowledgement of a request.
pub(super) const ACK_TIMEOUT: Duration = Duration::from_secs(10);

/// At most this many messages with QoS 2 may have been received and not been released.
const MAX_UNRELEASED: usize = 1_000;

/// The state of one connection to a broker, from CONNECT on.
///
/// A session performs no I/O. Its caller passes received bytes to [`receive`](Session::receive), sends the bytes that
/// [`take_output`](Session::take_output) returns, and calls [`wake`](Session::wake) at the time of
/// [`deadline`](Session::deadline). After an error, the session must be dropped.
///
/// QoS 0, 1 and 2 are supported in both directions (MQTT 3.1.1 section 4.3). No state is carried over to the next session:
/// it does not repeat what was not acknowledged in this one.
#[derive(Debug)]
pub struct Session {
    connected: bool,
    disconnected: bool,
    early_requests: bool,
    /// Whether requests were sent between CONNECT and CONNACK.
    early_requests_sent: bool,
    subscribed: bool,
    incoming: PacketReader,
    outgoing: BytesMut,
    /// Sent packets that are not yet reported. They are reported after CONNACK, which is the first event of a connection.
    sent: VecDeque<Outgoing>,
    /// Requests that are not yet acknowledged, by packet identifier.
    inflight: LiteMap<u16, Awaiting>,
    /// Received messages with QoS 2 that the broker has not released, by packet identifier.
    unreleased: LiteMap<u16, ()>,
    last_id: u16,
    max_inflight: usize,
    keep_alive: Duration,
    timers: Timers<Timer>,
}

/// The packet that a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaiting {
    PubAck,
    PubRec,
    PubComp,
    SubAck { filters: usize, sent_early: bool },
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
    /// A session on a connection that was just opened. CONNECT is its first output.
    ///
    /// With `early_requests`, requests are sent without waiting for CONNACK. CONNACK must be received before `connack_by`.
    ///
    /// # Errors
    /// The options cannot be expressed in MQTT.
    pub fn new(
        options: &MqttOptions,
        early_requests: bool,
        connack_by: Millis,
    ) -> Result<Session, ConnectionError> {
        let connect = options.connect().map_err(ConnectionError::InvalidOptions)?;
        // mqttbytes encodes CONNECT correctly only into an empty buffer.
        let mut outgoing = BytesMut::new();
        connect
            .write(&mut outgoing)
            .map_err(ConnectionError::Encoding)?;
        let mut timers = Timers::default();
        timers.set(Timer::ConnAck, connack_by);
        Ok(Session {
            connected: false,
            disconnected: false,
            early_requests,
            early_requests_sent: false,
            subscribed: false,
            incoming: PacketReader::new(options.max_packet_size()),
            outgoing,
            sent: VecDeque::new(),
            inflight: LiteMap::new(),
            unreleased: LiteMap::new(),
            last_id: 0,
            max_inflight: usize::from(options.inflight()),
            keep_alive: options.keep_alive(),
            timers,
        })
    }

    /// Whether the broker has accepted the connection.
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether DISCONNECT is the last packet of the output, after which the connection must be closed.
    pub fn is_disconnected(&self) -> bool {
        self.disconnected
    }

    /// Whether the broker has granted a subscription.
    pub fn is_subscribed(&self) -> bool {
        self.subscribed
    }

    /// Whether [`request`](Session::request) may be called now.
    pub fn accepts_requests(&self) -> bool {
        (self.connected || self.early_requests)
            && !self.disconnected
            && self.inflight.len() < self.max_inflight
    }

    /// Whether `error` may be due to requests that were sent before CONNACK, so that an attempt without them is worthwhile.
    pub fn suspects_early_requests(&self, error: &ConnectionError) -> bool {
        let sent_early = |awaiting: &Awaiting| {
            matches!(
                awaiting,
                Awaiting::SubAck {
                    sent_early: true,
                    ..
                }
            )
        };
        self.early_requests_sent
            && match error {
                ConnectionError::Transport(_) => !self.connected,
                ConnectionError::EarlyRequestsRefused => true,
                ConnectionError::AckTimeout => self.inflight.values().any(sent_early),
                _ => false,
            }
    }

    /// Carries out `request`. Call it only if [`accepts_requests`](Session::accepts_requests).
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn request(&mut self, now: Millis, request: Request) -> Result<(), ConnectionError> {
        let out = &mut self.outgoing;
        let (sent, written) = match request {
            Request::Publish(mut publish) => {
                publish.pkid = match publish.qos {
                    QoS::AtMostOnce => 0,
                    QoS::AtLeastOnce => {
                        allocate_packet_id(&mut self.inflight, &mut self.last_id, Awaiting::PubAck)
                    }
                    QoS::ExactlyOnce => {
                        allocate_packet_id(&mut self.inflight, &mut self.last_id, Awaiting::PubRec)
                    }
                };
                (Outgoing::Publish(publish.pkid), publish.write(out))
            }
            Request::Subscribe(mut subscribe) => {
                let awaiting = Awaiting::SubAck {
                    filters: subscribe.filters.len(),
                    sent_early: !self.connected,
                };
                subscribe.pkid =
                    allocate_packet_id(&mut self.inflight, &mut self.last_id, awaiting);
                (Outgoing::Subscribe(subscribe.pkid), subscribe.write(out))
            }
            Request::Unsubscribe(mut unsubscribe) => {
                unsubscribe.pkid =
                    allocate_packet_id(&mut self.inflight, &mut self.last_id, Awaiting::UnsubAck);
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
        written.map_err(ConnectionError::Encoding)?;
        if let Outgoing::Publish(id) | Outgoing::Subscribe(id) | Outgoing::Unsubscribe(id) = sent
            && id != 0
        {
            self.timers.set(Timer::Ack(id), now + ACK_TIMEOUT);
        }
        self.early_requests_sent |= !self.connected;
        self.sent.push_back(sent);
        Ok(())
    }

    /// Sends PINGREQ now, unless the answer to one is outstanding.
    ///
    /// # Errors
    /// The packet cannot be encoded.
    pub fn ping(&mut self, now: Millis) -> Result<(), ConnectionError> {
        if !self.connected || self.disconnected || self.timers.get(&Timer::PingResp).is_some() {
            return Ok(());
        }
        PingReq
            .write(&mut self.outgoing)
            .map_err(ConnectionError::Encoding)?;
        self.sent.push_back(Outgoing::PingReq);
        self.timers.set(Timer::PingResp, now + PING_TIMEOUT);
        Ok(())
    }

    /// Takes in bytes as they arrive, in chunks of any size. They are read by [`next_event`](Session::next_event).
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.receive(bytes);
    }

    /// The next event, or `None` until more bytes are received or requests are made.
    ///
    /// Packets are decoded one at a time, so they take no more memory than their bytes. Each of them is reported, so that
    /// the caller can pause however many there are. Answers are added to the output.
    /// A PUBLISH packet that cannot be delivered is an [`Event::Skipped`], and never an error.
    ///
    /// # Errors
    /// The broker broke the protocol or a limit in a way that only the broker itself can, or refused the connection.
    pub fn next_event(&mut self, now: Millis) -> Result<Option<Event>, ConnectionError> {
        if self.connected
            && let Some(sent) = self.sent.pop_front()
        {
            return Ok(Some(Event::Outgoing(sent)));
        }
        match self.incoming.next()? {
            None => Ok(None),
            Some(Read::Packet(packet)) => self.handle(now, packet).map(Some),
            Some(Read::Skipped(_)) if !self.connected => Err(ConnectionError::NotConnAck),
            Some(Read::Skipped(reason)) => Ok(Some(Event::Skipped(reason))),
        }
    }

    /// Whether there are bytes to be sent.
    pub fn has_output(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Takes all bytes that are to be sent.
    pub fn take_output(&mut self, now: Millis) -> Option<Bytes> {
        if self.outgoing.is_empty() {
            return None;
        }
        if self.connected {
            self.restart_keep_alive(now);
        }
        Some(self.outgoing.split().freeze())
    }

    /// When to call [`wake`](Session::wake).
    pub fn deadline(&self) -> Option<Millis> {
        self.timers.next().map(|(_, at)| at)
    }

    /// Handles timers that are due at `now`. Call [`receive`](Session::receive) first with all bytes that have arrived.
    ///
    /// # Errors
    /// The broker did not answer in time.
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

    /// Handles `packet`, and returns the event to report.
    fn handle(&mut self, now: Millis, packet: Packet) -> Result<Event, ConnectionError> {
        if !self.connected {
            return self.handle_connack(now, packet);
        }
        match &packet {
            Packet::Publish(publish) => {
                if let Some(reason) = self.handle_publish(publish)? {
                    return Ok(Event::Skipped(reason));
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
                // PUBREL for an unknown message is answered as well, since the previous answer may have been lost (MQTT 3.1.1
                // section 4.3.3).
                self.unreleased.remove(pkid);
                self.answer(Outgoing::PubComp(*pkid))?;
            }
            Packet::SubAck(suback) => self.handle_suback(suback.pkid, &suback.return_codes)?,
            Packet::UnsubAck(unsuback) => self.acknowledge(unsuback.pkid, Awaiting::UnsubAck)?,
            Packet::PingResp => {
                if self.timers.get(&Timer::PingResp).is_none() {
                    return Ok(Event::Skipped(SkipReason::Unsolicited));
                }
                self.timers.clear(&Timer::PingResp);
            }
            _ => return Err(ConnectionError::Unexpected),
        }
        Ok(Event::Incoming(packet))
    }

    fn handle_connack(&mut self, now: Millis, packet: Packet) -> Result<Event, ConnectionError> {
        let Packet::ConnAck(connack) = &packet else {
            return Err(ConnectionError::NotConnAck);
        };
        if connack.code != ConnectReturnCode::Success {
            return Err(ConnectionError::ConnectionRefused(connack.code));
        }
        self.connected = true;
        self.timers.clear(&Timer::ConnAck);
        self.restart_keep_alive(now);
        Ok(Event::Incoming(packet))
    }

    /// Acknowledges a message. Returns the reason if it is not delivered.
    ///
    /// Skipped messages are acknowledged as well. Otherwise they would exhaust the number of messages that a broker keeps in
    /// flight.
    fn handle_publish(&mut self, publish: &Publish) -> Result<Option<SkipReason>, ConnectionError> {
        let id = publish.pkid;
        let mut duplicate = false;
        match publish.qos {
            QoS::AtMostOnce => {}
            QoS::AtLeastOnce => self.answer(Outgoing::PubAck(id))?,
            QoS::ExactlyOnce => {
                duplicate = self.unreleased.contains_key(&id);
                if !duplicate && self.unreleased.len() >= MAX_UNRELEASED {
                    // It is not acknowledged, so that a broker with a limit on messages in flight stops sending.
                    return Ok(Some(SkipReason::TooManyUnreleased));
                }
                self.unreleased.insert(id, ());
                self.answer(Outgoing::PubRec(id))?;
            }
        }
        Ok(if duplicate {
            Some(SkipReason::Repeated)
        } else if !is_valid_topic(&publish.topic) {
            Some(SkipReason::Malformed)
        } else if publish.retain {
            Some(SkipReason::Retained)
        } else {
            None
        })
    }

    fn handle_suback(
        &mut self,
        id: u16,
        codes: &[SubscribeReasonCode],
    ) -> Result<(), ConnectionError> {
        let Some(Awaiting::SubAck {
            filters,
            sent_early,
        }) = self.inflight.get(&id).copied()
        else {
            return Err(ConnectionError::Unexpected);
        };
        if codes.len() != filters {
            return Err(ConnectionError::Malformed(Error::MalformedPacket));
        }
        if sent_early && codes.contains(&SubscribeReasonCode::Failure) {
            return Err(ConnectionError::EarlyRequestsRefused);
        }
        self.subscribed |= codes
            .iter()
            .any(|code| matches!(code, SubscribeReasonCode::Success(_)));
        self.acknowledge(
            id,
            Awaiting::SubAck {
                filters,
                sent_early,
            },
        )
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
        written.map_err(ConnectionError::Encoding)?;
        self.sent.push_back(answer);
        Ok(())
    }
}

/// Allocates the next free packet identifier, which is never 0 (MQTT 3.1.1 section 2.3.1). There always is one, since there
/// are more identifiers than requests may be in flight.
fn allocate_packet_id(
    inflight: &mut LiteMap<u16, Awaiting>,
    last_id: &mut u16,
    awaiting: Awaiting,
) -> u16 {
    loop {
        *last_id = last_id.checked_add(1).unwrap_or(1);
        if !inflight.contains_key(last_id) {
            inflight.insert(*last_id, awaiting);
            return *last_id;
        }
    }
}
