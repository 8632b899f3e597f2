//! One peer connection: the commands that wait for it, and the browser's events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{AbortHandle, abortable};
use js_sys::{ArrayBuffer, JsString, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcIceCandidateInit,
    RtcIceGatheringState, RtcOfferOptions, RtcPeerConnection, RtcPeerConnectionIceEvent,
    RtcPeerConnectionState, RtcSdpType, RtcSessionDescriptionInit,
};

use super::super::gathering::{Expected, Gathering, Next};
use super::super::{
    Candidate, CommandQueue, ConnectionId, DataDescription, LinkCommand, LinkEvent, Path,
    Renegotiation, SdpType, SessionDescription,
};
use super::{Shared, SpareConnection, WebError, refused, time};

/// The size limit of a message that is passed on, in bytes. Larger ones are dropped.
const MAX_MESSAGE: usize = 64 * 1024;

/// Sending fails while more than this many bytes wait in the browser to be sent.
const MAX_BUFFERED: u32 = 8 * 1024 * 1024;

type Handler = Closure<dyn Fn(Event)>;

/// A peer connection in use.
pub(super) struct Connection {
    id: ConnectionId,
    shared: Rc<Shared>,
    peer: RtcPeerConnection,
    channel: RtcDataChannel,
    /// The handler of all events of the connection and of its channel.
    handler: RefCell<Option<Handler>>,
    queue: RefCell<CommandQueue>,
    /// The handle of the task that works through the queue, while it runs.
    work: RefCell<Option<AbortHandle>>,
    gathering: RefCell<Gathering>,
    /// Tells the task that creates a description that the description may be sent.
    ready: RefCell<Option<oneshot::Sender<()>>>,
    /// The other side's candidates that arrived before its description. The queue limits their number.
    early: RefCell<Vec<Candidate>>,
    path: Cell<Option<Path>>,
    opened: Cell<bool>,
    closed: Cell<bool>,
}

impl Connection {
    pub fn new(id: ConnectionId, spare: SpareConnection, shared: &Rc<Shared>) -> Rc<Connection> {
        let SpareConnection { peer, channel } = spare;
        let connection = Rc::new(Connection {
            id,
            shared: shared.clone(),
            peer,
            channel,
            handler: RefCell::default(),
            queue: RefCell::default(),
            work: RefCell::default(),
            gathering: RefCell::default(),
            ready: RefCell::default(),
            early: RefCell::default(),
            path: Cell::default(),
            opened: Cell::default(),
            closed: Cell::default(),
        });
        let weak = Rc::downgrade(&connection);
        let handler = Handler::new(move |event| {
            if let Some(connection) = weak.upgrade() {
                connection.on_event(event);
            }
        });
        connection.attach(Some(handler.as_ref().unchecked_ref()));
        connection.handler.replace(Some(handler));
        connection
    }

    fn attach(&self, handler: Option<&js_sys::Function>) {
        self.peer.set_onicecandidate(handler);
        self.peer.set_onicegatheringstatechange(handler);
        self.peer.set_onconnectionstatechange(handler);
        self.peer.set_onnegotiationneeded(handler);
        self.channel.set_onopen(handler);
        self.channel.set_onmessage(handler);
        self.channel.set_onclose(handler);
    }

    /// Closes the connection at once, and aborts any work. Nothing is reported afterwards.
    pub fn close(&self) {
        self.closed.set(true);
        self.queue.borrow_mut().clear();
        if let Some(work) = self.work.take() {
            work.abort();
        }
        self.attach(None);
        self.peer.close();
        // A handler that is dropped while it runs lives on until it returns.
        self.handler.take();
    }

    pub fn peer(&self) -> &RtcPeerConnection {
        &self.peer
    }

