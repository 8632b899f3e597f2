//! The page takes no files: a peer that offers one is told so.

use crate::identity::PeerId;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::links::Links;
use crate::wire::{FileFrame, Frame, OutboundMessage};

/// Stands in for the machine of files where there are none.
#[derive(Debug, Default)]
pub(in crate::room) struct NoFiles {}

impl NoFiles {
    /// A peer says something about a file.
    pub fn on_frame(&mut self, peer: PeerId, said: FileFrame, _: &Links, cx: &mut Cx) {
        if said.step == "offer" {
            let refusal = Frame::File(FileFrame {
                number: said.number,
                step: "refuse".to_owned(),
                text: Some("This page takes no files.".to_owned()),
                ..FileFrame::default()
            });
            cx.effect(Effect::Reply(peer, OutboundMessage::frame(&refusal)));
        }
    }

    /// Something happened to a peer.
    pub fn on_peer(&mut self, _: PeerId, _: &PeerEvent, _: &Links, _: &mut Cx) {}
}
