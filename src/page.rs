//! The backend of the page, and of a chat embedded in another site's page: joins the room and hands commands to it.

mod opening;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use js_sys::Function;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Element};

use crate::browser::sleep;
use crate::driver::shared::ALL_DELETED;
use crate::driver::{Handle, RoomObserver};
use crate::embed::Embedding;
use crate::head_start::HeadStart;
use crate::history::Mode;
use crate::identity::Name;
use crate::identity::store::{IDENTITY, NAME, TABS, TRUST};
use crate::identity::web::seed;
use crate::join::Joining;
use crate::rehearsal::Rehearsal;
use crate::room::{ChatCommand, Command, Conversation, Diagnostics, Event};
use crate::rtc::web::file_channel::hash_of;
use crate::settings::web::href;
use crate::settings::{RoomSecret, room_link};
use crate::ui::calls::{self, Calls};
use crate::ui::export::{self, Format};
use crate::ui::media::{self, Media};
use crate::ui::{Backend, Blocked, Counts, EventSink, Later, Own, UiEvent};
use crate::wire::attachment::{Picture, Preview, file_name, media_type};
use crate::wire::{Attachment, FileHash, FileKey};

/// Everything that is known once the address, the settings and the storage are read.
struct Open {
    sink: EventSink,
    join: Joining,
    /// The name that the site gave. The person did not choose it, so it is not stored.
    given_name: Option<Name>,
    /// Whether the person is asked for a name.
    asks: bool,
}

/// The functions that load scripts, from wherever they come.
#[derive(Default)]
pub struct Scripts {
    /// Loads what shows pictures and players.
    pub media: Option<Function>,
    /// Loads what shows calls, and holds devices.
    pub calls: Option<Function>,
}

/// The chat in a browser.
#[derive(Clone, Default)]
pub struct Page {
    inner: Rc<RefCell<Inner>>,
    site: Site,
}

/// The site's page that embeds the chat; `None` if the page is the chat's own.
#[derive(Clone, Default)]
struct Site(Option<Rc<Embedding>>);

impl Site {
    /// Reloads the chat's own page, or asks the embedding page to create the chat again.
    fn restart(&self) {
        match &self.0 {
            Some(site) => site.notify("restart", &[]),
            None => reload(),
        }
    }
}

