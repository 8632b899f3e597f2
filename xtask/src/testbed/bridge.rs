//! A WebSocket listener for any broker, which counts traffic and can delay or cut it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;

use super::port::HeldPort;
use super::{DelayProxy, local};

/// The traffic from clients to a broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The number of connections that were opened.
    pub connections: u64,
    /// The number of open connections over which the client has said nothing yet.
    pub silent: u64,
    /// The number of PUBLISH packets. This is what a site's owner pays for.
    pub publishes: u64,
    /// The bytes of their payloads, without topics and headers.
    pub payload_bytes: u64,
}

/// Passes MQTT bytes between WebSockets and a broker's TCP port, without waiting for more bytes to combine.
#[derive(Clone, Debug)]
pub struct Relay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    broker: SocketAddr,
    connections: AtomicU64,
    silent: AtomicU64,
    publishes: AtomicU64,
    payload_bytes: AtomicU64,
    /// False while connections are cut.
    open: watch::Sender<bool>,
}

impl Relay {
    /// A relay to the broker at this address.
    pub fn new(broker: SocketAddr) -> Self {
        let (open, _) = watch::channel(true);
        Self(Arc::new(Inner {
            broker,
            connections: 0.into(),
            silent: 0.into(),
            publishes: 0.into(),
            payload_bytes: 0.into(),
            open,
        }))
    }

    /// The route `/mqtt`, to be merged into a server's routes.
    pub fn route(&self) -> Router {
        Router::new()
            .route("/mqtt", get(upgrade))
            .with_state(self.clone())
    }

    fn count(&self, publish: PublishSize) {
        self.0.publishes.fetch_add(1, Ordering::Relaxed);
        self.0
            .payload_bytes
            .fetch_add(publish.payload as u64, Ordering::Relaxed);
    }
}

async fn upgrade(State(relay): State<Relay>, upgrade: WebSocketUpgrade) -> Response {
    let mut open = relay.0.open.subscribe();
    if !*open.borrow_and_update() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Ok(broker) = TcpStream::connect(relay.0.broker).await else {
        return (StatusCode::BAD_GATEWAY, "the MQTT broker does not answer").into_response();
    };
    upgrade
        .protocols(["mqtt"])
        .on_upgrade(move |socket| async move {
            relay.0.connections.fetch_add(1, Ordering::Relaxed);
            tokio::select! {
                _ = pass(&relay, socket, broker) => {}
                // Not `wait_for`, which misses a cut that is mended at once.
                _ = open.changed() => {}
            }
        })
}

/// Counts as a connection over which nothing was said, until it is dropped.
struct Silence<'a>(&'a Relay);

impl Silence<'_> {
    fn of(relay: &Relay) -> Silence<'_> {
        relay.0.silent.fetch_add(1, Ordering::Relaxed);
        Silence(relay)
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        self.0.0.silent.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Passes bytes in both directions, until either side ends.
async fn pass(relay: &Relay, socket: WebSocket, mut broker: TcpStream) -> Result<()> {
    broker.set_nodelay(true)?;
    let (mut to_page, mut from_page) = socket.split();
    let (mut from_broker, mut to_broker) = broker.split();
    let up = async {
        let mut publishes = PublishCounter::default();
        let mut silence = Some(Silence::of(relay));
        while let Some(message) = from_page.next().await {
            let Message::Binary(bytes) = message? else {
                continue;
            };
            silence.take();
            publishes.feed(&bytes, |publish| relay.count(publish));
            to_broker.write_all(&bytes).await?;
        }
        Ok(())
    };
    let down = async {
        loop {
            let mut bytes = Vec::with_capacity(16 * 1024);
            acknowledge_at_once(from_broker.as_ref());
            if from_broker.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            to_page.send(Message::Binary(bytes)).await?;
        }
    };
    tokio::select! { ended = up => ended, ended = down => ended }
}

