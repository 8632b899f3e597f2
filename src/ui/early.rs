//! What `index.html`, or the panel of a widget, shows until the program is there: takes over what was typed and pressed in it,
//! and removes it.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlTextAreaElement, Node, ShadowRoot};

use super::hooks::listen::document;

/// The text, the focus and the press of a person before the program was there.
pub struct Early {
    /// The text, as it was typed.
    pub text: String,
    /// The element that has the focus, if it is one of these.
    pub focus: Option<Focus>,
    /// Whether *Join* was pressed, or Enter, and the name not changed since.
    pub join: bool,
    shown: Element,
}

/// An element that has the focus.
pub enum Focus {
    /// The field, with the selection in it.
    Field(Option<u32>, Option<u32>),
    /// The button.
    Button,
}

/// Whether something is still shown beside the root of this chat.
pub fn is_shown(root: &Element) -> bool {
    shown(root).is_some()
}

fn shown(root: &Element) -> Option<Element> {
    root.parent_element()?.query_selector("#early").ok()?
}

/// Removes what is shown beside the root of this chat.
pub fn remove(root: &Element) {
    if let Some(shown) = shown(root) {
        shown.remove();
    }
}

/// Finds what is shown in the same tree as this element.
fn beside(element: &Element) -> Option<Element> {
    let mut above = element.parent_element();
    while let Some(parent) = above {
        if let Some(shown) = shown(&parent) {
            return Some(shown);
        }
        above = parent.parent_element();
    }
    None
}

fn active(near: &Node) -> Option<Element> {
    match near.get_root_node().dyn_into::<ShadowRoot>() {
        Ok(tree) => tree.active_element(),
        Err(_) => document().active_element(),
    }
}

/// A field for text.
pub trait Field: JsCast + AsRef<Element> {
    /// The selector of the early field that this one takes the place of.
    const EARLY: &'static str;
    fn text(&self) -> String;
    fn selection(&self) -> (Option<u32>, Option<u32>);
    fn fill(&self, text: &str, focus: bool, selection: (Option<u32>, Option<u32>));
}

macro_rules! field {
    ($element:ty, $early:literal) => {
        impl Field for $element {
            const EARLY: &'static str = $early;

            fn text(&self) -> String {
                self.value()
            }

            fn selection(&self) -> (Option<u32>, Option<u32>) {
                let (start, end) = (self.selection_start(), self.selection_end());
                (start.ok().flatten(), end.ok().flatten())
            }

            fn fill(&self, text: &str, focus: bool, selection: (Option<u32>, Option<u32>)) {
                self.set_value(text);
                if focus {
                    let _ = self.focus();
                }
                if let (true, (Some(start), Some(end))) = (focus, selection) {
                    let _ = self.set_selection_range(start, end);
                }
            }
        }
    };
}

field!(HtmlInputElement, "input");
field!(HtmlTextAreaElement, "textarea");

/// Reads what was done in the early field that `field` takes the place of, if it is still there and can be seen.
pub fn look<F: Field>(field: &F) -> Option<Early> {
    let shown = beside(field.as_ref())?;
    let early: F = shown.query_selector(F::EARLY).ok()??.dyn_into().ok()?;
    let element: &Element = early.as_ref();
    if element.client_height() == 0 {
        // The page has both fields and has shown the other one, for example because a stored name cannot be used.
        shown.remove();
        return None;
    }
    let active = active(element).filter(|active| shown.contains(Some(active)));
    let focus = active.map(|active| {
        if active == *element {
            let (start, end) = early.selection();
            Focus::Field(start, end)
        } else {
            Focus::Button
        }
    });
    Some(Early {
        text: early.text(),
        focus,
        join: shown.has_attribute("data-join"),
        shown,
    })
}

impl Early {
    /// Moves everything to the field and the button that take the place of the earlier ones, which are removed. The focus
    /// moves first, so that a phone keeps its keyboard open.
    pub fn move_to<F: Field>(&self, field: &F, button: Option<HtmlElement>) {
        let (focused, selection) = match &self.focus {
            Some(Focus::Field(start, end)) => (true, (*start, *end)),
            _ => (false, (None, None)),
        };
        field.fill(&self.text, focused, selection);
        if let (Some(Focus::Button), Some(button)) = (&self.focus, button) {
            let _ = button.focus();
        }
        self.shown.remove();
    }
}
