//! How soon the views hear of an event. Each change of the page's state draws the page anew, which takes longer than
//! most of what it tells about.

use crate::budget::Budget;
use crate::identity::PeerId;
use crate::room::{ChatEvent, Event, PeerState, PeopleEvent, Status};
use crate::time::Millis;
use crate::ui::backend::UiEvent;

/// At most this many events are passed on at once, each by itself …
const BURST: u32 = 32;
/// … and then this many a second.
const PER_SECOND: u32 = 20;
/// Further events are passed on together, after at most this many milliseconds.
const INTERVAL: u32 = 50;
/// Events that can wait are passed on with the next one that cannot, and after this many milliseconds at the latest.
const PATIENCE: u32 = 300;
/// Earlier messages, which the person catches up on, are drawn in tasks of their own, after at most this many milliseconds: the
/// tasks that receive them are long enough.
const BEFORE: u32 = 20;
/// While others are on the way, whoever has arrived is shown together with them, after at most this many milliseconds.
const COMPANY: u32 = 200;
/// For this many milliseconds after the broker let us in, the room is not drawn in place of the frame that is there before
/// the program: the first thing that somebody who joins has to do is to answer those who are there, and drawing takes as
/// long as that.
const FIRST: u32 = 60;
/// A broker that answers later than this many milliseconds after joining is not waited for.
const ENTRY: u32 = 300;

/// When an event is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Now, after all that waits.
    Now,
    /// Together with all that waits, after at most this many milliseconds.
    Within(u32),
}

/// Decides when events are passed on.
#[derive(Debug)]
pub struct Pace {
    budget: Budget,
    /// Whether the room is still to be drawn for the first time.
    begins: bool,
    /// Whether that drawing has waited for those who are on the way.
    held: bool,
    /// Who is on the way. The list is as short as that of the people whom the page shows.
    coming: Vec<PeerId>,
}

impl Pace {
    /// Begins with nothing passed on.
    pub fn new(now: Millis) -> Pace {
        Pace {
            budget: Budget::new(BURST, PER_SECOND, now),
            begins: false,
            held: false,
            coming: Vec::new(),
        }
    }

    /// Decides when the room is drawn that takes the place of its frame.
    pub fn first(&mut self) -> Pass {
        self.begins = true;
        self.held = false;
        Pass::Within(ENTRY)
    }

    /// Decides when the room is drawn that takes the place of the welcome: so soon that the person sees it at once, and late
    /// enough for those who are there to be answered first.
    pub fn entering(&mut self) -> Pass {
        self.first();
        Pass::Within(FIRST)
    }

    /// For how much longer what waits has to wait, whose time has come. The room of somebody who joins is drawn once, with
    /// those who have answered, and not empty before.
    pub fn hold(&mut self) -> Option<u32> {
        let holds = self.begins && !self.held && !self.coming.is_empty();
        self.held |= holds;
        holds.then_some(COMPANY)
    }

    /// Notes that all that waited has been passed on.
    pub fn passed(&mut self) {
        self.begins = false;
    }

    /// Decides about the next event.
    pub fn of(&mut self, event: &UiEvent, now: Millis) -> Pass {
        if let Some(patience) = self.patience(event) {
            Pass::Within(patience)
        } else if self.budget.take(now) {
            Pass::Now
        } else {
            Pass::Within(INTERVAL)
        }
    }

    /// For how long this event can wait for the next one, which will say more. While people come, the browser has enough to
    /// do with connecting; somebody who is on the way is mostly here before anybody has read of it.
    fn patience(&mut self, event: &UiEvent) -> Option<u32> {
        match event {
            UiEvent::Event(Event::People(PeopleEvent::Changed(peer))) => {
                self.coming.retain(|id| *id != peer.id);
                match peer.state {
                    PeerState::Connecting | PeerState::Verifying => {
                        self.coming.push(peer.id);
                        Some(PATIENCE)
                    }
                    PeerState::Verified => self.in_company(),
                    _ => None,
                }
            }
            UiEvent::Event(Event::People(PeopleEvent::Gone { peer, .. })) => {
                self.coming.retain(|id| *id != peer.id);
                None
            }
            UiEvent::Event(Event::Chat(ChatEvent::Message(message))) if message.caught_up => {
                Some(BEFORE)
            }
            UiEvent::Event(Event::Status(Status::Joining)) if self.begins => Some(ENTRY),
            UiEvent::Event(Event::Status(Status::Looking { .. })) if self.begins => Some(FIRST),
            UiEvent::Event(Event::Status(
                Status::Joining | Status::Looking { .. } | Status::Connected { .. },
            )) => self.in_company(),
            _ => None,
        }
    }

