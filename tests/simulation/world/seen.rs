//! Observations that a test can make in a world.

use std::collections::BTreeMap;

use rtchat::room::{ChatEvent, Event, PeerState, PeopleEvent, Status};

use super::World;

impl World {
    /// Number of connections that a tab holds.
    pub fn connections(&self, at: usize) -> usize {
        self.nodes[at].links.len()
    }

    /// Number of payload bytes published so far.
    pub fn bytes(&self) -> usize {
        self.published
            .iter()
            .map(|(_, _, payload)| payload.len())
            .sum()
    }

    /// The peers that `at` shows, with their states.
    pub fn roster(&self, at: usize) -> BTreeMap<String, PeerState> {
        let mut roster = BTreeMap::new();
        for event in &self.nodes[at].events {
            match event {
                Event::People(PeopleEvent::Changed(view)) => {
                    drop(roster.insert(view.id, (view.user.clone(), view.state)))
                }
                Event::People(PeopleEvent::Gone { peer, .. }) => drop(roster.remove(&peer.id)),
                _ => {}
            }
        }
        roster.into_values().collect()
    }

    pub fn verified(&self, at: usize) -> usize {
        self.roster(at)
            .values()
            .filter(|state| **state == PeerState::Verified)
            .count()
    }

    /// Whether all remaining tabs have verified each other.
    pub fn is_full_mesh(&self) -> bool {
        let alive: Vec<usize> = (0..self.nodes.len())
            .filter(|at| !self.nodes[*at].gone)
            .collect();
        alive.iter().all(|at| self.verified(*at) == alive.len() - 1)
    }

    /// The messages of others that `at` received: (sender, text).
    pub fn heard(&self, at: usize) -> Vec<(String, String)> {
        let said = self.nodes[at]
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Chat(ChatEvent::Message(message)) if message.peer.is_some() => {
                    Some((message.sender.clone(), message.text.clone()))
                }
                _ => None,
            });
        said.collect()
    }

    pub fn status(&self, at: usize) -> Option<Status> {
        self.nodes[at]
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Status(status) => Some(*status),
                _ => None,
            })
    }

    /// Whether nobody else is connected to `at`, and others are looked for.
    pub fn is_looking(&self, at: usize) -> bool {
        matches!(self.status(at), Some(Status::Looking { .. }))
    }

    pub fn dropped(&self, at: usize, reason: &str) -> u64 {
        let diagnostics = self.nodes[at].room.diagnostics();
        diagnostics
            .dropped
            .iter()
            .find(|(words, _)| *words == reason)
            .map_or(0, |(_, count)| *count)
    }
}
