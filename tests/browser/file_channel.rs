//! Files between two sets of connections in one page. The test gives each of them the commands that a room would give.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, unbounded};
use futures_util::StreamExt as _;
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use rtchat::rtc::LinkCommand;
use rtchat::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use rtchat::rtc::web::file_channel::{Files, MAX_BUFFERED, Sink};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Blob;

use super::sides::{ID, Side, connect, connected};

const OURS: FileId = FileId::Ours(1);
const THEIRS: FileId = FileId::Theirs(2);
const NUMBER: u32 = 3;
const MIB: usize = 1024 * 1024;

/// One of the two ends.
struct End {
    side: Side,
    files: Files,
    events: UnboundedReceiver<Option<(FileId, TransferEvent)>>,
}

impl End {
    fn new(side: Side) -> End {
        let (sender, events) = unbounded();
        let files = Files::new(Rc::new(move |event| {
            // Nobody listens after the end of a test.
            let _ = sender.unbounded_send(event);
        }));
        End {
            side,
            files,
            events,
        }
    }

    fn carry_out(&self, file: FileId, command: TransferCommand) {
        self.files.carry_out(&self.side.connections, file, command);
    }

    /// Sends the offered file as file `number`, starting at byte `from`.
    fn send(&self, number: u32, from: u64) {
        let connection = ID;
        self.carry_out(
            OURS,
            TransferCommand::Send {
                connection,
                number,
                from,
            },
        );
    }

    /// Expects `size` bytes as file `number`.
    fn expect(&self, number: u32, size: u64) {
        let connection = ID;
        self.carry_out(
            THEIRS,
            TransferCommand::Expect {
                connection,
                number,
                size,
            },
        );
    }

    fn close(&self) {
        self.files.closed(ID);
        self.side.command(LinkCommand::Close);
    }

    /// The next event.
    async fn next(&mut self) -> Option<(FileId, TransferEvent)> {
        self.events.next().await.unwrap()
    }
}

async fn ends() -> (End, End) {
    let (anna, bert) = connected().await;
    (End::new(anna), End::new(bert))
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

fn blob(content: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(content))).unwrap()
}

/// A sink, and the bytes that were written to it.
fn sink() -> (Sink, Rc<RefCell<Vec<u8>>>) {
    let written = Rc::new(RefCell::new(Vec::new()));
    let into = written.clone();
    let write = Closure::<dyn Fn(Uint8Array) -> Promise>::new(move |bytes: Uint8Array| {
        into.borrow_mut().extend(bytes.to_vec());
        Promise::resolve(&JsValue::UNDEFINED)
    });
    (sink_with(write), written)
}

fn sink_with(write: Closure<dyn Fn(Uint8Array) -> Promise>) -> Sink {
    let close = Closure::<dyn Fn() -> Promise>::new(|| Promise::resolve(&JsValue::UNDEFINED));
    let sink = Object::new();
    Reflect::set(&sink, &"write".into(), &write.into_js_value()).unwrap();
    Reflect::set(&sink, &"close".into(), &close.into_js_value()).unwrap();
    sink.unchecked_into()
}

