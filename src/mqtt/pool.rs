//! Which broker is tried next, and when.

use core::time::Duration;

use crate::time::Millis;

/// How long an attempt may take in the first round, from opening the connection to CONNACK; longer in later rounds, for
/// networks on which everything takes long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// How many times [`CONNECT_TIMEOUT`] an attempt may take at most.
const MAX_PATIENCE: u32 = 4;

/// The longest pause after the first round in which no broker answered; it doubles with every further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// The longest pause of all.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// A connection that lasted longer than this was a good one: the attempts that failed before it are forgotten. A shorter
/// one counts as a failed attempt. It is well above the 10 s after which a missing SUBACK ends a connection.
const GOOD_CONNECTION: Duration = Duration::from_secs(30);

/// How long to stay with a less preferred broker before looking whether a preferred one is back: from this …
const MIN_PROBE_PAUSE: Duration = Duration::from_secs(90);

/// … to this plus the above, so that not all clients look at once.
const PROBE_SPREAD: Duration = Duration::from_secs(60);

/// Several brokers in order of preference: which one is to be tried, and when.
///
/// It holds no connections and no clock; whoever drives it says how attempts ended and what time it is. The rules:
///
/// - Brokers are tried in order, without a pause in between. Only after a whole round has failed comes a pause: full jitter
///   up to 1 s, 2 s, 4 s … 30 s.
/// - A connection that lasted more than 30 s, from CONNACK on, is a good one. When it is lost, a new round begins: its broker
///   is tried first, at once, then the others in order. A shorter connection is a failed attempt of the current round:
///   whatever made it end (the broker closed it, refused the subscription, or did not acknowledge it), the next broker is
///   tried.
/// - An attempt that may have failed because requests were sent before CONNACK is repeated at once without that, and
///   later attempts at this broker remember it.
/// - While connected to a less preferred broker, the more preferred ones are tried about every two minutes on a second
///   connection ([`probe`](Pool::probe)).
///
/// Brokers are deliberately never raced against each other. A race is won by whichever broker is nearer, and that differs
/// from one client to the next; clients on different brokers do not meet. In order of preference, all end on the same one.
#[derive(Debug, Clone)]
pub struct Pool {
    /// For each broker, whether it takes requests before CONNACK.
    one_flight: Vec<bool>,
    /// The order of the current round, as places in the list.
    order: Vec<usize>,
    /// Where in `order` the current attempt or connection is.
    position: usize,
    failed_rounds: u32,
    attempt_at: Millis,
    connected_since: Option<Millis>,
    /// When the more preferred brokers are tried, and from which one on.
    probe: Option<(Millis, usize)>,
    random: SplitMix64,
}

/// What to do next: which broker to try, when, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The broker's place in the list.
    pub broker: usize,
    /// Not before this.
    pub at: Millis,
    /// How long it may take until CONNACK has come.
    pub timeout: Duration,
    /// Whether requests may be sent before CONNACK.
    pub one_flight: bool,
}

impl Pool {
    /// As many brokers as `one_flight` has elements, the most preferred first; each element says whether requests may at
    /// first be sent to it before CONNACK. `seed` decides the jitter. `None` if there are no brokers.
    pub fn new(one_flight: Vec<bool>, seed: u64) -> Option<Pool> {
        (!one_flight.is_empty()).then(|| Pool::of(one_flight, seed))
    }

    /// The same for a list that is known not to be empty.
    pub(super) fn of(one_flight: Vec<bool>, seed: u64) -> Pool {
        Pool {
            order: (0..one_flight.len()).collect(),
            one_flight,
            position: 0,
            failed_rounds: 0,
            attempt_at: Millis(0),
            connected_since: None,
            probe: None,
            random: SplitMix64(seed),
        }
    }

    /// The broker that is being tried or connected to.
    pub fn broker(&self) -> usize {
        self.order.get(self.position).copied().unwrap_or_default()
    }

    /// The next attempt (or, while connected, the one that led here).
    pub fn attempt(&self) -> Attempt {
        self.attempt_at_broker(self.broker(), self.attempt_at)
    }

