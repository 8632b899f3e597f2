//! What was said, in one file, where a browser would use its database.
//!
//! ```text
//! rtchat-history 1 ROOM CHECK
//! put KEY RECORD CHECK
//! delete KEY CHECK
//! clear CONVERSATION CHECK
//! empty CHECK
//! state NAME VALUE CHECK
//! ```
//!
//! Each line says what happened, so that writing never changes what is there already: whenever the program or the computer
//! stops, at most the last line is cut. Everything but names is base64url, and a line ends with the beginning of the SHA-256
//! of what stands before it. A line that is broken costs what it says, and nothing else. When most lines are of the past, the
//! others are written into a new file, which takes the place of the old one at once.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base64ct::{Base64UrlUnpadded, Encoding};
use rtchat::history::{Key, Record};
use rtchat::identity::framing::sha256;
use rtchat::room::{STATES, StoreCommand, StoreEvent};
use rtchat::wire::RoomId;
use rtchat::wire::entry::ConversationId;

use crate::Error;

/// The first word of every such file, and its version.
const HEADER: &str = "rtchat-history 1";
/// No line is longer: the largest entry with all that is remembered of it, in base64.
const MAX_LINE: u64 = 256 * 1024;
/// The file is written anew when what is of the past takes more than this, and more than what is not.
const MAX_PAST: u64 = 1024 * 1024;
/// The number of bytes of a check.
const CHECK: usize = 6;
/// The number of records of each conversation that the room is given before all others.
const FIRST: usize = 150;

/// Where a line is in the file.
#[derive(Debug, Clone, Copy)]
struct Place {
    from: u64,
    length: u64,
}

/// The file of one room.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    room: RoomId,
    file: File,
    /// The size of the file.
    size: u64,
    /// How much of it counts.
    alive: u64,
    records: BTreeMap<Key, Place>,
    states: BTreeMap<&'static str, Place>,
    /// The number of lines that could not be read.
    broken: u64,
    /// Whether the last line has no end.
    is_cut: bool,
}

