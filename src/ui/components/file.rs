//! A file beside a message: what it is, how far it is, and what can be done with it.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;
use yew::prelude::*;

use super::icon::{CLIP, icon};
use super::sentence::changing;
use crate::room::{AttachmentCommand, Command, FileState, FileView, Message};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::use_change;
use crate::ui::markup::view;
use crate::ui::media::Showable;
use crate::ui::preview::{address, shown_size};
use crate::ui::state::Action;
use crate::ui::texts;
use crate::wire::attachment::Picture;
use crate::wire::{Attachment, FileKey};

#[derive(Properties)]
pub struct FileProps {
    pub message: Rc<Message>,
    pub view: FileView,
    pub ui: Ui,
}

/// What a message says of its file does not change.
impl PartialEq for FileProps {
    fn eq(&self, other: &FileProps) -> bool {
        self.view == other.view
            && (Rc::ptr_eq(&self.message, &other.message)
                || self.message.file == other.message.file)
    }
}

/// The file beside a message.
#[function_component]
pub fn File(props: &FileProps) -> Html {
    let shown = use_state(|| None::<Rc<Showable>>);
    let Some(file) = props.message.file.as_deref() else {
        return Html::default();
    };
    let FileView { state, here } = &props.view;
    {
        let (here, ui, file, shown) = (*here, props.ui.clone(), file.clone(), shown.setter());
        use_change(
            u64::from(here),
            Box::new(move || {
                if !here {
                    shown.set(None);
                } else if may_be_shown(&file) {
                    spawn_local(async move {
                        if let Some(showable) = look(&ui, file.key()).await {
                            shown.set(Some(Rc::new(showable)));
                        }
                    });
                }
            }),
        );
    }
    let progress = match state {
        FileState::Transferring { done, .. } => Some(texts::percent(*done, file.size)),
        FileState::Done => Some(100),
        _ => None,
    };
    let is_moving = matches!(state, FileState::Transferring { .. });
    let percent = progress.map(|progress| progress.to_string());
    let line = texts::file(file.size, &props.view);
    view! {
        <div
            class="file" part="file" data-testid="file" data-name={file.name.clone()} data-state={word(state)}
            data-progress={percent.clone()}
        >
            { appearance(props, file, shown.as_ref()) }
            <div class="about-file">
                { icon(CLIP) }
                <p><bdi dir="auto" translate="no">{ &file.name }</bdi><small key={word(state)}>{ changing(&line) }</small></p>
                { actions(props, file) }
            </div>
            if is_moving { { html! { <progress max="100" value={percent} aria-label={file.name.clone()} /> } } }
        </div>
    }
}

/// Whether it is worth looking at the bytes of a file: they decide whether it is shown.
fn may_be_shown(file: &Attachment) -> bool {
    let kinds = ["image/", "audio/", "video/"];
    file.picture.is_some() || kinds.iter().any(|kind| file.mime.starts_with(kind))
}

/// How a file that is here can be shown.
async fn look(ui: &Ui, key: FileKey) -> Option<Showable> {
    let blob = ui.backend.0.file(key).await?;
    let media = ui.backend.0.media().await.ok()?;
    media.showable(&blob).await
}

/// The state, in a word for style sheets and tests.
fn word(state: &FileState) -> &'static str {
    match state {
        FileState::Offered => "offered",
        FileState::Waiting => "waiting",
        FileState::Transferring { .. } => "transferring",
        FileState::Done => "done",
        FileState::Failed(_) => "failed",
        FileState::Refused => "refused",
    }
}

