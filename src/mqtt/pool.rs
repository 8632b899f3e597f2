//! Decides which broker to try next, and when.

use core::time::Duration;

use crate::time::Millis;

/// Time limit of an attempt in the first round, from opening the connection to CONNACK. Later rounds have a higher limit,
/// for slow networks.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Upper bound of the time limit in later rounds, as a multiple of [`CONNECT_TIMEOUT`].
const MAX_TIMEOUT_FACTOR: u32 = 4;

/// Time limit of an attempt to replace a connection that does not answer. TCP repeats a lost SYN after one second and then
/// after two more, so a new attempt is worth more than patience.
const REPLACEMENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Upper bound of the random pause after the first failed round. It doubles with every further failed round.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// Upper bound of the pause in the first [`QUICK_ROUNDS`], so that people meet soon after a broker is back …
const QUICK_BACKOFF: Duration = Duration::from_secs(4);

/// … which are about ten minutes at a broker that refuses connections at once, …
const QUICK_ROUNDS: u32 = 300;

/// … and in further rounds, or where a broker has refused the subscription.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// A connection counts as good if it lasted longer than this, and as a failed attempt otherwise. It must be longer than the
/// 10 s after which a missing SUBACK ends a connection.
const GOOD_CONNECTION: Duration = Duration::from_secs(30);

/// Lower bound of the random pause before more preferred brokers are probed.
const MIN_PROBE_PAUSE: Duration = Duration::from_secs(90);

/// Time for which a broker that refused a subscription is not probed. The switch to it costs the connection to the other
/// one, but its owner may have changed its rules.
const REFUSAL_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Range of that random pause, so that not all clients probe at the same time.
const PROBE_SPREAD: Duration = Duration::from_secs(60);

/// Brokers in order of preference, and the state that decides which of them to try, and when.
///
/// A pool has no connections and no clock: its caller reports the outcome of attempts and the current time. The rules:
///
/// - Brokers are tried in order of preference, without a pause in between. After a round in which all of them failed, there
///   is a random pause of up to 1 s, then 2 s, then 4 s, and after about ten minutes up to 30 s.
/// - A connection is good if it lasted for more than 30 s after CONNACK. When a good connection is lost, a new round begins
///   at once. It tries the same broker first, then the others.
/// - A connection that lasted for 30 s or less is a failed attempt of the current round, whether the broker closed it,
///   refused the subscription, or did not acknowledge it. The next broker of the round is tried.
/// - If an attempt may have failed because requests were sent before CONNACK, it is repeated at once without early requests.
///   Later attempts at this broker do not use them either.
/// - A connection that does not answer is replaced by another one to the same broker ([`replacement`](Pool::replacement)).
///   For the rules above, it is the same connection.
/// - While a less preferred broker is connected, the more preferred ones are tried every 90 to 150 s on a second connection
///   ([`probe`](Pool::probe)). One that has refused a subscription is left alone for 30 minutes.
///
/// Brokers are deliberately not raced against each other. The nearest broker wins a race, which is a different one for each
/// client, and clients on different brokers do not meet. With an order of preference, all clients end up on the same broker.
#[derive(Debug, Clone)]
pub struct Pool {
    /// For each broker, whether requests may be sent to it before CONNACK.
    early_requests: Vec<bool>,
    /// The order of the current round, as indices of brokers.
    order: Vec<usize>,
    /// The index in `order` of the current attempt or connection.
    position: usize,
    failed_rounds: u32,
    /// For each broker, until when it is not probed, because it has refused a subscription.
    refused_until: Vec<Millis>,
    /// Whether a broker has refused a subscription in this round.
    refused: bool,
    /// Whether one has in the round before, in which all brokers have failed.
    refused_before: bool,
    attempt_at: Millis,
    connected_since: Option<Millis>,
    /// When the next more preferred broker is probed, and which one that is.
    probe: Option<(Millis, usize)>,
    random: SplitMix64,
}

/// An attempt to connect: which broker to try, when, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The index of the broker.
    pub broker: usize,
    /// The earliest time at which the attempt may begin.
    pub at: Millis,
    /// Time limit for receiving CONNACK.
    pub timeout: Duration,
    /// Whether requests may be sent before CONNACK.
    pub early_requests: bool,
}

impl Pool {
    /// A pool of as many brokers as `early_requests` has elements, the most preferred first. Each element says whether
    /// requests may be sent to that broker before CONNACK. `seed` determines the jitter. Returns `None` if there are no
    /// brokers.
    pub fn new(early_requests: Vec<bool>, seed: u64) -> Option<Pool> {
        (!early_requests.is_empty()).then(|| Pool::of(early_requests, seed))
    }

    /// A pool of brokers, at least one.
    pub(super) fn of(early_requests: Vec<bool>, seed: u64) -> Pool {
        Pool {
            order: (0..early_requests.len()).collect(),
            refused_until: vec![Millis(0); early_requests.len()],
            refused: false,
            refused_before: false,
            early_requests,
            position: 0,
            failed_rounds: 0,
            attempt_at: Millis(0),
            connected_since: None,
            probe: None,
            random: SplitMix64(seed),
        }
    }

    /// The index of the broker that is tried next, is being tried, or is connected.
    pub fn broker(&self) -> usize {
        self.order.get(self.position).copied().unwrap_or_default()
    }

    /// The next attempt. While there is a connection, the attempt that led to it.
    pub fn attempt(&self) -> ConnectAttempt {
        self.attempt_at_broker(self.broker(), self.attempt_at)
    }

    /// Records that the broker of the current attempt has accepted the connection.
    pub fn connected(&mut self, now: Millis) {
        self.connected_since = Some(now);
        self.schedule_probe(now);
    }

