//! One line of the log.

use std::rc::Rc;

use yew::prelude::*;

use super::actions::{Actions, reactions};
use super::body::body;
use super::file::File;
use super::icon::{CHECK, CHECKS, CLOCK, WARNING, face, icon, trust};
use super::sentence::changing;
use crate::identity::Trust;
use crate::room::{CallLine, ChatCommand, Command, Deletion, FileView, Message};
use crate::time::Millis;
use crate::ui::context::Ui;
use crate::ui::fold::fold;
use crate::ui::hooks::clock;
use crate::ui::hooks::listen::use_flag;
use crate::ui::line::{Called, Content, Crowd, Delivery, Line, Moves, Said};
use crate::ui::markdown::{parse, plain};
use crate::ui::markup::view;
use crate::ui::mentions::Mention;
use crate::ui::texts;
use crate::ui::typed;

#[derive(Properties, PartialEq)]
pub struct RowProps {
    pub line: Rc<Line>,
    /// The age in minutes, if it is less than an hour and the line shows it.
    pub ago: Option<u32>,
    /// Whether the unread messages begin here.
    pub unread: bool,
    /// Whether it shows who said it, though the line before it may show that already.
    pub leads: bool,
    /// Whether a long message is shown whole, because the page is being printed.
    pub whole: bool,
    /// Called before a folded message is unfolded.
    pub unfolding: Callback<()>,
    /// The message that this one answers, if it is here.
    pub quoted: Option<Rc<Line>>,
    /// What is known of the file beside the message.
    pub file: Option<FileView>,
    /// Called to go to the message of this line.
    pub jump: Callback<u32>,
    pub ui: Ui,
}

/// One line. It is drawn again only when its own properties change.
#[function_component]
pub fn Row(props: &RowProps) -> Html {
    match &props.line.content {
        Content::Moves(moves) => moved(moves, props.line.seq),
        Content::Called(called) => self::called(called, props),
        Content::Said(said) => view! {
            <>
                if said.new_day || props.leads && !props.unread { { day(said.message.at) } }
                if props.unread { { unread() } }
                { message(said, props) }
            </>
        },
    }
}

/// The line about people who joined, left or changed their names. Many names are folded, and a click shows them all.
fn moved(moves: &Moves, seq: u32) -> Html {
    let text = texts::moves(moves);
    if text.is_empty() {
        return Html::default();
    }
    if !texts::is_folded(moves) {
        return view! { <p class="moves" data-testid="moves" data-line={seq.to_string()} dir="auto">{ changing(&text) }</p> };
    }
    let list = |words: &'static str, people: &Crowd| {
        let line = |user: &String| view! { <li><bdi translate="no">{ user }</bdi>{ words }</li> };
        let others = texts::others(people.others as usize);
        view! {
            <>
                { people.named.iter().map(line).collect::<Html>() }
                if let Some(others) = others { <li>{ changing(&format!("{others}{words}")) }</li> }
            </>
        }
    };
    let renamed = |(before, now): &(String, String)| {
        view! { <li><bdi translate="no">{ before }</bdi>{ " is now " }<bdi translate="no">{ now }</bdi></li> }
    };
    view! {
        <details class="moves" data-testid="moves" data-line={seq.to_string()}>
            <summary dir="auto">{ changing(&text) }</summary>
            <ul>
                { list(" joined", &moves.joined) }
                { list(" left", &moves.left) }
                { for moves.renamed.iter().map(renamed) }
                { for moves.unreadable.iter().map(|(_, user, count)| view! { <li><bdi translate="no">{ user }</bdi>{ format!(": {count}") }</li> }) }
            </ul>
        </details>
    }
}

/// The day that begins here.
fn day(at: Millis) -> Html {
    view! {
        <p class="day">
            <span>
                { clock::day(at) }
                <input type="date" aria-label="Go to a day" title="Go to a day" data-testid="go-to-day" />
            </span>
        </p>
    }
}

/// The mark above what is not read.
fn unread() -> Html {
    view! { <p class="day new" data-testid="unread-line"><span>{ "New" }</span></p> }
}

/// The line about a call.
fn called(called: &Called, props: &RowProps) -> Html {
    let note = &called.note;
    let text = format!("{} · {}", texts::called(note), clock::time(note.at));
    let missed = note.what == CallLine::Missed;
    let line = props.line.seq.to_string();
    view! {
        <>
            if called.new_day { { day(note.at) } }
            if props.unread { { unread() } }
            <p class="moves" data-testid="call-line" data-missed={missed.then_some("")} data-line={line} dir="auto">
                { changing(&text) }
            </p>
        </>
    }
}

