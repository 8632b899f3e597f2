//! A program that shows no files beside messages has none to give: a peer that asks for one is told so.

use super::cx::Cx;
use super::effect::{Attached, PeerEvent};
use super::links::Links;
use super::members::Members;
use crate::identity::PeerId;
use crate::wire::frame::{AttachmentFrame, ShortId};

/// A stand-in for the machine of attachments in a build without the feature `attachments`.
#[derive(Debug, Default)]
pub(super) struct NoAttachments {}

impl NoAttachments {
    /// Tells a peer that the file is not here.
    pub fn on_frame(
        &mut self,
        peer: PeerId,
        frame: AttachmentFrame,
        _: &Members,
        _: &Links,
        cx: &mut Cx,
    ) {
        if let AttachmentFrame::Want(key) = frame {
            cx.send(peer, AttachmentFrame::Lack(key));
        }
    }

    /// Ignores what is said with a file beside it.
    pub fn on_attached(&mut self, said: Attached, _: &Members, _: &Links, _: &mut Cx) {
        drop(said);
    }

    /// Ignores what was taken back.
    pub fn on_detached(&mut self, _: ShortId, _: &mut Cx) {}

    /// Ignores events of peers.
    pub fn on_peer(&mut self, _: PeerId, _: &PeerEvent, _: &Members, _: &Links, _: &mut Cx) {}
}
