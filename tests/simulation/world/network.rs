//! Networks that change: connections that were made in one lead nowhere in another, and the browser is told nothing.

use std::time::Duration;

use rtchat::time::Millis;

use super::{Task, World};

/// A broker that does not answer a ping within this time is connected to anew.
const BROKER_PATIENCE: u64 = 250;
/// Opening a connection to a broker takes this long, …
const OPENING: u64 = 40;
/// … and TCP tries again after this long.
const TCP_RETRY: u64 = 1000;
/// A connection to a broker that nobody tests is found to be broken after this long.
const KEEP_ALIVE: u64 = 60_000;

/// Addresses that were found in advance are those of a former network for this long: then the browser has asked the STUN
/// server again.
const STALE_FOR: Duration = Duration::from_secs(10);

/// The network that a tab is in.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub number: u32,
    off: bool,
    /// Until when the addresses that were found in advance are those of a former network.
    stale_until: Millis,
    /// Whether the next connection looks for addresses itself.
    anew: bool,
    /// Whether the connection to the broker is broken, without the browser's knowing.
    broker_lost: bool,
    /// Whether another connection to the broker is being opened.
    opening: bool,
    /// How often the connection to the broker was tested.
    tests: usize,
}

impl Network {
    pub fn gather_anew(&mut self) {
        self.anew = true;
        self.stale_until = Millis(0);
    }

    /// The network of the addresses of a connection that is described now; `None` if there is none.
    pub fn addresses(&mut self, now: Millis) -> Option<u32> {
        if !std::mem::take(&mut self.anew) && now < self.stale_until {
            return Some(self.number - 1);
        }
        (!self.off).then_some(self.number)
    }

    pub fn set_off(&mut self, off: bool) {
        self.off = off;
    }

    pub fn is_off(&self) -> bool {
        self.off
    }

    pub fn has_lost_broker(&self) -> bool {
        self.broker_lost || self.off
    }
}

impl World {
    /// The tab's network goes away. What is sent may still arrive if it comes back as it was.
    pub fn lose_network(&mut self, at: usize) {
        self.nodes[at].network.off = true;
        self.nodes[at].subscribed = false;
    }

    /// The tab's public address changes, or it comes back in another network. Its connection to the broker stays only if
    /// that is in the same network, as where a router forgets nothing but mappings of UDP.
    pub fn change_network(&mut self, at: usize, keeps_broker: bool) {
        let network = &mut self.nodes[at].network;
        network.off = false;
        network.number += 1;
        network.stale_until = self.now + STALE_FOR;
        network.broker_lost = !keeps_broker;
        self.nodes[at].subscribed = keeps_broker;
        self.schedule(KEEP_ALIVE, Task::ReplaceBroker(at));
        self.release_held();
    }

    pub(super) fn test_broker(&mut self, at: usize) {
        let network = &mut self.nodes[at].network;
        network.tests += 1;
        if network.has_lost_broker() && !std::mem::replace(&mut network.opening, true) {
            self.schedule(BROKER_PATIENCE + OPENING, Task::ReplaceBroker(at));
        }
    }

    /// How often a tab has tested its connection to the broker.
    pub fn broker_tests(&self, at: usize) -> usize {
        self.nodes[at].network.tests
    }

    pub(super) fn replace_broker(&mut self, at: usize) {
        let network = &mut self.nodes[at].network;
        if !network.has_lost_broker() {
            return;
        }
        if network.off {
            self.schedule(TCP_RETRY, Task::ReplaceBroker(at));
            return;
        }
        (network.opening, network.broker_lost) = (false, false);
        network.stale_until = Millis(0);
        self.connect_broker(at);
    }
}
