//! Carries what the room keeps to the browser's store and back. It decides nothing but when to write: what has gathered
//! while the store was busy is written at once.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use wasm_bindgen_futures::spawn_local;

use super::{Driver, shared};
use crate::browser::{Listener, sleep};
use crate::history::web::{Store, remember_mode};
use crate::history::{Change, HistoryError, Key, Mode, Record, StoredFile};
use crate::room::{DELETED, Input, STATES, StoreCommand, StoreEvent};
use crate::wire::RoomId;

/// The number of records of each conversation that are read before anything else.
const FIRST: u32 = 150;
/// The number of older records that are read at once, while the page goes on.
const PAGE: u32 = 200;

/// How long is waited until everything is written, in milliseconds.
const SETTLED: u32 = 10_000;

/// The store of one room.
pub struct StoreKeeper {
    room: RoomId,
    mode: Cell<Mode>,
    /// The store, once it is open and everything in it has been read.
    store: RefCell<Option<Store>>,
    commands: RefCell<VecDeque<StoreCommand>>,
    /// Changes of other tabs that came while everything was read.
    changes: RefCell<Vec<Change>>,
    writing: Cell<bool>,
    /// What other tabs choose and delete, whatever store they have.
    shared: RefCell<Option<Listener>>,
    /// Whether the person was told that something was not kept.
    told: Cell<bool>,
    /// Whether the browser was asked not to delete what is kept.
    asked: Cell<bool>,
}

impl StoreKeeper {
    /// A store that is not open yet.
    pub fn new(room: RoomId, mode: Mode) -> Rc<StoreKeeper> {
        Rc::new(StoreKeeper {
            room,
            mode: Cell::new(mode),
            store: RefCell::default(),
            commands: RefCell::default(),
            changes: RefCell::default(),
            writing: Cell::new(false),
            shared: RefCell::default(),
            told: Cell::new(false),
            asked: Cell::new(false),
        })
    }

    /// How long what is said is kept.
    pub fn mode(&self) -> Mode {
        self.mode.get()
    }

    /// The store, if it is open and what is said is kept there.
    #[cfg(feature = "attachments")]
    pub(super) fn get(&self) -> Option<Store> {
        let store = self.store.borrow().clone();
        store.filter(|_| self.mode.get() != Mode::Off)
    }

    /// Takes a command; [`StoreKeeper::write`] carries it out.
    pub(super) fn queue(&self, command: StoreCommand) {
        if self.mode.get() != Mode::Off || matches!(command, StoreCommand::DeleteAll(_)) {
            self.commands.borrow_mut().push_back(command);
        }
    }

    /// Opens the store, and reads what is in it.
    pub(super) fn open(self: &Rc<Self>, driver: &Rc<Driver>) {
        let (keeper, driver) = (self.clone(), Rc::downgrade(driver));
        self.shared.replace(Some(shared::watch(self, &driver)));
        spawn_local(async move {
            let mode = keeper.mode.get();
            if let Some(value) = shared::deleted() {
                feed(&driver, StoreEvent::State(DELETED, value));
            }
            let opened = async {
                let store = Store::open(mode).await?;
                keeper.listen(&store, &driver);
                keeper.read(&store, &driver).await?;
                Ok(store)
            };
            match opened.await {
                Ok(store) if keeper.mode.get() == mode => {
                    open_blobs(&driver, Some(&store)).await;
                    keeper.store.replace(Some(store));
                    feed(&driver, StoreEvent::Restored);
                    for change in keeper.changes.take() {
                        keeper.changed(change, &driver).await;
                    }
                    keeper.write(&driver);
                }
                // The person has chosen another mode meanwhile, so this store is not the one to keep anything in.
                Ok(store) => {
                    open_blobs(&driver, None).await;
                    if let Err(error) = store.forget_room(&keeper.room).await {
                        keeper.failed(&driver, &error);
                    }
                }
                Err(error) => {
                    open_blobs(&driver, None).await;
                    keeper.failed(&driver, &error);
                }
            }
        });
    }

    /// Keeps what is said in another way from now on. What the former store has of this room is deleted there.
    pub(super) fn choose(self: &Rc<Self>, mode: Mode, driver: &Rc<Driver>) {
        remember_mode(&self.room, mode);
        self.adopt(mode, driver);
    }

