//! Saving what was said as a file, and taking such a file in.

use std::rc::Rc;

use js_sys::{Array, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Blob, HtmlElement, HtmlInputElement};
use yew::prelude::*;

use super::sentence::changing;
use crate::room::{ChatCommand, Command, ImportError, MAX_IMPORT};
use crate::ui::context::Ui;
use crate::ui::export::{Format, save};
use crate::ui::markup::view;
use crate::ui::state::{Action, Import};
use crate::ui::texts;

#[derive(Properties, PartialEq)]
pub struct TransferProps {
    /// How far the import of a file has come.
    pub import: Option<Rc<Import>>,
    pub ui: Ui,
}

/// The buttons, and what came of an import.
#[function_component]
pub fn Transfer(props: &TransferProps) -> Html {
    let ui = &props.ui;
    let picker = use_node_ref();
    // The file that was picked last: it may be wanted once more, with what was deleted.
    let file = use_mut_ref(|| None::<Blob>);
    let pick = {
        let picker = picker.clone();
        Callback::from(move |_: Event| {
            if let Some(picker) = picker.cast::<HtmlElement>() {
                picker.click();
            }
        })
    };
    let picked = {
        let (ui, file) = (ui.clone(), file.clone());
        Callback::from(move |event: Event| {
            let Some(picker) = event.target_dyn_into::<HtmlInputElement>() else {
                return;
            };
            let files = Reflect::get(&picker, &"files".into()).unwrap_or_default();
            if let Ok(blob) = Array::from(&files).get(0).dyn_into::<Blob>() {
                file.replace(Some(blob.clone()));
                import(&ui, blob, false);
            }
            // The same file can be picked once more.
            picker.set_value("");
        })
    };
    let restore = {
        let (ui, file) = (ui.clone(), file.clone());
        Callback::from(move |_: Event| {
            if let Some(blob) = file.borrow().clone() {
                import(&ui, blob, true);
            }
        })
    };
    let export = |format: Format, word: &'static str| {
        let export = ui.on(Box::new(move |ui| export(ui, format)));
        view! {
            <button
                type="button" class="quiet" data-testid="export" data-format={format.as_str()} title={texts::export_title(format)}
                onclick={export}
            >
                { word }
            </button>
        }
    };
    let words = props.import.as_deref().map(texts::import);
    let failed = matches!(props.import.as_deref(), Some(Import::Failed(_)));
    let deleted = match props.import.as_deref() {
        Some(Import::Done(all)) => all.deleted,
        _ => 0,
    };
    view! {
        <div class="transfer" role="group" aria-label="Export and import">
            <span>{ "Export" }</span>
            { export(Format::Html, "Page") }
            { export(Format::Text, "Text") }
            { export(Format::Json, "JSON") }
            <button type="button" class="quiet" data-testid="import" onclick={pick}>{ "Import …" }</button>
            <input
                ref={picker} type="file" class="sr" accept=".json,application/json" tabindex="-1" data-testid="import-file"
                aria-label="File to import" oninput={picked}
            />
            <p
                class="words" role="status" data-testid="import-words" data-look={failed.then_some("problem")}
                hidden={words.is_none().then_some("")}
            >
                { changing(words.as_deref().unwrap_or_default()) }
            </p>
            if deleted > 0 {
                <button type="button" data-testid="import-deleted" onclick={restore}>{ "Bring them back" }</button>
            }
        </div>
    }
}

fn export(ui: &Ui, format: Format) {
    let Some((room, content)) = ui.backend.0.export(format) else {
        return;
    };
    let ui = ui.clone();
    spawn_local(async move {
        if let Err(sentence) = save(format, room, content).await {
            ui.act(Action::Notice(sentence));
        }
    });
}

/// Reads a file, if it is not too large, and hands it to the room.
fn import(ui: &Ui, file: Blob, restores: bool) {
    let failed = |sentence: String| Action::Import(Import::Failed(sentence));
    if file.size() > MAX_IMPORT as f64 {
        return ui.act(failed(ImportError::TooLarge.to_string()));
    }
    ui.act(Action::Import(Import::Going));
    let ui = ui.clone();
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await.ok();
        match text.and_then(|text| text.as_string()) {
            Some(file) => ui.command(Command::Chat(ChatCommand::Import { file, restores })),
            None => ui.act(failed(texts::NOT_READ.to_owned())),
        }
    });
}
