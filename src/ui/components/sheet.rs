//! The dialogs over the conversation: the keyboard shortcuts, the connection details, and a question. The `dialog` element closes on
//! Esc, keeps the focus inside and returns it.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{Element, HtmlDialogElement};
use yew::prelude::*;

use super::icon::{CLOSE, icon};
use super::sentence::changing;
use crate::browser::{Listener, sleep};
use crate::room::{
    ChatCommand, Command, Conversation, Deletion, Diagnostics, PeerState, PeerView, Status,
};
use crate::ui::context::Ui;
use crate::ui::hooks::listen::{focus, is_touch, use_flag, use_interval, use_mount};
use crate::ui::markup::view;
use crate::ui::state::{Action, Sheet, State};
use crate::ui::texts;

#[derive(Properties, PartialEq)]
pub struct SheetProps {
    pub state: Rc<State>,
    pub sheet: Sheet,
    pub ui: Ui,
}

#[function_component]
pub fn Dialog(props: &SheetProps) -> Html {
    let tick = use_force_update();
    let counts = props.sheet == Sheet::Diagnostics;
    use_interval(
        counts.then_some(1_000),
        Callback::from(move |()| tick.force_update()),
    );
    let (title, id) = match props.sheet {
        Sheet::Keys => ("Keyboard", "keys"),
        Sheet::Diagnostics => ("Connection details", "diagnostics"),
    };
    let content = if counts {
        counted(&props.state, &props.ui)
    } else {
        keys()
    };
    html! { <Modal {title} {id} closed={props.ui.acts(|| Action::Sheet(None))}>{ content }</Modal> }
}

#[derive(Properties, PartialEq)]
pub struct QuestionProps {
    pub peer: Rc<PeerView>,
    pub ui: Ui,
}

/// Asks whether to block somebody. Its buttons do nothing in the first moment (`question` in the style sheet), so that
/// the second click of two does not answer it.
#[function_component]
pub fn BlockQuestion(props: &QuestionProps) -> Html {
    let QuestionProps { peer, ui } = props;
    let closed = ui.acts(|| Action::Blocking(None));
    let block = {
        let peer = peer.clone();
        ui.on(Box::new(move |ui| ui.block(&peer)))
    };
    let title = texts::block_question(&peer.user);
    let content = view! {
        <p>{ texts::BLOCKING }</p>
        <div class="actions">
            <button type="button" data-testid="keep" onclick={closed.clone()}>{ "Cancel" }</button>
            <button type="button" class="primary" data-testid="block-now" onclick={block}>{ "Block" }</button>
        </div>
    };
    html! { <Modal {title} id="block-question" look="question" {closed}>{ content }</Modal> }
}

#[derive(Properties, PartialEq)]
pub struct DeletingProps {
    pub conversation: Conversation,
    /// Its name.
    pub title: String,
    /// The field for the next message, which takes the focus.
    pub field: NodeRef,
    pub ui: Ui,
}

/// Asks whether to delete a conversation here.
#[function_component]
pub fn DeleteQuestion(props: &DeletingProps) -> Html {
    let DeletingProps {
        conversation,
        title,
        field,
        ui,
    } = props;
    let closed = ui.acts(|| Action::Deleting(None));
    let delete = {
        let (conversation, field, ui) = (conversation.clone(), field.clone(), ui.clone());
        Callback::from(move |event: Event| {
            ui.act(Action::Deleting(None));
            let deletion = Deletion::Conversation(conversation.clone());
            ui.command(Command::Chat(ChatCommand::Delete(deletion)));
            let field = field.clone();
            if !is_touch(&event) {
                // By then it is the field of the conversation that is open instead.
                spawn_local(async move {
                    sleep(0).await;
                    focus(&field);
                });
            }
        })
    };
    let is_direct = matches!(conversation, Conversation::Direct(_));
    let title = texts::delete_question(title, is_direct);
    let content = view! {
        <p>{ texts::DELETE_CONVERSATION }</p>
        <div class="actions">
            <button type="button" data-testid="keep-conversation" onclick={Callback::from(close)}>{ "Cancel" }</button>
            <button type="button" class="primary" data-testid="delete-conversation-now" onclick={delete}>{ "Delete" }</button>
        </div>
    };
    html! { <Modal {title} id="delete-question" look="question" {closed}>{ content }</Modal> }
}

/// For so many milliseconds the buttons of a question do nothing.
const SETTLING: i32 = 500;

/// Closes the dialog of a button, which gives the focus back to where it was.
fn close(event: Event) {
    let button = event.target_dyn_into::<Element>();
    let dialog = button.and_then(|button| button.closest("dialog").ok().flatten());
    if let Some(dialog) = dialog.and_then(|it| it.dyn_into::<HtmlDialogElement>().ok()) {
        dialog.close();
    }
}

#[derive(Properties, PartialEq)]
pub struct ModalProps {
    pub title: AttrValue,
    pub id: &'static str,
    /// Its look in the style sheet. A class that is not constant would bring sets of texts into the page.
    #[prop_or_default]
    pub look: Option<&'static str>,
    /// Called once it is closed.
    pub closed: Callback<Event>,
    pub children: Html,
}

