//! Pings of the application.

use super::send_failed;
use crate::identity::PeerId;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::io::{AppEvent, SendError};
use crate::time::Millis;
use crate::wire::frame::LinkFrame;

/// The most pings to one peer that wait for their answers.
const MAX_PINGS: usize = 64;
/// A ping's id has at most this many bytes.
const MAX_PING_ID: usize = 40;

/// Pings to one peer that have no answer yet: the token, and when the ping was sent.
#[derive(Debug, Default)]
pub(super) struct Pings(Vec<(u32, Millis)>);

impl Pings {
    pub fn send(&mut self, peer: PeerId, token: u32, cx: &mut Cx) {
        if self.0.len() >= MAX_PINGS {
            return send_failed(token, SendError::Lost, cx);
        }
        self.0.push((token, cx.now));
        let id = Some(token.to_string());
        cx.send(peer, LinkFrame::Ping { id });
    }

    pub fn on_pong(&mut self, peer: PeerId, id: Option<String>, cx: &mut Cx) {
        let token = id.and_then(|id| id.parse().ok());
        let fits = |(open, _): &(u32, Millis)| Some(*open) == token;
        if let Some(at) = self.0.iter().position(fits) {
            let (token, asked) = self.0.remove(at);
            let after = cx.now.since(asked);
            cx.app(AppEvent::Pong { token, peer, after });
        }
    }

    pub fn tokens(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|(token, _)| *token)
    }
}

/// Answers a peer's ping.
pub(super) fn answer(peer: PeerId, id: Option<String>, cx: &mut Cx) {
    if id.as_ref().is_some_and(|id| id.len() > MAX_PING_ID) {
        return cx.dropped(Dropped::BadFrame);
    }
    cx.send(peer, LinkFrame::Pong { id });
}
