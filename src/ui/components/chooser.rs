//! Asks for a conversation.

use yew::prelude::*;

use super::icon::face;
use super::sheet::Modal;
use crate::ui::forward::Destination;
use crate::ui::markup::view;

#[derive(Properties, PartialEq)]
pub struct ChooserProps {
    pub title: &'static str,
    pub destinations: Vec<Destination>,
    /// Called with the place of the one that was chosen.
    pub chosen: Callback<usize>,
    /// Called once it is closed.
    pub closed: Callback<Event>,
}

/// A list of conversations, of which one is chosen.
#[function_component]
pub fn Chooser(props: &ChooserProps) -> Html {
    let row = |(at, it): (usize, &Destination)| {
        let chosen = props.chosen.clone();
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
    let list =
        view! { <ul class="chooser">{ for props.destinations.iter().enumerate().map(row) }</ul> };
    html! { <Modal title={props.title} id="chooser" closed={props.closed.clone()}>{ list }</Modal> }
}
