//! The trust book: which keys this browser has met, under which names.
//!
//! A name belongs to the key that was met under it first. Another key that comes with it is
//! [`Trust::NameOnAnotherKey`] each time, until the person says that it is right ([`TrustBook::accept_name`])
//! or compares the safety number ([`TrustBook::verify`]): a warning that went away by itself after the first
//! meeting would only have to be waited for.

use litemap::LiteMap;

use base64ct::{Base64UrlUnpadded, Encoding};

use super::name::fold;
use super::{Name, PublicKey};
use crate::time::Millis;

/// How many keys are remembered.
pub const MAX_ENTRIES: usize = 500;

/// How many names of one key are remembered.
pub const MAX_NAMES: usize = 8;

const VERSION: u32 = 1;

/// Why a stored trust book cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is no trust book.
    #[error("The list of people you met before is damaged.")]
    Damaged,
    /// A later version of this page wrote it.
    #[error("The list of people you met before was written by a newer version of this page.")]
    Newer,
}

/// What this browser knows of a key from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Never met before.
    New,
    /// Met before under the same key.
    Known,
    /// The person compared the safety number.
    Verified,
    /// A name that is known from before, on another key: the one loud warning.
    NameOnAnotherKey,
}

impl Trust {
    /// The word for it, as programs, pages and style sheets know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Trust::New => "new",
            Trust::Known => "known",
            Trust::Verified => "verified",
            Trust::NameOnAnotherKey => "name-on-another-key",
        }
    }
}

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquaintance {
    /// The names that belong to it, the latest last; at most [`MAX_NAMES`].
    pub names: Vec<String>,
    /// When it was met first.
    pub first: Millis,
    /// When it was met last.
    pub last: Millis,
    /// Whether the person compared the safety number.
    pub verified: bool,
    /// Whether the person wants nothing to do with it.
    pub blocked: bool,
}

/// The keys that this browser has met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustBook(LiteMap<PublicKey, Acquaintance>);

impl TrustBook {
    /// Reads what [`TrustBook::to_text`] wrote.
    ///
    /// # Errors
    /// [`TrustError`]; the text should then be kept aside, not overwritten.
    pub fn from_text(text: &str) -> Result<TrustBook, TrustError> {
        let mut lines = text.lines();
        let version: u32 = lines
            .next()
            .and_then(|line| line.parse().ok())
            .ok_or(TrustError::Damaged)?;
        if version > VERSION {
            return Err(TrustError::Newer);
        }
        let mut book = TrustBook::default();
        for line in lines {
            let (key, entry) = read_line(line).ok_or(TrustError::Damaged)?;
            book.0.insert(key, entry);
        }
        book.forget_beyond(MAX_ENTRIES);
        Ok(book)
    }

    /// For storage: a line with the version, then a line for each key, with tabs between its fields. They are the key
    /// in base64url, when it was met first and last, whether it is verified, whether it is blocked, and its names, in
    /// which neither tabs nor line breaks can be.
    pub fn to_text(&self) -> String {
        let mut text = VERSION.to_string();
        for (key, entry) in self.iter() {
            let key = Base64UrlUnpadded::encode_string(&key.0);
            let Acquaintance {
                names,
                first,
                last,
                verified,
                blocked,
            } = entry;
            text.push_str(&format!(
                "\n{key}\t{}\t{}\t{verified}\t{blocked}",
                first.0, last.0
            ));
            for name in names {
                text.push('\t');
                text.push_str(name);
            }
        }
        text
    }

    /// What this browser knows of `key`, which comes under `name`.
    pub fn trust(&self, key: &PublicKey, name: &Name) -> Trust {
        let own = self.0.get(key);
        let folded = fold(name.as_str());
        if !own.is_some_and(|own| own.has(&folded)) && self.holder(key, &folded).is_some() {
            return Trust::NameOnAnotherKey;
        }
        match own {
            Some(own) if own.verified => Trust::Verified,
            Some(_) => Trust::Known,
            None => Trust::New,
        }
    }

    /// Writes down that `key` proved itself under `name`. A name that belongs to another key stays with it.
    pub fn remember(&mut self, key: &PublicKey, name: &Name, at: Millis) {
        let folded = fold(name.as_str());
        let taken = self.holder(key, &folded).is_some();
        let entry = self.entry(key, at);
        entry.last = entry.last.max(at);
        if !taken || entry.has(&folded) {
            entry.add(name);
        }
        self.forget_beyond(MAX_ENTRIES);
    }

