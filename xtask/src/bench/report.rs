//! The printed report.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::machine::Machine;
use super::meeting::Meeting;
use super::numbers::{grouped, median, ratio};
use super::table::{Row, Target};
use super::{DELAY, Figures, Results, TABS};
use crate::testbed::Traffic;

/// The width of the first column.
const WIDE: usize = 52;

const JOINED_TO_TRYSTERO: f64 = 0.6;
const NAVIGATED_TO_TRYSTERO: f64 = 0.7;
const MESH_TO_TRYSTERO: f64 = 0.8;
const DELAYED_MILLIS: f64 = 400.0;
const MESSAGES: f64 = 3.0;
const BYTES: f64 = 1_000.0;
const MESH_BYTES: f64 = 12_000.0;
const PAGE_BYTES: f64 = 235_000.0;

fn of(meetings: &[Meeting], value: impl Fn(&Meeting) -> f64) -> Vec<f64> {
    meetings.iter().map(value).collect()
}

fn millis(meetings: &[Meeting]) -> Vec<f64> {
    of(meetings, |meeting| meeting.millis)
}

/// The median processor time for each tab, in milliseconds.
fn processor(meetings: &[Meeting], tabs: usize) -> f64 {
    median(&of(meetings, |meeting| meeting.processor)) / tabs as f64
}

/// The number of tabs that take part in a meeting of two, one of which has been there before.
const PAIR: usize = 2;

fn messages(meetings: &[Meeting]) -> f64 {
    median(&of(meetings, |meeting| meeting.traffic.publishes as f64))
}

fn bytes(meetings: &[Meeting]) -> f64 {
    median(&of(meetings, |meeting| {
        meeting.traffic.payload_bytes as f64
    }))
}

/// The whole report as text.
pub fn text(results: &Results, machine: &Machine) -> String {
    let mut text = machine.to_string();
    times(&mut text, results);
    traffic(&mut text, results);
    targets(&mut text, results);
    if !results.failures.is_empty() {
        let whose = results.failures.join(", ");
        line(
            &mut text,
            format_args!("\nDid not meet within 45 s, and got another try: {whose}."),
        );
    }
    text
}

/// How six tabs connect, as text.
pub fn tabs(results: &Results) -> String {
    let figures = |of: fn(&[Meeting]) -> f64| {
        let Results {
            rtchat,
            trystero,
            alone,
            ..
        } = results;
        let [ours, alone, theirs] = [rtchat, alone, trystero].map(|who| of(&who.mesh));
        let times = ours / theirs;
        format!("{ours:>10.0}{alone:>15.0}{theirs:>10.0}{times:>13.2}×")
    };
    format!(
        "{TABS} tabs, opened together, median      rtchat  browser alone  Trystero  to Trystero\n\
         ms until all are connected       {}\n\
         ms of processor time for each tab{}\n\
         messages until then              {}\n\
         bytes of payload in them         {}\n",
        figures(|mesh| median(&millis(mesh))),
        figures(|mesh| processor(mesh, TABS)),
        figures(messages),
        figures(bytes),
    )
}

/// The whole report as JSON.
pub fn json(results: &Results, machine: &Machine) -> Value {
    let one = |meeting: &Meeting| {
        let Traffic {
            publishes,
            payload_bytes,
            ..
        } = meeting.traffic;
        json!({ "ms": meeting.millis, "processorMs": meeting.processor, "messages": publishes, "payloadBytes": payload_bytes })
    };
    let all = |meetings: &[Meeting]| meetings.iter().map(one).collect::<Vec<_>>();
    let figures = |figures: &Figures| {
        json!({
            "joined": all(&figures.joined),
            "navigated": all(&figures.navigated),
            "delayed": all(&figures.delayed),
            "mesh": all(&figures.mesh),
        })
    };
    json!({
        "machine": machine.json(),
        "bareMs": results.bare,
        "rtchat": figures(&results.rtchat),
        "trystero": figures(&results.trystero),
        "alone": figures(&results.alone),
        "pageBytes": results.page,
        "failures": results.failures,
    })
}

