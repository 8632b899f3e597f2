//! Sentences with names in them.

use yew::prelude::*;

use crate::ui::texts::{NAME_BEGINS, NAME_ENDS};

/// A sentence from [`texts`](crate::ui::texts), whose names are elements of their own: somebody may be called
/// "ben left · eve".
pub fn sentence(text: &str) -> Html {
    let mut parts = text.split(NAME_BEGINS);
    let first = parts.next().map(Html::from);
    let names = parts.map(|part| {
        let (name, words) = part.split_once(NAME_ENDS).unwrap_or((part, ""));
        html! { <><bdi class="name">{ name }</bdi>{ words }</> }
    });
    first.into_iter().chain(names).collect()
}
