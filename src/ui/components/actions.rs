//! What can be done with a message: the menu beside it, and the reactions below it.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Element, FocusEvent, HtmlElement, KeyboardEvent, Node};
use yew::prelude::*;

use super::icon::{ADD, MORE, PEOPLE, icon};
use crate::room::{ChatCommand, Command, Deletion, Message, MessageId, Reaction};
use crate::ui::composing::{Composing, Purpose};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{copy, focus, use_change, use_flag};
use crate::ui::markup::view;
use crate::ui::state::Action;
use crate::ui::{assist, texts};

/// The emoji that people react with most.
const EMOJI: [&str; 6] = ["👍", "❤️", "😂", "🎉", "😮", "😢"];

#[derive(Properties)]
pub struct ActionsProps {
    pub message: Rc<Message>,
    pub ui: Ui,
}

/// The menu depends on nothing that changes often.
impl PartialEq for ActionsProps {
    fn eq(&self, other: &ActionsProps) -> bool {
        let of = |props: &ActionsProps| (props.message.id.clone(), props.message.text.clone());
        Rc::ptr_eq(&self.message, &other.message) || of(self) == of(other)
    }
}

/// The button that opens the menu of a message, and the menu.
#[function_component]
pub fn Actions(props: &ActionsProps) -> Html {
    let (open, picking) = (use_flag(), use_flag());
    let (frame, button, menu) = (use_node_ref(), use_node_ref(), use_node_ref());
    {
        let menu = menu.clone();
        let is_open = *open;
        let what = if *picking { ".emoji" } else { "button" };
        use_change(
            u64::from(is_open) + u64::from(*picking),
            Box::new(move || {
                let first = menu.cast::<HtmlElement>().filter(|_| is_open);
                let first = first.and_then(|menu| menu.query_selector(what).ok().flatten());
                focus_element(first);
            }),
        );
    }
    let close = {
        let (open, picking) = (open.setter(), picking.setter());
        Callback::from(move |()| {
            open.set(false);
            picking.set(false);
        })
    };
    let toggle = {
        let (open, picking) = (open.clone(), picking.setter());
        Callback::from(move |_: Event| {
            picking.set(false);
            open.set(!*open);
        })
    };
    let on_focus_out = {
        let (frame, close) = (frame.clone(), close.clone());
        Callback::from(move |event: Event| {
            let to = event
                .dyn_ref::<FocusEvent>()
                .and_then(FocusEvent::related_target);
            let to = to.and_then(|to| to.dyn_into::<Node>().ok());
            let frame = frame.cast::<Node>();
            if !frame.is_some_and(|frame| frame.contains(to.as_ref())) {
                close.emit(());
            }
        })
    };
    let on_key_down = {
        let (menu, button, close) = (menu.clone(), button.clone(), close.clone());
        Callback::from(move |event: Event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else {
                return;
            };
            let step = match event.key().as_str() {
                "Escape" => {
                    event.stop_propagation();
                    focus(&button);
                    return close.emit(());
                }
                "ArrowDown" | "ArrowRight" => 1,
                "ArrowUp" | "ArrowLeft" => -1,
                _ => return,
            };
            event.prevent_default();
            move_focus(&menu, step);
        })
    };
    view! {
        <div ref={frame} class="acts" onfocusout={on_focus_out}>
            <button
                ref={button.clone()} type="button" class="more" data-testid="message-menu" aria-haspopup="menu"
                aria-expanded={open.to_string()} aria-label="What to do with this message" title="More" onclick={toggle}
            >
                { icon(MORE) }
            </button>
            if *open {
                <div ref={menu} class="menu" role="menu" onkeydown={on_key_down}>
                    { entries(props, &close, &picking.setter()) }
                    if *picking {
                        <div class="picker">
                            { for EMOJI.iter().map(|emoji| pick(emoji, props, &close)) }
                            { more(props, &button, &close) }
                        </div>
                    }
                </div>
            }
        </div>
    }
}

fn pick(emoji: &'static str, props: &ActionsProps, close: &Callback<()>) -> Html {
    let (id, ui, close) = (props.message.id.clone(), props.ui.clone(), close.clone());
    let onclick = Callback::from(move |_: Event| {
        close.emit(());
        react(&ui, &id, emoji, true);
    });
    view! {
        <button type="button" class="emoji" role="menuitem" data-testid="emoji" data-emoji={emoji} onclick={onclick}>{ emoji }</button>
    }
}

/// The button that opens the picker of all emoji, which gives the focus back to the one that opened the menu.
fn more(props: &ActionsProps, button: &NodeRef, close: &Callback<()>) -> Html {
    let (id, ui, button, close) = (
        props.message.id.clone(),
        props.ui.clone(),
        button.clone(),
        close.clone(),
    );
    let onclick = Callback::from(move |_: Event| {
        close.emit(());
        let (reacting, id) = (ui.clone(), id.clone());
        let then = Box::new(move |emoji: String| react(&reacting, &id, &emoji, true));
        assist::pick(&ui, &button, None, then);
    });
    view! {
        <button
            type="button" class="emoji" role="menuitem" data-testid="emoji-more" aria-label="All emoji" title="All emoji"
            onclick={onclick}
        >
            { icon(ADD) }
        </button>
    }
}

