//! All WebRTC connections: routes datagrams to them, and wakes them when it is time.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtchat::identity::PeerId;
use rtchat::room::MediaWish;
use rtchat::rtc::{ConnectionId, LinkCommand, LinkEvent};
use rtchat::settings::CallKinds;
use str0m::RtcConfig;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Input};
use tokio::sync::mpsc::Sender;

use crate::connection::Connection;
use crate::incoming::{Datagram, Incoming};
use crate::media::Own;
use crate::sockets::Sockets;
use crate::{Error, Received};

/// At most 8 MiB wait to be sent to one peer, as in the browser's adapter.
const MAX_BUFFERED: usize = 8 * 1024 * 1024;

/// A connection that we closed may still send pending datagrams for this long.
const CLOSING_TIME: Duration = Duration::from_secs(1);

/// Every connection that is open, being opened or being closed.
pub struct Connections {
    sockets: Sockets,
    configuration: RtcConfig,
    candidates: Vec<Candidate>,
    own: Rc<Own>,
    open: BTreeMap<ConnectionId, Connection>,
    /// Connections that we closed, and until when they may still send.
    closing: Vec<(Connection, Instant)>,
    /// Tracks that have stopped arriving because their connection was closed.
    received: Vec<Received>,
}

impl Connections {
    /// Opens the sockets. Datagrams that arrive there go to `incoming`. Connections can carry what these calls need.
    ///
    /// # Errors
    /// [`Error`] if this machine has no network.
    pub fn open(
        incoming: Sender<Incoming>,
        calls: CallKinds,
        own: Rc<Own>,
    ) -> Result<Connections, Error> {
        let sockets = Sockets::open(&incoming)?;
        let candidates = sockets
            .addresses()
            // `Sockets` uses no address that a candidate cannot hold.
            .filter_map(|address| Candidate::host(address, "udp").ok())
            .collect();
        let configuration = RtcConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .clear_codecs()
            .enable_opus(calls != CallKinds::Off, false)
            .enable_vp8(calls == CallKinds::Video)
            .set_sctp_max_buffered_amount(MAX_BUFFERED);
        Ok(Connections {
            sockets,
            configuration,
            candidates,
            own,
            open: BTreeMap::new(),
            closing: Vec::new(),
            received: Vec::new(),
        })
    }

    /// Carries out a command. An unknown id opens a connection, if a connection can begin with this command.
    pub fn carry_out(&mut self, id: ConnectionId, command: LinkCommand) {
        let now = Instant::now();
        if let LinkCommand::Close = command {
            if let Some(mut connection) = self.open.remove(&id) {
                connection.close(now, &self.sockets);
                self.received.extend(connection.take_received());
                self.closing.push((connection, now + CLOSING_TIME));
            }
            return;
        }
        let begins = matches!(
            command,
            LinkCommand::GatherAnew
                | LinkCommand::Offer
                | LinkCommand::Answer(_)
                | LinkCommand::AddCandidates(_)
        );
        if begins && !self.open.contains_key(&id) {
            let rtc = self.configuration.clone().build(now);
            let connection = Connection::new(rtc, &self.candidates, self.own.clone(), now);
            self.open.insert(id, connection);
        }
        if let Some(connection) = self.open.get_mut(&id) {
            connection.command(command, now, &self.sockets);
        }
    }

    /// Says what is to run on a connection to a peer.
    pub fn wish(&mut self, id: ConnectionId, peer: PeerId, wish: MediaWish) {
        if let Some(connection) = self.open.get_mut(&id) {
            connection.wish(peer, wish, Instant::now(), &self.sockets);
        }
    }

    /// Passes a datagram to the connection that it belongs to.
    pub fn receive(&mut self, datagram: &Datagram) {
        let now = Instant::now();
        let received = Receive::new(
            Protocol::Udp,
            datagram.source,
            datagram.destination,
            &datagram.bytes,
        );
        // Anything that is not WebRTC is dropped.
        let Ok(received) = received else { return };
        let input = Input::Receive(now, received);
        let closing = self.closing.iter_mut().map(|(connection, _)| connection);
        let mut all = self.open.values_mut().chain(closing);
        if let Some(connection) = all.find(|connection| connection.accepts(&input)) {
            connection.handle(input, now, &self.sockets);
        }
    }

    /// Wakes the connections whose time has come.
    pub fn wake(&mut self) {
        let now = Instant::now();
        let closing = self.closing.iter_mut().map(|(connection, _)| connection);
        for connection in self.open.values_mut().chain(closing) {
            if connection.next_wake() <= now {
                connection.handle(Input::Timeout(now), now, &self.sockets);
            }
        }
        self.closing
            .retain(|(connection, until)| connection.is_alive() && *until > now);
    }

    /// The time at which [`wake`](Self::wake) has to be called next.
    pub fn next_wake(&self) -> Option<Instant> {
        let open = self.open.values().map(Connection::next_wake);
        let closing = self
            .closing
            .iter()
            .map(|(connection, until)| connection.next_wake().min(*until));
        open.chain(closing).min()
    }

    /// The events of all connections since the last call.
    pub fn take_events(&mut self) -> impl Iterator<Item = (ConnectionId, LinkEvent)> {
        let open = self.open.iter_mut();
        open.flat_map(|(id, connection)| connection.take_events().map(|event| (*id, event)))
    }

    /// Takes the tracks that have begun or stopped arriving since the last call.
    pub fn take_received(&mut self) -> Vec<Received> {
        let mut received = std::mem::take(&mut self.received);
        let open = self.open.values_mut();
        received.extend(open.flat_map(Connection::take_received));
        received
    }

    /// Whether all connections are closed and have nothing left to send.
    pub fn are_closed(&self) -> bool {
        self.open.is_empty() && self.closing.is_empty()
    }
}
