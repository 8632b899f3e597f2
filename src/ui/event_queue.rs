//! Passes events of the room on to the page, several at once if there are many: each change of the page's state draws it
//! anew, and people in a room can say something hundreds of times in a second.

use core::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;

use super::backend::UiEvent;
use super::context::Ui;
use super::hooks::clock;
use crate::time::Millis;

/// At most this many events are passed on at once, each by itself …
const BURST: f64 = 32.0;
/// … and then this many a second.
const PER_SECOND: f64 = 20.0;
/// Further events are passed on together, in intervals of this many milliseconds.
const INTERVAL: u32 = 50;
/// More events than this do not wait. Browsers delay the timers of tabs in the background.
const MAX_WAITING: usize = 1_000;

pub struct EventQueue {
    ui: Ui,
    /// The number of events that may be passed on at once, and when it was true.
    left: RefCell<(f64, Millis)>,
    waiting: RefCell<VecDeque<UiEvent>>,
    timer: RefCell<Option<Timeout>>,
}

impl EventQueue {
    pub fn new(ui: Ui) -> Rc<EventQueue> {
        Rc::new(EventQueue {
            ui,
            left: RefCell::new((BURST, clock::now())),
            waiting: RefCell::default(),
            timer: RefCell::default(),
        })
    }

    /// Passes an event on, now or a moment later. The order stays the same.
    pub fn push(self: &Rc<Self>, event: UiEvent) {
        if self.waiting.borrow().is_empty() && self.may_pass() {
            return self.ui.on_event(event);
        }
        self.waiting.borrow_mut().push_back(event);
        if self.waiting.borrow().len() > MAX_WAITING {
            return self.flush();
        }
        let later = || {
            let queue: Weak<EventQueue> = Rc::downgrade(self);
            Timeout::new(INTERVAL, move || {
                if let Some(queue) = queue.upgrade() {
                    queue.flush();
                }
            })
        };
        self.timer.borrow_mut().get_or_insert_with(later);
    }

    fn may_pass(&self) -> bool {
        let now = clock::now();
        let (left, at) = &mut *self.left.borrow_mut();
        *left = (*left + now.since(*at).as_secs_f64() * PER_SECOND).min(BURST);
        *at = now;
        let may = *left >= 1.0;
        if may {
            *left -= 1.0;
        }
        may
    }

    /// Passes on all events that wait. Yew draws once for all of them.
    fn flush(&self) {
        self.timer.take();
        let waiting = self.waiting.take();
        for event in waiting {
            self.ui.on_event(event);
        }
    }
}