    pub fn buffered(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// Carries out a command after those before it.
    pub fn command(self: &Rc<Self>, command: LinkCommand) {
        let idle = self.work.borrow().is_none();
        if idle && let LinkCommand::Send(_) | LinkCommand::SendBytes(_) = &command {
            if let Err(error) = self.send(&command) {
                self.report_later(LinkEvent::Failed(error.to_string()));
            }
            return;
        }
        let pushed = self.queue.borrow_mut().push(command);
        if let Err(limit) = pushed {
            self.report_later(LinkEvent::Exceeded(limit));
        }
        if idle {
            let (work, handle) = abortable(self.clone().work_through());
            self.work.replace(Some(handle));
            spawn_local(async move {
                // It is aborted when the connection is closed, because a closed connection never settles its promises.
                let _ = work.await;
            });
        }
    }

    async fn work_through(self: Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop();
            let Some(command) = next else { break };
            if let Err(error) = self.carry_out(command).await {
                self.report(LinkEvent::Failed(error.to_string()));
            }
        }
        self.work.take();
    }

    async fn carry_out(self: &Rc<Self>, command: LinkCommand) -> Result<(), WebError> {
        match command {
            // The connection was created accordingly.
            LinkCommand::GatherAnew => {}
            LinkCommand::Offer => {
                let offer = self.make_offer(false).await?;
                self.report_first(SdpType::Offer, &offer)?;
            }
            LinkCommand::Answer(offer) => {
                self.take_offer(&offer.to_sdp()).await?;
                let answer = self.make_answer().await?;
                self.report_first(SdpType::Answer, &answer)?;
            }
            LinkCommand::Accept(answer) => self.take_answer(&answer.to_sdp()).await?,
            LinkCommand::Renegotiate(step) => self.renegotiate(step).await?,
            LinkCommand::AddCandidates(candidates) => self.add_candidates(candidates).await,
            LinkCommand::Send(_) | LinkCommand::SendBytes(_) => self.send(&command)?,
            LinkCommand::Close => self.close(),
        }
        Ok(())
    }

    async fn renegotiate(self: &Rc<Self>, step: Renegotiation) -> Result<(), WebError> {
        // Before the channel is open, there is no proof that a description could be bound to.
        if !self.opened.get() {
            return Err(WebError::NotOpen);
        }
        match step {
            Renegotiation::Offer { restart } => {
                let offer = self.make_offer(restart).await?;
                self.report_next(SdpType::Offer, &offer)
            }
            Renegotiation::Answer(offer) => {
                self.take_offer(offer.sdp()).await?;
                self.shared.settle_media(&self.peer);
                let answer = self.make_answer().await?;
                self.report_next(SdpType::Answer, &answer)
            }
            Renegotiation::Accept(answer) => self.take_answer(answer.sdp()).await,
        }
    }

    async fn make_offer(self: &Rc<Self>, restart: bool) -> Result<String, WebError> {
        let options = RtcOfferOptions::new();
        options.set_ice_restart(restart);
        let offer = settled(
            self.peer.create_offer_with_rtc_offer_options(&options),
            "make an offer",
        )
        .await?;
        self.describe(offer).await
    }

    async fn make_answer(self: &Rc<Self>) -> Result<String, WebError> {
        let answer = settled(self.peer.create_answer(), "make an answer").await?;
        self.describe(answer).await
    }

    /// Sets the local description, waits for its first candidates, and returns its text.
    async fn describe(self: &Rc<Self>, made: JsValue) -> Result<String, WebError> {
        let before = self.ice_ufrag();
        self.gathering.borrow_mut().restart();
        let set = self.peer.set_local_description(made.unchecked_ref());
        settled(set, "set its own description").await?;
        let anew = before.is_none() || before != self.ice_ufrag();
        let (ready, described) = oneshot::channel();
        self.ready.replace(Some(ready));
        let next = self.gathering.borrow_mut().set(anew, self.expected());
        self.follow(next);
        // An error would mean that the sender is gone, and with it the reason to wait.
        let _ = described.await;
        if anew {
            self.shared.hosts.set(self.gathering.borrow().hosts());
        }
        let local = self.peer.local_description();
        Ok(local.ok_or(WebError::Description)?.sdp())
    }

