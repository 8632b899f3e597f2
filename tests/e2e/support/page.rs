//! A description of the content of a tab.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Describes the page, in the browser.
pub const SCRIPT: &str = include_str!("page.js");

/// The content of a tab at one moment.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub url: String,
    /// The status in one word; empty before joining.
    pub status: String,
    pub status_text: String,
    /// Our own name, with the tab number.
    pub own: String,
    pub peers: Vec<Peer>,
    pub messages: Vec<Said>,
    /// The texts of all elements with a test id.
    texts: BTreeMap<String, Vec<String>>,
    /// The text in the composer.
    pub composer: Option<String>,
    /// Whether markup from a name or a message ran.
    pub pwned: bool,
    /// The numbers of dropped messages, by reason, as in the diagnostics.
    pub dropped: Vec<u64>,
}

/// A person in the list of people.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Peer {
    pub user: String,
    pub state: String,
    pub trust: String,
}

/// A message in the log.
#[derive(Clone, Debug, Deserialize)]
pub struct Said {
    pub sender: String,
    pub text: String,
    /// The delivery status; own messages only.
    pub delivery: Option<String>,
    /// The number of elements, such as links, in the text.
    pub elements: u32,
}

impl Page {
    /// Whether exactly these people are here and verified.
    pub fn has_verified(&self, users: &[&str]) -> bool {
        let mut expected = users.to_vec();
        expected.sort_unstable();
        let mut found: Vec<&str> = self.peers.iter().map(|peer| peer.user.as_str()).collect();
        found.sort_unstable();
        found == expected && self.peers.iter().all(|peer| peer.state == "verified")
    }

    /// The trust in a user's key, in one word; empty if the user is not here.
    pub fn trust_of(&self, user: &str) -> &str {
        let mut peers = self.peers.iter();
        let peer = peers.find(|peer| peer.user == user);
        peer.map_or("", |peer| &peer.trust)
    }

    /// Whether the log has this message of this sender.
    pub fn has_message(&self, sender: &str, text: &str) -> bool {
        let said = |message: &Said| message.sender == sender && message.text == text;
        self.messages.iter().any(said)
    }

    /// Whether there is an element with this test id.
    pub fn has(&self, id: &str) -> bool {
        self.texts.contains_key(id)
    }

    /// The text of the first element with this test id; empty if there is none.
    pub fn text(&self, id: &str) -> &str {
        let texts = self.texts(id);
        texts.first().map_or("", String::as_str)
    }

    /// The texts of all elements with this test id.
    pub fn texts(&self, id: &str) -> &[String] {
        self.texts.get(id).map_or(&[], Vec::as_slice)
    }
}
