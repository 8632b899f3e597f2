//! One WebRTC connection: translates between the room and `str0m`.

use std::rc::Rc;
use std::time::Instant;

use rtchat::identity::PeerId;
use rtchat::room::MediaWish;
use rtchat::rtc::{
    Candidate, CommandQueue, DataDescription, LinkCommand, LinkEvent, Path, Renegotiation, SdpType,
    SessionDescription,
};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelData, ChannelId};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

use crate::Received;
use crate::media::{Link, Own};
use crate::sockets::Sockets;

/// Messages of more than 64 KiB are not passed on, as in the browser's adapter.
const MAX_MESSAGE: usize = 64 * 1024;

/// An operation failed, for the reason in this sentence. Causes are left out, because they may hold addresses.
struct Failure(&'static str);

type Result<T> = std::result::Result<T, Failure>;

/// A peer connection that is in use.
pub struct Connection {
    rtc: Rtc,
    /// The data channel 0.
    channel: Option<ChannelId>,
    /// Our offer, until its answer arrives.
    offer: Option<SdpPendingOffer>,
    /// Whether the remote description is known.
    described: bool,
    /// Bounds the commands that the other side can cause on this connection.
    queue: CommandQueue,
    /// Remote candidates that arrived before the remote description. The queue bounds how many.
    early: Vec<Candidate>,
    path: Option<Path>,
    /// The sound and pictures that run on it.
    media: Link,
    wake: Instant,
    events: Vec<LinkEvent>,
    ended: bool,
}

impl Connection {
    /// Creates a connection with these local candidates.
    pub fn new(
        mut rtc: Rtc,
        candidates: &[str0m::Candidate],
        own: Rc<Own>,
        now: Instant,
    ) -> Connection {
        for candidate in candidates {
            rtc.add_local_candidate(candidate.clone());
        }
        Connection {
            rtc,
            channel: None,
            offer: None,
            described: false,
            queue: CommandQueue::default(),
            early: Vec::new(),
            path: None,
            media: Link::new(own, now),
            wake: now,
            events: Vec::new(),
            ended: false,
        }
    }

    /// Carries out a command of the room.
    pub fn command(&mut self, command: LinkCommand, now: Instant, sockets: &Sockets) {
        if let Err(limit) = self.queue.push(command) {
            self.events.push(LinkEvent::Exceeded(limit));
        }
        while let Some(command) = self.queue.pop() {
            if let Err(Failure(sentence)) = self.carry_out(command) {
                self.fail(sentence);
            }
        }
        self.handle(Input::Timeout(now), now, sockets);
    }

    /// Says what is to run here.
    pub fn wish(&mut self, peer: PeerId, wish: MediaWish, now: Instant, sockets: &Sockets) {
        self.media.wish(peer, wish);
        self.review();
        self.handle(Input::Timeout(now), now, sockets);
    }

    /// Asks for an offer, if media need one. Like in browsers, an exchange that is under way ends first.
    fn review(&mut self) {
        if self.offer.is_none() && self.media.needs_offer(&self.rtc) {
            self.events.push(LinkEvent::NegotiationNeeded);
        }
    }

    fn carry_out(&mut self, command: LinkCommand) -> Result<()> {
        match command {
            // Nothing was gathered in advance.
            LinkCommand::GatherAnew => Ok(()),
            LinkCommand::Offer => {
                let offer = self.make_offer(false)?;
                self.report_first(SdpType::Offer, &offer)
            }
            LinkCommand::Answer(offer) => {
                let answer = self.answer(&offer.to_sdp())?;
                self.report_first(SdpType::Answer, &answer)?;
                self.add_early_candidates();
                Ok(())
            }
            LinkCommand::Accept(answer) => self.accept(&answer.to_sdp()),
            LinkCommand::Renegotiate(step) => self.renegotiate(step),
            LinkCommand::AddCandidates(candidates) => {
                self.add_candidates(candidates);
                Ok(())
            }
            LinkCommand::Send(text) => self.send(false, text.as_bytes()),
            LinkCommand::SendBytes(bytes) => self.send(true, &bytes),
            // The owner of this connection calls `close`.
            LinkCommand::Close => Ok(()),
        }
    }

    fn renegotiate(&mut self, step: Renegotiation) -> Result<()> {
        match step {
            Renegotiation::Offer { restart } => {
                let offer = self.make_offer(restart)?;
                self.report_next(SdpType::Offer, &offer)
            }
            Renegotiation::Answer(offer) => {
                let answer = self.answer(offer.sdp())?;
                self.report_next(SdpType::Answer, &answer)?;
                self.review();
                Ok(())
            }
            Renegotiation::Accept(answer) => {
                self.accept(answer.sdp())?;
                self.review();
                Ok(())
            }
        }
    }

    fn make_offer(&mut self, restart: bool) -> Result<String> {
        let plan = self.media.plan(&self.rtc);
        let mut change = self.rtc.sdp_api();
        if self.channel.is_none() {
            self.channel = Some(change.add_channel_with_config(channel_0()));
        } else {
            self.media.offer(plan, &mut change);
            // Where there is nothing else to say, a new path is looked for: the room waits for an offer.
            if restart || !change.has_changes() {
                change.ice_restart(true);
            }
        }
        let applied = change.apply();
        let (offer, pending) = applied.ok_or(Failure("There is nothing to offer."))?;
        self.offer = Some(pending);
        Ok(offer.to_sdp_string())
    }

    fn answer(&mut self, offer: &str) -> Result<String> {
        // This abandons an offer of ours that was not answered yet.
        if self.offer.take().is_some() {
            self.media.withdrawn();
        }
        let offer = self.media.settle(&without_names(offer));
        let offer = SdpOffer::from_sdp_string(&offer)
            .map_err(|_| Failure("The remote offer cannot be parsed."))?;
        let answer = self.rtc.sdp_api().accept_offer(offer);
        let answer = answer.map_err(|_| Failure("The remote offer cannot be accepted."))?;
        if self.channel.is_none() {
            let channel = self.rtc.direct_api().create_data_channel(channel_0());
            self.channel = Some(channel);
        }
        Ok(answer.to_sdp_string())
    }

    fn accept(&mut self, answer: &str) -> Result<()> {
        let pending = self.offer.take();
        let pending = pending.ok_or(Failure("There is no offer that this answers."))?;
        let text = without_names(answer);
        let answer = SdpAnswer::from_sdp_string(&text)
            .map_err(|_| Failure("The remote answer cannot be parsed."))?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.map_err(|_| Failure("The remote answer cannot be accepted."))?;
        self.media.answered(&text);
        self.add_early_candidates();
        Ok(())
    }

    /// Reports our first description. It is complete at once, because host candidates are known from the start.
    fn report_first(&mut self, kind: SdpType, sdp: &str) -> Result<()> {
        let description = DataDescription::from_sdp(kind, sdp)
            .map_err(|_| Failure("Our description cannot be used."))?;
        self.events.push(LinkEvent::Described(description));
        Ok(())
    }

    /// Reports a description for a renegotiation.
    fn report_next(&mut self, kind: SdpType, sdp: &str) -> Result<()> {
        let description = SessionDescription::from_sdp(kind, sdp)
            .map_err(|_| Failure("Our description cannot be used."))?;
        self.events.push(LinkEvent::Renegotiating(description));
        Ok(())
    }

    fn add_early_candidates(&mut self) {
        self.described = true;
        let early = std::mem::take(&mut self.early);
        self.add_candidates(early);
    }

    fn add_candidates(&mut self, candidates: Vec<Candidate>) {
        if !self.described {
            self.early.extend(candidates);
            return;
        }
        for (index, candidate) in candidates.iter().enumerate() {
            // Candidates with names (`….local`) are skipped, and nothing is lost without them; see `without_names`.
            if let Ok(candidate) = str0m::Candidate::from_sdp_string(&candidate.to_line(index)) {
                self.rtc.add_remote_candidate(candidate);
            }
        }
    }

    fn send(&mut self, binary: bool, message: &[u8]) -> Result<()> {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        let mut channel = channel.ok_or(Failure("The channel is not open."))?;
        match channel.write(binary, message) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure("Too many bytes are waiting to be sent.")),
            Err(_) => Err(Failure("The channel is broken.")),
        }
    }

    /// Whether a datagram is for this connection.
    pub fn accepts(&self, input: &Input) -> bool {
        self.rtc.accepts(input)
    }

    /// Handles a datagram or the passing of time, and sends the datagrams that follow from it.
    pub fn handle(&mut self, input: Input, now: Instant, sockets: &Sockets) {
        self.advance(input, now, sockets);
        self.media.look(now);
        while self.media.play(&mut self.rtc, now) {
            self.advance(Input::Timeout(now), now, sockets);
        }
    }

    fn advance(&mut self, input: Input, now: Instant, sockets: &Sockets) {
        if self.rtc.handle_input(input).is_err() {
            self.fail("The connection broke.");
        }
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    break;
                }
                Ok(Output::Transmit(datagram)) => sockets.send(&datagram),
                Ok(Output::Event(event)) => self.on_event(event, now),
                Err(_) => {
                    self.fail("The connection broke.");
                    self.rtc.disconnect();
                    self.wake = now;
                    break;
                }
            }
        }
    }

    fn on_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::IceConnectionStateChange(state) => self.on_ice_state(state),
            Event::ChannelOpen(id, _) if Some(id) == self.channel => {
                self.events.push(LinkEvent::Opened)
            }
            Event::ChannelData(message) if Some(message.id) == self.channel => {
                self.events.extend(event_for(message))
            }
            Event::ChannelClose(id) if Some(id) == self.channel => self.closed(),
            Event::MediaData(data) => self.media.receive(&data, &mut self.rtc, now),
            Event::KeyframeRequest(request) => self.media.refresh(request.mid),
            Event::Closed => self.closed(),
            _ => {}
        }
    }

    /// `str0m` never reports that a path has failed. The room gives a path up when it was disconnected for too long.
    fn on_ice_state(&mut self, state: IceConnectionState) {
        let path = match state {
            IceConnectionState::Connected | IceConnectionState::Completed => Path::Connected,
            IceConnectionState::Disconnected => Path::Disconnected,
            _ => return,
        };
        if self.path.replace(path) != Some(path) {
            self.events.push(LinkEvent::Path(path));
        }
    }

    fn fail(&mut self, sentence: &str) {
        self.end(LinkEvent::Failed(sentence.to_owned()));
    }

    fn closed(&mut self) {
        self.end(LinkEvent::Closed);
    }

    fn end(&mut self, event: LinkEvent) {
        if !std::mem::replace(&mut self.ended, true) {
            self.events.push(event);
        }
    }

    /// Closes the connection after sending the datagrams that are pending.
    pub fn close(&mut self, now: Instant, sockets: &Sockets) {
        self.media.close();
        self.handle(Input::Timeout(now), now, sockets);
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
        self.handle(Input::Timeout(now), now, sockets);
    }

    /// Whether there is still something to send.
    pub fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// The time at which [`handle`](Self::handle) has to be called next.
    pub fn next_wake(&self) -> Instant {
        let media = self.media.next_wake();
        media.map_or(self.wake, |media| media.min(self.wake))
    }

    /// Takes the tracks that have begun or stopped arriving since the last call.
    pub fn take_received(&mut self) -> Vec<Received> {
        self.media.take_received()
    }

    /// The events since the last call.
    pub fn take_events(&mut self) -> impl Iterator<Item = LinkEvent> {
        std::mem::take(&mut self.events).into_iter()
    }
}

/// Both sides create channel 0 by themselves; it is ordered and reliable (docs/PROTOCOL.md, section 10).
fn channel_0() -> ChannelConfig {
    ChannelConfig {
        label: "text".to_owned(),
        negotiated: Some(0),
        ..ChannelConfig::default()
    }
}

/// The remote description without candidates that have names. Browsers hide private addresses behind names in `.local`,
/// which only their own network can resolve. They know our addresses, though, and the first connectivity check that
/// comes from them tells us theirs (RFC 8445, section 7.3.1.3).
fn without_names(sdp: &str) -> String {
    let lines = sdp.split_inclusive('\n');
    lines
        .filter(|line| !(line.starts_with("a=candidate:") && line.contains(".local ")))
        .collect()
}

/// The content of a message, unless it is too large or is not valid text.
fn event_for(message: ChannelData) -> Option<LinkEvent> {
    if message.data.len() > MAX_MESSAGE {
        return None;
    }
    if message.binary {
        return Some(LinkEvent::Bytes(message.data));
    }
    String::from_utf8(message.data).ok().map(LinkEvent::Text)
}
