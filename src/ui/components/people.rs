//! The list of people: the state of the connection to each of them, and the trust in their keys.

use std::rc::Rc;

use yew::prelude::*;

use super::calls::watch;
use super::icon::{BACK, CHECK, PEN, activity, face, icon, trust};
use super::keeping::Keeping;
use super::name_field::NameField;
use super::sentence::changing;
use crate::identity::{PublicKey, Trust, safety_number};
use crate::room::{
    Command, Conversation, PeerState, PeerView, PeopleCommand, Shown, Status, TheirShare,
};
use crate::ui::backend::{Blocked, Own};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{use_flag, use_focus};
use crate::ui::markup::view;
use crate::ui::state::{Action, Sheet, State, is_here};
use crate::ui::texts;
use crate::ui::typed::chosen;

/// The list: the person at this browser, then everybody else by name.
pub fn people(state: &State, back: &NodeRef, ui: &Ui) -> Html {
    let features = state.opening.features;
    let own_key = state.own.as_ref().map(|own| own.key);
    // A narrow page shows nothing but the people then, and every page needs an `h1`.
    let heading = if state.people_open { "h1" } else { "h2" };
    view! {
        <aside class="people" part="people" aria-label="People" data-testid="people">
            <header class="bar">
                <button
                    ref={back.clone()} type="button" class="quiet icon-only back" data-testid="back"
                    aria-label="Back to the conversation" onclick={ui.acts(|| Action::People(false))}
                >
                    { icon(BACK) }
                </button>
                <@{heading}>{ "People" }</@><span class="count" translate="no">{ state.present() }</span>
            </header>
            <ul>
                if let Some(own) = &state.own { { html! { <Me own={own.clone()} ui={ui.clone()} /> } } }
                { for state.people.iter().map(|peer| html! {
                    <Person
                        key={peer.id.to_string()} peer={peer.clone()} own={own_key} own_tab={state.is_own_tab(peer)}
                        open={state.person == Some(peer.id)} can_write={features.direct} share={state.share_of(&peer.id).cloned()} ui={ui.clone()}
                    />
                }) }
            </ul>
            { blocked(&state.blocked, ui) }
            if state.status != Status::Left { { html! { <Keeping can_choose={features.history} import={state.import.clone()} mode={state.mode} ui={ui.clone()} /> } } }
            <footer>
                <button
                    type="button" class="quiet" data-testid="keys-button"
                    onclick={ui.acts(|| Action::Sheet(Some(Sheet::Keys)))}
                >
                    { "Keyboard" }
                </button>
                if state.status != Status::Left {
                    <button
                        type="button" class="quiet" data-testid="leave" onclick={ui.on(Box::new(|ui| ui.command(Command::Leave)))}
                    >
                        { "Leave" }
                    </button>
                }
            </footer>
        </aside>
    }
}

/// The people whom the person has blocked.
fn blocked(blocked: &[Blocked], ui: &Ui) -> Html {
    if blocked.is_empty() {
        return Html::default();
    }
    let row = |blocked: &Blocked| {
        let key = blocked.key;
        let unblock = ui.on(Box::new(move |ui| ui.unblock(key)));
        let label = format!("Unblock {}", blocked.name);
        view! {
            <li data-testid="blocked-person">
                { face(&blocked.name, &key) }<bdi class="name">{ &blocked.name }</bdi>
                <button type="button" data-testid="unblock" aria-label={label} onclick={unblock}>{ "Unblock" }</button>
            </li>
        }
    };
    view! {
        <details class="blocked" data-testid="blocked">
            <summary>{ "Blocked (" }{ blocked.len() }{ ")" }</summary>
            <ul>{ for blocked.iter().map(row) }</ul>
        </details>
    }
}

/// Asks whether to block this person.
pub fn blocking(peer: &Rc<PeerView>, ui: &Ui) -> Callback<Event> {
    let peer = peer.clone();
    ui.on(Box::new(move |ui| {
        ui.act(Action::Blocking(Some(peer.clone())))
    }))
}

#[derive(Properties, PartialEq)]
struct MeProps {
    own: Rc<Own>,
    ui: Ui,
}

