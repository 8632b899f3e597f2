//! Takes part in a room of rtchat without a browser.
//!
//! A bot is a value that implements [`Bot`], or a closure: it is given every [`Event`] of the room, and returns the
//! [`Command`]s that it wants carried out. [`Participant`] does everything else.
//!
//! ```no_run
//! use rtchat_bot::rtchat::room::{ChatCommand, ChatEvent};
//! use rtchat_bot::{Calls, Command, Error, Event, Options, Participant};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let participant = Participant::open(&Options {
//!         page: "https://example.org/chat/".into(),
//!         topic_prefix: String::new(),
//!         room: Some("garden".into()),
//!         broker: "mqtt://127.0.0.1:1883".into(),
//!         name: "echo".into(),
//!         identity: "echo.json".into(),
//!         history: None,
//!         calls: Calls::default(),
//!     })?;
//!     let echo = |event: &Event| match event {
//!         // Our own messages come without a peer.
//!         Event::Chat(ChatEvent::Message(message)) if message.peer.is_some() => {
//!             vec![Command::Chat(ChatCommand::say(&message.text))]
//!         }
//!         _ => Vec::new(),
//!     };
//!     participant.run(echo, std::future::pending::<()>()).await
//! }
//! ```
//!
//! The program `rtchat-bot` of this package (`main.rs` and `helper.rs`) is a bot with some more lines.
//!
//! | module | responsibility |
//! | --- | --- |
//! | `participant` | checks the options, and puts the other modules together |
//! | `driver` | the only caller of [`Room`](rtchat::room::Room): passes inputs in, and carries outputs out |
//! | `broker` | the connection to the MQTT broker, with `rumqttc` |
//! | `connections`, `connection` | the WebRTC connections to other peers, with `str0m` |
//! | `media` | what is sent in calls, and what arrives |
//! | `sockets` | UDP sockets |
//! | `incoming` | input from the broker and the sockets, by one channel |
//! | `history` | the file that holds what was said |
//! | `storage` | the file that holds the identity key and the trust book |
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![allow(clippy::disallowed_methods)] // The core takes the time as an argument; this is where it is read.

mod broker;
mod connection;
mod connections;
mod driver;
mod error;
mod history;
mod incoming;
mod media;
mod participant;
mod sockets;
mod storage;

pub use error::{Error, Warning};
pub use media::{Calls, Clip, ClipError, Counts, Frame, MediaKind, Received, Source, Track};
pub use participant::{Options, Participant};
pub use rtchat;
pub use rtchat::room::{Command, Event};

/// The reaction of a bot to the events of its room.
///
/// Closures of the type `FnMut(&Event) -> Vec<Command>` are bots, too.
pub trait Bot {
    /// Receives an event, and returns the commands that the room shall carry out, in their order.
    ///
    /// The room stands still until this returns, so work that takes long belongs into another task.
    fn on_event(&mut self, event: &Event) -> Vec<Command>;

    /// Hears that sound or a picture of a peer has begun to arrive, or has stopped. By default nothing is done.
    fn on_media(&mut self, _received: &Received) {}

    /// Receives a warning about something that went wrong without ending the participation. By default it is printed
    /// to the standard error output.
    fn on_warning(&mut self, warning: &Warning) {
        eprintln!("{warning}");
    }
}

impl<F: FnMut(&Event) -> Vec<Command>> Bot for F {
    fn on_event(&mut self, event: &Event) -> Vec<Command> {
        self(event)
    }
}
