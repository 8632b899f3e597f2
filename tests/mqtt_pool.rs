//! The order and the times in which brokers are tried, under virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use rtchat::mqtt::Pool;
use rtchat::time::Millis;

const START: Millis = Millis(1_000_000);

fn pool(brokers: usize) -> Pool {
    Pool::new(vec![true; brokers], 7).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fails a whole round, and returns the pause after it.
fn fail_round(pool: &mut Pool, brokers: usize) -> Duration {
    let now = pool.attempt().at;
    for _ in 0..brokers {
        assert!(pool.attempt().at <= now, "no pause within a round");
        pool.failed(now, false);
    }
    pool.attempt().at.since(now)
}

#[test]
fn pool_needs_at_least_one_broker() {
    assert!(Pool::new(Vec::new(), 1).is_none());
}

#[test]
fn brokers_are_tried_in_order_without_pauses() {
    let mut pool = pool(3);
    for broker in 0..3 {
        let attempt = pool.attempt();
        assert_eq!(attempt.broker, broker);
        assert!(attempt.at <= START && attempt.early_requests);
        assert_eq!(attempt.timeout, seconds(4));
        pool.failed(START, false);
    }
    assert_eq!(
        pool.attempt().broker,
        0,
        "the next round begins with the first"
    );
    assert!(pool.attempt().at <= START + seconds(1));
    assert_eq!(
        pool.attempt().timeout,
        seconds(8),
        "the next round has a higher limit"
    );
}

#[test]
fn broker_of_a_good_connection_is_retried_first_and_back_off_is_reset() {
    let mut pool = pool(3);
    for _ in 0..5 {
        fail_round(&mut pool, 3);
    }
    let start = pool.attempt().at;
    pool.failed(start, false);
    pool.failed(start, false);
    assert_eq!(pool.broker(), 2);
    pool.connected(start);
    let lost = start + seconds(31);
    pool.failed(lost, false);
    for broker in [2, 0, 1] {
        assert_eq!((pool.attempt().broker, pool.attempt().at), (broker, lost));
        pool.failed(lost, false);
    }
    assert!(
        pool.attempt().at <= lost + seconds(1),
        "the back-off starts again"
    );
}

#[test]
fn broker_that_accepts_and_closes_is_retried_with_back_off() {
    let mut pool = pool(1);
    let mut now = START;
    let mut longest = Duration::ZERO;
    for _ in 0..20 {
        now = now.max(pool.attempt().at);
        pool.connected(now);
        now = now + seconds(1);
        pool.failed(now, false);
        longest = longest.max(pool.attempt().at.since(now));
    }
    assert!(longest > seconds(3), "{longest:?}");
}

/// Connects at each attempt for the time `lasted`, and returns the brokers that were tried, with the times.
fn accept_and_drop(pool: &mut Pool, attempts: usize, lasted: Duration) -> Vec<(usize, Millis)> {
    let mut now = START;
    (0..attempts)
        .map(|_| {
            let attempt = pool.attempt();
            now = now.max(attempt.at);
            pool.connected(now);
            let tried = (attempt.broker, now);
            now = now + lasted;
            pool.failed(now, false);
            tried
        })
        .collect()
}

#[test]
fn short_connection_is_a_failed_attempt_of_the_round() {
    for lasted in [Duration::from_millis(50), seconds(10), seconds(30)] {
        let mut pool = pool(3);
        let tried = accept_and_drop(&mut pool, 21, lasted);
        let brokers: Vec<usize> = tried.iter().map(|(broker, _)| *broker).collect();
        assert_eq!(brokers, [0, 1, 2].repeat(7), "after {lasted:?} each");
        let rounds = |round: usize| tried[3 * round].1;
        for round in 0..7 {
            assert_eq!(
                tried[3 * round + 2].1,
                rounds(round) + lasted * 2,
                "no pause within a round"
            );
        }
        let took = rounds(6).since(rounds(0)) - lasted * 18;
        assert!(took > seconds(5), "pauses grow: {took:?} in 6 rounds");
    }
}

#[test]
fn refused_attempt_and_short_connection_belong_to_one_round() {
    let mut pool = pool(3);
    pool.failed(START, false);
    pool.connected(START);
    pool.failed(START, false);
    assert_eq!((pool.attempt().broker, pool.attempt().at), (2, START));
    pool.connected(START);
    let lost = START + seconds(31);
    pool.failed(lost, false);
    for broker in [2, 0, 1] {
        assert_eq!((pool.attempt().broker, pool.attempt().at), (broker, lost));
        pool.failed(lost, false);
    }
}

#[test]
fn previous_broker_is_tried_next_after_a_failed_switch() {
    let mut pool = pool(4);
    pool.failed(START, false);
    pool.failed(START, false);
    pool.connected(START);
    let probe = pool.probe().unwrap();
    pool.probe_connected(probe.at);
    assert_eq!(pool.broker(), 0);
    for broker in [2, 1, 3] {
        pool.failed(probe.at, false);
        assert_eq!(
            (pool.attempt().broker, pool.attempt().at),
            (broker, probe.at)
        );
    }
    pool.failed(probe.at, false);
    assert_eq!(
        pool.attempt().broker,
        0,
        "the next round begins with the first"
    );
}

#[test]
fn closing_the_connection_begins_a_new_round() {
    let mut pool = pool(3);
    pool.failed(START, false);
    pool.connected(START);
    pool.closed(START);
    for broker in [1, 0, 2] {
        assert_eq!((pool.attempt().broker, pool.attempt().at), (broker, START));
        pool.failed(START, false);
    }
}

#[test]
fn suspected_early_requests_are_left_out_of_an_immediate_retry() {
    let mut pool = pool(2);
    pool.failed(START, true);
    let attempt = pool.attempt();
    assert_eq!(
        (attempt.broker, attempt.at, attempt.early_requests),
        (0, START, false)
    );
    pool.failed(START, true);
    assert_eq!(
        pool.attempt().broker,
        1,
        "early requests were not the reason"
    );
    assert!(
        pool.attempt().early_requests,
        "other brokers are not affected"
    );
    pool.failed(START, false);
    assert!(
        !pool.attempt().early_requests,
        "this is remembered for the broker"
    );
}

#[test]
fn preferred_brokers_are_probed_in_order() {
    let mut pool = pool(3);
    pool.failed(START, false);
    pool.failed(START, false);
    pool.connected(START);
    assert_eq!(pool.broker(), 2);

    let first = pool.probe().unwrap();
    assert_eq!(first.broker, 0);
    assert!(
        (seconds(90)..=seconds(150)).contains(&first.at.since(START)),
        "{:?}",
        first.at.since(START)
    );
    pool.probe_failed(first.at);
    assert_eq!(
        pool.probe().map(|probe| (probe.broker, probe.at)),
        Some((1, first.at))
    );
    pool.probe_failed(first.at);
    let second = pool.probe().unwrap();
    assert_eq!(second.broker, 0);
    assert!((seconds(90)..=seconds(150)).contains(&second.at.since(first.at)));

    pool.probe_failed(second.at);
    pool.probe_connected(second.at);
    assert_eq!(pool.broker(), 1);
    assert_eq!(
        pool.probe().map(|probe| probe.broker),
        Some(0),
        "a more preferred broker remains"
    );

    let third = pool.probe().unwrap();
    pool.probe_connected(third.at);
    assert_eq!((pool.broker(), pool.probe()), (0, None));
    let lost = third.at + seconds(3600);
    pool.failed(lost, false);
    assert_eq!((pool.attempt().broker, pool.attempt().at), (0, lost));
}

#[test]
fn losing_the_connection_ends_probing() {
    let mut pool = pool(2);
    pool.failed(START, false);
    pool.connected(START);
    assert!(pool.probe().is_some());
    pool.failed(START + seconds(60), false);
    assert_eq!(pool.probe(), None);
}

#[test]
fn retry_now_ends_pauses() {
    let mut pool = pool(2);
    for _ in 0..6 {
        fail_round(&mut pool, 2);
    }
    let mut now = START;
    while pool.attempt().at <= now + seconds(1) {
        now = now.max(pool.attempt().at);
        fail_round(&mut pool, 2);
    }
    pool.retry_now(now);
    assert_eq!(pool.attempt().at, now);

    pool.failed(now, false);
    pool.connected(now);
    pool.retry_now(now + seconds(5));
    assert_eq!(pool.probe().map(|probe| probe.at), Some(now + seconds(5)));
}

#[test]
fn a_broker_that_refuses_the_subscription_is_not_probed_for_half_an_hour() {
    let mut pool = pool(3);
    pool.connected(START);
    pool.refused(START);
    pool.failed(START, false);
    assert!(!pool.is_refused(), "there are others");
    pool.failed(START, false);
    pool.connected(START);
    assert_eq!(pool.broker(), 2);
    let mut now = START;
    while now < START + seconds(25 * 60) {
        pool.retry_now(now);
        let probe = pool.probe().unwrap();
        assert_eq!(probe.broker, 1);
        now = now.max(probe.at);
        pool.probe_failed(now);
        assert!(pool.probe().unwrap().at > now, "a pause follows");
        now = now + seconds(60);
    }
    pool.probe_failed(START + seconds(31 * 60));
    assert_eq!(
        pool.probe().unwrap().broker,
        0,
        "its rules may have changed"
    );
}

#[test]
fn a_round_in_which_a_broker_refused_is_remembered_until_the_next_one_is_over() {
    let mut pool = pool(2);
    pool.refused(START);
    pool.failed(START, false);
    pool.failed(START, false);
    assert!(pool.is_refused());
    pool.failed(START, false);
    assert!(pool.is_refused());
    pool.failed(START, false);
    assert!(!pool.is_refused());
}

#[test]
fn pauses_have_full_jitter() {
    let pauses: BTreeSet<Duration> = (0..100)
        .map(|seed| {
            let mut pool = Pool::new(vec![true], seed).unwrap();
            (0..6).map(|_| fail_round(&mut pool, 1)).last().unwrap()
        })
        .collect();
    assert!(pauses.len() > 90, "{}", pauses.len());
    assert!(
        pauses.first().unwrap() < &Duration::from_millis(400)
            && pauses.last().unwrap() > &Duration::from_millis(3_600),
        "pauses cover the whole range"
    );
}

#[test]
fn a_broker_that_stays_away_is_tried_every_few_seconds_and_rarely_after_ten_minutes() {
    let mut pool = pool(1);
    let quick: Vec<Duration> = (0..300).map(|_| fail_round(&mut pool, 1)).collect();
    assert!(quick.iter().all(|pause| *pause <= seconds(4)));
    let took: Duration = quick.iter().sum();
    assert!((seconds(480)..seconds(720)).contains(&took), "{took:?}");
    let rare = (0..50).map(|_| fail_round(&mut pool, 1)).max().unwrap();
    assert!(rare > seconds(20), "{rare:?}");

    // A broker that refuses the subscription will most likely do so again.
    let mut pool = self::pool(1);
    let refuse = |pool: &mut Pool| {
        pool.refused(START);
        fail_round(pool, 1)
    };
    let rare = (0..50).map(|_| refuse(&mut pool)).max().unwrap();
    assert!(rare > seconds(20), "{rare:?}");
}

proptest! {
    #[test]
    fn pauses_grow_and_have_a_bound(seed: u64, brokers in 1usize..5, rounds in 1u32..40) {
        let mut pool = Pool::new(vec![true; brokers], seed).unwrap();
        for round in 0..rounds {
            let longest = seconds((1u64 << round.min(5)).min(4));
            let pause = fail_round(&mut pool, brokers);
            prop_assert!(pause <= longest, "round {round}: {pause:?}");
            prop_assert!(pool.attempt().timeout <= seconds(16));
        }
    }

    /// The current broker always exists. A probed broker is always preferred to it.
    #[test]
    fn any_sequence_of_calls_keeps_the_pool_consistent(brokers in 1usize..4, steps in prop::collection::vec((0u8..9, 0u64..200_000), 0..200)) {
        let mut pool = pool(brokers);
        let mut now = START;
        for (step, pause) in steps {
            now = now + Duration::from_millis(pause);
            match step {
                0 => pool.connected(now),
                1 => pool.failed(now, false),
                2 => pool.failed(now, true),
                3 => pool.closed(now),
                4 => pool.retry_now(now),
                5 => pool.probe_failed(now),
                6 => pool.probe_connected(now),
                7 => pool.refused(now),
                _ => now = now.max(pool.attempt().at),
            }
            prop_assert!(pool.attempt().broker < brokers);
            prop_assert!(pool.attempt().at <= now + seconds(30));
            if let Some(probe) = pool.probe() {
                prop_assert!(probe.broker < pool.broker() && probe.at <= now + seconds(30 * 60));
            }
        }
    }
}
