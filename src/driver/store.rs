//! Carries what the room keeps to the script that keeps it (`embed/store/keeper.ts`), and what that script tells back. The
//! script is loaded when it is first called.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::{Rc, Weak};

use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::Driver;
use super::shared::{self, Told};
use crate::browser::{self, within};
use crate::history::web::{self, Listener, bytes, remember_mode};
use crate::history::{Key, Mode, Record};
use crate::room::{DELETED, Input, STATES, StoreCommand, StoreEvent};
use crate::wire::RoomId;
use crate::wire::entry::ConversationId;

/// What people read when the script cannot be loaded.
const MISSING: &str = "The part of the page that keeps what is said, and files, could not be loaded. You can chat; reload \
    the page to try again.";

/// How long is waited until everything is written, in milliseconds.
const SETTLED: u32 = 10_000;

/// What is kept of one room.
pub struct StoreKeeper {
    room: RoomId,
    mode: Cell<Mode>,
    driver: RefCell<Weak<Driver>>,
    progress: Cell<Progress>,
    /// Whether the room was told, or will be, that there is a place for the bytes of files.
    has_files: Cell<bool>,
    /// What other tabs choose and delete, whatever store they have.
    shared: RefCell<Option<browser::Listener>>,
    /// The script's object, and what hears of it.
    keeper: OnceCell<(JsValue, Listener)>,
    /// What it is to be told once it is there: names of methods, and what they are called with.
    calls: RefCell<Vec<(&'static str, Array)>>,
}

/// How far loading the script is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    NotBegun,
    Begun,
    Failed,
}

impl StoreKeeper {
    /// A store that is not open yet.
    pub fn new(room: RoomId, mode: Mode) -> Rc<StoreKeeper> {
        Rc::new(StoreKeeper {
            room,
            mode: Cell::new(mode),
            driver: RefCell::default(),
            progress: Cell::new(Progress::NotBegun),
            has_files: Cell::new(false),
            shared: RefCell::default(),
            keeper: OnceCell::new(),
            calls: RefCell::default(),
        })
    }

    /// How long what is said is kept.
    pub fn mode(&self) -> Mode {
        self.mode.get()
    }

    /// Whether the script cannot be loaded.
    #[cfg(feature = "attachments")]
    pub(super) fn is_missing(&self) -> bool {
        self.progress.get() == Progress::Failed
    }

    /// Opens the store, and reads what is in it. Where nothing is kept, nothing is loaded before there is a file.
    pub(super) fn open(self: &Rc<Self>, driver: &Rc<Driver>) {
        self.driver.replace(Rc::downgrade(driver));
        let keeper = Rc::downgrade(self);
        let told = move |what| {
            if let Some(keeper) = keeper.upgrade() {
                keeper.was_told(what);
            }
        };
        self.shared.replace(Some(shared::watch(&self.room, told)));
        if let Some(value) = shared::deleted() {
            let keeper = self.clone();
            spawn_local(async move { keeper.feed(StoreEvent::State(DELETED, value)) });
        }
        let mode = self.mode.get();
        if mode == Mode::Off {
            let keeper = self.clone();
            spawn_local(async move { keeper.feed(StoreEvent::Restored) });
        }
        if mode != Mode::Off || web::is_unwritten(&self.room) {
            self.has_files.set(true);
            self.call("open", &[mode.as_str().into()]);
        }
    }

    /// There is a file beside a message, so there has to be a place for its bytes.
    #[cfg(feature = "attachments")]
    pub(super) fn want_files(self: &Rc<Self>) {
        if !self.has_files.replace(true) {
            self.call("openFiles", &[]);
        }
    }

    /// Keeps what is said in another way from now on. What the former store has of this room is deleted there.
    pub(super) fn choose(self: &Rc<Self>, mode: Mode) {
        remember_mode(&self.room, mode);
        self.adopt(mode);
    }

    /// Does so because this tab or another one has chosen it.
    fn adopt(self: &Rc<Self>, mode: Mode) {
        if self.mode.replace(mode) == mode {
            return;
        }
        if self.progress.get() == Progress::Failed {
            self.progress.set(Progress::NotBegun);
        }
        self.call("choose", &[mode.as_str().into()]);
    }

    /// Carries out a command.
    pub(super) fn carry_out(self: &Rc<Self>, command: StoreCommand) {
        if self.mode.get() == Mode::Off && !matches!(command, StoreCommand::DeleteAll(_)) {
            return;
        }
        let (method, first, second) = match command {
            StoreCommand::Put(record) => ("put", record.key().to_bytes(), record.to_value()),
            StoreCommand::Add(record) => ("add", record.key().to_bytes(), record.to_value()),
            StoreCommand::Delete(key) => ("delete", key.to_bytes(), Vec::new()),
            StoreCommand::DeleteConversation(id) => {
                ("deleteConversation", id.0.to_vec(), Vec::new())
            }
            StoreCommand::DeleteRoom => ("deleteRoom", Vec::new(), Vec::new()),
            StoreCommand::DeleteAll(value) => {
                shared::tell_deleted(&value);
                self.call("deleteAll", &[]);
                return;
            }
            StoreCommand::PutState(name, value) => {
                self.call("putState", &[name.into(), bytes(&value).into()]);
                return;
            }
        };
        self.call(method, &[bytes(&first).into(), bytes(&second).into()]);
    }

