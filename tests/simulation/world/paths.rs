//! The direct paths between browsers, and the negotiation that creates them. Paths can be cut, and connections can end.

use rtchat::room::Input;
use rtchat::rtc::{
    ConnectionId, DataDescription, LinkCommand, LinkEvent, Path, Renegotiation, SdpType,
    SessionDescription,
};

use super::{Task, World};

/// One end of a peer connection.
#[derive(Debug, Default, Clone)]
pub(super) struct Wire {
    ours: String,
    fingerprint: [u8; 32],
    theirs: Option<(String, [u8; 32])>,
    open: bool,
    /// The network that its addresses are of; `None` if there was none.
    pub(super) network: Option<u32>,
}

/// Changes a text frame that a tab sends. The arguments are the sending tab and the text.
pub type FrameInterceptor = Box<dyn FnMut(usize, &str) -> String>;

impl World {
    /// Cuts or restores the direct path between two tabs. The broker still reaches both.
    pub fn cut(&mut self, a: usize, b: usize, cut: bool) {
        let pair = (a.min(b), a.max(b));
        if cut {
            self.cut.insert(pair);
            return;
        }
        self.cut.remove(&pair);
        self.release_held();
    }

    pub(super) fn release_held(&mut self) {
        for task in std::mem::take(&mut self.held) {
            self.schedule(2, task);
        }
    }

    /// Breaks the connections of a pair: both browsers notice at once.
    pub fn break_connections(&mut self, a: usize, b: usize) {
        for (at, other) in [(a, b), (b, a)] {
            let links: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
            for connection in links {
                if self
                    .far_end(at, connection)
                    .is_some_and(|(node, _)| node == other)
                {
                    self.schedule(
                        1,
                        Task::Feed(at, Input::Link(connection, LinkEvent::Path(Path::Lost))),
                    );
                }
            }
        }
    }

    /// Reports this end to a tab for each of its connections.
    pub fn end_connections(&mut self, at: usize, end: LinkEvent) {
        let connections: Vec<ConnectionId> = self.nodes[at].links.keys().copied().collect();
        for connection in connections {
            self.feed(at, Input::Link(connection, end.clone()));
        }
    }

    /// `at` sends this to `other` on their open connection, bypassing its room.
    pub fn inject(&mut self, at: usize, other: usize, message: LinkEvent) {
        for connection in self.open_connections(at, other) {
            self.send(at, connection, message.clone());
        }
    }

    pub(super) fn carry_out(&mut self, at: usize, connection: ConnectionId, command: LinkCommand) {
        match &command {
            LinkCommand::Renegotiate(_) => self.nodes[at].renegotiated.push(connection),
            LinkCommand::AddCandidates(all) => self.nodes[at].candidates_added += all.len(),
            _ => {}
        }
        match command {
            LinkCommand::GatherAnew => self.nodes[at].network.gather_anew(),
            LinkCommand::Offer => self.describe(at, connection, SdpType::Offer),
            LinkCommand::Answer(offer) => {
                self.set_remote_description(at, connection, &offer.to_sdp());
                self.describe(at, connection, SdpType::Answer);
            }
            LinkCommand::Accept(answer) => {
                self.set_remote_description(at, connection, &answer.to_sdp());
                self.try_to_connect(at, connection);
            }
            LinkCommand::Renegotiate(Renegotiation::Offer { .. }) => {
                self.renegotiate(at, connection, SdpType::Offer)
            }
            LinkCommand::Renegotiate(Renegotiation::Answer(offer)) => {
                self.set_remote_description(at, connection, offer.sdp());
                self.renegotiate(at, connection, SdpType::Answer);
            }
            LinkCommand::Renegotiate(Renegotiation::Accept(answer)) => {
                self.set_remote_description(at, connection, answer.sdp());
                self.try_to_connect(at, connection);
            }
            LinkCommand::AddCandidates(_) => {}
            LinkCommand::Send(text) => self.send(at, connection, LinkEvent::Text(text)),
            LinkCommand::SendBytes(bytes) => self.send(at, connection, LinkEvent::Bytes(bytes)),
            LinkCommand::Close => self.close(at, connection),
        }
    }

