//! Passes events of the room on to the page, several at once if there are many: each change of the page's state draws it
//! anew, and people in a room can say something hundreds of times in a second.

use core::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;

use super::backend::UiEvent;
use super::context::Ui;
use super::hooks::clock;
use super::hooks::listen::document;
use super::pace::{Pace, Pass};
use super::state::Action;
use crate::room::{ChatEvent, Event};

/// More events than this do not wait. Browsers delay the timers of tabs in the background.
const MAX_WAITING: usize = 1_000;
/// At most this many events are passed on before the page is drawn. Browsers are slowest at drawing the first messages: even
/// then, drawing this many takes less time than people notice.
const AT_ONCE: usize = 12;

pub struct EventQueue {
    ui: Ui,
    pace: RefCell<Pace>,
    waiting: RefCell<VecDeque<UiEvent>>,
    /// The timer after which all that waits is passed on, and its milliseconds.
    timer: RefCell<Option<(u32, Timeout)>>,
    /// Whether a part of what waited is being drawn, and the rest waits for that.
    is_drawing: Cell<bool>,
    /// Whether there was a message.
    has_messages: Cell<bool>,
}

impl EventQueue {
    pub fn new(ui: Ui) -> EventQueue {
        EventQueue {
            ui,
            pace: RefCell::new(Pace::new(clock::now())),
            waiting: RefCell::default(),
            timer: RefCell::default(),
            is_drawing: Cell::default(),
            has_messages: Cell::default(),
        }
    }

    /// Passes an event on, now or a moment later. The order stays the same.
    pub fn push(self: &Rc<Self>, event: UiEvent) {
        let is_message = matches!(&event, UiEvent::Event(Event::Chat(ChatEvent::Message(_))));
        if is_message && !self.has_messages.replace(true) {
            clock::prepare();
        }
        let joins = matches!(&event, UiEvent::Opened(opening) if opening.joins());
        if joins && !self.ui.backend.0.is_embedded() {
            // The frame of the room is there already (see index.html). The room takes its place a moment later.
            self.ui.on_event(UiEvent::Shown(false));
            let first = self.pace.borrow_mut().first();
            self.ui.on_event(event);
            return self.pass(UiEvent::Shown(true), first);
        }
        if matches!(&event, UiEvent::Entering) {
            let entered = self.pace.borrow_mut().entering();
            self.ui.on_event(event);
            return self.pass(UiEvent::Entered, entered);
        }
        let pass = self.pace.borrow_mut().of(&event, clock::now());
        self.pass(event, pass);
    }

    fn pass(self: &Rc<Self>, event: UiEvent, pass: Pass) {
        self.waiting.borrow_mut().push_back(event);
        match pass {
            Pass::Within(millis) if self.waiting.borrow().len() <= MAX_WAITING => {
                self.flush_within(millis);
            }
            Pass::Within(_) | Pass::Now => self.flush(),
        }
    }

    fn flush_within(self: &Rc<Self>, millis: u32) {
        let mut timer = self.timer.borrow_mut();
        if timer.as_ref().is_some_and(|(set, _)| *set <= millis) {
            return;
        }
        let queue: Weak<EventQueue> = Rc::downgrade(self);
        let later = Timeout::new(millis, move || {
            if let Some(queue) = queue.upgrade() {
                queue.due();
            }
        });
        *timer = Some((millis, later));
    }

    /// What waits has waited long enough, unless those who are on the way are waited for.
    fn due(self: &Rc<Self>) {
        self.timer.take();
        let longer = self.pace.borrow_mut().hold();
        match longer {
            Some(millis) => self.flush_within(millis),
            None => self.flush(),
        }
    }

    /// Passes on what waits, and draws once for all of it. Of much, the rest follows once that is drawn, in tasks of its own, so
    /// that the page answers to the person in between; unless nobody sees it, when browsers let timers wait for a second.
    fn flush(self: &Rc<Self>) {
        self.timer.take();
        let is_hidden = document().hidden();
        if self.is_drawing.get() && !is_hidden {
            return;
        }
        self.pace.borrow_mut().passed();
        let mut waiting = self.waiting.borrow_mut();
        let count = match is_hidden {
            true => waiting.len(),
            false => waiting.len().min(AT_ONCE),
        };
        let now: Vec<UiEvent> = waiting.drain(..count).collect();
        let is_rest = !waiting.is_empty();
        drop(waiting);
        for event in now {
            self.ui.on_event(event);
        }
        if is_rest {
            self.is_drawing.set(true);
            self.ui.act(Action::Passed);
        }
    }

    /// Passes on the next part of what waits, because the one before is drawn.
    pub fn go_on_after_drawing(self: &Rc<Self>) {
        if self.is_drawing.take() {
            self.flush();
        }
    }
}
