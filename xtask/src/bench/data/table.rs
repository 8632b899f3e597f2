//! The printed report.

use super::{BLOCKS, Contestants, FILE, Figures, TEXTS};
use crate::bench::numbers::{grouped, median, ratio};
use crate::bench::table::{Row, Target};

/// The width of the first column.
const WIDE: usize = 56;

const RATE: f64 = 15_000.0;
const OVERHEAD: f64 = 30.0;
const FILE_TO_BARE: f64 = 0.9;
const LOADED_TO_IDLE: f64 = 3.0;
const VALUES_TO_BARE: f64 = 0.73;
const BESIDE_VALUES_MILLIS: f64 = 10.0;

/// The whole report as text.
pub fn text(all: &Contestants<Figures>, samples: u32) -> String {
    [medians(all, samples), targets(all)].concat()
}

fn medians(all: &Contestants<Figures>, samples: u32) -> String {
    let mut text = format!(
        "{:<WIDE$}{:>10}{:>10}{:>10}{:>9}{:>13}\n",
        format!("Median of {samples}"),
        "bare",
        "rtchat",
        "Trystero",
        "to bare",
        "to Trystero"
    );
    let mut row = |what: &str, values: fn(&Figures) -> &[f64], digits: usize| {
        let [bare, ours, theirs] = all.each_ref().map(|figures| median(values(figures)));
        let shown = |value: f64| {
            if digits == 0 {
                grouped(value)
            } else {
                format!("{value:.digits$}")
            }
        };
        text += &format!(
            "{what:<WIDE$}{:>10}{:>10}{:>10}{:>9}{:>13}\n",
            shown(bare),
            shown(ours),
            shown(theirs),
            ratio(ours, bare),
            ratio(ours, theirs),
        );
    };
    let (count, size) = TEXTS;
    let texts = format!(
        "messages a second: {} of {size} characters in one go",
        grouped(f64::from(count))
    );
    row(&texts, |figures| &figures.rate, 0);
    row(
        "bytes on the channel for each of them, beyond these",
        |figures| &figures.overhead,
        1,
    );
    let (count, size) = BLOCKS;
    let blocks = format!(
        "MB a second: {} MiB in blocks of {} KiB",
        count * (size / 1024) / 1024,
        size / 1024
    );
    row(&blocks, |figures| &figures.throughput, 1);
    let file = format!("MB a second: a file of {} MiB", FILE / 1024 / 1024);
    row(&file, |figures| &figures.files, 1);
    row(
        "ms until a question is answered, p50",
        |figures| &figures.idle[0],
        2,
    );
    row("the same, p99", |figures| &figures.idle[1], 2);
    row(
        "the same while blocks are sent, p50",
        |figures| &figures.loaded[0],
        2,
    );
    row("the same, p99", |figures| &figures.loaded[1], 2);
    row(
        "the same while a file is sent, p50",
        |figures| &figures.with_file[0],
        2,
    );
    row("the same, p99", |figures| &figures.with_file[1], 2);
    text + "A file is read from a Blob. rtchat stores it on the disk and compares SHA-256; the bare channels join it to a\n\
        Blob, without a hash; Trystero sends a Blob as it sends every value, joined in memory, without a hash.\n"
}