    fn describe(&mut self, at: usize, connection: ConnectionId, kind: SdpType) {
        let sdp = self.local_sdp(at, connection, kind);
        let description = DataDescription::from_sdp(kind, &sdp).unwrap();
        self.report(at, connection, LinkEvent::Described(description));
    }

    fn renegotiate(&mut self, at: usize, connection: ConnectionId, kind: SdpType) {
        let sdp = self.local_sdp(at, connection, kind);
        let description = SessionDescription::from_sdp(kind, &sdp).unwrap();
        self.report(at, connection, LinkEvent::Renegotiating(description));
    }

    fn local_sdp(&mut self, at: usize, connection: ConnectionId, kind: SdpType) -> String {
        let now = self.now;
        let node = &mut self.nodes[at];
        let wire = node.links.entry(connection).or_default();
        if wire.ours.is_empty() {
            wire.network = node.network.addresses(now);
            wire.ours = format!("u{at}x{}", connection.0);
            wire.fingerprint = fingerprint(at, connection);
            self.ends.insert(wire.ours.clone(), (at, connection));
        }
        sdp(kind, &wire.ours, &wire.fingerprint)
    }

    fn report(&mut self, at: usize, connection: ConnectionId, event: LinkEvent) {
        self.schedule(3, Task::Feed(at, Input::Link(connection, event)));
        self.try_to_connect(at, connection);
    }

    fn set_remote_description(&mut self, at: usize, connection: ConnectionId, sdp: &str) {
        let description = DataDescription::from_sdp(SdpType::Offer, sdp).unwrap();
        let wire = self.nodes[at].links.entry(connection).or_default();
        wire.theirs = Some((ufrag(&description), description.fingerprint()));
    }

    /// Opens the channel when both ends know each other's description, and each end has the fingerprint that the other
    /// expects.
    fn try_to_connect(&mut self, at: usize, connection: ConnectionId) {
        let Some(wire) = self.nodes[at].links.get(&connection) else {
            return;
        };
        let Some((theirs, expected)) = wire.theirs.clone() else {
            return;
        };
        let Some((other, other_connection)) = self.ends.get(&theirs).copied() else {
            return;
        };
        let Some(far) = self.nodes[other].links.get(&other_connection) else {
            return;
        };
        let fits = |expected: &[u8; 32], shown: &[u8; 32]| self.trusting_paths || expected == shown;
        let knows_us = far
            .theirs
            .as_ref()
            .is_some_and(|(ours, theirs)| *ours == wire.ours && fits(theirs, &wire.fingerprint));
        if wire.open
            || !knows_us
            || !fits(&expected, &far.fingerprint)
            || self.is_cut(at, other)
            || self.leads_nowhere(at, connection)
            || self.nodes[other].gone
        {
            return;
        }
        for (node, connection) in [(at, connection), (other, other_connection)] {
            if let Some(wire) = self.nodes[node].links.get_mut(&connection) {
                wire.open = true;
            }
            self.schedule(
                25,
                Task::Feed(
                    node,
                    Input::Link(connection, LinkEvent::Path(Path::Connected)),
                ),
            );
            self.schedule(
                25,
                Task::Feed(node, Input::Link(connection, LinkEvent::Opened)),
            );
        }
    }

    pub(super) fn is_cut(&self, a: usize, b: usize) -> bool {
        let is_off = |at: usize| self.nodes[at].network.is_off();
        self.cut.contains(&(a.min(b), a.max(b))) || is_off(a) || is_off(b)
    }