impl History {
    /// Opens the file, or creates it, readable by its owner alone.
    ///
    /// # Errors
    /// The file holds something else, or is of another room: it is left unchanged. Or it cannot be read or written, or
    /// another program has it open.
    pub fn open(path: &Path, room: RoomId) -> Result<History, Error> {
        let unusable = |source| Error::HistoryUnusable {
            path: path.to_owned(),
            source,
        };
        let mut file = open(path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::HistoryInUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        if file.metadata().map_err(unusable)?.len() == 0 {
            file.write_all(&header(&room)).map_err(unusable)?;
        }
        let mut history = History {
            path: path.to_owned(),
            room,
            file,
            size: 0,
            alive: 0,
            records: BTreeMap::new(),
            states: BTreeMap::new(),
            broken: 0,
            is_cut: false,
        };
        history.read()?;
        // Only what is one's own is made so: a file that held something else was left alone.
        only_for_owner(&history.file).map_err(unusable)?;
        if history.broken > 0 || history.is_too_long() {
            history.compact().map_err(unusable)?;
        }
        Ok(history)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of lines that could not be read when the file was opened. They are gone now.
    pub fn broken(&self) -> u64 {
        self.broken
    }

    /// Everything that is there, in the order in which the room wants it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn events(&mut self) -> io::Result<Vec<StoreEvent>> {
        let mut events = Vec::new();
        let states: Vec<_> = self.states.clone().into_iter().collect();
        for (name, place) in states {
            if let Some(Line::State(_, value)) = self.line(place)? {
                events.push(StoreEvent::State(name, value));
            }
        }
        let mut conversations: BTreeMap<ConversationId, Vec<Record>> = BTreeMap::new();
        let places: Vec<Place> = self.records.values().copied().collect();
        for place in places {
            if let Some(Line::Put(record)) = self.line(place)? {
                let records = conversations.entry(record.conversation).or_default();
                records.push(record);
            }
        }
        let mut older = Vec::new();
        for mut records in conversations.into_values() {
            let newest = records.split_off(records.len().saturating_sub(FIRST));
            events.push(StoreEvent::Records(newest));
            older.push(StoreEvent::Records(records));
        }
        events.extend(older);
        events.push(StoreEvent::Restored);
        Ok(events)
    }

    /// Carries out what the room wants.
    ///
    /// # Errors
    /// The file cannot be written. What was there before is there still.
    pub fn carry_out(&mut self, command: StoreCommand) -> io::Result<()> {
        let line = match command {
            StoreCommand::Put(record) => Line::Put(record),
            StoreCommand::Add(record) if self.records.contains_key(&record.key()) => return Ok(()),
            StoreCommand::Add(record) => Line::Put(record),
            StoreCommand::Delete(key) if !self.records.contains_key(&key) => return Ok(()),
            StoreCommand::Delete(key) => Line::Delete(key),
            StoreCommand::DeleteConversation(id) => Line::Clear(id),
            // It has one room.
            StoreCommand::DeleteRoom | StoreCommand::DeleteAll(_) => Line::Empty,
            StoreCommand::PutState(name, value) => Line::State(name, value),
        };
        let mut bytes = Vec::new();
        if self.is_cut {
            bytes.push(b'\n');
        }
        let before = bytes.len() as u64;
        line.write(&mut bytes);
        // Until this is written as a whole, it counts as cut.
        self.is_cut = true;
        let from = self.file.seek(SeekFrom::End(0))?;
        self.size = from;
        self.file.write_all(&bytes)?;
        self.is_cut = false;
        self.size = from + bytes.len() as u64;
        let place = Place {
            from: from + before,
            length: bytes.len() as u64 - before,
        };
        self.note(line, place);
        if self.is_too_long() {
            self.compact()?;
        }
        Ok(())
    }

    fn is_too_long(&self) -> bool {
        let past = self.size.saturating_sub(self.alive);
        past > MAX_PAST && past > self.alive
    }

    /// Reads where everything is.
    fn read(&mut self) -> Result<(), Error> {
        let path = self.path.clone();
        let unusable = move |source| Error::HistoryUnusable {
            path: path.clone(),
            source,
        };
        let mut file = self.file.try_clone().map_err(&unusable)?;
        file.seek(SeekFrom::Start(0)).map_err(&unusable)?;
        let mut reader = BufReader::new(file);
        let mut bytes = Vec::new();
        let mut from = 0;
        loop {
            bytes.clear();
            let mut part = (&mut reader).take(MAX_LINE);
            let length = part.read_until(b'\n', &mut bytes).map_err(&unusable)? as u64;
            let end = bytes.last();
            if from == 0 {
                self.check_header(&bytes)?;
            }
            if length == 0 {
                break;
            }
            self.is_cut = end != Some(&b'\n');
            let place = Place { from, length };
            from += length;
            match Line::read(&bytes) {
                Some(line) => self.note(line, place),
                None if place.from == 0 => self.alive += length,
                None => self.broken += 1,
            }
        }
        self.size = from;
        Ok(())
    }

    fn check_header(&self, line: &[u8]) -> Result<(), Error> {
        let path = self.path.clone();
        if line == header(&self.room) {
            Ok(())
        } else if line.starts_with(HEADER.as_bytes()) && checked(line).is_some() {
            Err(Error::HistoryOfAnotherRoom { path })
        } else {
            Err(Error::HistoryMalformed { path })
        }
    }

    /// Notes where something is now.
    fn note(&mut self, line: Line, place: Place) {
        let mut past = 0;
        match line {
            Line::Put(record) => {
                self.alive += place.length;
                past += length(self.records.insert(record.key(), place));
            }
            Line::State(name, _) => {
                self.alive += place.length;
                past += length(self.states.insert(name, place));
            }
            Line::Delete(key) => past += length(self.records.remove(&key)),
            Line::Clear(conversation) => self.records.retain(|key, place| {
                let goes = key.conversation == conversation;
                past += if goes { place.length } else { 0 };
                !goes
            }),
            Line::Empty => {
                let records = std::mem::take(&mut self.records);
                past += records.values().map(|place| place.length).sum::<u64>();
            }
        }
        self.alive = self.alive.saturating_sub(past);
    }

    fn line(&mut self, place: Place) -> io::Result<Option<Line>> {
        Ok(Line::read(&self.bytes(place)?))
    }

    fn bytes(&mut self, place: Place) -> io::Result<Vec<u8>> {
        // No line is longer than what was read or written as one.
        let mut bytes = vec![0; place.length as usize];
        self.file.seek(SeekFrom::Start(place.from))?;
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes what counts into a new file, and puts that in the place of the old one.
    fn compact(&mut self) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        // A file that an interrupted attempt left may have other permissions.
        let _ = fs::remove_file(&new);
        let file = open(&new)?;
        let _ = file.try_lock();
        let header = header(&self.room);
        let mut size = header.len() as u64;
        let mut writer = io::BufWriter::new(file);
        writer.write_all(&header)?;
        let mut moved = |place: &mut Place, bytes: &[u8]| -> io::Result<()> {
            writer.write_all(bytes)?;
            place.from = size;
            size += place.length;
            Ok(())
        };
        let (mut records, mut states) = (self.records.clone(), self.states.clone());
        for place in records.values_mut().chain(states.values_mut()) {
            let bytes = self.bytes(*place)?;
            moved(place, &bytes)?;
        }
        let file = writer.into_inner().map_err(|error| error.into_error())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        (self.file, self.size, self.alive) = (file, size, size);
        (self.records, self.states, self.is_cut) = (records, states, false);
        Ok(())
    }
}

fn length(place: Option<Place>) -> u64 {
    place.map_or(0, |place| place.length)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    // Direct messages are in it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn only_for_owner(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn only_for_owner(_: &File) -> io::Result<()> {
    Ok(())
}

/// What a line says.
#[derive(Debug, PartialEq)]
enum Line {
    Put(Record),
    Delete(Key),
    Clear(ConversationId),
    Empty,
    State(&'static str, Vec<u8>),
}

impl Line {
    fn write(&self, to: &mut Vec<u8>) {
        let text = Base64UrlUnpadded::encode_string;
        let line = match self {
            Line::Put(record) => {
                let (key, value) = (record.key().to_bytes(), record.to_value());
                format!("put {} {}", text(&key), text(&value))
            }
            Line::Delete(key) => format!("delete {}", text(&key.to_bytes())),
            Line::Clear(conversation) => format!("clear {}", text(&conversation.0)),
            Line::Empty => "empty".to_owned(),
            Line::State(name, value) => format!("state {name} {}", text(value)),
        };
        to.extend_from_slice(&with_check(&line));
    }

