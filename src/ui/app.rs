//! The root component: holds the state, connects events and actions, and chooses the view.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use web_sys::{Element, EventTarget, HtmlElement, KeyboardEvent};
use yew::AppHandle;
use yew::prelude::*;

use super::backend::{Backend, Counts, EventSink};
use super::components::room::Room;
use super::components::welcome;
use super::context::{Shared, Ui};
use super::early;
use super::event_queue::EventQueue;
use super::hooks::history;
use super::hooks::icon;
use super::hooks::listen::{document, use_change, use_mount, window};
use super::markup::view;
use super::state::{Action, Sheet, Stage, State};
use super::texts;
use crate::browser::Listener;
use crate::room::Status;

/// A chat that is mounted in a page.
pub struct Shown {
    root: Element,
    app: AppHandle<Slot>,
    /// The number of chats that this root has shown so far.
    count: u32,
}

thread_local! {
    /// Roots of chats that have ended. Yew never releases a root element, so the next chat reuses one of these.
    static UNUSED_ROOTS: RefCell<Vec<Shown>> = const { RefCell::new(Vec::new()) };
}

/// Shows a chat in `place`. It listens for keys in the whole window, or only inside the chat if another site's page embeds
/// it.
pub fn mount(place: &Element, backend: Rc<dyn Backend>) -> Shown {
    let mut shown = UNUSED_ROOTS.with_borrow_mut(Vec::pop).unwrap_or_else(|| {
        // It cannot fail for a valid element name.
        let root = document().create_element("div");
        let root = root.unwrap_or_else(|_| place.clone());
        let app = yew::Renderer::<Slot>::with_root(root.clone()).render();
        let count = 0;
        Shown { root, app, count }
    });
    // It cannot fail for an element that can have children.
    let _ = place.append_child(&shown.root);
    shown.count = shown.count.wrapping_add(1);
    let keys = if backend.is_embedded() {
        EventTarget::from(shown.root.clone())
    } else {
        EventTarget::from(window())
    };
    let chat = AppProps {
        backend: Shared(backend),
        keys,
        root: shown.root.clone(),
    };
    shown.app.update(SlotProps {
        chat: Some((shown.count, chat)),
    });
    shown
}

impl Shown {
    /// Removes the chat from the page.
    pub fn end(mut self) {
        self.app.update(SlotProps::default());
        self.root.remove();
        UNUSED_ROOTS.with_borrow_mut(|roots| roots.push(self));
    }
}

#[derive(Default, Properties, PartialEq)]
pub struct SlotProps {
    /// The chat and its number, so that Yew does not mistake it for the previous chat.
    chat: Option<(u32, AppProps)>,
}

/// Renders the current chat, if there is one.
#[function_component]
pub fn Slot(props: &SlotProps) -> Html {
    let chat = props.chat.clone();
    chat.map_or_else(
        Html::default,
        |(number, props)| html! { <App key={number} ..props /> },
    )
}

#[derive(Clone, Properties, PartialEq)]
pub struct AppProps {
    pub backend: Shared,
    /// The target on which the chat listens for keys.
    pub keys: EventTarget,
    /// The element that holds the chat.
    pub root: Element,
}

/// The chat, on its own page or embedded in another site's page.
#[function_component]
pub fn App(props: &AppProps) -> Html {
    let state = use_reducer_eq(State::default);
    let ui = Ui {
        backend: props.backend.clone(),
        dispatch: state.dispatcher(),
    };

    let embedded = props.backend.0.is_embedded();
    let queue = use_memo((), |()| EventQueue::new(ui.clone()));
    {
        let queue = queue.clone();
        use_change(state.passed, Box::new(move || queue.go_on_after_drawing()));
    }
    let covered = use_memo((), |()| Cell::new(false));
    covered.set(state.is_covered());
    {
        let (ui, root, target) = (ui.clone(), props.root.clone(), props.keys.clone());
        use_mount(Box::new(move || {
            let keys = ui.clone();
            let listener = Listener::new(
                &target,
                "keydown",
                Box::new(move |event| key(&keys, &root, &covered, &event)),
            );
            let backend = ui.backend.0.clone();
            // Another secret in the address means another room, but changing the fragment does not load the page again.
            let moved = (!embedded).then(|| {
                let backend = backend.clone();
                Listener::on_window("hashchange", Box::new(move |_| backend.restart()))
            });
            let went = (!embedded).then(|| history::follow(&ui));
            let sink: EventSink = Rc::new(move |event| queue.push(event));
            backend.open(sink);
            Some(Box::new((listener, moved, went)))
        }));
    }
    let (waiting, mentioned) = (state.waiting(), state.all_unread().1 > 0);
    {
        let joined = state.stage == Stage::Joined && state.status != Status::Left;
        let people = if joined { state.present() } else { 0 };
        let counts = Counts {
            unread: waiting,
            by_conversation: state.unread_by_conversation(),
            mentioned,
            people: u32::try_from(people).unwrap_or(u32::MAX),
        };
        let backend = props.backend.clone();
        use_effect_with(counts, move |counts| {
            backend.0.show_counts(counts);
            if !embedded {
                icon::show(counts.unread, counts.mentioned);
            }
        });
    }
    use_effect_with(
        texts::title(&state.opening.room, waiting, mentioned),
        move |title| {
            if !embedded {
                document().set_title(title);
            }
        },
    );

    let opening = &state.opening;
    // The field for the name, or for a message, takes over by itself.
    let waits = match state.stage {
        Stage::Loading | Stage::NameNeeded => true,
        Stage::Joined => !state.drawn || state.entering,
        _ => false,
    };
    let root = props.root.clone();
    use_change(
        u64::from(waits),
        Box::new(move || {
            if !waits {
                early::remove(&root);
            }
        }),
    );
    match &state.stage {
        // The welcome, or the frame of the room, is there already.
        Stage::Loading if early::is_shown(&props.root) => Html::default(),
        Stage::Loading => view! { <@{ui.landmark()} class="rt" aria-busy="true" /> },
        Stage::NameNeeded => welcome::welcome(opening, &ui),
        Stage::WrongSecret => welcome::wrong_secret(opening),
        Stage::WrongAddress { reason, open_link } => welcome::wrong_address(reason, open_link),
        Stage::Failed(reason) => welcome::stopped(reason, &ui),
        Stage::Joined if !state.drawn => Html::default(),
        Stage::Joined if state.entering => welcome::welcome(opening, &ui),
        Stage::Joined => html! { <Room state={Rc::new((*state).clone())} ui={ui} /> },
    }
}

/// Handles the keys that work everywhere. If Escape closes something here, it closes nothing around the chat.
fn key(ui: &Ui, root: &Element, covered: &Cell<bool>, event: &web_sys::Event) {
    use wasm_bindgen::JsCast;
    let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
        return;
    };
    // While an input method composes text, the keys belong to it.
    if event.is_composing() || event.default_prevented() {
        return;
    }
    match event.key().as_str() {
        // An open dialog handles Escape itself and returns the focus.
        "Escape"
            if covered.get() && root.query_selector("dialog[open]").ok().flatten().is_none() =>
        {
            event.prevent_default();
            ui.act(Action::Escape);
        }
        "?" if !event.ctrl_key() && !event.meta_key() && !event.alt_key() && !is_typing(event) => {
            event.prevent_default();
            ui.act(Action::Sheet(Some(Sheet::Keys)));
        }
        _ => {}
    }
}

fn is_typing(event: &KeyboardEvent) -> bool {
    use wasm_bindgen::JsCast;
    let Some(element) = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok())
    else {
        return false;
    };
    matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        || element.is_content_editable()
}
