//! Calls of the demonstration: who is in them, who shows what, and what comes of the person's presses. `embed/scenes/calls.ts`
//! makes their pictures.

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::Demo;
use super::people::lobby;
use crate::identity::{PeerId, Trust};
use crate::room::{
    CallCommand, CallEvent, CallId, CallPeer, CallsView, Conversation, Event, OwnCall, OwnShare,
    PeerState, Ring, Running, Sends, Share, TheirShare, WatchState,
};
use crate::ui::Backend;
use crate::ui::calls::Calls;

#[wasm_bindgen]
extern "C" {
    /// The script of the demonstration, which does more than [`Calls`].
    type Played;
    /// Joins a call, or shows a camera, as the person would.
    #[wasm_bindgen(method, structural)]
    fn play(this: &Played, call: Option<String>);
}

const CALL: CallId = CallId([1; 8]);
const RING: CallId = CallId([2; 8]);
const OWN_CALL: CallId = CallId([3; 8]);
/// The milliseconds that a call has lasted when the scene begins.
const LASTED: u64 = 754_000;
/// The milliseconds that it rings before somebody answers.
const RINGS: i32 = 3_000;
/// Who watches from the beginning, and who asks to.
const WATCHERS: [u8; 2] = [2, 4];
const ASKING: [u8; 1] = [3];

fn id(byte: u8) -> PeerId {
    PeerId([byte; 16])
}

/// What somebody sends, in letters: *m*icrophone, *c*amera, *s*creen, raised *h*and.
fn sends(what: &str) -> Sends {
    Sends {
        microphone: what.contains('m'),
        camera: what.contains('c'),
        screen: what.contains('s'),
        hand: what.contains('h'),
        ..Sends::default()
    }
}

fn peers(all: &[(u8, &str)]) -> Vec<CallPeer> {
    let peer = |(byte, what): &(u8, &str)| CallPeer {
        peer: id(*byte),
        is_connected: true,
        sends: sends(what),
    };
    all.iter().map(peer).collect()
}

fn shows(byte: u8, what: &str, state: WatchState) -> TheirShare {
    TheirShare {
        peer: id(byte),
        share: Share {
            sends: sends(what),
            ..Share::default()
        },
        state,
    }
}

/// Who is in a call of four, and who in one of many.
const FEW: [(u8, &str); 4] = [(1, "mc"), (2, "c"), (3, "mh"), (4, "mcs")];
const MANY: [(u8, &str); 8] = [
    (1, "mc"),
    (2, "c"),
    (3, "mch"),
    (4, "mc"),
    (5, "mc"),
    (6, "m"),
    (7, "c"),
    (8, "mc"),
];

impl Demo {
    fn change(&self, change: impl FnOnce(&mut CallsView)) {
        let mut view = self.0.calls_view.borrow().clone();
        change(&mut view);
        self.0.calls_view.replace(view.clone());
        self.event(Event::Call(CallEvent::Changed(Box::new(view))));
    }

    fn everybody(&self) {
        self.conversation();
        for (byte, user, trust) in [
            (4, "Jan van den Berg-Oosterhuis van Rijn", Trust::Known),
            (5, "Priya", Trust::Verified),
            (6, "Greta", Trust::New),
            (7, "Zoë", Trust::Known),
            (8, "Mia", Trust::New),
        ] {
            self.peer(byte, user, PeerState::Verified, trust);
        }
        self.connected(8, 0);
    }

    /// Does something as the person would, once the script is there.
    fn begin(&self, call: Option<CallId>) {
        let loading = self.calls();
        spawn_local(async move {
            if let Ok(calls) = loading.await {
                let played: Played = calls.unchecked_into();
                played.play(call.map(CallId::to_text));
            }
        });
    }

    /// A call in which the person takes part.
    pub(super) fn call(&self, is_full: bool) {
        self.everybody();
        let others = if is_full { peers(&MANY) } else { peers(&FEW) };
        self.0.in_call.replace(others);
        self.runs();
        self.change(|view| view.shares = vec![shows(5, "mc", WatchState::Offered)]);
        self.begin(Some(CALL));
    }

    /// Somebody rings, others are in a call already, and a camera can be watched.
    pub(super) fn ring(&self) {
        self.everybody();
        self.0.in_call.replace(peers(&[(4, "mc")]));
        self.change(|view| {
            view.rings = vec![Ring {
                call: RING,
                conversation: Conversation::Direct(super::people::key(4)),
                from: id(4),
                video: true,
                silent: false,
            }];
            view.running = vec![Running {
                call: CALL,
                conversation: lobby(),
                peers: vec![id(1), id(2), id(3)],
            }];
            view.shares = vec![
                shows(5, "mc", WatchState::Offered),
                shows(8, "s", WatchState::Offered),
            ];
        });
    }

