//! File transfers: offers, acceptance, resumption after a connection broke, and outcomes. The bytes do not pass through
//! the room (see [`crate::rtc::file_channel`]).

mod frames;
mod io;
mod timeout;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::Channels;
use crate::identity::PeerId;
use crate::room::Timer;
use crate::room::counters::Dropped;
use crate::room::cx::Cx;
use crate::room::effect::{Effect, PeerEvent};
use crate::room::io::{Event, Output};
use crate::room::links::Links;
use crate::rtc::ConnectionId;
use crate::rtc::file_channel::{FileId, TransferCommand, TransferEvent};
use crate::time::Millis;
use crate::wire::attachment::{FileHash, wrong_file};
use crate::wire::{FileFrame, Frame, OutboundMessage};

use frames::{cut, words};
pub use io::{FileCommand, FileError, FileEvent};

/// At most this many files are offered to one peer at once, and as many by it. Further files of ours wait.
const MAX_FILES: usize = 8;

/// Numbers of files from this one on, here and not on the wire, are those of attachments. Those of applications are smaller.
pub(in crate::room) const ATTACHMENTS: u32 = 1 << 31;

/// Files that are being offered, sent or received.
#[derive(Debug, Default)]
pub(in crate::room) struct Files {
    sending: Vec<Sending>,
    receiving: Vec<Receiving>,
    last_number: u32,
    last_file: u32,
}

#[derive(Debug)]
struct Sending {
    peer: PeerId,
    token: u32,
    number: u32,
    /// The offer, until it has been sent.
    offer: Option<FileFrame>,
    size: u64,
    accepted: bool,
    /// The connection that its bytes go over.
    over: Option<ConnectionId>,
    stored: u64,
    /// Whether the receiver has been told its hash.
    sent: bool,
    moved: Millis,
}

#[derive(Debug)]
struct Receiving {
    peer: PeerId,
    file: u32,
    number: u32,
    size: u64,
    accepted: bool,
    /// The hash that was asked for.
    asked_for: Option<FileHash>,
    /// The hash of the bytes that came, once all of them have come.
    came: Option<[u8; 32]>,
    /// The hash of the bytes that were sent, as the sender reports it.
    sent: Option<[u8; 32]>,
    moved: Millis,
}

impl Files {
    fn sending(&mut self, peer: PeerId, number: u32) -> Option<&mut Sending> {
        let mut sending = self.sending.iter_mut();
        sending.find(|its| its.peer == peer && its.number == number)
    }

    fn receiving(&mut self, file: u32) -> Option<&mut Receiving> {
        self.receiving.iter_mut().find(|its| its.file == file)
    }

    /// Removes a file, and returns its peer and its number on the wire.
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

fn step(number: u32, step: &str) -> FileFrame {
    FileFrame {
        number,
        step: step.to_owned(),
        ..FileFrame::default()
    }
}

impl Files {
    /// Handles a command. An attachment is offered with the hash by which it was asked for.
    pub fn on_command(
        &mut self,
        command: FileCommand,
        hash: Option<FileHash>,
        channels: &Channels,
        links: &Links,
        cx: &mut Cx,
    ) {
        match command {
            FileCommand::Offer {
                peer,
                token,
                name,
                size,
                mime,
            } => {
                let offer = FileFrame {
                    bytes: Some(size),
                    name: Some(name),
                    text: Some(mime),
                    hash: hash.as_ref().map(FileHash::to_text),
                    ..step(0, "offer")
                };
                self.offer_file(peer, token, offer, channels, cx);
            }
            FileCommand::Accept(file) => {
                let Some(its) = self.receiving(file).filter(|its| !its.accepted) else {
                    return self.command(FileId::Theirs(file), TransferCommand::Forget, cx);
                };
                its.accepted = true;
                let peer = its.peer;
                self.theirs_moved(peer, cx);
                self.expect_files(peer, Some(file), links, cx);
            }
            FileCommand::Refuse { file, words } => {
                self.stop_file(FileId::Theirs(file), &words, cx);
            }
            FileCommand::Cancel(file) => {
                self.stop_file(file, "The other side cancelled.", cx);
            }
        }
    }

    /// Refuses a command that came after the room was left.
    pub fn refuse(&mut self, command: FileCommand, cx: &mut Cx) {
        let file = match command {
            FileCommand::Offer { token, .. } => FileId::Ours(token),
            FileCommand::Accept(file) => FileId::Theirs(file),
            _ => return,
        };
        self.file_failed(file, FileError::Gone, cx);
    }

