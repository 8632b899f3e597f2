//! A bot's participation in one room.

use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{Name, Profile};
use rtchat::room::{ChatCommand, Command, Config, Input, MAIN_CHANNEL, Output, Room};
use rtchat::settings::{Accept, Features, PageAddress, Settings, room_link};
use rtchat::time::Millis;
use rtchat::wire::RoomSource;
use rumqttc::MqttOptions;
use tokio::sync::mpsc;

use crate::broker::{self, Broker};
use crate::connections::Connections;
use crate::driver::{Clock, Driver};
use crate::history::History;
use crate::media::Own;
use crate::storage::FileStorage;
use crate::{Bot, Calls, Error};

/// At most this many incoming packets and datagrams wait for the driver. Beyond that sockets are not read, and the
/// network drops the rest.
const MAX_QUEUED: usize = 1024;

/// The room that a bot takes part in, and its name and identity there.
#[derive(Clone)]
pub struct Options {
    /// The address of the page as people open it, with `?room=` and `#k=` where the link has them.
    pub page: String,
    /// The room. Without it the one in the page's address is taken, and else the default room.
    pub room: Option<String>,
    /// The site's `topicPrefix` setting: usually empty.
    pub topic_prefix: String,
    /// The broker that the page's people use, by its address for native programs: `mqtt://[user:password@]host[:port]`.
    pub broker: String,
    /// The name that the bot shows to others.
    pub name: String,
    /// The file that holds the bot's identity key and the people it has met. It is created if there is none, readable
    /// by its owner alone.
    pub identity: PathBuf,
    /// The file that keeps what is said, readable by its owner alone. Without one, it is gone when the bot ends.
    pub history: Option<PathBuf>,
    /// The calls that the bot can be in, and what it sends there.
    pub calls: Calls,
}

/// A participant of a room, ready to [`run`](Participant::run).
pub struct Participant {
    room: Room,
    room_name: String,
    page: String,
    clock: Clock,
    profile: Profile,
    storage: Rc<FileStorage>,
    history: Option<History>,
    broker: MqttOptions,
    calls: Calls,
}

impl Participant {
    /// Checks the options, and reads the identity file or creates it. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error`] if an option is not valid, or the identity file or the history cannot be used.
    pub fn open(options: &Options) -> Result<Participant, Error> {
        Participant::open_at(options, Clock::start(), None)
    }

    /// Does the same for a participant that has said these things already, each at its time, in the room's first channel:
    /// it passes them on to whoever comes.
    ///
    /// # Errors
    /// As [`open`](Participant::open).
    pub fn open_with_history(
        options: &Options,
        said: impl IntoIterator<Item = (Millis, String)>,
    ) -> Result<Participant, Error> {
        let mut said = said.into_iter().peekable();
        let since = said.peek().map(|(at, _)| *at);
        let mut participant = Participant::open_at(options, Clock::start(), since)?;
        for (at, text) in said {
            participant.say_at(at, text);
        }
        Ok(participant)
    }

    fn say_at(&mut self, at: Millis, text: String) {
        let mut input = Some(Input::Command(Command::Chat(ChatCommand::say(text))));
        while let Some(next) = input.take() {
            self.room.handle(at, next);
            // Nobody is connected yet, so there is nothing to carry out but the signature.
            while let Some(output) = self.room.poll() {
                if let Output::Sign { ticket, message } = output {
                    let signature = self.profile.identity().sign_message(&message);
                    input = Some(Input::Signed { ticket, signature });
                }
            }
        }
    }

    /// The room begins at `since`, if that is earlier than now.
    fn open_at(
        options: &Options,
        clock: Clock,
        since: Option<Millis>,
    ) -> Result<Participant, Error> {
        let name = Name::parse(&options.name)?;
        let mut address = PageAddress::parse(&options.page)?;
        if let Some(room) = &options.room {
            // The name is subject to the same rules as one in a link.
            let link = room_link(&options.page, Some(room), address.secret.as_ref());
            address = PageAddress::parse(&link)?;
        }
        let settings = Settings::default();
        let room_name = address.room_or(&settings).to_owned();
        if let Some(secret) = &address.secret {
            // Bots know no passwords.
            secret.check_password(false)?;
        }
        let secret = address.secret.as_ref();
        let source = RoomSource {
            page: &address.page,
            name: &room_name,
            secret: secret.map(|secret| &secret.bytes),
            root: secret.and_then(|secret| secret.root.as_ref()),
        };
        let keys = source.derive(None).lobby();
        let broker = broker::options(&options.broker)?;
        let room = *keys.id();

        let storage = Rc::new(FileStorage::open(&options.identity)?);
        let profile = Profile::open(storage.clone(), &mut ChaCha20Rng::from_seed(seed()?));
        let config = Config {
            keys,
            topic_prefix: options.topic_prefix.clone(),
            identity: profile.identity().public(),
            name,
            tab: 1,
            info: None,
            channels: vec![MAIN_CHANNEL.to_owned()],
            accept: Accept::Everyone,
            features: Features::default(),
            calls: options.calls.kinds,
            trust: profile.trust().clone(),
            seed: seed()?,
        };
        let open = |path: &PathBuf| History::open(path, room);
        let history = options.history.as_ref().map(open).transpose()?;
        let now = clock.now();
        let since = since.map_or(now, |since| since.min(now));
        Ok(Participant {
            room: Room::new(config, since),
            room_name,
            page: address.page,
            clock,
            profile,
            storage,
            history,
            broker,
            calls: options.calls.clone(),
        })
    }