    /// What others show, and what the person shows them.
    pub(super) fn watch(&self) {
        self.everybody();
        self.change(|view| {
            let mut sensitive = shows(4, "mc", WatchState::Watching);
            sensitive.share.sensitive = true;
            view.shares = vec![
                shows(5, "mc", WatchState::Watching),
                sensitive,
                shows(7, "c", WatchState::Asking),
            ];
        });
        self.begin(None);
    }

    /// The others are in a call without the person.
    fn runs(&self) {
        let others = self.0.in_call.borrow().iter().map(|it| it.peer).collect();
        self.change(|view| {
            view.running = vec![Running {
                call: CALL,
                conversation: lobby(),
                peers: others,
            }];
        });
    }

    fn enter(&self, id: CallId, conversation: Conversation, sends: Sends) {
        let others = self.0.in_call.borrow().clone();
        let since = crate::browser::now().0.saturating_sub(LASTED);
        self.change(|view| {
            view.rings.retain(|ring| ring.call != id);
            view.running.retain(|running| running.call != id);
            view.call = Some(OwnCall {
                id,
                conversation,
                rings: false,
                since: Some(crate::time::Millis(since)),
                sends,
                crowded: others.len() >= MANY.len(),
                peers: others,
            });
        });
    }

    /// Does what the person wants of calls.
    pub(super) fn on_call(&self, command: CallCommand) {
        match command {
            CallCommand::Start {
                conversation,
                sends,
            } => {
                self.change(|view| {
                    view.call = Some(OwnCall {
                        id: OWN_CALL,
                        conversation: conversation.clone(),
                        rings: true,
                        since: None,
                        sends: sends.clone(),
                        peers: Vec::new(),
                        crowded: false,
                    });
                });
                self.later(RINGS, move |demo| {
                    let is_there = demo.0.calls_view.borrow().call.is_some();
                    if is_there && demo.0.people.get() > 0 {
                        demo.0.in_call.replace(peers(&[(1, "mc"), (2, "mc")]));
                        demo.enter(OWN_CALL, conversation, sends);
                    }
                });
            }
            CallCommand::Answer { call, sends } => {
                let ring = self.0.calls_view.borrow().rings.first().cloned();
                let direct = ring.filter(|ring| ring.call == call);
                let conversation = direct.map_or_else(lobby, |ring| ring.conversation);
                self.enter(call, conversation, sends);
            }
            // Nothing is missed here.
            CallCommand::Seen(_) => {}
            CallCommand::Decline(call) => {
                self.change(|view| view.rings.retain(|ring| ring.call != call));
            }
            CallCommand::HangUp => {
                self.change(|view| view.call = None);
                if matches!(self.0.scene.as_str(), "call" | "call-full") {
                    self.runs();
                }
            }
            CallCommand::Send(sends) => self.change(|view| {
                if let Some(call) = &mut view.call {
                    call.sends = sends;
                }
            }),
            CallCommand::Share(share) => self.change(|view| {
                let [watchers, asking] = match (&view.share, self.0.people.get()) {
                    (Some(share), _) => [share.watchers.clone(), share.asking.clone()],
                    (None, 0) => [Vec::new(), Vec::new()],
                    (None, _) => [WATCHERS.map(id).to_vec(), ASKING.map(id).to_vec()],
                };
                view.share = Some(OwnShare {
                    share,
                    watchers,
                    asking,
                    uplink: 0,
                });
            }),
            CallCommand::Unshare => self.change(|view| view.share = None),
            CallCommand::Watch { peer, on } => self.change(|view| {
                for share in view.shares.iter_mut().filter(|it| it.peer == peer) {
                    share.state = match on {
                        true => WatchState::Watching,
                        false => WatchState::Offered,
                    };
                }
            }),
            CallCommand::Admit { peer, on } => self.change(|view| {
                if let Some(share) = &mut view.share {
                    share.asking.retain(|other| *other != peer);
                    share.watchers.retain(|other| *other != peer);
                    if on {
                        share.watchers.push(peer);
                    }
                }
            }),
            CallCommand::Want { .. } => {}
        }
    }

    /// Loads the script.
    pub(super) async fn load_calls(self) -> Result<Calls, String> {
        let (commands, notices) = (self.clone(), self.clone());
        let command = move |command| commands.on_call(command);
        let notice = move |text| notices.emit(crate::ui::UiEvent::Notice(text));
        self.0.calls.get(command, notice).await
    }
}