fn message(said: &Said, props: &RowProps) -> Html {
    let (message, leads) = (&said.message, said.leads || props.leads);
    let own = said.delivery.is_some();
    let is_edited = !message.earlier.is_empty();
    let when = match props.ago {
        Some(minutes) => clock::minutes_ago(minutes),
        None => clock::time(message.at),
    };
    let look = match (own, leads) {
        (true, true) => Some("own leads"),
        (true, false) => Some("own"),
        (false, true) => Some("leads"),
        (false, false) => None,
    };
    let part = if own { "message own" } else { "message" };
    // Screen readers should not announce the time when it changes.
    let time = view! { <time key={when.clone()} aria-live="off" title={clock::full(message.at)}>{ when }</time> };
    view! {
        <article
            class="said" part={part} data-look={look} data-testid="message" data-id={message.id.0.clone()}
            data-line={props.line.seq.to_string()} data-mentions={said.calls().then_some("you")} tabindex="-1"
            data-sender={message.sender.clone()} data-state={said.delivery.map(state)}
            data-edited={is_edited.then_some("true")} data-retracted={message.retracted.then_some("true")}
        >
            if leads {
                if !own { { face(&message.sender, &message.key) } }
                <header>
                    if own { <bdi class="sr" translate="no">{ &message.sender }</bdi> } else { <bdi class="name" translate="no">{ &message.sender }</bdi> }
                    if said.trust == Trust::NameOnAnotherKey { { trust(said.trust) } }
                    { time }
                </header>
            } else {
                <span class="sr"><bdi translate="no">{ &message.sender }</bdi>{ ": " }</span>
                { time }
            }
            if message.retracted {
                <p class="bubble retracted" part="text" data-testid="message-text">{ "Taken back" }</p>
            } else {
                if let Some(view) = props.file.clone().filter(|_| !message.imported) { { html! { <File message={said.message.clone()} {view} ui={props.ui.clone()} /> } } }
                if message.file.is_none() || !message.text.is_empty() || message.reply_to.is_some() {
                    { html! { <Text
                        line={props.line.clone()} whole={props.whole} unfolding={props.unfolding.clone()}
                        quote={quote(message, props)} edited={is_edited.then(|| earlier(message))}
                    /> } }
                }
                if let Some(Delivery::Failed(reason)) = said.delivery { { failed(message, &texts::delivery(Delivery::Failed(reason)), &props.ui) } } else {
                    { html! { <Actions message={said.message.clone()} ui={props.ui.clone()} /> } }
                }
            }
            if message.forked { <p class="forked" data-testid="forked">{ texts::FORKED }</p> }
            if message.imported { { imported(message) } }
            { reactions(message, &props.ui) }
            if let Some(delivery) = said.delivery.filter(|_| !message.retracted && !message.imported) { { mark(delivery) } }
        </article>
    }
}

/// What can be done with a message that was not said.
fn failed(message: &Message, words: &str, ui: &Ui) -> Html {
    let button = |command: ChatCommand, id: &'static str, words: &'static str| {
        let onclick = ui.on(Box::new(move |ui| {
            ui.command(Command::Chat(command.clone()))
        }));
        view! { <button type="button" data-testid={id} onclick={onclick}>{ words }</button> }
    };
    let give_up = ChatCommand::Delete(Deletion::Message(message.id.clone()));
    view! {
        <div class="failed">
            // The mark is read aloud.
            <p aria-hidden="true" data-testid="failed">{ changing(words) }</p>
            { button(ChatCommand::Retry(message.id.clone()), "retry", "Retry") }
            { button(give_up, "give-up", "Delete") }
        </div>
    }
}

/// That a message came from a file, and nobody can prove it.
fn imported(message: &Message) -> Html {
    let file = message.file.as_ref();
    let file = file.map(|file| format!(" {}", texts::imported_file(&file.name)));
    view! {
        <p class="forked" data-look="quiet" data-testid="imported">{ texts::IMPORTED }{ file.unwrap_or_default() }</p>
    }
}

