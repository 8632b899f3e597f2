//! A transport for MQTT over plain TCP.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use rtchat::mqtt::{Connection, Transport, TransportError};
use rtchat::time::Millis;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::Instant;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// MQTT over TCP, at `tcp://host:port`. Records each chunk of bytes that was sent.
#[derive(Clone)]
pub struct Tcp {
    started: Instant,
    pub sent: Arc<Mutex<Vec<Bytes>>>,
}

impl Tcp {
    pub fn new() -> Tcp {
        Tcp {
            started: Instant::now(),
            sent: Arc::default(),
        }
    }
}

impl Transport for Tcp {
    type Connection = TcpConnection;
    type Connecting = Boxed<Result<TcpConnection, TransportError>>;
    type Sleep = Boxed<()>;

    fn connect(&self, url: &str) -> Self::Connecting {
        let address = url.strip_prefix("tcp://").map(str::to_owned);
        let sent = Arc::clone(&self.sent);
        Box::pin(async move {
            let address = address.ok_or(TransportError::InvalidUrl)?;
            let stream = TcpStream::connect(address)
                .await
                .map_err(|_| TransportError::Unreachable)?;
            Ok(TcpConnection::new(stream, sent))
        })
    }

    fn sleep(&self, duration: Duration) -> Boxed<()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn now(&self) -> Millis {
        Millis(1_700_000_000_000) + self.started.elapsed()
    }
}

pub struct TcpConnection {
    received: UnboundedReceiver<Bytes>,
    to_send: UnboundedSender<Bytes>,
    reader: JoinHandle<()>,
    sent: Arc<Mutex<Vec<Bytes>>>,
}

impl TcpConnection {
    fn new(stream: TcpStream, sent: Arc<Mutex<Vec<Bytes>>>) -> TcpConnection {
        let (mut read, mut write) = stream.into_split();
        let (to_send, mut to_write) = mpsc::unbounded_channel::<Bytes>();
        let (from_reader, received) = mpsc::unbounded_channel();
        // Ends when the connection is dropped, after the last bytes have left.
        tokio::spawn(async move {
            while let Some(bytes) = to_write.recv().await {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            let _ = write.shutdown().await;
        });
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; 1500];
            while let Ok(length @ 1..) = read.read(&mut buffer).await {
                if from_reader
                    .send(Bytes::copy_from_slice(&buffer[..length]))
                    .is_err()
                {
                    return;
                }
            }
        });
        TcpConnection {
            received,
            to_send,
            reader,
            sent,
        }
    }
}

impl Drop for TcpConnection {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

const CLOSED: TransportError = TransportError::Closed { code: 1006 };

impl Connection for TcpConnection {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn send(&mut self, bytes: Bytes) -> Result<(), TransportError> {
        self.sent.lock().unwrap().push(bytes.clone());
        self.to_send.send(bytes).map_err(|_| CLOSED)
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Bytes, TransportError>> {
        self.received.poll_recv(cx).map(|bytes| bytes.ok_or(CLOSED))
    }
}