    /// Reads a line with its end; `None` if it is broken, or the first one.
    fn read(line: &[u8]) -> Option<Line> {
        let mut words = checked(line)?.split(' ');
        let kind = words.next()?;
        let mut word = || words.next();
        let bytes = |word: Option<&str>| Base64UrlUnpadded::decode_vec(word?).ok();
        let line = match kind {
            "put" => {
                let key = Key::from_bytes(&bytes(word())?)?;
                Line::Put(Record::from_value(key, &bytes(word())?)?)
            }
            "delete" => Line::Delete(Key::from_bytes(&bytes(word())?)?),
            "clear" => Line::Clear(ConversationId(bytes(word())?.try_into().ok()?)),
            "empty" => Line::Empty,
            "state" => {
                let name = word()?;
                let name = STATES.into_iter().find(|known| *known == name)?;
                Line::State(name, bytes(word())?)
            }
            _ => return None,
        };
        words.next().is_none().then_some(line)
    }
}

fn header(room: &RoomId) -> Vec<u8> {
    let room = Base64UrlUnpadded::encode_string(&room.0);
    with_check(&format!("{HEADER} {room}"))
}

fn check(line: &str) -> String {
    let hash = sha256(line.as_bytes());
    Base64UrlUnpadded::encode_string(&hash[..CHECK])
}

fn with_check(line: &str) -> Vec<u8> {
    format!("{line} {}\n", check(line)).into_bytes()
}

/// What a line says before its check; `None` if that is another one, or the line has no end.
fn checked(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (line, found) = line.rsplit_once(' ')?;
    (check(line) == found).then_some(line)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
