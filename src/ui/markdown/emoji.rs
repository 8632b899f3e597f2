//! Messages of a few emoji, which are shown larger.

/// At most so many are shown larger.
const MAX_LARGE: usize = 3;

/// Whether the text consists of one to three emoji.
pub fn is_large(text: &str) -> bool {
    let mut rest = text.trim();
    let mut count = 0;
    while !rest.is_empty() && count < MAX_LARGE {
        let Some(behind) = emoji(rest) else {
            return false;
        };
        rest = behind.trim_start();
        count += 1;
    }
    rest.is_empty() && count > 0
}

/// What stands behind the emoji at the beginning of the text: a flag, a key, or signs that joiners connect.
fn emoji(text: &str) -> Option<&str> {
    let is_flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
    if let Some(second) = text.strip_prefix(is_flag) {
        return second.strip_prefix(is_flag);
    }
    if let Some(rest) = text.strip_prefix(|c: char| c.is_ascii_digit() || "#*".contains(c)) {
        return rest.strip_prefix("\u{fe0f}\u{20e3}");
    }
    let mut rest = text;
    loop {
        rest = rest.strip_prefix(is_pictograph)?;
        // Variants, skin tones, and the letters in the flags of regions.
        rest = rest.trim_start_matches(|c: char| {
            matches!(c, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
        });
        match rest.strip_prefix('\u{200d}') {
            Some(next) => rest = next,
            None => return Some(rest),
        }
    }
}

/// Signs that are drawn as pictures, most of them in colour. Other scripts have none in these blocks.
fn is_pictograph(c: char) -> bool {
    matches!(
        c,
        '\u{203c}' | '\u{2049}' | '\u{231a}'..='\u{23ff}' | '\u{25aa}'..='\u{27bf}' | '\u{2934}' | '\u{2935}'
            | '\u{2b05}'..='\u{2b55}' | '\u{3030}' | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f004}'..='\u{1f0cf}'
            | '\u{1f170}'..='\u{1f19a}' | '\u{1f201}'..='\u{1f251}' | '\u{1f300}'..='\u{1faff}'
    )
}
