//! Files beside messages, as the page shows them.

use litemap::LiteMap;

use crate::room::{AttachmentEvent, FileState, FileView};
use crate::ui::line::{Content, Line};
use crate::wire::FileKey;

/// What is known of the files beside messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(LiteMap<FileKey, FileView>);

impl Files {
    /// A file looks different.
    pub fn on_event(&mut self, event: AttachmentEvent) {
        self.0.insert(event.key, event.view);
    }

    /// What is to be shown of the file beside the message of a line.
    pub fn of(&self, line: &Line) -> Option<FileView> {
        match &line.content {
            Content::Said(said) => Some(self.view(&said.message.file.as_ref()?.key())),
            Content::Moves(_) | Content::Called(_) => None,
        }
    }

    /// What is to be shown of a file.
    pub fn view(&self, key: &FileKey) -> FileView {
        let view = self.0.get(key).cloned();
        view.unwrap_or(FileView {
            state: FileState::Offered,
            here: false,
        })
    }
}
