//! Finds the web addresses in a text.

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk<'a> {
    /// Plain text.
    Text(&'a str),
    /// An `http:` or `https:` address, exactly as it was written.
    Link(&'a str),
}

/// Cuts `text` into plain text and addresses; put together again, the pieces are `text`.
pub fn pieces(text: &str) -> Vec<Chunk<'_>> {
    let mut pieces = Vec::new();
    let mut plain = 0;
    let mut from = 0;
    while let Some(found) = text[from..].find("http") {
        let start = from + found;
        let bounded = !text[..start].ends_with(|before: char| before.is_alphanumeric());
        let length = if bounded {
            link_length(&text[start..])
        } else {
            0
        };
        if length == 0 {
            from = start + 4;
            continue;
        }
        if plain < start {
            pieces.push(Chunk::Text(&text[plain..start]));
        }
        pieces.push(Chunk::Link(&text[start..start + length]));
        from = start + length;
        plain = from;
    }
    if plain < text.len() {
        pieces.push(Chunk::Text(&text[plain..]));
    }
    pieces
}

/// How many bytes of `text`, which begins with `http`, belong to an address; 0 if it is none.
fn link_length(text: &str) -> usize {
    let Some(scheme) = ["https://", "http://"]
        .iter()
        .find(|scheme| text.starts_with(**scheme))
    else {
        return 0;
    };
    let mut end = text.find(ends_link).unwrap_or(text.len());
    // What closes the sentence around an address is not part of it.
    while let Some(last) = text[..end].chars().next_back() {
        let closes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '…' => true,
            ')' => !text[..end].contains('('),
            ']' => !text[..end].contains('['),
            _ => false,
        };
        if !closes {
            break;
        }
        end -= last.len_utf8();
    }
    let host = text.get(scheme.len()..end).unwrap_or_default();
    if host.starts_with(|first: char| first.is_alphanumeric() || first == '[') {
        end
    } else {
        0
    }
}

/// Invisible and turning characters end an address as well, so that it is what it looks like.
fn ends_link(character: char) -> bool {
    character.is_whitespace()
        || character.is_control()
        || matches!(character, '<' | '>' | '"' | '`' | '«' | '»' | '“' | '”')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::{Chunk::*, pieces};

    #[test]
    fn addresses_are_found_and_nothing_else() {
        assert_eq!(pieces("no link"), [Text("no link")]);
        assert_eq!(pieces(""), []);
        assert_eq!(
            pieces("see https://a.example/x?y=1#z, or (http://b.example)."),
            [
                Text("see "),
                Link("https://a.example/x?y=1#z"),
                Text(", or ("),
                Link("http://b.example"),
                Text(").")
            ]
        );
        assert_eq!(
            pieces("https://en.example/Rust_(tool)"),
            [Link("https://en.example/Rust_(tool)")]
        );
        assert_eq!(
            pieces("javascript:alert(1) xhttp://a http:// httpx://a"),
            [Text("javascript:alert(1) xhttp://a http:// httpx://a")]
        );
        assert_eq!(
            pieces("https://a.example/\u{202e}gpj"),
            [Link("https://a.example/"), Text("\u{202e}gpj")]
        );
        assert_eq!(
            pieces("<http://a.example>"),
            [Text("<"), Link("http://a.example"), Text(">")]
        );
        assert_eq!(
            pieces("https://例え.example/ü"),
            [Link("https://例え.example/ü")]
        );
    }
}
