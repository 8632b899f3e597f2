//! The browser's events about the page itself: network, visibility, storage, leaving and coming back.

use core::time::Duration;
use std::rc::Rc;

use web_sys::EventTarget;

use super::Driver;
use crate::browser::{Listener, now};
use crate::identity::store::TRUST;
use crate::identity::web::on_stored;
use crate::room::{Command, Input, PeopleCommand};

/// How often it is said at most that the person uses the page.
const USED_PAUSE: Duration = Duration::from_secs(10);

/// Listens until the listeners are dropped.
pub(super) fn listen(driver: &Rc<Driver>) -> Vec<Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    let document = window.document().map(EventTarget::from);
    let window = EventTarget::from(window);
    let on = |target: &EventTarget, kind, act: fn(&Rc<Driver>)| {
        let driver = Rc::downgrade(driver);
        Listener::new(
            target,
            kind,
            Box::new(move |_| {
                if let Some(driver) = driver.upgrade() {
                    act(&driver);
                }
            }),
        )
    };
    let mut listeners = vec![
        on(&window, "online", Driver::resume),
        on(&window, "pagehide", |driver| {
            driver.feed(Input::Command(Command::Leave));
            driver.left.set(true);
        }),
        // The back-forward cache can bring the page back after it was left. Everybody in the room believes that this
        // tab is gone, so the room has to be joined again.
        on(&window, "pageshow", |driver| {
            if driver.left.get() {
                driver.observer.outdated();
            }
        }),
    ];
    // None of these delays scrolling, as those of touches and wheels would.
    for kind in ["pointermove", "pointerdown", "keydown"] {
        listeners.push(on(&window, kind, Driver::used));
    }
    driver.attend();
    let weak = Rc::downgrade(driver);
    listeners.push(on_stored(TRUST, move || {
        if let Some(driver) = weak.upgrade() {
            let command = PeopleCommand::TrustBookChanged(driver.trust.reload());
            driver.feed(Input::Command(Command::People(command)));
            driver.observer.trust_changed();
        }
    }));
    listeners.extend(document.map(|document| {
        on(&document, "visibilitychange", |driver| {
            if driver.attend() {
                driver.resume();
            }
        })
    }));
    listeners
}

impl Driver {
    /// Says whether the person sees the page, and returns it.
    fn attend(self: &Rc<Self>) -> bool {
        let document = web_sys::window().and_then(|window| window.document());
        let seen = !document.is_some_and(|document| document.hidden());
        self.used.set(now());
        self.feed(Input::Attention(seen));
        seen
    }

    /// Says that the person uses the page, but not with every movement.
    fn used(self: &Rc<Self>) {
        if now().since(self.used.get()) >= USED_PAUSE {
            self.attend();
        }
    }

    /// Tries again at once, because the network came back, the tab was brought to the front, or the person wants it.
    pub(super) fn resume(self: &Rc<Self>) {
        self.client.retry_now();
        self.end_pause();
        self.feed(Input::Resumed);
    }

    /// Tests the connection to the broker at once, or ends the pause before the next attempt.
    pub(super) fn test_broker(self: &Rc<Self>) {
        self.client.test();
        if self.retry.borrow().is_some() {
            self.client.retry_now();
            self.end_pause();
        }
    }

    fn end_pause(self: &Rc<Self>) {
        if self.retry.borrow().is_some() {
            self.queue_first_flight();
        }
    }
}
