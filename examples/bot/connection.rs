//! One connection: rtchat's orders become calls of `str0m`, and what it tells becomes notices.

use std::time::Instant;

use anyhow::{Context, Result, bail};
use rtchat::rtc::{Candidate, Description, LinkCommand, LinkEvent, Path, SdpType};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelData, ChannelId};
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

use crate::sockets::Sockets;

/// The largest message that is passed on, in bytes, as in the browser's adapter.
const MAX_MESSAGE: usize = 64 * 1024;

/// How many candidates are kept for a description that has not come.
const MAX_EARLY: usize = 64;

/// A peer connection in use.
pub struct Connection {
    rtc: Rtc,
    /// Channel 0.
    channel: Option<ChannelId>,
    /// The own offer, until its answer comes.
    offer: Option<SdpPendingOffer>,
    /// Whether the other side's description is known.
    described: bool,
    /// The other side's candidates that came before its description.
    early: Vec<Candidate>,
    path: Option<Path>,
    wake: Instant,
    notices: Vec<LinkEvent>,
    failed: bool,
}

impl Connection {
    /// A connection that can be reached under these candidates.
    pub fn new(mut rtc: Rtc, candidates: &[str0m::Candidate], now: Instant) -> Connection {
        for candidate in candidates {
            rtc.add_local_candidate(candidate.clone());
        }
        Connection {
            rtc,
            channel: None,
            offer: None,
            described: false,
            early: Vec::new(),
            path: None,
            wake: now,
            notices: Vec::new(),
            failed: false,
        }
    }

    pub fn order(&mut self, order: LinkCommand, now: Instant, sockets: &Sockets) {
        if let Err(error) = self.carry_out(order) {
            // The outermost sentence alone: what is below it may hold addresses.
            self.fail(error.to_string());
        }
        self.handle(Input::Timeout(now), now, sockets);
    }

    fn carry_out(&mut self, order: LinkCommand) -> Result<()> {
        match order {
            LinkCommand::Offer { restart } => self.make_offer(restart),
            LinkCommand::Answer(offer) => self.answer(&offer),
            LinkCommand::Accept(answer) => self.accept(&answer),
            LinkCommand::AddCandidates(candidates) => {
                self.add_candidates(candidates);
                Ok(())
            }
            LinkCommand::Send(text) => self.send(false, text.as_bytes()),
            LinkCommand::SendBytes(bytes) => self.send(true, &bytes),
            // Done by who owns the connection.
            LinkCommand::Close => Ok(()),
        }
    }

    fn make_offer(&mut self, restart: bool) -> Result<()> {
        let mut change = self.rtc.sdp_api();
        if self.channel.is_none() {
            self.channel = Some(change.add_channel_with_config(channel_0()));
        } else if restart {
            change.ice_restart(true);
        }
        // Without a change there is nothing to negotiate; the room then makes a new connection.
        let (offer, pending) = change.apply().context("There is nothing to offer.")?;
        self.offer = Some(pending);
        self.describe(SdpType::Offer, &offer.to_sdp_string())
    }

    fn answer(&mut self, offer: &Description) -> Result<()> {
        // An own offer that is open counts no more.
        self.offer = None;
        let offer = SdpOffer::from_sdp_string(&for_str0m(offer))
            .context("Their offer cannot be understood.")?;
        let answer = self.rtc.sdp_api().accept_offer(offer);
        let answer = answer.context("Their offer cannot be taken.")?;
        if self.channel.is_none() {
            let channel = self.rtc.direct_api().create_data_channel(channel_0());
            self.channel = Some(channel);
        }
        self.describe(SdpType::Answer, &answer.to_sdp_string())?;
        self.take_early_candidates();
        Ok(())
    }

    fn accept(&mut self, answer: &Description) -> Result<()> {
        let pending = self.offer.take().context("There is no offer to answer.")?;
        let answer = SdpAnswer::from_sdp_string(&for_str0m(answer))
            .context("Their answer cannot be understood.")?;
        let accepted = self.rtc.sdp_api().accept_answer(pending, answer);
        accepted.context("Their answer cannot be taken.")?;
        self.take_early_candidates();
        Ok(())
    }

    /// Host candidates are known from the start, so a description is whole at once.
    fn describe(&mut self, kind: SdpType, sdp: &str) -> Result<()> {
        let description =
            Description::from_sdp(kind, sdp).context("Our own description cannot be used.")?;
        self.notices.push(LinkEvent::Described(description));
        Ok(())
    }

    fn take_early_candidates(&mut self) {
        self.described = true;
        let early = std::mem::take(&mut self.early);
        self.add_candidates(early);
    }

