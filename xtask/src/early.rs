//! What the widget's panel shows before the program is there. The elements are those of `index.html`, which is their one
//! source, as lists of a tag, attributes and children: Trusted Types forbids pages to parse markup.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

/// Elements without an end tag.
const VOID: [&str; 1] = ["input"];

/// The welcome and the frame of the room in this page, as `(welcome, room)`.
pub fn trees(page: &str) -> Result<(Value, Value)> {
    let (_, early) = page
        .split_once("<div id=\"early\">")
        .context("index.html has no element #early")?;
    let mut parser = Parser { rest: early };
    let mut views = parser
        .children("div")?
        .into_iter()
        .filter(|child| child[0] == "div");
    let views = (views.next(), views.next());
    let (Some(welcome), Some(room)) = views else {
        bail!("index.html has no welcome and no frame of the room");
    };
    Ok((welcome, room))
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Reads up to this text, and skips it.
    fn until(&mut self, end: &str) -> Result<&'a str> {
        let found = self.rest.split_once(end);
        let (before, after) =
            found.with_context(|| format!("index.html has no further {end:?}"))?;
        self.rest = after;
        Ok(before)
    }

    /// Reads what is in an element, and its end tag.
    fn children(&mut self, of: &str) -> Result<Vec<Value>> {
        let mut children = Vec::new();
        loop {
            let text = self.until("<")?;
            if !text.trim().is_empty() {
                children.push(text.into());
            }
            let tag = self.until(">")?;
            if let Some(ended) = tag.strip_prefix('/') {
                if ended != of {
                    bail!("index.html ends <{of}> with </{ended}>");
                }
                return Ok(children);
            }
            children.extend(self.element(tag)?);
        }
    }

    /// Reads the element that begins with this tag. Returns nothing for what only the page needs.
    fn element(&mut self, tag: &str) -> Result<Option<Value>> {
        let (tag, is_closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let attributes = attributes_of(attributes)?;
        let children = if is_closed || VOID.contains(&name) {
            Vec::new()
        } else {
            self.children(name)?
        };
        // An embedded chat is never private as far as its own links go, does not know the channels yet, and is no landmark.
        if attributes
            .get("data-in")
            .is_some_and(|room| room == "private" || room == "list")
        {
            return Ok(None);
        }
        let name = if name == "main" { "div" } else { name };
        let mut element = vec![name.into(), Value::Object(attributes)];
        element.extend(children);
        Ok(Some(element.into()))
    }
}

fn attributes_of(mut text: &str) -> Result<Map<String, Value>> {
    let mut attributes = Map::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return Ok(attributes);
        }
        let end = text.find([' ', '=']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let value;
        (value, text) = match rest.strip_prefix("=\"") {
            Some(rest) => rest
                .split_once('"')
                .with_context(|| format!("{name} has no end"))?,
            None => ("", rest),
        };
        attributes.insert(name.to_owned(), json!(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_become_lists() {
        let page = r#"<body><div id="early"><p class="unstarted">No &gt;</p>
            <main class="rt front"><p data-in="open">Open</p><p data-in="private"><svg><path d="M1"/></svg>Private</p>
            <input id="a" type="text"> <button>Join</button></main><main><div inert> <b></b></div></main></div>"#;
        let (welcome, room) = trees(page).unwrap();
        let expected = json!([
            "div", { "class": "rt front" },
            ["p", { "data-in": "open" }, "Open"],
            ["input", { "id": "a", "type": "text" }],
            ["button", {}, "Join"],
        ]);
        assert_eq!(welcome, expected);
        assert_eq!(
            room,
            json!(["div", {}, ["div", { "inert": "" }, ["b", {}]]])
        );
    }

    #[test]
    fn the_page_itself_can_be_read() {
        let page = include_str!("../../index.html");
        let (welcome, room) = trees(page).unwrap();
        assert!(welcome.to_string().contains("Your name"));
        assert!(room.to_string().contains("textarea"));
        assert!(!welcome.to_string().contains("Only people with this link"));
        assert!(!room.to_string().contains("talks"));
    }

    #[test]
    fn markup_that_cannot_be_read_is_an_error() {
        for page in [
            "",
            "<div id=\"early\"><p></div>",
            "<div id=\"early\"></div>",
        ] {
            assert!(trees(page).is_err(), "{page}");
        }
    }
}
