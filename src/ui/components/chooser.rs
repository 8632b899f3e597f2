//! Asks for a conversation.

use yew::prelude::*;

use super::icon::face;
use super::sheet::Modal;
use crate::ui::forward::Destination;
use crate::ui::markup::view;

/// A dialog with a list of conversations. `chosen` is called with the place of the one that was chosen, and `closed` once
/// the dialog is closed.
pub fn chooser(
    title: &'static str,
    destinations: &[Destination],
    chosen: &Callback<usize>,
    closed: Callback<Event>,
) -> Html {
    let row = |(at, it): (usize, &Destination)| {
        let chosen = chosen.clone();
        let onclick = Callback::from(move |_: Event| chosen.emit(at));
        view! {
            <li>
                <button type="button" class="person" data-testid="destination" data-name={it.name.clone()} onclick={onclick}>
                    { it.key.map(|key| face(&it.name, &key)).unwrap_or_default() }
                    <span class="name"><bdi translate="no">{ &it.name }</bdi></span>
                </button>
            </li>
        }
    };
    let list = view! { <ul class="chooser">{ for destinations.iter().enumerate().map(row) }</ul> };
    html! { <Modal {title} id="chooser" {closed}>{ list }</Modal> }
}
