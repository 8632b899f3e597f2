//! Routes inputs, effects and timers to the machines. Nothing is decided here.

use super::timer::ChannelTimer;
use super::*;
use crate::wire::frame::ChatFrame;

impl Room {
    /// Sets the time. After a sleep of this computer, no peer is given up for a silence that was ours.
    pub(super) fn advance(&mut self, now: Millis) {
        let slept = now.since(self.cx.now) > SLEEP_THRESHOLD;
        self.cx.now = self.cx.now.max(now);
        if slept {
            #[cfg(feature = "files")]
            self.files.all_files_moved(&mut self.cx);
            self.links.woke(&mut self.cx);
        }
    }

    /// Tries again at once what waits for its time: people who are silent, or others where nobody is.
    pub(super) fn resume(&mut self) {
        self.links.probe_all(&mut self.cx);
        if self.members.is_alone(&self.links, &self.cx) {
            self.signaling.look_now(&mut self.cx);
        }
    }

    /// Returns who else is here, as far as it decides when we announce ourselves.
    pub(super) fn company(&self) -> Company {
        Company {
            present: self.links.connected().next().is_some(),
            incomplete: self.links.is_anybody_missed(),
            full: self.members.is_full(),
        }
    }

    /// Carries out the effects in the queue, in order, until none is left.
    pub(super) fn route(&mut self) {
        while let Some(effect) = self.cx.next_effect() {
            self.on_effect(effect);
        }
    }

    fn on_effect(&mut self, effect: Effect) {
        let cx = &mut self.cx;
        match effect {
            Effect::Peer(peer, event) => self.on_peer(peer, &event),
            Effect::Send(peer, frame) => self.links.send(&peer, &frame, cx),
            Effect::SendAll(frame) => self.links.send_to_all(&frame, cx),
            Effect::Stream(peer, message) => {
                self.channels.push(peer, message, None, &self.links, cx);
            }
            Effect::Reply(peer, message) => self.channels.reply(peer, message, &self.links, cx),
            Effect::Introduce(peer, connect) => self.on_introduction(peer, &connect),
            Effect::Entry(peer, frame) => {
                self.conversations
                    .on_entry_frame(peer, frame, &self.members, cx);
            }
            Effect::Dropped(peer, reason) => self.channels.on_dropped(peer, reason, cx),
            Effect::Question(peer, frame) => self.questions.on_frame(peer, frame, cx),
            Effect::File(peer, frame) => self.files.on_frame(peer, frame, &self.links, cx),
            Effect::Attached(said) => {
                self.attachments
                    .on_attached(*said, &self.members, &self.links, cx);
            }
            Effect::Detached(id) => self.attachments.on_detached(id, cx),
            Effect::Deleted(deletion) => self.calls.on_deletion(&deletion, cx),
            #[cfg(feature = "attachments")]
            Effect::Transfer(command, hash) => {
                self.files
                    .on_command(command, hash, &self.channels, &self.links, cx);
            }
            #[cfg(feature = "attachments")]
            Effect::Transferred(hash, event) => {
                self.attachments
                    .on_transfer(hash, event, &self.members, &self.links, cx);
            }
            Effect::Signal(peer, outgoing) => {
                let full = self.members.is_full();
                let fresh = self.members.freshness(&peer);
                if let Some(pair) = self.members.pair(&peer) {
                    self.signaling.send(peer, pair, fresh, outgoing, full, cx);
                }
            }
            Effect::Announce => self.signaling.announce_soon(cx),
            Effect::ReleaseEarly(peer) => {
                for (carrier, envelope) in self.signaling.release_early(peer) {
                    self.on_envelope(carrier, &envelope);
                }
            }
            Effect::Accepted(peer) => self.links.accepted(peer, &self.members, cx),
            Effect::Declined(peer) => self.links.declined(&peer, cx),
            Effect::Probe(peer) => self.links.probe(peer, cx),
            Effect::ExpectAnswer(peer) => self.links.expect_answer(peer, cx),
            Effect::ChunksSent(peer) => self.links.chunks_sent(peer, cx),
            Effect::OfferSent(peer, sent) => self.links.on_offer_sent(peer, sent, &self.members),
            Effect::Proven(peer, proof) => self.members.proven(&peer, *proof, cx),
            Effect::NotProven(peer, reason) => {
                self.members.not_proven(&peer, reason, &self.links, cx);
            }
            Effect::RemoveClosed(peer) => {
                if let Some(gone) = self.members.remove_closed(&peer, cx) {
                    cx.peer(peer, gone);
                }
            }
            Effect::Remove(peer, reason) => {
                if let Some(gone) = self.members.remove(&peer, reason, cx) {
                    cx.peer(peer, gone);
                }
            }
        }
    }