/// A dialog. The buttons of a question do nothing for a moment: the second click of two must not answer a question that the
/// first one opened.
#[function_component]
pub fn Modal(props: &ModalProps) -> Html {
    let dialog = use_node_ref();
    let settled = use_flag();
    let settling = props.look.is_some() && !*settled;
    {
        let settled = settled.setter();
        let settle = Callback::from(move |()| settled.set(true));
        use_interval(settling.then_some(SETTLING), settle);
    }
    {
        let (dialog, closed) = (dialog.clone(), props.closed.clone());
        use_mount(Box::new(move || {
            let dialog = dialog.cast::<HtmlDialogElement>()?;
            // It fails only if the dialog is already open.
            let _ = dialog.show_modal();
            let closed = Box::new(move |event| closed.emit(event));
            Some(Box::new(Listener::new(&dialog, "close", closed)))
        }));
    }
    let close = {
        let dialog = dialog.clone();
        Callback::from(move |_: Event| {
            if let Some(dialog) = dialog.cast::<HtmlDialogElement>() {
                dialog.close();
            }
        })
    };
    // A click beside the dialog's content has the dialog itself as its target.
    let beside = {
        let close = close.clone();
        Callback::from(move |event: Event| {
            if event
                .target()
                .is_some_and(|target| target.dyn_into::<HtmlDialogElement>().is_ok())
            {
                close.emit(event);
            }
        })
    };
    let plain = props
        .title
        .replace([texts::NAME_BEGINS, texts::NAME_ENDS], "");
    view! {
        <dialog
            ref={dialog} class="sheet" data-look={props.look} data-settling={settling.then_some("")} aria-label={plain} data-testid={props.id} onclick={beside}
        >
            <div>
                <header class="bar">
                    <h2>{ changing(&props.title) }</h2>
                    <button
                        type="button" class="quiet icon-only" aria-label="Close" data-testid="close"
                        onclick={close}
                    >
                        { icon(CLOSE) }
                    </button>
                </header>
                { props.children.clone() }
            </div>
        </dialog>
    }
}

fn keys() -> Html {
    let keys = [
        ("Enter", "send"),
        ("Shift + Enter", "new line"),
        ("↑", "edit your last message"),
        ("@ :", "names and emoji"),
        ("Esc", "close what is open"),
        ("Tab", "go to the next control"),
        ("↑ ↓", "go from message to message, among them"),
        ("?", "show this list, when you are not writing"),
    ];
    let marks = [
        ("*text*", "italic"),
        ("**text**", "bold"),
        ("~~text~~", "struck out"),
        ("`text`", "code"),
        ("```", "above and below lines of code"),
        ("> text", "quote"),
        ("- text", "list"),
        ("1. text", "list with numbers"),
        ("[text](https://…)", "link"),
        ("\\*", "the sign itself"),
    ];
    let row = |(key, what): &(&'static str, &'static str)| view! { <><dt><kbd>{ *key }</kbd></dt><dd>{ *what }</dd></> };
    view! {
        <>
            <dl>{ for keys.iter().map(row) }</dl>
            <h3>{ "In a message" }</h3>
            <dl data-testid="marks">{ for marks.iter().map(row) }</dl>
        </>
    }
}

/// The connection details and the counts since joining.
fn counted(state: &State, ui: &Ui) -> Html {
    let Diagnostics {
        published,
        published_bytes,
        received,
        dropped,
        skipped,
        signatures_checked,
        connections_opened,
    } = ui.backend.0.diagnostics();
    let count = |wanted: PeerState| {
        state
            .people
            .iter()
            .filter(|peer| peer.state == wanted)
            .count()
    };
    let server = match state.status {
        Status::Unreachable { retry_at, .. } => {
            format!(
                "unreachable, trying again in {} s",
                texts::seconds_until(retry_at, crate::browser::now())
            )
        }
        Status::Refused { .. } => "does not allow this chat".into(),
        Status::Joining => "connecting".into(),
        Status::Left => "left".into(),
        Status::Looking { .. }
        | Status::Connected { .. }
        | Status::NoPath { .. }
        | Status::Full { .. } => "reached".into(),
    };
    let number = |count: u64| texts::number(usize::try_from(count).unwrap_or(usize::MAX));
    let rows = [
        ("Introducing server", server),
        (
            "People connected",
            number(count(PeerState::Verified) as u64),
        ),
        (
            "Connecting",
            number((count(PeerState::Connecting) + count(PeerState::Verifying)) as u64),
        ),
        (
            "Reconnecting",
            number(count(PeerState::Reconnecting) as u64),
        ),
        ("Couldn’t connect", number(count(PeerState::Failed) as u64)),
        ("Connections opened", number(connections_opened)),
        (
            "Sent through that server",
            format!(
                "{} messages, {} bytes",
                number(published),
                number(published_bytes)
            ),
        ),
        (
            "Received through that server",
            format!("{} messages", number(received)),
        ),
        ("Signatures checked", number(signatures_checked)),
        ("Parts of later versions, skipped", number(skipped)),
    ];
    let row = |name: &str, value: String| view! { <><dt>{ changing(name) }</dt><dd>{ changing(&value) }</dd></> };
    view! {
        <>
            <dl>{ for rows.into_iter().map(|(name, value)| row(name, value)) }</dl>
            <h3>{ "Dropped" }</h3>
            if dropped.iter().all(|(_, count)| *count == 0) {
                <p class="hint">{ "Nothing." }</p>
            } else {
                <dl data-testid="dropped">
                    { for dropped.iter().filter(|(_, count)| *count > 0).map(|(reason, count)| row(reason, number(*count))) }
                </dl>
            }
            <p class="hint">{ "Counted in this tab since you joined. Neither messages nor addresses are recorded here." }</p>
        </>
    }
}
