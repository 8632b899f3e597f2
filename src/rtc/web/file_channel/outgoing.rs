//! Outgoing files.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{AbortHandle, abortable};
use js_sys::{Promise, Uint8Array};
use wasm_bindgen_futures::spawn_local;
use web_sys::Blob;

use super::{Channel, TransferListener, Waiting, hash, wait, wake};
use crate::rtc::file_channel::{FileId, Header, MAX_FILE_MESSAGE, SLICE, Sending, TransferEvent};
use crate::rtc::web::connection::settled;
use crate::rtc::web::{WebError, refused};

const READ: &str = "read the file";
/// This many bytes are read at once, because each reading is a round trip to the browser's main process.
const AHEAD: u64 = 8 * SLICE;

/// An outgoing file.
pub(super) struct Outgoing {
    blob: Blob,
    sending: RefCell<Sending>,
    /// Tasks that wait until the receiver has stored more.
    allowed: Waiting,
    /// The task that sends.
    work: RefCell<Option<AbortHandle>>,
}

impl Outgoing {
    /// A file with this content.
    pub(super) fn new(blob: Blob) -> Outgoing {
        // Exact: a size is below 2^53.
        let sending = Sending::new(blob.size() as u64);
        Outgoing {
            blob,
            sending: RefCell::new(sending),
            allowed: RefCell::default(),
            work: RefCell::default(),
        }
    }

    /// Notes how many bytes the receiver has stored.
    pub(super) fn stored(&self, stored: u64) {
        self.sending.borrow_mut().stored(stored);
        wake(&self.allowed);
    }

    /// Stops sending.
    pub(super) fn stop(&self) {
        if let Some(work) = self.work.take() {
            work.abort();
        }
    }

    /// Sends the file from this byte on over this channel, and over no other.
    pub(super) fn send(
        self: &Rc<Self>,
        file: FileId,
        channel: Rc<Channel>,
        number: u32,
        from: u64,
        listener: &TransferListener,
    ) {
        self.stop();
        let (outgoing, listener) = (self.clone(), listener.clone());
        let goes_on = self.sending.borrow_mut().go_on(from);
        let work = async move {
            let event = if goes_on {
                match outgoing.pump(&channel, number).await {
                    Ok(Some(hash)) => TransferEvent::Sent(hash),
                    // The connection broke. Another one will follow, or the peer is gone.
                    Ok(None) => return,
                    Err(error) => TransferEvent::Failed(error.to_string()),
                }
            } else {
                TransferEvent::Failed("The other side claims unsent bytes.".to_owned())
            };
            listener(Some((file, event)));
        };
        let (work, handle) = abortable(work);
        self.work.replace(Some(handle));
        spawn_local(async move {
            let _ = work.await;
        });
    }

    /// Sends as much as the receiver allows until everything was sent. Returns the hash of the file, or `None` if the
    /// channel closed before that.
    async fn pump(&self, channel: &Channel, number: u32) -> Result<Option<[u8; 32]>, WebError> {
        let (begin, _) = self.sending.borrow().slice();
        let mut part = Part::new(begin, Uint8Array::new_with_length(0));
        let mut ahead = self.read(begin)?;
        // The channel copies what it sends, so one buffer serves for all messages.
        let message = Uint8Array::new_with_length(MAX_FILE_MESSAGE as u32);
        loop {
            if let Some(hash) = self.sending.borrow().whole() {
                return Ok(Some(hash));
            }
            let Some(most) = channel.room().await else {
                return Ok(None);
            };
            let (from, to) = self.sending.borrow().next((most - Header::LENGTH) as u64);
            if from == to {
                wait(&self.allowed).await;
                continue;
            }
            let (slice, length) = self.sending.borrow().slice();
            if slice + length > part.end() {
                part = Part::new(slice, Uint8Array::new(&settled(ahead, READ).await?));
                if slice + length > part.end() {
                    let name = "NotReadableError".to_owned();
                    return Err(WebError::Refused { what: READ, name });
                }
                // The next part is read while this one is sent.
                ahead = self.read(slice + AHEAD)?;
            }
            if self.sending.borrow().is_new() {
                let hash = hash::end(part.hash(slice)?).await?;
                self.sending.borrow_mut().hashed(hash);
            }
            let place = from;
            message
                .subarray(0, Header::LENGTH as u32)
                .copy_from(&Header { number, place }.to_bytes());
            let content = part.bytes(from, to);
            message.set(&content, Header::LENGTH as u32);
            let message = message.subarray(0, Header::LENGTH as u32 + content.length());
            if channel
                .channel
                .send_with_array_buffer_view(&message)
                .is_err()
            {
                return Ok(None);
            }
            self.sending.borrow_mut().sent(to - from);
        }
    }

    /// Begins to read a part. Beyond the end of the file, it is empty.
    fn read(&self, from: u64) -> Result<Promise, WebError> {
        // Exact: a size is below 2^53.
        let (from, to) = (from as f64, (from + AHEAD) as f64);
        let part = self.blob.slice_with_f64_and_f64(from, to);
        Ok(part.map_err(refused(READ))?.array_buffer())
    }
}

/// A part of a file that was read: some slices.
struct Part {
    begin: u64,
    bytes: Uint8Array,
    /// The hash of the slice after the one that was hashed last. The browser computes it while that one is sent.
    next: Option<Promise>,
}

impl Part {
    fn new(begin: u64, bytes: Uint8Array) -> Part {
        Part {
            begin,
            bytes,
            next: None,
        }
    }

    fn end(&self) -> u64 {
        self.begin + u64::from(self.bytes.length())
    }

    /// The bytes between two positions in the file.
    fn bytes(&self, from: u64, to: u64) -> Uint8Array {
        self.bytes
            .subarray((from - self.begin) as u32, (to - self.begin) as u32)
    }

    /// The hash of the slice that begins here. Slices are hashed in order.
    fn hash(&mut self, slice: u64) -> Result<Promise, WebError> {
        let hash = match self.next.take() {
            Some(begun) => begun,
            None => self.begin_hash(slice)?,
        };
        let next = slice + SLICE;
        if next < self.end() {
            self.next = Some(self.begin_hash(next)?);
        }
        Ok(hash)
    }

    fn begin_hash(&self, slice: u64) -> Result<Promise, WebError> {
        hash::begin(&self.bytes(slice, self.end().min(slice + SLICE)))
    }
}