    /// Tells every machine what happened to a peer. This is the one fan-out.
    fn on_peer(&mut self, peer: PeerId, event: &PeerEvent) {
        let cx = &mut self.cx;
        self.signaling.on_peer(peer, event, cx);
        self.links.on_peer(peer, event, &self.members, cx);
        self.members.on_peer(peer, event, &self.links, cx);
        self.channels.on_peer(peer, event, &self.links, cx);
        self.calls
            .on_peer(peer, event, &self.members, &self.links, cx);
        self.questions.on_peer(peer, event, cx);
        self.files.on_peer(peer, event, &self.links, cx);
        self.attachments
            .on_peer(peer, event, &self.members, &self.links, cx);
        self.conversations.on_peer(peer, event, &self.members, cx);
        self.presence.on_peer(peer, event, cx);
        self.activities.on_peer(peer, event, cx);
    }

    pub(super) fn on_message(&mut self, carrier: Carrier, topic: &str, payload: &[u8]) {
        match self.signaling.open(carrier, topic, payload, &mut self.cx) {
            Ok(Some(envelope)) => self.on_envelope(carrier, &envelope),
            Ok(None) => self.cx.counters.received(),
            Err(reason) => self.cx.dropped_from(carrier, reason),
        }
    }

    fn on_envelope(&mut self, carrier: Carrier, envelope: &Envelope) {
        for body in &envelope.bodies {
            let via = Via {
                carrier,
                signaling: &self.signaling,
                links: &self.links,
            };
            let cx = &mut self.cx;
            match self.members.receive(envelope, body, via, cx) {
                Ok(received) => {
                    cx.received(carrier);
                    self.on_received(carrier, received);
                }
                Err(reason) => cx.dropped_from(carrier, reason),
            }
        }
    }

    /// Handles an announcement that a member passed on. Its peer has not heard of us, so we offer.
    fn on_introduction(&mut self, peer: PeerId, connect: &Connect) {
        let via = Via {
            carrier: Carrier::Peer(peer),
            signaling: &self.signaling,
            links: &self.links,
        };
        let cx = &mut self.cx;
        match self.members.on_connect(connect, via, cx) {
            Ok(received) => self.links.on_received(received, false, &self.members, cx),
            Err(reason) => cx.dropped(reason),
        }
    }

    fn on_received(&mut self, carrier: Carrier, received: Received) {
        let cx = &mut self.cx;
        match received {
            Received::Full => self.signaling.peer_is_full(cx),
            Received::Leave(peer) => cx.effect(Effect::Remove(peer, GoneReason::Left)),
            Received::Early(envelope) => self.signaling.keep_early(carrier, *envelope, cx),
            received => {
                let will_be_heard = self.signaling.will_be_heard();
                self.links
                    .on_received(received, will_be_heard, &self.members, cx);
            }
        }
    }

    /// Handles a signature that was requested.
    pub(super) fn on_signed(&mut self, ticket: u32, signature: Signature) {
        let cx = &mut self.cx;
        match cx.signed(ticket) {
            Some(SignFor::Connect) => {
                let full = self.members.is_full();
                self.signaling.on_connect_signed(signature, full, cx);
            }
            Some(SignFor::Verify(peer, connection)) => {
                self.links.on_verify_signed(peer, connection, signature, cx);
            }
            Some(SignFor::Entry(request)) => {
                let (members, links) = (&self.members, &self.links);
                self.conversations
                    .on_signed(request, signature, members, links, cx);
            }
            None => {}
        }
    }

