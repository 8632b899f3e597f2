//! A program without files: a peer that offers one is told so.

use crate::identity::PeerId;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::links::Links;
use crate::wire::{FileFrame, Frame, OutboundMessage};

/// A stand-in for the machine of files in a build without the feature `files`.
#[derive(Debug, Default)]
pub(in crate::room) struct NoFiles {}

impl NoFiles {
    /// Refuses every file that a peer offers.
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

    /// Ignores events of peers: there are no files.
    pub fn on_peer(&mut self, _: PeerId, _: &PeerEvent, _: &Links, _: &mut Cx) {}
}
