//! A file that comes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::{Sink, Tell, hash};
use crate::rtc::file_channel::{FileId, Receiving, TransferError, TransferEvent};
use crate::rtc::web::connection::settled;
use crate::rtc::web::{WebError, refused, time};
use crate::time::Millis;

const STORE: &str = "store the file";
/// The memory of so many slices is kept.
const SPARE: usize = 8;

/// A file that comes.
pub(super) struct Incoming {
    file: FileId,
    tell: Tell,
    sink: Sink,
    /// Unknown before it is expected.
    receiving: RefCell<Option<Receiving>>,
    /// The slice of which a part has come.
    filling: RefCell<Option<Uint8Array>>,
    /// Memory of slices that were written.
    spare: RefCell<Vec<ArrayBuffer>>,
    /// Slices that wait to be written.
    full: RefCell<VecDeque<Uint8Array>>,
    writing: Cell<bool>,
    /// Nothing more is taken or told.
    over: Cell<bool>,
}

impl Incoming {
    /// It is stored there.
    pub(super) fn new(file: FileId, sink: Sink, tell: Tell) -> Incoming {
        Incoming {
            file,
            tell,
            sink,
            receiving: RefCell::default(),
            filling: RefCell::default(),
            spare: RefCell::default(),
            full: RefCell::default(),
            writing: Cell::new(false),
            over: Cell::new(false),
        }
    }

    /// Its name here.
    pub(super) fn file(&self) -> FileId {
        self.file
    }

    /// Takes and tells no more.
    pub(super) fn stop(&self) {
        self.over.set(true);
    }

    fn tell(&self, notice: TransferEvent) {
        if !self.over.get() {
            (self.tell)(Some((self.file, notice)));
        }
    }

    fn fail(&self, why: String) {
        self.tell(TransferEvent::Failed(why));
        self.stop();
    }

    /// Begins, or goes on.
    pub(super) fn go_on(self: &Rc<Self>, size: u64) {
        let mut receiving = self.receiving.borrow_mut();
        let from = receiving
            .get_or_insert_with(|| Receiving::new(size))
            .go_on();
        let incoming = self.clone();
        spawn_local(async move {
            incoming.tell(TransferEvent::Ready(from));
            // Nothing at all may be everything.
            incoming.write_soon();
        });
    }

    /// Takes what came.
    pub(super) fn take(self: &Rc<Self>, place: u64, content: &Uint8Array) {
        let taken = match &mut *self.receiving.borrow_mut() {
            Some(receiving) if !self.over.get() => self.keep(receiving, place, content),
            _ => return,
        };
        match taken {
            Ok(()) => {
                self.tell_news();
                if !self.full.borrow().is_empty() {
                    self.write_soon();
                }
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// Puts it where it belongs.
    fn keep(
        &self,
        receiving: &mut Receiving,
        place: u64,
        content: &Uint8Array,
    ) -> Result<(), TransferError> {
        receiving.take(place, u64::from(content.length()))?;
        // A slice is much smaller than 2^32.
        let (at, length) = receiving.slice(place);
        let (at, length) = (at as u32, length as u32);
        let mut filling = self.filling.borrow_mut();
        let slice = filling.get_or_insert_with(|| self.memory(length));
        slice.set(content, at);
        if at + content.length() == length {
            self.full.borrow_mut().extend(filling.take());
        }
        Ok(())
    }

    /// Memory for a slice.
    fn memory(&self, length: u32) -> Uint8Array {
        let spare = self.spare.borrow_mut().pop();
        match spare.filter(|spare| spare.byte_length() == length) {
            Some(spare) => Uint8Array::new(&spare),
            None => Uint8Array::new_with_length(length),
        }
    }

    /// Keeps the memory that a sink gave back, if it did.
    fn keep_memory(&self, given: JsValue) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE {
            spare.extend(given.dyn_into::<ArrayBuffer>());
        }
    }

    fn tell_news(&self) {
        let now = Millis(time::now() as u64);
        let news = match &mut *self.receiving.borrow_mut() {
            Some(receiving) => receiving.news(now),
            None => None,
        };
        if let Some(has) = news {
            self.tell(TransferEvent::Stored(has));
        }
    }

    fn write_soon(self: &Rc<Self>) {
        if self.over.get() || self.writing.replace(true) {
            return;
        }
        let incoming = self.clone();
        spawn_local(async move {
            match incoming.write().await {
                Ok(Some(hash)) => {
                    incoming.tell(TransferEvent::Whole(hash));
                    incoming.stop();
                }
                Ok(None) => incoming.writing.set(false),
                Err(error) => incoming.fail(error.to_string()),
            }
        });
    }

    /// Writes the slices that are full; closes and returns the hash if that was all.
    async fn write(&self) -> Result<Option<[u8; 32]>, WebError> {
        loop {
            let slice = self.full.borrow_mut().pop_front();
            let Some(slice) = slice else { break };
            let hash = hash::begin(&slice)?;
            let written = self.sink.write(slice).map_err(refused(STORE))?;
            let written = settled(written, STORE).await?;
            self.keep_memory(written);
            let hash = hash::end(hash).await?;
            if let Some(receiving) = &mut *self.receiving.borrow_mut() {
                receiving.stored(hash);
            }
            self.tell_news();
            if self.over.get() {
                return Ok(None);
            }
        }
        let whole = self.receiving.borrow().as_ref().and_then(Receiving::whole);
        if whole.is_some() {
            let closed = self.sink.close().map_err(refused(STORE))?;
            settled(closed, STORE).await?;
        }
        Ok(whole)
    }
}
