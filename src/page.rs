//! The page's backend: the way in, and what the page asks of the room.

use std::cell::RefCell;
use std::rc::Rc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use wasm_bindgen_futures::spawn_local;

use crate::driver::Handle;
use crate::entrance::{Audience, Entrance};
use crate::identity::Name;
use crate::identity::web::seed;
use crate::room::{Command, Diagnostics, Event};
use crate::settings::web::{FILE, address, href, load};
use crate::settings::{AddressError, PageAddress, RoomSecret, room_link};
use crate::ui::{Backend, Entry, Opening, Own, Tell, Told};

/// What is known once the page is open.
struct Open {
    tell: Tell,
    entrance: Entrance,
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
            open.entrance.profile.borrow_mut().set_name(name.clone());
            let teller = Rc::new(Teller(open.tell.clone()));
            let handle = open.entrance.join(name, teller);
            handle.map_err(|error| error.to_string())?
        };
        let own = own(&handle);
        self.0.borrow_mut().handle = Some(handle);
        Ok(own)
    }

    fn command(&self, command: Command) {
        let page = self.0.borrow();
        if let (Command::Rename(name), Some(open)) = (&command, &page.open) {
            open.entrance.profile.borrow_mut().set_name(name.clone());
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
            .and_then(|open| open.entrance.address.room.as_deref());
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
    let entrance = match Entrance::open(address, load(FILE), false, reload).await {
        Ok(entrance) => entrance,
        Err(error) => return tell(Told::Failed(error.to_string())),
    };
    let (address, mut profile) = (&entrance.address, entrance.profile.borrow_mut());
    let opening = Opening {
        room: entrance.room().to_owned(),
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
    drop(profile);
    page.borrow_mut().open = Some(Open {
        tell: tell.clone(),
        entrance,
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

/// Tells the page what the room tells.
struct Teller(Tell);

impl Audience for Teller {
    fn event(&self, event: Event) {
        (self.0)(Told::Event(event));
    }

    fn notice(&self, notice: String) {
        (self.0)(Told::Notice(notice));
    }

    fn outdated(&self) {
        reload();
    }
}