/// The person at this browser. A click on the name changes it.
#[function_component]
fn Me(props: &MeProps) -> Html {
    let MeProps { own, ui } = props;
    let renaming = use_flag();
    let button = use_node_ref();
    use_focus(*renaming, NodeRef::default(), button.clone());
    let on_cancel = {
        let renaming = renaming.setter();
        Callback::from(move |()| renaming.set(false))
    };
    let on_name = {
        let (ui, renaming) = (ui.clone(), renaming.setter());
        Callback::from(move |name| {
            ui.rename(name);
            renaming.set(false);
        })
    };
    let on_click = {
        let renaming = renaming.setter();
        Callback::from(move |_: Event| renaming.set(true))
    };
    view! {
        <li class="me">
            if *renaming {
                { html! { <NameField
                    label="Your name from now on" button="Rename" button_id="rename"
                    value={chosen(&own.user).to_owned()} {on_name} on_cancel={Some(on_cancel)}
                /> } }
            } else {
                <button
                    ref={button} type="button" class="person" title="Change your name" data-testid="me"
                    onclick={on_click}
                >
                    { face(&own.user, &own.key) }
                    <span
                        class="name"
                    >
                        <bdi data-testid="own-name" translate="no">{ &own.user }</bdi><span class="hint">{ " you" }</span>
                    </span>
                    { icon(PEN) }<span class="sr">{ "Change your name" }</span>
                </button>
            }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct PersonProps {
    peer: Rc<PeerView>,
    own: Option<PublicKey>,
    own_tab: bool,
    open: bool,
    can_write: bool,
    /// What they show to whoever opens it.
    share: Option<TheirShare>,
    ui: Ui,
}

#[function_component]
fn Person(props: &PersonProps) -> Html {
    let PersonProps {
        peer,
        own,
        own_tab,
        open,
        can_write,
        share,
        ui,
    } = props;
    let button = use_node_ref();
    use_focus(*open, button.clone(), button.clone());
    // The person compares the number with somebody of this name. A later name must not inherit that decision.
    let opened = use_memo(*open, |_| peer.shown());
    let (id, then_open) = (peer.id, (!open).then_some(peer.id));
    let toggle = ui.on(Box::new(move |ui| ui.act(Action::Person(then_open))));
    let retry = Box::new(move |ui: &Ui| ui.command(Command::People(PeopleCommand::Retry(id))));
    let message = {
        let direct = Conversation::Direct(peer.key);
        ui.on(Box::new(move |ui| ui.act(Action::Open(direct.clone()))))
    };
    let words = match texts::peer_state(peer.state) {
        "" if *own_tab => texts::OWN_TAB,
        "" if peer.muted => texts::MUTED,
        words => words,
    };
    let judged = if *own_tab { "own" } else { peer.trust.as_str() };
    view! {
        <li
            data-look={open.then_some("open")} data-testid="peer" data-user={peer.user.clone()}
            data-state={peer.state.as_str()} data-trust={judged}
        >
            <button
                ref={button} type="button" class="person" data-testid="person" aria-expanded={if *open { "true" } else { "false" }}
                onclick={toggle}
            >
                <span class="seat">{ face(&peer.user, &peer.key) }<span class="lamp" aria-hidden="true" /></span>
                <span class="name">
                    <bdi translate="no">{ &peer.user }</bdi>{ activity(peer.activity.filter(|_| !own_tab)) }
                    if !words.is_empty() { <span class="hint">{ changing(words) }</span> }
                </span>
                // Before a peer has proved that the key is its own, there is no trust mark.
                if is_here(peer.state) && !own_tab { { trust(peer.trust) } }
            </button>
            if let Some(share) = share { { watch(share, peer, ui) } }
            if matches!(peer.state, PeerState::NoPath | PeerState::Failed) {
                <button
                    type="button" class="retry" data-testid="retry"
                    onclick={ui.on(retry)}
                >
                    { "Try again" }
                </button>
            }
            if *open {
                <div class="details" data-testid="person-details">
                    if *can_write {
                        <div class="actions">
                            <button type="button" class="primary" data-testid="open-dm" onclick={message}>{ "Message" }</button>
                        </div>
                    }
                    if peer.state == PeerState::NoPath {
                        <p>{ changing(texts::NO_PATH) }</p>
                    }
                    if *own_tab {
                        <p>{ changing(texts::OWN_TAB_SENTENCE) }</p>
                    } else {
                        <p class="standing">{ changing(texts::trust_sentence(peer)) }</p>
                        if let Some(activity) = peer.activity { <p>{ changing(texts::activity_sentence(activity)) }</p> }
                        if let Some(own) = own { { decisions(peer, &opened, own, ui) } }
                    }
                    <p class="hint">
                        { changing(if *own_tab { "Your key: " } else { "Their key: " }) }
                        <code data-testid="fingerprint" translate="no">{ peer.key.fingerprint() }</code>
                    </p>
                </div>
            }
        </li>
    }
}

/// The safety number, and what the person can decide about somebody who was called as in `opened` when it was shown. No
/// button takes the place of another one, wherever the pointer is.
fn decisions(peer: &Rc<PeerView>, opened: &Shown, own: &PublicKey, ui: &Ui) -> Html {
    let renamed = opened.name != peer.name;
    let verified = peer.trust == Trust::Verified;
    let verify = {
        let (opened, settled) = (opened.clone(), renamed || verified);
        ui.on(Box::new(move |ui| {
            if !settled {
                ui.command(Command::People(PeopleCommand::MarkVerified(opened.clone())));
            }
        }))
    };
    view! {
        <>
            <h2>{ "Safety number" }</h2>
            { html! { <SafetyNumber ours={*own} theirs={peer.key} /> } }
            <p class="hint">
                { "Compare this number with the one on their screen, side by side or in a call. If both match, nobody is between you." }
            </p>
            <div class="actions">
                // It keeps the focus, which an element that is disabled would lose.
                <button
                    type="button" data-testid="mark-verified" aria-disabled={(renamed || verified).then_some("true")}
                    aria-pressed={if verified { "true" } else { "false" }} onclick={verify}
                >
                    { "Numbers match" }if verified { { icon(CHECK) } }
                </button>
                <button
                    type="button" data-testid="block" onclick={blocking(peer, ui)}
                >
                    { "Block …" }
                </button>
            </div>
            if renamed {
                <p class="problem" data-testid="renamed">{ changing(&texts::renamed_meanwhile(opened.name.as_str())) }</p>
            }
        </>
    }
}

#[derive(Properties, PartialEq)]
pub struct SafetyNumberProps {
    pub ours: PublicKey,
    pub theirs: PublicKey,
}

/// The safety number: twelve groups of five digits. It takes thousands of hashes, so it is computed only once.
#[function_component]
pub fn SafetyNumber(props: &SafetyNumberProps) -> Html {
    let number = use_memo((props.ours, props.theirs), |(ours, theirs)| {
        safety_number(ours, theirs)
    });
    view! {
        <p class="digits" data-testid="safety-number" translate="no">
            { for number.split(' ').map(|group| view! { <><span>{ group }</span>{ " " }</> }) }
        </p>
    }
}
