//! What `index.html` shows until the program is there: takes over what was typed and pressed in it, and removes it.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::hooks::listen::document;

/// The name, the focus and the press of a person before the program was there.
pub struct Early {
    /// The name, as it was typed.
    pub text: String,
    /// The element that has the focus, if it is one of the welcome's.
    pub focus: Option<Focus>,
    /// Whether *Join* was pressed, or Enter, and the name not changed since.
    pub join: bool,
    shown: Element,
}

/// An element of the welcome that has the focus.
pub enum Focus {
    /// The field for the name, with the selection in it.
    Field(Option<u32>, Option<u32>),
    /// The button.
    Button,
}

/// Whether `index.html` still shows something.
pub fn is_shown() -> bool {
    shown().is_some()
}

fn shown() -> Option<Element> {
    document().get_element_by_id("early")
}

/// Removes what `index.html` shows.
pub fn remove() {
    if let Some(shown) = shown() {
        shown.remove();
    }
}

/// Reads what was done in the welcome of `index.html`, if it is still there.
pub fn look() -> Option<Early> {
    let shown = shown()?;
    let input: HtmlInputElement = shown.query_selector("input").ok()??.dyn_into().ok()?;
    let active = document().active_element();
    let focus = active
        .filter(|active| shown.contains(Some(active)))
        .map(|active| {
            if active == **input {
                let (start, end) = (input.selection_start(), input.selection_end());
                Focus::Field(start.ok().flatten(), end.ok().flatten())
            } else {
                Focus::Button
            }
        });
    Some(Early {
        text: input.value(),
        focus,
        join: shown.has_attribute("data-join"),
        shown,
    })
}

impl Early {
    /// Moves everything to the field and the button that take the place of the earlier ones, which are removed. The focus
    /// moves first, so that a phone keeps its keyboard open.
    pub fn move_to(&self, input: &HtmlInputElement, button: Option<HtmlElement>) {
        input.set_value(&self.text);
        match (&self.focus, button) {
            (Some(Focus::Field(start, end)), _) => {
                let _ = input.focus();
                if let (Some(start), Some(end)) = (start, end) {
                    let _ = input.set_selection_range(*start, *end);
                }
            }
            (Some(Focus::Button), Some(button)) => {
                let _ = button.focus();
            }
            _ => {}
        }
        self.shown.remove();
    }
}