    /// Whether the addresses of one end of this connection are of another network than that end is in now.
    pub(super) fn leads_nowhere(&self, at: usize, connection: ConnectionId) -> bool {
        let is_void = |(at, connection): (usize, ConnectionId)| {
            let node = &self.nodes[at];
            let wire = node.links.get(&connection);
            wire.is_some_and(|wire| wire.network != Some(node.network.number))
        };
        is_void((at, connection)) || self.far_end(at, connection).is_some_and(is_void)
    }

    pub(super) fn far_end(
        &self,
        at: usize,
        connection: ConnectionId,
    ) -> Option<(usize, ConnectionId)> {
        let wire = self.nodes[at].links.get(&connection)?;
        self.ends.get(&wire.theirs.as_ref()?.0).copied()
    }

    fn send(&mut self, at: usize, connection: ConnectionId, message: LinkEvent) {
        let Some((node, connection)) = self.far_end(at, connection) else {
            if let LinkEvent::Text(text) = message {
                self.unheard.push((at, text));
            }
            return;
        };
        let message = match (message, &mut self.frames) {
            (LinkEvent::Text(text), Some(change)) => LinkEvent::Text(change(at, &text)),
            (message, _) => message,
        };
        let is_proof = |message: &LinkEvent| matches!(message, LinkEvent::Text(text) if text.contains("\"verify\""));
        let message = match &self.replace_first_frame {
            Some((cheat, instead)) if *cheat == at && is_proof(&message) => instead.clone(),
            _ => message,
        };
        let mute = |message: &LinkEvent| match message {
            LinkEvent::Text(text) => self
                .muted
                .iter()
                .any(|(node, part)| *node == at && text.contains(part)),
            _ => false,
        };
        if mute(&message) {
            return;
        }
        self.schedule(
            2,
            Task::ToPeer {
                from: at,
                node,
                connection,
                message,
            },
        );
    }

    /// All connections of a tab, the oldest first.
    pub fn all_connections(&self, at: usize) -> Vec<ConnectionId> {
        self.nodes[at].links.keys().copied().collect()
    }

    pub fn open_connections(&self, at: usize, other: usize) -> Vec<ConnectionId> {
        let ends = self.nodes[at].links.iter().filter(|(_, wire)| wire.open);
        let ends = ends.map(|(connection, _)| *connection);
        let to_other = |end: &ConnectionId| {
            self.far_end(at, *end)
                .is_some_and(|(node, _)| node == other)
        };
        ends.filter(to_other).collect()
    }

    pub(super) fn close(&mut self, at: usize, connection: ConnectionId) {
        let far = self.far_end(at, connection);
        let is_void = self.leads_nowhere(at, connection);
        self.nodes[at].links.remove(&connection);
        self.nodes[at].media.remove(&connection);
        if let Some((node, connection)) = far
            && !self.is_cut(at, node)
            && !is_void
            && self.nodes[node]
                .links
                .get(&connection)
                .is_some_and(|wire| wire.open)
        {
            self.schedule(
                20,
                Task::Feed(node, Input::Link(connection, LinkEvent::Closed)),
            );
        }
    }
}

/// The fingerprint that a tab shows on a connection.
pub fn fingerprint(at: usize, connection: ConnectionId) -> [u8; 32] {
    let mut bytes = [at as u8; 32];
    bytes[..4].copy_from_slice(&connection.0.to_be_bytes());
    bytes
}

/// A data-only description as Chromium writes it, with one host candidate.
pub fn sdp(kind: SdpType, ufrag: &str, fingerprint: &[u8; 32]) -> String {
    let colons: Vec<String> = fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let setup = if kind == SdpType::Offer {
        "actpass"
    } else {
        "active"
    };
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n\
         a=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0 network-cost 999\r\n\
         a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag:p<24}\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n",
        colons.join(":")
    )
}

/// The ice-ufrag of a description.
pub fn ufrag(description: &DataDescription) -> String {
    let sdp = description.to_sdp();
    let line = sdp
        .lines()
        .find_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .unwrap();
    line.trim().to_owned()
}