    /// Reports the first description, reduced to its known fields.
    fn report_first(self: &Rc<Self>, kind: SdpType, sdp: &str) -> Result<(), WebError> {
        let description =
            DataDescription::from_sdp(kind, sdp).map_err(|_| WebError::Description)?;
        let sent = description.candidates().to_vec();
        self.report_description(LinkEvent::Described(description), sent);
        Ok(())
    }

    /// Reports a description for a renegotiation.
    fn report_next(self: &Rc<Self>, kind: SdpType, sdp: &str) -> Result<(), WebError> {
        let description =
            SessionDescription::from_sdp(kind, sdp).map_err(|_| WebError::Description)?;
        let sent = description.candidates().to_vec();
        self.report_description(LinkEvent::Renegotiating(description), sent);
        Ok(())
    }

    fn report_description(self: &Rc<Self>, event: LinkEvent, sent: Vec<Candidate>) {
        let next = self.gathering.borrow_mut().described(sent);
        self.follow(next);
        self.report(event);
    }

    fn ice_ufrag(&self) -> Option<String> {
        let sdp = self.peer.local_description()?.sdp();
        let ufrag = sdp.lines().find(|line| line.starts_with("a=ice-ufrag:"))?;
        Some(ufrag.to_owned())
    }

    fn expected(&self) -> Expected {
        Expected {
            hosts: self.shared.hosts.get(),
            servers: self.shared.has_servers,
        }
    }

