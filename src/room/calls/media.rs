//! What runs on each connection, and how much of it.

use super::Calls;
use crate::room::cx::Cx;
use crate::room::io::{Conversation, Output, WatchState};
pub(super) use crate::room::io::{MediaWish, PictureLimit};
use crate::room::links::Links;

use super::sharing::Guest;
use super::{Other, STARTS_PAUSE, Sends, allowed};
use crate::settings::CallKinds;
use crate::time::Millis;

/// The most that leaves for all receivers of a picture together, in bits a second.
pub(super) const UPLINK: u32 = 6_000_000;

/// A camera's picture, by the number of people who see it: at most so many, the height, pictures a second.
const CAMERAS: [(usize, u16, u8); 4] = [
    (1, 720, 30),
    (3, 480, 25),
    (5, 360, 20),
    (usize::MAX, 240, 15),
];
/// A screen's.
const SCREENS: [(usize, u16, u8); 3] = [(2, 1080, 15), (5, 1080, 10), (usize::MAX, 720, 5)];

/// The bits a second that a camera's picture of this height needs, without those of fewer pictures a second.
fn needed(height: u16) -> u32 {
    match height {
        0 => 0,
        1..=90 => 80_000,
        91..=180 => 200_000,
        181..=240 => 300_000,
        241..=360 => 600_000,
        361..=480 => 900_000,
        481..=720 => 1_700_000,
        _ => 3_000_000,
    }
}

/// How a picture is sent to somebody who looks at it with this height, if so many see it.
fn limit(table: &[(usize, u16, u8)], receivers: usize, wanted: u16) -> PictureLimit {
    let (_, height, frame_rate) = *table
        .iter()
        .find(|(most, ..)| receivers <= *most)
        .unwrap_or(&(0, 240, 15));
    let height = height.min(wanted);
    let share = UPLINK / u32::try_from(receivers.max(1)).unwrap_or(u32::MAX);
    PictureLimit {
        height,
        frame_rate,
        bitrate: needed(height).min(share),
    }
}

/// What a peer gets of what we send.
fn gets(sends: &Sends, into: &mut [bool; 3]) {
    into[0] |= sends.microphone;
    into[1] |= sends.camera;
    into[2] |= sends.screen;
}

impl Other {
    /// Limits what this peer says that it sends to what calls have here. A peer that came by another page may send pictures
    /// where calls have sound alone: it is told that nobody looks at them.
    pub(super) fn limit_sends(&mut self, sends: Sends, kinds: CallKinds) -> Sends {
        let shown = allowed(sends.clone(), kinds);
        if shown != sends {
            self.our_heights = [0; 2];
        }
        shown
    }
}

impl Calls {
    /// Whether somebody is in the same call.
    fn is_with_us(&self, other: &Other) -> bool {
        let own = self.own.as_ref();
        own.is_some_and(|own| other.is_in(&own.conversation))
    }

    /// What everybody who is connected gets: the microphone, the camera, the screen.
    fn sent(&self, other: &Other) -> [bool; 3] {
        let mut sent = [false; 3];
        if let Some(own) = self.own.as_ref().filter(|_| self.is_with_us(other)) {
            gets(&own.sends, &mut sent);
        }
        if other.guest == Some(Guest::Admitted) {
            gets(&self.sharing.share.sends, &mut sent);
        }
        sent
    }

    /// The most that leaves for whoever watches, in bits a second.
    pub(super) fn uplink(&self) -> u32 {
        let media = self
            .others
            .values()
            .filter(|other| other.guest == Some(Guest::Admitted));
        let wishes = media.filter_map(|other| other.media.as_ref());
        let pictures = wishes.flat_map(|(_, wish)| [wish.camera, wish.screen]);
        pictures.flatten().map(|limit| limit.bitrate).sum()
    }

    /// Asks for what is to run on each connection. Returns when to ask again, if something may not begin yet.
    pub(super) fn move_media(&mut self, links: &Links, cx: &mut Cx) -> Option<Millis> {
        let mut again = None;
        let all: Vec<_> = self
            .others
            .iter()
            .filter(|(peer, _)| links.is_connected(peer))
            .map(|(peer, other)| {
                let is_with_us = self.is_with_us(other);
                let is_received =
                    is_with_us || matches!(other.watch, WatchState::Asking | WatchState::Watching);
                (*peer, self.sent(other), is_received, is_with_us)
            })
            .collect();
        let receivers = |kind: usize| all.iter().filter(|(_, sent, ..)| sent[kind]).count();
        let (cameras, screens) = (receivers(1), receivers(2));
        let has_pictures = self.kinds == CallKinds::Video;
        for (peer, [microphone, camera, screen], receive, is_with_us) in all {
            let (Some(other), Some(connection)) =
                (self.others.get_mut(&peer), links.connection(&peer))
            else {
                continue;
            };
            let [camera_height, screen_height] = other.their_heights;
            let wish = MediaWish {
                microphone,
                camera: camera.then(|| limit(&CAMERAS, cameras, camera_height)),
                screen: screen.then(|| limit(&SCREENS, screens, screen_height)),
                receive,
                pictures: receive && has_pictures,
            };
            if wish != MediaWish::default() && other.started != Some(connection) {
                if !other.starts.take(cx.now) {
                    again = Some(cx.now + STARTS_PAUSE);
                    continue;
                }
                other.started = Some(connection);
            }
            let before = other.media.filter(|(on, _)| *on == connection);
            if !is_with_us {
                other.began = None;
            } else if before.is_none() || other.began.is_none() {
                other.began = Some(cx.now);
            }
            let (_, before) = before.unwrap_or((connection, MediaWish::default()));
            other.media = Some((connection, wish));
            if wish != before {
                other.has_had_media = true;
                cx.output(Output::Media(connection, peer, wish));
            }
        }
        again
    }

    /// Whether more people have a picture than calls are made for.
    pub(super) fn is_crowded(&self, conversation: &Conversation) -> bool {
        let there = super::calls(&self.others);
        let there = there.filter(|call| call.conversation == *conversation);
        // With ourselves.
        there.filter(|call| call.sends.camera).count() + 1 > super::MAX_RUNG
    }
}
