//! Scrolls the log, and keeps what is read where it is: whatever is drawn above or below it, and whatever its height.

use core::cell::{Cell, RefCell};
use core::ops::Range;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Event, ResizeObserver};

use super::parts::{
    Parts, bounds, find, is_at_end, number_of, scroll_by, set_height, show, to_end,
};

use crate::browser::Listener;
use crate::room::{ChatCommand, Command, Conversation};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::document;
use crate::ui::line::{Content, Line};
use crate::ui::state::Action;
use crate::ui::timeline::Timeline;
use crate::ui::window::{self, Growth, Hidden, MARGIN};

/// The space above the line of the first unread message, in pixels.
const NEW_MARGIN: f64 = 8.0;
/// Whoever scrolls up to within this many pixels of the beginning is looking for older messages.
const NEAR_TOP: i32 = 200;
/// The height of a line, as long as none was measured.
const AVERAGE: f64 = 48.0;

/// The milliseconds between two drawings of lines above the end that were there when the conversation was opened.
const GROWTH: u32 = 100;

/// A line to go to.
#[derive(Clone, Copy)]
enum Goal {
    /// Any, at the upper edge.
    Edge(u32),
    /// The first unread one.
    Unread(u32),
    /// One that somebody wants to see again.
    Found(u32),
}

/// The state of scrolling. It lies outside of the component's state, because changes must not cause another drawing.
pub struct Scrolling {
    ui: Ui,
    conversation: Conversation,
    log: RefCell<Rc<Timeline>>,
    /// The line that unread messages begin with.
    unread: Cell<Option<u32>>,
    parts: RefCell<Option<Parts>>,
    /// Draws the log again.
    redraw: RefCell<Box<dyn Fn()>>,
    /// Shows whether the end is out of sight.
    away: RefCell<Box<dyn Fn(bool)>>,
    observer: RefCell<Option<ResizeObserver>>,
    at_end: Cell<bool>,
    /// The number of the last line at the last drawing.
    newest: Cell<Option<u32>>,
    /// The scroll position at the last scroll event.
    top: Cell<i32>,
    /// The scroll position that we chose last.
    chosen: Cell<i32>,
    /// Whether something was drawn that is not in its place yet.
    unsettled: Cell<bool>,
    growth: Cell<Growth>,
    /// The numbers of the first and last line to draw, unless the end is seen; without a last one, all that follow.
    drawn: Cell<(u32, Option<u32>)>,
    /// The numbers of lines above and below what is drawn.
    hidden: Cell<(usize, usize)>,
    average: Cell<f64>,
    /// The height of the space above.
    space: Cell<f64>,
    /// The number of the line that is seen first, and how far below the upper edge it begins.
    held: Cell<Option<(u32, f64)>>,
    goal: Cell<Option<Goal>>,
    /// Whether a line had the focus before others were drawn.
    had_focus: Cell<bool>,
    /// Whether the beginning is near.
    near_top: Cell<bool>,
}

impl Scrolling {
    pub fn new(ui: Ui, conversation: Conversation) -> Scrolling {
        Scrolling {
            ui,
            conversation,
            log: RefCell::default(),
            unread: Cell::default(),
            parts: RefCell::default(),
            redraw: RefCell::new(Box::new(|| ())),
            away: RefCell::new(Box::new(|_| ())),
            observer: RefCell::default(),
            at_end: Cell::new(true),
            newest: Cell::default(),
            top: Cell::default(),
            chosen: Cell::default(),
            unsettled: Cell::default(),
            growth: Cell::default(),
            drawn: Cell::default(),
            hidden: Cell::default(),
            average: Cell::new(AVERAGE),
            space: Cell::default(),
            held: Cell::default(),
            goal: Cell::default(),
            had_focus: Cell::default(),
            near_top: Cell::new(true),
        }
    }

    /// Chooses the lines that are drawn: all of them, if the page is printed.
    pub fn choose(&self, log: &Rc<Timeline>, unread: Option<u32>, all: bool) -> Range<usize> {
        *self.log.borrow_mut() = log.clone();
        self.unread.set(unread);
        self.unsettled.set(true);
        let lines = log.lines();
        let last = lines.last();
        let newest = last.map(|line| line.seq);
        if self.newest.replace(newest) != newest && last.is_some_and(|line| is_own(line)) {
            // Whoever has just said something wants to see it.
            self.at_end.set(true);
            self.goal.take();
        }
        let height = self.height();
        let range = if all {
            0..lines.len()
        } else if self.at_end.get() {
            let mut growth = self.growth.get();
            let range = growth.at_end(height, lines.len());
            self.growth.set(growth);
            range
        } else {
            let (first, last) = self.drawn.get();
            let begin = lines.position(first).unwrap_or(0);
            let end = last.and_then(|last| lines.position(last));
            let range = begin..end.map_or(lines.len(), |end| end + 1).max(begin);
            let held = self.held.get().map(|(seq, _)| seq);
            match held.and_then(|seq| lines.position(seq)) {
                Some(held) if window::is_too_long(&range, height) => {
                    window::around(held, height, lines.len())
                }
                _ => range,
            }
        };
        self.note(range.clone(), lines.len());
        range
    }

