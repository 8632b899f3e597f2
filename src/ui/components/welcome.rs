//! The cards instead of a conversation: the first visit, a damaged link, and a room that cannot be joined.

use yew::prelude::*;

use super::icon::{LOCK, WARNING, icon};
use super::name_field::NameField;
use crate::ui::backend::{Entry, Opening};
use crate::ui::context::Ui;
use crate::ui::markup::view;
use crate::ui::texts;

/// Asks for a name on the first visit. `index.html` has the same, which is shown before the program is there.
pub fn welcome(opening: &Opening, ui: &Ui) -> Html {
    let private = opening.entry == Entry::Private;
    let on_name = {
        let ui = ui.clone();
        Callback::from(move |name| ui.join(&name))
    };
    let on_type = {
        let backend = ui.backend.clone();
        Callback::from(move |()| backend.0.approach())
    };
    let sentence = texts::welcome(private, opening.accept);
    view! {
        <@{ui.landmark()} class="rt front">
            <div class="card" part="welcome">
                { logo() }
                <p class="over">
                    if private { { icon(LOCK) }{ "Private room" } } else { { "Open room" } }
                </p>
                <h1 data-testid="room"><bdi translate="no">{ &opening.room }</bdi></h1>
                { html! { <NameField
                    label="Your name" button="Join" button_id="join" on_name={on_name}
                    on_type={on_type} was_early={true}
                /> } }
                <p class="hint" data-testid="welcome">{ sentence }</p>
            </div>
        </@>
    }
}

/// The page's logo: two people and the connection between them.
fn logo() -> Html {
    view! {
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
            <path
                d="M16 3C8.3 3 2 8.2 2 14.7c0 3.7 2 6.9 5.2 9.1L6 29l6.3-3.2c1.2.3 2.4.4 3.7.4 7.7 0 14-5.2 14-11.5S23.7 3 16 3z"
            />
            <path class="ink" d="M11 14.5h10" />
            <path class="ink dots" d="M11 14.5h.01M21 14.5h.01" />
        </svg>
    }
}

/// Says that the secret in the address is damaged. The page never joins another room silently.
pub fn wrong_secret(opening: &Opening) -> Html {
    view! {
        <main class="rt front">
            <div class="card" part="welcome" role="alert" data-testid="wrong-secret">
                <p class="over">{ icon(WARNING) }{ "Damaged link" }</p>
                <h1>{ "This link is incomplete" }</h1>
                <p>
                    { "It leads to a private room, and the part behind " }<code>{ "#k=" }</code>
                    { " is the room’s secret. Part of it is missing or was changed, so the room cannot be found." }
                </p>
                <p>{ "Ask for the link again and open all of it, or go to this page’s open room." }</p>
                { to_open_room(&opening.open_link) }
            </div>
        </main>
    }
}

/// Says why the address leads to no room. Trying it again would not help.
pub fn wrong_address(reason: &str, open_link: &str) -> Html {
    view! {
        <main class="rt front">
            <div class="card" part="welcome" role="alert" data-testid="stopped">
                <p class="over">{ icon(WARNING) }{ "Wrong link" }</p>
                <h1>{ "This link leads to no room" }</h1>
                <p>{ reason }</p>
                { to_open_room(open_link) }
            </div>
        </main>
    }
}

fn to_open_room(link: &str) -> Html {
    view! {
        <p>
            <a class="button primary" data-testid="open-room" href={link.to_owned()}>{ "Go to the open room" }</a>
        </p>
    }
}

/// Says why the room cannot be joined.
pub fn stopped(reason: &str, ui: &Ui) -> Html {
    view! {
        <@{ui.landmark()} class="rt front">
            <div class="card" part="welcome" role="alert" data-testid="stopped">
                <h1>{ "You can’t join this room" }</h1>
                <p>{ reason }</p>
                <p>{ restart_button("Try again", ui) }</p>
            </div>
        </@>
    }
}

/// A button that starts the chat again.
fn restart_button(label: &'static str, ui: &Ui) -> Html {
    let on_click = ui.on(Box::new(|ui| ui.backend.0.restart()));
    view! { <button type="button" class="primary" data-testid="reload" onclick={on_click}>{ label }</button> }
}
