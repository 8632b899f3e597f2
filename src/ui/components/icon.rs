//! The icons of the page: strokes on a grid of 20 by 20, in the colour of the surrounding text.

use yew::prelude::*;

use crate::ui::markup::view;

use crate::identity::{PublicKey, Trust};
use crate::room::Activity;
use crate::ui::{avatar, texts};

pub const ADD: &str = "M10 4v12M4 10h12";
pub const BACK: &str = "M12 4l-6 6 6 6";
pub const CAMERA: &str =
    "M10 3a5 5 0 100 10 5 5 0 000-10zM10 6a2 2 0 100 4 2 2 0 000-4zM5 17h10M10 13v4";
pub const CHECK: &str = "M4 10.5l4 4 8-9";
pub const CHECKS: &str = "M2 10.5l4 4 8-9M9.5 14l.5.5 8-9";
pub const CLIP: &str = "M15.5 9.5L10 15a3.5 3.5 0 01-5-5l6.5-6.5a2.3 2.3 0 013.3 3.3L8.3 13.3a1.1 1.1 0 01-1.6-1.6L12.2 6.2";
pub const CLOCK: &str = "M10 3a7 7 0 100 14 7 7 0 000-14zM10 6v4l3 2";
pub const CLOSE: &str = "M5 5l10 10M15 5L5 15";
pub const DOWN: &str = "M10 4v11M5 10.5l5 5 5-5";
pub const EYE: &str = "M2 10c3-5 13-5 16 0-3 5-13 5-16 0zM10 8a2 2 0 100 4 2 2 0 000-4z";
pub const LINK: &str = "M8.5 11.5l3-3M9 6l2-2a3.5 3.5 0 015 5l-2 2M11 14l-2 2a3.5 3.5 0 01-5-5l2-2";
pub const LOCK: &str = "M5 9h10v8H5zM7 9V6.5a3 3 0 016 0V9";
pub const MORE: &str = "M5 10h.01M10 10h.01M15 10h.01";
pub const PEN: &str = "M4 16l1-4 8-8 3 3-8 8z";
pub const PEOPLE: &str = "M8 4a3 3 0 100 6 3 3 0 000-6zM2.5 17c0-3.5 2-5 5.5-5s5.5 1.5 5.5 5M13 4.5a3 3 0 010 5M15 12.5c1.7.7 2.5 2 2.5 4.5";
pub const PHONE: &str = "M5 3h3l1.5 4-2 1.500a9 9 0 004 4l1.500-2 4 1.500v3c0 1-1 2-2 2C9 16.500 3.500 11 3 5c0-1 1-2 2-2z";
pub const SEARCH: &str = "M9 4a5 5 0 100 10A5 5 0 009 4zM12.500 12.500L17 17";
pub const SEND: &str = "M4 10h11M10 5l5 5-5 5";
pub const SMILE: &str =
    "M10 3a7 7 0 100 14 7 7 0 000-14zM7.500 8.500h.01M12.500 8.500h.01M7 12c1.500 2 4.500 2 6 0";
pub const SHIELD: &str = "M10 2.5l6 2v5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8v-5zM7 10l2.200 2.200L13 8";
pub const TRASH: &str = "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11M9 9v5M11 9v5";
pub const VIDEO: &str = "M3 6h9v8H3zM12 9l5-3v8l-5-3";
pub const WARNING: &str = "M10 3l8 14H2zM10 8v4M10 14.3v.4";

/// An icon. Screen readers skip it, because a text stands beside it.
pub fn icon(path: &'static str) -> Html {
    view! { <svg class="i" viewBox="0 0 20 20" aria-hidden="true"><path d={path} /></svg> }
}

/// An avatar: two letters on the colour of a key.
pub fn face(user: &str, key: &PublicKey) -> Html {
    view! { <span class="face" data-look={avatar::look(key)} aria-hidden="true" translate="no">{ avatar::letters(user) }</span> }
}

/// Whether somebody is at their page, if that is known: a dot or a ring, with a text for screen readers and as a tooltip.
pub fn activity(activity: Option<Activity>) -> Html {
    let Some(activity) = activity else {
        return Html::default();
    };
    let (look, words) = (activity.as_str(), texts::activity(activity));
    view! { <span key={look} class="lamp" data-testid="activity" data-look={look} title={words}><span class="sr">{ words }</span></span> }
}

/// The trust mark, with a text for screen readers and as a tooltip.
pub fn trust(trust: Trust) -> Html {
    let look = trust.as_str();
    let words = texts::trust(trust);
    let path = match trust {
        Trust::New => {
            return view! { <span key={look} class="trust" data-look={look}>{ words }</span> };
        }
        Trust::Known => CHECK,
        Trust::Verified => SHIELD,
        Trust::NameOnAnotherKey => WARNING,
    };
    view! { <span key={look} class="trust" data-look={look} title={words}>{ icon(path) }<span class="sr">{ words }</span></span> }
}