    /// Handles that something was not signed. An announcement or a proof that stays without a signature does not come.
    pub(super) fn on_not_signed(&mut self, ticket: u32) {
        let cx = &mut self.cx;
        if let Some(SignFor::Entry(request)) = cx.signed(ticket) {
            self.conversations.on_not_signed(request, cx);
        }
    }

    pub(super) fn on_link(&mut self, connection: ConnectionId, event: LinkEvent) {
        let cx = &mut self.cx;
        let peer = self.links.peer_of(connection);
        let expects = peer.is_some_and(|peer| self.calls.expects_offer(&peer, cx.now));
        let message = self.links.on_event(connection, event, expects, cx);
        if let Some(ChannelMessage::Text(peer, _) | ChannelMessage::Bytes(peer, _)) = &message {
            cx.source = Some(*peer);
        }
        match message {
            Some(ChannelMessage::Text(peer, text)) => {
                let frame = self.channels.on_text(peer, &text, &self.links, cx);
                if let Some(frame) = frame {
                    self.on_frame(peer, frame);
                }
            }
            Some(ChannelMessage::Bytes(peer, bytes)) => self.channels.on_bytes(peer, &bytes, cx),
            None => {}
        }
    }

    fn on_frame(&mut self, peer: PeerId, frame: Frame) {
        let cx = &mut self.cx;
        match frame {
            Frame::Link(LinkFrame::Ping { id }) => self.channels.on_ping(peer, id, cx),
            Frame::Link(LinkFrame::Pong { id }) => self.channels.on_pong(peer, id, cx),
            Frame::Link(LinkFrame::Leave) => cx.effect(Effect::Remove(peer, GoneReason::Left)),
            Frame::Link(frame) => {
                let limits = self.calls.limits(&peer);
                self.links.on_frame(peer, frame, &limits, cx);
            }
            Frame::Call(frame) => {
                self.calls
                    .on_frame(peer, frame, &self.members, &self.links, cx);
            }
            Frame::People(PeopleFrame::Profile { name }) => self.members.rename(&peer, &name, cx),
            Frame::People(frame) => {
                let (members, links, signaling) = (&self.members, &self.links, &self.signaling);
                self.presence
                    .on_frame(peer, frame, members, links, signaling, cx);
            }
            Frame::Attachment(frame) => {
                self.attachments
                    .on_frame(peer, frame, &self.members, &self.links, cx);
            }
            Frame::Chat(ChatFrame::Activity { away }) => {
                self.activities.on_frame(peer, away, cx);
            }
            Frame::Chat(frame) => self.conversations.on_frame(peer, frame, &self.members, cx),
            // Chunks of the stream, and acknowledgements, do not come here.
            Frame::Question(_)
            | Frame::Entry(_)
            | Frame::File(_)
            | Frame::Ack(_)
            | Frame::Part(_)
            | Frame::Unknown => {}
        }
    }

    pub(super) fn on_command(&mut self, command: Command) {
        let cx = &mut self.cx;
        match command {
            Command::Chat(command) => {
                self.conversations
                    .on_command(command, &self.members, &self.links, cx);
            }
            Command::People(PeopleCommand::Retry(peer)) => {
                self.links.retry(peer, &self.members, cx);
            }
            Command::People(PeopleCommand::Listen(peer)) => {
                if self.channels.listen(&peer, cx) {
                    self.conversations
                        .ask_for_last_pages(peer, &self.members, cx);
                }
            }
            Command::Call(command) => {
                self.calls
                    .on_command(command, &self.members, &self.links, cx);
            }
            Command::People(command) => self.members.on_command(command, &self.links, cx),
            Command::App(command @ (AppCommand::Send { .. } | AppCommand::Ping { .. })) => {
                self.channels.on_command(command, &self.links, cx);
            }
            Command::App(command) => self.questions.on_command(command, &self.channels, cx),
            #[cfg(feature = "files")]
            Command::File(command) => {
                self.files
                    .on_command(command, None, &self.channels, &self.links, cx);
            }
            #[cfg(feature = "attachments")]
            Command::Attachment(command) => {
                self.attachments
                    .on_command(command, &self.members, &self.links, cx);
            }
            Command::Rename(name) => {
                cx.rename(name);
                let full = self.members.is_full();
                self.signaling.renew(full, cx);
            }
            Command::Leave => self.leave(),
        }
    }

