//! The normal form of web addresses: the room's keys are derived from the page's address, so addresses that are equal
//! must be the same text (RFC 3986, sections 6.2.2 and 6.2.3).

/// Returns host, port and path of an address without query and fragment, in normal form. `None` if it has neither.
pub(super) fn page(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let page = format!("{}{}", host(scheme, authority), self::path(path));
    (!page.is_empty()).then_some(page)
}

/// Host and port, without a user. The port is left out if it is the scheme's own, or empty.
fn host(scheme: &str, authority: &str) -> String {
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = encoded(host, b":[]", |c| c.to_ascii_lowercase());
    let Some((name, port)) = host.rsplit_once(':') else {
        return host;
    };
    if !port.bytes().all(|digit| digit.is_ascii_digit()) {
        return host;
    }
    let port = port.trim_start_matches('0');
    let is_default = match port {
        "" => true,
        "80" => scheme.eq_ignore_ascii_case("http"),
        "443" => scheme.eq_ignore_ascii_case("https"),
        _ => false,
    };
    if is_default {
        name.to_owned()
    } else {
        format!("{name}:{port}")
    }
}

/// The path without dot segments, the name of an index file, and `/` at the end.
fn path(path: &str) -> String {
    let path = encoded(path, b":@/", |c| c);
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_dots = matches!(segment, "." | "..");
        if segment == ".." {
            kept.pop();
        }
        // A directory keeps the `/` at its end, so that `/index.html/.` is no index file.
        match (is_dots, segments.peek()) {
            (false, _) => kept.push(segment),
            (true, None) => kept.push(""),
            (true, Some(_)) => {}
        }
    }
    if let Some("index.html" | "index.htm") = kept.last().copied() {
        kept.pop();
    }
    while kept.last() == Some(&"") {
        kept.pop();
    }
    kept.iter().map(|segment| format!("/{segment}")).collect()
}

/// Percent-encodes what a part of an address must not contain, and nothing that need not be encoded. `also` lists the
/// delimiters that may stand in this part. `fold` is applied to characters that are not encoded.
fn encoded(part: &str, also: &[u8], fold: fn(char) -> char) -> String {
    let mut text = String::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let (byte, was_encoded) = match (first, triplet(behind)) {
            (b'%', Some((byte, behind))) => {
                rest = behind;
                (byte, true)
            }
            _ => (*first, false),
        };
        let is_plain = is_unreserved(byte)
            || !was_encoded && (b"!$&'()*+,;=".contains(&byte) || also.contains(&byte));
        if is_plain {
            text.push(fold(char::from(byte)));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The byte that the two hexadecimal digits at the beginning stand for, and what follows them.
fn triplet(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    let byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    Some((byte, rest))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
