//! Tells each peer what it has not been told yet.

use super::{Calls, Guest, Joined, Other, Share, WatchState};
use crate::identity::{PeerId, PublicKey};
use crate::room::cx::Cx;
use crate::room::io::{CallId, Conversation};
use crate::room::links::Links;
use crate::wire::frame::{CallFrame, HangUp, Watching};

/// What a peer was told last.
#[derive(Debug)]
pub(super) struct Told {
    call: Option<CallFrame>,
    share: Share,
    watch: bool,
    watching: Option<Watching>,
    heights: [u16; 2],
    /// The last call of ours that it was told of, whether it was told of something that we show, and whether we wanted to
    /// watch: that those have ended may have been lost.
    last_call: Option<CallId>,
    has_shown: bool,
    has_watched: bool,
    /// Whether it may not have arrived: it was told on another connection.
    pub is_stale: bool,
}

impl Default for Told {
    fn default() -> Told {
        Told {
            call: None,
            share: Share::default(),
            watch: false,
            watching: None,
            heights: [u16::MAX; 2],
            last_call: None,
            has_shown: false,
            has_watched: false,
            is_stale: false,
        }
    }
}

impl Calls {
    /// Tells everybody who is connected what has changed for them.
    pub(super) fn tell_all(&mut self, links: &Links, cx: &mut Cx) {
        let (own, share) = (self.own.as_ref(), &self.sharing.share);
        for (peer, other) in self.others.iter_mut() {
            if links.is_connected(peer) {
                let call = own.and_then(|own| frame(own, &other.key, &cx.own.key));
                other.tell(*peer, call, share, cx);
            }
        }
    }
}

/// What somebody with this key is told of the call that we are in.
fn frame(own: &Joined, key: &PublicKey, own_key: &PublicKey) -> Option<CallFrame> {
    let channel = match &own.conversation {
        Conversation::Channel(name) => Some(name.clone()),
        Conversation::Direct(with) if with == key || key == own_key => None,
        Conversation::Direct(_) => return None,
    };
    Some(CallFrame::Call {
        id: own.id,
        channel,
        ring: own.rings_until.is_some(),
        sends: own.sends.clone(),
    })
}

impl Other {
    fn tell(&mut self, peer: PeerId, call: Option<CallFrame>, share: &Share, cx: &mut Cx) {
        let told = &mut self.told;
        // After a new connection, what is the case is said again, and what has ended is said to have ended.
        let again = core::mem::take(&mut told.is_stale);
        let mut frames = Vec::new();
        if told.call != call || again {
            let id = told.last_call;
            match &call {
                Some(frame @ CallFrame::Call { id, .. }) => {
                    told.last_call = Some(*id);
                    frames.push(frame.clone());
                }
                _ => frames.extend(id.map(|id| CallFrame::HangUp {
                    id,
                    why: HangUp::Left,
                })),
            }
            told.call = call;
        }
        let shows = !share.sends.is_nothing();
        if told.share != *share || (again && (shows || told.has_shown)) {
            told.has_shown |= shows;
            told.share = share.clone();
            frames.push(CallFrame::Share(share.clone()));
        }
        let watch = matches!(self.watch, WatchState::Asking | WatchState::Watching);
        if told.watch != watch || (again && (watch || told.has_watched)) {
            told.has_watched |= watch;
            told.watch = watch;
            frames.push(CallFrame::Watch { on: watch });
        }
        let watching = self.guest.map(Guest::told);
        if told.watching != watching || (again && watching.is_some()) {
            told.watching = watching;
            frames.extend(watching.map(|is| CallFrame::Watching { is }));
        }
        if told.heights != self.our_heights || (again && self.our_heights != [u16::MAX; 2]) {
            let [camera, screen] = self.our_heights;
            told.heights = [camera, screen];
            frames.push(CallFrame::Size { camera, screen });
        }
        for frame in frames {
            cx.send(peer, frame);
        }
    }
}