    /// Follows what another tab has done.
    fn was_told(self: &Rc<Self>, what: Told) {
        match what {
            Told::Chosen(mode) => {
                self.adopt(mode);
                if let Some(driver) = self.driver() {
                    driver.observer.kept_as(mode);
                }
            }
            Told::AllDeleted(value) => {
                // Other tabs do not reach the store of this tab alone.
                if self.mode.get() == Mode::Session {
                    self.call("deleteAll", &[]);
                }
                self.feed(StoreEvent::State(DELETED, value));
                self.feed(StoreEvent::RoomDeleted);
            }
            // The person wants to be nobody here any more.
            Told::Outdated => {
                if let Some(driver) = self.driver() {
                    driver.observer.outdated();
                }
            }
        }
    }

    /// Waits until everything that was wanted is written, or could not be.
    pub(super) async fn settled(self: Rc<Self>) {
        let settled = Promise::new(&mut |resolve, _| {
            self.call("whenSettled", &[resolve.into()]);
        });
        // A script that cannot be loaded never answers.
        let _ = within(SETTLED, JsFuture::from(settled)).await;
    }

    /// Calls a method of the script's object, now or once it is there.
    pub(super) fn call(self: &Rc<Self>, method: &'static str, values: &[JsValue]) -> JsValue {
        let values: Array = values.iter().collect();
        if let Some((keeper, _)) = self.keeper.get() {
            return invoke(keeper, method, &values);
        }
        if self.progress.get() != Progress::Failed {
            self.calls.borrow_mut().push((method, values));
            self.load();
        }
        JsValue::UNDEFINED
    }

    fn load(self: &Rc<Self>) {
        if self.progress.replace(Progress::Begun) == Progress::Begun {
            return;
        }
        let keeper = self.clone();
        spawn_local(async move {
            let script = web::load().await;
            let weak = Rc::downgrade(&keeper);
            let listener = Listener::new(move |kind: JsValue, first, second| {
                if let (Some(keeper), Some(kind)) = (weak.upgrade(), kind.as_string()) {
                    keeper.hear(&kind, &first, &second);
                }
            });
            let made = script.and_then(|it| it.keeper(&keeper.room, &STATES, &listener).ok());
            let calls = keeper.calls.take();
            let Some(made) = made else {
                keeper.progress.set(Progress::Failed);
                return keeper.notice(MISSING.to_owned());
            };
            let (made, _) = keeper.keeper.get_or_init(|| (made, listener));
            for (method, values) in calls {
                invoke(made, method, &values);
            }
        });
    }

    /// Hands on what the script tells.
    fn hear(self: &Rc<Self>, kind: &str, first: &JsValue, second: &JsValue) {
        let keys = |key: &JsValue| Key::from_bytes(&bytes_of(key)?);
        self.feed(match kind {
            "records" => {
                let records = pairs(first);
                let read = |(key, value): (Vec<u8>, Vec<u8>)| {
                    Record::from_value(Key::from_bytes(&key)?, &value)
                };
                StoreEvent::Records(records.filter_map(read).collect())
            }
            "state" => {
                let name = first.as_string().unwrap_or_default();
                let name = STATES.into_iter().find(|known| *known == name);
                let Some((name, value)) = name.zip(bytes_of(second)) else {
                    return;
                };
                StoreEvent::State(name, value)
            }
            "restored" => StoreEvent::Restored,
            "replaced" => StoreEvent::Replaced,
            "deleted" => {
                StoreEvent::Deleted(list(first).iter().filter_map(|it| keys(&it)).collect())
            }
            "conversation" => {
                let id = bytes_of(first).and_then(|id| id.try_into().ok());
                let Some(id) = id else { return };
                StoreEvent::ConversationDeleted(ConversationId(id))
            }
            "room" => StoreEvent::RoomDeleted,
            "notice" => return self.notice(first.as_string().unwrap_or_default()),
            #[cfg(feature = "attachments")]
            "files" | "bytes" => {
                if let Some(driver) = self.driver() {
                    driver.hear_of_blobs(kind, first, second);
                }
                return;
            }
            _ => return,
        });
    }

    fn driver(&self) -> Option<Rc<Driver>> {
        self.driver.borrow().upgrade()
    }

    fn feed(&self, event: StoreEvent) {
        if let Some(driver) = self.driver() {
            driver.feed(Input::Store(event));
        }
    }

    fn notice(&self, sentence: String) {
        if let Some(driver) = self.driver() {
            driver.observer.notice(sentence);
        }
    }
}

impl Drop for StoreKeeper {
    /// What was to be kept is still written.
    fn drop(&mut self) {
        if let Some((keeper, _)) = self.keeper.get() {
            invoke(keeper, "close", &Array::new());
        }
    }
}

fn invoke(keeper: &JsValue, method: &str, values: &Array) -> JsValue {
    let method = Reflect::get(keeper, &method.into()).and_then(JsValue::dyn_into);
    // The script's methods throw nothing.
    let answer = method.and_then(|method: Function| method.apply(keeper, values));
    answer.unwrap_or_default()
}

pub(super) fn bytes_of(value: &JsValue) -> Option<Vec<u8>> {
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

fn list(value: &JsValue) -> &Array {
    value.unchecked_ref()
}

/// Pairs of bytes.
pub(super) fn pairs(value: &JsValue) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pairs = list(value).iter();
    pairs.filter_map(|pair| {
        let pair: &Array = pair.unchecked_ref();
        bytes_of(&pair.get(0)).zip(bytes_of(&pair.get(1)))
    })
}