    /// Does so because this tab or another one has chosen it.
    pub(super) fn adopt(self: &Rc<Self>, mode: Mode, driver: &Rc<Driver>) {
        if self.mode.replace(mode) == mode {
            return;
        }
        let former = self.store.take();
        self.commands.take();
        self.told.set(false);
        let (keeper, driver) = (self.clone(), Rc::downgrade(driver));
        spawn_local(async move {
            let changed = async {
                let mut files = Vec::new();
                if let Some(former) = former {
                    files = recall_blobs(&driver, &former).await;
                    former.forget_room(&keeper.room).await?;
                }
                let store = Store::open(mode).await?;
                keeper.listen(&store, &driver);
                if mode != Mode::Off {
                    keep_blobs(&driver, &files, &store).await?;
                }
                Ok(store)
            };
            match changed.await {
                Ok(store) if keeper.mode.get() == mode => {
                    keeper.store.replace(Some(store));
                    if mode != Mode::Off {
                        feed(&driver, StoreEvent::Emptied);
                    }
                    keeper.write(&driver);
                }
                Ok(_) => {}
                Err(error) => keeper.failed(&driver, &error),
            }
        });
    }

    /// Another tab has deleted everything of all rooms.
    pub(super) fn all_deleted(self: &Rc<Self>, value: Vec<u8>, driver: &Rc<Driver>) {
        // What is kept for this tab alone is not reached by others.
        if self.mode.get() == Mode::Session {
            self.queue(StoreCommand::DeleteAll(value.clone()));
        }
        driver.feed(Input::Store(StoreEvent::State(DELETED, value)));
        driver.feed(Input::Store(StoreEvent::RoomDeleted));
    }

    /// The room whose store this is.
    pub(super) fn room(&self) -> &RoomId {
        &self.room
    }

    /// Waits until everything that was wanted is written, or could not be.
    pub(super) async fn settled(&self) {
        // A store that does not open has nothing.
        for _ in 0..SETTLED / 10 {
            if !self.writing.get() && self.commands.borrow().is_empty() {
                break;
            }
            sleep(10).await;
        }
    }

    /// Writes what has gathered.
    pub(super) fn write(self: &Rc<Self>, driver: &Weak<Driver>) {
        let Some(store) = self.store.borrow().clone() else {
            return;
        };
        if self.commands.borrow().is_empty() || self.writing.replace(true) {
            return;
        }
        if self.mode.get() == Mode::Kept && !self.asked.replace(true) {
            let store = store.clone();
            // Whether the browser promises it changes nothing here. Firefox asks the person, and answers when they do.
            spawn_local(async move {
                let _ = store.persist().await;
            });
        }
        let (keeper, driver) = (self.clone(), driver.clone());
        // This goes on after the room was left.
        spawn_local(async move {
            // The store becomes another one when the person chooses so.
            loop {
                let store = keeper.store.borrow().clone();
                let Some(store) = store.filter(|_| !keeper.commands.borrow().is_empty()) else {
                    break;
                };
                let commands = keeper.commands.take();
                if let Err(error) = keeper.carry_out(&store, commands).await {
                    keeper.failed(&driver, &error);
                }
            }
            keeper.writing.set(false);
        });
    }

    async fn carry_out(
        &self,
        store: &Store,
        mut commands: VecDeque<StoreCommand>,
    ) -> Result<(), HistoryError> {
        let (room, mode) = (&self.room, self.mode.get());
        while let Some(command) = commands.pop_front() {
            if self.mode.get() != mode {
                // What is here is written anew, into the store that takes its place.
                return Ok(());
            }
            match command {
                StoreCommand::Put(record) => {
                    let records = run(record, &mut commands, |command| match command {
                        StoreCommand::Put(record) => Ok(record),
                        other => Err(other),
                    });
                    store.put(room, &records).await?;
                }
                StoreCommand::Add(record) => {
                    let records = run(record, &mut commands, |command| match command {
                        StoreCommand::Add(record) => Ok(record),
                        other => Err(other),
                    });
                    store.add(room, &records).await?;
                }
                StoreCommand::Delete(key) => {
                    let keys = run(key, &mut commands, |command| match command {
                        StoreCommand::Delete(key) => Ok(key),
                        other => Err(other),
                    });
                    store.delete(room, &keys).await?;
                }
                StoreCommand::DeleteConversation(id) => store.delete_conversation(room, id).await?,
                StoreCommand::DeleteRoom => store.delete_room(room).await?,
                StoreCommand::DeleteAll(value) => {
                    shared::tell_deleted(&value);
                    store.delete_all().await?;
                    // Other rooms and tabs may have kept something for good.
                    if mode != Mode::Kept {
                        Store::open(Mode::Kept).await?.delete_all().await?;
                    }
                }
                StoreCommand::PutState(name, value) => store.put_state(room, name, &value).await?,
            }
        }
        Ok(())
    }

