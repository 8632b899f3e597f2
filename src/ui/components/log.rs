//! The log: follows new messages only while it is scrolled to its end, and never moves while somebody reads further up.

use std::cell::Cell;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{Element, HtmlElement, HtmlInputElement, ResizeObserver, ShadowRoot};
use yew::prelude::*;

use super::empty::empty as empty_room;
use super::icon::{DOWN, icon};
use super::row::Row;
use crate::browser::Listener;
use crate::room::{ChatCommand, Command, Conversation, MessageId};
use crate::time::Millis;
use crate::ui::backend::Opening;
use crate::ui::context::Ui;
use crate::ui::files::Files;
use crate::ui::hooks::clock;
use crate::ui::hooks::listen::{document, focus, use_change, use_flag, use_interval, use_mount};
use crate::ui::lines::Lines;
use crate::ui::markup::view;
use crate::ui::state::{Action, Emptiness};
use crate::ui::texts;
use crate::ui::timeline::{Content, Line, Timeline};

/// At most this many lines are shown to begin with the first unread one.
const MAX_UNREAD: usize = 1_000;
/// The number of lines that are shown at first, and the number of further lines for each click on "Show earlier".
const SHOWN: usize = 300;
/// The space above the line of the first unread message, in pixels.
const NEW_MARGIN: i32 = 8;
/// Whoever scrolls up to within this many pixels of the beginning is looking for older messages.
const NEAR_TOP: i32 = 200;
/// As a field for a date counts them.
const MILLIS_OF_DAY: f64 = 86_400_000.0;
/// The log counts as scrolled to its end within this many pixels.
const END_TOLERANCE: i32 = 40;

#[derive(Properties, PartialEq)]
pub struct LogProps {
    pub log: Rc<Timeline>,
    pub files: Rc<Files>,
    pub opening: Rc<Opening>,
    pub empty: Option<Emptiness>,
    /// The conversation.
    pub conversation: Conversation,
    /// What stands above its first message.
    pub beginning: Html,
    /// The message to go to, once it is here.
    pub target: Option<MessageId>,
    pub unread: u32,
    pub unread_from: Option<u32>,
    /// How many of the unread messages mention the person.
    pub mentioned: u32,
    /// Whether the chat is visible.
    pub shown: bool,
    pub ui: Ui,
}

/// The scroll position. It lies outside of the component's state, because changes must not cause another drawing.
struct ScrollAnchor {
    /// Whether the reader is at the end.
    at_end: Cell<bool>,
    /// The scroll position at the last scroll event.
    top: Cell<i32>,
    /// The number of the first line that is shown.
    first: Cell<u32>,
    /// Whether there are unread messages.
    unread: Cell<bool>,
    /// The height and scroll position before earlier lines were inserted above.
    before: Cell<Option<(i32, i32)>>,
    /// The line to go to once it is drawn.
    jump: Cell<Option<u32>>,
}