    fn note(&self, range: Range<usize>, count: usize) {
        let log = self.log.borrow();
        let number = |index: usize| log.lines().get(index).map(|line| line.seq);
        let last = range.end.checked_sub(1).filter(|_| range.end < count);
        let first = number(range.start).unwrap_or(0);
        self.drawn.set((first, last.and_then(number)));
        self.hidden.set((range.start, count - range.end));
    }

    /// Whether lines above the end are still to be drawn.
    pub fn grows(&self) -> bool {
        !self.growth.get().is_over()
    }

    /// Draws them, a few at a time.
    fn grow(self: Rc<Self>) {
        if !self.grows() {
            return;
        }
        Timeout::new(GROWTH, move || {
            let mut growth = self.growth.get();
            growth.grow();
            self.growth.set(growth);
            (self.redraw.borrow())();
            self.grow();
        })
        .forget();
    }

    fn height(&self) -> f64 {
        let parts = self.parts.borrow();
        let height = parts.as_ref().map(|parts| parts.scroller.client_height());
        f64::from(height.unwrap_or(0))
    }

    /// Draws the lines around this one.
    fn draw_around(&self, first: usize) {
        let count = self.log.borrow().lines().len();
        let range = window::around(first, self.height(), count);
        if self.hidden.get() == (range.start, count - range.end) && self.goal.get().is_none() {
            return;
        }
        self.note(range, count);
        let parts = self.parts.borrow().clone();
        if let Some(parts) = parts {
            let focus = parts.lines.query_selector(":focus").ok().flatten();
            self.had_focus.set(focus.is_some());
            // What is drawn may be as high as before, so the observer would not be called.
            if let Some(observer) = &*self.observer.borrow() {
                observer.unobserve(&parts.lines);
                observer.observe(&parts.lines);
            }
        }
        (self.redraw.borrow())();
    }

    /// Draws other lines if what is drawn ends too near to what is seen.
    fn draw_more(&self, parts: &Parts) {
        let (above, below) = self.hidden.get();
        let (view, lines) = (bounds(&parts.scroller), bounds(&parts.lines));
        let (over, under) = (view.start - lines.start, lines.end - view.end);
        let is_near = above > 0 && over < MARGIN || below > 0 && under < MARGIN;
        if !is_near || self.at_end.get() || self.goal.get().is_some() {
            return;
        }
        let height = view.end - view.start;
        let log = self.log.borrow().clone();
        let is_drawn = over > -height && under > -height;
        let held = self.held.get().map(|(seq, _)| seq);
        let held = held
            .filter(|_| is_drawn)
            .and_then(|seq| log.lines().position(seq));
        let first = held.unwrap_or_else(|| {
            // Somebody drags the bar, or went to the beginning: nothing of what will be seen is drawn.
            let count = log.lines().len();
            let part = f64::from(parts.scroller.scroll_top())
                / f64::from(parts.scroller.scroll_height().max(1));
            let first = ((part * count as f64) as usize).min(count.saturating_sub(1));
            let number = log.lines().get(first).map(|line| line.seq);
            self.goal.set(number.map(Goal::Edge));
            first
        });
        self.draw_around(first);
    }

    /// Goes to a line.
    pub fn go_to(&self, seq: u32) {
        self.read_on();
        self.goal.set(Some(Goal::Found(seq)));
        let index = self.log.borrow().lines().position(seq);
        if let Some(index) = index {
            self.draw_around(index);
        }
    }

    /// The reader wants to read on from here, and not to follow the end.
    pub fn read_on(&self) {
        self.at_end.set(false);
        if let Some(parts) = &*self.parts.borrow() {
            self.hold(parts);
        }
        (self.away.borrow())(true);
        self.report();
    }

    /// Goes to the first unread message, if it is still below what is seen, and otherwise to the newest message.
    pub fn go_to_next(&self) {
        let parts = self.parts.borrow().clone();
        let below = parts.zip(self.unread.get()).and_then(|(parts, seq)| {
            let index = self.log.borrow().lines().position(seq)?;
            let edge = bounds(&parts.scroller).end;
            let is_below = match parts.line(seq) {
                Some(line) => bounds(&line).start > edge,
                // It is not drawn, so it is above what is drawn or below it.
                None => index >= self.hidden.get().0,
            };
            is_below.then_some((seq, index))
        });
        match below {
            Some((seq, index)) => {
                self.goal.set(Some(Goal::Unread(seq)));
                self.draw_around(index);
            }
            None => self.go_to_end(),
        }
    }