/// The beginning of the message that this one answers. A press goes there.
fn quote(message: &Message, props: &RowProps) -> Option<Html> {
    message.reply_to.as_ref()?;
    let found = props.quoted.as_ref().and_then(|line| match &line.content {
        Content::Said(said) => Some((line.seq, &said.message)),
        Content::Moves(_) | Content::Called(_) => None,
    });
    let Some((seq, quoted)) = found else {
        return Some(
            view! { <p class="quote" data-testid="quote">{ "A message that is not here" }</p> },
        );
    };
    let jump = props.jump.reform(move |_: Event| seq);
    let text = if quoted.retracted {
        "Taken back".to_owned()
    } else {
        plain(&quoted.text)
    };
    Some(view! {
        <button type="button" class="quote" data-testid="quote" dir="auto" onclick={jump}>
            <b><bdi translate="no">{ &quoted.sender }</bdi></b>
            <span key={text.clone()}>{ text }</span>
        </button>
    })
}

/// That a message was edited, and what it said before.
fn earlier(message: &Message) -> Html {
    view! {
        <details class="edited" data-testid="edited">
            <summary>{ "edited" }</summary>
            <ol>{ for message.earlier.iter().map(|text| view! { <li dir="auto">{ text }</li> }) }</ol>
        </details>
    }
}

#[derive(Properties)]
struct TextProps {
    line: Rc<Line>,
    whole: bool,
    unfolding: Callback<()>,
    /// The message that it answers.
    quote: Option<Html>,
    /// That it was edited.
    edited: Option<Html>,
}

impl TextProps {
    fn text(&self) -> &str {
        match &self.line.content {
            Content::Said(said) => typed::trimmed(&said.message.text),
            Content::Moves(_) | Content::Called(_) => "",
        }
    }

    fn mentions(&self) -> &[Mention] {
        match &self.line.content {
            Content::Said(said) => &said.mentions,
            Content::Moves(_) | Content::Called(_) => &[],
        }
    }
}

/// The text of a message does not change, whatever else changes about its line.
impl PartialEq for TextProps {
    fn eq(&self, other: &TextProps) -> bool {
        (self.whole, &self.quote, &self.edited) == (other.whole, &other.quote, &other.edited)
            && (Rc::ptr_eq(&self.line, &other.line)
                || (self.text(), self.mentions()) == (other.text(), other.mentions()))
    }
}

/// The text is a component of its own, so that it is read only once, and not whenever the time or the delivery state
/// changes.
#[function_component]
fn Text(props: &TextProps) -> Html {
    let unfolded = use_flag();
    let whole = parse(props.text());
    let folded = fold(&whole);
    let is_long = folded.is_some();
    let folded = folded.filter(|_| !*unfolded && !props.whole);
    let shown = folded.unwrap_or(whole);
    let toggle = {
        let (unfolded, unfolding) = (unfolded.clone(), props.unfolding.clone());
        Callback::from(move |_: Event| {
            if !*unfolded {
                unfolding.emit(());
            }
            unfolded.set(!*unfolded);
        })
    };
    view! {
        <div class="bubble" part="text">
            if let Some(quote) = &props.quote { { quote.clone() } }
            <div key={u32::from(*unfolded)} dir="auto" data-testid="message-text">{ body(&shown, props.mentions()) }</div>
            if is_long {
                <button
                    type="button" class="fold" data-testid="fold" aria-expanded={unfolded.to_string()}
                    onclick={toggle}
                >
                    { changing(if *unfolded { "Show less" } else { "Show all" }) }
                </button>
            }
            if let Some(edited) = &props.edited { { edited.clone() } }
        </div>
    }
}

/// The state of an own message, in a word for style sheets and tests.
fn state(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::ToNobody | Delivery::Waiting(_) => "waiting",
        Delivery::Sent => "sent",
        Delivery::Delivered(..) => "delivered",
        Delivery::Failed(_) => "failed",
    }
}

/// The delivery mark of a message that the person sent: an icon, and a text for screen readers.
fn mark(delivery: Delivery) -> Html {
    let words = texts::delivery(delivery);
    let (word, path, part) = match delivery {
        Delivery::ToNobody => ("nobody", CLOCK, None),
        Delivery::Waiting(_) => ("waiting", CLOCK, None),
        Delivery::Failed(_) => ("failed", WARNING, None),
        Delivery::Sent => ("sent", CHECK, None),
        Delivery::Delivered(delivered, of) if delivered < of => {
            ("partial", CHECK, Some(format!("{delivered}/{of}")))
        }
        Delivery::Delivered(..) => ("delivered", CHECKS, None),
    };
    view! {
        <span key={words.clone()} class="mark" data-testid="delivery" data-state={word} title={words.clone()}>
            if let Some(part) = part { <span aria-hidden="true">{ part }</span> } else { { icon(path) } }
            <span class="sr">{ words }</span>
        </span>
    }
}
