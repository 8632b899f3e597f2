//! The view of the room that people get: unique names, the state of each peer, the status line.

use litemap::LiteMap;

use super::{Decision, Members};
use crate::identity::display::{DisplayNames, Person};
use crate::identity::name::display;
use crate::identity::{Name, PeerId, PublicKey};
use crate::room::activity::Activities;
use crate::room::channel::Channels;
use crate::room::cx::Cx;
use crate::room::io::{Activity, BrokerState, PeerState, PeerView, PeopleEvent, Status};
use crate::room::links::Links;
use crate::time::Millis;

/// Our own name as others see it while it is unique.
pub(in crate::room) fn own_user(name: &Name, tab: u16) -> String {
    display(name, u32::from(tab))
}

/// The facts, apart from the people, on which the status line depends.
#[derive(Debug, Clone, Copy)]
pub(in crate::room) struct Seen {
    /// The state of the broker.
    pub broker: BrokerState,
    /// Whether others said that there is no place left, and nobody is connected.
    pub shut_out: bool,
    /// When we look for others again, unless we do now.
    pub retry_at: Option<Millis>,
}

impl Members {
    /// Reports what has changed for people to see since the last time.
    pub fn show(
        &mut self,
        links: &Links,
        channels: &Channels,
        activities: &Activities,
        cx: &mut Cx,
    ) {
        self.name_everybody(cx);
        let shown = self.members.values().filter(|member| member.is_shown());
        let mut views: Vec<PeerView> = shown.map(|member| member.view(links)).collect();
        // A person is active if one of their tabs is.
        let mut people: LiteMap<PublicKey, Activity> = LiteMap::new();
        for view in views.iter().filter(|view| links.is_connected(&view.id)) {
            if let Some(activity) = activities.of(&view.id) {
                let known = people.entry(view.key).or_insert(activity);
                *known = activity.min(*known);
            }
        }
        for view in &mut views {
            view.muted = channels.is_muted(&view.id);
        }
        for view in views.iter_mut().filter(|view| self.is_proven(&view.id)) {
            view.activity = people.get(&view.key).copied();
        }
        for view in views {
            if self.shown.get(&view.id) != Some(&view) {
                self.shown.insert(view.id, view.clone());
                cx.people(PeopleEvent::Changed(view));
            }
        }
    }

    /// Whether no other person is connected. Tabs of our own are not others.
    pub fn is_alone(&self, links: &Links, cx: &Cx) -> bool {
        let mut connected = links.connected();
        connected.all(|peer| self.is_own_tab(&peer, cx))
    }

    fn is_own_tab(&self, peer: &PeerId, cx: &Cx) -> bool {
        let member = self.members.get(peer);
        member.is_some_and(|member| member.connect.identity == cx.own.key)
    }

    /// Returns the status line.
    pub fn status(&self, seen: Seen, links: &Links, cx: &Cx) -> Status {
        let Seen {
            broker,
            shut_out,
            retry_at,
        } = seen;
        let (mut people, mut own_tabs, mut reconnecting, mut unreached) = (0, 0, 0, 0);
        for peer in self.shown() {
            let state = links.state(&peer);
            let met = matches!(state, PeerState::Verified | PeerState::Reconnecting);
            if self.is_own_tab(&peer, cx) {
                own_tabs += u32::from(state == PeerState::Verified);
                continue;
            }
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
                own_tabs,
            },
            _ if shut_out => Status::Full { people },
            BrokerState::Opening => Status::Joining,
            BrokerState::Ready => Status::Looking {
                retry_at,
                own_tabs,
                dropping: cx.drops.prevail(cx.now),
            },
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
