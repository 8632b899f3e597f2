//! The prompts above the conversation: warnings, requests and notices.

use std::rc::Rc;

use yew::prelude::*;

use super::icon::{CLOSE, WARNING, face, icon, trust};
use super::people::{SafetyNumber, blocking};
use super::sentence::{changing, sentence};
use crate::identity::PublicKey;
use crate::room::{Command, PeerView, PeopleCommand, Shown};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{focus, is_touch};
use crate::ui::markup::view;
use crate::ui::state::{Action, State};
use crate::ui::texts;

/// Elements that take the focus from what is answered: the last of them that can be seen.
pub type Next = [NodeRef; 2];

/// A warning, requests and notices.
pub fn prompts(state: &State, next: &Next, ui: &Ui) -> Html {
    let own = state.own.as_ref().map(|own| own.key);
    view! {
        <div class="prompts">
            { warning(state, next, ui) }
            if let Some(peer) = state.requests.first() { { request(peer, state.requests.len(), own, next, ui) } }
            <div role="status">
                { muted(state, next, ui) }
                { for state.notices.iter().map(|notice| view! {
                    <div class="notice" key={notice.id} data-testid="notice">
                        <p dir="auto">{ sentence(&notice.text) }</p>
                        if let Some(key) = notice.blocked {
                            <button
                                type="button" data-testid="undo-block" onclick={acting(ui, next, Box::new(move |ui| ui.unblock(key)))}
                            >
                                { "Undo" }
                            </button>
                        }
                        <button
                            type="button" class="quiet icon-only" data-testid="dismiss" aria-label="Dismiss"
                            onclick={dismissing(ui, next, notice.id)}
                        >
                            { icon(CLOSE) }
                        </button>
                    </div>
                }) }
            </div>
        </div>
    }
}

/// The notice about somebody who is muted. Only one is shown, because many would push the conversation out of view.
fn muted(state: &State, next: &Next, ui: &Ui) -> Html {
    let mut muted = state.people.iter().filter(|peer| peer.muted);
    let Some(peer) = muted.next() else {
        return Html::default();
    };
    let (id, words) = (peer.id, texts::muted(&peer.user, muted.count()));
    let listen = Box::new(move |ui: &Ui| ui.command(Command::People(PeopleCommand::Listen(id))));
    view! {
        <div class="notice" key={id.to_string()} data-testid="muted">
            <p dir="auto">{ sentence(&words) }</p>
            <button type="button" data-testid="listen-again" onclick={acting(ui, next, listen)}>{ "Listen again" }</button>
        </div>
    }
}

/// Acts on a click. The clicked button disappears then, so the focus goes on.
fn acting(ui: &Ui, next: &Next, act: Box<dyn Fn(&Ui)>) -> Callback<Event> {
    let (ui, next) = (ui.clone(), next.clone());
    Callback::from(move |event: Event| {
        if !is_touch(&event) {
            // A hidden element does not take the focus.
            next.iter().for_each(focus);
        }
        act(&ui);
    })
}

fn dismissing(ui: &Ui, next: &Next, id: u32) -> Callback<Event> {
    acting(ui, next, Box::new(move |ui| ui.act(Action::Dismiss(id))))
}

/// The warning about a known name on another key. Only the oldest one is shown, because many would push the conversation
/// out of view.
fn warning(state: &State, next: &Next, ui: &Ui) -> Html {
    let Some(peer) = state.warnings.first() else {
        return Html::default();
    };
    let count = state.warnings.len();
    let seen = peer.shown();
    let different = {
        let seen = seen.clone();
        let decided = move |ui: &Ui| ui.act(Action::WarningDecided(seen.clone()));
        acting(ui, next, Box::new(decided))
    };
    let same = {
        let seen = seen.clone();
        let accepted = move |ui: &Ui| {
            ui.act(Action::WarningDecided(seen.clone()));
            let accept = PeopleCommand::AcceptKey(seen.clone());
            ui.command(Command::People(accept));
        };
        acting(ui, next, Box::new(accepted))
    };
    view! {
        // The key gives each warning its own elements, so that a press that began in one cannot end in the next.
        <section key={identity(&seen)} class="warning" role="alert" data-testid="alias-warning" data-user={peer.user.clone()}>
            <p>
                { icon(WARNING) }{ changing(&texts::another_key(&peer.name)) }
                if count > 1 { { changing(&format!("and {} more", count - 1)) } }
            </p>
            <div class="actions">
                <button type="button" data-testid="different-person" onclick={different}>{ "Different person" }</button>
                <button
                    type="button" data-testid="accept-key" onclick={same}
                >
                    { changing(&texts::same_person(&peer.name)) }
                </button>
            </div>
            <button type="button" data-testid="block" onclick={blocking(peer, ui)}>
                { "Block …" }
            </button>
        </section>
    }
}

/// A key for elements that ask about this person under this name.
fn identity(seen: &Shown) -> String {
    format!("{} {} {}", seen.id, seen.key.fingerprint(), seen.name)
}

/// The prompt for a person who wants to connect.
fn request(
    peer: &Rc<PeerView>,
    count: usize,
    own: Option<PublicKey>,
    next: &Next,
    ui: &Ui,
) -> Html {
    let seen = peer.shown();
    let decide = |accept: bool| {
        let seen = seen.clone();
        let decided = move |ui: &Ui| {
            let who = seen.clone();
            ui.command(Command::People(PeopleCommand::Decide { who, accept }));
            ui.act(Action::RequestAnswered(seen.clone()));
        };
        acting(ui, next, Box::new(decided))
    };
    view! {
        <section key={identity(&seen)} class="request" role="alert" data-testid="request" data-user={peer.user.clone()}>
            { face(&peer.user, &peer.key) }
            <div>
                <h2><bdi translate="no">{ &peer.user }</bdi>{ " " }{ trust(peer.trust) }<span>{ " wants to join" }</span></h2>
                <p>
                    { changing(texts::trust_sentence(peer)) }<span>{ " Until you accept, they see neither your network address nor what you write." }</span>
                </p>
                if let Some(own) = own {
                    <details>
                        <summary>{ "Safety number" }</summary>
                        { html! { <SafetyNumber ours={own} theirs={peer.key} /> } }
                        <p
                            class="hint"
                        >
                            { "Their key: " }<code data-testid="fingerprint" translate="no">{ peer.key.fingerprint() }</code>
                        </p>
                    </details>
                }
                <div class="actions">
                    <button
                        type="button" class="primary" data-testid="accept" onclick={decide(true)}
                    >
                        { "Accept" }
                    </button>
                    <button type="button" data-testid="decline" onclick={decide(false)}>{ "Decline" }</button>
                    if count > 1 { <span class="hint">{ changing(&format!("{} more waiting", count - 1)) }</span> }
                </div>
            </div>
        </section>
    }
}
