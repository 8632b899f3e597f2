//! Names files by their content, so that browsers may keep them for ever: a file whose content changes gets another name.
//! Trunk names files as well, but before the guard and esbuild change them.

use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The kinds of files that are named, each after those that it may mention. The pages mention all of them.
const KINDS: [&str; 5] = ["svg", "wasm", "json", "css", "js"];
const PAGES: &str = "html";

/// The number of hexadecimal digits in a name.
const DIGITS: usize = 16;

/// Gives every file in this folder that has a hash in its name the hash of what it contains now, and changes the links to
/// it.
pub fn renew(folder: &Path) -> Result<()> {
    for kind in KINDS {
        for old in files(folder, kind)? {
            let bytes = std::fs::read(folder.join(&old))?;
            let Some(new) = name_for(&old, &bytes).filter(|new| *new != old) else {
                continue;
            };
            std::fs::rename(folder.join(&old), folder.join(&new))?;
            for mentioning in ["css", "js"].iter().chain(&[PAGES]) {
                for file in files(folder, mentioning)? {
                    replace(&folder.join(file), &old, &new)?;
                }
            }
        }
    }
    Ok(())
}

/// The name that a file with this content should have, if its name contains a hash.
pub fn name_for(name: &str, content: &[u8]) -> Option<String> {
    let (stem, rest) = name.split_once('-')?;
    let end = rest.find(|letter: char| !letter.is_ascii_hexdigit())?;
    let (hash, rest) = rest.split_at(end);
    // Trunk leaves out zeros at the beginning.
    let is_hash =
        (8..=DIGITS).contains(&hash.len()) && (rest.starts_with('.') || rest.starts_with('_'));
    let digest = Sha256::digest(content);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    is_hash.then(|| format!("{stem}-{}{rest}", &digits[..DIGITS]))
}

/// The names of the files of one kind, in order.
fn files(folder: &Path, kind: &str) -> Result<Vec<String>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let is_of_kind = |name: &String| Path::new(name).extension().is_some_and(|its| its == kind);
    let mut names: Vec<String> = names.filter(is_of_kind).collect();
    names.sort();
    Ok(names)
}

fn replace(file: &Path, old: &str, new: &str) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    if text.contains(old) {
        std::fs::write(file, text.replace(old, new))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_gets_another_name_and_links_lead_to_it() {
        let built = |program: &str| {
            let folder = tempfile::tempdir().unwrap();
            let write =
                |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
            // The names are the same each time, as those of Trunk are when only the guard changes.
            write("app-f43b11543f54f0b5_bg.wasm", program);
            write(
                "app-f43b11543f54f0b5.js",
                "load('app-f43b11543f54f0b5_bg.wasm')",
            );
            write("log-b639c1e750160ef.css", "p {}");
            write("mqtt-rtc.js", "");
            write(
                "index.html",
                "<script src=\"./app-f43b11543f54f0b5.js\"></script><link href=\"./log-b639c1e750160ef.css\">",
            );
            renew(folder.path()).unwrap();
            let names = KINDS.map(|kind| files(folder.path(), kind).unwrap());
            let page = std::fs::read_to_string(folder.path().join("index.html")).unwrap();
            for name in names.iter().flatten() {
                let content = std::fs::read(folder.path().join(name)).unwrap();
                assert!(
                    name_for(name, &content).is_none_or(|right| right == *name),
                    "{name}"
                );
            }
            let [_, programs, _, styles, scripts] = names;
            assert_eq!((programs.len(), styles.len()), (1, 1));
            assert_eq!(scripts[1], "mqtt-rtc.js");
            assert!(
                page.contains(&scripts[0]) && page.contains(&styles[0]),
                "{page}"
            );
            let script = std::fs::read_to_string(folder.path().join(&scripts[0])).unwrap();
            assert_eq!(script, format!("load('{}')", programs[0]));
            (scripts[0].clone(), styles[0].clone())
        };
        let (first, second) = (built("one"), built("another"));
        assert_ne!(first.0, second.0);
        assert_eq!(first.1, second.1);
    }
}
