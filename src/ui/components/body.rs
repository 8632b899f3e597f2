//! What a message says: its blocks and spans as elements, and its text as text nodes, never as markup.

use web_sys::Node;
use yew::prelude::*;

use super::sentence::changing;
use crate::ui::forward::FORWARDED;
use crate::ui::hooks::listen::{copy, use_flag, use_interval, window};
use crate::ui::markdown::{Block, Content, Item, Span};
use crate::ui::markup::view;
use crate::ui::mentions::{Mention, places};

/// The blocks of a message, which mentions these people. A message that is only text needs no element around it.
pub fn body(blocks: &[Block<'_>], who: &[Mention]) -> Html {
    match blocks {
        [Block::Text(text)] => spans(text, who),
        _ => blocks
            .iter()
            .map(|part| block(part, Some("auto"), who))
            .collect(),
    }
}

/// A block. The text in a quote has no direction of its own, because it gives the quote its direction.
fn block(block: &Block<'_>, dir: Option<&'static str>, who: &[Mention]) -> Html {
    match block {
        Block::Text(text) => view! { <p dir={dir}>{ spans(text, who) }</p> },
        Block::Emoji(emoji) => view! { <span class="emoji">{ *emoji }</span> },
        Block::Code { language, text } => {
            html! { <Code language={(*language).to_owned()} code={text.concat()} /> }
        }
        Block::Quote(inner) => {
            // The line of a message that was passed on is there for all, and is no one's words.
            let is_forwarded = matches!(&**inner, [Block::Text(text)] if text.first().is_some_and(
                |span| matches!(span.content, Content::Text(text) if text.starts_with(FORWARDED))
            ));
            let look = is_forwarded.then_some("forwarded");
            let inner = inner.iter().map(|part| self::block(part, None, who));
            let inner: Html = inner.collect();
            view! { <blockquote dir="auto" data-look={look}>{ inner }</blockquote> }
        }
        Block::List(items) => {
            view! { <div class="list" role="list">{ items.iter().map(|it| item(it, who)).collect::<Html>() }</div> }
        }
    }
}

/// Its number is text, because it is what was typed, and goes along when the list is copied.
fn item(item: &Item<'_>, who: &[Mention]) -> Html {
    let level = item.depth.to_string();
    view! {
        <div role="listitem" dir="auto" data-look={level}><span>{ item.marker }{ " " }</span>{ spans(&item.spans, who) }</div>
    }
}

fn spans(spans: &[Span<'_>], who: &[Mention]) -> Html {
    spans.iter().map(|it| span(it, who)).collect()
}

/// A text, with the people that it mentions.
fn text(text: &str, who: &[Mention]) -> Html {
    let (mut parts, mut end) = (Vec::new(), 0);
    for (place, own) in places(text, who) {
        parts.push(Html::from(&text[end..place.start]));
        let own = own.then_some("you");
        end = place.end;
        parts.push(view! {
            <b class="mention" data-testid="mention" data-mentions={own} translate="no">{ &text[place] }</b>
        });
    }
    parts.push(Html::from(&text[end..]));
    parts.into_iter().collect()
}

fn span(span: &Span<'_>, who: &[Mention]) -> Html {
    let mut html = match &span.content {
        Content::Text(text) => self::text(text, who),
        Content::Code(code) => view! { <code translate="no">{ *code }</code> },
        Content::Address(address) => link(address, Html::from(*address)),
        Content::Link {
            target,
            host,
            label,
        } => {
            let host =
                host.map(|host| view! { <small translate="no">{ format!(" ({host})") }</small> });
            // Nothing in the label turns around what follows it.
            link(
                target,
                view! { <><bdi>{ spans(label, who) }</bdi>{ host.unwrap_or_default() }</> },
            )
        }
    };
    if span.style.struck {
        html = view! { <s>{ html }</s> };
    }
    if span.style.emphasis {
        html = view! { <em>{ html }</em> };
    }
    if span.style.strong {
        html = view! { <strong>{ html }</strong> };
    }
    html
}

fn link(target: &str, text: Html) -> Html {
    view! { <a href={target.to_owned()} target="_blank" rel="noopener noreferrer nofollow">{ text }</a> }
}

#[derive(Properties, PartialEq)]
struct CodeProps {
    language: String,
    code: String,
}

/// A block of code. It scrolls sideways by itself, and a button copies it.
#[function_component]
fn Code(props: &CodeProps) -> Html {
    let (copied, code) = (use_flag(), use_node_ref());
    {
        let setter = copied.setter();
        use_interval(
            (*copied).then_some(2_500),
            Callback::from(move |()| setter.set(false)),
        );
    }
    let on_click = {
        let (text, code, copied) = (props.code.clone(), code.clone(), copied.setter());
        Callback::from(move |_: Event| {
            let (code, copied) = (code.clone(), copied.clone());
            let then = move |done: bool| {
                if done {
                    copied.set(true);
                } else if let (Ok(Some(selection)), Some(code)) =
                    (window().get_selection(), code.cast::<Node>())
                {
                    // Where the browser does not allow it, a key does the rest.
                    let _ = selection.select_all_children(&code);
                }
            };
            copy(&text, Box::new(then));
        })
    };
    view! {
        <figure>
            <figcaption>
                <span translate="no">{ &props.language }</span>
                <button type="button" data-testid="copy-code" onclick={on_click}>
                    { changing(if *copied { "Copied" } else { "Copy" }) }
                </button>
            </figcaption>
            <pre ref={code} dir="ltr" tabindex="0" role="group" aria-label="Code" translate="no">{ &props.code }</pre>
        </figure>
    }
}
