//! What stands there instead of a conversation: the first visit, a damaged link, a room that cannot be entered.

use yew::prelude::*;

use super::icon::{LOCK, WARNING, icon};
use super::name_field::NameField;
use crate::ui::app::Ui;
use crate::ui::hooks::listen::document;

#[derive(Properties, PartialEq)]
pub struct WelcomeProps {
    pub room: String,
    pub private: bool,
    pub ui: Ui,
}

/// One field, one button, one sentence.
#[function_component]
pub fn Welcome(props: &WelcomeProps) -> Html {
    let on_name = {
        let ui = props.ui.clone();
        Callback::from(move |name| ui.join(&name))
    };
    let sentence = if props.private {
        "Only who has this link can come in. They see your name and what you write, which travels directly from browser to browser."
    } else {
        "Everybody who opens this page can come in. They see your name and what you write, which travels directly from browser to browser."
    };
    html! {
        <main class="rt front">
            <div class="card">
                <p class="over">
                    if props.private { { icon(LOCK) }{ "Private room" } } else { { "Open room" } }
                </p>
                <h1 data-testid="room"><bdi>{ &props.room }</bdi></h1>
                <NameField label="Your name" button="Join" button_id="join" on_name={on_name} />
                <p class="hint">{ sentence }</p>
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
pub struct WrongSecretProps {
    pub open_link: String,
}

/// The secret in the address is damaged: never silently another room.
#[function_component]
pub fn WrongSecret(props: &WrongSecretProps) -> Html {
    html! {
        <main class="rt front">
            <div class="card" role="alert" data-testid="wrong-secret">
                <p class="over">{ icon(WARNING) }{ "Damaged link" }</p>
                <h1>{ "This link is not complete" }</h1>
                <p>
                    { "It leads to a private room, and the part behind " }<code>{ "#k=" }</code>
                    { " is the room’s secret. Something in it is missing or was changed on the way, so the room cannot be found." }
                </p>
                <p>{ "Ask for the link again and open it as a whole. Or go to the open room of this page." }</p>
                <p><a class="button primary" data-testid="open-room" href={props.open_link.clone()}>{ "Go to the open room" }</a></p>
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
pub struct StoppedProps {
    pub reason: String,
}

/// The room cannot be entered.
#[function_component]
pub fn Stopped(props: &StoppedProps) -> Html {
    html! {
        <main class="rt front">
            <div class="card" role="alert" data-testid="stopped">
                <h1>{ "The room cannot be entered" }</h1>
                <p>{ &props.reason }</p>
                <p><Reload label="Try again" /></p>
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
pub struct ReloadProps {
    pub label: &'static str,
}

/// Begins again.
#[function_component]
pub fn Reload(props: &ReloadProps) -> Html {
    let on_click = Callback::from(|_: MouseEvent| reload());
    html! { <button type="button" class="primary" data-testid="reload" onclick={on_click}>{ props.label }</button> }
}

/// Loads the page again.
pub fn reload() {
    if let Some(location) = document().location() {
        // A browser that refuses to reload shows that itself.
        let _ = location.reload();
    }
}
