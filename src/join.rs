//! The way into a room, for the page and for the module: what has to be read first (profile, tab number, settings),
//! and what has to be put together then.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use futures_util::future::join;
use wasm_bindgen_futures::spawn_local;

use crate::browser;
use crate::driver::{self, Handle, Listener, Network, StartError};
use crate::identity::web::{
    SeedError, TabClaim, merge_trust_of_other_tabs, open_profile, recheck_trust, seed,
};
use crate::identity::{MemoryStorage, Name, Profile, TrustBook, TrustChange};
use crate::room::{Config, Event};
use crate::settings::web::print;
use crate::settings::{AddressError, PageAddress, Settings, SettingsWarning};
use crate::wire::RoomSource;
use crate::wire::room_keys::RoomKeysError;

/// Why nobody can go in.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    /// The link asks for something that was not given.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The room has no keys.
    #[error(transparent)]
    RoomKeys(#[from] RoomKeysError),
    /// The browser lacks something.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No random numbers.
    #[error(transparent)]
    Seed(#[from] SeedError),
}

/// Who is told what happens in the room.
pub trait Audience {
    /// Something a person should see.
    fn event(&self, event: Event);
    /// Something about this browser's storage; a sentence.
    fn notice(&self, notice: String);
    /// Others know this tab no longer, or by another number: it is time to begin anew.
    fn outdated(&self);
}

/// Everything that has to be known before anybody can join.
pub struct Joining {
    /// Who one is, and whom one met.
    pub profile: Rc<RefCell<Profile>>,
    /// What the site's owner asks for.
    pub settings: Settings,
    /// The page whose room it is, and the room and secret, if they are not those of the settings.
    pub address: PageAddress,
    /// The room's password.
    pub password: Option<String>,
    /// What others are told about this person: a JSON object.
    pub info: Option<String>,
    /// Never a direct path.
    pub relay_only: bool,
    /// `None` where nothing is kept: no other tab has this key.
    tab: Option<TabClaim>,
    /// `None` where nothing is kept.
    _trust: Option<browser::Listener>,
}

impl Joining {
    /// Reads profile and settings side by side. `outdated` is called when this tab has another number than it had.
    ///
    /// # Errors
    /// [`SeedError`]; what cannot be read is replaced and told of.
    pub async fn open(
        address: PageAddress,
        settings: impl Future<Output = (Settings, Vec<SettingsWarning>)>,
        in_memory: bool,
        outdated: impl Fn() + 'static,
    ) -> Result<Joining, SeedError> {
        let profile = async {
            let mut rng = ChaCha20Rng::from_seed(seed()?);
            if in_memory {
                return Ok((Profile::open(MemoryStorage::default(), &mut rng), None));
            }
            let profile = open_profile(&mut rng).await;
            // Under another number the others know this tab by another name.
            let tab = TabClaim::claim(&profile.scope(), move |_| outdated()).await;
            Ok::<_, SeedError>((profile, Some(tab)))
        };
        let (profile, (settings, warnings)) = join(profile, settings).await;
        print(&warnings);
        let (profile, tab) = profile?;
        let profile = Rc::new(RefCell::new(profile));
        Ok(Joining {
            _trust: (!in_memory).then(|| merge_trust_of_other_tabs(&profile)),
            profile,
            settings,
            address,
            password: None,
            info: None,
            relay_only: false,
            tab,
        })
    }

    /// The room that is entered.
    pub fn room(&self) -> &str {
        self.address.room_or(&self.settings)
    }

    /// Goes in under this name.
    ///
    /// # Errors
    /// [`EntranceError`], with a sentence that says what this browser lacks.
    pub fn join(&self, name: &Name, audience: Rc<dyn Audience>) -> Result<Handle, EntranceError> {
        let password = self.password.as_deref();
        if let Some(secret) = &self.address.secret {
            secret.check_password(password)?;
        }
        let secret = self.address.secret.as_ref();
        let source = RoomSource {
            page: &self.address.page,
            name: self.room(),
            secret: secret.map(|secret| &secret.bytes),
            root: secret.and_then(|secret| secret.root.as_ref()),
        };
        let keys = source.lobby(password)?;
        let profile = self.profile.borrow();
        let config = Config {
            keys,
            topic_prefix: self.settings.topic_prefix.clone(),
            identity: profile.identity().public(),
            name: name.clone(),
            tab: self.tab.as_ref().map_or(1, TabClaim::number),
            info: self.info.clone(),
            accept: self.settings.accept,
            trust: profile.trust().clone(),
            seed: seed()?,
        };
        let network = Network {
            brokers: self.settings.brokers.clone(),
            ice_servers: self.settings.ice_servers.clone(),
            relay_only: self.relay_only,
        };
        let keeper = Rc::new(Keeper {
            audience,
            profile: self.profile.clone(),
            is_stored: self.tab.is_some(),
            rechecking: Rc::default(),
        });
        let handle = driver::join(config, profile.identity().clone(), &network, keeper)?;
        if let Some(tab) = &self.tab {
            tab.joined();
        }
        Ok(handle)
    }
}

/// Passes on what the room tells, and keeps what the trust book should keep.
struct Keeper {
    audience: Rc<dyn Audience>,
    profile: Rc<RefCell<Profile>>,
    /// Whether other tabs share the profile.
    is_stored: bool,
    /// Whether the stored trust book is about to be read again.
    rechecking: Rc<Cell<bool>>,
}

impl Keeper {
    /// Makes sure that no other tab has overwritten what this one just wrote.
    fn recheck_soon(&self) {
        if !self.is_stored || self.rechecking.replace(true) {
            return;
        }
        let (profile, rechecking) = (Rc::downgrade(&self.profile), self.rechecking.clone());
        spawn_local(async move {
            // What is written from now on is checked by this check, or by the next one.
            rechecking.set(false);
            recheck_trust(profile).await;
        });
    }
}

impl Listener for Keeper {
    fn event(&self, event: Event) {
        self.audience.event(event);
    }

    fn remember(&self, note: TrustChange) {
        let notices = {
            let mut profile = self.profile.borrow_mut();
            profile.remember(&note);
            profile.take_notices()
        };
        self.recheck_soon();
        notices
            .iter()
            .for_each(|notice| self.audience.notice(notice.to_string()));
    }

    fn acquaintances(&self) -> TrustBook {
        let mut profile = self.profile.borrow_mut();
        // Also where it brings nothing new: it may have been read before this tab's own last note, and told to nobody.
        profile.refresh();
        profile.trust().clone()
    }

    fn returned(&self) {
        self.audience.outdated();
    }
}
