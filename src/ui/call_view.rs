//! What the script for calls is to show of the page's state.

use std::cell::RefCell;

use litemap::LiteMap;

use super::avatar;
use super::state::State;
use crate::browser::on_the_wall;
use crate::call_script::{self, Names, Person};
use crate::identity::{PeerId, PublicKey, safety_number};
use crate::room::{CallsView, Conversation};
use crate::time::Millis;

/// Whether there is anything that the script shows, or that somebody may open with a press, for which it should be there.
pub fn is_needed(view: &CallsView) -> bool {
    *view != CallsView::default()
}

/// Writes what the script is to show, as JSON.
pub fn view(state: &State) -> Option<String> {
    let own = state.own.as_ref()?.id;
    let allowed = state.opening.calls.as_str();
    Some(call_script::view(&state.calls, &own, allowed, state))
}

thread_local! {
    /// Safety numbers of people in calls. Each takes some milliseconds.
    static SAFETY: RefCell<LiteMap<PublicKey, String>> = const { RefCell::new(LiteMap::new()) };
}

impl State {
    /// The number that the person can compare with somebody in the same call.
    fn safety(&self, peer: &PeerId, key: &PublicKey) -> String {
        let call = self.calls.call.iter();
        let is_in_call = call.flat_map(|call| &call.peers).any(|it| it.peer == *peer);
        let Some(own) = self
            .own
            .as_ref()
            .filter(|own| is_in_call && own.key != *key)
        else {
            return String::new();
        };
        SAFETY.with_borrow_mut(|known| {
            let number = known
                .entry(*key)
                .or_insert_with(|| safety_number(&own.key, key));
            number.clone()
        })
    }
}

impl Names for State {
    fn person(&self, peer: &PeerId) -> Option<Person> {
        let person = |user: &str, key: &PublicKey, trust, safety| Person {
            user: user.to_owned(),
            letters: avatar::letters(user),
            hue: avatar::hue(key),
            trust,
            safety,
        };
        let own = self.own.as_ref().filter(|own| own.id == *peer);
        if let Some(own) = own {
            return Some(person(&own.user, &own.key, "own", String::new()));
        }
        let other = self.peer(peer)?;
        let trust = match self.is_own_tab(other) {
            true => "own",
            false => other.trust.as_str(),
        };
        Some(person(
            &other.user,
            &other.key,
            trust,
            self.safety(peer, &other.key),
        ))
    }

    fn title(&self, conversation: &Conversation) -> String {
        match conversation {
            Conversation::Channel(_) if !self.has_list() => self.opening.room.clone(),
            Conversation::Channel(name) => format!("#{name}"),
            Conversation::Direct(key) => {
                let here = self.people.iter().find(|peer| peer.key == *key);
                here.map(|peer| peer.user.clone()).unwrap_or_default()
            }
        }
    }

    fn on_the_wall(&self, at: Millis) -> Millis {
        on_the_wall(at)
    }
}
