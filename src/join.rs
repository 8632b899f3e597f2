//! Joining a room, for the page and for the module: reads the profile, the tab number and the settings, and makes the
//! room's configuration from them.

use std::cell::RefCell;
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use futures_util::future::join;

use crate::browser;
use crate::driver::{self, Handle, Network, RoomObserver, StartError, StoreKeeper, TrustKeeper};
use crate::history::Mode;
use crate::history::web::chosen_mode;
use crate::identity::web::{SeedError, TabClaim, merge_trust_of_other_tabs, open_profile, seed};
use crate::identity::{MemoryStorage, Name, Profile};
use crate::mqtt::Ahead;
use crate::room::{Config, MAIN_CHANNEL};
use crate::settings::web::{Loaded, print};
use crate::settings::{AddressError, PageAddress, Settings, SettingsError};
use crate::wire::RoomSource;
use crate::wire::room_keys::{RoomKeysError, StretchedPassword};

/// Why the room cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// The link requires a password, and none was given.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The site owner's settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The browser lacks something that the room needs.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The browser gave no random numbers.
    #[error(transparent)]
    Seed(#[from] SeedError),
}

/// Everything that is needed to join a room.
pub struct Joining {
    /// This person's key and name, and the trust book.
    pub profile: Rc<RefCell<Profile>>,
    /// The site owner's settings.
    pub settings: Settings,
    /// The page that the room belongs to, and the room and secret that override the settings.
    pub address: PageAddress,
    /// The room's password, from [`Joining::stretch`].
    pub password: Option<StretchedPassword>,
    /// A JSON object about this person that other peers receive.
    pub info: Option<String>,
    /// Whether every connection goes through a TURN server.
    pub relay_only: bool,
    /// How long what is said is kept, if neither the site nor the person decides.
    pub history: Mode,
    /// The connection to the preferred broker that may be opened before joining.
    pub ahead: Ahead,
    /// `None` if the profile is in memory only: no other tab has its key.
    tab: Option<TabClaim>,
    /// `None` if the profile is in memory only.
    _trust: Option<browser::Listener>,
}

impl Joining {
    /// Reads the profile and the settings concurrently. `outdated` is called when this tab gets another number.
    ///
    /// # Errors
    /// [`SeedError`] and [`SettingsError`]. A profile that cannot be read is replaced by a new one, with a notice.
    pub async fn open(
        address: PageAddress,
        settings: impl Future<Output = Loaded>,
        in_memory: bool,
        outdated: impl Fn() + 'static,
    ) -> Result<Joining, JoinError> {
        let profile = async {
            let mut rng = ChaCha20Rng::from_seed(seed()?);
            if in_memory {
                return Ok((Profile::open(MemoryStorage::default(), &mut rng), None));
            }
            let profile = open_profile(&mut rng).await;
            // Peers know this tab by a name that contains its number.
            let tab = TabClaim::claim(&profile.scope(), move |_| outdated()).await;
            Ok::<_, SeedError>((profile, Some(tab)))
        };
        let (profile, (settings, warnings)) = join(profile, settings).await;
        print(&warnings);
        let (settings, (profile, tab)) = (settings?, profile?);
        let profile = Rc::new(RefCell::new(profile));
        Ok(Joining {
            _trust: (!in_memory).then(|| merge_trust_of_other_tabs(&profile)),
            profile,
            settings,
            address,
            password: None,
            info: None,
            relay_only: false,
            history: Mode::Off,
            ahead: Ahead::default(),
            tab,
        })
    }

    /// The name of the room.
    pub fn room(&self) -> &str {
        self.address.room_or(&self.settings)
    }

    /// The names of the room's channels.
    fn channels(&self) -> impl Iterator<Item = &str> {
        let named = self.settings.channels().iter();
        let main = named.len() == 0;
        let main = main.then_some(MAIN_CHANNEL);
        main.into_iter()
            .chain(named.map(|channel| channel.name.as_str()))
    }

    /// Everything that the room is derived from, apart from its password.
    fn source(&self) -> RoomSource<'_> {
        let secret = self.address.secret.as_ref();
        RoomSource {
            page: &self.address.page,
            name: self.room(),
            secret: secret.map(|secret| &secret.bytes),
            root: secret.and_then(|secret| secret.root.as_ref()),
        }
    }

    /// Stretches a password for this room. The page stands still meanwhile, for a good part of a second.
    ///
    /// # Errors
    /// [`RoomKeysError::Password`] if it needs more memory than there is.
    pub fn stretch(&self, password: &str) -> Result<StretchedPassword, RoomKeysError> {
        self.source().stretch(password)
    }

    /// Opens a connection to the preferred broker, because somebody is about to join. Nothing is said over it before.
    pub fn approach(&self) {
        if let Some(broker) = self.settings.brokers.first() {
            self.ahead.open(&broker.url);
        }
    }

    /// Joins the room under this name.
    ///
    /// # Errors
    /// [`JoinError`], with a sentence for the person.
    pub fn join(&self, name: &Name, observer: Rc<dyn RoomObserver>) -> Result<Handle, JoinError> {
        if let Some(secret) = &self.address.secret {
            secret.check_password(self.password.is_some())?;
        }
        let keys = self.source().derive(self.password.as_ref()).lobby();
        let profile = self.profile.borrow();
        let config = Config {
            keys,
            topic_prefix: self.settings.topic_prefix.clone(),
            identity: profile.identity().public(),
            name: name.clone(),
            tab: self.tab.as_ref().map_or(1, TabClaim::number),
            info: self.info.clone(),
            channels: self.channels().map(str::to_owned).collect(),
            accept: self.settings.accept,
            features: self.settings.features,
            calls: self.settings.calls,
            trust: profile.trust().clone(),
            seed: seed()?,
        };
        let network = Network {
            brokers: self.settings.brokers.clone(),
            ahead: self.ahead.clone(),
            ice_servers: self.settings.ice_servers.clone(),
            relay_only: self.relay_only,
        };
        let trust = TrustKeeper::new(self.profile.clone(), self.tab.is_some());
        let room = *config.keys.id();
        let history = match self.tab {
            // Nothing is ever stored, or the browser allows it to nobody, which the profile has said.
            None => Mode::Off,
            Some(_) if profile.is_blocked() || !self.settings.features.history => Mode::Off,
            Some(_) => chosen_mode(&room)
                .or(self.settings.history)
                .unwrap_or(self.history),
        };
        let handle = driver::join(
            config,
            profile.identity().clone(),
            &network,
            trust,
            StoreKeeper::new(room, history),
            observer,
        )?;
        if let Some(tab) = &self.tab {
            tab.joined();
        }
        Ok(handle)
    }
}
