use super::*;
use crate::identity::{PublicKey, Trust};
use crate::room::Conversation;
use crate::room::Message;
use crate::time::Millis;
use crate::ui::line::{Moves, Said};
use proptest::prelude::*;

fn order(place: u64) -> Order {
    Order(place, [0; 32])
}

/// A line with a message, or one about people if there is no id.
fn line(seq: u32, place: u64, id: Option<u8>) -> Line {
    let said = |id: u8| {
        let (id, at) = (MessageId(id.to_string()), Millis(0));
        let lobby = Conversation::Channel("lobby".into());
        let message = Message::new(
            id,
            lobby,
            "ann".into(),
            PublicKey([2; 33]),
            "text".into(),
            at,
        );
        Content::Said(Said {
            message: Rc::new(message),
            day: 0,
            new_day: false,
            leads: false,
            delivery: None,
            trust: Trust::New,
            mentions: Vec::new(),
        })
    };
    Line {
        seq,
        place: order(place),
        content: id.map_or(Content::Moves(Moves::default()), said),
    }
}

/// What is done to the lines.
#[derive(Debug, Clone)]
enum Step {
    Insert { place: u64, id: Option<u8> },
    Replace { at: usize },
    Remove { at: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let insert = (0..40u64, prop::option::of(0..20u8));
    let step = prop_oneof![
        6 => insert.prop_map(|(place, id)| Step::Insert { place, id }),
        1 => any::<prop::sample::Index>().prop_map(|at| Step::Replace { at: at.index(1_000) }),
        2 => any::<prop::sample::Index>().prop_map(|at| Step::Remove { at: at.index(1_000) }),
    ];
    prop::collection::vec(step, 0..600)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn lines_are_found_as_in_a_plain_list(steps in steps()) {
        let mut lines = Lines::default();
        let mut plain: Vec<Line> = Vec::new();
        for (seq, step) in (0..).zip(steps) {
            match step {
                Step::Insert { place, id } => {
                    let index = lines.up_to(&order(place));
                    prop_assert_eq!(index, plain.partition_point(|line| line.place <= order(place)));
                    lines.insert(index, line(seq, place, id));
                    plain.insert(index, line(seq, place, id));
                }
                Step::Replace { at } if at < plain.len() => {
                    if let Content::Said(said) = &mut plain[at].content {
                        said.leads = true;
                    }
                    lines.replace(plain[at].clone());
                }
                Step::Remove { at } if at < plain.len() => {
                    let removed = plain.remove(at);
                    let gone = lines.remove(removed.seq);
                    prop_assert_eq!(gone.as_deref(), Some(&removed));
                }
                _ => {}
            }
        }
        prop_assert!(lines.iter().map(|line| &**line).eq(&plain));
        prop_assert_eq!(lines.len(), plain.len());
        prop_assert_eq!(lines.first().map(|line| &**line), plain.first());
        prop_assert_eq!(lines.last().map(|line| &**line), plain.last());
        for (index, line) in plain.iter().enumerate() {
            prop_assert_eq!(lines.position(line.seq), Some(index));
            prop_assert_eq!(lines.by_number(line.seq).map(|line| &**line), Some(line));
            prop_assert_eq!(lines.get(index).map(|line| &**line), Some(line));
        }
        prop_assert!(lines.get(plain.len()).is_none());
        prop_assert!(lines.by_number(u32::MAX).is_none());
        for id in 0..20u8 {
            let id = MessageId(id.to_string());
            let mut found: Vec<u32> = plain.iter().filter(|line| id_of(line) == Some(&id)).map(|line| line.seq).collect();
            found.sort_unstable();
            prop_assert!(lines.by_id(&id).map(|line| line.seq).eq(found));
        }
        let middle = plain.len() / 3..plain.len() / 2;
        prop_assert!(lines.range(middle.clone()).map(|line| &**line).eq(&plain[middle]));
    }
}

#[test]
fn a_change_copies_three_pieces_of_a_long_log() {
    let mut lines = Lines::default();
    for seq in 0..10_000 {
        lines.insert(
            lines.len(),
            line(seq, u64::from(seq), Some((seq % 251) as u8)),
        );
    }
    let before = lines.clone();
    lines.insert(5_000, line(10_000, 4_999, Some(7)));
    let copied = |pieces: fn(&Lines) -> &Pieces| {
        let (Pieces(before), Pieces(now)) = (pieces(&before), pieces(&lines));
        let is_shared =
            |piece: &&Rc<Vec<Rc<Line>>>| before.iter().any(|other| Rc::ptr_eq(other, piece));
        now.iter().filter(|piece| !is_shared(piece)).count()
    };
    for pieces in [
        copied(|lines| &lines.shown),
        copied(|lines| &lines.by_number),
        copied(|lines| &lines.by_id),
    ] {
        // A piece that has become too long is now two.
        assert!(pieces <= 2, "{pieces}");
    }
    let Pieces(pieces) = &lines.shown;
    assert!(pieces.len() < 100, "{}", pieces.len());
    assert!(pieces.iter().all(|piece| piece.len() <= PIECE));
}