    fn go_to_end(&self) {
        self.at_end.set(true);
        self.goal.take();
        (self.away.borrow())(false);
        (self.redraw.borrow())();
        let parts = self.parts.borrow().clone();
        if let Some(parts) = parts {
            to_end(&parts.scroller);
        }
        self.report();
    }

    /// Puts everything into its place after something was drawn, or has another height.
    pub fn settle(&self) {
        let Some(parts) = self.parts.borrow().clone() else {
            return;
        };
        self.unsettled.set(false);
        if parts.scroller.client_height() == 0 {
            return;
        }
        let (above, below) = self.hidden.get();
        let lines = bounds(&parts.lines);
        let drawn = self
            .log
            .borrow()
            .lines()
            .len()
            .saturating_sub(above + below);
        if drawn > window::BEYOND {
            let average = (lines.end - lines.start) / drawn as f64;
            self.average.set((self.average.get() + average) / 2.0);
        }
        let hidden = Hidden {
            above,
            below,
            average: self.average.get(),
        };
        // Not the element is held, because another one may take its place, but its line.
        let held = self.held.get();
        let held = held.filter(|_| self.goal.get().is_none() && !self.at_end.get());
        // Somebody may have scrolled since, and that has not been told yet.
        let scrolled = f64::from(parts.scroller.scroll_top() - self.top.get());
        let held = held.map(|(seq, offset)| (seq, offset - scrolled));
        if held.is_some() {
            self.held.set(held);
        }
        let held = held.and_then(|(seq, offset)| Some((parts.line(seq)?, offset)));
        let moved = match &held {
            Some((line, offset)) => bounds(line).start - bounds(&parts.scroller).start - offset,
            // Whoever goes elsewhere sees nothing move, so the space gets its usual height.
            None if self.at_end.get() || self.goal.get().is_some() => f64::INFINITY,
            None => 0.0,
        };
        let spaces = hidden.hold(self.space.get(), moved);
        set_height(&parts.above, &self.space, spaces.above);
        set_height(&parts.below, &Cell::new(f64::NAN), spaces.below);
        if self.at_end.get() {
            to_end(&parts.scroller);
        } else if let Some(goal) = self.goal.get() {
            self.reach(&parts, goal);
        } else if spaces.scroll.is_finite() && spaces.scroll.abs() >= 0.5 {
            scroll_by(&parts.scroller, spaces.scroll);
        }
        let top = parts.scroller.scroll_top();
        self.chosen.set(top);
        if !self.at_end.get() {
            self.top.set(top);
        }
        if self.had_focus.take()
            && parts
                .lines
                .query_selector(":focus")
                .ok()
                .flatten()
                .is_none()
        {
            let _ = parts.scroller.focus();
        }
        if held.is_none() {
            self.hold(&parts);
        }
        self.draw_more(&parts);
        self.look_for_older(&parts);
    }

    /// Scrolls to a line, once it is drawn.
    fn reach(&self, parts: &Parts, goal: Goal) {
        let (Goal::Edge(seq) | Goal::Unread(seq) | Goal::Found(seq)) = goal;
        let line = parts.line(seq);
        if line.is_some() || self.log.borrow().lines().by_number(seq).is_none() {
            self.goal.take();
        }
        let Some(line) = line else {
            return;
        };
        let view = bounds(&parts.scroller);
        let (line, offset) = match goal {
            Goal::Edge(_) => (line, 0.0),
            Goal::Unread(_) => (find(&parts.lines, ".day.new").unwrap_or(line), NEW_MARGIN),
            Goal::Found(_) => {
                show(&parts.lines, &line);
                (line, (view.end - view.start) / 3.0)
            }
        };
        scroll_by(&parts.scroller, bounds(&line).start - view.start - offset);
    }