#[function_component]
pub fn Log(props: &LogProps) -> Html {
    let LogProps {
        log,
        files,
        opening,
        empty,
        conversation,
        beginning,
        target,
        unread,
        unread_from,
        mentioned,
        shown,
        ui,
    } = props;
    let scroller = use_node_ref();
    let anchor = use_memo((), |()| ScrollAnchor {
        at_end: Cell::new(true),
        top: Cell::new(0),
        first: Cell::new(0),
        unread: Cell::new(false),
        before: Cell::new(None),
        jump: Cell::new(None),
    });
    anchor.unread.set(*unread > 0);
    let printing = use_flag();
    let away = use_flag();
    let redraw = use_force_update();
    {
        let redraw = redraw.clone();
        use_interval(
            Some(30_000),
            Callback::from(move |()| redraw.force_update()),
        );
    }
    {
        let (scroller, anchor, ui, away) =
            (scroller.clone(), anchor.clone(), ui.clone(), away.setter());
        let conversation = conversation.clone();
        use_mount(Box::new(move || {
            let scroller = scroller.cast::<Element>()?;
            // What is unread is read from its beginning.
            return_to(&scroller, &anchor, &ui, &away);
            Some(Box::new(follow(
                &scroller,
                &anchor,
                &conversation,
                &ui,
                &away,
            )))
        }));
    }
    {
        let (scroller, printing) = (scroller.clone(), printing.setter());
        use_mount(Box::new(move || {
            // The bubble is not printed with somebody's page.
            let tree = scroller.get()?.get_root_node().dyn_into::<ShadowRoot>();
            if tree.is_ok_and(|tree| tree.host().has_attribute("launcher")) {
                return None;
            }
            let set = |event, whole| {
                let printing = printing.clone();
                Listener::on_window(event, Box::new(move |_| printing.set(whole)))
            };
            Some(Box::new((
                set("beforeprint", true),
                set("afterprint", false),
            )))
        }));
    }
    {
        let (scroller, anchor, ui, away) =
            (scroller.clone(), anchor.clone(), ui.clone(), away.setter());
        let shown = *shown;
        use_change(
            u64::from(shown),
            Box::new(move || {
                if let Some(scroller) = scroller.cast::<Element>().filter(|_| shown) {
                    return_to(&scroller, &anchor, &ui, &away);
                }
            }),
        );
    }
    {
        let (scroller, anchor) = (scroller.clone(), anchor.clone());
        let last = log.lines().last();
        let own = last.is_some_and(|line| is_own(line));
        let (first, last) = (
            u64::from(anchor.first.get()),
            last.map_or(0, |line| u64::from(line.seq)),
        );
        use_change(
            first << 32 | last,
            Box::new(move || {
                let Some(scroller) = scroller.cast::<Element>() else {
                    return;
                };
                if let Some(seq) = anchor.jump.take() {
                    go_to(&scroller, seq);
                } else if let Some((height, top)) = anchor.before.take() {
                    scroller.set_scroll_top(top + scroller.scroll_height() - height);
                } else if own || anchor.at_end.get() {
                    to_end(&scroller);
                }
            }),
        );
    }

    let lines = log.lines();
    if anchor.at_end.get() {
        // The range of shown lines moves on only while nobody reads further up.
        let unread = unread_from.filter(|_| *unread > 0);
        let since = unread.map_or(0, |from| lines.len() - index_of(lines, from));
        let count = since.clamp(SHOWN, MAX_UNREAD);
        anchor.first.set(
            lines
                .get(lines.len().saturating_sub(count))
                .map_or(0, |line| line.seq),
        );
    }
    let begin = if *printing {
        0
    } else {
        index_of(lines, anchor.first.get())
    };
    // If more is unread than is shown, what is shown begins with it.
    let first = lines.get(begin).map_or(0, |line| line.seq);
    let is_above = |from: u32| *unread > 0 && index_of(lines, from) < begin;
    let unread_from = unread_from.map(|from| if is_above(from) { first } else { from });
    let earlier = {
        let (log, scroller, anchor) = (log.clone(), scroller.clone(), anchor.clone());
        let redraw = redraw.clone();
        Callback::from(move |_: Event| {
            let Some(element) = scroller.cast::<Element>() else {
                return;
            };
            anchor
                .before
                .set(Some((element.scroll_height(), element.scroll_top())));
            anchor.at_end.set(false);
            if let Some(line) = log.lines().get(begin.saturating_sub(SHOWN)) {
                anchor.first.set(line.seq);
            }
            // The next drawing may remove the button, which has the focus.
            focus(&scroller);
            redraw.force_update();
        })
    };
    let down = {
        let scroller = scroller.clone();
        Callback::from(move |_: Event| {
            if let Some(scroller) = scroller.cast::<Element>() {
                to_next(&scroller);
            }
        })
    };
    let unfolding = {
        let (anchor, away, ui) = (anchor.clone(), away.setter(), ui.clone());
        use_callback((), move |(), ()| {
            // The reader wants to read on from here, and not to follow the end.
            anchor.at_end.set(false);
            away.set(true);
            ui.act(Action::Watching(false));
        })
    };
    let jump = {
        let (scroller, anchor, away) = (scroller.clone(), anchor.clone(), away.setter());
        let redraw = redraw.clone();
        use_callback((), move |seq: u32, ()| {
            let Some(scroller) = scroller.cast::<Element>() else {
                return;
            };
            anchor.at_end.set(false);
            away.set(true);
            if !go_to(&scroller, seq) {
                anchor.first.set(seq);
                anchor.jump.set(Some(seq));
                redraw.force_update();
            }
        })
    };
    {
        let seq = target.as_ref().and_then(|id| log.line_of(id));
        let (jump, ui) = (jump.clone(), ui.clone());
        use_change(
            seq.map_or(0, |seq| u64::from(seq) + 1),
            Box::new(move || {
                if let Some(seq) = seq {
                    jump.emit(seq);
                    ui.act(Action::Reached);
                }
            }),
        );
    }
    // The fields of all day lines.
    let to_day = {
        let (log, jump) = (log.clone(), jump.clone());
        Callback::from(move |event: Event| {
            let field = event.target().and_then(|field| field.dyn_into().ok());
            let day = field.map_or(f64::NAN, |field: HtmlInputElement| field.value_as_number());
            let is_there = |line: &&Rc<Line>| match &line.content {
                Content::Said(said) => f64::from(said.day) * MILLIS_OF_DAY >= day,
                Content::Moves(_) => false,
            };
            if let Some(line) = log.lines().iter().find(is_there) {
                jump.emit(line.seq);
            }
        })
    };
    let now = clock::now();
    view! {
        <div class="log-frame">
            <div ref={scroller} class="log" part="log" tabindex="0" aria-label="Messages">
                if let Some(empty) = *empty { { empty_room(empty, opening, ui) } }
                if begin == 0 { { beginning.clone() } }
                if begin > 0 {
                    <button
                        type="button" class="quiet earlier" data-testid="earlier" onclick={earlier}
                    >
                        { "Show earlier" }
                    </button>
                }
                <div
                    class="lines" role="log" aria-live="polite" aria-relevant="additions" aria-label="Messages"
                    data-testid="log" data-lines={lines.len().to_string()} oninput={to_day}
                >
                    { for lines.range(begin..lines.len()).map(|line| {
                        let unread = unread_from == Some(line.seq);
                        let leads = unread || begin > 0 && line.seq == first;
                        html! {
                            <Row
                                key={line.seq} line={line.clone()} ago={ago(line, leads, now)} {unread} {leads}
                                whole={*printing} unfolding={unfolding.clone()} quoted={log.quoted(line)} file={files.of(line)}
                                jump={jump.clone()} ui={ui.clone()}
                            />
                        }
                    }) }
                </div>
            </div>
            if *away {
                <button type="button" class="down" data-testid="new-messages" onclick={down}>
                    if *unread > 0 {
                        if *mentioned > 0 { <i class="dot" data-testid="mentioned" /> }
                        <span key={*unread}>{ texts::new_messages(*unread) }</span>
                        if *mentioned > 0 { <span class="sr">{ texts::MENTIONED }</span> }
                    } else {
                        <span key="down" class="sr">{ "To the newest message" }</span>
                    }
                    { icon(DOWN) }
                </button>
            }
        </div>
    }
}

