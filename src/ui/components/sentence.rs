//! Sentences with names in them, and sentences that change.

use yew::prelude::*;

use crate::ui::markup::view;

use crate::ui::texts::{NAME_BEGINS, NAME_ENDS};

/// A sentence from [`texts`](crate::ui::texts), whose names are elements of their own: somebody may be called
/// "ben left · eve".
pub fn sentence(text: &str) -> Html {
    let mut parts = text.split(NAME_BEGINS);
    let first = parts.next().map(Html::from);
    let names = parts.map(|part| {
        let (name, words) = part.split_once(NAME_ENDS).unwrap_or((part, ""));
        view! { <><bdi class="name" translate="no">{ name }</bdi>{ words }</> }
    });
    first.into_iter().chain(names).collect()
}

/// A sentence that may change. A browser that translates the page puts elements of its own in the place of text nodes, and
/// would go on showing what a node said at first; so the element is replaced with the text. Nothing that comes or goes may
/// stand right before a text node, either.
pub fn changing(text: &str) -> Html {
    view! { <span key={text}>{ sentence(text) }</span> }
}
