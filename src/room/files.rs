//! Which files go to whom: offers, who accepts, where to go on after a connection broke, and what became of them. The
//! bytes go past the room (see [`crate::rtc::file_channel`]).

use base64ct::{Base64UrlUnpadded, Encoding};

use super::file_words::{cut, words, wrong_offer};
use super::{Dropped, Event, FileCommand, FileError, FileEvent, Output, Room};
use crate::identity::PeerId;
use crate::rtc::ConnectionId;
use crate::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use crate::time::Millis;
use crate::wire::{FileStep, Frame, OutboundMessage};

/// So many files may be on their way to one peer at once, and as many back. More wait.
const MAX_FILES: usize = 8;

/// The files that are on their way.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) sending: Vec<Sending>,
    pub(super) receiving: Vec<Receiving>,
    last_number: u32,
    last_file: u32,
}

#[derive(Debug)]
pub(super) struct Sending {
    pub(super) peer: PeerId,
    pub(super) token: u32,
    number: u32,
    /// What is said to offer it, until that was said.
    offer: Option<FileStep>,
    size: u64,
    pub(super) accepted: bool,
    /// Over which connection its bytes go.
    over: Option<ConnectionId>,
    stored: u64,
    /// Its hash was told.
    sent: bool,
    pub(super) moved: Millis,
}

#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) peer: PeerId,
    pub(super) file: u32,
    number: u32,
    size: u64,
    pub(super) accepted: bool,
    /// The hash of what came, when everything has.
    came: Option<[u8; 32]>,
    /// The hash of what was sent.
    sent: Option<[u8; 32]>,
    pub(super) moved: Millis,
}

impl Files {
    fn sending(&mut self, peer: PeerId, number: u32) -> Option<&mut Sending> {
        let mut sending = self.sending.iter_mut();
        sending.find(|its| its.peer == peer && its.number == number)
    }

    fn receiving(&mut self, file: u32) -> Option<&mut Receiving> {
        self.receiving.iter_mut().find(|its| its.file == file)
    }

    /// Takes it out: whose it is, and its number on the wire.
    fn take(&mut self, file: FileId) -> Option<(PeerId, u32)> {
        match file {
            FileId::Ours(token) => {
                let at = self.sending.iter().position(|its| its.token == token)?;
                let its = self.sending.remove(at);
                Some((its.peer, its.number))
            }
            FileId::Theirs(file) => {
                let at = self.receiving.iter().position(|its| its.file == file)?;
                let its = self.receiving.remove(at);
                Some((its.peer, its.number))
            }
        }
    }
}

fn step(number: u32, step: &str) -> FileStep {
    FileStep {
        number,
        step: step.to_owned(),
        ..FileStep::default()
    }
}

impl Room {
    pub(super) fn on_file_command(&mut self, command: FileCommand) {
        match command {
            FileCommand::Offer {
                peer,
                token,
                name,
                size,
                mime,
            } => self.offer_file(peer, token, name, size, mime),
            FileCommand::Accept(file) => {
                let Some(its) = self.files.receiving(file).filter(|its| !its.accepted) else {
                    return self.file_order(FileId::Theirs(file), TransferCommand::Forget);
                };
                its.accepted = true;
                let peer = its.peer;
                self.theirs_moved(peer);
                self.expect_files(peer, Some(file));
            }
            FileCommand::Refuse { file, words } => {
                self.stop_file(FileId::Theirs(file), &words);
            }
            FileCommand::Cancel(file) => {
                self.stop_file(file, "The other side cancelled.");
            }
        }
    }

    /// What was wanted after the room was left.
    pub(super) fn refuse_file(&mut self, command: FileCommand) {
        let file = match command {
            FileCommand::Offer { token, .. } => FileId::Ours(token),
            FileCommand::Accept(file) => FileId::Theirs(file),
            _ => return,
        };
        self.file_failed(file, FileError::Gone);
    }