/// Keeps the log scrolled to its end while the reader is there, and reports whether they are.
fn follow(
    scroller: &Element,
    anchor: &Rc<ScrollAnchor>,
    conversation: &Conversation,
    ui: &Ui,
    away: &UseStateSetter<bool>,
) -> Observed {
    let watch = {
        let (anchor, ui) = (anchor.clone(), ui.clone());
        move || {
            ui.act(Action::Watching(
                anchor.at_end.get() && !document().hidden(),
            ))
        }
    };
    let scrolled = {
        let (scroller, anchor, away, watch) = (
            scroller.clone(),
            anchor.clone(),
            away.clone(),
            watch.clone(),
        );
        let (ui, conversation) = (ui.clone(), conversation.clone());
        Box::new(move |_| {
            let top = scroller.scroll_top();
            let before = anchor.top.replace(top);
            let up = top < before;
            if top < NEAR_TOP && before >= NEAR_TOP {
                ui.command(Command::Chat(ChatCommand::Older(conversation.clone())));
            }
            // Yew lets the browser go on between drawing new lines and the effect that follows them to the end. Only
            // who scrolls up leaves the end.
            let at_end = is_at_end(&scroller) || anchor.at_end.get() && !up;
            if anchor.at_end.replace(at_end) != at_end {
                away.set(!at_end);
                watch();
            }
        })
    };
    let seen = {
        let (scroller, anchor, ui, away) =
            (scroller.clone(), anchor.clone(), ui.clone(), away.clone());
        Box::new(move |_| {
            if document().hidden() {
                watch();
            } else {
                return_to(&scroller, &anchor, &ui, &away);
            }
        })
    };
    let resized = {
        let (scroller, anchor) = (scroller.clone(), anchor.clone());
        Closure::<dyn FnMut()>::new(move || {
            if anchor.at_end.get() {
                to_end(&scroller);
            }
        })
    };
    let observer = ResizeObserver::new(resized.as_ref().unchecked_ref()).ok();
    if let Some(observer) = &observer {
        observer.observe(scroller);
        if let Some(lines) = scroller.last_element_child() {
            observer.observe(&lines);
        }
    }
    let listeners = (
        Listener::new(scroller, "scroll", scrolled),
        Listener::new(&document(), "visibilitychange", seen),
    );
    Observed {
        observer,
        _resized: resized,
        _listeners: listeners,
    }
}