fn entries(props: &ActionsProps, close: &Callback<()>, picking: &UseStateSetter<bool>) -> Html {
    let message = &props.message;
    let entry = |test: &'static str, word: &'static str, act: Callback<()>| {
        let close = close.clone();
        let onclick = Callback::from(move |_: Event| {
            close.emit(());
            act.emit(());
        });
        view! { <button key={test} type="button" role="menuitem" data-testid={test} onclick={onclick}>{ word }</button> }
    };
    let compose = |purpose| {
        let (ui, message) = (props.ui.clone(), message.clone());
        Callback::from(move |()| {
            let composing = Composing::new(purpose, &message);
            ui.act(Action::Compose(Some(Rc::new(composing))));
        })
    };
    let retract = {
        let (ui, id) = (props.ui.clone(), message.id.clone());
        Callback::from(move |()| ui.command(Command::Chat(ChatCommand::Retract(id.clone()))))
    };
    let delete = {
        let (ui, id) = (props.ui.clone(), message.id.clone());
        Callback::from(move |()| {
            let deletion = Deletion::Message(id.clone());
            ui.command(Command::Chat(ChatCommand::Delete(deletion)));
        })
    };
    let forward = {
        let (ui, message) = (props.ui.clone(), message.clone());
        Callback::from(move |()| ui.act(Action::Forward(Some(message.clone()))))
    };
    let copies = {
        let (ui, message) = (props.ui.clone(), message.clone());
        Callback::from(move |()| {
            let ui = ui.clone();
            let then = move |copied: bool| {
                if !copied {
                    ui.act(Action::Notice(texts::NOT_COPIED.to_owned()));
                }
            };
            copy(&message.text, Box::new(then));
        })
    };
    let to_picker = {
        let picking = picking.clone();
        Callback::from(move |_: Event| picking.set(true))
    };
    view! {
        <>
            // What nobody can prove is neither answered nor changed.
            if !message.imported {
                <button key={"react"} type="button" role="menuitem" data-testid="react" onclick={to_picker}>{ "React" }</button>
                { entry("reply", "Reply", compose(Purpose::Reply)) }
            }
            { entry("forward", "Forward", forward) }
            { entry("copy", "Copy", copies) }
            if message.own && !message.imported {
                { entry("edit", "Edit", compose(Purpose::Edit)) }
                { entry("retract", "Take back", retract) }
            }
            { entry("delete", "Delete here", delete) }
        </>
    }
}

/// Moves the focus to the next or the previous entry of a menu, in a circle.
fn move_focus(menu: &NodeRef, step: i32) {
    let Some(menu) = menu.cast::<HtmlElement>() else {
        return;
    };
    let Ok(entries) = menu.query_selector_all("button") else {
        return;
    };
    let count = entries.length();
    let entry = |index: u32| entries.item(index)?.dyn_into::<Element>().ok();
    let has_focus =
        |index: &u32| entry(*index).is_some_and(|it| it.matches(":focus").unwrap_or(false));
    let at = (0..count).find(has_focus).unwrap_or(0);
    let next = (at as i32 + step).rem_euclid(count.max(1) as i32);
    focus_element(entry(next as u32));
}

fn focus_element(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

fn react(ui: &Ui, id: &MessageId, emoji: &str, on: bool) {
    ui.command(Command::Chat(ChatCommand::React {
        id: id.clone(),
        emoji: emoji.to_owned(),
        on,
    }));
}

/// The reactions below a message. A press sets or takes back one's own.
pub fn reactions(message: &Message, ui: &Ui) -> Html {
    if message.reactions.is_empty() {
        return Html::default();
    }
    let chip = |reaction: &Reaction| {
        let Reaction { emoji, people, own } = reaction;
        let names: Vec<&str> = people.iter().map(|(_, name)| name.as_str()).collect();
        let who = texts::reacted(emoji, &names);
        let onclick = {
            let (ui, id, emoji, own) = (ui.clone(), message.id.clone(), emoji.clone(), *own);
            Callback::from(move |_: Event| react(&ui, &id, &emoji, !own))
        };
        view! {
            <button
                key={emoji.clone()} type="button" class="reaction" data-testid="reaction" data-emoji={emoji.clone()}
                data-count={people.len().to_string()} data-own={own.to_string()} aria-pressed={own.to_string()}
                title={who} onclick={onclick}
            >
                <span>{ emoji }</span><span key={people.len()}>{ people.len() }</span>
            </button>
        }
    };
    // What a pointer shows over a chip, for fingers and keys.
    let line = |Reaction { emoji, people, .. }: &Reaction| {
        let names = people
            .iter()
            .map(|(_, name)| view! { <bdi translate="no">{ name }</bdi> });
        view! { <li><span>{ emoji }</span>{ for names }</li> }
    };
    view! {
        <div class="reactions">
            { for message.reactions.iter().map(chip) }
            <details class="who" data-testid="who-reacted">
                <summary aria-label="Who reacted" title="Who reacted">{ icon(PEOPLE) }</summary>
                <ul>{ for message.reactions.iter().map(line) }</ul>
            </details>
        </div>
    }
}
