//! What there is to see of calls.

use super::sharing::Guest;
use super::{Calls, Other};
use crate::identity::PeerId;
use crate::room::io::{
    CallPeer, CallsView, Conversation, OwnCall, OwnShare, PeerState, Ring, Running, TheirShare,
};
use crate::room::links::Links;
use crate::room::members::Members;

impl Calls {
    pub(super) fn view(&self, members: &Members, links: &Links) -> CallsView {
        let shares = self
            .others
            .iter()
            .filter(|(peer, other)| members.is_proven(peer) && !other.share.sends.is_nothing());
        CallsView {
            call: self.own_call(links),
            rings: self
                .rings
                .iter()
                .map(|ring| Ring {
                    call: ring.call,
                    conversation: ring.conversation.clone(),
                    from: ring.from,
                    video: ring.video,
                    silent: ring.silent,
                })
                .collect(),
            running: self.running(),
            shares: shares
                .map(|(peer, other)| TheirShare {
                    peer: *peer,
                    share: other.share.clone(),
                    state: other.watch,
                })
                .collect(),
            share: self.own_share(),
        }
    }

    fn own_call(&self, links: &Links) -> Option<OwnCall> {
        let own = self.own.as_ref()?;
        let peers = self.others.iter().filter_map(|(peer, other)| {
            let call = other.call.as_ref()?;
            (call.conversation == own.conversation).then(|| CallPeer {
                peer: *peer,
                is_connected: links.state(peer) == PeerState::Verified,
                sends: call.sends.clone(),
            })
        });
        Some(OwnCall {
            id: own.id,
            conversation: own.conversation.clone(),
            rings: own.rings_until.is_some() && own.since.is_none(),
            since: own.since,
            sends: own.sends.clone(),
            peers: peers.collect(),
            crowded: self.is_crowded(&own.conversation),
        })
    }

    /// The calls that others are in, one for each conversation.
    fn running(&self) -> Vec<Running> {
        let mut running: Vec<Running> = Vec::new();
        for (peer, other) in &self.others {
            let Some(call) = &other.call else { continue };
            let is_ours = |conversation: &Conversation| {
                let own = self.own.as_ref();
                own.is_some_and(|own| own.conversation == *conversation)
                    || self
                        .rings
                        .iter()
                        .any(|ring| ring.conversation == *conversation)
            };
            if is_ours(&call.conversation) {
                continue;
            }
            let there = running
                .iter_mut()
                .find(|it| it.conversation == call.conversation);
            match there {
                Some(there) => {
                    there.call = there.call.min(call.id);
                    there.peers.push(*peer);
                }
                None => running.push(Running {
                    call: call.id,
                    conversation: call.conversation.clone(),
                    peers: vec![*peer],
                }),
            }
        }
        running
    }

    fn own_share(&self) -> Option<OwnShare> {
        let share = &self.sharing.share;
        if share.sends.is_nothing() {
            return None;
        }
        let guests = |wanted: Guest| -> Vec<PeerId> {
            let guests = self.others.iter();
            let is = |other: &Other| other.guest == Some(wanted);
            guests
                .filter(|(_, other)| is(other))
                .map(|(peer, _)| *peer)
                .collect()
        };
        Some(OwnShare {
            share: share.clone(),
            watchers: guests(Guest::Admitted),
            asking: guests(Guest::Asking),
            uplink: self.uplink(),
        })
    }
}
