//! What people load of `dist/`: its size when the host compresses it, and the budget.

use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{assist, module, widget};

/// A file of `dist/`.
#[derive(Debug)]
pub struct FileSize {
    /// The path below `dist/`.
    pub path: PathBuf,
    pub bytes: u64,
    /// The sizes when the host compresses the file.
    pub compressed: Compressed,
}

/// A number of bytes with each of the two compressions that hosts use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compressed {
    pub brotli: u64,
    /// What GitHub Pages sends, for example.
    pub gzip: u64,
}

/// The purpose for which a browser loads a file of `dist/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The stand-alone page.
    Page,
    /// The script tag, which also loads the page's program.
    Script,
    /// The module.
    Module,
    /// What the page, the widget and the module load once somebody needs it.
    OnDemand,
    /// Types, which no browser loads.
    Types,
}

impl FileSize {
    /// The purpose for which it is loaded.
    pub fn part(&self) -> Part {
        let name = self.path.to_string_lossy();
        if name.ends_with(".d.ts") {
            Part::Types
        } else if module::LOADED.contains(&&*name) {
            Part::Module
        } else if assist::FILES
            .iter()
            .any(|(prefix, _)| name.starts_with(prefix))
            || name.starts_with(widget::MEDIA)
            || name.starts_with(widget::CALLS)
            || module::ON_DEMAND.contains(&&*name)
        {
            Part::OnDemand
        } else if name.starts_with("rtchat") && name != "rtchat.json" {
            Part::Script
        } else {
            Part::Page
        }
    }
}

/// The sizes of all files, largest first.
pub fn sizes(dist: &Path) -> Result<Vec<FileSize>> {
    let mut sizes = Vec::new();
    let mut folders = vec![dist.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path)?;
            let path = path.strip_prefix(dist)?.to_owned();
            sizes.push(FileSize {
                path,
                bytes: bytes.len() as u64,
                compressed: compressed(&bytes)?,
            });
        }
    }
    sizes.sort_by_key(|size| std::cmp::Reverse(size.compressed.brotli));
    Ok(sizes)
}

/// How much a browser may have to load for a purpose. Beyond it, a test fails.
#[derive(Debug)]
pub struct Budget {
    pub part: Part,
    what: &'static str,
    pub limit: Compressed,
}

/// All budgets: what was needed when they were set, and 2%. Lower them when less is needed.
pub const BUDGETS: [Budget; 4] = [
    Budget {
        part: Part::Page,
        what: "the page",
        limit: Compressed {
            brotli: 434_900,
            gzip: 524_000,
        },
    },
    Budget {
        part: Part::Script,
        what: "the script tag, without the page's program",
        limit: Compressed {
            brotli: 21_450,
            gzip: 24_100,
        },
    },
    Budget {
        part: Part::OnDemand,
        what: "what is loaded once somebody uses it",
        limit: Compressed {
            brotli: 62_900,
            gzip: 72_700,
        },
    },
    Budget {
        part: Part::Module,
        what: "the module",
        limit: Compressed {
            brotli: 280_700,
            gzip: 334_000,
        },
    },
];

/// The size of everything that is loaded for a purpose.
pub fn total(sizes: &[FileSize], part: Part) -> Compressed {
    let files = sizes.iter().filter(|size| size.part() == part);
    files.fold(Compressed::default(), |total, file| Compressed {
        brotli: total.brotli + file.compressed.brotli,
        gzip: total.gzip + file.compressed.gzip,
    })
}

/// Fails if more is loaded for some purpose than its budget allows.
pub fn check(sizes: &[FileSize]) -> Result<()> {
    let mut beyond = Vec::new();
    for Budget { part, what, limit } in &BUDGETS {
        let total = total(sizes, *part);
        for (how, bytes, limit) in [
            ("brotli", total.brotli, limit.brotli),
            ("gzip", total.gzip, limit.gzip),
        ] {
            if bytes > limit {
                beyond.push(format!(
                    "{what} has {bytes} bytes with {how}, and may have {limit}"
                ));
            }
        }
    }
    ensure!(
        beyond.is_empty(),
        "{}. The budgets are in xtask/src/size.rs",
        beyond.join("; ")
    );
    Ok(())
}

/// Prints a table of sizes with totals and budgets.
pub fn print(dist: &Path) -> Result<()> {
    let sizes = sizes(dist)?;
    let line = |bytes: &dyn Display, brotli: &dyn Display, gzip: &dyn Display, name: &str| {
        println!("{bytes:>10} {brotli:>10} {gzip:>10}  {name}");
    };
    line(&"bytes", &"brotli", &"gzip", "");
    for Budget { part, what, limit } in &BUDGETS {
        let files: Vec<_> = sizes.iter().filter(|size| size.part() == *part).collect();
        for FileSize {
            path,
            bytes,
            compressed,
        } in &files
        {
            line(
                bytes,
                &compressed.brotli,
                &compressed.gzip,
                &path.display().to_string(),
            );
        }
        let bytes: u64 = files.iter().map(|size| size.bytes).sum();
        let total = total(&sizes, *part);
        line(
            &bytes,
            &total.brotli,
            &total.gzip,
            &format!("{what}, in total"),
        );
        line(&"", &limit.brotli, &limit.gzip, "its budget");
    }
    if let Err(error) = check(&sizes) {
        println!("WARNING: {error}.");
    }
    println!(
        "For a script tag: integrity=\"{}\"",
        widget::integrity(dist, widget::SCRIPT)?
    );
    Ok(())
}

/// Compresses a file as static hosts do.
pub fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    // They use quality 11 and a window of 4 MB.
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 64 * 1024, 11, 22);
    brotli.write_all(bytes)?;
    Ok(brotli.into_inner())
}

fn compressed(bytes: &[u8]) -> Result<Compressed> {
    // Hosts compress with gzip while they send, at the default level.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(bytes)?;
    Ok(Compressed {
        brotli: brotli(bytes)?.len() as u64,
        gzip: gzip.finish()?.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_a_budget_is_named_with_both_numbers() {
        let [page, ..] = BUDGETS;
        let file = |extra| FileSize {
            path: "index.html".into(),
            bytes: 1_000_000,
            compressed: Compressed {
                brotli: page.limit.brotli,
                gzip: page.limit.gzip + extra,
            },
        };
        assert!(check(&[file(0)]).is_ok());
        let error = check(&[file(1)]).unwrap_err().to_string();
        let limit = page.limit.gzip;
        let words = format!(
            "the page has {} bytes with gzip, and may have {limit}",
            limit + 1
        );
        assert!(
            error.contains(&words) && !error.contains("brotli"),
            "{error}"
        );
    }
}
