//! The card in an empty room, which says what to do next.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::icon::{CHECK, LINK, LOCK, icon};
use super::sentence::changing;
use crate::settings::CallKinds;
use crate::ui::backend::{Entry, Opening};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{copy, document, use_flag, use_interval};
use crate::ui::markup::view;
use crate::ui::state::{Action, Emptiness};
use crate::ui::texts;

pub fn empty(why: Emptiness, opening: &Opening, ui: &Ui) -> Html {
    let private = opening.entry == Entry::Private;
    let select = Callback::from(|event: Event| {
        if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
            input.select();
        }
    });
    let make_private = ui.on(Box::new(|ui| match ui.backend.0.private_link() {
        Ok(link) => {
            // Only the fragment changes. The page starts again on the `hashchange` event.
            if let Some(location) = document().location() {
                let _ = location.set_href(&link);
            }
        }
        Err(reason) => ui.act(Action::Notice(reason)),
    }));
    view! {
        <section class="card empty" data-testid="empty">
            <h2>{ texts::emptiness(why) }</h2>
            if let Some(sentence) = texts::emptiness_sentence(why, opening.accept) { <p>{ sentence }</p> }
            <p>
                if private {
                    { "Share this link only with the people you want here: it holds the secret of this room. They appear here when they open it." }
                } else {
                    { "Share this link. People appear here when they open it." }
                }
            </p>
            <div class="field">
                <input type="text" readonly="readonly" dir="ltr" aria-label="Link to this room" data-testid="link"
                    value={opening.link.clone()} onfocus={select} />
                { html! { <CopyLink link={opening.link.clone()} label="Copy" class="primary" ui={ui.clone()} /> } }
            </div>
            <p>
                <a href={opening.link.clone()} target="_blank" rel="noopener" data-testid="another-tab">
                    { "Open this page in another tab to try it" }
                </a>
            </p>
            if opening.calls != CallKinds::Off { <p class="hint">{ texts::calls::EMPTY }</p> }
            if opening.entry == Entry::Open {
                <div class="offer">
                    <button type="button" class="quiet" data-testid="make-private" onclick={make_private}>
                        { icon(LOCK) }{ "Create a private room" }
                    </button>
                    <p
                        class="hint"
                    >
                        { "You get a new link with a secret in it. Only people with that link can find the room or read along." }
                    </p>
                </div>
            }
        </section>
    }
}

#[derive(Properties, PartialEq)]
pub struct CopyLinkProps {
    pub link: String,
    pub label: &'static str,
    /// `primary` or `quiet`.
    pub class: &'static str,
    pub ui: Ui,
}

/// A button that copies the link and confirms it.
#[function_component]
pub fn CopyLink(props: &CopyLinkProps) -> Html {
    let copied = use_flag();
    {
        let setter = copied.setter();
        use_interval(
            (*copied).then_some(2_500),
            Callback::from(move |()| setter.set(false)),
        );
    }
    let on_click = {
        let (link, ui, copied) = (props.link.clone(), props.ui.clone(), copied.setter());
        Callback::from(move |_: Event| {
            let (ui, copied) = (ui.clone(), copied.clone());
            let then = move |done: bool| {
                if done {
                    copied.set(true);
                } else {
                    ui.act(Action::Notice(
                        "The browser did not allow copying the link. You can find it in the address bar.".into(),
                    ));
                }
            };
            copy(&link, Box::new(then));
        })
    };
    view! {
        <>
            <button type="button" class="copy" data-look={props.class} data-testid="copy-link" onclick={on_click}>
                { icon(if *copied { CHECK } else { LINK }) }
                <span>{ changing(if *copied { "Copied" } else { props.label }) }</span>
            </button>
            <span class="sr" role="status">{ changing(if *copied { "Link copied" } else { "" }) }</span>
        </>
    }
}