    fn offer_file(&mut self, peer: PeerId, token: u32, name: String, size: u64, mime: String) {
        if let Some(wrong) = wrong_offer(size, &name, &mime) {
            return self.file_failed(FileId::Ours(token), FileError::Refused(wrong.to_owned()));
        }
        if !self.can_be_sent_to(&peer) {
            return self.file_failed(FileId::Ours(token), FileError::Gone);
        }
        self.files.last_number = self.files.last_number.wrapping_add(1);
        let number = self.files.last_number;
        let offer = FileStep {
            bytes: Some(size),
            name: Some(name),
            text: Some(mime),
            ..step(number, "offer")
        };
        self.files.sending.push(Sending {
            peer,
            token,
            number,
            offer: Some(offer),
            size,
            accepted: false,
            over: None,
            stored: 0,
            sent: false,
            moved: self.now,
        });
        self.offer_waiting(peer);
    }

    /// Offers what waits, as far as there are places.
    fn offer_waiting(&mut self, peer: PeerId) {
        let of_peer = self.files.sending.iter_mut().filter(|its| its.peer == peer);
        let places = of_peer.take(MAX_FILES);
        let offers: Vec<FileStep> = places.filter_map(|its| its.offer.take()).collect();
        offers
            .into_iter()
            .for_each(|offer| self.say_of_file(peer, offer));
    }

    /// Takes what comes of this file, or of all that were accepted, over the present connection.
    fn expect_files(&mut self, peer: PeerId, only: Option<u32>) {
        let Some(connection) = self.current_of(peer) else {
            return;
        };
        let open = self.files.receiving.iter().filter(|its| {
            its.peer == peer
                && its.accepted
                && its.came.is_none()
                && only.is_none_or(|only| only == its.file)
        });
        let orders = open.map(|its| {
            let order = TransferCommand::Expect {
                connection,
                number: its.number,
                size: its.size,
            };
            Output::File(FileId::Theirs(its.file), order)
        });
        self.outputs.extend(orders);
    }

    /// A connection to this peer was verified.
    pub(super) fn go_on_with_files(&mut self, peer: PeerId) {
        let of_peer = self.files.sending.iter_mut().filter(|its| its.peer == peer);
        of_peer.for_each(|its| its.over = None);
        self.files_can_move(peer);
        self.expect_files(peer, None);
    }

    /// The peer is gone.
    pub(super) fn no_files_of(&mut self, peer: PeerId) {
        let ours = self.files.sending.iter().filter(|its| its.peer == peer);
        let ours = ours.map(|its| FileId::Ours(its.token));
        let theirs = self.files.receiving.iter().filter(|its| its.peer == peer);
        let theirs = theirs.map(|its| FileId::Theirs(its.file));
        let all: Vec<FileId> = ours.chain(theirs).collect();
        self.files.sending.retain(|its| its.peer != peer);
        self.files.receiving.retain(|its| its.peer != peer);
        for file in all {
            self.file_failed(file, FileError::Gone);
        }
    }

