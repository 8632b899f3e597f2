//! The prompts above the conversation: warnings, requests and notices.

use std::rc::Rc;

use yew::prelude::*;

use super::icon::{CLOSE, WARNING, face, icon, trust};
use super::people::SafetyNumber;
use super::sentence::{changing, sentence};
use crate::identity::PublicKey;
use crate::room::{Command, PeerView, PeopleCommand, Shown};
use crate::ui::context::Ui;
use crate::ui::state::{Action, State};
use crate::ui::texts;

/// Requests and notices.
pub fn prompts(state: &State, ui: &Ui) -> Html {
    let own = state.own.as_ref().map(|own| own.key);
    html! {
        <div class="prompts">
            if let Some(peer) = state.requests.first() { { request(peer, state.requests.len(), own, ui) } }
            <div role="status">
                { for state.notices.iter().map(|notice| html! {
                    <div class="notice" key={notice.id} data-testid="notice">
                        <p dir="auto">{ sentence(&notice.text) }</p>
                        <button
                            type="button" class="quiet icon-only" data-testid="dismiss" aria-label="Dismiss"
                            onclick={ui.acts(Action::Dismiss(notice.id))}
                        >
                            { icon(CLOSE) }
                        </button>
                    </div>
                }) }
            </div>
        </div>
    }
}

/// The warning across the whole page. Only the oldest one is shown, because many would push the conversation out of view.
pub fn warning(state: &State, ui: &Ui) -> Html {
    let Some(peer) = state.warnings.first() else {
        return Html::default();
    };
    let count = state.warnings.len();
    let own = state.own.as_ref().map(|own| own.key);
    let seen = peer.shown();
    let settle = |command: PeopleCommand| {
        let (ui, seen) = (ui.clone(), seen.clone());
        Callback::from(move |_: MouseEvent| {
            ui.act(Action::WarningDecided(seen.clone()));
            ui.command(Command::People(command.clone()));
        })
    };
    html! {
        // The key gives each warning its own elements, so that a press that began in one cannot end in the next.
        <section key={identity(&seen)} class="warning" role="alert" data-testid="alias-warning" data-user={peer.user.clone()}>
            { icon(WARNING) }
            <div>
                <h2>{ "A name you know, on another key" }</h2>
                <p>{ changing(&texts::another_key(&peer.user)) }</p>
                if let Some(own) = own { <SafetyNumber ours={own} theirs={peer.key} /> }
                <div class="actions">
                    <button
                        type="button" data-testid="accept-key" onclick={settle(PeopleCommand::AcceptKey(seen.clone()))}
                    >
                        { "It is them" }
                    </button>
                    <button
                        type="button" data-testid="block" onclick={settle(PeopleCommand::Block(seen.clone()))}
                    >
                        { "Block" }
                    </button>
                    if count > 1 { <span class="hint">{ changing(&format!("and {} more", count - 1)) }</span> }
                </div>
            </div>
        </section>
    }
}

/// A key for elements that ask about this person under this name.
fn identity(seen: &Shown) -> String {
    format!("{} {} {}", seen.id, seen.key.fingerprint(), seen.name)
}

/// The prompt for a person who wants to connect.
fn request(peer: &Rc<PeerView>, count: usize, own: Option<PublicKey>, ui: &Ui) -> Html {
    let seen = peer.shown();
    let decide = |accept: bool| {
        let (ui, seen) = (ui.clone(), seen.clone());
        Callback::from(move |_: MouseEvent| {
            let who = seen.clone();
            ui.command(Command::People(PeopleCommand::Decide { who, accept }));
            ui.act(Action::RequestAnswered(seen.clone()));
        })
    };
    html! {
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
                        <SafetyNumber ours={own} theirs={peer.key} />
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
