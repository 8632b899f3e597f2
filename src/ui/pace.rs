//! How soon the views hear of an event. Each change of the page's state draws the page anew, which takes longer than
//! most of what it tells about.

use crate::budget::Budget;
use crate::room::{Event, PeerState, PeopleEvent};
use crate::time::Millis;
use crate::ui::backend::UiEvent;

/// At most this many events are passed on at once, each by itself …
const BURST: u32 = 32;
/// … and then this many a second.
const PER_SECOND: u32 = 20;
/// Further events are passed on together, after at most this many milliseconds.
const INTERVAL: u32 = 50;
/// Events that can wait are passed on with the next one that cannot, and after this many milliseconds at the latest.
const PATIENCE: u32 = 200;

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
pub struct Pace(Budget);

impl Pace {
    /// Begins with nothing passed on.
    pub fn new(now: Millis) -> Pace {
        Pace(Budget::new(BURST, PER_SECOND, now))
    }

    /// Decides about the next event.
    pub fn of(&mut self, event: &UiEvent, now: Millis) -> Pass {
        if can_wait(event) {
            Pass::Within(PATIENCE)
        } else if self.0.take(now) {
            Pass::Now
        } else {
            Pass::Within(INTERVAL)
        }
    }
}

/// Whether the next event will say more: somebody is on the way, which mostly takes less time than to read of it. While
/// people come, the browser has enough to do with connecting.
fn can_wait(event: &UiEvent) -> bool {
    let UiEvent::Event(Event::People(PeopleEvent::Changed(peer))) = event else {
        return false;
    };
    matches!(peer.state, PeerState::Connecting | PeerState::Verifying)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Name, PeerId, PublicKey, Trust};
    use crate::room::{PeerView, Status};

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
