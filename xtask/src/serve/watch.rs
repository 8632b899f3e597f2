//! Builds again whenever a source changes.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use anyhow::{Context, Result};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::project;

/// Files and folders that builds write, or that are not part of the page.
const IGNORED: &[&str] = &[
    "target",
    "dist",
    "node_modules",
    "bot",
    "xtask",
    "tests",
    "docs",
    "Cargo.lock",
];

/// A folder among the sources that builds write.
const GENERATED: &str = "embed/engine";

/// The time without changes before a build. Editors write a file in several steps, and several files at once.
const QUIET: Duration = Duration::from_millis(150);

/// Watches until the watcher is dropped.
pub fn start() -> Result<RecommendedWatcher> {
    let root = project::root();
    let (sender, changes) = mpsc::channel();
    let base = root.clone();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| matters(&event, &base)) {
            let _ = sender.send(());
        }
    })
    .context("cannot watch files on this system; leave --watch out")?;
    for folder in folders(&root)? {
        watcher
            .watch(&folder, RecursiveMode::Recursive)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
    }
    watcher.watch(&root, RecursiveMode::NonRecursive)?;
    std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || build_on(&changes))?;
    println!("Watching the sources.");
    Ok(watcher)
}

fn build_on(changes: &Receiver<()>) {
    while changes.recv().is_ok() {
        while changes.recv_timeout(QUIET).is_ok() {}
        println!("\nSomething changed; building.");
        if let Err(error) = super::build_and_show() {
            println!("{error:#}\nThe last good build is still being served.");
        }
    }
}

fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(root).with_context(|| format!("cannot read {}", root.display()))?;
    Ok(entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !ignored(path, root))
        .collect())
}

fn matters(event: &Event, root: &Path) -> bool {
    let change = matches!(
        event.kind,
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)
    );
    change && event.paths.iter().any(|path| !ignored(path, root))
}

/// Whether a change of this file needs no build. Hidden files belong to tools.
fn ignored(path: &Path, root: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else {
        return true;
    };
    let first = below.components().next();
    let Some(name) = first.and_then(|name| name.as_os_str().to_str()) else {
        return true;
    };
    name.starts_with('.') || IGNORED.contains(&name) || below.starts_with(GENERATED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sources_of_the_page_matter() {
        let root = Path::new("/project");
        let matters = |path: &str| !ignored(&root.join(path), root);
        assert!(matters("src/main.rs") && matters("index.html") && matters("rtchat.json"));
        assert!(matters("embed/src/client.ts") && !matters("embed/engine/engine.js"));
        assert!(
            !matters("dist/index.html")
                && !matters("target/x")
                && !matters(".git/index")
                && !matters("")
        );
    }
}
