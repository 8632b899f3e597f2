//! The one place for rights: who may do what. No other module decides by blocks, or by the site's setting for whom it
//! lets in.

use crate::identity::{Name, PublicKey, Trust, TrustBook};
use crate::settings::Accept;

/// Something that a peer may or may not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Connect to us.
    Connect,
    /// Connect to another tab of its own.
    Return,
    /// Stay connected.
    Stay,
}

/// The answer of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    Granted,
    Refused,
    /// The person at this browser decides.
    AskPerson,
}

/// The wishes of the site's owner and of the person at this browser.
#[derive(Debug)]
pub(super) struct Policy {
    accept: Accept,
    asks_about_all: bool,
}

impl Policy {
    pub fn new(accept: Accept) -> Policy {
        Policy {
            accept,
            asks_about_all: false,
        }
    }

    /// Sets whether to ask about everybody who comes from now on.
    pub fn ask_about_all(&mut self, all: bool) {
        self.asks_about_all = all;
    }

    /// Whether everybody in the room may have what anybody says in it. Where people decide on whom they let in, an author
    /// may have turned away somebody whom we let in.
    pub fn may_read_all(&self) -> bool {
        self.accept == Accept::Everyone && !self.asks_about_all
    }

    /// Whether the holder of this key, under this name, may do this.
    pub fn may(
        &self,
        book: &TrustBook,
        key: &PublicKey,
        name: &Name,
        action: Action,
    ) -> Permission {
        let known = || matches!(book.trust(key, name), Trust::Known | Trust::Verified);
        match (action, self.accept) {
            _ if book.is_blocked(key) => Permission::Refused,
            (Action::Stay, _) => Permission::Granted,
            (Action::Connect | Action::Return, _) if self.asks_about_all => Permission::AskPerson,
            (Action::Return, _) => Permission::Granted,
            (Action::Connect, Accept::Everyone) => Permission::Granted,
            (Action::Connect, Accept::Ask | Accept::Known) if known() => Permission::Granted,
            (Action::Connect, Accept::Ask) => Permission::AskPerson,
            (Action::Connect, Accept::Known) => Permission::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    #[test]
    fn blocked_keys_may_do_nothing_and_strangers_what_the_site_allows() {
        let name = |text| Name::parse(text).unwrap();
        let key = |n| PublicKey([n; 33]);
        let mut book = TrustBook::default();
        book.remember(&key(1), &name("ann"), Millis(1));
        book.remember(&key(2), &name("ben"), Millis(1));
        book.block(&key(2), true, Millis(2));
        let connect =
            |accept, n, text| Policy::new(accept).may(&book, &key(n), &name(text), Action::Connect);
        use Permission::{AskPerson, Granted, Refused};
        for accept in [Accept::Everyone, Accept::Ask, Accept::Known] {
            assert_eq!(connect(accept, 1, "ann"), Granted);
            assert_eq!(connect(accept, 2, "ben"), Refused);
        }
        assert_eq!(connect(Accept::Everyone, 3, "cleo"), Granted);
        assert_eq!(connect(Accept::Ask, 3, "cleo"), AskPerson);
        assert_eq!(connect(Accept::Known, 3, "cleo"), Refused);
        let own = Policy::new(Accept::Known);
        let own = own.may(&book, &key(3), &name("cleo"), Action::Return);
        assert_eq!(own, Granted);
        // A known name on another key is a stranger.
        assert_eq!(connect(Accept::Ask, 3, "ann"), AskPerson);
        let mut wary = Policy::new(Accept::Everyone);
        wary.ask_about_all(true);
        assert_eq!(
            wary.may(&book, &key(1), &name("ann"), Action::Connect),
            AskPerson
        );
        assert_eq!(
            wary.may(&book, &key(1), &name("ann"), Action::Stay),
            Granted
        );
    }
}