thread_local! {
    /// Whether a meeting was rehearsed on this page.
    static REHEARSED: Cell<bool> = const { Cell::new(false) };
    /// The chats on this page. All of them are the same person, who is asked for a name only once.
    static CHATS: RefCell<Vec<Weak<RefCell<Inner>>>> = const { RefCell::new(Vec::new()) };
    /// The name that the person chose last in a chat on this page. A chat that was still opening then has read the profile
    /// without it.
    static CHOSEN: RefCell<Option<Name>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Inner {
    sink: Option<EventSink>,
    /// Events from before the views listened.
    early: Vec<UiEvent>,
    open: Option<Open>,
    handle: Option<Handle>,
    head_start: Option<HeadStart>,
    /// The conversation that the site's page wants to be open as soon as it can be.
    wanted: Option<Conversation>,
    /// The function that loads what shows pictures and players.
    media: Option<Function>,
    /// What shows calls.
    calls: calls::Loading,
    /// The name that the room was joined with, or that it was changed to.
    name: Option<Name>,
    closed: bool,
}

impl Page {
    /// Creates a page that is not opened yet, and for which `start.js` has begun this.
    pub fn new(head_start: Option<HeadStart>, scripts: Scripts) -> Page {
        let page = Page::default();
        page.inner.borrow_mut().head_start = head_start;
        page.take(scripts);
        page
    }

    fn take(&self, scripts: Scripts) {
        let mut inner = self.inner.borrow_mut();
        inner.media = scripts.media;
        inner.calls = calls::Loading::with(scripts.calls);
    }

    /// Creates a chat in another site's page that is not opened yet.
    pub fn within(site: Embedding, scripts: Scripts) -> Page {
        let page = Page {
            site: Site(Some(Rc::new(site))),
            ..Page::default()
        };
        page.take(scripts);
        page
    }

    /// Leaves the room and frees everything. An opening that is still under way is abandoned.
    pub fn close(&self) {
        let inner = std::mem::take(&mut *self.inner.borrow_mut());
        self.inner.borrow_mut().closed = true;
        // Dropping the handle leaves the room, and its last events still reach the site.
        drop(inner.handle);
        inner.calls.close();
    }

    /// Passes a name that the person chose on to the other chats on this page, unless their site chose one for them.
    fn share_name(&self, name: &Name) {
        CHOSEN.set(Some(name.clone()));
        let chats = CHATS.with_borrow_mut(|chats| {
            chats.retain(|chat| chat.strong_count() > 0);
            chats.clone()
        });
        let others = chats.iter().filter_map(Weak::upgrade);
        for chat in others.filter(|chat| !Rc::ptr_eq(chat, &self.inner)) {
            let sink = {
                let chat = chat.borrow();
                let asks = chat.open.as_ref().filter(|open| open.given_name.is_none());
                let asks = asks.filter(|_| chat.name.as_ref() != Some(name));
                asks.map(|open| open.sink.clone())
            };
            if let Some(sink) = sink {
                sink(UiEvent::NamedElsewhere(name.clone()));
            }
        }
    }

    /// Takes over the connection to the broker that `start.js` has opened.
    fn adopt_connection(&self) {
        let page = self.inner.borrow();
        let connection = page.head_start.as_ref().and_then(HeadStart::connection);
        if let (Some(open), Some((url, socket))) = (&page.open, connection) {
            open.join.ahead.adopt(&url, socket);
        }
    }

    /// Rehearses a meeting, once in a page and before anybody has joined. The browser may do other things after each step.
    fn rehearse(&self) {
        if REHEARSED.replace(true) {
            return;
        }
        let page = self.clone();
        spawn_local(async move {
            sleep(0).await;
            let waits = || page.inner.borrow().handle.is_none();
            let rehearsal = || Rehearsal::new(seed().ok()?);
            let Some(mut rehearsal) = waits().then(rehearsal).flatten() else {
                return;
            };
            while waits() && rehearsal.step() {
                sleep(0).await;
            }
        });
    }

    /// Joins under the name of this chat.
    fn enter(&self, name: &Name) -> Result<Own, String> {
        // The former handle leaves, if the room was not left before.
        let former = self.inner.borrow_mut().handle.take();
        drop(former);
        self.adopt_connection();
        let handle = {
            let page = self.inner.borrow();
            let open = page.open.as_ref().ok_or("The page is not ready yet.")?;
            let events = Rc::new(RoomEvents {
                sink: open.sink.clone(),
                site: self.site.clone(),
            });
            let handle = open.join.join(name, events);
            handle.map_err(|error| error.to_string())?
        };
        let own = own(&handle);
        let mut page = self.inner.borrow_mut();
        if let Some(calls) = page.calls.loaded() {
            handle.provide_calls(calls.unchecked_into());
        }
        page.handle = Some(handle);
        page.name = Some(name.clone());
        Ok(own)
    }

    /// Opens a conversation, once the settings are read that name the channels.
    pub fn show(&self, conversation: Conversation) {
        let is_open = self.inner.borrow().open.is_some();
        if is_open {
            self.emit(UiEvent::Open(conversation));
        } else {
            self.inner.borrow_mut().wanted = Some(conversation);
        }
    }

    /// Says something as the person, in the first channel if no conversation is named. Returns whether they are in the room.
    pub fn say(&self, text: String, conversation: Option<Conversation>) -> bool {
        let inner = self.inner.borrow();
        if let Some(handle) = &inner.handle {
            handle.command(Command::Chat(ChatCommand::Say {
                conversation,
                text,
                reply_to: None,
            }));
        }
        inner.handle.is_some()
    }

    /// Sends an event to the views, as soon as they listen.
    pub fn emit(&self, event: UiEvent) {
        let sink = self.inner.borrow().sink.clone();
        match sink {
            Some(sink) => sink(event),
            None => self.inner.borrow_mut().early.push(event),
        }
    }
}

impl Backend for Page {
    fn open(&self, sink: EventSink) {
        self.inner.borrow_mut().sink = Some(sink.clone());
        CHATS.with_borrow_mut(|chats| chats.push(Rc::downgrade(&self.inner)));
        let early = std::mem::take(&mut self.inner.borrow_mut().early);
        early.into_iter().for_each(|event| sink(event));
        let page = self.clone();
        spawn_local(async move { page.read(sink).await });
    }

    fn approach(&self) {
        self.adopt_connection();
        if let Some(open) = &self.inner.borrow().open {
            open.join.approach();
        }
        self.rehearse();
    }

    fn join(&self, name: &Name) -> Result<Own, String> {
        // Whoever presses twice joins once: the welcome is still there for a moment.
        if let Some(handle) = &self.inner.borrow().handle {
            return Ok(own(handle));
        }
        let (chosen, asked) = {
            let page = self.inner.borrow();
            let open = page.open.as_ref().ok_or("The page is not ready yet.")?;
            let chosen = open.given_name.as_ref() != Some(name);
            if chosen {
                open.join.profile.borrow_mut().set_name(name.clone());
            }
            (chosen, open.asks)
        };
        if asked {
            self.emit(UiEvent::Entering);
        }
        let own = self.enter(name)?;
        if chosen {
            self.share_name(name);
        }
        Ok(own)
    }

    fn rejoin(&self) -> Result<Own, String> {
        let name = self.inner.borrow().name.clone();
        self.enter(&name.ok_or("The page is not ready yet.")?)
    }

    fn blocked(&self) -> Vec<Blocked> {
        let page = self.inner.borrow();
        let profile = page.open.as_ref().map(|open| open.join.profile.borrow());
        let Some(profile) = &profile else {
            return Vec::new();
        };
        let blocked = profile
            .trust()
            .iter()
            .filter(|(_, entry)| entry.is_blocked());
        let blocked = blocked.map(|(key, entry)| Blocked {
            key: *key,
            name: entry
                .name()
                .map_or_else(|| key.fingerprint(), str::to_owned),
        });
        blocked.collect()
    }

    fn command(&self, command: Command) {
        let renamed = match &command {
            Command::Rename(name) => Some(name.clone()),
            _ => None,
        };
        if let Some(name) = &renamed {
            let mut page = self.inner.borrow_mut();
            page.name = renamed.clone();
            if let Some(open) = &page.open {
                open.join.profile.borrow_mut().set_name(name.clone());
            }
        }
        if let Some(handle) = &self.inner.borrow().handle {
            handle.command(command);
        }
        if let Some(name) = renamed {
            self.share_name(&name);
        }
    }

    fn history(&self) -> Mode {
        let page = self.inner.borrow();
        page.handle.as_ref().map_or(Mode::Off, Handle::history)
    }

    fn set_history(&self, mode: Mode) {
        if let Some(handle) = &self.inner.borrow().handle {
            handle.set_history(mode);
        }
    }

    fn delete_site(&self, with_identity: bool) {
        let page = self.inner.borrow();
        let Some(deleted) = page.handle.as_ref().map(Handle::delete_site) else {
            return;
        };
        let site = self.site.clone();
        spawn_local(async move {
            deleted.await;
            forget_notes(with_identity);
            if with_identity {
                site.restart();
            }
        });
    }

    fn export(&self, format: Format) -> Option<(String, String)> {
        let page = self.inner.borrow();
        let (handle, join) = (page.handle.as_ref()?, &page.open.as_ref()?.join);
        let room = join.room().to_owned();
        let content = if format == Format::Json {
            handle.export(&room, &join.address.page)
        } else {
            let talks = handle.conversations().into_iter().map(|(talk, name)| {
                let all = handle.history_of(&talk, None, usize::MAX);
                (talk, name, all)
            });
            export::model(&room, &handle.own().1, talks.collect(), format)
        };
        Some((room, content))
    }

    fn try_now(&self) {
        if let Some(handle) = &self.inner.borrow().handle {
            handle.try_now();
        }
    }

    fn own(&self) -> Option<Own> {
        self.inner.borrow().handle.as_ref().map(own)
    }

    fn diagnostics(&self) -> Diagnostics {
        self.inner
            .borrow()
            .handle
            .as_ref()
            .map(Handle::diagnostics)
            .unwrap_or_default()
    }

    fn private_link(&self) -> Result<String, String> {
        let mut rng = ChaCha20Rng::from_seed(seed().map_err(|error| error.to_string())?);
        let page = self.inner.borrow();
        let room = page
            .open
            .as_ref()
            .and_then(|open| open.join.address.room.as_deref());
        Ok(room_link(
            &href().unwrap_or_default(),
            room,
            Some(&RoomSecret::generate(&mut rng)),
        ))
    }

    fn restart(&self) {
        self.site.restart();
    }

    fn prepare_file(
        &self,
        file: Blob,
        original: bool,
    ) -> Later<Result<(Attachment, bool), String>> {
        let page = self.clone();
        Box::pin(async move {
            let media = page.media().await?;
            let prepared = media.prepared(&file, original).await?;
            let hash = hash_of(&prepared.blob)
                .await
                .map_err(|error| error.to_string())?;
            let (columns, colours) = prepared.preview;
            let is_picture = prepared.width > 0 && prepared.height > 0;
            let file = Attachment {
                hash: FileHash(hash),
                // A whole number below 2^53.
                size: prepared.blob.size() as u64,
                name: file_name(&prepared.name),
                mime: media_type(prepared.blob.type_()),
                picture: is_picture.then(|| Picture {
                    width: prepared.width,
                    height: prepared.height,
                    preview: Preview::new(columns, colours),
                }),
            };
            let page = page.inner.borrow();
            let handle = page.handle.as_ref().ok_or("You have left the room.")?;
            handle.prepare_file(file.key(), prepared.blob);
            Ok((file, prepared.as_it_is))
        })
    }

    fn drop_file(&self, key: &FileKey) {
        if let Some(handle) = &self.inner.borrow().handle {
            handle.drop_prepared_file(key);
        }
    }

    fn file(&self, key: FileKey) -> Later<Option<Blob>> {
        let file = self
            .inner
            .borrow()
            .handle
            .as_ref()
            .map(|handle| handle.file(key));
        Box::pin(async move { file?.await })
    }

    fn media(&self) -> Later<Result<Media, String>> {
        Box::pin(media::load(self.inner.borrow().media.clone()))
    }

    fn calls(&self) -> Later<Result<Calls, String>> {
        let page = self.clone();
        Box::pin(async move {
            let loading = page.inner.borrow().calls.clone();
            let (room, notices) = (page.clone(), page.clone());
            let command = move |command| room.command(Command::Call(command));
            let notice = move |text| notices.emit(UiEvent::Notice(text));
            let is_new = loading.loaded().is_none();
            let calls = loading.get(command, notice).await?;
            if let Some(handle) = page.inner.borrow().handle.as_ref().filter(|_| is_new) {
                handle.provide_calls(calls.clone().unchecked_into());
            }
            Ok(calls)
        })
    }

    fn place_calls(&self, place: Element) {
        let calls = self.inner.borrow().calls.clone();
        calls.place(place);
    }

    fn is_embedded(&self) -> bool {
        self.site.0.is_some()
    }

    fn show_counts(&self, counts: &Counts) {
        if let Some(site) = &self.site.0 {
            site.counts(counts);
        }
    }
}

/// Forgets what this site's pages have noted in the browser. Who the person is, whom they have met and how long they want to
/// keep what is said stays, unless that is to go as well.
fn forget_notes(with_identity: bool) {
    let Some(window) = web_sys::window() else {
        return;
    };
    let storages = [window.local_storage(), window.session_storage()];
    for storage in storages.into_iter().filter_map(|it| it.ok().flatten()) {
        let count = storage.length().unwrap_or_default();
        let keys = (0..count).filter_map(|at| storage.key(at).ok().flatten());
        let is_ours = |key: &String| key.starts_with("rtchat/1/");
        for key in keys.filter(is_ours).collect::<Vec<_>>() {
            // What says up to when everything was deleted keeps others from bringing it back.
            let stays = key == ALL_DELETED || key.starts_with("rtchat/1/session");
            let is_personal = [IDENTITY, NAME, TRUST, TABS].contains(&&*key)
                || key.starts_with("rtchat/1/history-mode/");
            if !stays && (with_identity || !is_personal) {
                // The browser may refuse; then it kept nothing either.
                let _ = storage.remove_item(&key);
            }
        }
    }
}

fn own(handle: &Handle) -> Own {
    let (id, user, key) = handle.own();
    Own { id, user, key }
}

fn reload() {
    if let Some(window) = web_sys::window() {
        let _ = window.location().reload();
    }
}

/// Forwards what happens in the room to the views, and to the site that embeds them.
struct RoomEvents {
    sink: EventSink,
    site: Site,
}

impl RoomObserver for RoomEvents {
    fn event(&self, event: Event) {
        if let Some(site) = &self.site.0 {
            site.forward(&event);
        }
        (self.sink)(UiEvent::Event(event));
    }

    fn kept_as(&self, mode: Mode) {
        (self.sink)(UiEvent::KeptAs(mode));
    }

    fn notice(&self, notice: String) {
        (self.sink)(UiEvent::Notice(notice));
    }

    fn trust_changed(&self) {
        (self.sink)(UiEvent::TrustChanged);
    }

    fn outdated(&self) {
        self.site.restart();
    }
}