/// The picture, what stands in its place, or a player.
fn appearance(props: &FileProps, file: &Attachment, shown: Option<&Rc<Showable>>) -> Html {
    match (shown, &file.picture) {
        (Some(shown), picture) if shown.kind == "picture" => {
            let size = picture.as_ref().map(shown_size);
            let opens = {
                let (ui, shown, name) = (props.ui.clone(), shown.clone(), file.name.clone());
                Callback::from(move |event: Event| {
                    let opener = event.target().and_then(|it| it.dyn_into::<Element>().ok());
                    let opener = opener.and_then(|it| it.closest("button").ok().flatten());
                    let (ui, shown, name) = (ui.clone(), shown.clone(), name.clone());
                    spawn_local(async move {
                        if let (Ok(media), Some(opener)) = (ui.backend.0.media().await, opener) {
                            media.view(&shown.address, &name, &opener);
                        }
                    });
                })
            };
            let (width, height) = size.map_or((None, None), |(width, height)| {
                (Some(width.to_string()), Some(height.to_string()))
            });
            view! {
                <button key={"shown"} type="button" class="picture" data-testid="picture-open" aria-label={format!("Look at {}", file.name)} onclick={opens}>
                    <img
                        data-testid="picture" src={shown.address.clone()} alt={file.name.clone()} width={width} height={height}
                    />
                </button>
            }
        }
        (Some(shown), _) => {
            let tag: &'static str = if shown.kind == "audio" {
                "audio"
            } else {
                "video"
            };
            view! {
                <@{tag} key={"player"} class="player" data-testid="player" src={shown.address.clone()} controls="" preload="metadata" aria-label={file.name.clone()}></@>
            }
        }
        (None, Some(picture)) => tile(props, file, picture),
        (None, None) => Html::default(),
    }
}

/// What stands in the place of a picture that is not here, or not shown yet.
fn tile(props: &FileProps, file: &Attachment, picture: &Picture) -> Html {
    let (width, height) = shown_size(picture);
    let size = texts::bytes(file.size);
    let can_fetch = can_fetch(&props.view);
    let onclick = acts(&props.ui, AttachmentCommand::Fetch(file.key()), can_fetch);
    let words = format!("{size}{}", if can_fetch { " · Show" } else { "" });
    let ground = address(picture.preview.as_ref());
    view! {
        <button key={"tile"} type="button" class="picture tile" data-testid="picture" onclick={onclick}>
            <img src={ground} alt="" width={width.to_string()} height={height.to_string()} />
            <span>{ "Picture from " }<bdi translate="no">{ &props.message.sender }</bdi>{ " · " }{ changing(&words) }</span>
        </button>
    }
}

fn can_fetch(view: &FileView) -> bool {
    let is_open = matches!(
        view.state,
        FileState::Offered | FileState::Failed(_) | FileState::Refused
    );
    is_open && !view.here
}

fn acts(ui: &Ui, command: AttachmentCommand, is_possible: bool) -> Callback<Event> {
    let ui = ui.clone();
    Callback::from(move |_| {
        if is_possible {
            ui.command(Command::Attachment(command));
        }
    })
}

/// The buttons for what can be done now.
fn actions(props: &FileProps, file: &Attachment) -> Html {
    let (key, view) = (file.key(), &props.view);
    let button = |test: &'static str, word: &'static str, command| {
        let onclick = acts(&props.ui, command, true);
        let label = format!("{word} {}", file.name);
        view! { <button key={test} type="button" data-testid={test} aria-label={label} onclick={onclick}>{ word }</button> }
    };
    let saves = {
        let (ui, name) = (props.ui.clone(), file.name.clone());
        Callback::from(move |_: Event| {
            let (ui, name) = (ui.clone(), name.clone());
            spawn_local(async move { save(&ui, key, &name).await });
        })
    };
    let is_moving = matches!(
        view.state,
        FileState::Waiting | FileState::Transferring { .. }
    );
    let fetch = match &view.state {
        FileState::Failed(_) => "Try again",
        _ if file.picture.is_some() => "Show",
        _ => "Download",
    };
    view! {
        <div class="file-actions">
            if can_fetch(view) { { button("accept-file", fetch, AttachmentCommand::Fetch(key)) } }
            if view.state == FileState::Offered && !view.here { { button("refuse-file", "No", AttachmentCommand::Refuse(key)) } }
            if is_moving { { button("cancel-file", "Cancel", AttachmentCommand::Cancel(key)) } }
            if view.here {
                <button key={"save"} type="button" data-testid="save-file" aria-label={format!("Save {}", file.name)} onclick={saves}>{ "Save" }</button>
            }
        </div>
    }
}

async fn save(ui: &Ui, key: FileKey, name: &str) {
    match (ui.backend.0.file(key).await, ui.backend.0.media().await) {
        (Some(blob), Ok(media)) => media.save(&blob, name),
        (None, _) => ui.act(Action::Notice(
            "The file is not here any more. Somebody else may have it.".to_owned(),
        )),
        (_, Err(why)) => ui.act(Action::Notice(why)),
    }
}
