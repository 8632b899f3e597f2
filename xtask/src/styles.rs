//! Puts the style sheets of the page into one file: many hosts answer six requests at a time, and the page has better uses for
//! them while it is loading.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The name of the file. [`names`](crate::names) gives it the hash of its content.
const MERGED: &str = "style-0000000000000000.css";

const BEGIN: &str = "<link rel=\"stylesheet\" href=\"./";
const END: &str = "\"/>";

/// Puts all style sheets that the page in this folder links to into one file, in their order.
pub fn merge(folder: &Path) -> Result<()> {
    let page = folder.join("index.html");
    let text = std::fs::read_to_string(&page)
        .with_context(|| format!("there is no {}", page.display()))?;
    let (mut rest, mut written, mut styles) = (text.as_str(), String::new(), String::new());
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after
            .split_once(END)
            .context("a link to a style sheet has no end")?;
        if styles.is_empty() {
            written += &format!("{before}{BEGIN}{MERGED}{END}");
        } else {
            written += before.trim_end();
        }
        let sheet = folder.join(name);
        styles += &std::fs::read_to_string(&sheet)
            .with_context(|| format!("there is no {}", sheet.display()))?;
        std::fs::remove_file(sheet)?;
        rest = after;
    }
    ensure!(!styles.is_empty(), "{} links to no styles", page.display());
    std::fs::write(folder.join(MERGED), styles)?;
    std::fs::write(page, written + rest)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheets_are_one_in_the_order_of_their_links() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("b-1.css"), "b{}\n").unwrap();
        std::fs::write(path.join("a-2.css"), "a{}\n").unwrap();
        let page = "<a>\n<link rel=\"stylesheet\" href=\"./b-1.css\"/>\n  <link rel=\"stylesheet\" href=\"./a-2.css\"/>\n<b>";
        std::fs::write(path.join("index.html"), page).unwrap();
        merge(path).unwrap();
        let read = |name| std::fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(read(MERGED), "b{}\na{}\n");
        let link = format!("{BEGIN}{MERGED}{END}");
        assert_eq!(read("index.html"), format!("<a>\n{link}\n<b>"));
        assert!(!path.join("a-2.css").exists());
        std::fs::remove_file(path.join(MERGED)).unwrap();
        assert!(merge(path).is_err(), "a sheet is missing");
    }
}
