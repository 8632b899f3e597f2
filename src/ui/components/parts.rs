//! The elements of the log: where they are, and the keys that go from one to the next.

use core::cell::Cell;
use core::ops::Range;

use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

/// The log counts as scrolled to its end within this many pixels.
const END_TOLERANCE: i32 = 40;

/// The elements of the log.
#[derive(Clone)]
pub struct Parts {
    pub scroller: HtmlElement,
    /// The space for lines that are not drawn, above those that are.
    pub above: HtmlElement,
    pub lines: HtmlElement,
    pub below: HtmlElement,
}

impl Parts {
    /// The parts of the log in this element.
    pub fn of(scroller: HtmlElement) -> Option<Parts> {
        let lines = scroller.query_selector(".lines").ok()??;
        let space = |space: Option<Element>| space?.dyn_into::<HtmlElement>().ok();
        Some(Parts {
            above: space(lines.previous_element_sibling())?,
            below: space(lines.next_element_sibling())?,
            lines: lines.dyn_into().ok()?,
            scroller,
        })
    }

    /// A line that is drawn.
    pub fn line(&self, seq: u32) -> Option<Element> {
        find(&self.lines, &format!("[data-line=\"{seq}\"]"))
    }

    /// Handles a key: arrows go from message to message.
    pub fn key(&self, event: &Event) {
        let Some(key) = event.dyn_ref::<KeyboardEvent>() else {
            return;
        };
        let up = match key.key().as_str() {
            "ArrowUp" => true,
            "ArrowDown" => false,
            _ => return,
        };
        let modified = key.ctrl_key() || key.meta_key() || key.alt_key() || key.shift_key();
        if !modified && !key.default_prevented() && self.step(up) {
            key.prevent_default();
        }
    }

    /// Moves the focus to the message above or below the one that has it, or to the last that is seen.
    fn step(&self, up: bool) -> bool {
        let next = |from: &Element| {
            if up {
                from.previous_element_sibling()
            } else {
                from.next_element_sibling()
            }
        };
        let focused = find(&self.lines, ":focus");
        let mut line = match &focused {
            Some(focused) if focused.parent_element().as_ref() == Some(&self.lines) => {
                next(focused)
            }
            // A button in a message has the focus, and arrow keys of its own.
            Some(_) => return false,
            None => self.last_seen(),
        };
        while let Some(element) = line.as_ref().filter(|line| !line.has_attribute("tabindex")) {
            line = next(element);
        }
        let line = line.and_then(|line| line.dyn_into::<HtmlElement>().ok());
        line.is_some_and(|line| line.focus().is_ok())
    }

    fn last_seen(&self) -> Option<Element> {
        let edge = bounds(&self.scroller).end;
        let mut line = self.lines.last_element_child();
        while let Some(element) = line.as_ref().filter(|line| bounds(line).end > edge + 1.0) {
            line = element.previous_element_sibling();
        }
        line
    }
}

/// The upper and lower edge of an element, in pixels.
pub fn bounds(element: &Element) -> Range<f64> {
    let bounds = element.get_bounding_client_rect();
    bounds.top()..bounds.bottom()
}

pub fn find(lines: &Element, selector: &str) -> Option<Element> {
    lines.query_selector(selector).ok().flatten()
}

pub fn number_of(line: &Element) -> Option<u32> {
    line.get_attribute("data-line")?.parse().ok()
}

/// Gives a space a height. It is part of no markup, because sites may forbid styles there.
pub fn set_height(space: &HtmlElement, height: &Cell<f64>, now: f64) {
    if height.replace(now) != now {
        let _ = space
            .style()
            .set_property("block-size", &format!("{now:.2}px"));
    }
}

/// Shows which line it is. The animation runs anew when the attribute is set anew.
pub fn show(lines: &Element, line: &Element) {
    if let Some(shown) = find(lines, "[data-found]") {
        let _ = shown.remove_attribute("data-found");
    }
    let _ = line.set_attribute("data-found", "");
}

pub fn scroll_by(scroller: &Element, pixels: f64) {
    scroller.set_scroll_top(scroller.scroll_top() + pixels.round() as i32);
}

pub fn is_at_end(scroller: &Element) -> bool {
    scroller.scroll_height() - scroller.scroll_top() - scroller.client_height() < END_TOLERANCE
}

pub fn to_end(scroller: &Element) {
    scroller.set_scroll_top(scroller.scroll_height());
}