    fn offer_file(
        &mut self,
        peer: PeerId,
        token: u32,
        mut offer: FileFrame,
        channels: &Channels,
        cx: &mut Cx,
    ) {
        let file = FileId::Ours(token);
        let size = offer.bytes.unwrap_or_default();
        let [name, mime] =
            [&offer.name, &offer.text].map(|text| text.as_deref().unwrap_or_default());
        if let Some(wrong) = wrong_file(size, name, mime) {
            return self.file_failed(file, FileError::Refused(wrong.to_owned()), cx);
        }
        if !channels.contains(&peer) {
            return self.file_failed(file, FileError::Gone, cx);
        }
        self.last_number = self.last_number.wrapping_add(1);
        let number = self.last_number;
        offer.number = number;
        self.sending.push(Sending {
            peer,
            token,
            number,
            offer: Some(offer),
            size,
            accepted: false,
            over: None,
            stored: 0,
            sent: false,
            moved: cx.now,
        });
        self.offer_waiting(peer, cx);
    }

    /// Offers the files that wait, up to [`MAX_FILES`] at once.
    fn offer_waiting(&mut self, peer: PeerId, cx: &mut Cx) {
        let of_peer = self.sending.iter_mut().filter(|its| its.peer == peer);
        let places = of_peer.take(MAX_FILES);
        let offers: Vec<FileFrame> = places.filter_map(|its| its.offer.take()).collect();
        offers
            .into_iter()
            .for_each(|offer| self.say(peer, offer, cx));
    }

    /// Tells the adapter to expect this file, or all accepted ones, over the current connection.
    fn expect_files(&mut self, peer: PeerId, only: Option<u32>, links: &Links, cx: &mut Cx) {
        let Some(connection) = links.connection(&peer) else {
            return;
        };
        let open = self.receiving.iter().filter(|its| {
            its.peer == peer
                && its.accepted
                && its.came.is_none()
                && only.is_none_or(|only| only == its.file)
        });
        let commands = open.map(|its| {
            let command = TransferCommand::Expect {
                connection,
                number: its.number,
                size: its.size,
            };
            Output::File(FileId::Theirs(its.file), command)
        });
        commands.for_each(|command| cx.output(command));
    }

    /// Handles an event of a peer.
    pub fn on_peer(&mut self, peer: PeerId, event: &PeerEvent, links: &Links, cx: &mut Cx) {
        match event {
            PeerEvent::Verified => self.go_on(peer, links, cx),
            PeerEvent::Returned => self.files_can_move(peer, cx),
            PeerEvent::Forgotten => self.forget(peer, cx),
            PeerEvent::Gone { .. } => {
                self.forget(peer, cx);
                cx.timers.clear(&Timer::Files(peer));
            }
            PeerEvent::Lost => {}
        }
    }

    /// Continues the files of a peer on a connection that has just been verified.
    fn go_on(&mut self, peer: PeerId, links: &Links, cx: &mut Cx) {
        let of_peer = self.sending.iter_mut().filter(|its| its.peer == peer);
        of_peer.for_each(|its| its.over = None);
        self.files_can_move(peer, cx);
        self.expect_files(peer, None, links, cx);
    }

    /// Ends all files of a peer that is gone, or that has forgotten us.
    fn forget(&mut self, peer: PeerId, cx: &mut Cx) {
        let ours = self.sending.iter().filter(|its| its.peer == peer);
        let ours = ours.map(|its| FileId::Ours(its.token));
        let theirs = self.receiving.iter().filter(|its| its.peer == peer);
        let theirs = theirs.map(|its| FileId::Theirs(its.file));
        let all: Vec<FileId> = ours.chain(theirs).collect();
        self.sending.retain(|its| its.peer != peer);
        self.receiving.retain(|its| its.peer != peer);
        for file in all {
            self.file_failed(file, FileError::Gone, cx);
        }
    }

    /// Handles a frame about a file.
    pub fn on_frame(&mut self, peer: PeerId, said: FileFrame, links: &Links, cx: &mut Cx) {
        match said.step.as_str() {
            "offer" => self.on_file_offer(peer, said, cx),
            "accept" => self.on_file_accept(peer, said, links, cx),
            "stored" => self.on_file_stored(peer, said, cx),
            "done" => {
                let its = self.sending(peer, said.number);
                match its.map(|its| (FileId::Ours(its.token), its.sent)) {
                    Some((file, true)) => self.end_file(file, FileEvent::Done(file), cx),
                    Some((_, false)) => cx.dropped(Dropped::BadFrame),
                    None => {}
                }
            }
            "refuse" => {
                let its = self.sending(peer, said.number);
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
                self.end_file(file, FileEvent::Failed { file, reason }, cx);
            }
            "sent" => {
                let hash = said.text.as_deref().map(Base64UrlUnpadded::decode_vec);
                let hash = hash.and_then(|hash| <[u8; 32]>::try_from(hash.ok()?).ok());
                let Some(hash) = hash else {
                    return cx.dropped(Dropped::BadFrame);
                };
                if let Some(its) = self.incoming(peer, said.number) {
                    its.sent = Some(hash);
                    let file = its.file;
                    self.theirs_moved(peer, cx);
                    self.compare_hashes(file, cx);
                }
            }
            "stop" => {
                let file = self.incoming(peer, said.number).map(|its| its.file);
                if let Some(file) = file.map(FileId::Theirs) {
                    let reason = FileError::Failed(words(said.text));
                    self.end_file(file, FileEvent::Failed { file, reason }, cx);
                }
            }
            // A step of a later version.
            _ => {}
        }
    }

