//! A simulated network in memory. The test takes the part of every broker: it sees each attempt to connect, and decides
//! what happens to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet, SubAck, SubscribeReasonCode};
use rtchat::mqtt::{Connection, Transport, TransportError};
use rtchat::time::Millis;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::{Boxed, CLOSED, Clock};

/// The outcome of an attempt to connect.
type Opened = Result<SimConnection, TransportError>;

#[derive(Clone)]
pub struct SimTransport {
    clock: Clock,
    attempts: UnboundedSender<ConnectionRequest>,
}

/// Receives the attempts to connect, on behalf of all brokers.
pub struct SimListener {
    attempts: UnboundedReceiver<ConnectionRequest>,
    clock: Clock,
}

/// An attempt to connect that the test has to accept or refuse.
pub struct ConnectionRequest {
    pub url: String,
    pub at: Millis,
    answer: oneshot::Sender<Opened>,
}

pub fn network() -> (SimTransport, SimListener) {
    let (sender, attempts) = mpsc::unbounded_channel();
    let clock = Clock::start();
    (
        SimTransport {
            clock,
            attempts: sender,
        },
        SimListener { attempts, clock },
    )
}

impl SimListener {
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The next attempt to connect to any broker.
    pub async fn next_request(&mut self) -> ConnectionRequest {
        eventually(self.attempts.recv())
            .await
            .expect("the client was dropped")
    }

    /// Accepts the next attempt, which must be made to `url`.
    pub async fn accept(&mut self, url: &str) -> BrokerEnd {
        let request = self.next_request().await;
        assert_eq!(request.url, url);
        request.accept()
    }

    pub fn has_no_requests(&mut self) -> bool {
        self.attempts.try_recv().is_err()
    }
}

impl ConnectionRequest {
    pub fn refuse(self) {
        let _ = self.answer.send(Err(TransportError::Unreachable));
    }

    pub fn accept(self) -> BrokerEnd {
        let (to_client, from_broker) = mpsc::unbounded_channel();
        let (to_broker, from_client) = mpsc::unbounded_channel();
        let congestion = Arc::new(Congestion::default());
        let _ = self.answer.send(Ok(SimConnection {
            from_broker,
            to_broker,
            congestion: Arc::clone(&congestion),
        }));
        BrokerEnd {
            to_client,
            from_client,
            buffer: BytesMut::new(),
            messages: VecDeque::new(),
            congestion,
        }
    }
}

impl Transport for SimTransport {
    type Connection = SimConnection;
    type Connecting = Boxed<Opened>;
    type Sleep = Boxed<()>;

    fn connect(&self, url: &str) -> Boxed<Opened> {
        let (answer, opened) = oneshot::channel();
        let _ = self.attempts.send(ConnectionRequest {
            url: url.to_owned(),
            at: self.clock.now(),
            answer,
        });
        Box::pin(async { opened.await.unwrap_or(Err(TransportError::Unreachable)) })
    }

    fn sleep(&self, duration: Duration) -> Boxed<()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }
}

pub struct SimConnection {
    from_broker: UnboundedReceiver<Bytes>,
    to_broker: UnboundedSender<Bytes>,
    congestion: Arc<Congestion>,
}

/// Whether the client can send.
#[derive(Default)]
struct Congestion {
    congested: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Connection for SimConnection {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.congestion.congested.load(Ordering::SeqCst) {
            *self.congestion.waker.lock().unwrap() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, bytes: Bytes) -> Result<(), TransportError> {
        self.to_broker.send(bytes).map_err(|_| CLOSED)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.from_broker
            .poll_recv(cx)
            .map(|bytes| bytes.ok_or(CLOSED))
    }
}

/// The broker's end of a connection. Dropping it closes the connection.
pub struct BrokerEnd {
    to_client: UnboundedSender<Bytes>,
    from_client: UnboundedReceiver<Bytes>,
    buffer: BytesMut,
    messages: VecDeque<Packet>,
    congestion: Arc<Congestion>,
}

impl BrokerEnd {
    /// All packets of the next WebSocket message, or `None` after the client has closed the connection.
    pub async fn message(&mut self) -> Option<Vec<Packet>> {
        let bytes = eventually(self.from_client.recv()).await?;
        Some(parse(&bytes))
    }

    /// The next packet, or `None` after the client has closed the connection.
    pub async fn packet(&mut self) -> Option<Packet> {
        if self.messages.is_empty() {
            self.messages = self.message().await?.into();
        }
        self.messages.pop_front()
    }

    /// The next packet, if it has already arrived.
    pub fn try_packet(&mut self) -> Option<Packet> {
        if self.messages.is_empty() {
            self.messages = parse(&self.from_client.try_recv().ok()?).into();
        }
        self.messages.pop_front()
    }

    /// Sets whether the client is prevented from sending.
    pub fn congest(&self, congested: bool) {
        self.congestion.congested.store(congested, Ordering::SeqCst);
        if let Some(waker) = self.congestion.waker.lock().unwrap().take() {
            waker.wake();
        }
    }

    pub fn send(&self, bytes: &[u8]) {
        let _ = self.to_client.send(Bytes::copy_from_slice(bytes));
    }

    pub fn connack(&self, code: ConnectReturnCode) {
        let mut bytes = BytesMut::new();
        ConnAck {
            session_present: false,
            code,
        }
        .write(&mut bytes)
        .unwrap();
        self.send(&bytes);
    }

    pub fn suback(&self, id: u16, code: SubscribeReasonCode) {
        let mut bytes = BytesMut::new();
        SubAck::new(id, vec![code]).write(&mut bytes).unwrap();
        self.send(&bytes);
    }

    pub fn publish(&self, topic: &str, payload: &str) {
        let mut bytes = BytesMut::new();
        mqttbytes::v4::Publish::new(topic, mqttbytes::QoS::AtMostOnce, payload)
            .write(&mut bytes)
            .unwrap();
        self.send(&bytes);
    }

    /// Receives CONNECT, and accepts the connection.
    pub async fn accept_connect(&mut self) {
        assert!(matches!(self.packet().await, Some(Packet::Connect(_))));
        self.connack(ConnectReturnCode::Success);
    }
}

/// Waits for `future` for at most an hour of virtual time, which passes at once when all tasks are idle.
pub async fn eventually<T>(future: impl Future<Output = T>) -> T {
    let an_hour = Duration::from_secs(3600);
    tokio::time::timeout(an_hour, future)
        .await
        .expect("the future should be ready within an hour")
}

pub fn parse(bytes: &[u8]) -> Vec<Packet> {
    let mut stream = BytesMut::from(bytes);
    let mut packets = Vec::new();
    while !stream.is_empty() {
        packets.push(
            mqttbytes::v4::read(&mut stream, 1 << 20)
                .expect("the message should consist of whole packets"),
        );
    }
    packets
}
