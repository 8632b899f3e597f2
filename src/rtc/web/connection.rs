//! One peer connection: its queue of orders, and the browser's events.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{AbortHandle, abortable};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Event, MessageEvent, RtcDataChannel, RtcDataChannelState, RtcIceCandidateInit,
    RtcIceGatheringState, RtcOfferOptions, RtcPeerConnection, RtcPeerConnectionIceEvent,
    RtcPeerConnectionState, RtcSdpType, RtcSessionDescriptionInit,
};

use super::super::gathering::{Expected, Gathering, Next};
use super::super::{Candidate, ConnectionId, Description, LinkCommand, LinkEvent, Path, SdpType};
use super::{Bare, House, WebError, refused, time};

/// The largest message that is passed on, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

/// How many bytes may wait to be sent.
const MAX_BUFFERED: u32 = 8 * 1024 * 1024;

/// How many candidates are kept for a description that has not come.
const MAX_EARLY: usize = 64;

type Handler = Closure<dyn Fn(Event)>;

/// A peer connection in use.
pub(super) struct Connection {
    id: ConnectionId,
    house: Rc<House>,
    peer: RtcPeerConnection,
    channel: RtcDataChannel,
    /// Every event of the connection and of its channel comes through here.
    handler: RefCell<Option<Handler>>,
    queue: RefCell<VecDeque<LinkCommand>>,
    /// Of the task that works through the queue, while it does.
    work: RefCell<Option<AbortHandle>>,
    gathering: RefCell<Gathering>,
    /// Whom to tell that the local description may leave.
    ripe: RefCell<Option<oneshot::Sender<()>>>,
    /// The other side's candidates that came before its description.
    early: RefCell<Vec<Candidate>>,
    path: Cell<Option<Path>>,
    opened: Cell<bool>,
    closed: Cell<bool>,
}

