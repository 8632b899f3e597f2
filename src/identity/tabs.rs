//! Tab numbers for browsers without Web Locks: a list in storage with a keep-alive.
//!
//! Every open tab of a profile has its own number, the smallest that is free: 1, 2, 3 … Where the Web Locks API exists,
//! a lock for each number decides, and this module is not used (see [`super::web`]). Elsewhere, tabs write themselves
//! into a list. Storage has no transactions, so two tabs may write at the same instant. Then the last write counts, and
//! the other tab notices at the next change or keep-alive that it is missing, and claims a number again. [`claim`]
//! serves both purposes: it keeps the number if the list still has this tab.

use core::time::Duration;

use crate::time::Millis;

/// The interval at which a tab renews its entry.
pub const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// The time without a renewal after which a number is free. It is longer than the minute to which browsers throttle the
/// timers of background tabs, because two tabs with the same number are worse than the number of a crashed tab being
/// unavailable for a while. A tab that is closed properly frees its number at once.
pub const STALE: Duration = Duration::from_secs(75);

/// The limit of entries in the list, which is more tabs than anybody has. Further entries of a damaged list are
/// dropped.
const MAX_TABS: usize = 200;

/// The result of [`claim`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The number that now belongs to this tab.
    pub number: u16,
    /// The list to store.
    pub list: String,
}

/// An open tab. It is stored as one line: its number, its token, and the time of its last renewal.
struct Holder<'a> {
    number: u16,
    tab: &'a str,
    at: Millis,
}

type List<'a> = Vec<Holder<'a>>;

/// Claims a number for the tab with this token, or renews the one that it has. `stored` is the list as it is stored.
/// Unreadable lines are dropped, since every open tab soon writes itself again.
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

/// Returns the list without this tab; `None` if the tab is not in it.
pub fn release(stored: Option<&str>, now: Millis, token: &str) -> Option<String> {
    let mut list = read(stored, now);
    let before = list.len();
    list.retain(|holder| holder.tab != token);
    (list.len() < before).then(|| write(&list))
}

fn read(stored: Option<&str>, now: Millis) -> List<'_> {
    // A time far ahead of the clock is as stale as one long ago, because the clock was set back.
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
    fn a_tab_keeps_its_number_while_it_renews_it() {
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
    fn a_tab_whose_claim_was_overwritten_claims_again() {
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
        fn garbage_is_read_as_an_empty_list(text in ".{0,60}") {
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
