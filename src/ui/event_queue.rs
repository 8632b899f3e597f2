//! Passes events of the room on to the page, several at once if there are many: each change of the page's state draws it
//! anew, and people in a room can say something hundreds of times in a second.

use core::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;

use super::backend::UiEvent;
use super::context::Ui;
use super::hooks::clock;
use crate::budget::Budget;

/// At most this many events are passed on at once, each by itself …
const BURST: u32 = 32;
/// … and then this many a second.
const PER_SECOND: u32 = 20;
/// Further events are passed on together, in intervals of this many milliseconds.
const INTERVAL: u32 = 50;
/// More events than this do not wait. Browsers delay the timers of tabs in the background.
const MAX_WAITING: usize = 1_000;

pub struct EventQueue {
    ui: Ui,
    at_once: RefCell<Budget>,
    waiting: RefCell<VecDeque<UiEvent>>,
    timer: RefCell<Option<Timeout>>,
}

impl EventQueue {
    pub fn new(ui: Ui) -> Rc<EventQueue> {
        Rc::new(EventQueue {
            ui,
            at_once: RefCell::new(Budget::new(BURST, PER_SECOND, clock::now())),
            waiting: RefCell::default(),
            timer: RefCell::default(),
        })
    }

    /// Passes an event on, now or a moment later. The order stays the same.
    pub fn push(self: &Rc<Self>, event: UiEvent) {
        if self.waiting.borrow().is_empty() && self.at_once.borrow_mut().take(clock::now()) {
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

    /// Passes on all events that wait. Yew draws once for all of them.
    fn flush(&self) {
        self.timer.take();
        let waiting = self.waiting.take();
        for event in waiting {
            self.ui.on_event(event);
        }
    }
}
