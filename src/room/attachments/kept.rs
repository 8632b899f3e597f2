//! The files whose bytes are kept with the history, and which of them have to go.

use super::io::BlobCommand;
use crate::history::StoredFile;
use crate::identity::PublicKey;
use crate::room::cx::Cx;
use crate::room::io::Output;
use crate::wire::attachment::FileKey;

/// Files of at most this many bytes are kept with the history. Larger ones are there while somebody who has them is.
pub const MAX_KEPT_FILE: u64 = 8 << 20;
/// The most bytes of files that are kept of one room.
pub const MAX_KEPT: u64 = 200_000_000;

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<StoredFile>);

impl Kept {
    /// These are kept from earlier.
    pub fn open(&mut self, files: Vec<StoredFile>) {
        self.0.extend(files);
    }

    pub fn contains(&self, key: &FileKey) -> bool {
        self.0.iter().any(|kept| kept.key == *key)
    }

    /// Keeps a file that is here, if it is small enough. Returns the files that have to go for it.
    pub fn keep(
        &mut self,
        key: FileKey,
        author: PublicKey,
        is_known: impl Fn(&PublicKey) -> bool,
        cx: &mut Cx,
    ) -> Vec<FileKey> {
        if key.size > MAX_KEPT_FILE || self.contains(&key) {
            return Vec::new();
        }
        let at = cx.now;
        let file = StoredFile { key, author, at };
        self.0.push(file);
        cx.output(Output::Blob(BlobCommand::Keep(file)));
        self.make_room(is_known)
    }

    pub fn remove(&mut self, key: &FileKey) {
        self.0.retain(|kept| kept.key != *key);
    }

    /// Those of strangers go first, and of each kind the oldest.
    fn make_room(&mut self, is_known: impl Fn(&PublicKey) -> bool) -> Vec<FileKey> {
        let mut gone = Vec::new();
        let mut total: u64 = self.0.iter().map(|kept| kept.key.size).sum();
        while total > MAX_KEPT {
            let rank = |kept: &StoredFile| (is_known(&kept.author), kept.at);
            let ranked = self.0.iter().enumerate().map(|(at, kept)| (rank(kept), at));
            let Some((_, at)) = ranked.min() else { break };
            let kept = self.0.remove(at);
            total -= kept.key.size;
            gone.push(kept.key);
        }
        gone
    }
}
