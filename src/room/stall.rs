//! Files that do not move. Whoever accepted a file or began to send one, and then says nothing more of it, does not keep
//! it open for ever by staying here.

use core::time::Duration;

use super::peer::Peer;
use super::{Deadline, Room};
use crate::identity::PeerId;
use crate::rtc::file_channel::FileId;

/// What was accepted and has not moved for so long is given up.
const STALL: Duration = Duration::from_secs(60);
/// What both sides are told.
const WORDS: &str = "Nothing of the file has moved for a minute.";

impl Room {
    /// A file to this peer was accepted, or came further. All of them share a channel: while one moves, the others wait
    /// for it, and are not given up.
    pub(super) fn ours_moved(&mut self, peer: PeerId) {
        let now = self.now;
        let sending = self.files.sending.iter_mut();
        let moving = sending.filter(|its| its.peer == peer && its.accepted);
        let count = moving.map(|its| its.moved = now).count();
        self.look_at_files(peer, count);
    }

    /// The same of a file from this peer.
    pub(super) fn theirs_moved(&mut self, peer: PeerId) {
        let now = self.now;
        let receiving = self.files.receiving.iter_mut();
        let moving = receiving.filter(|its| its.peer == peer && its.accepted);
        let count = moving.map(|its| its.moved = now).count();
        self.look_at_files(peer, count);
    }

    fn look_at_files(&mut self, peer: PeerId, count: usize) {
        if count > 0 {
            let at = self.now + STALL;
            self.deadlines.set_earlier(Deadline::Files(peer), at);
        }
    }

    /// This computer slept: no file stood still for that.
    pub(super) fn all_files_moved(&mut self) {
        let now = self.now;
        let files = &mut self.files;
        files.sending.iter_mut().for_each(|its| its.moved = now);
        files.receiving.iter_mut().for_each(|its| its.moved = now);
    }

    /// The peer is there again: the time begins anew.
    pub(super) fn files_can_move(&mut self, peer: PeerId) {
        self.ours_moved(peer);
        self.theirs_moved(peer);
    }

    /// Gives up what has not moved for too long.
    pub(super) fn check_files(&mut self, peer: PeerId) {
        // How long to wait for a peer that is not there is decided elsewhere.
        let is_there = |peer: &Peer| peer.current.is_some() && !peer.silent;
        if !self.peers.get(&peer).is_some_and(is_there) {
            return;
        }
        let sending = self.files.sending.iter();
        let ours = sending.filter(|its| its.peer == peer && its.accepted);
        let ours = ours.map(|its| (FileId::Ours(its.token), its.moved));
        let receiving = self.files.receiving.iter();
        let theirs = receiving.filter(|its| its.peer == peer && its.accepted);
        let theirs = theirs.map(|its| (FileId::Theirs(its.file), its.moved));
        let moving: Vec<_> = ours.chain(theirs).collect();
        for (file, moved) in moving {
            if moved + STALL <= self.now {
                self.give_file_up(file, WORDS.to_owned());
            } else {
                self.deadlines
                    .set_earlier(Deadline::Files(peer), moved + STALL);
            }
        }
    }
}
