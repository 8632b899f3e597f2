//! Fetching files: what is asked for, of whom, and whom to ask next.

use core::time::Duration;

use super::io::BlobCommand;
use super::{Attachments, End, Known};
use crate::identity::PeerId;
use crate::room::channel::files::{FileCommand, FileError, FileEvent};
use crate::room::cx::Cx;
use crate::room::effect::Effect;
use crate::room::io::Output;
use crate::room::links::Links;
use crate::room::members::Members;
use crate::room::timer::Timer;
use crate::time::Millis;
use crate::wire::attachment::FileKey;
use crate::wire::frame::AttachmentFrame;

/// The most files that are fetched at once.
const MAX_FETCHED: usize = 4;
/// How long a peer has to answer before another one is asked.
const PATIENCE: Duration = Duration::from_secs(8);
/// A file of which nothing has come for this long is asked of somebody else, if there is anybody.
const STALL: Duration = Duration::from_secs(20);
/// Those who did not have a file, or were busy, are asked again after this time.
const ROUND: Duration = Duration::from_secs(60);

/// A file that is being fetched, or waits for that.
#[derive(Debug)]
pub(super) struct Fetch {
    /// Whether the person asked for it. Those files come first.
    pub pressed: bool,
    /// The number of the wish: what was wished for first comes first.
    order: u32,
    /// Those who do not have it, or did not give it.
    tried: Vec<PeerId>,
    /// When the first of them is asked again.
    round: Millis,
    pub step: Step,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It waits for a place among those that are fetched, or for somebody who has it.
    Waiting,
    /// Somebody was asked for it.
    Asked { peer: PeerId, at: Millis },
    /// It is coming.
    Coming {
        peer: PeerId,
        file: u32,
        done: u64,
        /// How much had come, and when, when it began to come on this connection.
        from: (u64, Millis),
        moved: Millis,
    },
}

impl Fetch {
    fn peer(&self) -> Option<PeerId> {
        match self.step {
            Step::Waiting => None,
            Step::Asked { peer, .. } | Step::Coming { peer, .. } => Some(peer),
        }
    }

    /// This peer did not give it: the next one is asked.
    fn next(&mut self, peer: PeerId, now: Millis) {
        if self.tried.is_empty() {
            self.round = now + ROUND;
        }
        if !self.tried.contains(&peer) {
            self.tried.push(peer);
        }
        self.step = Step::Waiting;
    }
}

impl Attachments {
    /// Puts a file among those that are to be fetched.
    pub(super) fn wish(&mut self, key: FileKey, pressed: bool, now: Millis) {
        self.wishes = self.wishes.wrapping_add(1);
        let order = self.wishes;
        let Some(known) = self.known.get_mut(&key).filter(|known| !known.here) else {
            return;
        };
        known.end = None;
        known.wrong.clear();
        match &mut known.fetch {
            Some(fetch) => {
                fetch.pressed |= pressed;
                fetch.tried.clear();
            }
            None => {
                known.fetch = Some(Fetch {
                    pressed,
                    order,
                    tried: Vec::new(),
                    round: now,
                    step: Step::Waiting,
                });
            }
        }
    }

    /// Ends fetching a file.
    pub(super) fn stop_fetching(&mut self, key: &FileKey, cx: &mut Cx) {
        let known = self.known.get_mut(key);
        let fetch = known.and_then(|known| known.fetch.take());
        if let Some(Step::Coming { file, .. }) = fetch.map(|fetch| fetch.step) {
            cancel(file, cx);
        }
    }

    /// Asks for the next files, as far as there are places and people who may have them.
    pub(super) fn ask_on(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        if !self.is_open {
            return;
        }
        loop {
            let fetches = self.known.values().filter_map(|known| known.fetch.as_ref());
            let under_way = fetches.filter(|fetch| fetch.step != Step::Waiting);
            if under_way.count() >= MAX_FETCHED {
                break;
            }
            let waiting = self.known.iter().filter_map(|(key, known)| {
                let fetch = known.fetch.as_ref()?;
                let waits = fetch.step == Step::Waiting;
                waits.then_some(((!fetch.pressed, fetch.order), *key))
            });
            // Pictures of the same page are asked for in their order.
            let waiting = crate::sort::sorted_by(waiting, |(one, _), (other, _)| one.cmp(other));
            let next = waiting.into_iter().find_map(|(_, key)| {
                let source = self.source(&key, members, links, cx)?;
                Some((key, source))
            });
            let Some((key, peer)) = next else { break };
            if let Some(fetch) = self.known.get_mut(&key).and_then(|it| it.fetch.as_mut()) {
                fetch.step = Step::Asked { peer, at: cx.now };
            }
            cx.send(peer, AttachmentFrame::Want(key));
        }
        self.give_up_the_hopeless(members, links, cx);
        self.set_timer(cx);
    }

