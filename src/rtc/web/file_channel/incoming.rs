//! Incoming files.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::spawn_local;

use super::{Sink, TransferListener, hash};
use crate::rtc::file_channel::{FileId, Receiving, TransferError, TransferEvent};
use crate::rtc::web::connection::settled;
use crate::rtc::web::{WebError, refused, time};
use crate::time::Millis;

const STORE: &str = "store the file";
/// The buffers of at most this many slices are kept for later slices.
const MAX_SPARE_BUFFERS: usize = 8;

/// An incoming file.
pub(super) struct Incoming {
    file: FileId,
    listener: TransferListener,
    sink: Sink,
    /// `None` until the size is known.
    receiving: RefCell<Option<Receiving>>,
    /// The slice of which a part has arrived.
    filling: RefCell<Option<Uint8Array>>,
    /// Buffers of slices that were written.
    spare: RefCell<Vec<ArrayBuffer>>,
    /// Complete slices that wait to be written.
    full: RefCell<VecDeque<Uint8Array>>,
    writing: Cell<bool>,
    /// Whether the file has ended: nothing more is accepted or reported.
    over: Cell<bool>,
}

impl Incoming {
    /// A file that is stored in this sink.
    pub(super) fn new(file: FileId, sink: Sink, listener: TransferListener) -> Incoming {
        Incoming {
            file,
            listener,
            sink,
            receiving: RefCell::default(),
            filling: RefCell::default(),
            spare: RefCell::default(),
            full: RefCell::default(),
            writing: Cell::new(false),
            over: Cell::new(false),
        }
    }

    /// The file's id.
    pub(super) fn file(&self) -> FileId {
        self.file
    }

    /// Ends the file: nothing more is accepted or reported.
    pub(super) fn stop(&self) {
        self.over.set(true);
    }

    fn report(&self, event: TransferEvent) {
        if !self.over.get() {
            (self.listener)(Some((self.file, event)));
        }
    }

    fn fail(&self, why: String) {
        self.report(TransferEvent::Failed(why));
        self.stop();
    }

    /// Begins the file, or resumes it on another connection.
    pub(super) fn go_on(self: &Rc<Self>, size: u64) {
        let mut receiving = self.receiving.borrow_mut();
        let from = receiving
            .get_or_insert_with(|| Receiving::new(size))
            .go_on();
        let incoming = self.clone();
        spawn_local(async move {
            incoming.report(TransferEvent::Ready(from));
            // An empty file is complete already.
            incoming.write_soon();
        });
    }

    /// Accepts content that arrived.
    pub(super) fn take(self: &Rc<Self>, place: u64, content: &Uint8Array) {
        let taken = match &mut *self.receiving.borrow_mut() {
            Some(receiving) if !self.over.get() => self.keep(receiving, place, content),
            _ => return,
        };
        match taken {
            Ok(()) => {
                self.report_progress();
                if !self.full.borrow().is_empty() {
                    self.write_soon();
                }
            }
            Err(error) => self.fail(error.to_string()),
        }
    }

    /// Copies content into its slice.
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
        let slice = filling.get_or_insert_with(|| self.buffer(length));
        slice.set(content, at);
        if at + content.length() == length {
            self.full.borrow_mut().extend(filling.take());
        }
        Ok(())
    }

    /// A buffer for a slice.
    fn buffer(&self, length: u32) -> Uint8Array {
        let spare = self.spare.borrow_mut().pop();
        match spare.filter(|spare| spare.byte_length() == length) {
            Some(spare) => Uint8Array::new(&spare),
            None => Uint8Array::new_with_length(length),
        }
    }

    /// Keeps the buffer that the sink returned, if it did.
    fn keep_buffer(&self, given: JsValue) {
        let mut spare = self.spare.borrow_mut();
        if spare.len() < MAX_SPARE_BUFFERS {
            spare.extend(given.dyn_into::<ArrayBuffer>());
        }
    }

    fn report_progress(&self) {
        let now = Millis(time::now() as u64);
        let news = match &mut *self.receiving.borrow_mut() {
            Some(receiving) => receiving.news(now),
            None => None,
        };
        if let Some(has) = news {
            self.report(TransferEvent::Stored(has));
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
                    incoming.report(TransferEvent::Whole(hash));
                    incoming.stop();
                }
                Ok(None) => incoming.writing.set(false),
                Err(error) => incoming.fail(error.to_string()),
            }
        });
    }

    /// Writes the complete slices. After the last one, closes the sink and returns the hash of the file.
    async fn write(&self) -> Result<Option<[u8; 32]>, WebError> {
        loop {
            let slice = self.full.borrow_mut().pop_front();
            let Some(slice) = slice else { break };
            let hash = hash::begin(&slice)?;
            let written = self.sink.write(slice).map_err(refused(STORE))?;
            let written = settled(written, STORE).await?;
            self.keep_buffer(written);
            let hash = hash::end(hash).await?;
            if let Some(receiving) = &mut *self.receiving.borrow_mut() {
                receiving.stored(hash);
            }
            self.report_progress();
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
