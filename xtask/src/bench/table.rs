//! What all benchmarks found, as one table: `docs/BENCHMARKS.md`, and a short one in the README.

use std::path::Path;

use anyhow::{Context, Result};

use super::numbers::grouped;

/// A figure, and those that it is compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What was measured, with its unit.
    pub what: String,
    pub rtchat: f64,
    /// The same for the browser alone: connections or channels without a library, or a page without rtchat.
    pub bare: Option<f64>,
    pub trystero: Option<f64>,
    pub target: Option<Target>,
    /// Whether the README shows it.
    pub short: bool,
}

/// A limit for rtchat's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    pub fn new(what: impl Into<String>, rtchat: f64) -> Row {
        Row {
            what: what.into(),
            rtchat,
            ..Row::default()
        }
    }

    pub fn bare(self, figure: f64) -> Row {
        let bare = Some(figure);
        Row { bare, ..self }
    }

    pub fn trystero(self, figure: f64) -> Row {
        let trystero = Some(figure);
        Row { trystero, ..self }
    }

    pub fn target(self, target: Target) -> Row {
        let target = Some(target);
        Row { target, ..self }
    }

    /// The README shows it, too.
    pub fn short(self) -> Row {
        Row {
            short: true,
            ..self
        }
    }

    fn cells(&self) -> [String; 6] {
        let optional = |figure: Option<f64>| figure.map(shown).unwrap_or_default();
        let (target, met) = match self.target {
            Some(Target::AtLeast(limit)) => (format!("≥ {}", shown(limit)), self.rtchat >= limit),
            Some(Target::AtMost(limit)) => (format!("≤ {}", shown(limit)), self.rtchat <= limit),
            None => (String::new(), true),
        };
        let met = match self.target {
            Some(_) if met => "yes",
            Some(_) => "**no**",
            None => "",
        };
        [
            self.what.clone(),
            shown(self.rtchat),
            optional(self.bare),
            optional(self.trystero),
            target,
            met.into(),
        ]
    }
}

/// A figure with as many digits as mean something.
fn shown(figure: f64) -> String {
    if figure.abs() < 100.0 && figure.fract() != 0.0 {
        format!("{figure:.1}")
    } else {
        grouped(figure)
    }
}

/// What one benchmark found.
#[derive(Debug)]
pub struct Found {
    /// The command that measures the same again.
    pub command: String,
    /// The machine, and its load before and after.
    pub machine: String,
    pub rows: Vec<Row>,
}

/// Where and when everything was measured.
#[derive(Debug)]
pub struct Place {
    pub date: String,
    /// The commit of the sources.
    pub commit: String,
    pub processor: String,
}

const HEADING: &str = "| | rtchat | browser alone | Trystero | target | met |\n| --- | ---: | ---: | ---: | ---: | --- |\n";

/// The text of `docs/BENCHMARKS.md`.
pub fn document(place: &Place, all: &[Found]) -> String {
    let Place {
        date,
        commit,
        processor,
    } = place;
    let mut text = format!(
        "# Benchmarks\n\n\
         `cargo xtask bench` writes this file. What the figures mean is said by `cargo xtask bench --help`. All are medians \
         of\nseveral runs. *Browser alone* is the same without a library: two `RTCPeerConnection`s of one page, or their \
         data\nchannels, or pages that make the same connections over the same broker, or a page without the chat. Trystero is the npm package `@trystero-p2p/mqtt`.\n\n\
         Measured on {date}, at commit {commit}, on {processor}.\n\n{HEADING}"
    );
    for Found { command, rows, .. } in all {
        text += &line(&[&format!("**`{command}`**"), "", "", "", "", ""]);
        for row in rows {
            text += &line(&row.cells().each_ref().map(String::as_str));
        }
    }
    text += "\n| command | machine |\n| --- | --- |\n";
    for Found {
        command, machine, ..
    } in all
    {
        text += &line(&[&format!("`{command}`"), &machine.trim().replace('\n', " ")]);
    }
    text
}

