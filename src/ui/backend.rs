//! The boundary: what the page needs from what lies below it, and nothing else.
//!
//! The page never names the driver. `main.rs` hands it a [`Backend`]; tests and the `demo` feature hand it another.

use std::rc::Rc;

use crate::identity::{Name, PeerId, PublicKey};
use crate::room::{Command, Diagnostics, Event};

/// What happens below the views.
#[derive(Debug, Clone, PartialEq)]
pub enum UiEvent {
    /// The address and the settings are read: the page can show where it is. Sent once, and first.
    Opened(Opening),
    /// Something happened in the room.
    Event(Event),
    /// Whether the chat is shown now: a widget can be closed.
    Shown(bool),
    /// A sentence the person should see once, such as that storage is blocked.
    Notice(String),
    /// The room cannot be entered at all; a sentence that says why.
    Failed(String),
}

/// Receives what happens. It may be called at any time, also from within [`Backend`]'s own methods.
pub type EventSink = Rc<dyn Fn(UiEvent)>;

/// What is known before anybody has joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// The room's name, as people read it.
    pub room: String,
    /// The address that brings others here, with the secret if there is one.
    pub link: String,
    /// The address of the open room on the same page: the way out when the secret is damaged.
    pub open_link: String,
    /// What it takes to enter the room.
    pub entry: Entry,
    /// The name from last time. With one, the page joins at once.
    pub name: Option<Name>,
    /// Sentences for [`UiEvent::Notice`].
    pub notices: Vec<String>,
}

/// How the room is entered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Entry {
    /// Anyone with the page can enter.
    #[default]
    Open,
    /// The address carries a secret.
    Private,
    /// The address carries a secret that is damaged.
    WrongSecret,
    /// A site's page that has the chat in it: the address is the page's, not the room's.
    Embedded,
}

/// The person at this browser, as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// This tab.
    pub id: PeerId,
    /// The name with the tab number.
    pub user: String,
    /// The identity key.
    pub key: PublicKey,
}

/// What the views ask for. Everything returns at once; what comes of it is sent to the [`EventSink`].
pub trait Backend {
    /// Reads address, settings and storage, then sends [`UiEvent::Opened`]. Called once.
    fn open(&self, sink: EventSink);

    /// Joins under this name, and keeps the name for next time.
    ///
    /// # Errors
    /// A sentence that says why the room cannot be entered.
    fn join(&self, name: &Name) -> Result<Own, String>;

    /// Hands a command to the room.
    fn command(&self, command: Command);

    /// Who we are now; asked again after a rename. `None` before joining.
    fn own(&self) -> Option<Own>;

    /// What was counted since joining.
    fn diagnostics(&self) -> Diagnostics;

    /// The address of a new private room on this page: 32 fresh random bytes behind `#k=`.
    ///
    /// # Errors
    /// A sentence, if the browser gave no randomness.
    fn private_link(&self) -> Result<String, String>;

    /// Ends everything and starts again, as after leaving.
    fn restart(&self);

    /// Whether the chat is a part of somebody's page, whose title, keys and focus are its own.
    fn is_embedded(&self) -> bool {
        false
    }

    /// The counts that a closed chat shows: unread messages, and people who are connected, including this person; 0
    /// before joining.
    fn show_counts(&self, _unread: u32, _people: u32) {}

    /// The program broke, for this reason. Returns whether somebody else shows that.
    fn report_panic(&self, _reason: &str) -> bool {
        false
    }
}
