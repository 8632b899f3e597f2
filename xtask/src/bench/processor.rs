//! The processor time of the browser. Unlike the time on the clock, it hardly depends on what else the machine does.

use std::collections::HashMap;
use std::fs;

/// The clock ticks of a second in `/proc`, which are the same on all of Linux's architectures (`man 5 proc_pid_stat`).
const TICKS: f64 = 100.0;

/// The milliseconds of processor time that the descendants of a process have taken, including those that have ended. 0
/// where there is no `/proc`.
pub fn millis(of: u32) -> f64 {
    let Ok(entries) = fs::read_dir("/proc") else {
        return 0.0;
    };
    let stats = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let process = path.file_name()?.to_str()?.parse().ok()?;
        // A process may have ended meanwhile. Its time is that of its parent then.
        let stat = fs::read_to_string(path.join("stat")).ok()?;
        Some((process, Stat::parse(&stat)?))
    });
    let stats: HashMap<u32, Stat> = stats.collect();
    let descends = |process: &u32| {
        let mut parents = std::iter::successors(Some(*process), |process| {
            stats.get(process).map(|stat| stat.parent)
        });
        *process != of && parents.any(|parent| parent == of)
    };
    let descendants = stats.iter().filter(|(process, _)| descends(process));
    let ticks: u64 = descendants.map(|(_, stat)| stat.ticks).sum();
    ticks as f64 * 1e3 / TICKS
}

/// What `/proc/…/stat` says of a process.
#[derive(Debug, PartialEq)]
struct Stat {
    parent: u32,
    /// In user and kernel mode, its own and that of its children that have ended.
    ticks: u64,
}

impl Stat {
    fn parse(text: &str) -> Option<Stat> {
        // The name, in parentheses, may contain spaces and parentheses.
        let (_, fields) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let parent = fields.get(1)?.parse().ok()?;
        let ticks = fields.get(11..15)?.iter().map(|ticks| ticks.parse::<u64>());
        Some(Stat {
            parent,
            ticks: ticks.sum::<Result<u64, _>>().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_and_of_its_children_is_read() {
        let text = "31 (a (b) c) S 7 31 31 0 -1 4194560 9 9 0 0 5 6 70 800 20 0 1 0 9 9 9\n";
        let expected = Stat {
            parent: 7,
            ticks: 881,
        };
        assert_eq!(Stat::parse(text), Some(expected));
        assert_eq!(Stat::parse("31 (short) S 7"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn only_descendants_count() {
        let spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let mut child = std::process::Command::new("sh");
        let mut child = child
            .args(["-c", &format!("sh -c '{spin}'; read _")])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        while millis(std::process::id()) == 0.0 {
            assert!(child.try_wait().unwrap().is_none(), "it took no time");
        }
        assert_eq!(millis(u32::MAX), 0.0);
        drop(child.stdin.take());
        child.wait().unwrap();
    }
}
