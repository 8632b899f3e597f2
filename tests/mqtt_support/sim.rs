//! A network in memory. The test plays every broker: it sees each attempt, and answers as it likes.

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

/// What an attempt to connect becomes.
type Opened = Result<SimConnection, TransportError>;

#[derive(Clone)]
pub struct Sim {
    clock: Clock,
    attempts: UnboundedSender<Knock>,
}

/// Where the attempts come in.
pub struct Door {
    attempts: UnboundedReceiver<Knock>,
    clock: Clock,
}

/// An attempt to connect that waits for an answer.
pub struct Knock {
    pub url: String,
    pub at: Millis,
    answer: oneshot::Sender<Opened>,
}

pub fn network() -> (Sim, Door) {
    let (sender, attempts) = mpsc::unbounded_channel();
    let clock = Clock::start();
    (
        Sim {
            clock,
            attempts: sender,
        },
        Door { attempts, clock },
    )
}

impl Door {
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The next attempt at any broker.
    pub async fn knock(&mut self) -> Knock {
        soon(self.attempts.recv())
            .await
            .expect("the client is gone")
    }

    /// The next attempt, which must be at `url`, and is let in.
    pub async fn accept(&mut self, url: &str) -> Caller {
        let knock = self.knock().await;
        assert_eq!(knock.url, url);
        knock.accept()
    }

    pub fn is_quiet(&mut self) -> bool {
        self.attempts.try_recv().is_err()
    }
}

impl Knock {
    pub fn refuse(self) {
        let _ = self.answer.send(Err(TransportError::Unreachable));
    }

    pub fn accept(self) -> Caller {
        let (to_client, from_broker) = mpsc::unbounded_channel();
        let (to_broker, from_client) = mpsc::unbounded_channel();
        let line = Arc::new(Line::default());
        let _ = self.answer.send(Ok(SimConnection {
            from_broker,
            to_broker,
            line: Arc::clone(&line),
        }));
        Caller {
            to_client,
            from_client,
            buffer: BytesMut::new(),
            messages: VecDeque::new(),
            line,
        }
    }
}

impl Transport for Sim {
    type Connection = SimConnection;
    type Connecting = Boxed<Opened>;
    type Sleep = Boxed<()>;

    fn connect(&self, url: &str) -> Boxed<Opened> {
        let (answer, opened) = oneshot::channel();
        let _ = self.attempts.send(Knock {
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
    line: Arc<Line>,
}

/// Whether the connection takes more.
#[derive(Default)]
struct Line {
    congested: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Connection for SimConnection {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        if self.line.congested.load(Ordering::SeqCst) {
            *self.line.waker.lock().unwrap() = Some(cx.waker().clone());
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

/// A client as the broker sees it. Dropping it closes the connection.
pub struct Caller {
    to_client: UnboundedSender<Bytes>,
    from_client: UnboundedReceiver<Bytes>,
    buffer: BytesMut,
    messages: VecDeque<Packet>,
    line: Arc<Line>,
}

impl Caller {
    /// All packets of the next message on the WebSocket; `None` when the client has closed.
    pub async fn message(&mut self) -> Option<Vec<Packet>> {
        let bytes = soon(self.from_client.recv()).await?;
        Some(parse(&bytes))
    }

    /// The next packet, whatever message it was in.
    pub async fn packet(&mut self) -> Option<Packet> {
        if self.messages.is_empty() {
            self.messages = self.message().await?.into();
        }
        self.messages.pop_front()
    }

    /// A packet that has arrived already.
    pub fn packet_now(&mut self) -> Option<Packet> {
        if self.messages.is_empty() {
            self.messages = parse(&self.from_client.try_recv().ok()?).into();
        }
        self.messages.pop_front()
    }

    /// Has the client's side take nothing more, or go on.
    pub fn congest(&self, congested: bool) {
        self.line.congested.store(congested, Ordering::SeqCst);
        if let Some(waker) = self.line.waker.lock().unwrap().take() {
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

    /// Takes CONNECT and accepts it.
    pub async fn welcome(&mut self) {
        assert!(matches!(self.packet().await, Some(Packet::Connect(_))));
        self.connack(ConnectReturnCode::Success);
    }
}

/// Waits for `future`, but not for ever: in these tests time runs as soon as nobody does anything.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    let an_hour = Duration::from_secs(3600);
    tokio::time::timeout(an_hour, future)
        .await
        .expect("it should have happened by now")
}

pub fn parse(bytes: &[u8]) -> Vec<Packet> {
    let mut stream = BytesMut::from(bytes);
    let mut packets = Vec::new();
    while !stream.is_empty() {
        packets.push(mqttbytes::v4::read(&mut stream, 1 << 20).expect("whole packets"));
    }
    packets
}
