//! All connections to people: finds out which one a datagram is for, and wakes those that want it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rtchat::rtc::{ConnectionId, LinkCommand, LinkEvent};
use str0m::RtcConfig;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Input};
use tokio::sync::mpsc::Sender;

use crate::connection::Connection;
use crate::driver::Happening;
use crate::sockets::{Datagram, Sockets};

/// How many bytes may wait to be sent to one person, as in the browser's adapter.
const MAX_BUFFERED: usize = 8 * 1024 * 1024;

/// How long a connection that was closed may take for its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Every connection, open or on its way.
pub struct Connections {
    sockets: Sockets,
    configuration: RtcConfig,
    candidates: Vec<Candidate>,
    open: BTreeMap<ConnectionId, Connection>,
    /// Closed by us, and until when the other side may still be told.
    closing: Vec<(Connection, Instant)>,
}

impl Connections {
    pub fn new(happened: Sender<Happening>) -> Result<Connections> {
        let sockets = Sockets::open(&happened)?;
        let candidates = sockets
            .addresses()
            .map(|address| Candidate::host(address, "udp"))
            .collect::<Result<_, _>>()
            .context("an address cannot be told to others")?;
        let configuration = RtcConfig::new()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .clear_codecs()
            .set_sctp_max_buffered_amount(MAX_BUFFERED);
        Ok(Connections {
            sockets,
            configuration,
            candidates,
            open: BTreeMap::new(),
            closing: Vec::new(),
        })
    }

    /// Carries out an order. An unknown id opens a connection, if the order is one that a connection can begin with.
    pub fn carry_out(&mut self, id: ConnectionId, order: LinkCommand) {
        let now = Instant::now();
        if let LinkCommand::Close = order {
            if let Some(mut connection) = self.open.remove(&id) {
                connection.close(now, &self.sockets);
                self.closing.push((connection, now + LAST_WORDS));
            }
            return;
        }
        let begins = matches!(
            order,
            LinkCommand::Offer { .. } | LinkCommand::Answer(_) | LinkCommand::AddCandidates(_)
        );
        if begins && !self.open.contains_key(&id) {
            let rtc = self.configuration.clone().build(now);
            self.open
                .insert(id, Connection::new(rtc, &self.candidates, now));
        }
        if let Some(connection) = self.open.get_mut(&id) {
            connection.order(order, now, &self.sockets);
        }
    }

    /// Hands a datagram to the connection that it is for.
    pub fn receive(&mut self, datagram: &Datagram) {
        let now = Instant::now();
        let received = Receive::new(
            Protocol::Udp,
            datagram.source,
            datagram.destination,
            &datagram.bytes,
        );
        // What is not WebRTC is not for us.
        let Ok(received) = received else { return };
        let input = Input::Receive(now, received);
        let closing = self.closing.iter_mut().map(|(connection, _)| connection);
        let mut all = self.open.values_mut().chain(closing);
        if let Some(connection) = all.find(|connection| connection.accepts(&input)) {
            connection.handle(input, now, &self.sockets);
        }
    }

    /// Does what is due.
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

    /// When there is something to do.
    pub fn next_wake(&self) -> Option<Instant> {
        let open = self.open.values().map(Connection::next_wake);
        let closing = self
            .closing
            .iter()
            .map(|(connection, until)| connection.next_wake().min(*until));
        open.chain(closing).min()
    }

    /// What the connections told since the last time.
    pub fn take_notices(&mut self) -> impl Iterator<Item = (ConnectionId, LinkEvent)> {
        let open = self.open.iter_mut();
        open.flat_map(|(id, connection)| connection.take_notices().map(|notice| (*id, notice)))
    }

    /// Whether nobody has to be told anything any more.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty() && self.closing.is_empty()
    }
}