/// The figures for the table of all benchmarks.
pub fn rows(results: &Results) -> Vec<Row> {
    let Results {
        bare,
        rtchat,
        trystero,
        alone,
        page,
        ..
    } = results;
    let time = |what: &str, side: fn(&Figures) -> &[Meeting]| {
        let [ours, theirs] = [rtchat, trystero].map(|who| median(&millis(side(who))));
        Row::new(what, ours).trystero(theirs)
    };
    let quicker = |row: Row, part: f64| {
        let limit = part * row.trystero.unwrap_or_default();
        row.target(Target::AtMost(limit))
    };
    let traffic = |what: &str, figure: fn(&[Meeting]) -> f64, side: fn(&Figures) -> &[Meeting]| {
        let [ours, theirs] = [rtchat, trystero].map(|who| figure(side(who)));
        Row::new(what, ours).trystero(theirs)
    };
    let spent = |what: &str, figure: fn(&Figures) -> f64| {
        let [ours, bare, theirs] = [rtchat, alone, trystero].map(figure);
        Row::new(what, ours).bare(bare).trystero(theirs)
    };
    let joined = time(
        "ms until both sides are connected (rtchat: and verified), from submitting the name",
        |who| &who.joined,
    );
    let delay = DELAY.as_millis();
    let rows = [
        quicker(joined, JOINED_TO_TRYSTERO)
            .bare(median(bare))
            .short(),
        time(
            &format!("the same, {delay} ms each way to the broker"),
            |who| &who.delayed,
        )
        .target(Target::AtMost(DELAYED_MILLIS))
        .short(),
        quicker(
            time("ms from navigating to the page", |who| &who.navigated),
            NAVIGATED_TO_TRYSTERO,
        )
        .bare(median(&millis(&alone.navigated)))
        .short(),
        spent("ms of processor time for each of the two", |who| {
            processor(&who.navigated, PAIR)
        }),
        traffic("messages over the broker for two", messages, |who| {
            &who.joined
        })
        .target(Target::AtMost(MESSAGES))
        .short(),
        traffic("bytes of payload in them", bytes, |who| &who.joined)
            .target(Target::AtMost(BYTES))
            .short(),
        traffic(
            &format!("messages until {TABS} tabs, opened together, are connected"),
            messages,
            |who| &who.mesh,
        ),
        traffic(
            &format!("bytes of payload until {TABS} tabs are connected"),
            bytes,
            |who| &who.mesh,
        )
        .target(Target::AtMost(MESH_BYTES))
        .short(),
        quicker(
            time(&format!("ms until {TABS} tabs are connected"), |who| {
                &who.mesh
            }),
            MESH_TO_TRYSTERO,
        )
        .bare(median(&millis(&alone.mesh))),
        spent("ms of processor time for each of them", |who| {
            processor(&who.mesh, TABS)
        }),
        Row::new("bytes of the page, compressed with brotli", *page as f64)
            .target(Target::AtMost(PAGE_BYTES))
            .short(),
    ];
    rows.into()
}

fn line(text: &mut String, line: fmt::Arguments<'_>) {
    let _ = writeln!(text, "{}", line.to_string().trim_end());
}

fn times(text: &mut String, results: &Results) {
    let heading = format!(
        "Until both are connected, ms ({} samples)",
        results.bare.len()
    );
    let columns = ["median", "min", "max", "to bare", "to Trystero"];
    let [median_, min, max, bare, trystero] = columns;
    line(
        text,
        format_args!("\n{heading:<WIDE$}{median_:>8}{min:>7}{max:>7}{bare:>10}{trystero:>13}"),
    );
    let floor = median(&results.bare);
    let mut row = |what: &str, times: &[f64], theirs: Option<&[f64]>| {
        let [middle, min, max] = [
            median(times),
            times.iter().copied().fold(f64::INFINITY, f64::min),
            times.iter().copied().fold(0.0, f64::max),
        ];
        let bare = ratio(middle, floor);
        let trystero = theirs.map(|theirs| ratio(middle, median(theirs)));
        let trystero = trystero.unwrap_or_default();
        line(
            text,
            format_args!("{what:<WIDE$}{middle:>8.1}{min:>7.0}{max:>7.0}{bare:>10}{trystero:>13}"),
        );
    };
    row(
        "two RTCPeerConnections of one page, no broker",
        &results.bare,
        None,
    );
    let delay = DELAY.as_millis();
    let slow = [
        format!("rtchat: the same, {delay} ms each way to broker"),
        format!("Trystero: the same, {delay} ms each way to broker"),
    ];
    let pairs: [[&str; 2]; 3] = [
        [
            "rtchat: name submitted → verified at both",
            "Trystero: joinRoom() → onPeerJoin at both",
        ],
        slow.each_ref().map(String::as_str),
        [
            "rtchat: navigation → verified at both",
            "Trystero: navigation → onPeerJoin at both",
        ],
    ];
    let sides = |figures: &Figures| {
        [&figures.joined, &figures.delayed, &figures.navigated].map(|side| millis(side))
    };
    let (ours, theirs) = (sides(&results.rtchat), sides(&results.trystero));
    for ([our_name, their_name], (ours, theirs)) in pairs.iter().zip(ours.iter().zip(&theirs)) {
        row(our_name, ours, Some(theirs));
        row(their_name, theirs, None);
    }
    row(
        "browser alone: navigation → open channel at both",
        &millis(&results.alone.navigated),
        None,
    );
}