    /// Returns the peer to ask for a file next: its author, or another one that may have it.
    fn source(
        &self,
        key: &FileKey,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) -> Option<PeerId> {
        let known = self.known.get(key)?;
        let fetch = known.fetch.as_ref()?;
        let peers = links.connected().filter_map(|peer| {
            let holder = members.connect(&peer)?.identity;
            let may_ask = !fetch.tried.contains(&peer) && !known.wrong.contains(&peer);
            let mut places = known.places.iter();
            let may_have = places.any(|place| match place.with {
                Some(with) => holder == with || holder == cx.own.key,
                None => true,
            });
            let is_author = known.places.iter().any(|place| place.author == holder);
            (may_ask && may_have).then_some((peer, is_author))
        });
        let peers: Vec<_> = peers.collect();
        let authors = peers.iter().filter(|(_, is_author)| *is_author);
        let authors: Vec<_> = authors.collect();
        if !authors.is_empty() {
            let at = cx.random_index(authors.len());
            return authors.get(at).map(|(peer, _)| *peer);
        }
        let at = cx.random_index(peers.len());
        peers.get(at).map(|(peer, _)| *peer)
    }

    /// Ends what only those have who gave something else.
    fn give_up_the_hopeless(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        let lied_about = self.known.iter().filter(|(_, known)| {
            let fetch = known.fetch.as_ref();
            fetch.is_some_and(|it| it.step == Step::Waiting) && !known.wrong.is_empty()
        });
        let lied_about: Vec<FileKey> = lied_about.map(|(key, _)| *key).collect();
        for key in lied_about {
            if self.source(&key, members, links, cx).is_none()
                && let Some(known) = self.known.get_mut(&key)
            {
                known.fetch = None;
                let why = core::mem::take(&mut known.why);
                known.end = Some(End::Failed(why));
            }
        }
    }

    fn set_timer(&self, cx: &mut Cx) {
        let due = self.known.values().filter_map(|known| {
            let fetch = known.fetch.as_ref()?;
            match fetch.step {
                Step::Waiting if fetch.tried.is_empty() => None,
                Step::Waiting => Some(fetch.round),
                Step::Asked { at, .. } => Some(at + PATIENCE),
                Step::Coming { moved, .. } => Some(moved + STALL),
            }
        });
        match due.min() {
            // What is due already is looked at when something changes, and not over and over.
            Some(at) => cx
                .timers
                .set(Timer::Attachments, at.max(cx.now + Duration::from_secs(1))),
            None => cx.timers.clear(&Timer::Attachments),
        }
    }

    /// Handles the timer: asks others for what has not come in time.
    pub fn on_timer(&mut self, members: &Members, links: &Links, cx: &mut Cx) {
        let now = cx.now;
        let mut stalled = Vec::new();
        for (key, known) in self.known.iter_mut() {
            let Some(fetch) = &mut known.fetch else {
                continue;
            };
            match fetch.step {
                Step::Waiting if fetch.round <= now => fetch.tried.clear(),
                Step::Asked { peer, at } if at + PATIENCE <= now => fetch.next(peer, now),
                Step::Coming { moved, .. } if moved + STALL <= now => stalled.push(*key),
                _ => {}
            }
        }
        for key in stalled {
            self.leave_stalled(&key, members, links, cx);
        }
        self.ask_on(members, links, cx);
        self.show_all(links, cx);
    }

    /// Asks somebody else for a file that does not come any further, if there is anybody.
    fn leave_stalled(&mut self, key: &FileKey, members: &Members, links: &Links, cx: &mut Cx) {
        let fetch = self
            .known
            .get_mut(key)
            .and_then(|known| known.fetch.as_mut());
        let Some(Step::Coming { peer, file, .. }) = fetch.as_ref().map(|fetch| fetch.step) else {
            return;
        };
        if let Some(fetch) = fetch {
            fetch.tried.push(peer);
        }
        if self.source(key, members, links, cx).is_some() {
            cancel(file, cx);
            if let Some(fetch) = self.known.get_mut(key).and_then(|it| it.fetch.as_mut()) {
                fetch.next(peer, cx.now);
            }
        } else if let Some(fetch) = self.known.get_mut(key).and_then(|it| it.fetch.as_mut()) {
            fetch.tried.retain(|tried| *tried != peer);
        }
    }