    /// Notes what is seen first, and where.
    fn hold(&self, parts: &Parts) {
        let edge = bounds(&parts.scroller).start;
        let children = parts.lines.children();
        let (mut from, mut to) = (0, children.length());
        while from < to {
            let middle = from + (to - from) / 2;
            let is_above = children
                .item(middle)
                .is_some_and(|child| bounds(&child).end <= edge);
            if is_above {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        // The line of a day goes when something older of that day comes.
        let mut line = children.item(from);
        while let Some(element) = line.as_ref().filter(|line| number_of(line).is_none()) {
            line = element.next_element_sibling();
        }
        let held = line.and_then(|line| Some((number_of(&line)?, bounds(&line).start - edge)));
        self.held.set(held);
    }

    /// Handles a key: arrows go from message to message.
    pub fn key(&self, event: &Event) {
        if let Some(parts) = &*self.parts.borrow() {
            parts.key(event);
        }
    }

    /// Reports whether the person sees the end.
    fn report(&self) {
        let seen = self.at_end.get() && !document().hidden();
        self.ui.act(Action::Watching(seen));
    }

    /// Something was said. If the log is at its end, that is in sight again.
    pub fn follow_end(&self, is_away: bool) {
        self.settle();
        if is_away && self.at_end.get() {
            (self.away.borrow())(false);
            self.report();
        }
    }

    /// Whoever comes to the beginning of the log wants to see what was said before.
    fn look_for_older(&self, parts: &Parts) {
        let (above, _) = self.hidden.get();
        let near = above == 0 && parts.scroller.scroll_top() < NEAR_TOP;
        if near && !self.near_top.replace(near) {
            let older = ChatCommand::Older(self.conversation.clone());
            self.ui.command(Command::Chat(older));
        }
        self.near_top.set(near);
    }

    fn scrolled(&self, parts: &Parts) {
        if self.unsettled.get() && !self.at_end.get() {
            self.settle();
        }
        let top = parts.scroller.scroll_top();
        let up = top < self.top.replace(top);
        let (_, below) = self.hidden.get();
        // Yew lets the browser go on between drawing new lines and the effect that follows them to the end. Only who
        // scrolls up leaves the end.
        let at_end = below == 0 && is_at_end(&parts.scroller) || self.at_end.get() && !up;
        if self.at_end.replace(at_end) != at_end {
            (self.away.borrow())(!at_end);
            self.report();
        }
        // What was held stays so until somebody scrolls: something else may have come between it and the edge.
        if top != self.chosen.get() {
            self.hold(parts);
        }
        self.draw_more(parts);
        self.look_for_older(parts);
    }

    /// The person looks at the log again: shows them the first unread message, and reports whether the end is in sight, too.
    pub fn return_to(&self) {
        let parts = self.parts.borrow().clone();
        if let (true, Some(seq), Some(parts)) = (self.at_end.get(), self.unread.get(), parts) {
            to_end(&parts.scroller);
            let top = f64::from(parts.scroller.scroll_top());
            let line = find(&parts.lines, ".day.new");
            let line = line.map(|line| bounds(&line).start - bounds(&parts.scroller).start);
            let target = line.map_or(0.0, |line| top + line - NEW_MARGIN);
            if target < top {
                self.at_end.set(false);
                self.goal.set(Some(Goal::Unread(seq)));
                let index = self.log.borrow().lines().position(seq);
                if let Some(index) = index {
                    self.draw_around(index);
                }
            }
            (self.away.borrow())(!self.at_end.get());
        }
        self.report();
    }

    /// Follows what happens to the log, until what is returned is dropped.
    pub fn follow(
        self: &Rc<Self>,
        parts: Parts,
        redraw: Box<dyn Fn()>,
        away: Box<dyn Fn(bool)>,
    ) -> Observed {
        *self.parts.borrow_mut() = Some(parts.clone());
        *self.redraw.borrow_mut() = redraw;
        *self.away.borrow_mut() = away;
        let scrolled = {
            let (scrolling, parts) = (self.clone(), parts.clone());
            Box::new(move |_| scrolling.scrolled(&parts))
        };
        let seen = {
            let scrolling = self.clone();
            Box::new(move |_| {
                if document().hidden() {
                    scrolling.report();
                } else {
                    scrolling.return_to();
                }
            })
        };
        let resized = {
            let scrolling = self.clone();
            Closure::<dyn FnMut()>::new(move || scrolling.settle())
        };
        let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
        if let Some(observer) = &observer {
            observer.observe(&parts.scroller);
            observer.observe(&parts.lines);
        }
        *self.observer.borrow_mut() = observer;
        self.clone().grow();
        Observed {
            scrolling: self.clone(),
            _resized: resized,
            _listeners: (
                Listener::new(&parts.scroller, "scroll", scrolled),
                Listener::new(&document(), "visibilitychange", seen),
            ),
        }
    }
}

/// What follows the log. It stops when it is dropped.
pub struct Observed {
    scrolling: Rc<Scrolling>,
    _resized: Closure<dyn FnMut()>,
    _listeners: (Listener, Listener),
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(observer) = self.scrolling.observer.take() {
            observer.disconnect();
        }
        self.scrolling.parts.take();
        *self.scrolling.redraw.borrow_mut() = Box::new(|| ());
    }
}

/// Whether somebody said this here and now.
fn is_own(line: &Line) -> bool {
    matches!(&line.content, Content::Said(said) if said.delivery.is_some() && !said.message.caught_up)
}
