//! The page's backend: puts storage, settings, the address and the driver together.

use std::cell::RefCell;
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use futures_util::future::join;
use wasm_bindgen_futures::spawn_local;

use crate::driver::{self, Handle, Listener, Network};
use crate::identity::web::{SeedError, TabClaim, open_profile, seed};
use crate::identity::{Name, Note, Profile};
use crate::room::{Command, Config, Diagnostics, Event};
use crate::settings::web::{FILE, address, href, load, print};
use crate::settings::{AddressError, PageAddress, RoomSecret, Settings, room_link};
use crate::ui::{Backend, Entry, Opening, Own, Tell, Told};
use crate::wire::Place;

/// What is known once the page is open.
struct Open {
    tell: Tell,
    settings: Settings,
    address: PageAddress,
    profile: Rc<RefCell<Profile>>,
    tab: TabClaim,
}

/// The page in a browser.
#[derive(Default)]
pub struct Page(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    open: Option<Open>,
    handle: Option<Handle>,
}

impl Page {
    /// A page that has not been opened yet.
    pub fn new() -> Page {
        Page::default()
    }
}

impl Backend for Page {
    fn open(&self, tell: Tell) {
        let page = self.0.clone();
        spawn_local(async move { open(page, tell).await });
    }

    fn join(&self, name: &Name) -> Result<Own, String> {
        let handle = {
            let page = self.0.borrow();
            let open = page.open.as_ref().ok_or("The page is not ready yet.")?;
            open.profile.borrow_mut().set_name(name.clone());
            open.join(name)?
        };
        let own = own(&handle);
        self.0.borrow_mut().handle = Some(handle);
        Ok(own)
    }

    fn command(&self, command: Command) {
        let page = self.0.borrow();
        if let (Command::Rename(name), Some(open)) = (&command, &page.open) {
            open.profile.borrow_mut().set_name(name.clone());
        }
        if let Some(handle) = &page.handle {
            handle.command(command);
        }
    }

    fn own(&self) -> Option<Own> {
        self.0.borrow().handle.as_ref().map(own)
    }

    fn diagnostics(&self) -> Diagnostics {
        self.0
            .borrow()
            .handle
            .as_ref()
            .map(Handle::diagnostics)
            .unwrap_or_default()
    }

    fn private_link(&self) -> Result<String, String> {
        let mut rng = ChaCha20Rng::from_seed(seed().map_err(|error| error.to_string())?);
        let page = self.0.borrow();
        let room = page
            .open
            .as_ref()
            .and_then(|open| open.address.room.as_deref());
        Ok(room_link(
            &href().unwrap_or_default(),
            room,
            Some(&RoomSecret::generate(&mut rng)),
        ))
    }
}

fn own(handle: &Handle) -> Own {
    let (id, user, key) = handle.own();
    Own { id, user, key }
}

/// Reads everything that has to be known before anybody can join, side by side.
async fn open(page: Rc<RefCell<Inner>>, tell: Tell) {
    let here = href().unwrap_or_default();
    let address = match address() {
        Ok(address) => address,
        Err(error) => return tell(refused(&here, error)),
    };
    let profile = async {
        let profile = open_profile(&mut ChaCha20Rng::from_seed(seed()?)).await;
        // Under another number the others know this tab by another name: it begins anew.
        let tab = TabClaim::claim(&profile.scope(), |_| reload()).await;
        Ok::<_, SeedError>((profile, tab))
    };
    let (profile, (settings, warnings)) = join(profile, load(FILE)).await;
    print(&warnings);
    let (mut profile, tab) = match profile {
        Ok(ready) => ready,
        Err(error) => return tell(Told::Failed(error.to_string())),
    };
    let opening = Opening {
        room: address.room_or(&settings).to_owned(),
        link: room_link(&here, address.room.as_deref(), address.secret.as_ref()),
        open_link: room_link(&here, address.room.as_deref(), None),
        entry: if address.secret.is_some() {
            Entry::Private
        } else {
            Entry::Open
        },
        name: profile.name().cloned(),
        notices: profile
            .take_notices()
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    let profile = Rc::new(RefCell::new(profile));
    page.borrow_mut().open = Some(Open {
        tell: tell.clone(),
        settings,
        address,
        profile,
        tab,
    });
    tell(Told::Opened(opening));
}

fn refused(here: &str, error: AddressError) -> Told {
    let without_secret = PageAddress::parse(here.split('#').next().unwrap_or_default());
    let (AddressError::BadSecret, Ok(address)) = (&error, without_secret) else {
        return Told::Failed(error.to_string());
    };
    Told::Opened(Opening {
        room: address.room.clone().unwrap_or_default(),
        link: here.to_owned(),
        open_link: room_link(here, address.room.as_deref(), None),
        entry: Entry::WrongSecret,
        ..Opening::default()
    })
}

fn reload() {
    if let Some(window) = web_sys::window() {
        let _ = window.location().reload();
    }
}

impl Open {
    fn join(&self, name: &Name) -> Result<Handle, String> {
        let secret = self.address.secret.as_ref().map(|secret| &secret.0);
        let room = self.address.room_or(&self.settings);
        let place = Place::derive(&self.address.page, room, secret, None)
            .map_err(|error| error.to_string())?;
        let profile = self.profile.borrow();
        let config = Config {
            place,
            identity: profile.identity().clone(),
            name: name.clone(),
            tab: self.tab.number(),
            accept: self.settings.accept,
            trust: profile.trust().clone(),
            seed: seed().map_err(|error| error.to_string())?,
        };
        let network = Network {
            brokers: self.settings.brokers.clone(),
            ice_servers: self.settings.ice_servers.clone(),
        };
        let listener = Rc::new(Teller {
            tell: self.tell.clone(),
            profile: self.profile.clone(),
        });
        driver::join(config, &network, listener).map_err(|error| error.to_string())
    }
}

/// Tells the page what the room tells, and keeps what the trust book should keep.
struct Teller {
    tell: Tell,
    profile: Rc<RefCell<Profile>>,
}

impl Listener for Teller {
    fn event(&self, event: Event) {
        (self.tell)(Told::Event(event));
    }

    fn remember(&self, note: Note) {
        let notices = {
            let mut profile = self.profile.borrow_mut();
            profile.remember(&note);
            profile.take_notices()
        };
        notices
            .iter()
            .for_each(|notice| (self.tell)(Told::Notice(notice.to_string())));
    }
}
