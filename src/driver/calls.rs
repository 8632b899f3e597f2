//! The script that moves sound and pictures (`embed/calls/`), which is loaded when they are first needed.

use std::cell::RefCell;

use js_sys::{Function, JSON, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::RtcPeerConnection;

use crate::call_script::wish;
use crate::identity::PeerId;
use crate::room::MediaWish;
use crate::rtc::ConnectionId;
use crate::rtc::web::Connections;

#[wasm_bindgen]
extern "C" {
    /// The script's object for one chat.
    #[derive(Clone)]
    pub type CallScript;
    #[wasm_bindgen(method, structural, catch)]
    fn link(
        this: &CallScript,
        connection: u32,
        peer: &str,
        pc: &RtcPeerConnection,
        wish: &JsValue,
    ) -> Result<(), JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn unlink(this: &CallScript, connection: u32) -> Result<(), JsValue>;
}

/// The script, once it is there.
#[derive(Default)]
pub(super) struct Media {
    script: RefCell<Option<CallScript>>,
}

impl Media {
    /// Moves sound and pictures with this script from now on.
    pub fn provide(&self, script: CallScript, connections: Option<&Connections>) {
        // The function knows its object only while it is called on it.
        let gate = Reflect::get(&script, &"settle".into());
        let gate = gate.and_then(JsCast::dyn_into::<Function>);
        if let (Ok(gate), Some(connections)) = (gate, connections) {
            connections.set_media_gate(gate.bind0(&script));
        }
        self.script.replace(Some(script));
    }

    /// Carries out what is to run on a connection. Nothing does before the person has called, answered or opened something,
    /// and by then the script is there.
    pub fn carry_out(
        &self,
        connection: ConnectionId,
        peer: &PeerId,
        wished: &MediaWish,
        connections: &Connections,
    ) {
        let script = self.script.borrow().clone();
        let (Some(script), Some(pc)) = (script, connections.peer(connection)) else {
            return;
        };
        if let Ok(wish) = JSON::parse(&wish(wished)) {
            // A browser that cannot do it has said so to the person.
            let _ = script.link(connection.0, &peer.to_string(), &pc, &wish);
        }
    }

    /// A connection is closed.
    pub fn closed(&self, connection: ConnectionId) {
        if let Some(script) = self.script.borrow().as_ref() {
            let _ = script.unlink(connection.0);
        }
    }
}