    pub(super) fn on_timer(&mut self, timer: Timer) {
        let company = self.company();
        let cx = &mut self.cx;
        match timer {
            Timer::Signaling(timer) => self.signaling.on_timer(timer, company, cx),
            Timer::Link(timer) => self.links.on_timer(timer, &self.members, cx),
            Timer::Channel(ChannelTimer::Ack(peer)) => self.channels.acknowledge(peer, cx),
            Timer::Channel(ChannelTimer::Unreadable(peer)) => self.channels.tell(peer, cx),
            Timer::Channel(ChannelTimer::Answers) => self.questions.on_timer(cx),
            Timer::Members => self.members.sweep(&self.links, cx),
            Timer::Conversation(timer) => {
                self.conversations.on_timer(timer, &self.members, cx);
            }
            Timer::Presence(timer) => {
                self.presence
                    .on_timer(timer, &self.members, &self.links, cx);
            }
            Timer::Calls => self.calls.on_timer(&self.members, &self.links, cx),
            Timer::Away => self.activities.on_timer(cx),
            #[cfg(feature = "files")]
            Timer::Files(peer) => self.files.check_files(peer, &self.links, cx),
            #[cfg(feature = "attachments")]
            Timer::Attachments => {
                self.attachments.on_timer(&self.members, &self.links, cx);
            }
        }
    }

    fn leave(&mut self) {
        let cx = &mut self.cx;
        self.links.send_to_all(&Frame::Link(LinkFrame::Leave), cx);
        self.signaling.say_leave(cx);
        // Nobody is told that messages were not delivered because we left.
        self.conversations.clear(&cx.own.key);
        self.calls.clear(cx);
        for peer in self.members.clear() {
            cx.peer(
                peer,
                PeerEvent::Gone {
                    until: Millis(u64::MAX),
                    proven: true,
                },
            );
        }
        self.route();
        self.left = true;
        self.cx.timers = Default::default();
        self.cx.event(Event::Status(Status::Left));
    }

    /// Answers a command that came after the room was left.
    pub(super) fn refuse(&mut self, command: Command) {
        let cx = &mut self.cx;
        match command {
            Command::App(AppCommand::Send { token, .. } | AppCommand::Ping { token, .. }) => {
                channel::send_failed(token, SendError::Gone, cx);
            }
            Command::App(AppCommand::Ask { token, peer, .. }) => {
                channel::questions::answered(token, peer, Err(AskError::Gone), cx);
            }
            #[cfg(feature = "files")]
            Command::File(command) => self.files.refuse(command, cx),
            _ => {}
        }
    }

    /// Reports what has changed for people to see.
    pub(super) fn show(&mut self) {
        if self.left || !core::mem::take(&mut self.cx.changed) {
            return;
        }
        self.members
            .show(&self.links, &self.channels, &self.activities, &mut self.cx);
        let alone = self.links.connected().next().is_none();
        let seen = Seen {
            broker: self.signaling.shown_broker(),
            shut_out: alone && self.signaling.others_are_full(self.cx.now),
            retry_at: self.signaling.next_look(&self.cx),
        };
        let status = self.members.status(seen, &self.links, &self.cx);
        if self.status != Some(status) {
            self.status = Some(status);
            self.cx.event(Event::Status(status));
        }
    }
}