    fn on_file_offer(&mut self, peer: PeerId, said: FileFrame, cx: &mut Cx) {
        let now = cx.now;
        let (Some(size), Some(name)) = (said.bytes, said.name) else {
            return cx.dropped(Dropped::BadFrame);
        };
        let mime = said.text.unwrap_or_default();
        let known = self.incoming(peer, said.number).is_some();
        let asked_for = said.hash.as_deref().map(FileHash::parse);
        if known || asked_for == Some(None) || wrong_file(size, &name, &mime).is_some() {
            return cx.dropped(Dropped::BadFrame);
        }
        let open = self.receiving.iter().filter(|its| its.peer == peer);
        if open.count() >= MAX_FILES {
            // No answer: a peer that ignores the limit does not wait for one.
            return cx.dropped(Dropped::TooManyFiles);
        }
        self.last_file = self.last_file.wrapping_add(1) % ATTACHMENTS;
        let asked_for = asked_for.flatten();
        let file = match asked_for {
            Some(_) => self.last_file + ATTACHMENTS,
            None => self.last_file,
        };
        self.receiving.push(Receiving {
            peer,
            file,
            number: said.number,
            size,
            accepted: false,
            asked_for,
            came: None,
            sent: None,
            moved: now,
        });
        let offered = FileEvent::Offered {
            peer,
            file,
            name,
            size,
            mime,
        };
        self.report(FileId::Theirs(file), asked_for, offered, cx);
    }

    fn on_file_accept(&mut self, peer: PeerId, said: FileFrame, links: &Links, cx: &mut Cx) {
        let connection = links.connection(&peer);
        let Some(its) = self.sending(peer, said.number) else {
            // The file was cancelled while this frame was on its way.
            return;
        };
        let fits = |from: &u64| *from <= its.size && its.offer.is_none();
        let (Some(from), Some(connection)) = (said.bytes.filter(fits), connection) else {
            return cx.dropped(Dropped::BadFrame);
        };
        // The frame is sent again after a connection broke, so it can come twice.
        if its.over.replace(connection) == Some(connection) {
            return;
        }
        its.accepted = true;
        let command = TransferCommand::Send {
            connection,
            number: its.number,
            from,
        };
        let file = FileId::Ours(its.token);
        self.ours_moved(peer, cx);
        self.command(file, command, cx);
    }

    fn on_file_stored(&mut self, peer: PeerId, said: FileFrame, cx: &mut Cx) {
        let Some(its) = self.sending(peer, said.number) else {
            return;
        };
        let news = |stored: &u64| its.accepted && *stored <= its.size && *stored > its.stored;
        let Some(stored) = said.bytes.filter(news) else {
            return cx.dropped(Dropped::BadFrame);
        };
        its.stored = stored;
        let file = FileId::Ours(its.token);
        self.ours_moved(peer, cx);
        self.command(file, TransferCommand::Stored(stored), cx);
        self.report(file, None, FileEvent::Progress { file, stored }, cx);
    }

    /// Handles an event of the adapter.
    pub fn on_transfer(&mut self, file: FileId, event: TransferEvent, cx: &mut Cx) {
        match (file, event) {
            (FileId::Theirs(file), TransferEvent::Ready(bytes)) => {
                self.answer_file(file, "accept", bytes, cx);
            }
            (FileId::Theirs(theirs), TransferEvent::Stored(stored)) => {
                self.answer_file(theirs, "stored", stored, cx);
                self.report(file, None, FileEvent::Progress { file, stored }, cx);
            }
            (FileId::Theirs(file), TransferEvent::Whole(hash)) => {
                if let Some(its) = self.receiving(file) {
                    its.came = Some(hash);
                    self.compare_hashes(file, cx);
                }
            }
            (FileId::Ours(token), TransferEvent::Sent(hash)) => {
                let mut sending = self.sending.iter_mut();
                let Some(its) = sending.find(|its| its.token == token && !its.sent) else {
                    return;
                };
                its.sent = true;
                let (peer, number) = (its.peer, its.number);
                let text = Some(Base64UrlUnpadded::encode_string(&hash));
                let sent = step(number, "sent");
                self.say(peer, FileFrame { text, ..sent }, cx);
            }
            (file, TransferEvent::Failed(words)) => self.give_up(file, words, cx),
            _ => {}
        }
    }

