//! The list of conversations: channels, then direct ones.

use yew::prelude::*;

use super::icon::{activity, face, icon};
use super::sentence::changing;
use crate::room::Conversation;
use crate::ui::context::Ui;
use crate::ui::hooks::clock;
use crate::ui::markup::view;
use crate::ui::state::{Action, Listed, State};
use crate::ui::texts;

/// The list. A narrow page shows it in place of the conversation.
pub fn talks(state: &State, listed: &[Listed], ui: &Ui) -> Html {
    let is_direct = |its: &&Listed| matches!(its.conversation, Conversation::Direct(_));
    let (direct, channels): (Vec<_>, Vec<_>) = listed.iter().partition(is_direct);
    let rows = |title: &'static str, these: &[&Listed]| {
        if these.is_empty() {
            return Html::default();
        }
        view! {
            <h2>{ title }</h2>
            <ul>{ for these.iter().map(|listed| row(listed, ui)) }</ul>
        }
    };
    // A narrow page shows nothing but the list then, and every page needs an `h1`.
    let heading = if state.list_open { "h1" } else { "p" };
    view! {
        <nav class="talks" part="conversations" aria-label="Conversations" data-testid="conversations">
            <header class="bar">
                <@{heading} class="room-name"><bdi translate="no">{ &state.opening.room }</bdi></@>
            </header>
            <div class="rows">
                { rows("Channels", &channels) }
                { rows("Direct", &direct) }
            </div>
        </nav>
    }
}

fn row(listed: &Listed, ui: &Ui) -> Html {
    let id = listed.conversation.to_string();
    let open = {
        let conversation = listed.conversation.clone();
        ui.on(Box::new(move |ui| {
            ui.act(Action::Open(conversation.clone()))
        }))
    };
    let when = listed.last.as_ref().map(|(_, at)| clock::short(*at));
    let said = listed.last.as_ref().map(|(text, _)| text.clone());
    let unread = listed.unread;
    let (badge, new) = (
        texts::badge(unread, listed.is_mentioned),
        texts::new_messages_for(unread, listed.is_mentioned),
    );
    view! {
        <li key={id.clone()}>
            <button
                type="button" class="talk" data-testid="conversation" data-id={id} data-unread={unread.to_string()}
                data-look={(!listed.is_here).then_some("away")} aria-current={listed.is_open.then_some("true")} onclick={open}
            >
                { sign(listed) }
                <span class="name"><bdi translate="no">{ &listed.title }</bdi>{ activity(listed.activity) }</span>
                if let Some(when) = when { <time class="hint" translate="no">{ when }</time> }
                if let Some(said) = said { <span class="hint last" dir="auto" translate="no">{ said }</span> }
                if unread > 0 {
                    <span
                        key={badge.clone()} class="badge" data-look={listed.is_called.then_some("mentioned")} translate="no"
                        title={listed.is_mentioned.then_some("You are mentioned")}
                    >
                        <span aria-hidden="true">{ badge }</span><span class="sr">{ changing(&new) }</span>
                    </span>
                }
            </button>
        </li>
    }
}

/// The face of a person, or the sign of a channel.
pub fn sign(listed: &Listed) -> Html {
    match (&listed.conversation, &listed.channel) {
        (Conversation::Direct(key), _) => face(&listed.title, key),
        (_, Some(channel)) if channel.icon.is_some() => {
            view! { <span class="sign" aria-hidden="true" translate="no">{ channel.icon.clone().unwrap_or_default() }</span> }
        }
        _ => view! { <span class="sign" aria-hidden="true" translate="no">{ "#" }</span> },
    }
}

/// What stands above the first message of a conversation.
pub fn beginning(listed: &Listed) -> Html {
    match (&listed.conversation, &listed.channel) {
        (Conversation::Direct(_), _) => view! {
            <div class="beginning"><p>{ changing(&texts::direct_beginning(&listed.title)) }</p></div>
        },
        (_, Some(channel)) if !channel.welcome.is_empty() => view! {
            <div class="beginning" data-testid="channel-welcome">
                { for channel.welcome.iter().map(|line| view! { <p dir="auto">{ line }</p> }) }
            </div>
        },
        _ => Html::default(),
    }
}

/// The button that leads from a conversation back to the list, in a narrow page, with what is unread elsewhere.
pub fn to_list(state: &State, button: &NodeRef, ui: &Ui) -> Html {
    let (all, mentions) = state.all_unread();
    let elsewhere = all.saturating_sub(state.talk.unread);
    let mentioned = mentions > state.talk.mentioned;
    let badge = texts::badge(elsewhere, mentioned);
    view! {
        <button
            ref={button.clone()} type="button" class="quiet to-list" data-testid="list-button"
            onclick={ui.acts(|| Action::List(true))}
        >
            { icon(super::icon::BACK) }
            if elsewhere > 0 { <span key={badge.clone()} class="badge" aria-hidden="true" translate="no">{ badge }</span> }
            <span class="sr">{ changing(&texts::to_list(elsewhere, mentioned)) }</span>
        </button>
    }
}
