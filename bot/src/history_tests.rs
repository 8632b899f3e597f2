use rtchat::identity::PublicKey;
use rtchat::wire::entry::{Clock, Position};
use rtchat::wire::statement::StatementId;

use super::*;

const ROOM: RoomId = RoomId([7; 32]);

fn record(number: u64, text: &str) -> Record {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Record {
        conversation: ConversationId([(number % 2) as u8; 16]),
        position: Position {
            clock: Clock(number),
            id: StatementId(id),
        },
        author: PublicKey([2; 33]),
        bytes: text.as_bytes().to_vec(),
    }
}

fn put(history: &mut History, number: u64, text: &str) {
    history
        .carry_out(StoreCommand::Put(record(number, text)))
        .unwrap();
}

/// The records that are there, in their order.
fn all(history: &mut History) -> Vec<Record> {
    let mut all: Vec<Record> = Vec::new();
    for event in history.events().unwrap() {
        if let StoreEvent::Records(records) = event {
            all.extend(records);
        }
    }
    all.sort_by_key(|record| record.position);
    all
}

fn texts(history: &mut History) -> Vec<String> {
    let texts = all(history).into_iter().map(|record| record.bytes);
    texts
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect()
}

#[test]
fn what_was_kept_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut history = History::open(&path, ROOM).unwrap();
    for number in 0..4 {
        put(&mut history, number, &format!("{number}"));
    }
    put(&mut history, 1, "changed");
    let add = StoreCommand::Add(record(2, "not added"));
    history.carry_out(add).unwrap();
    let delete = StoreCommand::Delete(record(3, "").key());
    history.carry_out(delete).unwrap();
    let state = StoreCommand::PutState(STATES[0], vec![1, 2]);
    history.carry_out(state).unwrap();
    assert!(matches!(
        History::open(&path, ROOM),
        Err(Error::HistoryInUse { .. })
    ));
    drop(history);
    let mut history = History::open(&path, ROOM).unwrap();
    assert_eq!(texts(&mut history), ["0", "changed", "2"]);
    let events = history.events().unwrap();
    assert_eq!(events[0], StoreEvent::State(STATES[0], vec![1, 2]));
    assert_eq!(events.last(), Some(&StoreEvent::Restored));
    let clear = StoreCommand::DeleteConversation(ConversationId([0; 16]));
    history.carry_out(clear).unwrap();
    assert_eq!(texts(&mut history), ["changed"]);
    history.carry_out(StoreCommand::DeleteRoom).unwrap();
    drop(history);
    let mut history = History::open(&path, ROOM).unwrap();
    assert_eq!(texts(&mut history), [""; 0]);
    assert_eq!(history.broken(), 0);
}

#[test]
fn wherever_the_file_is_cut_only_the_last_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut history = History::open(&path, ROOM).unwrap();
    for number in 0..3 {
        put(&mut history, number, &format!("{number}"));
    }
    let last = history
        .records
        .values()
        .map(|place| place.from)
        .max()
        .unwrap();
    drop(history);
    let whole = fs::read(&path).unwrap();
    for end in (last as usize)..whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let mut history = History::open(&path, ROOM).unwrap();
        assert_eq!(texts(&mut history), ["0", "1"]);
        assert_eq!(history.broken(), u64::from(end as u64 > last), "{end}");
        // What is written next begins on a line of its own.
        put(&mut history, 5, "5");
        drop(history);
        let mut history = History::open(&path, ROOM).unwrap();
        assert_eq!(texts(&mut history), ["0", "1", "5"]);
        assert_eq!(history.broken(), 0);
    }
}

#[test]
fn a_line_that_is_broken_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut history = History::open(&path, ROOM).unwrap();
    for number in 0..3 {
        put(&mut history, number, &format!("{number}"));
    }
    drop(history);
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let long = "x".repeat(3 * MAX_LINE as usize);
    for broken in ["", "put", &long, "state read AAAA AAAAAAAA", "\u{1f600}"] {
        let text = [lines[0], lines[1], broken, lines[3], ""].join("\n");
        fs::write(&path, text).unwrap();
        let mut history = History::open(&path, ROOM).unwrap();
        assert_eq!(texts(&mut history), ["0", "2"]);
        assert!(history.broken() > 0);
    }
    for at in 0..lines[2].len() {
        let mut other = lines[2].as_bytes().to_vec();
        other[at] ^= 1;
        let text = [lines[0].as_bytes(), &other, lines[3].as_bytes(), b""].join(&b'\n');
        fs::write(&path, text).unwrap();
        let mut history = History::open(&path, ROOM).unwrap();
        assert_eq!(texts(&mut history), ["2"], "{at}");
        assert!(history.broken() > 0);
    }
}

#[test]
fn the_file_stays_short_however_often_something_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut history = History::open(&path, ROOM).unwrap();
    let text = "x".repeat(10_000);
    put(&mut history, 0, "kept");
    for _ in 0..500 {
        put(&mut history, 1, &text);
    }
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 2 * MAX_PAST, "{size}");
    assert_eq!(texts(&mut history), ["kept", text.as_str()]);
    put(&mut history, 2, "after");
    drop(history);
    let mut history = History::open(&path, ROOM).unwrap();
    assert_eq!(texts(&mut history), ["kept", text.as_str(), "after"]);
    let files = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing else is left");
}

#[test]
#[cfg(unix)]
fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history");
    let mut history = History::open(&path, ROOM).unwrap();
    assert_eq!(mode(&path), 0o600);
    put(&mut history, 1, "1");
    history.compact().unwrap();
    assert_eq!(mode(&path), 0o600);
    drop(history);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    History::open(&path, ROOM).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_file_with_something_else_or_of_another_room_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(&path, "Dear Ann").unwrap();
    let refused = History::open(&path, ROOM);
    assert!(matches!(refused, Err(Error::HistoryMalformed { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "Dear Ann");
    let path = folder.path().join("history");
    drop(History::open(&path, ROOM).unwrap());
    let refused = History::open(&path, RoomId([8; 32]));
    assert!(matches!(refused, Err(Error::HistoryOfAnotherRoom { .. })));
    let missing = folder.path().join("missing").join("history");
    let refused = History::open(&missing, ROOM);
    assert!(matches!(refused, Err(Error::HistoryUnusable { .. })));
}
