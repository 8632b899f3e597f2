//! Hands the events of the room to the views in batches, so that many at once are drawn at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;

use super::backend::{EventSink, UiEvent};
use crate::browser::sleep;

/// An event that comes sooner than this many milliseconds after another one waits. Each drawing takes some milliseconds,
/// and a room full of people may report thousands of events a second.
const PAUSE: u32 = 40;

/// At most this many events wait. The timers of a hidden page are slow.
const MAX_WAITING: usize = 2_000;

struct Batch<Deliver> {
    deliver: Deliver,
    waiting: RefCell<Vec<UiEvent>>,
    is_pausing: Cell<bool>,
}

/// A sink that delivers in order what it is given: the first event at once, and those that follow soon after it together.
pub fn batched(deliver: impl Fn(UiEvent) + 'static) -> EventSink {
    let batch = Rc::new(Batch {
        deliver,
        waiting: RefCell::default(),
        is_pausing: Cell::default(),
    });
    Rc::new(move |event| batch.clone().take(event))
}

impl<Deliver: Fn(UiEvent) + 'static> Batch<Deliver> {
    fn take(self: Rc<Self>, event: UiEvent) {
        let can_wait = matches!(event, UiEvent::Event(_));
        self.waiting.borrow_mut().push(event);
        let is_full = self.waiting.borrow().len() >= MAX_WAITING;
        if is_full || !can_wait || !self.is_pausing.get() {
            self.flush();
        }
        if can_wait && !self.is_pausing.replace(true) {
            spawn_local(self.pause());
        }
    }

    async fn pause(self: Rc<Self>) {
        loop {
            sleep(PAUSE).await;
            if self.waiting.borrow().is_empty() {
                break;
            }
            self.flush();
        }
        self.is_pausing.set(false);
    }

    fn flush(&self) {
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(&self.deliver);
    }
}
