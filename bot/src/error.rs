//! Errors and warnings, each with a sentence for the person who runs the bot.

use std::io;
use std::path::PathBuf;

use rtchat::identity::{NameError, StorageNotice};
use rtchat::settings::AddressError;

/// A reason why a bot cannot take part in a room.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bot's name is not a valid name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The page's address or the room's name is not valid.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The broker's address is not valid. It is not repeated here, because it may hold a password.
    #[error("The broker's address is not valid. It should look like mqtt://127.0.0.1:1883.")]
    BrokerAddress(#[source] rumqttc::OptionError),
    /// The identity file could not be read.
    #[error("The identity file {} cannot be read.", path.display())]
    IdentityUnreadable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The identity file holds something other than an identity. It was left as it is.
    #[error("The file {} does not hold an identity. It was left unchanged.", path.display())]
    IdentityMalformed {
        /// The file.
        path: PathBuf,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
    /// The file of the history cannot be read or written.
    #[error("The file {} for what is said cannot be used.", path.display())]
    HistoryUnusable {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file of the history holds something else. It was left as it is.
    #[error("The file {} does not hold what was said in a room. It was left unchanged.", path.display())]
    HistoryMalformed {
        /// The file.
        path: PathBuf,
    },
    /// The file of the history is of another room. It was left as it is.
    #[error("The file {} holds what was said in another room. It was left unchanged; give each room a file of its own.", path.display())]
    HistoryOfAnotherRoom {
        /// The file.
        path: PathBuf,
    },
    /// Another program has the file of the history open.
    #[error("The file {} is in use by another helper.", path.display())]
    HistoryInUse {
        /// The file.
        path: PathBuf,
    },
    /// A clip for calls cannot be used.
    #[error(transparent)]
    Clip(#[from] crate::ClipError),
    /// The system provides no random numbers.
    #[error("This system provides no random numbers: {0}.")]
    Random(getrandom::Error),
    /// The addresses of this machine could not be listed.
    #[error("The network addresses of this machine cannot be listed: {0}.")]
    Interfaces(io::Error),
    /// No UDP socket could be opened.
    #[error("This machine has no network address that can be used.")]
    NoNetwork,
}

/// Something that went wrong without ending the participation.
#[derive(Debug, thiserror::Error)]
pub enum Warning {
    /// The connection to the broker is lost. It will be made again.
    #[error("The connection to the broker is lost: {0}")]
    BrokerLost(rumqttc::ConnectionError),
    /// The broker refused the subscription to the room's topics.
    #[error("The broker refuses the subscription to the room's topics.")]
    SubscriptionRefused,
    /// The identity file could not be read or written. The bot goes on with what it has in memory.
    #[error("The identity file {} cannot be used: {source}.", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Something that was said was not written. The bot goes on with what it has in memory.
    #[error("What is said is not kept in {}: {source}.", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Some lines of the history could not be read. They were left out.
    #[error("{} broken lines of {} were left out.", lines, path.display())]
    HistoryBroken {
        /// The file.
        path: PathBuf,
        /// The number of lines.
        lines: u64,
    },
    /// A value in the identity file is damaged. It is kept in the file under another key.
    #[error("{}: {notice}", path.display())]
    SetAside {
        /// The file.
        path: PathBuf,
        /// The notice that names the value.
        notice: StorageNotice,
    },
}
