//! A TCP proxy with a delay.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::port::HeldPort;

/// Forwards TCP connections to another address, and delays every byte by the same time in each direction. This includes
/// TLS, HTTP and WebSocket handshakes, but not TCP's own handshake, which the kernel makes.
#[derive(Debug)]
pub struct DelayProxy {
    address: SocketAddr,
    target: SocketAddr,
    delay: Duration,
    server: Mutex<Server>,
}

#[derive(Debug)]
enum Server {
    Running(JoinHandle<()>),
    Cut { _held: HeldPort },
}

impl DelayProxy {
    /// Listens on a free port and forwards everything to `target` after `delay`.
    pub async fn start(target: SocketAddr, delay: Duration) -> Result<Self> {
        let port = HeldPort::hold(super::local(0))?;
        let address = port.address()?;
        let server = tokio::spawn(accept(port.listen()?, target, delay));
        Ok(Self {
            address,
            target,
            delay,
            server: Mutex::new(Server::Running(server)),
        })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and refuses new ones.
    pub async fn cut(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        if let Server::Running(running) = &mut *server {
            let port = HeldPort::hold(self.address)?;
            running.abort();
            let _ = running.await;
            *server = Server::Cut { _held: port };
        }
        Ok(())
    }

    /// Listens again, on the same port.
    pub async fn mend(&self) -> Result<()> {
        let mut server = self.server.lock().await;
        if let Server::Cut { .. } = &*server {
            let listener = HeldPort::hold(self.address)?.listen()?;
            *server = Server::Running(tokio::spawn(accept(listener, self.target, self.delay)));
        }
        Ok(())
    }
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        if let Server::Running(running) = self.server.get_mut() {
            running.abort();
        }
    }
}

/// Accepts connections and owns them, so that they end with this task.
async fn accept(listener: TcpListener, target: SocketAddr, delay: Duration) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    connections.spawn(connect(client, target, delay));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connect(client: TcpStream, target: SocketAddr, delay: Duration) {
    let Ok(server) = TcpStream::connect(target).await else {
        return;
    };
    if client
        .set_nodelay(true)
        .and(server.set_nodelay(true))
        .is_err()
    {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::join!(
        pass(from_client, to_server, delay),
        pass(from_server, to_client, delay)
    );
}

/// Forwards one direction. The end of the stream is delayed like any other message.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1_024);
    let read = async move {
        loop {
            let mut bytes = Vec::with_capacity(16 * 1024);
            let ended = !matches!(from.read_buf(&mut bytes).await, Ok(1..));
            if sender.send((Instant::now() + delay, bytes)).await.is_err() || ended {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, bytes)) = receiver.recv().await {
            tokio::time::sleep_until(due).await;
            if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_arrive_late_and_in_order() {
        let echo = TcpListener::bind(super::super::local(0)).await.unwrap();
        let target = echo.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = echo.accept().await.unwrap();
            let (mut from, mut to) = stream.split();
            tokio::io::copy(&mut from, &mut to).await
        });
        let proxy = DelayProxy::start(target, Duration::from_millis(50))
            .await
            .unwrap();
        let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
        let start = Instant::now();
        stream.write_all(b"one ").await.unwrap();
        stream.write_all(b"two").await.unwrap();
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"one two");
        assert!(start.elapsed() >= Duration::from_millis(100));

        proxy.cut().await.unwrap();
        assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
        assert!(TcpStream::connect(proxy.address()).await.is_err());
        proxy.mend().await.unwrap();
        assert!(TcpStream::connect(proxy.address()).await.is_ok());
    }
}
