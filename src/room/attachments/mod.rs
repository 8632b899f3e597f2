//! Files that stand beside what people say: who has them, who is asked for them, and who is given them.
//!
//! What somebody says is passed on like everything that is said; the bytes are asked for by their hash, of whoever has
//! them, and come over the file channel.

mod fetching;
mod io;
mod kept;
mod serving;

use core::time::Duration;

use litemap::LiteMap;

use super::channel::files::FileEvent;
use super::cx::Cx;
use super::effect::{Attached, Effect, PeerEvent};
use super::io::{Event, Output};
use super::links::Links;
use super::members::Members;
use crate::budget::Budget;
use crate::identity::{PeerId, PublicKey, Trust};
use crate::room::channel::files::FileCommand;
use crate::rtc::file_channel::FileId;
use crate::time::Millis;
use crate::wire::attachment::{FileHash, FileKey};
use crate::wire::frame::{AttachmentFrame, ShortId};

use fetching::{Fetch, Step};
pub use io::{AttachmentCommand, AttachmentEvent, BlobCommand, BlobEvent, FileState, FileView};
use kept::Kept;
pub use kept::{MAX_KEPT, MAX_KEPT_FILE};
use serving::Served;

/// Files of people who are known, of at most this many bytes, are fetched without being asked for.
pub const MAX_AT_ONCE: u64 = 1 << 20;
/// Of one author at most this many are, …
const AT_ONCE_BURST: u32 = 40;
/// … and then one in each of these pauses.
const AT_ONCE_PAUSE: Duration = Duration::from_secs(4);

/// The progress of a file is shown at most this often.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// Where a file stands: beside something that was said.
#[derive(Debug)]
struct Place {
    id: ShortId,
    author: PublicKey,
    /// The other person of a direct conversation. Without one, everybody in the room reads it.
    with: Option<PublicKey>,
    name: String,
    mime: String,
}

/// How fetching a file ended, if the file is not here.
#[derive(Debug)]
enum End {
    Failed(String),
    Refused,
}

/// A file that is known of.
#[derive(Debug, Default)]
struct Known {
    places: Vec<Place>,
    /// Whether its bytes are here.
    here: bool,
    /// Whether we sent it, and it is not known that anybody has fetched it.
    untouched: bool,
    fetch: Option<Fetch>,
    /// Those who gave something else, or nothing, and what went wrong with the last of them.
    wrong: Vec<PeerId>,
    why: String,
    end: Option<End>,
    /// What people see of it, and since when.
    shown: Option<(FileView, Millis)>,
}

/// Files that stand beside what people say.
#[derive(Debug, Default)]
pub(super) struct Attachments {
    known: LiteMap<FileKey, Known>,
    kept: Kept,
    /// Whether there is a place for bytes.
    is_open: bool,
    wishes: u32,
    served: Served,
    /// What is fetched of each author without being asked for.
    at_once: LiteMap<PublicKey, Budget>,
}

impl Attachments {
    /// Something was said that has a file beside it.
    pub fn on_attached(&mut self, said: Attached, members: &Members, links: &Links, cx: &mut Cx) {
        if !cx.features.files {
            return;
        }
        let key = said.file.key();
        let known = self.known.entry(key).or_default();
        if known.places.iter().any(|place| place.id == said.id) {
            return;
        }
        let is_ours = said.author == cx.own.key;
        known.places.push(Place {
            id: said.id,
            author: said.author,
            with: said.with,
            name: said.file.name,
            mime: said.file.mime,
        });
        known.here |= said.is_sent_here || self.kept.contains(&key);
        known.untouched |= said.is_sent_here;
        if said.is_sent_here {
            self.keep(&key, members, cx);
        } else if !known.here && self.comes_at_once(&key, &said.author, said.trust, is_ours, cx.now)
        {
            self.wish(key, false, cx.now);
        }
        self.ask_on(members, links, cx);
        self.show(&key, links, cx);
    }

    /// Whether a file is fetched without being asked for.
    fn comes_at_once(
        &mut self,
        key: &FileKey,
        author: &PublicKey,
        trust: Trust,
        is_ours: bool,
        now: Millis,
    ) -> bool {
        let is_known = is_ours || matches!(trust, Trust::Known | Trust::Verified);
        if key.size > MAX_AT_ONCE || !is_known {
            return false;
        }
        let budget = self.at_once.entry(*author);
        let budget = budget.or_insert_with(|| Budget::slow(AT_ONCE_BURST, AT_ONCE_PAUSE, now));
        budget.take(now)
    }