    fn add_candidates(&mut self, candidates: Vec<Candidate>) {
        if !self.described {
            let room = MAX_EARLY.saturating_sub(self.early.len());
            self.early.extend(candidates.into_iter().take(room));
            return;
        }
        for (order, candidate) in candidates.iter().enumerate() {
            // Names (`….local`) are no addresses, and nothing is lost without them; see `for_str0m`.
            if let Ok(candidate) = str0m::Candidate::from_sdp_string(&candidate.to_line(order)) {
                self.rtc.add_remote_candidate(candidate);
            }
        }
    }

    fn send(&mut self, binary: bool, message: &[u8]) -> Result<()> {
        let channel = self.channel.and_then(|id| self.rtc.channel(id));
        let mut channel = channel.context("The channel is not open.")?;
        let sent = channel.write(binary, message);
        if !sent.context("The channel is broken.")? {
            bail!("Too much is waiting to be sent.");
        }
        Ok(())
    }

    /// Whether a datagram is for this connection.
    pub fn accepts(&self, input: &Input) -> bool {
        self.rtc.accepts(input)
    }

    /// Takes a datagram or the time in, and does what follows from it.
    pub fn handle(&mut self, input: Input, now: Instant, sockets: &Sockets) {
        if self.rtc.handle_input(input).is_err() {
            self.fail("The connection broke.".to_owned());
        }
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake = at;
                    break;
                }
                Ok(Output::Transmit(datagram)) => sockets.send(&datagram),
                Ok(Output::Event(event)) => self.happened(event),
                Err(_) => {
                    self.fail("The connection broke.".to_owned());
                    self.rtc.disconnect();
                    self.wake = now;
                    break;
                }
            }
        }
    }

    fn happened(&mut self, event: Event) {
        match event {
            Event::IceConnectionStateChange(state) => self.path_changed(state),
            Event::ChannelOpen(id, _) if Some(id) == self.channel => {
                self.notices.push(LinkEvent::Opened)
            }
            Event::ChannelData(message) if Some(message.id) == self.channel => {
                self.notices.extend(notice(message))
            }
            Event::ChannelClose(id) if Some(id) == self.channel => self.closed(),
            Event::Closed => self.closed(),
            _ => {}
        }
    }

    /// `str0m` has no word for a path that is lost for good: it hopes, and the room gives up in time.
    fn path_changed(&mut self, state: IceConnectionState) {
        let path = match state {
            IceConnectionState::Connected | IceConnectionState::Completed => Path::Connected,
            IceConnectionState::Disconnected => Path::Disconnected,
            _ => return,
        };
        if self.path.replace(path) != Some(path) {
            self.notices.push(LinkEvent::Path(path));
        }
    }

    fn fail(&mut self, sentence: String) {
        self.end(LinkEvent::Failed(sentence));
    }

    fn closed(&mut self) {
        self.end(LinkEvent::Closed);
    }

    fn end(&mut self, notice: LinkEvent) {
        if !std::mem::replace(&mut self.failed, true) {
            self.notices.push(notice);
        }
    }

    /// Says what was to be said before, then that this is the end.
    pub fn close(&mut self, now: Instant, sockets: &Sockets) {
        self.handle(Input::Timeout(now), now, sockets);
        if self.rtc.close().is_err() {
            self.rtc.disconnect();
        }
        self.handle(Input::Timeout(now), now, sockets);
    }

    /// Whether it has still something to say.
    pub fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// When there is something to do.
    pub fn next_wake(&self) -> Instant {
        self.wake
    }

    /// What it told since the last time.
    pub fn take_notices(&mut self) -> impl Iterator<Item = LinkEvent> {
        std::mem::take(&mut self.notices).into_iter()
    }
}

/// Channel 0 is negotiated by both sides, ordered and reliable (docs/PROTOCOL.md, section 10).
fn channel_0() -> ChannelConfig {
    ChannelConfig {
        label: "text".to_owned(),
        negotiated: Some(0),
        ..ChannelConfig::default()
    }
}

/// Their description without names. Behind `….local` browsers hide private addresses, and only their own network can
/// resolve them. They know our addresses: the first check from there tells us theirs (RFC 8445, section 7.3.1.3).
fn for_str0m(description: &Description) -> String {
    let sdp = description.to_sdp();
    let lines = sdp.split_inclusive('\n');
    lines
        .filter(|line| !(line.starts_with("a=candidate:") && line.contains(".local ")))
        .collect()
}

/// What a message holds, unless it is too large or not the text that it should be.
fn notice(message: ChannelData) -> Option<LinkEvent> {
    if message.data.len() > MAX_MESSAGE {
        return None;
    }
    if message.binary {
        return Some(LinkEvent::Bytes(message.data));
    }
    String::from_utf8(message.data).ok().map(LinkEvent::Text)
}
