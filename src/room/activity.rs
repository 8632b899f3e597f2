//! Activity: who is at their page, and who is away. Each tab tells the others of itself, and a person is active if one of
//! their tabs is.
//!
//! Becoming active is told at once. Becoming away takes a while, so that a glance elsewhere is told to nobody, and so that
//! nobody is told anything more often than twice in two minutes.

use core::time::Duration;

use litemap::LiteMap;

use super::counters::Dropped;
use super::cx::Cx;
use super::effect::{Effect, PeerEvent};
use super::io::Activity;
use super::timer::Timer;
use crate::budget::Budget;
use crate::identity::PeerId;
use crate::wire::Frame;
use crate::wire::frame::ChatFrame;

/// Whoever has not used the page for this long is away …
const UNUSED: Duration = Duration::from_secs(300);
/// … and whoever does not see it for this long.
const HIDDEN: Duration = Duration::from_secs(120);
/// A peer may say this often at once whether its person is there …
const TOLD_BURST: u32 = 8;
/// … and then once in this time: on each new connection, and when it changes.
const TOLD_PAUSE: Duration = Duration::from_secs(10);

/// What a peer has said of its person.
#[derive(Debug)]
struct Told {
    activity: Option<Activity>,
    budget: Budget,
}

#[derive(Debug, Default)]
pub(super) struct Activities {
    /// What we have said of our own person. Nothing, if the driver never says whether they see the page.
    own: Option<Activity>,
    peers: LiteMap<PeerId, Told>,
}

impl Activities {
    /// Whether the person of this peer is at their page, as far as it has said so.
    pub fn of(&self, peer: &PeerId) -> Option<Activity> {
        self.peers.get(peer)?.activity
    }

    /// The person uses the page, or it was shown; or it was hidden.
    pub fn on_attention(&mut self, attentive: bool, cx: &mut Cx) {
        match (attentive, self.own) {
            (true, _) => {
                cx.timers.set(Timer::Away, cx.now + UNUSED);
                self.tell(Activity::Active, cx);
            }
            // The tab was opened in the background.
            (false, None) => self.tell(Activity::Away, cx),
            (false, Some(Activity::Active)) => {
                cx.timers.set_earlier(Timer::Away, cx.now + HIDDEN);
            }
            (false, Some(Activity::Away)) => {}
        }
    }

    /// The person did not come back in time.
    pub fn on_timer(&mut self, cx: &mut Cx) {
        self.tell(Activity::Away, cx);
    }

    fn tell(&mut self, activity: Activity, cx: &mut Cx) {
        if self.own.replace(activity) != Some(activity) {
            cx.effect(Effect::SendAll(frame(activity)));
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, cx: &mut Cx) {
        match event {
            PeerEvent::Verified => {
                if let Some(own) = self.own {
                    cx.send(peer, frame(own));
                }
            }
            PeerEvent::Gone { .. } => drop(self.peers.remove(&peer)),
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Forgotten => {}
        }
    }

    /// A peer says whether its person is there.
    pub fn on_frame(&mut self, peer: PeerId, away: bool, cx: &mut Cx) {
        let told = self.peers.entry(peer).or_insert_with(|| Told {
            activity: None,
            budget: Budget::slow(TOLD_BURST, TOLD_PAUSE, cx.now),
        });
        if !told.budget.take(cx.now) {
            return cx.dropped(Dropped::FloodedFrames);
        }
        let activity = if away {
            Activity::Away
        } else {
            Activity::Active
        };
        cx.changed |= told.activity.replace(activity) != Some(activity);
    }
}

fn frame(activity: Activity) -> Frame {
    let away = activity == Activity::Away;
    Frame::Chat(ChatFrame::Activity { away })
}
