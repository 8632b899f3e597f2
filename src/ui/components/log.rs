//! The messages. It stays at its end while the reader is there, and never moves while the reader is further up.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlInputElement, ShadowRoot};
use yew::prelude::*;

use super::empty::empty as empty_room;
use super::icon::{DOWN, icon};
use super::parts::Parts;
use super::row::Row;
use super::scrolling::Scrolling;
use crate::browser::Listener;
use crate::room::{Conversation, MessageId};
use crate::time::Millis;
use crate::ui::backend::Opening;
use crate::ui::context::Ui;
use crate::ui::files::Files;
use crate::ui::hooks::clock;
use crate::ui::hooks::listen::{use_change, use_flag, use_interval, use_mount};
use crate::ui::line::{Content, Line};
use crate::ui::markup::view;
use crate::ui::state::{Action, Emptiness};
use crate::ui::texts;
use crate::ui::timeline::Timeline;

/// As a field for a date counts them.
const MILLIS_OF_DAY: f64 = 86_400_000.0;

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
    let scrolling = {
        let (ui, conversation) = (ui.clone(), conversation.clone());
        use_memo((), move |()| Scrolling::new(ui, conversation))
    };
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
        let (scroller, scrolling, away) = (scroller.clone(), scrolling.clone(), away.setter());
        use_mount(Box::new(move || {
            let parts = Parts::of(scroller.cast::<HtmlElement>()?)?;
            let redraw = Box::new(move || redraw.force_update());
            let away = Box::new(move |is_away| away.set(is_away));
            let observed = scrolling.follow(parts, redraw, away);
            // What is unread is read from its beginning.
            scrolling.return_to();
            Some(Box::new(observed))
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
        let (scrolling, shown) = (scrolling.clone(), *shown);
        use_change(
            u64::from(shown),
            Box::new(move || {
                if shown {
                    scrolling.return_to();
                }
            }),
        );
    }
    let lines = log.lines();
    let first_unread = unread_from.filter(|_| *unread > 0);
    let drawn = scrolling.choose(log, first_unread, *printing);
    {
        let (scrolling, is_away) = (scrolling.clone(), *away);
        let last = lines.last().map_or(0, |line| u64::from(line.seq));
        use_change(
            (drawn.start as u64) << 32 | last,
            Box::new(move || scrolling.follow_end(is_away)),
        );
    }

    let down = {
        let scrolling = scrolling.clone();
        Callback::from(move |_: Event| scrolling.go_to_next())
    };
    let unfolding = {
        let scrolling = scrolling.clone();
        use_callback((), move |(), ()| scrolling.read_on())
    };
    let jump = {
        let scrolling = scrolling.clone();
        use_callback((), move |seq: u32, ()| scrolling.go_to(seq))
    };
    let step = {
        let scrolling = scrolling.clone();
        Callback::from(move |event: Event| scrolling.key(&event))
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
                Content::Moves(_) | Content::Called(_) => false,
            };
            if let Some(line) = log.lines().iter().find(is_there) {
                jump.emit(line.seq);
            }
        })
    };
    let now = clock::now();
    let first = lines.first().map(|line| line.seq);
    view! {
        <div class="log-frame">
            <div ref={scroller} class="log" part="log" tabindex="0" aria-label="Messages" onkeydown={step}>
                if let Some(empty) = *empty { { empty_room(empty, opening, ui) } }
                if drawn.start == 0 { { beginning.clone() } }
                <div class="space" />
                <div
                    class="lines" role="log" aria-live={if *away || scrolling.grows() { "off" } else { "polite" }} aria-relevant="additions"
                    aria-label="Messages" data-testid="log" data-lines={lines.len().to_string()} oninput={to_day.clone()}
                >
                    { for lines.range(drawn).map(|line| {
                        let unread = *unread_from == Some(line.seq);
                        let leads = unread || first == Some(line.seq);
                        html! {
                            <Row
                                key={line.seq} line={line.clone()} ago={ago(line, leads, now)} {unread} {leads}
                                whole={*printing} unfolding={unfolding.clone()} quoted={log.quoted(line)} file={files.of(line)}
                                jump={jump.clone()} ui={ui.clone()}
                            />
                        }
                    }) }
                </div>
                <div class="space" />
            </div>
            if *away {
                <p class="day elsewhere" oninput={to_day}>
                    <span>
                        { "Go to a day" }
                        <input type="date" aria-label="Go to a day" title="Go to a day" data-testid="go-to-day" />
                    </span>
                </p>
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

/// The age in minutes of a message that begins a group, if it is less than an hour old.
fn ago(line: &Line, leads: bool, now: Millis) -> Option<u32> {
    let Content::Said(said) = &line.content else {
        return None;
    };
    let minutes = u32::try_from(now.since(said.message.at).as_secs() / 60).ok()?;
    ((said.leads || leads) && minutes < 60).then_some(minutes)
}
