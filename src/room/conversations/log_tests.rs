use super::*;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use proptest::prelude::*;

use crate::identity::{IdentityKey, Name};
use crate::wire::RoomId;
use crate::wire::entry::{ConversationId, Draft, Place};

const ROOM: RoomId = RoomId([7; 32]);
const NOON: Millis = Millis(1_700_000_000_000);

/// An author who may say anything at any time.
struct Author {
    key: IdentityKey,
    number: u32,
    previous: EntryId,
    rng: ChaCha20Rng,
}

impl Author {
    fn new(seed: u8) -> Author {
        let mut rng = ChaCha20Rng::from_seed([seed; 32]);
        Author {
            key: IdentityKey::generate(&mut rng),
            number: 0,
            previous: StatementId([0; 32]),
            rng,
        }
    }

    fn say(&mut self, at: Millis, seen: EntryId, content: Content) -> Entry {
        let place = Place {
            author: self.key.public(),
            writer: [1; 8],
            number: self.number,
            previous: self.previous,
            conversation: ConversationId::channel("lobby"),
            seen,
            clock: Clock::at(at),
        };
        let body = EntryBody {
            name: Name::parse("ann").unwrap(),
            tab: 1,
            content,
        };
        let draft = Draft::new(&place, &body, &mut self.rng).unwrap();
        let signature = self.key.sign_message(&draft.message(&ROOM));
        let entry = draft.signed(&ROOM, signature).unwrap();
        self.number += 1;
        self.previous = entry.id();
        entry
    }

    fn text(&mut self, at: Millis) -> Entry {
        self.say(at, StatementId([0; 32]), text(None))
    }
}

fn text(reply_to: Option<EntryId>) -> Content {
    Content::Say {
        reply_to,
        text: "text".to_owned(),
    }
}

fn shown(log: &Log, entry: &Entry) -> Position {
    log.get(&short(&entry.id())).unwrap().shown
}

fn at(minutes: u64) -> Millis {
    Millis(NOON.0 + minutes * 60_000)
}

#[test]
fn an_entry_of_a_clock_ahead_is_shown_at_its_arrival_and_moves_no_clock() {
    let (mut ann, mut ben) = (Author::new(1), Author::new(2));
    let mut log = Log::default();
    let ahead = ann.text(at(500_000));
    log.insert(ahead.clone(), at(1), false);
    assert_eq!(shown(&log, &ahead).clock.millis(), at(1));
    assert_eq!(log.clock(), Clock::default());
    let next = ben.say(at(2), ahead.id(), text(None));
    log.insert(next.clone(), at(2), false);
    assert!(shown(&log, &next) > shown(&log, &ahead));
    assert_eq!(log.clock(), next.clock);
}

#[test]
fn an_entry_that_was_dated_back_is_shown_at_its_arrival_whichever_comes_first() {
    for late_first in [false, true] {
        let mut ann = Author::new(1);
        let honest = ann.text(at(10));
        let backdated = ann.text(at(3));
        let mut order = [honest.clone(), backdated.clone()];
        if late_first {
            order.reverse();
        }
        let mut log = Log::default();
        for entry in order {
            log.insert(entry, at(11), false);
        }
        assert_eq!(shown(&log, &honest).clock, honest.clock);
        assert_eq!(
            shown(&log, &backdated).clock.millis(),
            at(11),
            "{late_first}"
        );
    }
}

#[test]
fn an_answer_is_never_shown_above_what_it_answers() {
    let (mut ann, mut ben) = (Author::new(1), Author::new(2));
    let mut log = Log::default();
    let said = ann.text(at(10));
    log.insert(said.clone(), at(10), false);
    // Ben's clock is far behind.
    let answer = ben.say(at(1), StatementId([0; 32]), text(Some(said.id())));
    log.insert(answer.clone(), at(11), false);
    assert!(shown(&log, &answer) > shown(&log, &said));
}

#[test]
fn two_entries_with_one_number_are_both_kept_and_marked() {
    let mut ann = Author::new(1);
    let first = ann.text(at(1));
    let mut liar = Author::new(1);
    let second = liar.say(at(2), StatementId([0; 32]), text(None));
    let mut log = Log::default();
    log.insert(first.clone(), at(3), false);
    assert!(!log.get(&short(&first.id())).unwrap().is_forked);
    log.insert(second.clone(), at(3), false);
    for entry in [first, second] {
        assert!(log.get(&short(&entry.id())).unwrap().is_forked);
    }
}

#[test]
fn what_refers_to_a_message_that_has_not_come_waits_for_it() {
    let mut ann = Author::new(1);
    let said = ann.text(at(1));
    let target = said.id();
    let edit = Content::Edit {
        target,
        text: "better".to_owned(),
    };
    let edit = ann.say(at(2), StatementId([0; 32]), edit);
    let mut log = Log::default();
    let inserted = |change| {
        let others = Vec::new();
        Some(Inserted { change, others })
    };
    assert_eq!(
        log.insert(edit, at(3), false),
        inserted(Change::Changed(target))
    );
    assert_eq!(
        log.insert(said.clone(), at(3), false),
        inserted(Change::Said(target))
    );
    assert_eq!(log.references(&short(&target)).len(), 1);
    assert_eq!(log.insert(said, at(4), false), None, "once is enough");
}

proptest! {
    #[test]
    fn pages_have_everything_once_whatever_the_order_of_arrival(
        minutes in prop::collection::vec(0u64..400, 1..500),
        seed in 0usize..1000,
    ) {
        let mut ann = Author::new(1);
        let mut entries: Vec<Entry> = minutes.iter().map(|minute| ann.text(at(*minute))).collect();
        let length = entries.len();
        entries.rotate_left(seed % length);
        let mut log = Log::default();
        for entry in &entries {
            log.insert(entry.clone(), at(500), true);
        }
        let mut before = None;
        let mut pages = Vec::new();
        loop {
            let page = log.page(before, |_| true);
            prop_assert!(page.ids.len() <= MAX_IDS);
            pages.splice(..0, page.ids);
            before = page.from;
            if before.is_none() {
                break;
            }
        }
        entries.sort_by_key(Entry::position);
        let expected: Vec<ShortId> = entries.iter().map(|entry| short(&entry.id())).collect();
        prop_assert_eq!(pages, expected);
    }
}

#[test]
fn words_that_were_taken_back_are_shown_as_that_whichever_comes_first() {
    let (mut ann, mut log) = (Author::new(1), Log::default());
    let mut said = ann.text(at(1));
    let back = ann.say(at(2), said.id(), Content::Retract { target: said.id() });
    // Whoever passes it on has no words any more.
    said.take_back();
    let first = log.insert(back, at(3), true).map(|its| its.change);
    assert!(matches!(first, Some(Change::Changed(id)) if id == said.id()));
    let second = log.insert(said.clone(), at(3), true);
    let second = second.map(|its| its.change);
    assert!(matches!(second, Some(Change::Said(id)) if id == said.id()));
}