/// The short table of the README.
fn short(place: &Place, all: &[Found]) -> String {
    let rows = all.iter().flat_map(|found| &found.rows);
    let lines = rows
        .filter(|row| row.short)
        .map(|row| line(&row.cells().each_ref().map(String::as_str)));
    let lines: String = lines.collect();
    format!(
        "{HEADING}{lines}\nMeasured on {}, on {}.\n",
        place.date, place.processor
    )
}

fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
        .replace("|  |", "| |")
        .replace("|  |", "| |")
}

/// What stands around the short table in the README.
const MARKS: [&str; 2] = [
    "<!-- `cargo xtask bench` writes this. -->\n",
    "<!-- Up to here. -->\n",
];

/// Writes both tables.
pub fn write(root: &Path, place: &Place, all: &[Found]) -> Result<()> {
    let path = root.join("docs").join("BENCHMARKS.md");
    std::fs::write(&path, document(place, all))
        .with_context(|| format!("cannot write {}", path.display()))?;
    let path = root.join("README.md");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let text = replaced(&text, &short(place, all))
        .with_context(|| format!("{} has no place for the table", path.display()))?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The text with this between the marks.
fn replaced(text: &str, table: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, rest) = text.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some([before, begin, table, end, after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            date: "2026-11-26".into(),
            commit: "abc1234".into(),
            processor: "2 cores".into(),
        }
    }

    fn found() -> [Found; 2] {
        let rows = vec![
            Row::new("ms until both are connected", 110.4)
                .bare(25.0)
                .trystero(148.0)
                .target(Target::AtMost(103.6))
                .short(),
            Row::new("messages", 3.0).target(Target::AtMost(3.0)),
        ];
        let command = "cargo xtask bench connect".into();
        let connect = Found {
            command,
            machine: "2 cores, Chromium 156\n".into(),
            rows,
        };
        let rows = vec![
            Row::new("messages a second", 42_500.0).target(Target::AtLeast(15_000.0)),
            Row::new("ms until a question is answered", 0.62)
                .bare(0.6)
                .short(),
        ];
        let data = Found {
            command: "cargo xtask bench data".into(),
            machine: "2 cores".into(),
            rows,
        };
        [connect, data]
    }

    #[test]
    fn the_document_has_every_row_the_commands_and_the_machine() {
        let text = document(&place(), &found());
        for words in [
            "Measured on 2026-11-26, at commit abc1234, on 2 cores.",
            "| ms until both are connected | 110 | 25 | 148 | ≤ 104 | **no** |\n",
            "| messages | 3 | | | ≤ 3 | yes |\n",
            "| messages a second | 42,500 | | | ≥ 15,000 | yes |\n",
            "| **`cargo xtask bench connect`** |",
            "| `cargo xtask bench connect` | 2 cores, Chromium 156 |\n",
        ] {
            assert!(text.contains(words), "{words} is not in:\n{text}");
        }
        assert_eq!(text.matches("| rtchat |").count(), 1);
    }

    #[test]
    fn only_the_short_table_of_the_readme_is_written() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("docs")).unwrap();
        let readme = folder.path().join("README.md");
        let [begin, end] = MARKS;
        std::fs::write(&readme, format!("# rtchat\n{begin}old\n{end}\nThe end.\n")).unwrap();
        write(folder.path(), &place(), &found()).unwrap();
        let text = std::fs::read_to_string(&readme).unwrap();
        assert!(
            text.starts_with("# rtchat\n") && text.ends_with("\nThe end.\n"),
            "{text}"
        );
        assert!(
            text.contains("| ms until a question is answered | 0.6 | 0.6 | | | |\n"),
            "{text}"
        );
        assert!(!text.contains("old") && !text.contains("42,500"), "{text}");
        // It can be written again.
        write(folder.path(), &place(), &found()).unwrap();
        assert_eq!(std::fs::read_to_string(&readme).unwrap(), text);

        std::fs::write(&readme, "no marks").unwrap();
        assert!(write(folder.path(), &place(), &found()).is_err());
    }

    #[test]
    fn the_readme_has_a_place_for_the_table() {
        let readme = include_str!("../../../README.md");
        assert!(replaced(readme, "").is_some());
    }
}
