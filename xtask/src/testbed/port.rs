//! Reserves a port on which no program listens.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpSocket};

/// A socket that is bound but does not listen: connections to it are refused, and no other program gets its port.
/// Without it, a listener that is stopped and started again might find that its port is taken.
#[derive(Debug)]
pub struct HeldPort(TcpSocket);

impl HeldPort {
    /// Reserves a port; 0 means any free one. Another `HeldPort` may already listen on it.
    pub fn hold(address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        #[cfg(unix)]
        socket.set_reuseport(true)?;
        let bound = socket.bind(address);
        bound.with_context(|| format!("cannot reserve {address}"))?;
        Ok(Self(socket))
    }

    /// The address of the port.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Accepts connections from now on.
    pub fn listen(self) -> Result<TcpListener> {
        Ok(self.0.listen(1024)?)
    }
}
