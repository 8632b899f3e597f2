//! The processor time and the memory of the browser. Unlike the time on the clock, they hardly depend on what else the
//! machine does.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The clock ticks of a second in `/proc`, which are the same on all of Linux's architectures (`man 5 proc_pid_stat`).
const TICKS: f64 = 100.0;

/// The milliseconds of processor time that the descendants of a process have taken, including those that have ended. 0
/// where there is no `/proc`.
pub fn millis(of: u32) -> f64 {
    let ticks: u64 = descendants(of).values().map(|stat| stat.ticks).sum();
    ticks as f64 * 1e3 / TICKS
}

/// The megabytes that the pages of a browser take: the memory of its renderers, with their part of what they share. 0 where
/// there is no `/proc`.
pub fn page_megabytes(of: u32) -> f64 {
    let kilobytes = descendants(of).into_keys().filter_map(|process| {
        let folder = Path::new("/proc").join(process.to_string());
        let command = fs::read(folder.join("cmdline")).ok()?;
        let is_renderer = String::from_utf8_lossy(&command).contains("--type=renderer");
        let rollup = fs::read_to_string(folder.join("smaps_rollup")).ok()?;
        is_renderer.then_some(pss(&rollup)?)
    });
    kilobytes.sum::<f64>() * 1024.0 / 1e6
}

/// The kilobytes in "Pss:  1234 kB".
fn pss(rollup: &str) -> Option<f64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// The processes that a process has started, and those that they have started.
fn descendants(of: u32) -> HashMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return HashMap::new();
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
    let found = stats.iter().filter(|(process, _)| descends(process));
    found.map(|(process, stat)| (*process, *stat)).collect()
}

/// What `/proc/…/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    fn the_memory_of_a_process_is_read() {
        let rollup = "5560-7ffc ---p 0 00:00 0 [rollup]\nRss:  2000 kB\nPss:            1234 kB\nPss_Dirty: 9 kB\n";
        assert_eq!(pss(rollup), Some(1234.0));
        assert_eq!(pss("Rss: 1 kB"), None);
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
