//! What people see of the room: names made unique, who is in which state, the line of status.

use litemap::LiteMap;

use super::{Decision, Members};
use crate::identity::name::{display, fold};
use crate::identity::{Name, PeerId, PublicKey};
use crate::room::cx::Cx;
use crate::room::io::{BrokerState, PeerState, PeerView, PeopleEvent, Status};
use crate::room::links::Links;

/// Our own name as others see it while it is unique.
pub(in crate::room) fn own_user(name: &Name, tab: u16) -> String {
    display(name, u32::from(tab))
}

impl Members {
    /// Tells what changed for people to see since the last time.
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

    /// The line of status.
    pub fn status(&self, broker: BrokerState, shut_out: bool, links: &Links) -> Status {
        let (mut people, mut reconnecting) = (0, 0);
        for peer in self.shown() {
            let state = links.state(&peer);
            let met = matches!(state, PeerState::Verified | PeerState::Reconnecting);
            people += u32::from(met);
            reconnecting += u32::from(state == PeerState::Reconnecting);
        }
        match broker {
            BrokerState::Unreachable { retry_at } => Status::Unreachable { people, retry_at },
            _ if people > 0 && self.is_full() => Status::Full { people },
            _ if people > 0 => Status::Connected {
                people,
                reconnecting,
            },
            _ if shut_out => Status::Full { people },
            BrokerState::Opening => Status::Joining,
            BrokerState::Ready => Status::Looking,
        }
    }

    /// Gives everybody a name that is theirs alone: with the tab number, and with the beginning of the key
    /// where two keys go by one name, and of the peer id where even that is not enough.
    pub(super) fn name_everybody(&mut self, cx: &Cx) {
        let mut bearers: LiteMap<String, Vec<(PublicKey, PeerId)>> = LiteMap::new();
        let mut bear = |name: &Name, tab: u16, key: PublicKey, id: PeerId| {
            bearers
                .entry(fold(&own_user(name, tab)))
                .or_default()
                .push((key, id));
        };
        bear(&cx.own.name, cx.own.tab, cx.own.key(), cx.own.id);
        let members = self.members.values();
        let wanted = members.filter(|its| its.is_shown() || its.decision == Decision::Asked);
        wanted.for_each(|its| bear(&its.name, its.connect.tab, its.connect.identity, its.id));
        for member in self.members.iter_mut().map(|(_, member)| member) {
            let user = own_user(&member.name, member.connect.tab);
            let key = member.connect.identity;
            let same = bearers.get(&fold(&user)).map_or(&[][..], |bearers| bearers);
            let another = |(other, id): &(PublicKey, PeerId)| *other == key && *id != member.id;
            member.user = if same.iter().any(another) {
                format!("{user} ({})", &member.id.to_string()[..4])
            } else if same.iter().any(|(other, _)| *other != key) {
                format!("{user} ({})", &key.fingerprint()[..4])
            } else {
                user
            };
        }
    }
}
