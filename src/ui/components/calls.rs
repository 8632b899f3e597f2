//! Where calls are shown, and the buttons that begin them. What is shown there is drawn by a script, which holds the pictures.

use std::rc::Rc;

use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::icon::{CAMERA, EYE, PHONE, VIDEO, icon};
use crate::room::{CallCommand, Command, Conversation, PeerView, TheirShare, WatchState};
use crate::settings::CallKinds;
use crate::ui::call_view::{is_needed, view as view_of};
use crate::ui::calls::Calls;
use crate::ui::context::Ui;
use crate::ui::markup::view;
use crate::ui::state::{Action, Listed, State};
use crate::ui::texts;

/// Does something with the script, once it is loaded.
fn with_script(ui: &Ui, act: Box<dyn FnOnce(&Calls)>) {
    let ui = ui.clone();
    let loading = ui.backend.0.calls();
    spawn_local(async move {
        match loading.await {
            Ok(calls) => act(&calls),
            Err(sentence) => ui.act(Action::Notice(sentence)),
        }
    });
}

#[derive(Properties, PartialEq)]
pub struct PlaceProps {
    pub state: Rc<State>,
    pub ui: Ui,
}

/// The place in which the script draws. It stays whichever conversation is open.
#[function_component]
pub fn Place(props: &PlaceProps) -> Html {
    let PlaceProps { state, ui } = props;
    let place = use_node_ref();
    {
        let (place, ui) = (place.clone(), ui.clone());
        use_effect_with((), move |()| {
            if let Some(place) = place.cast::<Element>() {
                ui.backend.0.place_calls(place);
            }
        });
    }
    let needed = is_needed(&state.calls);
    let used = use_mut_ref(|| false);
    let is_used = *used.borrow() || needed;
    used.replace(is_used);
    let shown = is_used.then(|| view_of(state)).flatten();
    {
        let ui = ui.clone();
        use_effect_with(shown, move |shown| {
            if let Some(shown) = shown.clone() {
                with_script(&ui, Box::new(move |calls| calls.update(&shown)));
            }
        });
    }
    view! { <div ref={place} class="call-place" data-testid="calls" /> }
}

/// The buttons that call whoever is in the conversation, and show one's camera to whoever opens it.
pub fn buttons(state: &State, open: &Listed, ui: &Ui) -> Html {
    if state.opening.calls == CallKinds::Off || state.own.is_none() {
        return Html::default();
    }
    let call = |video: bool| {
        let (conversation, title) = (open.conversation.clone(), open.title.clone());
        ui.on(Box::new(move |ui| {
            let (conversation, title) = (conversation.clone(), title.clone());
            with_script(
                ui,
                Box::new(move |calls| calls.call(&conversation, &title, video)),
            );
        }))
    };
    let is_direct = matches!(open.conversation, Conversation::Direct(_));
    let is_alone = match is_direct {
        true => !open.is_here,
        false => state.present() == 1,
    };
    let words = |what: &str| match is_alone {
        true => texts::calls::alone(what, is_direct.then_some(open.title.as_str())),
        false => what.to_owned(),
    };
    let button = |id: &'static str, look: &'static str, words: String, path, act| {
        view! {
            <button
                type="button" class={format!("quiet icon-only {look}")} data-testid={id} aria-label={words.clone()}
                title={words} onclick={act}
            >
                { icon(path) }
            </button>
        }
    };
    let to_share = match state.present() {
        1 => texts::calls::SHARE_ALONE,
        _ => "Show your camera to the room",
    };
    let has_video = state.opening.calls == CallKinds::Video;
    let share = ui.on(Box::new(|ui| {
        with_script(ui, Box::new(|calls| calls.share()));
    }));
    view! {
        <>
            { button("call", "to-call", words("Call"), PHONE, call(false)) }
            if has_video {
                { button("call-video", "to-video", words("Video call"), VIDEO, call(true)) }
                { button("share-camera", "to-share", to_share.to_owned(), CAMERA, share) }
            }
        </>
    }
}

/// The button that opens what somebody shows, or closes it.
pub fn watch(share: &TheirShare, peer: &PeerView, ui: &Ui) -> Html {
    let on = matches!(share.state, WatchState::Asking | WatchState::Watching);
    let (id, then) = (peer.id, !on);
    let toggle = ui.on(Box::new(move |ui| {
        // The script has to be there before anything comes.
        let command = Command::Call(CallCommand::Watch { peer: id, on: then });
        let room = ui.clone();
        with_script(ui, Box::new(move |_| room.command(command)));
    }));
    let sends = &share.share.sends;
    let what = match (sends.screen, sends.camera) {
        (true, _) => "screen",
        (_, true) => "camera",
        _ => "microphone",
    };
    let words = match on {
        true => format!("Close {}’s {what}", peer.user),
        false => format!("Open {}’s {what}", peer.user),
    };
    view! {
        <button
            type="button" class="quiet icon-only watch" data-testid="watch" data-user={peer.user.clone()}
            data-state={if on { "on" } else { "off" }} aria-pressed={if on { "true" } else { "false" }}
            aria-label={words.clone()} title={words} onclick={toggle}
        >
            { icon(if sends.camera { CAMERA } else { EYE }) }
        </button>
    }
}