    /// The other side of the file said something about it.
    pub(super) fn on_file_step(&mut self, peer: PeerId, said: FileStep) {
        match said.step.as_str() {
            "offer" => self.on_file_offer(peer, said),
            "accept" => self.on_file_accept(peer, said),
            "stored" => self.on_file_stored(peer, said),
            "done" => {
                let its = self.files.sending(peer, said.number);
                match its.map(|its| (FileId::Ours(its.token), its.sent)) {
                    Some((file, true)) => self.end_file(file, FileEvent::Done(file)),
                    Some((_, false)) => self.dropped(Dropped::BadFrame),
                    None => {}
                }
            }
            "refuse" => {
                let its = self.files.sending(peer, said.number);
                let Some((token, accepted)) = its.map(|its| (its.token, its.accepted)) else {
                    return;
                };
                let words = words(said.text);
                let reason = if accepted {
                    FileError::Failed(words)
                } else {
                    FileError::Refused(words)
                };
                let file = FileId::Ours(token);
                self.end_file(file, FileEvent::Failed { file, reason });
            }
            "sent" => {
                let hash = said.text.as_deref().map(Base64UrlUnpadded::decode_vec);
                let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash.ok()?).ok());
                let Some(hash) = hash else {
                    return self.dropped(Dropped::BadFrame);
                };
                if let Some(its) = self.incoming(peer, said.number) {
                    its.sent = Some(hash);
                    let file = its.file;
                    self.theirs_moved(peer);
                    self.compare_hashes(file);
                }
            }
            "stop" => {
                let file = self.incoming(peer, said.number).map(|its| its.file);
                if let Some(file) = file.map(FileId::Theirs) {
                    let reason = FileError::Failed(words(said.text));
                    self.end_file(file, FileEvent::Failed { file, reason });
                }
            }
            // Of a later version.
            _ => {}
        }
    }

    fn on_file_offer(&mut self, peer: PeerId, said: FileStep) {
        let now = self.now;
        let in_time = |peer: &mut super::peer::Peer| peer.speech.take(now);
        if !self.peers.get_mut(&peer).is_some_and(in_time) {
            return self.dropped(Dropped::FloodedFrames);
        }
        let (Some(size), Some(name)) = (said.bytes, said.name) else {
            return self.dropped(Dropped::BadFrame);
        };
        let mime = said.text.unwrap_or_default();
        let known = self.incoming(peer, said.number).is_some();
        if known || wrong_offer(size, &name, &mime).is_some() {
            return self.dropped(Dropped::BadFrame);
        }
        let open = self.files.receiving.iter().filter(|its| its.peer == peer);
        if open.count() >= MAX_FILES {
            // No answer: who does this does not wait for one.
            return self.dropped(Dropped::TooManyFiles);
        }
        self.files.last_file = self.files.last_file.wrapping_add(1);
        let file = self.files.last_file;
        self.files.receiving.push(Receiving {
            peer,
            file,
            number: said.number,
            size,
            accepted: false,
            came: None,
            sent: None,
            moved: now,
        });
        self.event(Event::File(FileEvent::Offered {
            peer,
            file,
            name,
            size,
            mime,
        }));
    }

    fn on_file_accept(&mut self, peer: PeerId, said: FileStep) {
        let connection = self.current_of(peer);
        let Some(its) = self.files.sending(peer, said.number) else {
            // It was cancelled while this was on its way.
            return;
        };
        let fits = |from: &u64| *from <= its.size && its.offer.is_none();
        let (Some(from), Some(connection)) = (said.bytes.filter(fits), connection) else {
            return self.dropped(Dropped::BadFrame);
        };
        // Said again after a connection broke, it can come twice.
        if its.over.replace(connection) == Some(connection) {
            return;
        }
        its.accepted = true;
        let order = TransferCommand::Send {
            connection,
            number: its.number,
            from,
        };
        let file = FileId::Ours(its.token);
        self.ours_moved(peer);
        self.file_order(file, order);
    }

    fn on_file_stored(&mut self, peer: PeerId, said: FileStep) {
        let Some(its) = self.files.sending(peer, said.number) else {
            return;
        };
        let news = |stored: &u64| its.accepted && *stored <= its.size && *stored > its.stored;
        let Some(stored) = said.bytes.filter(news) else {
            return self.dropped(Dropped::BadFrame);
        };
        its.stored = stored;
        let file = FileId::Ours(its.token);
        self.ours_moved(peer);
        self.file_order(file, TransferCommand::Stored(stored));
        self.event(Event::File(FileEvent::Progress { file, stored }));
    }

    /// What the adapter tells.
    pub(super) fn on_file_notice(&mut self, file: FileId, notice: TransferEvent) {
        match (file, notice) {
            (FileId::Theirs(file), TransferEvent::Ready(bytes)) => {
                self.answer_file(file, "accept", bytes);
            }
            (FileId::Theirs(theirs), TransferEvent::Stored(stored)) => {
                self.answer_file(theirs, "stored", stored);
                self.event(Event::File(FileEvent::Progress { file, stored }));
            }
            (FileId::Theirs(file), TransferEvent::Whole(hash)) => {
                if let Some(its) = self.files.receiving(file) {
                    its.came = Some(hash);
                    self.compare_hashes(file);
                }
            }
            (FileId::Ours(token), TransferEvent::Sent(hash)) => {
                let mut sending = self.files.sending.iter_mut();
                let Some(its) = sending.find(|its| its.token == token && !its.sent) else {
                    return;
                };
                its.sent = true;
                let (peer, number) = (its.peer, its.number);
                let text = Some(Base64UrlUnpadded::encode_string(&hash));
                let sent = step(number, "sent");
                self.say_of_file(peer, FileStep { text, ..sent });
            }
            (file, TransferEvent::Failed(words)) => self.give_file_up(file, words),
            _ => {}
        }
    }

    /// Both hashes are known: the file came as it was, or it did not.
    fn compare_hashes(&mut self, file: u32) {
        let Some(its) = self.files.receiving(file) else {
            return;
        };
        let (Some(came), Some(sent)) = (its.came, its.sent) else {
            return;
        };
        let (peer, number) = (its.peer, its.number);
        let file = FileId::Theirs(file);
        if came == sent {
            self.say_of_file(peer, step(number, "done"));
            self.end_file(file, FileEvent::Done(file));
        } else {
            self.give_file_up(file, "The file did not arrive as it was sent.".to_owned());
        }
    }

    /// It cannot go on: tells both sides.
    pub(super) fn give_file_up(&mut self, file: FileId, words: String) {
        if self.stop_file(file, &words) {
            self.file_failed(file, FileError::Failed(words));
        }
    }

    fn incoming(&mut self, peer: PeerId, number: u32) -> Option<&mut Receiving> {
        let mut receiving = self.files.receiving.iter_mut();
        receiving.find(|its| its.peer == peer && its.number == number)
    }

    pub(super) fn current_of(&self, peer: PeerId) -> Option<ConnectionId> {
        let link = self.peers.get(&peer)?.current.as_ref()?;
        Some(link.connection)
    }

    /// Says how much has come.
    fn answer_file(&mut self, file: u32, word: &str, bytes: u64) {
        if let Some(its) = self.files.receiving(file) {
            let (peer, said) = (its.peer, step(its.number, word));
            let bytes = Some(bytes);
            self.theirs_moved(peer);
            self.say_of_file(peer, FileStep { bytes, ..said });
        }
    }

    fn say_of_file(&mut self, peer: PeerId, said: FileStep) {
        self.push(peer, OutboundMessage::frame(&Frame::File(said)), None);
    }

    /// Ends it here, and tells the other side. False if it is over already.
    fn stop_file(&mut self, file: FileId, words: &str) -> bool {
        let offered = match file {
            FileId::Ours(token) => {
                let mut sending = self.files.sending.iter();
                sending.any(|its| its.token == token && its.offer.is_none())
            }
            FileId::Theirs(_) => true,
        };
        self.file_order(file, TransferCommand::Forget);
        let Some((peer, number)) = self.files.take(file) else {
            return false;
        };
        let word = match file {
            FileId::Ours(_) => "stop",
            FileId::Theirs(_) => "refuse",
        };
        if offered {
            let text = Some(cut(words.to_owned()));
            let said = step(number, word);
            self.say_of_file(peer, FileStep { text, ..said });
        }
        self.offer_waiting(peer);
        true
    }

    /// Ends it here.
    fn end_file(&mut self, file: FileId, event: FileEvent) {
        self.file_order(file, TransferCommand::Forget);
        let peer = self.files.take(file);
        self.event(Event::File(event));
        if let Some((peer, _)) = peer {
            self.offer_waiting(peer);
        }
    }

    /// Tells that it does not come, and frees what the adapter has of it.
    fn file_failed(&mut self, file: FileId, reason: FileError) {
        self.file_order(file, TransferCommand::Forget);
        self.event(Event::File(FileEvent::Failed { file, reason }));
    }

    fn file_order(&mut self, file: FileId, order: TransferCommand) {
        self.outputs.push_back(Output::File(file, order));
    }
}
