//! Sentences about conversations, and about what is kept of them.

use super::{isolated, number};
use crate::history::Mode;
use crate::room::Imported;
use crate::ui::export::Format;
use crate::ui::state::Import;

/// Stands in the place of the last words in the list.
pub const TAKEN_BACK: &str = "Taken back";

/// Asks whether to delete everything.
pub const DELETE_ROOM: &str =
    "This deletes all messages of this room in this browser. Other people keep what they have.";

/// Asks whether to delete everything of all rooms.
pub const DELETE_SITE: &str = "This deletes all messages and files of all rooms of this site in this browser, in all of its tabs, and they do not come \
     back. Your name, your key and the people you met stay, so that others recognise you.";

/// The button that deletes the conversation that is open.
pub const DELETE_THIS: &str = "Delete this conversation here";

/// What deleting a conversation does.
pub const DELETE_CONVERSATION: &str = "This deletes its messages in this browser, in all of your tabs, and they do not come back. Other people keep what they have.";

/// Asks whether to delete a conversation.
pub fn delete_question(title: &str, is_direct: bool) -> String {
    let title = isolated(title);
    if is_direct {
        format!("Delete the conversation with {title} here?")
    } else {
        format!("Delete all messages of {title} here?")
    }
}

/// Stands below a message that nobody can prove.
pub const IMPORTED: &str = "Imported: nobody can prove that this was said.";

/// The browser does not give a file.
pub const NOT_READ: &str = "This file cannot be read. Nothing was imported.";

/// The name of a file beside a message that was imported.
pub fn imported_file(name: &str) -> String {
    format!("The file {} was not imported.", isolated(name))
}

/// What a format is good for.
pub fn export_title(format: Format) -> &'static str {
    match format {
        Format::Html => "A page to read and print, without pictures and files",
        Format::Text => "Plain text",
        Format::Json => "A file that can be imported again, here or elsewhere",
    }
}

/// How far an import has come, and what came of it.
pub fn import(import: &Import) -> String {
    let Imported {
        added,
        known,
        deleted,
        elsewhere,
    } = match import {
        Import::Going => return "Reading and checking …".to_owned(),
        Import::Failed(sentence) => return sentence.clone(),
        Import::Done(all) => *all,
    };
    let count = |count: u32| number(count as usize);
    let entries = |what: u32| match what {
        1 => "1 message, change or reaction".to_owned(),
        what => format!("{} messages, changes and reactions", count(what)),
    };
    let mut text = match (added, known + deleted + elsewhere) {
        (0, 0) => return "There are no messages in this file.".to_owned(),
        (0, _) => "Nothing new was imported.".to_owned(),
        (added, _) => format!("{} imported.", entries(added)),
    };
    let others = [
        (known, "here already"),
        (elsewhere, "said in channels that this room does not have"),
        (deleted, "deleted here before, and not brought back"),
    ];
    for (number, what) in others.into_iter().filter(|(number, _)| *number > 0) {
        let verb = if number == 1 { "was" } else { "were" };
        text.push_str(&format!(" {} {verb} {what}.", count(number)));
    }
    text
}

/// The direct conversation with oneself.
pub fn yourself(user: &str) -> String {
    format!("{user} (you)")
}

/// What somebody said last, in the list of conversations.
pub fn last_line(own: bool, sender: &str, text: &str) -> String {
    if own {
        format!("You: {text}")
    } else {
        format!("{sender}: {text}")
    }
}

/// What stands above the first direct message.
pub fn direct_beginning(name: &str) -> String {
    let name = isolated(name);
    format!(
        "Only you and {name} read this, in all of your tabs and theirs. Nobody can prove to others what was said here. What \
         you write while {name} is away arrives when both of you are here again."
    )
}

/// The button that leads to the list of conversations.
pub fn to_list(unread: u32, mentioned: bool) -> String {
    match unread {
        0 => "Conversations".into(),
        unread => {
            let mark = if mentioned { super::MENTIONED } else { "" };
            format!(
                "Conversations, {} elsewhere{mark}",
                super::new_messages(unread)
            )
        }
    }
}

/// How many messages were found.
pub fn found(count: usize) -> String {
    match count {
        0 => "Nothing was found".into(),
        1 => "1 message".into(),
        crate::room::MAX_FOUND => format!("The last {} messages", number(count)),
        count => format!("{} messages", number(count)),
    }
}

/// The part of a text in which something was found.
pub fn excerpt(text: &str, found: &str) -> String {
    const AROUND: usize = 40;
    let at = text
        .to_ascii_lowercase()
        .find(&found.trim().to_ascii_lowercase());
    let before = text[..at.unwrap_or(0)].chars().count();
    let cut = before.saturating_sub(AROUND);
    let mut part: String = text.chars().skip(cut).take(4 * AROUND).collect();
    if cut > 0 {
        part.insert(0, '…');
    }
    part
}

/// How long messages are kept, in the list of choices.
pub fn history_mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "Not kept",
        Mode::Session => "Kept until this tab closes",
        Mode::Kept => "Kept in this browser",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_shows_what_was_found() {
        let text = format!("{} Needle {}", "straw ".repeat(50), "straw ".repeat(50));
        let part = excerpt(&text, "needle ");
        assert!(part.starts_with('…') && part.contains("Needle"), "{part}");
        assert_eq!(excerpt("ünü", "x"), "ünü");
        assert_eq!(excerpt("short", "ort"), "short");
    }

    #[test]
    fn an_import_says_what_came_of_it() {
        let done = |added, known, deleted, elsewhere| {
            import(&Import::Done(Imported {
                added,
                known,
                deleted,
                elsewhere,
            }))
        };
        assert_eq!(done(0, 0, 0, 0), "There are no messages in this file.");
        assert_eq!(
            done(0, 1, 0, 0),
            "Nothing new was imported. 1 was here already."
        );
        assert_eq!(
            done(1_200, 0, 2, 3),
            "1,200 messages, changes and reactions imported. 3 were said in channels that this room does not have. 2 were \
             deleted here before, and not brought back."
        );
    }
}