    /// What had a file beside it was taken back, or is no longer here.
    pub fn on_detached(&mut self, id: ShortId, cx: &mut Cx) {
        let mut known = self.known.iter_mut();
        let found = known.find_map(|(key, known)| {
            let before = known.places.len();
            known.places.retain(|place| place.id != id);
            (known.places.len() < before).then_some((*key, known.places.is_empty()))
        });
        if let Some((key, true)) = found {
            self.stop_fetching(&key, cx);
            self.stop_serving(&key, cx);
            self.known.remove(&key);
            self.kept.remove(&key);
            cx.output(Output::Blob(BlobCommand::Delete(key)));
        }
    }

    /// Handles a command of the person.
    pub fn on_command(
        &mut self,
        command: AttachmentCommand,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        let key = match command {
            AttachmentCommand::Fetch(key) => {
                self.wish(key, true, cx.now);
                key
            }
            AttachmentCommand::Refuse(key) => {
                self.stop_fetching(&key, cx);
                let known = self.known.get_mut(&key).filter(|known| !known.here);
                if let Some(known) = known {
                    known.end = Some(End::Refused);
                }
                key
            }
            AttachmentCommand::Cancel(key) => {
                self.stop_fetching(&key, cx);
                self.stop_serving(&key, cx);
                key
            }
        };
        self.ask_on(members, links, cx);
        self.show(&key, links, cx);
    }

    /// Handles an event of the adapter that holds the bytes.
    pub fn on_blob(&mut self, event: BlobEvent, members: &Members, links: &Links, cx: &mut Cx) {
        match event {
            BlobEvent::Open(files) => {
                self.is_open = true;
                for (_, known) in self.known.iter_mut().filter(|(key, _)| {
                    let mut files = files.iter();
                    files.any(|file| file.key == **key)
                }) {
                    known.here = true;
                    known.fetch = None;
                }
                self.kept.open(files);
                self.ask_on(members, links, cx);
                self.show_all(links, cx);
            }
            BlobEvent::Ready(token) => self.on_ready(token, members, cx),
            BlobEvent::Missing(token) => {
                let served = self.served.list.iter().find(|its| its.token == token);
                if let Some(key) = served.map(|its| its.key) {
                    self.kept.remove(&key);
                    if let Some(known) = self.known.get_mut(&key) {
                        known.here = false;
                    }
                    self.show(&key, links, cx);
                }
                self.on_missing(token, cx);
            }
        }
    }

    /// Handles a frame of a peer.
    pub fn on_frame(
        &mut self,
        peer: PeerId,
        frame: AttachmentFrame,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match frame {
            AttachmentFrame::Want(key) => self.on_want(peer, key, members, cx),
            AttachmentFrame::Lack(key) => self.on_lack(peer, key, members, links, cx),
        }
    }

    /// Handles an event of the files' machine about a transfer of an attachment.
    pub fn on_transfer(
        &mut self,
        hash: Option<FileHash>,
        event: FileEvent,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match (&event, hash) {
            (
                FileEvent::Offered {
                    peer, file, size, ..
                },
                Some(hash),
            ) => {
                let key = FileKey { hash, size: *size };
                self.on_offer(*peer, *file, key, cx);
                self.show(&key, links, cx);
            }
            (
                FileEvent::Progress {
                    file: FileId::Theirs(file),
                    ..
                }
                | FileEvent::Done(FileId::Theirs(file))
                | FileEvent::Failed {
                    file: FileId::Theirs(file),
                    ..
                },
                _,
            ) => self.on_incoming(*file, event, members, links, cx),
            (
                FileEvent::Progress {
                    file: FileId::Ours(token),
                    stored,
                },
                _,
            ) => {
                if let Some(key) = self.served.moved(*token, *stored, cx.now) {
                    self.show(&key, links, cx);
                }
            }
            (FileEvent::Done(FileId::Ours(token)), _) => {
                if let Some(served) = self.served.take(*token) {
                    if let Some(known) = self.known.get_mut(&served.key) {
                        known.untouched = false;
                    }
                    self.show(&served.key, links, cx);
                }
            }
            (
                FileEvent::Failed {
                    file: FileId::Ours(token),
                    ..
                },
                _,
            ) => {
                if let Some(served) = self.served.take(*token) {
                    self.show(&served.key, links, cx);
                }
            }
            (FileEvent::Offered { .. }, None) => {}
        }
    }

