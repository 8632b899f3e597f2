//! Tab numbers for browsers without Web Locks: a list in storage with a keep-alive.
//!
//! Every open tab of a profile has a number of its own, the smallest that is free: 1, 2, 3 … Where the Web
//! Locks API exists, a lock for each number decides and nothing here is used (see [`super::web`]). Without it,
//! tabs write themselves into one list. Storage has no transactions, so two tabs may write at the same
//! instant; the last one stands, the other finds itself missing (on the next change or keep-alive) and claims
//! again. [`claim`] is therefore all there is: it keeps the number that the list still gives to this tab.

use core::time::Duration;

use crate::time::Millis;

/// How often a tab says that it is still there.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// After which silence a number is free. Longer than the minute to which browsers throttle the timers of
/// background tabs: two people under one number are worse than a crashed tab's number staying away for a while.
/// A tab that is closed properly frees its number at once.
pub const STALE: Duration = Duration::from_secs(75);

/// More tabs than anybody has; what a damaged list holds beyond is not carried along.
const MAX_TABS: usize = 200;

/// What [`claim`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The number that now belongs to this tab.
    pub number: u16,
    /// The list to store.
    pub list: String,
}

/// An open tab. In storage, a line for each: its number, what it calls itself, and when it last said that it is there.
struct Holder<'a> {
    number: u16,
    tab: &'a str,
    at: Millis,
}

type List<'a> = Vec<Holder<'a>>;

/// Claims a number for the tab that calls itself `token`, or keeps alive the one that it has. `stored` is the
/// list as it is; what cannot be read counts as empty, since every open tab soon writes itself again.
pub fn claim(stored: Option<&str>, now: Millis, token: &str) -> Claim {
    let mut list = read(stored, now);
    let own = list
        .iter()
        .find(|holder| holder.tab == token)
        .map(|holder| holder.number);
    list.retain(|holder| holder.tab != token);
    // At most MAX_TABS are taken, so one of the first MAX_TABS + 1 is free.
    let number = own
        .or_else(|| (1..).find(|number| !has_number(&list, *number)))
        .unwrap_or(1);
    list.push(Holder {
        number,
        tab: token,
        at: now,
    });
    Claim {
        number,
        list: write(&list),
    }
}

/// Whether the list gives `number` to this tab.
pub fn holds(stored: Option<&str>, now: Millis, token: &str, number: u16) -> bool {
    read(stored, now)
        .iter()
        .any(|holder| holder.number == number && holder.tab == token)
}

/// The list without this tab; `None` if it is not in there.
pub fn release(stored: Option<&str>, now: Millis, token: &str) -> Option<String> {
    let mut list = read(stored, now);
    let before = list.len();
    list.retain(|holder| holder.tab != token);
    (list.len() < before).then(|| write(&list))
}

fn read(stored: Option<&str>, now: Millis) -> List<'_> {
    // A time ahead of the clock is as dead as one long ago: the clock was set back.
    let alive = |at: Millis| now.since(at) < STALE && at.since(now) < STALE;
    let mut list = List::new();
    for holder in stored.unwrap_or_default().lines().filter_map(read_line) {
        if list.len() < MAX_TABS
            && holder.number > 0
            && alive(holder.at)
            && !has_number(&list, holder.number)
        {
            list.push(holder);
        }
    }
    list
}

fn read_line(line: &str) -> Option<Holder<'_>> {
    let mut fields = line.split(' ');
    let number = fields.next()?.parse().ok()?;
    let tab = fields.next()?;
    let at = Millis(fields.next()?.parse().ok()?);
    Some(Holder { number, tab, at })
}

fn write(list: &List) -> String {
    let lines: Vec<String> = list
        .iter()
        .map(|holder| format!("{} {} {}", holder.number, holder.tab, holder.at.0))
        .collect();
    lines.join("\n")
}

fn has_number(list: &List, number: u16) -> bool {
    list.iter().any(|holder| holder.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NOW: Millis = Millis(1_000_000);

    #[test]
    fn numbers_are_the_smallest_that_are_free() {
        let a = claim(None, NOW, "a");
        let b = claim(Some(&a.list), NOW, "b");
        let c = claim(Some(&b.list), NOW, "c");
        assert_eq!((a.number, b.number, c.number), (1, 2, 3));
        let list = release(Some(&c.list), NOW, "b").unwrap();
        assert_eq!(release(Some(&list), NOW, "b"), None);
        let d = claim(Some(&list), NOW, "d");
        assert_eq!(d.number, 2);
        assert!(holds(Some(&d.list), NOW, "c", 3) && !holds(Some(&d.list), NOW, "b", 2));
    }

    #[test]
    fn a_tab_keeps_its_number_while_it_says_so() {
        let mut list = claim(Some(&claim(None, NOW, "a").list), NOW, "b").list;
        let mut now = NOW;
        for _ in 0..10 {
            now = now + KEEP_ALIVE;
            let kept = claim(Some(&list), now, "b");
            assert_eq!(kept.number, 2);
            list = kept.list;
        }
        assert_eq!(
            claim(Some(&list), now, "c").number,
            1,
            "a was silent for too long"
        );
    }

    #[test]
    fn of_two_at_the_same_instant_the_one_that_was_overwritten_claims_again() {
        let (_lost, stands) = (claim(None, NOW, "a"), claim(None, NOW, "b"));
        assert!(!holds(Some(&stands.list), NOW, "a", 1));
        let again = claim(Some(&stands.list), NOW, "a");
        assert_eq!(again.number, 2);
        assert!(holds(Some(&again.list), NOW, "b", 1));
    }

    #[test]
    fn a_clock_that_was_set_back_blocks_nothing() {
        let list = claim(None, NOW + STALE, "a").list;
        assert_eq!(claim(Some(&list), NOW, "b").number, 1);
    }

    proptest! {
        #[test]
        fn garbage_is_an_empty_list(text in ".{0,60}") {
            prop_assert_eq!(claim(Some(&text), NOW, "a").number, 1);
        }

        #[test]
        fn no_two_tabs_share_a_number(moves in proptest::collection::vec((0u8..6, any::<bool>(), 0u64..9_000), 1..80)) {
            let (mut list, mut now) = (None::<String>, NOW);
            let mut open: BTreeMap<u8, u16> = BTreeMap::new();
            for (tab, opens, later) in moves {
                now = Millis(now.0 + later);
                // Every open tab keeps itself alive.
                for (tab, number) in &open {
                    let kept = claim(list.as_deref(), now, &tab.to_string());
                    prop_assert_eq!(kept.number, *number);
                    list = Some(kept.list);
                }
                if opens {
                    let claimed = claim(list.as_deref(), now, &tab.to_string());
                    open.insert(tab, claimed.number);
                    list = Some(claimed.list);
                } else if open.remove(&tab).is_some() {
                    list = release(list.as_deref(), now, &tab.to_string());
                }
                let mut numbers: Vec<_> = open.values().collect();
                numbers.sort();
                numbers.dedup();
                prop_assert_eq!(numbers.len(), open.len());
                prop_assert!(open.values().all(|number| *number <= 6));
            }
        }
    }
}