impl Connection {
    pub fn new(id: ConnectionId, bare: Bare, house: &Rc<House>) -> Rc<Connection> {
        let Bare { peer, channel } = bare;
        let connection = Rc::new(Connection {
            id,
            house: house.clone(),
            peer,
            channel,
            handler: RefCell::default(),
            queue: RefCell::default(),
            work: RefCell::default(),
            gathering: RefCell::default(),
            ripe: RefCell::default(),
            early: RefCell::default(),
            path: Cell::default(),
            opened: Cell::default(),
            closed: Cell::default(),
        });
        let weak = Rc::downgrade(&connection);
        let handler = Handler::new(move |event| {
            if let Some(connection) = weak.upgrade() {
                connection.happened(event);
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

    /// Closes at once, whatever is being done. Nothing is told afterwards.
    pub fn close(&self) {
        self.closed.set(true);
        self.queue.take();
        if let Some(work) = self.work.take() {
            work.abort();
        }
        self.attach(None);
        self.peer.close();
        // Dropped while it runs, it lives on until it returns.
        self.handler.take();
    }

    #[cfg(feature = "files")]
    pub fn peer(&self) -> &RtcPeerConnection {
        &self.peer
    }

    pub fn buffered(&self) -> u32 {
        self.channel.buffered_amount()
    }

    /// Takes an order, to be carried out after those before it.
    pub fn order(self: &Rc<Self>, order: LinkCommand) {
        let idle = self.work.borrow().is_none();
        if idle && let LinkCommand::Send(_) | LinkCommand::SendBytes(_) = &order {
            if let Err(error) = self.send(&order) {
                let connection = self.clone();
                spawn_local(async move { connection.tell(LinkEvent::Failed(error.to_string())) });
            }
            return;
        }
        self.queue.borrow_mut().push_back(order);
        if idle {
            let (work, handle) = abortable(self.clone().work_through());
            self.work.replace(Some(handle));
            spawn_local(async move {
                // Aborted when the connection is closed: a closed one never settles the promises it gave.
                let _ = work.await;
            });
        }
    }

    async fn work_through(self: Rc<Self>) {
        loop {
            let next = self.queue.borrow_mut().pop_front();
            let Some(order) = next else { break };
            if let Err(error) = self.carry_out(order).await {
                self.tell(LinkEvent::Failed(error.to_string()));
            }
        }
        self.work.take();
    }

    async fn carry_out(self: &Rc<Self>, order: LinkCommand) -> Result<(), WebError> {
        match order {
            LinkCommand::Offer { restart } => {
                let offer = self.offer(restart).await?;
                self.tell(LinkEvent::Described(offer));
            }
            LinkCommand::Answer(offer) => {
                self.take_description(&offer, "take the other side's offer")
                    .await?;
                let answer = self.answer().await?;
                self.tell(LinkEvent::Described(answer));
            }
            LinkCommand::Accept(answer) => {
                self.take_description(&answer, "take the other side's answer")
                    .await?
            }
            LinkCommand::AddCandidates(candidates) => self.add_candidates(candidates).await,
            LinkCommand::Send(_) | LinkCommand::SendBytes(_) => self.send(&order)?,
            LinkCommand::Close => self.close(),
        }
        Ok(())
    }

    async fn offer(self: &Rc<Self>, restart: bool) -> Result<Description, WebError> {
        let options = RtcOfferOptions::new();
        options.set_ice_restart(restart);
        let offer = settled(
            self.peer.create_offer_with_rtc_offer_options(&options),
            "make an offer",
        )
        .await?;
        self.describe(SdpType::Offer, offer).await
    }

    async fn answer(self: &Rc<Self>) -> Result<Description, WebError> {
        let answer = settled(self.peer.create_answer(), "make an answer").await?;
        self.describe(SdpType::Answer, answer).await
    }

    /// Sets the local description and waits for its first candidates.
    async fn describe(
        self: &Rc<Self>,
        kind: SdpType,
        made: JsValue,
    ) -> Result<Description, WebError> {
        let before = self.ice_ufrag();
        self.gathering.borrow_mut().restart();
        let set = self.peer.set_local_description(made.unchecked_ref());
        settled(set, "set its own description").await?;
        let anew = before.is_none() || before != self.ice_ufrag();
        let (ripe, described) = oneshot::channel();
        self.ripe.replace(Some(ripe));
        let next = self.gathering.borrow_mut().set(anew, self.expected());
        self.then(next);
        // An error would mean that the sender is gone, and with it the reason to wait.
        let _ = described.await;
        if anew {
            self.house.hosts.set(self.gathering.borrow().hosts());
        }
        let sdp = self
            .peer
            .local_description()
            .ok_or(WebError::Description)?
            .sdp();
        let description = Description::from_sdp(kind, &sdp).map_err(|_| WebError::Description)?;
        let next = self
            .gathering
            .borrow_mut()
            .described(description.candidates());
        self.then(next);
        Ok(description)
    }

    fn ice_ufrag(&self) -> Option<String> {
        let sdp = self.peer.local_description()?.sdp();
        let ufrag = sdp.lines().find(|line| line.starts_with("a=ice-ufrag:"))?;
        Some(ufrag.to_owned())
    }

    fn expected(&self) -> Expected {
        Expected {
            hosts: self.house.hosts.get(),
            servers: self.house.has_servers,
        }
    }

    /// Does what the gathering wants next.
    fn then(self: &Rc<Self>, next: Next) {
        match next {
            Next::Nothing => {}
            Next::Describe => {
                if let Some(ripe) = self.ripe.take() {
                    // Whoever waited may have been closed.
                    let _ = ripe.send(());
                }
            }
            Next::Pause(turn, millis) => {
                let connection = Rc::downgrade(self);
                spawn_local(async move {
                    time::pause(millis).await;
                    if let Some(connection) = connection.upgrade() {
                        let next = connection.gathering.borrow_mut().elapsed(turn);
                        connection.then(next);
                    }
                });
            }
            Next::Tell(late) => {
                for candidates in late {
                    self.tell(LinkEvent::Candidates(candidates));
                }
            }
        }
    }

    /// Sets the other side's description (which rolls an own open offer back), and adds the candidates that came
    /// before it.
    async fn take_description(
        &self,
        description: &Description,
        what: &'static str,
    ) -> Result<(), WebError> {
        let init = RtcSessionDescriptionInit::new(match description.kind() {
            SdpType::Offer => RtcSdpType::Offer,
            SdpType::Answer => RtcSdpType::Answer,
        });
        init.set_sdp(&description.to_sdp());
        settled(self.peer.set_remote_description(&init), what).await?;
        let early = self.early.take();
        self.add_candidates(early).await;
        Ok(())
    }

    /// Adds candidates; one that the browser does not like is not worth a word.
    async fn add_candidates(&self, candidates: Vec<Candidate>) {
        if self.peer.remote_description().is_none() {
            let mut early = self.early.borrow_mut();
            let room = MAX_EARLY.saturating_sub(early.len());
            early.extend(candidates.into_iter().take(room));
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

    fn tell(&self, notice: LinkEvent) {
        if !self.closed.get() {
            (self.house.notify)(self.id, notice);
        }
    }

    fn happened(self: &Rc<Self>, event: Event) {
        match event.type_().as_str() {
            "icecandidate" => self.candidate_found(&event),
            "icegatheringstatechange"
                if self.peer.ice_gathering_state() == RtcIceGatheringState::Complete =>
            {
                let next = self.gathering.borrow_mut().complete();
                self.then(next);
            }
            "connectionstatechange" => self.path_changed(),
            // The first exchange is on its way anyhow.
            "negotiationneeded" if self.peer.remote_description().is_some() => {
                self.tell(LinkEvent::NegotiationNeeded)
            }
            "open" if !self.opened.replace(true) => self.tell(LinkEvent::Opened),
            "message" => {
                if let Some(notice) = event.dyn_ref::<MessageEvent>().and_then(message) {
                    self.tell(notice);
                }
            }
            "close" => self.tell(LinkEvent::Closed),
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
            self.house.hosts.set(hosts);
            self.then(next);
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
            self.tell(LinkEvent::Path(path));
        }
    }
}

/// What a message holds, unless it is too large.
fn message(event: &MessageEvent) -> Option<LinkEvent> {
    let data = event.data();
    if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
        let fits = buffer.byte_length() as usize <= MAX_MESSAGE;
        return fits.then(|| LinkEvent::Bytes(Uint8Array::new(buffer).to_vec()));
    }
    let text = data.as_string().filter(|text| text.len() <= MAX_MESSAGE);
    text.map(LinkEvent::Text)
}

/// Waits for what a call promised. Calls that promise something do not throw, by WebIDL's definition.
pub(super) async fn settled(promise: Promise, what: &'static str) -> Result<JsValue, WebError> {
    JsFuture::from(promise).await.map_err(refused(what))
}
