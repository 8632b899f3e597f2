//! The interface between the views and the layers below them.
//!
//! The views never refer to the driver. `main.rs` passes them a [`Backend`]; the `demo` feature passes them another one.

use std::rc::Rc;

use crate::history::Mode;
use crate::identity::{Name, PeerId, PublicKey};
use crate::room::{Command, Conversation, Diagnostics, Event};
use crate::settings::{Accept, CallKinds, Channel, Features};
#[cfg(target_arch = "wasm32")]
use crate::ui::calls::Calls;
use crate::ui::export::Format;
#[cfg(target_arch = "wasm32")]
use crate::ui::media::Media;
#[cfg(target_arch = "wasm32")]
use crate::wire::{Attachment, FileKey};

/// An event for the views.
#[derive(Debug, Clone, PartialEq)]
pub enum UiEvent {
    /// The address and the settings are read, so the page can show its room. Sent once, before any other event.
    Opened(Opening),
    /// Something happened in the room.
    Event(Event),
    /// The person was asked for a name, has given it, and joins.
    Entering,
    /// The room takes the place of the welcome now. Sent by the queue of events.
    Entered,
    /// Whether the chat is visible now. A widget can be closed.
    Shown(bool),
    /// A sentence that the person should see once, for example that storage is blocked.
    Notice(String),
    /// The room cannot be joined; the sentence says why.
    Failed(String),
    /// The address leads to no room.
    WrongAddress {
        /// The reason, as a sentence.
        reason: String,
        /// The address of the open room on the same page.
        open_link: String,
    },
    /// What is said is kept in another way, because another tab says so.
    KeptAs(Mode),
    /// Another tab has changed what is stored about people: [`Backend::blocked`] may be another list.
    TrustChanged,
    /// The site's page wants this conversation to be open.
    Open(Conversation),
    /// The person took this name in another chat on the same page.
    NamedElsewhere(Name),
}

/// Receives the events. It may be called at any time, even from within the methods of [`Backend`].
pub type EventSink = Rc<dyn Fn(UiEvent)>;

/// Everything the page knows before the person has joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opening {
    /// The room's name for display.
    pub room: String,
    /// The address that leads other people to this room, including the secret if there is one.
    pub link: String,
    /// The address of the open room on the same page, which is offered when the secret is damaged.
    pub open_link: String,
    /// The way in which the room is entered.
    pub entry: Entry,
    /// The policy for who is let in.
    pub accept: Accept,
    /// The channels that the site names.
    pub channels: Vec<Channel>,
    /// What the site's chat has.
    pub features: Features,
    /// Which calls there are.
    pub calls: CallKinds,
    /// The name from the last visit. If there is one, the page joins at once.
    pub name: Option<Name>,
    /// Sentences to show like those of [`UiEvent::Notice`].
    pub notices: Vec<String>,
}

impl Opening {
    /// Whether the page joins at once, without asking for a name.
    pub fn joins(&self) -> bool {
        self.name.is_some() && self.entry != Entry::WrongSecret
    }
}

/// What a closed chat shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The number of unread messages, and of people who want to connect.
    pub unread: u32,
    /// The number of unread messages in each conversation that has any.
    pub by_conversation: Vec<(Conversation, u32)>,
    /// Whether one of them mentions the person at this browser.
    pub mentioned: bool,
    /// The number of connected people, including the person at this browser; 0 before joining.
    pub people: u32,
}

/// A way to enter a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Entry {
    /// Anyone with the page can enter.
    #[default]
    Open,
    /// The address carries a secret.
    Private,
    /// The address carries a secret that is damaged.
    WrongSecret,
    /// The chat is embedded: the address belongs to the site's page, not to the room.
    Embedded,
}

/// The person at this browser, as other people see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The peer id of this tab.
    pub id: PeerId,
    /// The name with the tab number.
    pub user: String,
    /// The identity key.
    pub key: PublicKey,
}

/// A key that the person has blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The key.
    pub key: PublicKey,
    /// The latest name that it was met with.
    pub name: String,
}

/// What a view waits for.
#[cfg(target_arch = "wasm32")]
pub type Later<T> = futures_util::future::LocalBoxFuture<'static, T>;

/// The actions of the views. Every method returns at once; results are sent to the [`EventSink`].
pub trait Backend {
    /// Reads address, settings and storage, then sends [`UiEvent::Opened`]. Called once.
    fn open(&self, sink: EventSink);

    /// Prepares to join, because the person begins to write their name: opens the connection to the broker, over which
    /// nothing is said before they join.
    fn approach(&self);

    /// Joins under this name, and stores the name for the next visit.
    ///
    /// # Errors
    /// A sentence that says why the room cannot be joined.
    fn join(&self, name: &Name) -> Result<Own, String>;

    /// Joins again after leaving, under the latest name.
    ///
    /// # Errors
    /// A sentence that says why the room cannot be joined.
    fn rejoin(&self) -> Result<Own, String>;

    /// The keys that the person has blocked.
    fn blocked(&self) -> Vec<Blocked>;

    /// Hands a command to the room.
    fn command(&self, command: Command);

    /// How long this browser keeps what is said.
    fn history(&self) -> Mode;

    /// Keeps what is said in another way from now on, and remembers that.
    fn set_history(&self, mode: Mode);

    /// Deletes what was said in all rooms of this site, and what is noted of them; also the name, the key and whom the person
    /// has met, if that is wanted, and then begins anew.
    fn delete_site(&self, with_identity: bool);

    /// Returns the room's name, and what a file of this format is written from; `None` before joining.
    fn export(&self, format: Format) -> Option<(String, String)>;

    /// Tries to reach the broker now, instead of at the next time.
    fn try_now(&self);

    /// Our own identity in the room, which changes with a rename. `None` before joining.
    fn own(&self) -> Option<Own>;

    /// The counts since joining.
    fn diagnostics(&self) -> Diagnostics;

    /// The address of a new private room on this page: 32 fresh random bytes behind `#k=`.
    ///
    /// # Errors
    /// A sentence, if the browser gave no randomness.
    fn private_link(&self) -> Result<String, String>;

    /// Ends everything and starts again, for example after leaving.
    fn restart(&self);

    /// Prepares a file to be sent beside a message: a picture is drawn anew, unless it is wanted as it is. Returns its
    /// description, and whether it is a picture that is sent as it is. If it is not sent, it has to be dropped.
    #[cfg(target_arch = "wasm32")]
    fn prepare_file(
        &self,
        file: web_sys::Blob,
        original: bool,
    ) -> Later<Result<(Attachment, bool), String>>;

    /// Drops a file that was prepared and is not sent.
    #[cfg(target_arch = "wasm32")]
    fn drop_file(&self, key: &FileKey);

    /// Returns the bytes of a file beside a message, if they are here.
    #[cfg(target_arch = "wasm32")]
    fn file(&self, key: FileKey) -> Later<Option<web_sys::Blob>>;

    /// Loads what shows pictures and players, and saves files.
    #[cfg(target_arch = "wasm32")]
    fn media(&self) -> Later<Result<Media, String>>;

    /// Loads what shows calls, and holds devices.
    #[cfg(target_arch = "wasm32")]
    fn calls(&self) -> Later<Result<Calls, String>>;

    /// Sets the element in which calls are shown.
    #[cfg(target_arch = "wasm32")]
    fn place_calls(&self, place: web_sys::Element);

    /// Whether another site's page embeds the chat. The title, keys and focus then belong to that page.
    fn is_embedded(&self) -> bool {
        false
    }

    /// Receives what a closed chat shows.
    fn show_counts(&self, _counts: &Counts) {}
}
