//! Files that wait in the composer until they are sent: picked, pasted or dropped.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, Element, HtmlElement, HtmlInputElement};
use yew::prelude::*;

use super::icon::{CLIP, CLOSE, icon};
use super::sentence::changing;
use crate::browser::Listener;
use crate::room::{ChatCommand, Command};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{focus, use_mount};
use crate::ui::markup::view;
use crate::ui::state::Action;
use crate::ui::texts;
use crate::wire::Attachment;

/// At most this many files wait at once.
const MAX_CHIPS: usize = 20;

/// A file that waits.
struct Chip {
    id: u32,
    file: Blob,
    name: String,
    /// Whether a picture is to be sent as it is.
    original: bool,
    state: ChipState,
}

enum ChipState {
    Preparing,
    /// It is ready; the flag says whether it is a picture that is sent as it is.
    Ready(Box<Attachment>, bool),
    Failed(String),
}

struct Inner {
    chips: RefCell<Vec<Chip>>,
    /// What is said with the files, as soon as all of them are ready.
    outgoing: RefCell<Option<ChatCommand>>,
    last: Cell<u32>,
    redraw: UseForceUpdateHandle,
    ui: Ui,
}

/// The files that wait.
#[derive(Clone)]
pub struct Chips(Rc<Inner>);

/// The files that wait in the composer with this field. What is pasted there, or dropped on the chat, is added, where there
/// are files at all.
#[hook]
pub fn use_chips(field: &NodeRef, has_files: bool, ui: &Ui) -> Chips {
    let redraw = use_force_update();
    let ui = ui.clone();
    let chips = use_memo((), |()| {
        Chips(Rc::new(Inner {
            chips: RefCell::default(),
            outgoing: RefCell::default(),
            last: Cell::new(0),
            redraw,
            ui,
        }))
    });
    {
        let (chips, field) = ((*chips).clone(), field.clone());
        use_mount(Box::new(move || {
            let field_here = field.cast::<Element>().filter(|_| has_files);
            let chat = field_here?.closest(".rt").ok()??;
            Some(Box::new(listen(&chips, &field, &chat)))
        }));
    }
    (*chips).clone()
}

/// The files in what was pasted or dropped.
fn files_in(event: &Event, what: &str) -> Vec<Blob> {
    let get = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).unwrap_or_default();
    let files = get(&get(event, what), "files");
    let files = files.is_object().then(|| Array::from(&files));
    let files = files.unwrap_or_default();
    files
        .iter()
        .filter_map(|file| file.dyn_into().ok())
        .collect()
}

/// Whether files are being dragged, of which nothing else is known yet.
fn drags_files(event: &Event) -> bool {
    let types = Reflect::get(event, &"dataTransfer".into())
        .and_then(|transfer| Reflect::get(&transfer, &"types".into()));
    types.is_ok_and(|types| types.is_object() && Array::from(&types).includes(&"Files".into(), 0))
}

/// What is done when something is pasted or dragged.
type Act = Box<dyn Fn(&Chips, &Event)>;

fn listen(chips: &Chips, field: &NodeRef, chat: &Element) -> [Listener; 4] {
    let on = |kind: &'static str, act: Act| {
        let chips = chips.clone();
        Listener::new(chat, kind, Box::new(move |event| act(&chips, &event)))
    };
    let mark = {
        let chat = chat.clone();
        move |is_over: bool| {
            let _ = chat.toggle_attribute_with_force("data-drop", is_over);
        }
    };
    let (over, left) = (mark.clone(), mark.clone());
    let (pasted_field, dropped_field) = (field.clone(), field.clone());
    [
        on(
            "paste",
            Box::new(move |chips, event| {
                let files = files_in(event, "clipboardData");
                if !files.is_empty() {
                    event.prevent_default();
                    chips.add(files);
                    focus(&pasted_field);
                }
            }),
        ),
        // Without this, the browser would open what is dropped.
        on(
            "dragover",
            Box::new(move |_, event| {
                if drags_files(event) {
                    event.prevent_default();
                    over(true);
                }
            }),
        ),
        on("dragleave", Box::new(move |_, _| left(false))),
        on(
            "drop",
            Box::new(move |chips, event| {
                mark(false);
                let files = files_in(event, "dataTransfer");
                if !files.is_empty() {
                    event.prevent_default();
                    chips.add(files);
                    focus(&dropped_field);
                }
            }),
        ),
    ]
}

