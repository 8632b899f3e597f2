//! The media of one connection. Every track that is sent has a section of its own in the descriptions, which is made once and
//! then used again: its direction opens and closes it. So there are never more than three sections from us.

use std::rc::Rc;
use std::time::Instant;

use rtchat::identity::PeerId;
use rtchat::room::MediaWish;
use str0m::Rtc;
use str0m::change::SdpApi;
use str0m::media::{Direction, MediaData, Mid};

use super::hearing::Hearing;
use super::sections::{self, Said};
use super::sending::Sending;
use super::{Own, Received, Slot};

/// The media of one connection, as the room wishes it.
pub(crate) struct Link {
    own: Rc<Own>,
    wish: MediaWish,
    /// Our sections and theirs.
    sections: Vec<Section>,
    /// Slots whose section the other side has refused for good.
    refused: Vec<Slot>,
    /// The changes that our open offer asks for.
    offered: Plan,
    /// Whether the room has been asked for an offer that it has not made yet.
    is_needed: bool,
    sending: Sending,
    hearing: Hearing,
}

/// Whether we receive what the other side sends in a section of this kind.
fn takes(wish: &MediaWish, is_picture: bool) -> bool {
    wish.receive && (wish.pictures || !is_picture)
}

/// A section that both sides know.
struct Section {
    mid: Mid,
    /// The track that we send there; `None` if the section is the other side's.
    slot: Option<Slot>,
    /// Whether it is for pictures.
    is_picture: bool,
    /// The direction that needs no other offer as long as it is wished, because we have asked for it already, or nothing
    /// would come of it.
    asked: Option<Direction>,
}

/// The changes that an offer of ours makes.
#[derive(Default)]
pub(crate) struct Plan {
    directions: Vec<(Mid, Direction)>,
    slots: Vec<Slot>,
    added: Vec<(Slot, Mid)>,
}

impl Link {
    /// The media of a connection on which nothing is wished.
    pub(crate) fn new(own: Rc<Own>, now: Instant) -> Link {
        Link {
            own,
            wish: MediaWish::default(),
            sections: Vec::new(),
            refused: Vec::new(),
            offered: Plan::default(),
            is_needed: false,
            sending: Sending::new(now),
            hearing: Hearing::default(),
        }
    }

    /// Takes a wish. What is not wished any more stops at once.
    pub(crate) fn wish(&mut self, peer: PeerId, wish: MediaWish) {
        let before: Vec<Direction> = self.directions().collect();
        self.wish = wish;
        let now: Vec<Direction> = self.directions().collect();
        let changes = before.iter().zip(&now).map(|(before, now)| before != now);
        for (section, changes) in self.sections.iter_mut().zip(changes) {
            if changes {
                section.asked = None;
            }
        }
        self.hearing.take_from(peer);
        if !wish.receive {
            self.hearing.end();
        }
    }

    /// Whether the room has to be asked for an offer now.
    pub(crate) fn needs_offer(&mut self, rtc: &Rtc) -> bool {
        let plan = self.plan(rtc);
        let is_needed = !plan.slots.is_empty() || !plan.directions.is_empty();
        is_needed && !std::mem::replace(&mut self.is_needed, true)
    }

    /// Lists the changes that an offer has to make.
    pub(crate) fn plan(&self, rtc: &Rtc) -> Plan {
        let mut plan = Plan::default();
        for section in &self.sections {
            let Some(media) = rtc.media(section.mid).filter(|media| !media.stopped()) else {
                continue;
            };
            let wanted = self.direction(section);
            if media.direction() != wanted && section.asked != Some(wanted) {
                plan.directions.push((section.mid, wanted));
            }
        }
        for slot in Slot::ALL {
            let is_there = self
                .sections
                .iter()
                .any(|section| section.slot == Some(slot));
            if self.wants(slot) && !is_there && !self.refused.contains(&slot) {
                plan.slots.push(slot);
            }
        }
        plan
    }

    /// Puts a plan into an offer.
    pub(crate) fn offer(&mut self, mut plan: Plan, change: &mut SdpApi<'_>) {
        self.is_needed = false;
        for (mid, direction) in &plan.directions {
            change.set_direction(*mid, *direction);
        }
        for slot in std::mem::take(&mut plan.slots) {
            let stream = Some(self.own.stream(slot).to_owned());
            let mid = change.add_media(slot.kind(), Direction::SendOnly, stream, None, None);
            plan.added.push((slot, mid));
        }
        if !change.has_changes() {
            self.repeat(change);
        }
        self.offered = plan;
    }

    /// Makes an offer that changes nothing. The other side may have offered meanwhile what this one was wanted for; the room
    /// waits for it anyway, and `str0m` makes none without a change.
    fn repeat(&self, change: &mut SdpApi<'_>) {
        let ours = self
            .sections
            .iter()
            .filter(|section| section.slot.is_some());
        for section in ours {
            let now = self.direction(section);
            let other = match now {
                Direction::SendOnly => Direction::Inactive,
                _ => Direction::SendOnly,
            };
            change.set_direction(section.mid, other);
            change.set_direction(section.mid, now);
        }
    }

