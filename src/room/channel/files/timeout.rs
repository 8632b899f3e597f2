//! Files that do not move are given up: a peer that accepted a file or began to send one, and then says nothing more
//! about it, must not keep it open for ever by staying here.

use core::time::Duration;

use super::Files;
use crate::identity::PeerId;
use crate::room::Timer;
use crate::room::cx::Cx;
use crate::room::io::PeerState;
use crate::room::links::Links;
use crate::rtc::file_channel::FileId;

/// A file that was accepted and has not moved for this long is given up.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The reason that both sides are told.
const REASON: &str = "Nothing of the file has moved for a minute.";

impl Files {
    /// Notes that a file to this peer was accepted or has moved. All files to a peer share a channel: while one moves,
    /// the others wait for it, and are not given up.
    pub(super) fn ours_moved(&mut self, peer: PeerId, cx: &mut Cx) {
        let now = cx.now;
        let sending = self.sending.iter_mut();
        let moving = sending.filter(|its| its.peer == peer && its.accepted);
        let count = moving.map(|its| its.moved = now).count();
        self.look_at_files(peer, count, cx);
    }

    /// The same for a file from this peer.
    pub(super) fn theirs_moved(&mut self, peer: PeerId, cx: &mut Cx) {
        let now = cx.now;
        let receiving = self.receiving.iter_mut();
        let moving = receiving.filter(|its| its.peer == peer && its.accepted);
        let count = moving.map(|its| its.moved = now).count();
        self.look_at_files(peer, count, cx);
    }

    fn look_at_files(&mut self, peer: PeerId, count: usize, cx: &mut Cx) {
        if count > 0 {
            let at = cx.now + STALL_TIMEOUT;
            cx.timers.set_earlier(Timer::Files(peer), at);
        }
    }

    /// Restarts the time of every file after this computer slept: no file is given up because of that.
    pub fn all_files_moved(&mut self, cx: &mut Cx) {
        let now = cx.now;
        self.sending.iter_mut().for_each(|its| its.moved = now);
        self.receiving.iter_mut().for_each(|its| its.moved = now);
    }

    /// Restarts the time of this peer's files, because the peer is there again.
    pub(super) fn files_can_move(&mut self, peer: PeerId, cx: &mut Cx) {
        self.ours_moved(peer, cx);
        self.theirs_moved(peer, cx);
    }

    /// Gives up the files that have not moved for too long.
    pub fn check_files(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        // Keep-alive decides how long to wait for a peer that is not there.
        if links.state(&peer) != PeerState::Verified {
            return;
        }
        let sending = self.sending.iter();
        let ours = sending.filter(|its| its.peer == peer && its.accepted);
        let ours = ours.map(|its| (FileId::Ours(its.token), its.moved));
        let receiving = self.receiving.iter();
        let theirs = receiving.filter(|its| its.peer == peer && its.accepted);
        let theirs = theirs.map(|its| (FileId::Theirs(its.file), its.moved));
        let moving: Vec<_> = ours.chain(theirs).collect();
        for (file, moved) in moving {
            if moved + STALL_TIMEOUT <= cx.now {
                self.give_up(file, REASON.to_owned(), cx);
            } else {
                cx.timers
                    .set_earlier(Timer::Files(peer), moved + STALL_TIMEOUT);
            }
        }
    }
}
