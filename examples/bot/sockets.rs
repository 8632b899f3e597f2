//! One UDP socket for each address of this machine, shared by all connections.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rtchat::rtc::candidate::MAX_CANDIDATES;
use str0m::net::Transmit;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::Sender;

use crate::driver::Happening;

/// The largest datagram that WebRTC sends, and some more.
const LARGEST: usize = 2000;

/// What came over UDP.
#[derive(Debug)]
pub struct Datagram {
    pub source: SocketAddr,
    /// The address of ours that it came to.
    pub destination: SocketAddr,
    pub bytes: Vec<u8>,
}

/// The sockets. An address that the machine gets later is not used.
pub struct Sockets(Vec<(SocketAddr, Arc<UdpSocket>)>);

impl Sockets {
    /// Opens a socket on every address that others can reach, and tells `happened` what comes.
    pub fn open(happened: &Sender<Happening>) -> Result<Sockets> {
        let interfaces = if_addrs::get_if_addrs().context("cannot list the network's addresses")?;
        let addresses = interfaces
            .iter()
            .map(if_addrs::Interface::ip)
            .filter(is_useful);
        let mut sockets = Vec::new();
        for address in addresses.take(MAX_CANDIDATES) {
            // An address may be there and not be usable yet.
            if let Ok(socket) = bind(address) {
                let socket = (socket.local_addr()?, Arc::new(socket));
                tokio::spawn(read(socket.0, socket.1.clone(), happened.clone()));
                sockets.push(socket);
            }
        }
        ensure!(!sockets.is_empty(), "this machine has no network");
        Ok(Sockets(sockets))
    }

    /// Where we can be reached.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.0.iter().map(|(address, _)| *address)
    }

    /// Sends a datagram. What cannot be sent is lost, as on any network; those who need it send it again.
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

fn bind(address: IpAddr) -> io::Result<UdpSocket> {
    let socket = std::net::UdpSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

async fn read(address: SocketAddr, socket: Arc<UdpSocket>, happened: Sender<Happening>) {
    let mut buffer = vec![0; LARGEST];
    loop {
        // An error tells of something that was sent before and did not arrive.
        let Ok((length, source)) = socket.recv_from(&mut buffer).await else {
            continue;
        };
        let datagram = Datagram {
            source,
            destination: address,
            bytes: buffer[..length].to_vec(),
        };
        if happened.send(Happening::Datagram(datagram)).await.is_err() {
            return;
        }
    }
}
