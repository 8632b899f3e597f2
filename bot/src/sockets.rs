//! UDP sockets: one for each address of this machine, shared by all connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rtchat::rtc::candidate::MAX_CANDIDATES;
use str0m::net::Transmit;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;

use crate::Error;
use crate::incoming::{Datagram, Incoming};

/// Datagrams are read up to this size, in bytes. WebRTC sends none that are larger.
const MAX_DATAGRAM: usize = 2000;

/// The sockets. An address that the machine gets later is not used.
pub struct Sockets(Vec<(SocketAddr, Arc<UdpSocket>)>);

impl Sockets {
    /// Opens a socket on every address that others can reach. Datagrams that arrive go to `incoming`.
    ///
    /// # Errors
    /// [`Error`] if there is no address that can be used.
    pub fn open(incoming: &Sender<Incoming>) -> Result<Sockets, Error> {
        let interfaces = if_addrs::get_if_addrs().map_err(Error::Interfaces)?;
        let addresses = interfaces
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(is_useful);
        let mut sockets = Vec::new();
        for address in addresses.take(MAX_CANDIDATES) {
            // An address may be listed and not be usable yet.
            if let Ok((address, socket)) = bind(address) {
                let socket = Arc::new(socket);
                tokio::spawn(read(address, socket.clone(), incoming.clone()));
                sockets.push((address, socket));
            }
        }
        if sockets.is_empty() {
            return Err(Error::NoNetwork);
        }
        Ok(Sockets(sockets))
    }

    /// The addresses that others can reach us at.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// Sends a datagram. If that fails the datagram is lost, as on any network, and the protocols above repeat it.
    pub fn send(&self, datagram: &Transmit) {
        let from = self
            .0
            .iter()
            .find(|(address, _)| *address == datagram.source);
        if let Some((_, socket)) = from {
            let _ = socket.try_send_to(&datagram.contents, datagram.destination);
        }
    }
}

/// Loopback and link-local addresses are no candidates (docs/PROTOCOL.md, section 8).
fn is_useful(address: &IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    !link_local && !address.is_loopback()
}

fn bind(address: IpAddr) -> io::Result<(SocketAddr, UdpSocket)> {
    let socket = std::net::UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    Ok((socket.local_addr()?, UdpSocket::from_std(socket)?))
}

async fn read(address: SocketAddr, socket: Arc<UdpSocket>, incoming: Sender<Incoming>) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    loop {
        // An error is about a datagram that was sent before and did not arrive.
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let datagram = Datagram {
            source,
            destination: address,
            bytes: buffer[..length].to_vec(),
        };
        if incoming.send(Incoming::Datagram(datagram)).await.is_err() {
            return;
        }
    }
}