    /// Ends a file whose two hashes are known: it arrived as it was sent, or it did not.
    fn compare_hashes(&mut self, file: u32, cx: &mut Cx) {
        let Some(its) = self.receiving(file) else {
            return;
        };
        let (Some(came), Some(sent)) = (its.came, its.sent) else {
            return;
        };
        let (peer, number) = (its.peer, its.number);
        let is_other = its.asked_for.is_some_and(|hash| hash.0 != came);
        let file = FileId::Theirs(file);
        if is_other {
            let words = "What arrived is not the file that was asked for.";
            self.give_up(file, words.to_owned(), cx);
        } else if came == sent {
            self.say(peer, step(number, "done"), cx);
            self.end_file(file, FileEvent::Done(file), cx);
        } else {
            self.give_up(
                file,
                "The file did not arrive as it was sent.".to_owned(),
                cx,
            );
        }
    }

    /// Gives up a file that cannot go on, and tells both sides.
    fn give_up(&mut self, file: FileId, words: String, cx: &mut Cx) {
        if self.stop_file(file, &words, cx) {
            self.file_failed(file, FileError::Failed(words), cx);
        }
    }

    fn incoming(&mut self, peer: PeerId, number: u32) -> Option<&mut Receiving> {
        let mut receiving = self.receiving.iter_mut();
        receiving.find(|its| its.peer == peer && its.number == number)
    }

    /// Tells the sender how many bytes have come.
    fn answer_file(&mut self, file: u32, word: &str, bytes: u64, cx: &mut Cx) {
        if let Some(its) = self.receiving(file) {
            let (peer, said) = (its.peer, step(its.number, word));
            let bytes = Some(bytes);
            self.theirs_moved(peer, cx);
            self.say(peer, FileFrame { bytes, ..said }, cx);
        }
    }

    fn say(&mut self, peer: PeerId, said: FileFrame, cx: &mut Cx) {
        let message = OutboundMessage::frame(&Frame::File(said));
        cx.effect(Effect::Reply(peer, message));
    }

    /// Ends a file here, and tells the other side. Returns false if it had ended already.
    fn stop_file(&mut self, file: FileId, words: &str, cx: &mut Cx) -> bool {
        let offered = match file {
            FileId::Ours(token) => {
                let mut sending = self.sending.iter();
                sending.any(|its| its.token == token && its.offer.is_none())
            }
            FileId::Theirs(_) => true,
        };
        self.command(file, TransferCommand::Forget, cx);
        let Some((peer, number)) = self.take(file) else {
            return false;
        };
        let word = match file {
            FileId::Ours(_) => "stop",
            FileId::Theirs(_) => "refuse",
        };
        if offered {
            let text = Some(cut(words.to_owned()));
            let said = step(number, word);
            self.say(peer, FileFrame { text, ..said }, cx);
        }
        self.offer_waiting(peer, cx);
        true
    }

    /// Ends a file here, and reports `event`.
    fn end_file(&mut self, file: FileId, event: FileEvent, cx: &mut Cx) {
        self.command(file, TransferCommand::Forget, cx);
        let peer = self.take(file);
        self.report(file, None, event, cx);
        if let Some((peer, _)) = peer {
            self.offer_waiting(peer, cx);
        }
    }

    /// Reports that a file failed, and lets the adapter forget it.
    fn file_failed(&mut self, file: FileId, reason: FileError, cx: &mut Cx) {
        self.command(file, TransferCommand::Forget, cx);
        self.report(file, None, FileEvent::Failed { file, reason }, cx);
    }

    /// Reports an event of a file: to the machine of attachments if it is one, and else to the person.
    fn report(&self, file: FileId, hash: Option<FileHash>, event: FileEvent, cx: &mut Cx) {
        let (FileId::Ours(number) | FileId::Theirs(number)) = file;
        #[cfg(feature = "attachments")]
        if number >= ATTACHMENTS {
            return cx.effect(Effect::Transferred(hash, event));
        }
        #[cfg(not(feature = "attachments"))]
        let _ = (number, hash);
        cx.event(Event::File(event));
    }

    fn command(&mut self, file: FileId, command: TransferCommand, cx: &mut Cx) {
        cx.output(Output::File(file, command));
    }
}