impl Chips {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.chips.borrow().is_empty()
    }

    fn add(&self, files: Vec<Blob>) {
        for file in files {
            if self.0.chips.borrow().len() >= MAX_CHIPS {
                let words = format!("At most {MAX_CHIPS} files are sent at once.");
                self.0.ui.act(Action::Notice(words));
                break;
            }
            let name = Reflect::get(&file, &"name".into()).ok();
            let name = name.and_then(|name| name.as_string()).unwrap_or_default();
            let id = self.0.last.replace(self.0.last.get().wrapping_add(1));
            self.0.chips.borrow_mut().push(Chip {
                id,
                file,
                name: crate::wire::attachment::file_name(&name),
                original: false,
                state: ChipState::Preparing,
            });
            self.prepare(id);
        }
        self.0.redraw.force_update();
    }

    fn with<T>(&self, id: u32, act: impl FnOnce(&mut Chip) -> T) -> Option<T> {
        let mut chips = self.0.chips.borrow_mut();
        chips.iter_mut().find(|chip| chip.id == id).map(act)
    }

    /// Prepares a file to be sent.
    fn prepare(&self, id: u32) {
        let Some((file, original)) = self.with(id, |chip| (chip.file.clone(), chip.original))
        else {
            return;
        };
        let chips = self.clone();
        spawn_local(async move {
            let prepared = chips.0.ui.backend.0.prepare_file(file, original).await;
            let state = match prepared {
                Ok((file, as_it_is)) => ChipState::Ready(Box::new(file), as_it_is),
                Err(why) => ChipState::Failed(why),
            };
            let mut unused = Some(state);
            chips.with(id, |chip| {
                if chip.original == original {
                    unused = unused
                        .take()
                        .map(|state| core::mem::replace(&mut chip.state, state));
                }
            });
            // The person has removed it, or chosen otherwise, in the meantime.
            unused.iter().for_each(|state| chips.forget(state));
            chips.send_if_ready();
            chips.0.redraw.force_update();
        });
    }

    /// Forgets the bytes of what is not sent.
    fn forget(&self, state: &ChipState) {
        if let ChipState::Ready(file, _) = state {
            self.0.ui.backend.0.drop_file(&file.key());
        }
    }

    fn remove(&self, id: u32) {
        let removed = {
            let mut chips = self.0.chips.borrow_mut();
            let at = chips.iter().position(|chip| chip.id == id);
            at.map(|at| chips.remove(at))
        };
        if let Some(chip) = removed {
            self.forget(&chip.state);
        }
        self.send_if_ready();
        self.0.redraw.force_update();
    }

    fn toggle_original(&self, id: u32) {
        let before = self.with(id, |chip| {
            chip.original = !chip.original;
            core::mem::replace(&mut chip.state, ChipState::Preparing)
        });
        before.iter().for_each(|state| self.forget(state));
        self.prepare(id);
        self.0.redraw.force_update();
    }

    /// Says this, with the files beside it, as soon as they are ready.
    pub fn send(&self, say: ChatCommand) {
        if self.is_empty() || !matches!(say, ChatCommand::Say { .. }) {
            return self.0.ui.command(Command::Chat(say));
        }
        self.0.outgoing.replace(Some(say));
        self.send_if_ready();
        self.0.redraw.force_update();
    }

    fn send_if_ready(&self) {
        let is_ready = |chip: &Chip| !matches!(chip.state, ChipState::Preparing);
        if !self.0.chips.borrow().iter().all(is_ready) {
            return;
        }
        let Some(ChatCommand::Say {
            conversation,
            text,
            reply_to,
        }) = self.0.outgoing.take()
        else {
            return;
        };
        // The text stands beside the first of them.
        let mut first = Some((text, reply_to));
        let chips = self.0.chips.take();
        for chip in chips {
            match chip.state {
                ChipState::Ready(file, _) => {
                    let (text, reply_to) = first.take().unwrap_or_default();
                    let say = ChatCommand::SayFile {
                        conversation: conversation.clone(),
                        file,
                        text,
                        reply_to,
                    };
                    self.0.ui.command(Command::Chat(say));
                }
                ChipState::Failed(why) => {
                    let words = format!("“{}” was not sent. {why}", chip.name);
                    self.0.ui.act(Action::Notice(words));
                }
                ChipState::Preparing => {}
            }
        }
        // No file could be sent: the text is.
        if let Some((text, reply_to)) = first.filter(|(text, _)| !text.is_empty()) {
            let say = ChatCommand::Say {
                conversation,
                text,
                reply_to,
            };
            self.0.ui.command(Command::Chat(say));
        }
    }

    /// The button to pick files, and the field behind it, which is always there.
    pub fn button(&self) -> Html {
        let picker = NodeRef::default();
        let chips = self.clone();
        let changed = Callback::from(move |event: Event| {
            let Some(picker) = event
                .target()
                .and_then(|it| it.dyn_into::<HtmlInputElement>().ok())
            else {
                return;
            };
            let files = Reflect::get(&picker, &"files".into()).unwrap_or_default();
            let files = Array::from(&files)
                .into_iter()
                .filter_map(|file| file.dyn_into().ok());
            chips.add(files.collect());
            // The same file can be picked once more.
            picker.set_value("");
        });
        let opens = {
            let picker = picker.clone();
            Callback::from(move |_: MouseEvent| {
                if let Some(picker) = picker.cast::<HtmlElement>() {
                    picker.click();
                }
            })
        };
        html! {
            <>
                <button type="button" class="quiet attach" data-testid="attach" aria-label="Attach files" title="Attach files" onclick={opens}>
                    { icon(CLIP) }
                </button>
                <input
                    ref={picker} type="file" class="sr" multiple=true tabindex="-1" data-testid="file-input"
                    aria-label="Files to attach" onchange={changed}
                />
            </>
        }
    }

    /// The files that wait.
    pub fn list(&self) -> Html {
        let chips = self.0.chips.borrow();
        if chips.is_empty() {
            return Html::default();
        }
        html! { <ul class="chips" aria-label="Files to send">{ for chips.iter().map(|chip| self.chip(chip)) }</ul> }
    }

    fn chip(&self, chip: &Chip) -> Html {
        let id = chip.id;
        let size = texts::bytes(chip.file.size() as u64);
        let (state, words, is_picture) = match &chip.state {
            ChipState::Preparing => ("preparing", "getting ready …".to_owned(), false),
            ChipState::Ready(file, as_it_is) => {
                let is_picture = file.picture.is_some();
                let note = match (is_picture, as_it_is, chip.original) {
                    (true, true, true) => " · original, with what the camera noted",
                    (true, true, false) => " · moving, so it is sent as it is",
                    (true, false, _) => " · without place and camera",
                    (false, ..) => "",
                };
                let can_choose = is_picture && (!as_it_is || chip.original);
                ("ready", texts::bytes(file.size) + note, can_choose)
            }
            ChipState::Failed(why) => ("failed", why.clone(), chip.original || !size.is_empty()),
        };
        let act = |act: fn(&Chips, u32)| {
            let chips = self.clone();
            Callback::from(move |_: Event| act(&chips, id))
        };
        let pressed = if chip.original { "true" } else { "false" };
        view! {
            <li key={id} class="chip" data-testid="chip" data-name={chip.name.clone()} data-state={state}>
                <p><bdi translate="no">{ &chip.name }</bdi><small>{ changing(&words) }</small></p>
                if is_picture {
                    <button type="button" data-testid="chip-original" aria-pressed={pressed} onclick={act(Chips::toggle_original)}>{ "Original" }</button>
                }
                <button
                    type="button" class="quiet" data-testid="chip-remove" aria-label={format!("Do not send {}", chip.name)} title="Remove"
                    onclick={act(Chips::remove)}
                >
                    { icon(CLOSE) }
                </button>
            </li>
        }
    }
}