    /// Records that the current broker has refused a subscription. [`failed`](Pool::failed) follows.
    pub fn refused(&mut self, now: Millis) {
        let broker = self.broker();
        if let Some(until) = self.refused_until.get_mut(broker) {
            *until = now + REFUSAL_PAUSE;
        }
        self.refused = true;
    }

    /// Whether all brokers have failed in the last round, and at least one of them because it refused a subscription.
    pub fn is_refused(&self) -> bool {
        self.refused_before
    }

    /// Records that the current attempt has failed, or that the connection is lost. `suspects_early_requests` says that
    /// requests which were sent before CONNACK may be the reason.
    pub fn failed(&mut self, now: Millis, suspects_early_requests: bool) {
        self.probe = None;
        self.attempt_at = now;
        let lasted = self.connected_since.take().map(|since| now.since(since));
        let broker = self.broker();
        if lasted.is_some_and(|lasted| lasted > GOOD_CONNECTION) {
            self.failed_rounds = 0;
            (self.refused, self.refused_before) = (false, false);
            self.begin_round(&[broker]);
            return;
        }
        if let Some(early_requests) = self.early_requests.get_mut(broker)
            && suspects_early_requests
            && *early_requests
        {
            *early_requests = false;
            return;
        }
        self.position += 1;
        if self.position >= self.order.len() {
            self.begin_round(&[]);
            self.refused_before = core::mem::take(&mut self.refused);
            self.attempt_at = now + self.backoff();
            self.failed_rounds = self.failed_rounds.saturating_add(1);
        }
    }

    /// Records that the connection was closed by this client, which is neither a failure nor a success.
    pub fn closed(&mut self, now: Millis) {
        self.probe = None;
        self.attempt_at = now;
        if self.connected_since.take().is_some() {
            self.begin_round(&[self.broker()]);
        }
    }

    /// Ends the current pause, and the pause before the next probe.
    pub fn retry_now(&mut self, now: Millis) {
        self.attempt_at = self.attempt_at.min(now);
        if let Some((at, broker)) = &mut self.probe {
            let until = self.refused_until.get(*broker).copied();
            *at = now.max(until.unwrap_or(now)).min(*at);
        }
    }

    /// The next attempt at a more preferred broker, while a less preferred one is connected.
    pub fn probe(&self) -> Option<ConnectAttempt> {
        self.probe
            .map(|(at, broker)| self.attempt_at_broker(broker, at))
    }

    /// Records that the probed broker did not accept the connection. The next one that is preferred to the current broker is
    /// probed at once. After the last one, there is a pause before the first one is probed again.
    pub fn probe_failed(&mut self, now: Millis) {
        if let Some((_, broker)) = self.probe {
            let next = self.next_probe(broker + 1, now);
            match next.filter(|(at, _)| *at <= now) {
                Some(next) => self.probe = Some(next),
                None => self.schedule_probe(now),
            }
        }
    }

    /// Records that the probed broker has accepted the connection, and makes it the current broker. If its connection does
    /// not last, the previous broker is tried next.
    pub fn probe_connected(&mut self, now: Millis) {
        if let Some((_, broker)) = self.probe {
            self.begin_round(&[broker, self.broker()]);
            self.connected(now);
        }
    }

    /// An attempt to replace the current connection by another one to the same broker, which may succeed where the broker
    /// does not answer any more because our network has changed.
    pub fn replacement(&self, now: Millis) -> ConnectAttempt {
        ConnectAttempt {
            timeout: REPLACEMENT_TIMEOUT,
            ..self.attempt_at_broker(self.broker(), now)
        }
    }

    /// Begins a new round: the brokers in `first`, then the others in order of preference.
    fn begin_round(&mut self, first: &[usize]) {
        let others = (0..self.early_requests.len()).filter(|other| !first.contains(other));
        self.order = first.iter().copied().chain(others).collect();
        self.position = 0;
    }

    /// Schedules a probe of the more preferred brokers, if there are any.
    fn schedule_probe(&mut self, now: Millis) {
        let at = now + self.probe_pause();
        self.probe = self.next_probe(0, at);
    }

    /// The next more preferred broker to probe, from the index `first` on, and when: at `at` if it has not refused.
    fn next_probe(&self, first: usize, at: Millis) -> Option<(Millis, usize)> {
        (first..self.broker())
            .zip(self.refused_until.iter().skip(first))
            .map(|(broker, until)| (at.max(*until), broker))
            .min()
    }

    fn attempt_at_broker(&self, broker: usize, at: Millis) -> ConnectAttempt {
        ConnectAttempt {
            broker,
            at,
            timeout: CONNECT_TIMEOUT * self.failed_rounds.saturating_add(1).min(MAX_TIMEOUT_FACTOR),
            early_requests: self.early_requests.get(broker).copied().unwrap_or(false),
        }
    }

    fn backoff(&mut self) -> Duration {
        let most = if self.refused_before || self.failed_rounds >= QUICK_ROUNDS {
            MAX_BACKOFF
        } else {
            QUICK_BACKOFF
        };
        let longest = FIRST_BACKOFF
            .saturating_mul(1 << self.failed_rounds.min(10))
            .min(most);
        self.random.up_to(longest)
    }

    fn probe_pause(&mut self) -> Duration {
        MIN_PROBE_PAUSE + self.random.up_to(PROBE_SPREAD)
    }
}

/// A small random number generator (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014). It is not
/// cryptographically secure, which jitter does not require.
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

    /// A random duration of at most `longest`, in whole milliseconds.
    fn up_to(&mut self, longest: Duration) -> Duration {
        let millis = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(self.next() % (millis + 1))
    }
}