    fn in_company(&self) -> Option<u32> {
        (!self.coming.is_empty()).then_some(COMPANY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Name, PublicKey, Trust};
    use crate::room::{Conversation, GoneReason, Message, MessageId, PeerView};

    fn peer(number: u8, state: PeerState) -> UiEvent {
        let name = Name::parse("ben").unwrap();
        UiEvent::Event(Event::People(PeopleEvent::Changed(PeerView {
            id: PeerId([number; 16]),
            user: name.to_string(),
            name,
            info: None,
            key: PublicKey([2; 33]),
            state,
            trust: Trust::New,
            activity: None,
            muted: false,
        })))
    }

    /// How often events draw the page that come one millisecond after the other, when all that waits waits to the end.
    fn draws(events: &[UiEvent]) -> usize {
        let mut pace = Pace::new(Millis(0));
        let at = (0..).map(Millis);
        let passed: Vec<Pass> = events
            .iter()
            .zip(at)
            .map(|(event, at)| pace.of(event, at))
            .collect();
        let now = passed.iter().filter(|pass| **pass == Pass::Now).count();
        let waits = passed.last().is_some_and(|last| *last != Pass::Now);
        now + usize::from(waits)
    }

    #[test]
    fn somebody_who_comes_draws_the_page_once() {
        let steps = [
            PeerState::Connecting,
            PeerState::Verifying,
            PeerState::Verified,
        ];
        let of = |number| steps.map(|state| peer(number, state));
        assert_eq!(draws(&of(1)), 1);
        let five: Vec<UiEvent> = (1..=5).flat_map(of).collect();
        assert_eq!(draws(&five), 5);
    }

    #[test]
    fn five_who_come_together_draw_the_page_once_and_the_last_one_is_shown_at_once() {
        let mut pace = Pace::new(Millis(0));
        let mut pass = |number, state| pace.of(&peer(number, state), Millis(0));
        for number in 1..=5 {
            pass(number, PeerState::Connecting);
            pass(number, PeerState::Verifying);
        }
        for number in 1..=4 {
            assert_eq!(pass(number, PeerState::Verified), Pass::Within(COMPANY));
        }
        assert_eq!(pass(5, PeerState::Verified), Pass::Now);
        // Whoever has left, or cannot be reached, is not waited for.
        for (number, other) in [(6, PeerState::NoPath), (7, PeerState::Failed)] {
            pass(number, PeerState::Connecting);
            assert_eq!(pass(1, PeerState::Verified), Pass::Within(COMPANY));
            pass(number, other);
            assert_eq!(pass(1, PeerState::Verified), Pass::Now);
        }
        pass(8, PeerState::Connecting);
        let UiEvent::Event(Event::People(PeopleEvent::Changed(gone))) = peer(8, PeerState::Failed)
        else {
            return;
        };
        let reason = GoneReason::Left;
        let gone = PeopleEvent::Gone { peer: gone, reason };
        assert_eq!(
            pace.of(&UiEvent::Event(Event::People(gone)), Millis(0)),
            Pass::Now
        );
        assert_eq!(pace.of(&peer(1, PeerState::Verified), Millis(0)), Pass::Now);
    }

    #[test]
    fn the_room_is_drawn_first_when_the_broker_has_let_us_in_with_those_who_answered() {
        let status = |status| UiEvent::Event(Event::Status(status));
        let looking = Status::Looking {
            retry_at: None,
            own_tabs: 0,
            dropping: false,
        };
        let now = Millis(0);
        let mut pace = Pace::new(now);
        assert_eq!(pace.of(&status(Status::Joining), now), Pass::Now);
        assert_eq!(pace.first(), Pass::Within(ENTRY));
        assert_eq!(pace.of(&status(Status::Joining), now), Pass::Within(ENTRY));
        assert_eq!(pace.of(&status(looking), now), Pass::Within(FIRST));
        // Nobody is there.
        assert_eq!(pace.hold(), None);
        // Somebody answers, and is waited for once.
        pace.of(&peer(1, PeerState::Connecting), now);
        assert_eq!(pace.hold(), Some(COMPANY));
        assert_eq!(pace.hold(), None);
        assert_eq!(pace.of(&peer(1, PeerState::Verified), now), Pass::Now);
        pace.passed();
        assert_eq!(pace.of(&status(looking), now), Pass::Now);
        pace.of(&peer(2, PeerState::Connecting), now);
        assert_eq!(pace.hold(), None);
        assert_eq!(pace.of(&status(looking), now), Pass::Within(COMPANY));
        // Whoever has given a name sees the room soon, or with those who answered until then.
        pace.passed();
        assert_eq!(pace.entering(), Pass::Within(FIRST));
        pace.of(&peer(3, PeerState::Connecting), now);
        assert_eq!(pace.hold(), Some(COMPANY));
        pace.of(&peer(2, PeerState::Verified), now);
        assert_eq!(pace.of(&peer(3, PeerState::Verified), now), Pass::Now);
        // What people say or do draws the room.
        pace.first();
        assert_eq!(pace.of(&status(Status::Left), now), Pass::Now);
    }

    #[test]
    fn earlier_messages_wait_shortly_and_new_ones_are_shown_at_once() {
        let said = |caught_up| {
            let id = MessageId("m".into());
            let lobby = Conversation::Channel("lobby".into());
            let key = PublicKey([2; 33]);
            let message = Message::new(id, lobby, "ann".into(), key, "hello".into(), Millis(0));
            let message = Box::new(Message {
                caught_up,
                ..message
            });
            UiEvent::Event(Event::Chat(ChatEvent::Message(message)))
        };
        let mut pace = Pace::new(Millis(0));
        assert_eq!(pace.of(&said(true), Millis(0)), Pass::Within(BEFORE));
        assert_eq!(pace.of(&said(false), Millis(0)), Pass::Now);
    }

    #[test]
    fn somebody_who_stays_on_the_way_is_shown_soon() {
        let mut pace = Pace::new(Millis(0));
        let passed = pace.of(&peer(1, PeerState::Connecting), Millis(0));
        assert_eq!(passed, Pass::Within(PATIENCE));
    }

    #[test]
    fn changes_of_state_are_shown_at_once_until_there_are_too_many() {
        let status = UiEvent::Event(Event::Status(Status::Left));
        let states = [
            PeerState::Verified,
            PeerState::Reconnecting,
            PeerState::NoPath,
            PeerState::Failed,
        ];
        let mut pace = Pace::new(Millis(0));
        for event in states.map(|state| peer(1, state)).iter().chain([&status]) {
            assert_eq!(pace.of(event, Millis(0)), Pass::Now, "{event:?}");
        }
        let many = vec![status; 1_000];
        assert!(draws(&many) <= BURST as usize + PER_SECOND as usize + 1);
    }
}