/// The figures for the table of all benchmarks.
pub fn rows(all: &Contestants<Figures>) -> Vec<Row> {
    let row = |what: &str, values: fn(&Figures) -> &[f64]| {
        let [bare, ours, theirs] = all.each_ref().map(|figures| median(values(figures)));
        Row::new(what, ours).bare(bare).trystero(theirs)
    };
    let (_, size) = TEXTS;
    let file = row(
        &format!("MB a second, a file of {} MiB", FILE / 1024 / 1024),
        |figures| &figures.files,
    );
    let of_bare = FILE_TO_BARE * file.bare.unwrap_or_default();
    let values = row("MB a second, as values of 64 KiB", |figures| {
        &figures.throughput
    });
    let values_of_bare = VALUES_TO_BARE * values.bare.unwrap_or_default();
    let idle = row("ms until a question is answered", |figures| {
        &figures.idle[0]
    });
    let of_idle = LOADED_TO_IDLE * idle.rtchat;
    let rows = [
        row(
            &format!("messages of {size} characters a second, sent in one go"),
            |figures| &figures.rate,
        )
        .target(Target::AtLeast(RATE))
        .short(),
        row("bytes around each of them", |figures| &figures.overhead)
            .target(Target::AtMost(OVERHEAD))
            .short(),
        file.target(Target::AtLeast(of_bare)).short(),
        values.target(Target::AtLeast(values_of_bare)),
        idle.short(),
        row("the same, 99th percentile", |figures| &figures.idle[1]),
        row(
            "ms until a question is answered while a file is sent",
            |figures| &figures.with_file[0],
        )
        .target(Target::AtMost(of_idle))
        .short(),
        row("the same, 99th percentile", |figures| &figures.with_file[1]),
        row(
            "ms until a question is answered while values of 64 KiB are sent",
            |figures| &figures.loaded[0],
        )
        .target(Target::AtMost(BESIDE_VALUES_MILLIS))
        .short(),
        row("the same, 99th percentile", |figures| &figures.loaded[1]),
    ];
    rows.into()
}

fn targets([bare, ours, _]: &Contestants<Figures>) -> String {
    let [to_bare, values_to_bare, to_idle] = [
        median(&ours.files) / median(&bare.files),
        median(&ours.throughput) / median(&bare.throughput),
        median(&ours.with_file[0]) / median(&ours.idle[0]),
    ];
    let rows = [
        (
            "messages a second",
            median(&ours.rate),
            Target::AtLeast(RATE),
        ),
        (
            "bytes for each of them, beyond its own",
            median(&ours.overhead),
            Target::AtMost(OVERHEAD),
        ),
        (
            "a file's MB a second, as a part of the bare channel's",
            to_bare,
            Target::AtLeast(FILE_TO_BARE),
        ),
        (
            "MB a second as values of 64 KiB, as a part of the bare channel's",
            values_to_bare,
            Target::AtLeast(VALUES_TO_BARE),
        ),
        (
            "ms until a question is answered while they are sent, p50",
            median(&ours.loaded[0]),
            Target::AtMost(BESIDE_VALUES_MILLIS),
        ),
        (
            "a question while a file is sent, p50, to one without",
            to_idle,
            Target::AtMost(LOADED_TO_IDLE),
        ),
    ];
    let mut text = format!(
        "\n{:<WIDE$}{:>10}{:>20}{:>8}\n",
        "Targets", "", "wanted", "met"
    );
    for (what, is, target) in rows {
        let shown = |value: f64| {
            if value < 1_000.0 {
                format!("{value:.2}")
            } else {
                grouped(value)
            }
        };
        let (wanted, met) = match target {
            Target::AtLeast(limit) => (format!("at least {}", shown(limit)), is >= limit),
            Target::AtMost(limit) => (format!("at most {}", shown(limit)), is <= limit),
        };
        let (is, met) = (shown(is), if met { "yes" } else { "NO" });
        text += &format!("{what:<WIDE$}{is:>10}{wanted:>20}{met:>8}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures with this speed, and this latency of questions while a file is sent.
    fn figures(speed: f64, millis: f64) -> Figures {
        Figures {
            rate: vec![speed],
            overhead: vec![19.0],
            throughput: vec![speed],
            files: vec![speed],
            idle: [vec![1.0], vec![2.0]],
            loaded: [vec![millis], vec![millis]],
            with_file: [vec![millis], vec![millis]],
        }
    }

    #[test]
    fn missed_targets_are_marked() {
        let met = |speed, millis| -> Vec<bool> {
            let all = [
                figures(20_000.0, 1.0),
                figures(speed, millis),
                figures(1.0, 1.0),
            ];
            let text = targets(&all);
            let rows = text.lines().skip(2);
            rows.map(|row| row.ends_with(" yes")).collect()
        };
        assert_eq!(met(18_000.0, 3.0), [true; 6]);
        assert_eq!(met(17_000.0, 3.1), [true, true, false, true, true, false]);
        assert_eq!(
            met(14_000.0, 11.0),
            [false, true, false, false, false, false]
        );
    }
}