    /// The current attempt has led to a connection.
    pub fn connected(&mut self, now: Millis) {
        self.connected_since = Some(now);
        self.schedule_probe(now);
    }

    /// The current attempt has failed, or the connection is lost. `suspects_flight` says that requests which were sent
    /// before CONNACK may be the reason.
    pub fn failed(&mut self, now: Millis, suspects_flight: bool) {
        self.probe = None;
        self.attempt_at = now;
        let lasted = self.connected_since.take().map(|since| now.since(since));
        let broker = self.broker();
        if lasted.is_some_and(|lasted| lasted > GOOD_CONNECTION) {
            self.failed_rounds = 0;
            self.begin_round(&[broker]);
            return;
        }
        if let Some(one_flight) = self.one_flight.get_mut(broker)
            && suspects_flight
            && *one_flight
        {
            *one_flight = false;
            return;
        }
        self.position += 1;
        if self.position >= self.order.len() {
            self.begin_round(&[]);
            self.attempt_at = now + self.backoff();
            self.failed_rounds = self.failed_rounds.saturating_add(1);
        }
    }

    /// The connection was closed on purpose: the next attempt, if any, is not a repetition.
    pub fn closed(&mut self, now: Millis) {
        self.probe = None;
        self.attempt_at = now;
        if self.connected_since.take().is_some() {
            self.begin_round(&[self.broker()]);
        }
    }

    /// Cuts the pause short: the network, or the user, is back.
    pub fn retry_now(&mut self, now: Millis) {
        self.attempt_at = self.attempt_at.min(now);
        if let Some((at, _)) = &mut self.probe {
            *at = now.min(*at);
        }
    }

    /// The next look at a more preferred broker, while connected to a less preferred one.
    pub fn probe(&self) -> Option<Attempt> {
        self.probe
            .map(|(at, broker)| self.attempt_at_broker(broker, at))
    }

    /// The more preferred broker has not answered: the next less preferred one is tried at once, if it is still better than
    /// the current one; else all of them again in a while.
    pub fn probe_failed(&mut self, now: Millis) {
        if let Some((_, broker)) = self.probe {
            self.probe = if broker + 1 < self.broker() {
                Some((now, broker + 1))
            } else {
                Some((now + self.probe_pause(), 0))
            };
        }
    }

    /// The more preferred broker has answered, and is the current one from now on. If its connection does not last, the
    /// former broker is tried next.
    pub fn probe_connected(&mut self, now: Millis) {
        if let Some((_, broker)) = self.probe {
            self.begin_round(&[broker, self.broker()]);
            self.connected(now);
        }
    }

    /// Begins a new round: the brokers in `first`, then the others in order of preference.
    fn begin_round(&mut self, first: &[usize]) {
        let others = (0..self.one_flight.len()).filter(|other| !first.contains(other));
        self.order = first.iter().copied().chain(others).collect();
        self.position = 0;
    }

    /// Has the more preferred brokers tried, if there are any.
    fn schedule_probe(&mut self, now: Millis) {
        self.probe = (self.broker() > 0).then(|| (now + self.probe_pause(), 0));
    }

    fn attempt_at_broker(&self, broker: usize, at: Millis) -> Attempt {
        Attempt {
            broker,
            at,
            timeout: CONNECT_TIMEOUT * self.failed_rounds.saturating_add(1).min(MAX_PATIENCE),
            one_flight: self.one_flight.get(broker).copied().unwrap_or(false),
        }
    }

    fn backoff(&mut self) -> Duration {
        let longest = FIRST_BACKOFF
            .saturating_mul(1 << self.failed_rounds.min(10))
            .min(MAX_BACKOFF);
        self.random.up_to(longest)
    }

    fn probe_pause(&mut self) -> Duration {
        MIN_PROBE_PAUSE + self.random.up_to(PROBE_SPREAD)
    }
}

/// A small generator (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): jitter needs no secrets.
#[derive(Debug, Clone)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Anything from nothing to `longest`, in whole milliseconds.
    fn up_to(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.next() % (millis + 1))
    }
}
