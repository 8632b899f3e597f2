//! The view of the room that people get: unique names, the state of each peer, the status line.

use super::{Decision, Members};
use crate::identity::Name;
use crate::identity::display::{DisplayNames, Person};
use crate::identity::name::display;
use crate::room::cx::Cx;
use crate::room::io::{BrokerState, PeerState, PeerView, PeopleEvent, Status};
use crate::room::links::Links;

/// Our own name as others see it while it is unique.
pub(in crate::room) fn own_user(name: &Name, tab: u16) -> String {
    display(name, u32::from(tab))
}

impl Members {
    /// Reports what has changed for people to see since the last time.
    pub fn show(&mut self, links: &Links, cx: &mut Cx) {
        self.name_everybody(cx);
        let shown = self.members.values().filter(|member| member.is_shown());
        let views: Vec<PeerView> = shown.map(|member| member.view(links)).collect();
        for view in views {
            if self.shown.get(&view.id) != Some(&view) {
                self.shown.insert(view.id, view.clone());
                cx.people(PeopleEvent::Changed(view));
            }
        }
    }

    /// Returns the status line.
    pub fn status(&self, broker: BrokerState, shut_out: bool, links: &Links) -> Status {
        let (mut people, mut reconnecting, mut unreached) = (0, 0, 0);
        for peer in self.shown() {
            let state = links.state(&peer);
            let met = matches!(state, PeerState::Verified | PeerState::Reconnecting);
            people += u32::from(met);
            reconnecting += u32::from(state == PeerState::Reconnecting);
            unreached += u32::from(state == PeerState::NoPath);
        }
        match broker {
            BrokerState::Unreachable { retry_at } => Status::Unreachable { people, retry_at },
            BrokerState::Refused { retry_at } => Status::Refused { people, retry_at },
            _ if people > 0 && self.is_full() => Status::Full { people },
            _ if unreached > 0 && reconnecting == 0 => Status::NoPath { people, unreached },
            _ if people > 0 => Status::Connected {
                people,
                reconnecting,
            },
            _ if shut_out => Status::Full { people },
            BrokerState::Opening => Status::Joining,
            BrokerState::Ready => Status::Looking,
        }
    }

    /// Gives everybody a name that nobody else has.
    pub(super) fn name_everybody(&mut self, cx: &Cx) {
        let own = Person {
            id: cx.own.id,
            key: cx.own.key,
            name: &cx.own.name,
            tab: cx.own.tab,
        };
        let members = self.members.values();
        let wanted = members.filter(|its| its.is_shown() || its.decision == Decision::Asked);
        let others = wanted.map(|its| Person {
            id: its.id,
            key: its.connect.identity,
            name: &its.name,
            tab: its.connect.tab,
        });
        let names = DisplayNames::of([own].into_iter().chain(others));
        for member in self.members.iter_mut().map(|(_, member)| member) {
            let named = names.get(&member.id).map(str::to_owned);
            member.user =
                named.unwrap_or_else(|| display(&member.name, u32::from(member.connect.tab)));
        }
    }
}