/// The person looks at the log again: shows them the first unread message, and reports whether the end is in sight, too.
fn return_to(scroller: &Element, anchor: &ScrollAnchor, ui: &Ui, away: &UseStateSetter<bool>) {
    if anchor.at_end.get() && anchor.unread.get() {
        to_end(scroller);
        if let Some(top) = new_line(scroller) {
            scroller.set_scroll_top(top.min(scroller.scroll_top()));
        }
        let at_end = is_at_end(scroller);
        anchor.at_end.set(at_end);
        away.set(!at_end);
    }
    ui.act(Action::Watching(
        anchor.at_end.get() && !document().hidden(),
    ));
}

/// The observers of the log, which stop when they are dropped.
struct Observed {
    observer: Option<ResizeObserver>,
    _resized: Closure<dyn FnMut()>,
    _listeners: (Listener, Listener),
}

impl Drop for Observed {
    fn drop(&mut self) {
        if let Some(observer) = &self.observer {
            observer.disconnect();
        }
    }
}

/// The index of the line with this number, or that of the first line if it is not there any more.
fn index_of(lines: &Lines, seq: u32) -> usize {
    lines.position(seq).unwrap_or_default()
}

/// Scrolls to the message of a line, and shows which it is. Returns whether the line is drawn.
fn go_to(scroller: &Element, seq: u32) -> bool {
    let line = scroller.query_selector(&format!("[data-line=\"{seq}\"]"));
    let Some(line) = line.ok().flatten() else {
        return false;
    };
    line.scroll_into_view_with_bool(true);
    scroller.set_scroll_top(scroller.scroll_top() - scroller.client_height() / 3);
    // The animation runs anew when the attribute is set anew.
    if let Some(shown) = scroller.query_selector("[data-found]").ok().flatten() {
        let _ = shown.remove_attribute("data-found");
    }
    line.set_attribute("data-found", "").is_ok()
}

fn is_at_end(scroller: &Element) -> bool {
    scroller.scroll_height() - scroller.scroll_top() - scroller.client_height() < END_TOLERANCE
}

fn to_end(scroller: &Element) {
    scroller.set_scroll_top(scroller.scroll_height());
}

/// Scrolls to the first unread message, if it is still below what is seen, and otherwise to the end.
fn to_next(scroller: &Element) {
    let seen = scroller.scroll_top() + scroller.client_height();
    match new_line(scroller) {
        Some(top) if top > seen => scroller.set_scroll_top(top),
        _ => to_end(scroller),
    }
}

/// Where the line above the first unread message is.
fn new_line(scroller: &Element) -> Option<i32> {
    let line = scroller.query_selector(".day.new").ok().flatten()?;
    let line = line.dyn_into::<HtmlElement>().ok()?;
    Some(line.offset_top() - NEW_MARGIN)
}

fn is_own(line: &Line) -> bool {
    matches!(&line.content, Content::Said(said) if said.delivery.is_some())
}

/// The age in minutes of a message that begins a group, if it is less than an hour old.
fn ago(line: &Line, leads: bool, now: Millis) -> Option<u32> {
    let Content::Said(said) = &line.content else {
        return None;
    };
    let minutes = u32::try_from(now.since(said.message.at).as_secs() / 60).ok()?;
    ((said.leads || leads) && minutes < 60).then_some(minutes)
}