    /// Carries out the next step of the gathering.
    fn follow(self: &Rc<Self>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Describe => {
                if let Some(ready) = self.ready.take() {
                    // The task that waited may have been aborted.
                    let _ = ready.send(());
                }
            }
            Next::Pause(turn, millis) => {
                let connection = Rc::downgrade(self);
                spawn_local(async move {
                    time::pause(millis).await;
                    if let Some(connection) = connection.upgrade() {
                        let next = connection.gathering.borrow_mut().elapsed(turn);
                        connection.follow(next);
                    }
                });
            }
            Next::Report(late) => {
                for candidates in late {
                    self.report(LinkEvent::Candidates(candidates));
                }
            }
        }
    }

    async fn take_offer(&self, sdp: &str) -> Result<(), WebError> {
        let what = "take the other side's offer";
        self.take_description(RtcSdpType::Offer, sdp, what).await
    }

    async fn take_answer(&self, sdp: &str) -> Result<(), WebError> {
        let what = "take the other side's answer";
        self.take_description(RtcSdpType::Answer, sdp, what).await
    }

    /// Sets the other side's description, which rolls back an open offer of ours, and adds the candidates that arrived
    /// before it.
    async fn take_description(
        &self,
        kind: RtcSdpType,
        sdp: &str,
        what: &'static str,
    ) -> Result<(), WebError> {
        let init = RtcSessionDescriptionInit::new(kind);
        init.set_sdp(sdp);
        settled(self.peer.set_remote_description(&init), what).await?;
        let early = self.early.take();
        self.add_candidates(early).await;
        Ok(())
    }

    /// Adds candidates. A candidate that the browser refuses is not reported, because the others may suffice.
    async fn add_candidates(&self, candidates: Vec<Candidate>) {
        if self.peer.remote_description().is_none() {
            self.early.borrow_mut().extend(candidates);
            return;
        }
        let mut added = Vec::new();
        for (order, candidate) in candidates.iter().enumerate() {
            let init = RtcIceCandidateInit::new(&candidate.to_line(order));
            // Everything is bundled into the first section.
            init.set_sdp_m_line_index(Some(0));
            added.push(
                self.peer
                    .add_ice_candidate_with_opt_rtc_ice_candidate_init(Some(&init)),
            );
        }
        for promise in added {
            let _ = settled(promise, "add a candidate").await;
        }
    }

    fn send(&self, message: &LinkCommand) -> Result<(), WebError> {
        if self.channel.ready_state() != RtcDataChannelState::Open {
            return Err(WebError::NotOpen);
        }
        if self.channel.buffered_amount() > MAX_BUFFERED {
            return Err(WebError::Congested);
        }
        let sent = match message {
            LinkCommand::Send(text) => self.channel.send_with_str(text),
            LinkCommand::SendBytes(bytes) => self.channel.send_with_u8_array(bytes),
            _ => Ok(()),
        };
        sent.map_err(refused("send"))
    }

    fn report(&self, event: LinkEvent) {
        if !self.closed.get() {
            (self.shared.notify)(self.id, event);
        }
    }

    /// Reports an event outside of the current call, as [`Notify`](super::Notify) requires.
    fn report_later(self: &Rc<Self>, event: LinkEvent) {
        let connection = self.clone();
        spawn_local(async move { connection.report(event) });
    }

    fn on_event(self: &Rc<Self>, event: Event) {
        match event.type_().as_str() {
            "icecandidate" => self.candidate_found(&event),
            "icegatheringstatechange"
                if self.peer.ice_gathering_state() == RtcIceGatheringState::Complete =>
            {
                let next = self.gathering.borrow_mut().complete();
                self.follow(next);
            }
            "connectionstatechange" => self.path_changed(),
            // The first exchange happens in any case.
            "negotiationneeded" if self.peer.remote_description().is_some() => {
                self.report(LinkEvent::NegotiationNeeded)
            }
            "open" if !self.opened.replace(true) => self.report(LinkEvent::Opened),
            "message" => {
                if let Some(message) = event.dyn_ref::<MessageEvent>().and_then(message) {
                    self.report(message);
                }
            }
            "close" => self.report(LinkEvent::Closed),
            _ => {}
        }
    }

    fn candidate_found(self: &Rc<Self>, event: &Event) {
        let found = event
            .dyn_ref::<RtcPeerConnectionIceEvent>()
            .and_then(|event| event.candidate());
        if let Some(candidate) = found.and_then(|found| Candidate::parse(&found.candidate())) {
            let expected = self.expected();
            let next = self.gathering.borrow_mut().found(candidate, expected);
            let hosts = self.gathering.borrow().hosts().max(expected.hosts);
            self.shared.hosts.set(hosts);
            self.follow(next);
        }
    }

    fn path_changed(&self) {
        let path = match self.peer.connection_state() {
            RtcPeerConnectionState::Connected => Path::Connected,
            RtcPeerConnectionState::Disconnected => Path::Disconnected,
            RtcPeerConnectionState::Failed => Path::Lost,
            _ => return,
        };
        if self.path.replace(Some(path)) != Some(path) {
            self.report(LinkEvent::Path(path));
        }
    }
}

/// Reads the content of a message, unless it is too large.
fn message(event: &MessageEvent) -> Option<LinkEvent> {
    let data = event.data();
    if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
        let fits = buffer.byte_length() as usize <= MAX_MESSAGE;
        return fits.then(|| LinkEvent::Bytes(Uint8Array::new(buffer).to_vec()));
    }
    // Measured before it is copied: some browsers take messages of a gigabyte. Each unit is at least one byte.
    let text = data.dyn_ref::<JsString>();
    let text = text.filter(|text| text.length() as usize <= MAX_MESSAGE)?;
    let text = String::from(text);
    (text.len() <= MAX_MESSAGE).then_some(LinkEvent::Text(text))
}

/// Waits for the result of a promise. By the definition of WebIDL, methods that return promises do not throw.
pub(super) async fn settled(promise: Promise, what: &'static str) -> Result<JsValue, WebError> {
    JsFuture::from(promise).await.map_err(refused(what))
}