    /// A peer does not have what it was asked for.
    pub(super) fn on_lack(
        &mut self,
        peer: PeerId,
        key: FileKey,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        if let Some(fetch) = self.asked(&key, peer) {
            fetch.next(peer, cx.now);
            self.ask_on(members, links, cx);
            self.show(&key, links, cx);
        }
    }

    /// The file that this peer was asked for.
    fn asked(&mut self, key: &FileKey, peer: PeerId) -> Option<&mut Fetch> {
        let fetch = self.known.get_mut(key)?.fetch.as_mut()?;
        let is_asked = matches!(fetch.step, Step::Asked { peer: asked, .. } if asked == peer);
        is_asked.then_some(fetch)
    }

    /// A file is offered that was asked for, or so it says.
    pub(super) fn on_offer(&mut self, peer: PeerId, file: u32, key: FileKey, cx: &mut Cx) {
        let now = cx.now;
        let Some(fetch) = self.asked(&key, peer) else {
            let words = "This was not asked for.".to_owned();
            return cx.effect(Effect::Transfer(FileCommand::Refuse { file, words }, None));
        };
        fetch.step = Step::Coming {
            peer,
            file,
            done: 0,
            from: (0, now),
            moved: now,
        };
        cx.output(Output::Blob(BlobCommand::Collect(file)));
        cx.effect(Effect::Transfer(FileCommand::Accept(file), None));
    }

    /// The file that is coming as this transfer.
    fn coming(&self, file: u32) -> Option<FileKey> {
        let is_it = |known: &Known| {
            let fetch = known.fetch.as_ref();
            fetch.is_some_and(
                |fetch| matches!(fetch.step, Step::Coming { file: its, .. } if its == file),
            )
        };
        let mut known = self.known.iter();
        known.find(|(_, known)| is_it(known)).map(|(key, _)| *key)
    }

    /// Something happened to a transfer to us.
    pub(super) fn on_incoming(
        &mut self,
        file: u32,
        event: FileEvent,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let Some(key) = self.coming(file) else { return };
        let Some(known) = self.known.get_mut(&key) else {
            return;
        };
        match event {
            FileEvent::Progress { stored, .. } => {
                if let Some(Step::Coming { done, moved, .. }) =
                    known.fetch.as_mut().map(|fetch| &mut fetch.step)
                {
                    (*done, *moved) = (stored, cx.now);
                }
            }
            FileEvent::Done(_) => {
                known.fetch = None;
                known.here = true;
                cx.output(Output::Blob(BlobCommand::Finish { file, key }));
                self.keep(&key, members, cx);
                self.ask_on(members, links, cx);
            }
            FileEvent::Failed { reason, .. } => {
                cx.output(Output::Blob(BlobCommand::Discard(file)));
                if let Some(fetch) = &mut known.fetch
                    && let Some(peer) = fetch.peer()
                {
                    fetch.next(peer, cx.now);
                    if reason != FileError::Gone {
                        known.wrong.push(peer);
                        known.why = reason.to_string();
                    }
                }
                self.ask_on(members, links, cx);
            }
            FileEvent::Offered { .. } => {}
        }
        self.show(&key, links, cx);
    }

    /// A peer is there again, on another connection: the speed is measured anew, and it is asked again.
    pub(super) fn on_verified(&mut self, peer: PeerId, now: Millis) {
        for (_, known) in self.known.iter_mut() {
            let Some(fetch) = &mut known.fetch else {
                continue;
            };
            fetch.tried.retain(|tried| *tried != peer);
            match &mut fetch.step {
                // A request that was lost with the connection.
                Step::Asked { peer: asked, .. } if *asked == peer => fetch.step = Step::Waiting,
                Step::Coming {
                    peer: its,
                    done,
                    from,
                    moved,
                    ..
                } if *its == peer => (*from, *moved) = ((*done, now), now),
                _ => {}
            }
        }
    }

    pub(super) fn on_gone(&mut self, peer: PeerId) {
        for (_, known) in self.known.iter_mut() {
            known.wrong.retain(|wrong| *wrong != peer);
            if let Some(fetch) = &mut known.fetch {
                fetch.tried.retain(|tried| *tried != peer);
                if matches!(fetch.step, Step::Asked { peer: asked, .. } if asked == peer) {
                    fetch.step = Step::Waiting;
                }
            }
        }
    }
}

fn cancel(file: u32, cx: &mut Cx) {
    cx.output(Output::Blob(BlobCommand::Discard(file)));
    let words = "It is not wanted any more.".to_owned();
    cx.effect(Effect::Transfer(FileCommand::Refuse { file, words }, None));
}