    async fn read(&self, store: &Store, driver: &Weak<Driver>) -> Result<(), HistoryError> {
        for name in STATES {
            if let Some(value) = store.get_state(&self.room, name).await? {
                feed(driver, StoreEvent::State(name, value));
            }
        }
        let mut older = Vec::new();
        for (conversation, _) in store.conversations(&self.room).await? {
            let page = store.newest(&self.room, conversation, None, FIRST).await?;
            older.extend(page.next);
            feed(driver, StoreEvent::Records(oldest_first(page.items)));
        }
        for mut before in older {
            loop {
                let position = Some(before.position);
                let page = store.newest(&self.room, before.conversation, position, PAGE);
                let page = page.await?;
                feed(driver, StoreEvent::Records(oldest_first(page.items)));
                sleep(0).await;
                match page.next {
                    Some(next) => before = next,
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn listen(self: &Rc<Self>, store: &Store, driver: &Weak<Driver>) {
        let (keeper, driver) = (Rc::downgrade(self), driver.clone());
        store.on_change(move |change| {
            let Some(keeper) = keeper.upgrade() else {
                return;
            };
            if keeper.store.borrow().is_none() {
                return keeper.changes.borrow_mut().push(change);
            }
            let driver = driver.clone();
            spawn_local(async move { keeper.changed(change, &driver).await });
        });
    }

    /// Hands on what another tab has changed.
    async fn changed(&self, change: Change, driver: &Weak<Driver>) {
        let Some(store) = self.store.borrow().clone() else {
            return;
        };
        let is_ours = |room: &RoomId| *room == self.room;
        let event = match change {
            Change::Put {
                room,
                conversation,
                positions,
            } if is_ours(&room) => {
                let mut records = Vec::new();
                for position in positions {
                    let key = Key {
                        conversation,
                        position,
                    };
                    match store.get(&room, key).await {
                        Ok(record) => records.extend(record),
                        Err(error) => return self.failed(driver, &error),
                    }
                }
                StoreEvent::Records(records)
            }
            Change::Deleted {
                room,
                conversation,
                positions,
            } if is_ours(&room) => {
                let key = |position| Key {
                    conversation,
                    position,
                };
                StoreEvent::Deleted(positions.into_iter().map(key).collect())
            }
            Change::ConversationDeleted { room, conversation } if is_ours(&room) => {
                StoreEvent::ConversationDeleted(conversation)
            }
            Change::RoomDeleted { room } if is_ours(&room) => StoreEvent::RoomDeleted,
            Change::AllDeleted => StoreEvent::RoomDeleted,
            Change::State { room, name } if is_ours(&room) => {
                let Some(name) = STATES.into_iter().find(|known| *known == name) else {
                    return;
                };
                match store.get_state(&room, name).await {
                    Ok(Some(value)) => StoreEvent::State(name, value),
                    Ok(None) => return,
                    Err(error) => return self.failed(driver, &error),
                }
            }
            _ => return,
        };
        feed(driver, event);
    }

    /// Tells the person once, and goes on.
    fn failed(&self, driver: &Weak<Driver>, error: &HistoryError) {
        if let Some(driver) = driver.upgrade()
            && !self.told.replace(true)
        {
            driver.observer.notice(error.to_string());
        }
    }
}

fn feed(driver: &Weak<Driver>, event: StoreEvent) {
    if let Some(driver) = driver.upgrade() {
        driver.feed(Input::Store(event));
    }
}

/// Tells the room which files are kept.
async fn open_blobs(driver: &Weak<Driver>, store: Option<&Store>) {
    #[cfg(feature = "attachments")]
    if let Some(driver) = driver.upgrade() {
        driver.open_blobs(store).await;
    }
    #[cfg(not(feature = "attachments"))]
    let _ = (driver, store);
}

/// Takes the files of a store into memory.
async fn recall_blobs(driver: &Weak<Driver>, store: &Store) -> Vec<StoredFile> {
    #[cfg(feature = "attachments")]
    if let Some(driver) = driver.upgrade() {
        return driver.blobs.recall(store).await;
    }
    let _ = (driver, store);
    Vec::new()
}

/// Stores these files, as far as they are in memory.
async fn keep_blobs(
    driver: &Weak<Driver>,
    files: &[StoredFile],
    store: &Store,
) -> Result<(), HistoryError> {
    #[cfg(feature = "attachments")]
    if let Some(driver) = driver.upgrade() {
        return driver.blobs.keep_all(files, store).await;
    }
    let _ = (driver, files, store);
    Ok(())
}

fn oldest_first(mut records: Vec<Record>) -> Vec<Record> {
    records.reverse();
    records
}

/// The first of a run of commands of one kind, and the rest of it.
fn run<T>(
    first: T,
    commands: &mut VecDeque<StoreCommand>,
    same: impl Fn(StoreCommand) -> Result<T, StoreCommand>,
) -> Vec<T> {
    let mut all = vec![first];
    while let Some(next) = commands.pop_front() {
        match same(next) {
            Ok(next) => all.push(next),
            Err(other) => {
                commands.push_front(other);
                break;
            }
        }
    }
    all
}
