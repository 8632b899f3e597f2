//! Two browsers in one page; descriptions and candidates take the way over the wire.

use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use js_sys::{Date, Promise};
use rtchat::rtc::web::Connections;
use rtchat::rtc::{ConnectionId, Description, LinkCommand, LinkEvent, SdpType};
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

/// One of two browsers.
pub struct Side {
    pub connections: Connections,
    notices: UnboundedReceiver<(ConnectionId, LinkEvent)>,
}

impl Side {
    pub fn new() -> Side {
        Side::making(false)
    }

    pub fn making(relay_only: bool) -> Side {
        let (sender, notices) = unbounded();
        let notify = Rc::new(move |id, notice| {
            // After the end of a test nobody listens.
            let _ = sender.unbounded_send((id, notice));
        });
        Side {
            connections: Connections::new(&[], relay_only, notify).unwrap(),
            notices,
        }
    }

    pub fn order(&self, order: LinkCommand) {
        self.connections.carry_out(ID, order);
    }

    /// The next notice, if one comes within so many milliseconds.
    pub async fn within(&mut self, millis: i32) -> Option<LinkEvent> {
        match select(self.notices.next(), Box::pin(sleep(millis))).await {
            Either::Left((notice, _)) => notice.map(|(_, notice)| notice),
            Either::Right(_) => None,
        }
    }

    /// Drops what was told so far.
    pub fn forget(&mut self) {
        while self.notices.try_recv().is_ok() {}
    }

    /// The first notice that `pick` takes; others are dropped.
    pub async fn wait<T>(&mut self, pick: impl Fn(LinkEvent) -> Option<T>) -> T {
        let give_up = Date::now() + 10_000.0;
        let mut others = Vec::new();
        while Date::now() < give_up {
            let Some(notice) = self.within(1000).await else {
                continue;
            };
            match pick(notice.clone()) {
                Some(picked) => return picked,
                None => others.push(notice),
            }
        }
        panic!("waited in vain; there came {others:?}");
    }

    /// The next description, as it arrives over the wire.
    pub async fn described(&mut self) -> Description {
        let description = self.wait(|notice| match notice {
            LinkEvent::Described(description) => Some(description),
            LinkEvent::Failed(why) => panic!("{why}"),
            _ => None,
        });
        let description = description.await;
        assert!(description.is_compact());
        postcard::from_bytes(&postcard::to_allocvec(&description).unwrap()).unwrap()
    }

    pub async fn opened(&mut self) {
        self.wait(|notice| (notice == LinkEvent::Opened).then_some(()))
            .await;
    }

    pub async fn text(&mut self) -> String {
        self.wait(|notice| match notice {
            LinkEvent::Text(text) => Some(text),
            _ => None,
        })
        .await
    }

    pub async fn bytes(&mut self) -> Vec<u8> {
        self.wait(|notice| match notice {
            LinkEvent::Bytes(bytes) => Some(bytes),
            _ => None,
        })
        .await
    }

    pub async fn closed(&mut self) {
        self.wait(|notice| (notice == LinkEvent::Closed).then_some(()))
            .await;
    }

    pub async fn failed(&mut self) -> String {
        self.wait(|notice| match notice {
            LinkEvent::Failed(why) => Some(why),
            _ => None,
        })
        .await
    }
}

/// Two sides that are connected.
pub async fn connected() -> (Side, Side) {
    let (mut anna, mut bert) = (Side::new(), Side::new());
    connect(&mut anna, &mut bert).await;
    (anna, bert)
}

pub async fn connect(anna: &mut Side, bert: &mut Side) {
    anna.order(LinkCommand::Offer { restart: false });
    let offer = anna.described().await;
    assert_eq!(offer.kind(), SdpType::Offer);
    bert.order(LinkCommand::Answer(offer));
    let answer = bert.described().await;
    assert_eq!(answer.kind(), SdpType::Answer);
    anna.order(LinkCommand::Accept(answer));
    let mut open = [false, false];
    for _ in 0..500 {
        open[0] |= pass_on(anna, bert).await;
        open[1] |= pass_on(bert, anna).await;
        if open == [true, true] {
            return;
        }
    }
    panic!("no connection");
}

/// Passes late candidates on for a moment; whether the channel opened.
pub async fn pass_on(from: &mut Side, to: &Side) -> bool {
    while let Some(notice) = from.within(10).await {
        match notice {
            LinkEvent::Candidates(candidates) => to.order(LinkCommand::AddCandidates(candidates)),
            LinkEvent::Opened => return true,
            LinkEvent::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    false
}
