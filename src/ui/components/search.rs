//! Looking for messages: a field in the bar, and below it what was found.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::icon::{SEARCH, icon};
use super::sentence::changing;
use crate::room::{ChatCommand, Command, Conversation, Message};
use crate::ui::context::Ui;
use crate::ui::hooks::clock;
use crate::ui::hooks::listen::use_flag;
use crate::ui::markup::view;
use crate::ui::state::{Action, Found, Listed};
use crate::ui::texts;
use std::rc::Rc;

#[derive(Properties, PartialEq)]
pub struct SearchProps {
    pub found: Option<Rc<Found>>,
    /// The conversation that is open.
    pub open: Listed,
    /// Whether there are others.
    pub has_others: bool,
    pub ui: Ui,
}

/// The field and the results.
#[function_component]
pub fn Search(props: &SearchProps) -> Html {
    let SearchProps {
        found,
        open,
        has_others,
        ui,
    } = props;
    let field = use_node_ref();
    let here_only = use_flag();
    let look = {
        let (field, ui, open) = (field.clone(), ui.clone(), open.conversation.clone());
        move |here_only: bool| {
            let Some(field) = field.cast::<HtmlInputElement>() else {
                return;
            };
            let text = field.value();
            if text.trim().is_empty() {
                return ui.act(Action::EndSearch);
            }
            let conversation = here_only.then(|| open.clone());
            ui.command(Command::Chat(ChatCommand::Search { conversation, text }));
        }
    };
    let on_input = {
        let (look, here_only) = (look.clone(), *here_only);
        Callback::from(move |_: Event| look(here_only))
    };
    let on_scope = {
        let here = here_only.clone();
        Callback::from(move |_: Event| {
            here.set(!*here);
            look(!*here);
        })
    };
    let result = |message: &Message| {
        let (conversation, id) = (message.conversation.clone(), message.id.clone());
        let (field, clear) = (field.clone(), ui.clone());
        let go = Callback::from(move |_: Event| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                field.set_value("");
            }
            clear.command(Command::Chat(ChatCommand::Reveal(id.clone())));
            clear.act(Action::Find(conversation.clone(), id.clone()));
        });
        let place = match &message.conversation {
            Conversation::Channel(name) => format!("#{name}"),
            Conversation::Direct(_) => message.with.clone().unwrap_or_default(),
        };
        view! {
            <li key={message.id.0.clone()}>
                <button type="button" class="result" data-testid="search-result" data-id={message.id.0.clone()} onclick={go}>
                    <span class="name"><bdi translate="no">{ &message.sender }</bdi></span>
                    if *has_others { <span class="hint" translate="no">{ place }</span> }
                    <time class="hint" translate="no">{ clock::short(message.at) }</time>
                    <span class="last" dir="auto" translate="no">{ texts::excerpt(&message.text, found.as_ref().map_or("", |found| &found.text)) }</span>
                </button>
            </li>
        }
    };
    view! {
        <div class="search" data-look={found.is_some().then_some("open")}>
            <label>
                { icon(SEARCH) }
                <input
                    ref={field.clone()} type="search" data-testid="search" aria-label="Search messages" placeholder="Search"
                    autocomplete="off" oninput={on_input}
                />
            </label>
            if let Some(found) = found {
                <div class="results" role="region" aria-label="Search results" data-testid="search-results">
                    <p class="hint" role="status">{ changing(&texts::found(found.messages.len())) }</p>
                    if *has_others {
                        <label class="scope">
                            <input type="checkbox" data-testid="search-here" oninput={on_scope} />
                            <span>{ "Only in this conversation" }</span>
                        </label>
                    }
                    <ul>{ for found.messages.iter().map(result) }</ul>
                </div>
            }
        </div>
    }
}