    /// Our offer was withdrawn. The room asks for another one by itself.
    pub(crate) fn withdrawn(&mut self) {
        self.offered = Plan::default();
        self.is_needed = true;
    }

    /// Our offer was answered.
    pub(crate) fn answered(&mut self, answer: &str) {
        let Plan {
            directions, added, ..
        } = std::mem::take(&mut self.offered);
        let said = sections::said(answer);
        for (slot, mid) in added {
            if said.iter().any(|said| said.mid == mid) {
                self.sections.push(Section {
                    mid,
                    slot: Some(slot),
                    is_picture: slot != Slot::Microphone,
                    asked: Some(Direction::SendOnly),
                });
            } else {
                self.refused.push(slot);
            }
        }
        for (mid, direction) in directions {
            let mut sections = self.sections.iter_mut();
            if let Some(section) = sections.find(|section| section.mid == mid) {
                section.asked = Some(direction);
            }
        }
    }

    /// Closes the directions of an offer that nobody wishes, before it is answered.
    pub(crate) fn settle(&mut self, offer: &str) -> String {
        let ours = |mid| {
            let mut sections = self.sections.iter();
            sections.any(|section| section.mid == mid && section.slot.is_some())
        };
        let wish = self.wish;
        let settled = sections::settle(offer, ours, |said| takes(&wish, said.is_picture));
        for said in settled.said {
            self.hear_of(said);
        }
        settled.sdp
    }

    fn hear_of(&mut self, said: Said) {
        let mut sections = self.sections.iter_mut();
        match sections.find(|section| section.mid == said.mid) {
            // A section of ours that it would receive may be offered once more.
            Some(section) if section.slot.is_some() => {
                if said.receives {
                    section.asked = None;
                }
            }
            Some(section) => section.asked = (!said.sends).then_some(Direction::RecvOnly),
            None => self.sections.push(Section {
                mid: said.mid,
                slot: None,
                is_picture: said.is_picture,
                asked: (!said.sends).then_some(Direction::RecvOnly),
            }),
        }
    }

    /// Plays what is due. Returns whether something was written.
    pub(crate) fn play(&mut self, rtc: &mut Rtc, now: Instant) -> bool {
        // No borrow of the wish is needed while something is played.
        let on = Slot::ALL.map(|slot| self.is_on(slot));
        for section in &self.sections {
            let Some(slot) = section.slot else { continue };
            let is_open = rtc
                .media(section.mid)
                .is_some_and(|media| media.direction().is_sending() && !media.stopped());
            let source = self.own.source(slot);
            let source = source.filter(|_| on[slot as usize] && is_open && rtc.is_connected());
            self.sending.set(section.mid, source, now);
        }
        self.sending.play(rtc, now)
    }

    /// Takes what has arrived.
    pub(crate) fn receive(&mut self, data: &MediaData, rtc: &mut Rtc, now: Instant) {
        if self.wish.receive {
            self.hearing.receive(data, rtc, now);
        }
    }

    /// The other side needs a picture that stands for itself.
    pub(crate) fn refresh(&mut self, mid: Mid) {
        self.sending.refresh(mid);
    }

    /// Notices what has fallen silent.
    pub(crate) fn look(&mut self, now: Instant) {
        self.hearing.look(now);
    }

    /// The connection is closed.
    pub(crate) fn close(&mut self) {
        self.wish = MediaWish::default();
        self.hearing.end();
    }

    /// Takes the tracks that have begun or stopped arriving.
    pub(crate) fn take_received(&mut self) -> Vec<Received> {
        self.hearing.take_received()
    }

    /// When something is to be done next.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        let wakes = [self.sending.next_wake(), self.hearing.next_wake()];
        wakes.into_iter().flatten().min()
    }

    /// Whether something is sent there, now or soon.
    fn wants(&self, slot: Slot) -> bool {
        let wish = &self.wish;
        let is_wished = match slot {
            Slot::Microphone => wish.microphone,
            Slot::Camera => wish.camera.is_some(),
            Slot::Screen => wish.screen.is_some(),
        };
        is_wished && self.own.source(slot).is_some()
    }

    /// Whether something is sent there now: a picture that is hidden at the other side is not.
    fn is_on(&self, slot: Slot) -> bool {
        let is_hidden = match slot {
            Slot::Microphone => false,
            Slot::Camera => self.wish.camera.is_some_and(|limit| limit.height == 0),
            Slot::Screen => self.wish.screen.is_some_and(|limit| limit.height == 0),
        };
        self.wants(slot) && !is_hidden
    }

    fn directions(&self) -> impl Iterator<Item = Direction> {
        self.sections.iter().map(|section| self.direction(section))
    }

    fn direction(&self, section: &Section) -> Direction {
        let wish = &self.wish;
        let is_open = match section.slot {
            None if takes(wish, section.is_picture) => return Direction::RecvOnly,
            None => false,
            Some(Slot::Screen) => self.wants(Slot::Screen),
            // Muting and the camera's switch are quick, because during a call their sections stay open.
            Some(_) => wish.receive || wish.microphone || wish.camera.is_some(),
        };
        match is_open {
            true => Direction::SendOnly,
            false => Direction::Inactive,
        }
    }
}
