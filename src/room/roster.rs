//! What people see of the room: names made unique, who is in which state, the line of status.

use litemap::LiteMap;

use super::peer::Decision;
use super::{BrokerState, Event, PeerState, PeerView, Room, Status};
use crate::identity::name::{display, fold};
use crate::identity::{Name, PeerId, PublicKey};

/// Our own name as others see it while it is unique.
pub(super) fn own_user(name: &Name, tab: u16) -> String {
    display(name, u32::from(tab))
}

impl Room {
    /// Tells what changed for people to see since the last time.
    pub(super) fn show(&mut self) {
        if !core::mem::take(&mut self.dirty) {
            return;
        }
        self.name_everybody();
        let views: Vec<PeerView> = self
            .peers
            .values()
            .filter(|peer| peer.is_shown())
            .map(|peer| peer.view())
            .collect();
        for view in views {
            if self.shown.get(&view.id) != Some(&view) {
                self.shown.insert(view.id, view.clone());
                self.event(Event::Peer(view));
            }
        }
        let status = self.current_status();
        if self.status != Some(status) {
            self.status = Some(status);
            self.event(Event::Status(status));
        }
    }

    /// Gives everybody a name that is theirs alone: with the tab number, and with the beginning of the key
    /// where two keys go by one name, and of the peer id where even that is not enough.
    pub(super) fn name_everybody(&mut self) {
        let mut bearers: LiteMap<String, Vec<(PublicKey, PeerId)>> = LiteMap::new();
        let mut bear = |name: &Name, tab: u16, key: PublicKey, id: PeerId| {
            bearers
                .entry(fold(&own_user(name, tab)))
                .or_default()
                .push((key, id));
        };
        bear(&self.name, self.tab, self.identity.public(), self.id);
        let wanted = self
            .peers
            .values()
            .filter(|peer| peer.is_shown() || peer.decision == Decision::Asked);
        wanted.for_each(|peer| bear(&peer.name, peer.connect.tab, peer.connect.identity, peer.id));
        for peer in self.peers.iter_mut().map(|(_, peer)| peer) {
            let user = own_user(&peer.name, peer.connect.tab);
            let key = peer.connect.identity;
            let same = bearers.get(&fold(&user)).map_or(&[][..], |bearers| bearers);
            peer.user = if same
                .iter()
                .any(|(other, id)| *other == key && *id != peer.id)
            {
                format!("{user} ({})", &peer.id.to_string()[..4])
            } else if same.iter().any(|(other, _)| *other != key) {
                format!("{user} ({})", &key.fingerprint()[..4])
            } else {
                user
            };
        }
    }

    fn current_status(&self) -> Status {
        let (mut people, mut reconnecting) = (0, 0);
        for peer in self.peers.values().filter(|peer| peer.is_shown()) {
            people += u32::from(peer.was_verified && !peer.failed);
            reconnecting += u32::from(peer.state() == PeerState::Reconnecting);
        }
        match self.broker {
            BrokerState::Unreachable { retry_at } => Status::Unreachable { people, retry_at },
            _ if people > 0 && self.is_full() => Status::Full { people },
            _ if people > 0 => Status::Connected {
                people,
                reconnecting,
            },
            _ if self.shut_out() => Status::Full { people },
            BrokerState::Opening => Status::Joining,
            BrokerState::Ready => Status::Looking,
        }
    }
}