    /// The bot's name as the room shows it.
    pub fn user(&self) -> String {
        self.room.user()
    }

    /// The name of the room.
    pub fn room(&self) -> &str {
        &self.room_name
    }

    /// The host and path of the page.
    pub fn page(&self) -> &str {
        &self.page
    }

    /// The fingerprint of the bot's identity key, which people can compare.
    pub fn fingerprint(&self) -> String {
        self.room.key().fingerprint()
    }

    /// Takes part in the room until `stop` is ready, then leaves it. When the broker cannot be reached, it is tried
    /// again until it can.
    ///
    /// # Errors
    /// [`Error`] if this machine has no network. Once in the room, nothing ends the participation but `stop`.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time and I/O enabled.
    pub async fn run(self, bot: impl Bot, stop: impl Future) -> Result<(), Error> {
        let (sender, incoming) = mpsc::channel(MAX_QUEUED);
        let kinds = self.calls.kinds;
        let own = Rc::new(Own::new(self.calls, seed()?));
        let connections = Connections::open(sender.clone(), kinds, own.clone())?;
        let broker = Broker::connect(self.broker, self.room.subscriptions(), sender);
        let mut driver = Driver {
            room: self.room,
            clock: self.clock,
            inputs: Default::default(),
            broker,
            connections,
            own,
            profile: self.profile,
            storage: self.storage,
            history: self.history,
            is_kept: true,
            bot,
        };
        driver.report_storage_problems();
        driver.restore();
        driver.run(incoming, stop).await;
        Ok(())
    }
}

fn seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Error::Random)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use rtchat::settings::{AddressError, RoomSecret};

    use super::*;

    fn open(change: impl FnOnce(&mut Options)) -> Result<Participant, Error> {
        let folder = tempfile::tempdir().unwrap();
        let mut options = Options {
            page: "https://example.org/chat/?room=garden".into(),
            topic_prefix: String::new(),
            room: None,
            broker: "mqtt://127.0.0.1:1883".into(),
            name: "helper".into(),
            identity: folder.path().join("identity.json"),
            history: None,
            calls: Calls::default(),
        };
        change(&mut options);
        Participant::open(&options)
    }

    #[test]
    fn the_room_option_overrides_the_room_in_the_link() {
        assert_eq!(open(|_| ()).unwrap().room(), "garden");
        let hall = open(|options| options.room = Some("great hall".into())).unwrap();
        assert_eq!(
            (hall.room(), hall.page()),
            ("great hall", "example.org/chat")
        );
    }

    #[test]
    fn invalid_options_are_refused() {
        let refused = |change: fn(&mut Options)| open(change).err().unwrap();
        assert!(matches!(refused(|o| o.name.clear()), Error::Name(_)));
        assert!(matches!(
            refused(|o| o.page = "about:blank".into()),
            Error::Address(AddressError::NotAPage)
        ));
        assert!(matches!(
            refused(|o| o.room = Some("x".repeat(65))),
            Error::Address(AddressError::RoomTooLong { length: 65 })
        ));
    }

    #[test]
    fn a_link_that_requires_a_password_is_refused() {
        let mut secret = RoomSecret::new([7; 32]);
        assert!(open(|options| options.page = link(&secret)).is_ok());
        secret.password = true;
        let refused = open(|options| options.page = link(&secret)).err().unwrap();
        assert!(matches!(
            refused,
            Error::Address(AddressError::PasswordMissing)
        ));
    }

    fn link(secret: &RoomSecret) -> String {
        room_link("https://example.org/chat/", None, Some(secret))
    }

    #[test]
    fn an_invalid_broker_address_is_refused_without_repeating_its_password() {
        let error = open(|options| options.broker = "tcpp://me:secret@host".into());
        let error = error.err().unwrap();
        assert!(matches!(error, Error::BrokerAddress(_)));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