    /// The person compared the safety number: `key` is verified, and `name` is its name.
    pub fn verify(&mut self, key: &PublicKey, name: &Name, at: Millis) {
        let entry = self.entry(key, at);
        entry.verified = true;
        entry.blocked = false;
        entry.add(name);
        self.forget_beyond(MAX_ENTRIES);
    }

    /// The person says that `name` on `key` is right, as with a new device of a friend.
    pub fn accept_name(&mut self, key: &PublicKey, name: &Name, at: Millis) {
        self.entry(key, at).add(name);
        self.forget_beyond(MAX_ENTRIES);
    }

    /// Blocks a key, or takes that back. A blocked key's names are free for others.
    pub fn block(&mut self, key: &PublicKey, blocked: bool, at: Millis) {
        self.entry(key, at).blocked = blocked;
        self.forget_beyond(MAX_ENTRIES);
    }

    /// Whether the person wants nothing to do with `key`.
    pub fn is_blocked(&self, key: &PublicKey) -> bool {
        self.0.get(key).is_some_and(|entry| entry.blocked)
    }

    /// What is known of `key`.
    pub fn get(&self, key: &PublicKey) -> Option<&Acquaintance> {
        self.0.get(key)
    }

    /// Everybody in it.
    pub fn iter(&self) -> impl Iterator<Item = (&PublicKey, &Acquaintance)> {
        self.0.iter()
    }

    /// How many keys are in it.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that `name` belongs to, if it is another than `key`: the other half of the warning.
    pub fn owner(&self, key: &PublicKey, name: &Name) -> Option<PublicKey> {
        self.holder(key, &fold(name.as_str()))
    }

    fn holder(&self, except: &PublicKey, folded: &str) -> Option<PublicKey> {
        let holders = self
            .0
            .iter()
            .filter(|(key, entry)| *key != except && !entry.blocked && entry.has(folded));
        holders
            .min_by_key(|(_, entry)| (!entry.verified, entry.first))
            .map(|(key, _)| *key)
    }

    fn entry(&mut self, key: &PublicKey, at: Millis) -> &mut Acquaintance {
        self.0.entry(*key).or_insert_with(|| Acquaintance {
            names: Vec::new(),
            first: at,
            last: at,
            verified: false,
            blocked: false,
        })
    }

    /// Drops the longest unseen: those nobody decided about first, verified ones last.
    fn forget_beyond(&mut self, limit: usize) {
        while self.0.len() > limit {
            let oldest = self
                .0
                .iter()
                .min_by_key(|(_, entry)| (entry.verified, entry.blocked, entry.last));
            let Some(key) = oldest.map(|(key, _)| *key) else {
                return;
            };
            self.0.remove(&key);
        }
    }
}

impl Acquaintance {
    /// The name it went by last.
    pub fn name(&self) -> Option<&str> {
        self.names.last().map(String::as_str)
    }

    fn has(&self, folded: &str) -> bool {
        self.names.iter().any(|name| fold(name) == folded)
    }

    fn add(&mut self, name: &Name) {
        let folded = fold(name.as_str());
        self.names.retain(|known| fold(known) != folded);
        self.names.push(name.as_str().to_owned());
        let surplus = self.names.len().saturating_sub(MAX_NAMES);
        self.names.drain(..surplus);
    }
}

