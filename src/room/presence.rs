//! Presence: peers tell each other whom they are connected to, so that a room that fell into halves grows together.

use core::time::Duration;

use super::Timer;
use super::cx::{Cx, Effect, PeerEvent};
use super::links::Links;
use super::members::{MAX_PEERS, Members};
use super::signaling::Signaling;
use crate::identity::PeerId;
use crate::wire::Frame;
use crate::wire::frame::PeopleFrame;

/// Presence is told this long after the last change.
const PRESENCE_DELAY: Duration = Duration::from_secs(2);

/// The machine has no state but its timer.
#[derive(Debug, Default)]
pub(super) struct Presence;

impl Presence {
    /// Something happened to a peer.
    pub fn on_peer(&mut self, event: &PeerEvent, cx: &mut Cx) {
        if *event == PeerEvent::Verified {
            cx.timers.set(Timer::Presence, cx.now + PRESENCE_DELAY);
        }
    }

    /// The room has been quiet for long enough.
    pub fn on_timer(&mut self, links: &Links, cx: &mut Cx) {
        let peers: Vec<String> = links.connected().map(|peer| peer.to_string()).collect();
        if peers.len() > 1 {
            cx.effect(Effect::SendAll(Frame::People(PeopleFrame::Presence {
                peers,
            })));
        }
    }

    /// A peer told whom it is connected to. One that we have never heard of has not heard of us either.
    pub fn on_frame(
        &mut self,
        peers: &[String],
        members: &Members,
        signaling: &Signaling,
        cx: &mut Cx,
    ) {
        let named = peers.iter().take(MAX_PEERS);
        let mut named = named.filter_map(|text| PeerId::parse(text));
        let missing = named.any(|peer| {
            peer != cx.own.id && !members.contains(&peer) && !signaling.has_left(&peer)
        });
        if missing && !members.is_full() {
            cx.effect(Effect::Announce);
        }
    }
}