/// Lets anna start or resume sending at the offset that bert reports.
async fn start(anna: &End, bert: &mut End, size: usize) -> u64 {
    bert.expect(NUMBER, size as u64);
    loop {
        match bert.next().await {
            Some((THEIRS, TransferEvent::Ready(from))) => {
                anna.send(NUMBER, from);
                return from;
            }
            // Progress of the transfer before the break.
            Some((THEIRS, TransferEvent::Stored(_))) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Passes bert's progress on to anna until `enough` bytes are stored. Returns the hash if the file is complete.
async fn pass_on_progress(anna: &End, bert: &mut End, enough: u64) -> Option<[u8; 32]> {
    loop {
        assert!(anna.files.buffered(ID) <= MAX_BUFFERED);
        match bert.next().await {
            Some((THEIRS, TransferEvent::Whole(hash))) => return Some(hash),
            Some((THEIRS, TransferEvent::Stored(stored))) => {
                anna.carry_out(OURS, TransferCommand::Stored(stored));
                if stored >= enough {
                    return None;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[wasm_bindgen_test]
async fn files_arrive_whole_in_order_and_with_their_hash() {
    for length in [0, 1, 64 * 1024, 10 * MIB + 3] {
        let (mut anna, mut bert) = ends().await;
        let content = content(length);
        let (sink, written) = sink();
        anna.files.send_from(OURS, blob(&content));
        bert.files.store_in(THEIRS, sink);
        assert_eq!(start(&anna, &mut bert, length).await, 0);
        let hash = pass_on_progress(&anna, &mut bert, u64::MAX).await.unwrap();
        assert_eq!(anna.next().await, Some((OURS, TransferEvent::Sent(hash))));
        assert!(*written.borrow() == content, "{length} bytes");
    }
}

#[wasm_bindgen_test]
async fn a_transfer_resumes_on_a_new_connection_where_the_old_one_broke() {
    let (mut anna, mut bert) = ends().await;
    let content = content(12 * MIB);
    let (sink, written) = sink();
    anna.files.send_from(OURS, blob(&content));
    bert.files.store_in(THEIRS, sink);
    start(&anna, &mut bert, content.len()).await;
    assert_eq!(pass_on_progress(&anna, &mut bert, MIB as u64).await, None);
    anna.close();
    bert.close();
    connect(&mut anna.side, &mut bert.side).await;
    let from = start(&anna, &mut bert, content.len()).await;
    assert!(from >= MIB as u64 && from < content.len() as u64, "{from}");
    let hash = pass_on_progress(&anna, &mut bert, u64::MAX).await.unwrap();
    assert_eq!(anna.next().await, Some((OURS, TransferEvent::Sent(hash))));
    assert!(*written.borrow() == content);
}

#[wasm_bindgen_test]
async fn a_forgotten_file_is_neither_sent_nor_stored() {
    let (mut anna, mut bert) = ends().await;
    let content = content(12 * MIB);
    let (first, written) = sink();
    anna.files.send_from(OURS, blob(&content));
    bert.files.store_in(THEIRS, first);
    start(&anna, &mut bert, content.len()).await;
    pass_on_progress(&anna, &mut bert, 1).await;
    bert.carry_out(THEIRS, TransferCommand::Forget);
    anna.carry_out(OURS, TransferCommand::Forget);
    let stored = written.borrow().len();
    // The next file with the same id contains none of its bytes.
    let (second, after) = sink();
    anna.files.send_from(OURS, blob(b"next"));
    bert.files.store_in(THEIRS, second);
    bert.expect(NUMBER + 1, 4);
    anna.send(NUMBER + 1, 0);
    let hash = loop {
        match bert.next().await {
            Some((THEIRS, TransferEvent::Whole(hash))) => break hash,
            // The remaining bytes of the first file belong to no transfer.
            None | Some((THEIRS, TransferEvent::Ready(0) | TransferEvent::Stored(_))) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(anna.next().await, Some((OURS, TransferEvent::Sent(hash))));
    assert_eq!(*after.borrow(), b"next");
    assert!(written.borrow().len() <= stored + 8 * MIB);
    assert!(written.borrow().len() < content.len());
}

#[wasm_bindgen_test]
async fn a_full_disk_is_reported_in_a_sentence() {
    let (anna, mut bert) = ends().await;
    let refuse = Closure::<dyn Fn(Uint8Array) -> Promise>::new(|_| {
        let full = web_sys::DomException::new_with_message_and_name("", "QuotaExceededError");
        Promise::reject(&full.unwrap())
    });
    anna.files.send_from(OURS, blob(&content(MIB)));
    bert.files.store_in(THEIRS, sink_with(refuse));
    start(&anna, &mut bert, MIB).await;
    let words = "The browser could not store the file (QuotaExceededError).".to_owned();
    let failed = TransferEvent::Failed(words);
    loop {
        match bert.next().await {
            // The bytes arrived.
            Some((THEIRS, TransferEvent::Stored(_))) => {}
            event => break assert_eq!(event, Some((THEIRS, failed))),
        }
    }
}

#[wasm_bindgen_test]
async fn a_claim_to_have_bytes_that_were_never_sent_fails_the_transfer() {
    let (mut anna, _bert) = ends().await;
    anna.files.send_from(OURS, blob(b"four"));
    anna.send(NUMBER, 3);
    let words = "The other side claims unsent bytes.".to_owned();
    let failed = Some((OURS, TransferEvent::Failed(words)));
    assert_eq!(anna.next().await, failed);
}
