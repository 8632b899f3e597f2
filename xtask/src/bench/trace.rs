//! The steps of connecting, with their times: the requests of rtchat's pages to the network.
//!
//! Of six tabs that are opened together, one run is shown: when each step began and ended, and how often it came.

use std::collections::HashMap;

use anyhow::Result;

use super::meeting::Start;
use super::numbers::median;
use super::{Bed, Contestant, Line, TABS, script};

/// Prints the steps from joining until both sides are verified, with the median time of each.
pub async fn run(bed: &mut Bed, mut who: Contestant, samples: u32) -> Result<()> {
    // This script has to run before the one that watches the page.
    who.scripts.insert(0, script("trace.js")?);
    let cases = [
        ("join → verified", Line::Fast, Start::Joining),
        ("navigation → verified", Line::Fast, Start::Navigation),
        (
            "join → verified, 50 ms to the broker",
            Line::Slow,
            Start::Joining,
        ),
    ];
    for (title, line, start) in cases {
        let mut steps: HashMap<(usize, String, usize), Vec<f64>> = HashMap::new();
        let mut times = Vec::new();
        for _ in 0..samples {
            let meeting = bed.two(&who, line, start).await?;
            times.push(meeting.millis);
            let mut seen: HashMap<(usize, String), usize> = HashMap::new();
            let mut notes = meeting.notes;
            notes.sort_by(|a, b| a.1.total_cmp(&b.1));
            for (page, at, what) in notes {
                if at < -1000.0 || (page == 0 && at < 0.0) || at > meeting.millis + 20.0 {
                    continue;
                }
                let count = seen.entry((page, what.clone())).or_default();
                *count += 1;
                steps.entry((page, what, *count)).or_default().push(at);
            }
        }
        println!(
            "\n{title}: {:.1} ms (median of {samples}, traced)",
            median(&times)
        );
        println!(
            "{:>8}  {:<44}in the page that was there",
            "ms", "in the page that comes"
        );
        let mut steps: Vec<_> = steps
            .into_iter()
            // Steps that happen in few samples only are left out.
            .filter(|(_, times)| times.len() * 2 > samples as usize)
            .map(|((page, what, _), times)| (median(&times), page, what))
            .collect();
        steps.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (at, page, what) in steps {
            let indent = if page == 1 { 0 } else { 44 };
            println!("{at:>8.1}  {:indent$}{what}", "");
        }
    }
    Ok(())
}

/// Prints what six tabs do that are opened together: each step, how often each tab took it, and when first and last.
pub async fn tabs(bed: &mut Bed, mut who: Contestant) -> Result<()> {
    who.scripts.insert(0, script("trace.js")?);
    let meeting = bed.many(&who).await?;
    println!("six tabs: {:.0} ms, traced", meeting.millis);
    println!(
        "{:>8} {:>8}  step, and how often each tab took it",
        "first", "last"
    );
    let mut steps: HashMap<String, Vec<(usize, f64)>> = HashMap::new();
    for (tab, at, what) in meeting.notes {
        steps.entry(what).or_default().push((tab, at));
    }
    let mut steps: Vec<_> = steps.into_iter().collect();
    let first = |times: &[(usize, f64)]| times.iter().map(|(_, at)| *at).fold(f64::MAX, f64::min);
    steps.sort_by(|(_, a), (_, b)| first(a).total_cmp(&first(b)));
    for (what, times) in steps {
        let last = times.iter().map(|(_, at)| *at).fold(f64::MIN, f64::max);
        let count = |tab| times.iter().filter(|(its, _)| *its == tab).count();
        let counts: Vec<String> = (0..TABS).map(|tab| count(tab).to_string()).collect();
        let counts = counts.join(" ");
        println!("{:>8.0} {last:>8.0}  {what}: {counts}", first(&times));
    }
    Ok(())
}