fn read_line(line: &str) -> Option<(PublicKey, Acquaintance)> {
    let mut fields = line.split('\t');
    let key = Base64UrlUnpadded::decode_vec(fields.next()?).ok()?;
    let entry = Acquaintance {
        first: Millis(fields.next()?.parse().ok()?),
        last: Millis(fields.next()?.parse().ok()?),
        verified: fields.next()?.parse().ok()?,
        blocked: fields.next()?.parse().ok()?,
        names: fields.map(str::to_owned).collect(),
    };
    Some((PublicKey(key.try_into().ok()?), entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(n: u16) -> PublicKey {
        let mut bytes = [2; 33];
        bytes[1..3].copy_from_slice(&n.to_be_bytes());
        PublicKey(bytes)
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_key_is_new_then_known_then_verified() {
        let mut book = TrustBook::default();
        let (alice, a) = (name("Alice"), key(1));
        assert_eq!(book.trust(&a, &alice), Trust::New);
        book.remember(&a, &alice, Millis(10));
        assert_eq!(book.trust(&a, &alice), Trust::Known);
        assert_eq!(
            book.trust(&a, &name("Alicia")),
            Trust::Known,
            "people may rename themselves"
        );
        book.verify(&a, &alice, Millis(20));
        assert_eq!(book.trust(&a, &alice), Trust::Verified);
        assert_eq!(
            book.get(&a).map(|known| (known.first, known.last)),
            Some((Millis(10), Millis(10)))
        );
    }

    #[test]
    fn a_known_name_on_another_key_warns_until_the_person_decides() {
        let mut book = TrustBook::default();
        book.remember(&key(1), &name("Alice Doe"), Millis(10));
        let fake = name("  alice  DOE");
        assert_eq!(book.trust(&key(2), &fake), Trust::NameOnAnotherKey);
        assert_eq!(book.owner(&key(2), &fake), Some(key(1)));
        // Having met it once changes nothing, nor does having met it under another name before.
        book.remember(&key(2), &name("bob"), Millis(20));
        book.remember(&key(2), &fake, Millis(20));
        assert_eq!(book.trust(&key(2), &fake), Trust::NameOnAnotherKey);
        assert_eq!(book.trust(&key(2), &name("bob")), Trust::Known);
        assert_eq!(
            book.trust(&key(1), &fake),
            Trust::Known,
            "the owner keeps the name"
        );
        book.accept_name(&key(2), &fake, Millis(30));
        assert_eq!(book.trust(&key(2), &fake), Trust::Known);
        assert_eq!(book.trust(&key(3), &fake), Trust::NameOnAnotherKey);
    }

    #[test]
    fn who_is_blocked_owns_no_name() {
        let mut book = TrustBook::default();
        book.remember(&key(1), &name("Alice"), Millis(10));
        book.block(&key(1), true, Millis(11));
        assert!(book.is_blocked(&key(1)));
        assert_eq!(book.trust(&key(2), &name("alice")), Trust::New);
        book.block(&key(1), false, Millis(12));
        assert_eq!(book.trust(&key(2), &name("alice")), Trust::NameOnAnotherKey);
    }

    #[test]
    fn the_book_is_bounded_and_forgets_strangers_first() {
        let mut book = TrustBook::default();
        book.verify(&key(0), &name("friend"), Millis(0));
        book.block(&key(1), true, Millis(0));
        for n in 2..700 {
            book.remember(&key(n), &name(&format!("n{n}")), Millis(u64::from(n)));
        }
        assert_eq!(book.len(), MAX_ENTRIES);
        assert!(book.get(&key(0)).is_some() && book.is_blocked(&key(1)));
        assert!(book.get(&key(2)).is_none() && book.get(&key(699)).is_some());
        for n in 0..20 {
            book.remember(&key(699), &name(&format!("alias {n}")), Millis(1_000));
        }
        assert_eq!(
            book.get(&key(699)).map(|known| known.names.len()),
            Some(MAX_NAMES)
        );
        assert_eq!(TrustBook::from_text(&book.to_text()).as_ref(), Ok(&book));
    }

    #[test]
    fn what_cannot_be_read_is_refused_as_a_whole() {
        let mut book = TrustBook::default();
        book.remember(&key(1), &name("ann"), Millis(7));
        let text = book.to_text();
        let (head, line) = text.split_once('\n').unwrap();
        assert_eq!(
            (head, line.split_once('\t').unwrap().1),
            ("1", "7\t7\tfalse\tfalse\tann")
        );
        assert_eq!(TrustBook::from_text("2\nwhatever"), Err(TrustError::Newer));
        for damaged in [
            "",
            "[]",
            "1\n\n",
            "1\n??\t7\t7\tfalse\tfalse",
            &text[..50],
            &text.replace("false", "0"),
        ] {
            assert_eq!(
                TrustBook::from_text(damaged),
                Err(TrustError::Damaged),
                "{damaged:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_a_name_has_one_owner(moves in proptest::collection::vec((0u16..5, 0usize..3), 0..40)) {
            let names = ["ann", "ben", "cleo"].map(name);
            let mut book = TrustBook::default();
            for (at, (n, which)) in moves.into_iter().enumerate() {
                book.remember(&key(n), &names[which], Millis(at as u64));
            }
            for name in &names {
                let holders = book.iter().filter(|(_, known)| known.has(name.as_str())).count();
                prop_assert!(holders <= 1);
            }
            prop_assert_eq!(TrustBook::from_text(&book.to_text()), Ok(book));
        }

        #[test]
        fn nothing_in_storage_panics(text in any::<String>()) {
            let _ = TrustBook::from_text(&text);
        }
    }
}
