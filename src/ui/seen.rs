//! Whom a person decides about: the key and the name that were on the screen.

use crate::identity::{PeerId, PublicKey};
use crate::room::{Command, PeerView};

/// Somebody as they were shown beside a button. People can change their names at any time, also between the drawing
/// of a button and the click on it; so what the click asks for is about this key under this name and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The tab.
    pub peer: PeerId,
    /// The key.
    pub key: PublicKey,
    /// The name that they chose.
    pub name: String,
}

impl Seen {
    /// As this view shows them.
    pub fn new(peer: &PeerView) -> Seen {
        Seen {
            peer: peer.id,
            key: peer.key,
            name: chosen_name(&peer.user).to_owned(),
        }
    }

    /// Whether this view shows the same key under the same name.
    pub fn is(&self, peer: &PeerView) -> bool {
        self.key == peer.key && self.name == chosen_name(&peer.user)
    }

    /// The name belongs to this key as well.
    pub fn accept_key(&self) -> Command {
        Command::AcceptKey(self.peer)
    }

    /// The safety number was compared and is the same.
    pub fn mark_verified(&self) -> Command {
        Command::MarkVerified(self.peer)
    }

    /// The person wants nothing to do with this key.
    pub fn block(&self) -> Command {
        Command::Block(self.peer)
    }

    /// The answer to their request to connect.
    pub fn decide(&self, accept: bool) -> Command {
        Command::Decide {
            peer: self.peer,
            accept,
        }
    }
}

/// The name without what the page wrote behind it: both `alice(2)` and `alice (k7qd)` chose `alice`. No name itself
/// ends in brackets.
pub fn chosen_name(user: &str) -> &str {
    let mut name = user;
    while name.ends_with(')')
        && let Some(at) = name.rfind('(')
        && at > 0
    {
        name = name[..at].trim_end();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::chosen_name;

    #[test]
    fn the_chosen_name_has_neither_tab_nor_key() {
        for (user, name) in [
            ("alice", "alice"),
            ("alice(2)", "alice"),
            ("alice (k7qd)", "alice"),
            ("alice(2) (k7qd)", "alice"),
            ("(x)", "(x)"),
            ("x)", "x)"),
            ("x)(3)", "x)"),
            ("ann (work) at home", "ann (work) at home"),
            ("", ""),
        ] {
            assert_eq!(chosen_name(user), name, "{user:?}");
        }
    }
}
