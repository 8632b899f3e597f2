//! A port that stays ours while nobody listens on it.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpSocket};

/// A socket that is bound but does not listen: connections to it are refused, and no other program gets its port.
/// Without it, what is cut or killed might find its port taken when it comes back.
#[derive(Debug)]
pub struct HeldPort(TcpSocket);

impl HeldPort {
    /// Holds a port; 0 means any free one. A port that another `HeldPort` listens on may be held already.
    pub fn hold(address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        #[cfg(unix)]
        socket.set_reuseport(true)?;
        let bound = socket.bind(address);
        bound.with_context(|| format!("cannot have {address}"))?;
        Ok(Self(socket))
    }

    /// Which port it is.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Accepts connections from now on.
    pub fn listen(self) -> Result<TcpListener> {
        Ok(self.0.listen(1024)?)
    }
}