/// Tells the kernel to acknowledge at once instead of after 40 ms. A broker without TCP_NODELAY sends a second packet only
/// after the first was acknowledged. The kernel resets this option after a while, so it is set again before every read.
fn acknowledge_at_once(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    let _ = stream.set_quickack(true);
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// A [`Relay`] with a port of its own.
#[derive(Debug)]
pub struct Bridge {
    relay: Relay,
    address: SocketAddr,
    delay: Option<DelayProxy>,
    server: Mutex<Server>,
}

#[derive(Debug)]
enum Server {
    Running(JoinHandle<()>),
    Cut { _held: HeldPort },
}

impl Bridge {
    /// Starts a WebSocket listener for a broker's TCP port, which delays every byte by `delay` in each direction.
    pub async fn start(broker_tcp_port: u16, delay: Duration) -> Result<Self> {
        let relay = Relay::new(local(broker_tcp_port));
        let port = HeldPort::hold(local(0))?;
        let address = port.address()?;
        let server = Mutex::new(Server::Running(serve(port.listen()?, &relay)));
        let delay = if delay.is_zero() {
            None
        } else {
            Some(DelayProxy::start(address, delay).await?)
        };
        Ok(Self {
            relay,
            address,
            delay,
            server,
        })
    }

    /// The address that a page connects to.
    pub fn ws_url(&self) -> String {
        let address = self
            .delay
            .as_ref()
            .map_or(self.address, DelayProxy::address);
        format!("ws://{address}/mqtt")
    }

    /// The traffic since the start or the last [`reset`](Self::reset).
    pub fn stats(&self) -> Traffic {
        let inner = &*self.relay.0;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Traffic {
            connections: get(&inner.connections),
            silent: get(&inner.silent),
            publishes: get(&inner.publishes),
            payload_bytes: get(&inner.payload_bytes),
        }
    }

    /// Sets the counters of what happened to zero.
    pub fn reset(&self) {
        let inner = &*self.relay.0;
        for counter in [&inner.connections, &inner.publishes, &inner.payload_bytes] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// Closes every connection without a DISCONNECT, as a broken line would, and refuses new ones.
    pub async fn cut(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        if let Server::Running(running) = &mut *server {
            let port = HeldPort::hold(self.address)?;
            self.relay.0.open.send_replace(false);
            running.abort();
            let _ = running.await;
            *server = Server::Cut { _held: port };
        }
        match &self.delay {
            Some(delay) => delay.cut().await,
            None => Ok(()),
        }
    }

    /// Accepts connections again, on the same port.
    pub async fn mend(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        if let Server::Cut { .. } = &*server {
            let listener = HeldPort::hold(self.address)?.listen()?;
            self.relay.0.open.send_replace(true);
            *server = Server::Running(serve(listener, &self.relay));
        }
        match &self.delay {
            Some(delay) => delay.mend().await,
            None => Ok(()),
        }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.relay.0.open.send_replace(false);
        if let Server::Running(running) = self.server.get_mut() {
            running.abort();
        }
    }
}

fn serve(listener: TcpListener, relay: &Relay) -> JoinHandle<()> {
    let route = relay.route();
    tokio::spawn(async move {
        let _ = axum::serve(listener, route).tcp_nodelay(true).await;
    })
}

/// Finds PUBLISH packets in a client's bytes, also across WebSocket frames.
#[derive(Debug, Default)]
struct PublishCounter {
    pending: Vec<u8>,
    /// The bytes were not MQTT, so counting has ended.
    lost: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct PublishSize {
    payload: usize,
}

impl PublishCounter {
    fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(PublishSize)) {
        if self.lost {
            return;
        }
        self.pending.extend_from_slice(bytes);
        loop {
            match mqttbytes::check(self.pending.iter(), usize::MAX) {
                Ok(header) => {
                    let packet: Vec<u8> = self.pending.drain(..header.frame_length()).collect();
                    if matches!(header.packet_type(), Ok(mqttbytes::PacketType::Publish)) {
                        let payload = publish_payload(&packet);
                        payload
                            .into_iter()
                            .for_each(|payload| found(PublishSize { payload }));
                    }
                }
                Err(mqttbytes::Error::InsufficientBytes(_)) => return,
                Err(_) => {
                    self.lost = true;
                    return;
                }
            }
        }
    }
}

/// The size of the payload, which follows the topic and, above QoS 0, the packet identifier.
fn publish_payload(packet: &[u8]) -> Option<usize> {
    let length_bytes = packet.iter().skip(1).position(|byte| byte & 0x80 == 0)? + 1;
    let body = packet.get(1 + length_bytes..)?;
    let topic = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let number = if packet.first()? & 0b0110 == 0 { 0 } else { 2 };
    body.len().checked_sub(2 + topic + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishes_are_counted_across_frames() {
        let connect = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 30, 0, 0];
        let at_most_once = [0x30, 8, 0, 3, b'a', b'/', b'b', 1, 2, 3];
        let at_least_once = [0x32, 8, 0, 1, b'a', 0, 7, 1, 2, 3];
        let bytes: Vec<u8> = [&connect[..], &at_most_once, &at_least_once].concat();
        for chunk in 1..bytes.len() {
            let mut counter = PublishCounter::default();
            let mut payloads = Vec::new();
            bytes
                .chunks(chunk)
                .for_each(|chunk| counter.feed(chunk, |publish| payloads.push(publish.payload)));
            assert_eq!(payloads, [3, 3]);
        }
    }
}