    /// Handles an event of a peer.
    pub fn on_peer(
        &mut self,
        peer: PeerId,
        event: &PeerEvent,
        members: &Members,
        links: &Links,
        cx: &mut Cx,
    ) {
        match event {
            PeerEvent::Verified => self.on_verified(peer, cx.now),
            PeerEvent::Gone { .. } => {
                self.on_gone(peer);
                self.served.gone(&peer);
            }
            PeerEvent::Lost | PeerEvent::Returned | PeerEvent::Forgotten => {}
        }
        self.ask_on(members, links, cx);
        self.show_all(links, cx);
    }

    fn stop_serving(&mut self, key: &FileKey, cx: &mut Cx) {
        let tokens = self.served.list.iter().filter(|its| its.key == *key);
        let tokens: Vec<u32> = tokens.map(|its| its.token).collect();
        for token in tokens {
            self.served.take(token);
            let cancel = FileCommand::Cancel(FileId::Ours(token));
            cx.effect(Effect::Transfer(cancel, None));
        }
    }

    /// Keeps the bytes of a file that is here, as far as there is room.
    fn keep(&mut self, key: &FileKey, members: &Members, cx: &mut Cx) {
        let known = self.known.get(key);
        let Some(author) = known.and_then(|it| Some(it.places.first()?.author)) else {
            return;
        };
        let own = cx.own.key;
        let is_known = |key: &PublicKey| *key == own || members.is_known_key(key);
        for gone in self.kept.keep(*key, author, is_known, cx) {
            cx.output(Output::Blob(BlobCommand::Delete(gone)));
            if let Some(known) = self.known.get_mut(&gone) {
                known.here = false;
            }
        }
    }

    /// Shows a file if it looks different.
    fn show(&mut self, key: &FileKey, links: &Links, cx: &mut Cx) {
        let Some(known) = self.known.get(key) else {
            return;
        };
        let view = self.view(key, known, links, cx.now);
        let is_moving = |view: &FileView| matches!(view.state, FileState::Transferring { .. });
        let is_same = known.shown.as_ref().is_some_and(|(shown, at)| {
            // A page is drawn for each of these.
            let is_soon = cx.now.since(*at) < PROGRESS_PAUSE;
            *shown == view || (is_soon && is_moving(shown) && is_moving(&view))
        });
        if is_same {
            return;
        }
        if let Some(known) = self.known.get_mut(key) {
            known.shown = Some((view.clone(), cx.now));
            cx.event(Event::Attachment(AttachmentEvent { key: *key, view }));
        }
    }

    fn show_all(&mut self, links: &Links, cx: &mut Cx) {
        let keys: Vec<FileKey> = self.known.iter().map(|(key, _)| *key).collect();
        keys.iter().for_each(|key| self.show(key, links, cx));
    }

    fn view(&self, key: &FileKey, known: &Known, links: &Links, now: Millis) -> FileView {
        let state = match (known.fetch.as_ref().map(|fetch| fetch.step), &known.end) {
            (
                Some(Step::Coming {
                    peer, done, from, ..
                }),
                _,
            ) if links.is_connected(&peer) => transferring(done, from, now),
            (Some(_), _) => FileState::Waiting,
            (None, _) if known.here => self.sent(key, known, now),
            (None, Some(End::Failed(why))) => FileState::Failed(why.clone()),
            (None, Some(End::Refused)) => FileState::Refused,
            (None, None) => FileState::Offered,
        };
        FileView {
            state,
            here: known.here,
        }
    }

    /// How far a file that is here is on its way to others, if we sent it.
    fn sent(&self, key: &FileKey, known: &Known, now: Millis) -> FileState {
        let to = self.served.list.iter().filter(|its| its.key == *key);
        let first = to.filter_map(|its| Some((its.done, its.since?))).max();
        match first {
            Some((done, since)) if known.untouched => transferring(done, (0, since), now),
            None if known.untouched => FileState::Offered,
            _ => FileState::Done,
        }
    }
}

fn transferring(done: u64, (from, since): (u64, Millis), now: Millis) -> FileState {
    let millis = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
    let per_second = done.saturating_sub(from).saturating_mul(1_000) / millis.max(250);
    FileState::Transferring { done, per_second }
}
