//! The file channel, with the same checks as the browser's adapter and without a disk.

use rtchat::room::{BlobCommand, BlobEvent, Input};
use rtchat::rtc::ConnectionId;
use rtchat::rtc::file_channel::{
    FileId, Header, Receiving, Sending, TransferCommand, TransferEvent,
};
use sha2::{Digest as _, Sha256};

use super::{Task, World};

/// A message on the file channel.
pub fn file_message(number: u32, place: u64, content: &[u8]) -> Vec<u8> {
    [&Header { number, place }.to_bytes(), content].concat()
}

impl World {
    /// Carries out a command of the room for a file, with the checks of the real adapter.
    pub(super) fn carry_out_transfer(&mut self, at: usize, file: FileId, command: TransferCommand) {
        let node = &mut self.nodes[at];
        let event = match (file, command) {
            (
                FileId::Ours(token),
                TransferCommand::Send {
                    connection,
                    number,
                    from,
                },
            ) => {
                let size = node.sources[&token].len() as u64;
                let new = || (connection, number, Sending::new(size));
                let sending = node.sending.entry(file).or_insert_with(new);
                (sending.0, sending.1) = (connection, number);
                if sending.2.go_on(from) {
                    self.schedule(1, Task::SendChunk(at, file, connection));
                    return;
                }
                TransferEvent::Failed("The other side claims unsent bytes.".to_owned())
            }
            (_, TransferCommand::Stored(stored)) => {
                if let Some((connection, _, sending)) = node.sending.get_mut(&file) {
                    sending.stored(stored);
                    let connection = *connection;
                    self.schedule(1, Task::SendChunk(at, file, connection));
                }
                return;
            }
            (
                FileId::Theirs(number_here),
                TransferCommand::Expect {
                    connection,
                    number,
                    size,
                },
            ) => {
                node.stores.entry(number_here).or_default();
                let new = || (connection, number, Receiving::new(size));
                let receiving = node.receiving.entry(file).or_insert_with(new);
                (receiving.0, receiving.1) = (connection, number);
                TransferEvent::Ready(receiving.2.go_on())
            }
            (_, TransferCommand::Forget) => {
                node.sending.remove(&file);
                node.receiving.remove(&file);
                return;
            }
            command => panic!("{command:?}"),
        };
        let whole = node.receiving.get(&file).and_then(|its| its.2.whole());
        self.schedule(0, Task::Feed(at, Input::File(file, event)));
        if let Some(hash) = whole {
            let whole = TransferEvent::Whole(hash);
            self.schedule(0, Task::Feed(at, Input::File(file, whole)));
        }
    }

    /// Carries out a command about the bytes of an attachment.
    pub(super) fn carry_out_blob(&mut self, at: usize, command: BlobCommand) {
        let node = &mut self.nodes[at];
        match command {
            BlobCommand::Send { token, key } => {
                let event = match node.blobs.get(&key).cloned() {
                    Some(blob) => {
                        node.sources.insert(token, blob);
                        BlobEvent::Ready(token)
                    }
                    None => BlobEvent::Missing(token),
                };
                self.schedule(1, Task::Feed(at, Input::Blob(event)));
            }
            BlobCommand::Collect(file) => {
                node.collecting.insert(file);
            }
            BlobCommand::Finish { file, key } => {
                assert!(node.collecting.remove(&file));
                node.blobs.insert(key, node.stores[&file].clone());
            }
            BlobCommand::Discard(file) => {
                node.collecting.remove(&file);
            }
            BlobCommand::Keep(file) => {
                assert!(
                    node.blobs.contains_key(&file.key),
                    "only what is here is kept"
                );
                node.kept_files.insert(file.key);
            }
            BlobCommand::Delete(key) => {
                node.blobs.remove(&key);
                node.kept_files.remove(&key);
            }
        }
    }

    /// Sends the next message of a file. Each takes a millisecond.
    pub(super) fn send_next_chunk(&mut self, at: usize, file: FileId, connection: ConnectionId) {
        let node = &mut self.nodes[at];
        let Some((_, number, sending)) = node
            .sending
            .get_mut(&file)
            .filter(|its| its.0 == connection)
        else {
            return;
        };
        let FileId::Ours(token) = file else { return };
        let source = &node.sources[&token];
        let (from, to) = sending.next(16_000);
        if from < to && sending.is_new() {
            let (begin, length) = sending.slice();
            let slice = &source[begin as usize..(begin + length) as usize];
            sending.hashed(Sha256::digest(slice).into());
        }
        let message = file_message(*number, from, &source[from as usize..to as usize]);
        sending.sent(to - from);
        let whole = sending.whole();
        if from < to {
            self.send_file_message(at, connection, message);
            self.schedule(1, Task::SendChunk(at, file, connection));
        }
        if let Some(hash) = whole {
            let sent = TransferEvent::Sent(hash);
            self.schedule(0, Task::Feed(at, Input::File(file, sent)));
        }
    }

    fn send_file_message(&mut self, from: usize, connection: ConnectionId, message: Vec<u8>) {
        if let Some((node, connection)) = self.far_end(from, connection) {
            let file_message = Task::FileMessage {
                from,
                node,
                connection,
                message,
            };
            self.schedule(2, file_message);
        }
    }

    pub(super) fn receive_file_message(
        &mut self,
        at: usize,
        connection: ConnectionId,
        message: &[u8],
    ) {
        let now = self.now;
        let node = &mut self.nodes[at];
        let fits = |number: u32| {
            move |(_, its): &(&FileId, &mut (ConnectionId, u32, Receiving))| {
                its.0 == connection && its.1 == number
            }
        };
        let open = message.split_first_chunk().and_then(|(header, content)| {
            let Header { number, place } = Header::from_bytes(*header);
            let (file, its) = node.receiving.iter_mut().find(fits(number))?;
            Header::fits(message.len()).then_some((*file, &mut its.2, place, content))
        });
        let Some((file, receiving, place, content)) = open else {
            return self.feed(at, Input::StrayBytes);
        };
        let mut events = Vec::new();
        match receiving.take(place, content.len() as u64) {
            Ok(()) => {
                if let FileId::Theirs(file) = file {
                    let store = node.stores.entry(file).or_default();
                    store.extend(content);
                    let (at, length) = receiving.slice(place);
                    if at + content.len() as u64 == length {
                        let slice = &store[store.len() - length as usize..];
                        receiving.stored(Sha256::digest(slice).into());
                    }
                }
                events.extend(receiving.news(now).map(TransferEvent::Stored));
                events.extend(receiving.whole().map(TransferEvent::Whole));
            }
            Err(error) => events.push(TransferEvent::Failed(error.to_string())),
        }
        for event in events {
            self.feed(at, Input::File(file, event));
        }
    }

    /// `at` sends this to `other` on the file channel, bypassing its room.
    pub fn inject_file_message(&mut self, at: usize, other: usize, message: &[u8]) {
        for connection in self.open_connections(at, other) {
            self.send_file_message(at, connection, message.to_vec());
        }
    }
}
