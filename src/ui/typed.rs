//! What people type: names that cannot be used, and messages.

use super::texts::number;
use crate::identity::name::MAX_NAME;
use crate::identity::{Name, NameError};

/// Says what is wrong with a name, and what to do.
pub fn problem_with_name(text: &str, error: NameError) -> String {
    match error {
        NameError::Brackets => {
            let last = text.trim_end().chars().next_back().unwrap_or(')');
            let words = text.replace(['(', ')', '（', '）'], " ");
            match Name::parse(&words) {
                Ok(name) => format!("Names can’t end with “{last}”. Try “{name}”."),
                Err(_) => format!("Names can’t end with “{last}”. Leave out the brackets."),
            }
        }
        NameError::TooLong { length } => format!(
            "Names have at most {MAX_NAME} characters, and this one has {}. Shorten it by {}.",
            number(length),
            number(length.saturating_sub(MAX_NAME))
        ),
        NameError::Marks => {
            "This name has too many accents on one letter. Try it with fewer.".into()
        }
        NameError::Empty | NameError::Control | NameError::Invisible { .. } => error.to_string(),
    }
}

/// A message as it is sent and shown: without blank lines before it, and without anything blank behind it. The first
/// line stays indented.
pub fn trimmed(text: &str) -> &str {
    let text = text.trim_end();
    let blank = text.len() - text.trim_start().len();
    let line = text[..blank].rfind('\n').map_or(0, |at| at + 1);
    &text[line..]
}

/// The name without the suffix that the page added: for `alice(2)` it is `alice`. The brackets in which names themselves
/// may end hold a slash.
pub fn chosen(user: &str) -> &str {
    match user.rfind('(') {
        Some(at) if at > 0 && user.ends_with(')') && !user[at..].contains('/') => {
            user[..at].trim_end()
        }
        _ => user,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_is_followed_by_what_to_do() {
        let problem = |text: &str| problem_with_name(text, Name::parse(text).unwrap_err());
        assert_eq!(
            problem("ann (work)"),
            "Names can’t end with “)”. Try “ann work”."
        );
        assert_eq!(
            problem("Jean-Luc（2） "),
            "Names can’t end with “）”. Try “Jean-Luc 2”."
        );
        assert_eq!(
            problem("()"),
            "Names can’t end with “)”. Leave out the brackets."
        );
        assert_eq!(
            problem(&"a".repeat(43)),
            "Names have at most 40 characters, and this one has 43. Shorten it by 3."
        );
        assert!(problem(" ").starts_with("Please enter a name"));
    }

    #[test]
    fn blank_lines_around_a_message_go_and_its_indentation_stays() {
        for (text, shown) in [
            ("a", "a"),
            ("\n \n  a\n\n  b \n\n", "  a\n\n  b"),
            ("  a ", "  a"),
            (" \n\n", ""),
            ("\u{a0}\r\n\ta\r\n", "\ta"),
        ] {
            assert_eq!(trimmed(text), shown, "{text:?}");
        }
    }
}
