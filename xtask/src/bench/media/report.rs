//! The printed report.

use super::{Figures, PEOPLE, call::Cost};
use crate::bench::numbers::{median, ratio};
use crate::bench::table::{Row, Target};

/// The most milliseconds until the first picture, alone and as a multiple of the bare connection's.
const FIRST: f64 = 300.0;
const FIRST_TO_BARE: f64 = 1.3;
/// The most milliseconds until pictures come on another network.
const RECOVERY: f64 = 3_000.0;

/// The figures for the table of all benchmarks.
pub fn rows(figures: &Figures) -> Vec<Row> {
    let bare = median(&figures.bare);
    let first = || {
        Row::new(
            "ms from opening a camera that is on until its first picture",
            median(&figures.first),
        )
        .bare(bare)
    };
    let mut rows = vec![
        first().target(Target::AtMost(FIRST)).short(),
        Row {
            what: "the same, beside bare connections that are open already".into(),
            ..first().target(Target::AtMost(FIRST_TO_BARE * bare))
        },
        Row::new(
            "the same once more in the same page",
            median(&figures.again),
        )
        .bare(bare),
    ];
    let calls = PEOPLE.into_iter().zip(&figures.calls);
    for (count, figures) in calls.filter(|(_, [ours, _])| !ours.is_empty()) {
        let row = |what: &str, value: fn(&Cost) -> f64| {
            let of = |costs: &[Cost]| median(&costs.iter().map(value).collect::<Vec<_>>());
            Row::new(format!("{what}, a call of {count}"), of(&figures[0])).bare(of(&figures[1]))
        };
        rows.push(row("ms of the processor a second", |cost| cost.processor));
        rows.push(row("kB sent a second", |cost| cost.kilobytes));
        rows.push(row("pictures a second", |cost| cost.pictures));
    }
    if !figures.recovery.is_empty() {
        let what = "ms until pictures come again, from another address on";
        let row = Row::new(what, median(&figures.recovery));
        rows.push(row.target(Target::AtMost(RECOVERY)).short());
    }
    rows
}

/// The rows as text.
pub fn text(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let bare = row
            .bare
            .map(|bare| format!("{bare:.0}"))
            .unwrap_or_default();
        let times = row
            .bare
            .map(|bare| ratio(row.rtchat, bare))
            .unwrap_or_default();
        let (most, met) = match row.target {
            Some(Target::AtMost(most)) if row.rtchat <= most => (format!("{most:.0}"), "yes"),
            Some(Target::AtMost(most)) => (format!("{most:.0}"), "NO"),
            _ => (String::new(), ""),
        };
        format!(
            "{:<62}{:>9.0}{bare:>9}{times:>9}{most:>9}{met:>6}\n",
            row.what, row.rtchat
        )
    };
    let heading = format!(
        "{:<62}{:>9}{:>9}{:>9}{:>9}{:>6}\n",
        "", "rtchat", "bare", "to bare", "at most", "met"
    );
    rows.iter()
        .fold(heading, |text, row| text + line(row).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_targets_are_marked_and_what_was_not_measured_is_left_out() {
        let figures = |first| Figures {
            first: vec![first],
            bare: vec![100.0],
            ..Figures::default()
        };
        let met = |first: f64, wanted: &str| {
            let text = text(&rows(&figures(first)));
            text.lines().filter(|line| line.ends_with(wanted)).count()
        };
        assert_eq!((met(130.0, " yes"), met(130.0, " NO")), (2, 0));
        assert_eq!((met(131.0, " yes"), met(131.0, " NO")), (1, 1));
        assert_eq!((met(301.0, " yes"), met(301.0, " NO")), (0, 2));
    }
}