fn traffic(text: &mut String, results: &Results) {
    let heading = "What clients publish, median";
    let columns = ["rtchat", "Trystero", "ratio"];
    let [ours, theirs, ratio_] = columns;
    line(
        text,
        format_args!("\n{heading:<WIDE$}{ours:>8}{theirs:>10}{ratio_:>8}"),
    );
    let both = [&results.rtchat, &results.trystero];
    let rows = [
        (
            "messages, from joining to verified".to_owned(),
            both.map(|who| messages(&who.joined)),
        ),
        (
            "bytes of payload in them".to_owned(),
            both.map(|who| bytes(&who.joined)),
        ),
        (
            format!("messages until {TABS} tabs, opened together, are connected"),
            both.map(|who| messages(&who.mesh)),
        ),
        (
            "bytes of payload in them".to_owned(),
            both.map(|who| bytes(&who.mesh)),
        ),
        (
            "ms that takes".to_owned(),
            both.map(|who| median(&millis(&who.mesh))),
        ),
        (
            "ms of processor time for each tab".to_owned(),
            both.map(|who| processor(&who.mesh, TABS)),
        ),
        (
            "ms of processor time, two after a navigation, each".to_owned(),
            both.map(|who| processor(&who.navigated, PAIR)),
        ),
    ];
    for (what, [ours, theirs]) in rows {
        let ratio = ratio(ours, theirs);
        let [ours, theirs] = [ours, theirs].map(grouped);
        line(
            text,
            format_args!("{what:<WIDE$}{ours:>8}{theirs:>10}{ratio:>8}"),
        );
    }
    let alone = &results.alone;
    line(
        text,
        format_args!(
            "The browser alone: {TABS} tabs in {} ms, with {} ms of processor time for each tab; two after a navigation \
             with {} ms each.",
            grouped(median(&millis(&alone.mesh))),
            grouped(processor(&alone.mesh, TABS)),
            grouped(processor(&alone.navigated, PAIR)),
        ),
    );
}

fn targets(text: &mut String, results: &Results) {
    let (heading, is, limit, met) = ("Targets", "", "at most", "met");
    line(
        text,
        format_args!("\n{heading:<WIDE$}{is:>8}{limit:>10}{met:>8}"),
    );
    let Results {
        rtchat, trystero, ..
    } = results;
    let part = |side: fn(&Figures) -> &[Meeting]| {
        let [ours, theirs] = [rtchat, trystero].map(|who| median(&millis(side(who))));
        ours / theirs
    };
    let delay = DELAY.as_millis();
    let rows = [
        (
            "submitted → verified, as a part of Trystero's time".to_owned(),
            part(|who| &who.joined),
            JOINED_TO_TRYSTERO,
        ),
        (
            "navigation → verified, as a part of Trystero's time".to_owned(),
            part(|who| &who.navigated),
            NAVIGATED_TO_TRYSTERO,
        ),
        (
            format!("{TABS} tabs, as a part of Trystero's time"),
            part(|who| &who.mesh),
            MESH_TO_TRYSTERO,
        ),
        (
            format!("submitted → verified, ms, {delay} ms each way"),
            median(&millis(&rtchat.delayed)),
            DELAYED_MILLIS,
        ),
        (
            "messages for two".to_owned(),
            messages(&rtchat.joined),
            MESSAGES,
        ),
        (
            "bytes of payload for two".to_owned(),
            bytes(&rtchat.joined),
            BYTES,
        ),
        (
            format!("bytes of payload for {TABS} tabs"),
            bytes(&rtchat.mesh),
            MESH_BYTES,
        ),
        (
            "bytes of the page, in total, brotli".to_owned(),
            results.page as f64,
            PAGE_BYTES,
        ),
    ];
    for (what, is, limit) in rows {
        let met = if is <= limit { "yes" } else { "NO" };
        let shown = |value: f64| {
            if limit < 1.0 {
                format!("{value:.2}")
            } else {
                grouped(value)
            }
        };
        let [is, limit] = [is, limit].map(shown);
        line(
            text,
            format_args!("{what:<WIDE$}{is:>8}{limit:>10}{met:>8}"),
        );
    }
}
