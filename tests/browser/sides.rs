//! Two sides of a connection in one page. Descriptions and candidates are encoded and decoded in transit, as over the
//! wire.

use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use js_sys::{Date, Promise};
use rtchat::rtc::web::Connections;
use rtchat::rtc::{
    CheckedDescription, ConnectionId, DataDescription, Limit, LinkCommand, LinkEvent,
    Renegotiation, SdpType, SessionDescription, SessionLimits,
};
use wasm_bindgen_futures::JsFuture;

pub const ID: ConnectionId = ConnectionId(7);

pub async fn sleep(millis: i32) {
    let window = web_sys::window().unwrap();
    let promise = Promise::new(&mut |resolve, _| {
        window
            .set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis)
            .unwrap();
    });
    JsFuture::from(promise).await.unwrap();
}

/// One side of the connection.
pub struct Side {
    pub connections: Connections,
    /// The certificate fingerprint in this side's first description.
    fingerprint: [u8; 32],
    events: UnboundedReceiver<(ConnectionId, LinkEvent)>,
}

impl Side {
    pub fn new() -> Side {
        Side::with_relay_only(false)
    }

    pub fn with_relay_only(relay_only: bool) -> Side {
        let (sender, events) = unbounded();
        let notify = Rc::new(move |id, event| {
            // Nobody listens after the end of a test.
            let _ = sender.unbounded_send((id, event));
        });
        Side {
            connections: Connections::new(&[], relay_only, notify).unwrap(),
            fingerprint: [0; 32],
            events,
        }
    }

    pub fn command(&self, command: LinkCommand) {
        self.connections.carry_out(ID, command);
    }

    /// The next event, if there is one within this many milliseconds.
    pub async fn within(&mut self, millis: i32) -> Option<LinkEvent> {
        match select(self.events.next(), Box::pin(sleep(millis))).await {
            Either::Left((event, _)) => event.map(|(_, event)| event),
            Either::Right(_) => None,
        }
    }

    /// Drops all events that were reported so far.
    pub fn forget(&mut self) {
        while self.events.try_recv().is_ok() {}
    }

    /// The first event that `pick` selects; the others are dropped.
    pub async fn wait<T>(&mut self, pick: impl Fn(LinkEvent) -> Option<T>) -> T {
        let give_up = Date::now() + 10_000.0;
        let mut others = Vec::new();
        while Date::now() < give_up {
            let Some(event) = self.within(1000).await else {
                continue;
            };
            match pick(event.clone()) {
                Some(picked) => return picked,
                None => others.push(event),
            }
        }
        panic!("the expected event did not occur, but these did: {others:?}");
    }

    /// The next first description, as it arrives over the wire.
    pub async fn described(&mut self) -> DataDescription {
        let description = self.wait(|event| match event {
            LinkEvent::Described(description) => Some(description),
            LinkEvent::Failed(why) => panic!("{why}"),
            _ => None,
        });
        let description = description.await;
        self.fingerprint = description.fingerprint();
        DataDescription::from_bytes(&description.to_bytes()).unwrap()
    }

    /// The next description of a renegotiation, as it arrives over the channel and is checked by the other side.
    pub async fn renegotiating(&mut self) -> CheckedDescription {
        let description = self.wait(|event| match event {
            LinkEvent::Renegotiating(description) => Some(description),
            LinkEvent::Failed(why) => panic!("{why}"),
            _ => None,
        });
        let json = serde_json::to_string(&description.await).unwrap();
        let arrived: SessionDescription = serde_json::from_str(&json).unwrap();
        arrived
            .check(&SessionLimits::DATA_ONLY, &self.fingerprint)
            .unwrap()
    }

    pub fn renegotiate(&self, step: Renegotiation) {
        self.command(LinkCommand::Renegotiate(step));
    }

    pub async fn opened(&mut self) {
        self.wait(|event| (event == LinkEvent::Opened).then_some(()))
            .await;
    }

    pub async fn text(&mut self) -> String {
        self.wait(|event| match event {
            LinkEvent::Text(text) => Some(text),
            _ => None,
        })
        .await
    }

    pub async fn bytes(&mut self) -> Vec<u8> {
        self.wait(|event| match event {
            LinkEvent::Bytes(bytes) => Some(bytes),
            _ => None,
        })
        .await
    }

    pub async fn closed(&mut self) {
        self.wait(|event| (event == LinkEvent::Closed).then_some(()))
            .await;
    }

    /// Waits until this limit is reported as exceeded.
    pub async fn exceeded(&mut self, limit: Limit) {
        self.wait(|event| (event == LinkEvent::Exceeded(limit)).then_some(()))
            .await;
    }

    pub async fn failed(&mut self) -> String {
        self.wait(|event| match event {
            LinkEvent::Failed(why) => Some(why),
            _ => None,
        })
        .await
    }
}

/// Two connected sides.
pub async fn connected() -> (Side, Side) {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    connect(&mut anna, &mut bert).await;
    (anna, bert)
}

pub async fn connect(anna: &mut Side, bert: &mut Side) {
    anna.command(LinkCommand::Offer);
    let offer = anna.described().await;
    assert_eq!(offer.kind(), SdpType::Offer);
    bert.command(LinkCommand::Answer(offer));
    let answer = bert.described().await;
    assert_eq!(answer.kind(), SdpType::Answer);
    anna.command(LinkCommand::Accept(answer));
    let mut open = [false, false];
    for _ in 0..500 {
        open[0] |= pass_on_candidates(anna, bert).await;
        open[1] |= pass_on_candidates(bert, anna).await;
        if open == [true, true] {
            return;
        }
    }
    panic!("the two sides did not connect");
}

/// Passes late candidates on for a moment. Returns whether the channel opened.
pub async fn pass_on_candidates(from: &mut Side, to: &Side) -> bool {
    while let Some(event) = from.within(10).await {
        match event {
            LinkEvent::Candidates(candidates) => to.command(LinkCommand::AddCandidates(candidates)),
            LinkEvent::Opened => return true,
            LinkEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    false
}
