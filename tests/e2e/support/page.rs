//! What a tab shows, as tests ask for it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Tells it, in the browser.
pub const SCRIPT: &str = include_str!("page.js");

/// What a tab shows at one moment.
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
    /// The texts of all that has a test id.
    texts: BTreeMap<String, Vec<String>>,
    /// What is written and was not sent.
    pub composer: Option<String>,
    /// Whether markup from a name or a message ran.
    pub pwned: bool,
    /// In the diagnostics: how much was dropped, for each reason.
    pub dropped: Vec<u64>,
}

/// Somebody in the list of people.
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
    /// How far it came; own messages only.
    pub delivery: Option<String>,
    /// How many elements, such as links, the text was made to.
    pub elements: u32,
}

impl Page {
    /// Whether exactly these people are here, and have proved who they are.
    pub fn has_verified(&self, users: &[&str]) -> bool {
        let mut expected = users.to_vec();
        expected.sort_unstable();
        let mut found: Vec<&str> = self.peers.iter().map(|peer| peer.user.as_str()).collect();
        found.sort_unstable();
        found == expected && self.peers.iter().all(|peer| peer.state == "verified")
    }

    /// What is known of somebody's key, in one word; empty if they are not here.
    pub fn trust_of(&self, user: &str) -> &str {
        let mut peers = self.peers.iter();
        let peer = peers.find(|peer| peer.user == user);
        peer.map_or("", |peer| &peer.trust)
    }

    /// Whether somebody said this.
    pub fn has_message(&self, sender: &str, text: &str) -> bool {
        let said = |message: &Said| message.sender == sender && message.text == text;
        self.messages.iter().any(said)
    }

    /// Whether something with this test id is there.
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
