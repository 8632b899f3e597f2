//! The event loop on a network in memory, with brokers that the test plays, under virtual time.
#![cfg(not(target_arch = "wasm32"))]

mod mqtt_support;

use std::time::Duration;

use mqtt_support::sim::{Caller, Door, Sim, network, soon};
use mqtt_support::talk::raw_publish;
use rtchat::mqtt::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions,
    Outgoing, Packet, QoS, SkipReason, SubscribeReasonCode, TransportError,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// What the event loop has told.
struct Told(UnboundedReceiver<Result<Event, ConnectionError>>);

impl Told {
    async fn recv(&mut self) -> Option<Result<Event, ConnectionError>> {
        soon(self.0.recv()).await
    }
}

fn client(sim: Sim, urls: &[&str]) -> (AsyncClient, EventLoop<Sim>) {
    let brokers = urls
        .iter()
        .map(|url| MqttOptions::new("me", *url))
        .collect();
    AsyncClient::with_transport(sim, brokers, 10, 1).unwrap()
}

/// Polls for ever, and hands on what is told.
fn run(mut event_loop: EventLoop<Sim>) -> Told {
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move { while tell.send(event_loop.poll().await).is_ok() {} });
    Told(told)
}

async fn connected(told: &mut Told) {
    assert!(matches!(
        told.recv().await,
        Some(Ok(Event::Incoming(Packet::ConnAck(_))))
    ));
}

async fn error(told: &mut Told) -> ConnectionError {
    told.recv().await.unwrap().unwrap_err()
}

async fn message(told: &mut Told) -> String {
    loop {
        if let Event::Incoming(Packet::Publish(publish)) = told.recv().await.unwrap().unwrap() {
            return String::from_utf8(publish.payload.to_vec()).unwrap();
        }
    }
}

/// A client that is connected to its one broker.
async fn on_one() -> (AsyncClient, Door, Told, Caller) {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://one"]);
    let mut told = run(event_loop);
    let mut caller = door.accept("ws://one").await;
    caller.welcome().await;
    connected(&mut told).await;
    (client, door, told, caller)
}

/// Has the second of two brokers be the connected one.
async fn on_the_second(door: &mut Door, told: &mut Told) -> Caller {
    door.knock().await.refuse();
    assert_eq!(
        error(told).await,
        ConnectionError::Transport(TransportError::Unreachable)
    );
    let mut second = door.accept("ws://second").await;
    second.welcome().await;
    connected(told).await;
    second
}

#[tokio::test(start_paused = true)]
async fn what_was_requested_before_leaves_with_connect() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://one"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    client
        .publish("room", QoS::AtMostOnce, false, "hello")
        .await
        .unwrap();
    let mut told = run(event_loop);
    let mut caller = door.accept("ws://one").await;
    let flight = caller.message().await.unwrap();
    assert!(matches!(
        &flight[..],
        [Packet::Connect(_), Packet::Subscribe(_), Packet::Publish(_)]
    ));
    caller.connack(ConnectReturnCode::Success);
    connected(&mut told).await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_closes_on_a_flight_gets_it_slowly() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://one", "ws://two"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    let mut told = run(event_loop);
    let mut caller = door.accept("ws://one").await;
    caller.message().await;
    drop(caller);
    assert!(matches!(
        error(&mut told).await,
        ConnectionError::Transport(_)
    ));

    let knock = door.knock().await;
    assert_eq!(
        (knock.url.as_str(), knock.at),
        ("ws://one", door.now()),
        "at once, and at the same broker"
    );
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    let mut caller = knock.accept();
    assert!(matches!(
        &caller.message().await.unwrap()[..],
        [Packet::Connect(_)]
    ));
    assert_eq!(caller.packet_now(), None);
    caller.connack(ConnectReturnCode::Success);
    assert!(matches!(
        &caller.message().await.unwrap()[..],
        [Packet::Subscribe(_)]
    ));
}

#[tokio::test(start_paused = true)]
async fn brokers_are_tried_in_turn_and_hung_ones_given_up() {
    let (sim, mut door) = network();
    let start = door.now();
    let (_client, event_loop) = client(
        sim,
        &["ws://refuses", "ws://hangs", "ws://silent", "ws://good"],
    );
    let mut told = run(event_loop);
    door.knock().await.refuse();
    assert_eq!(
        error(&mut told).await,
        ConnectionError::Transport(TransportError::Unreachable)
    );
    let _hangs = door.knock().await;
    assert_eq!(error(&mut told).await, ConnectionError::ConnectTimeout);
    let _silent = door.accept("ws://silent").await;
    assert_eq!(error(&mut told).await, ConnectionError::ConnectTimeout);
    let knock = door.knock().await;
    assert_eq!(knock.url, "ws://good");
    let took = knock.at.since(start);
    assert!(
        (Duration::from_secs(8)..Duration::from_millis(8_100)).contains(&took),
        "4 s each: {took:?}"
    );
    knock.accept().welcome().await;
    connected(&mut told).await;
}

#[tokio::test(start_paused = true)]
async fn the_pause_is_told_and_kept_and_can_be_cut_short() {
    let (sim, mut door) = network();
    let (client, mut event_loop) = client(sim, &["ws://one"]);
    let longest = loop {
        assert_eq!(event_loop.retry_in(), Some(Duration::ZERO));
        let (result, ()) = tokio::join!(event_loop.poll(), async { door.knock().await.refuse() });
        assert!(result.is_err());
        let pause = event_loop.retry_in().unwrap();
        if pause > Duration::from_secs(5) {
            break pause;
        }
        tokio::time::sleep(pause).await;
    };
    let start = door.now();
    let (result, ()) = tokio::join!(event_loop.poll(), async {
        let knock = door.knock().await;
        let waited = knock.at.since(start);
        assert!(
            (longest..longest + Duration::from_millis(50)).contains(&waited),
            "{waited:?} of {longest:?}"
        );
        knock.refuse();
    });
    assert!(result.is_err());
    let start = door.now();
    let (result, ()) = tokio::join!(event_loop.poll(), async {
        client.retry_now();
        let knock = door.knock().await;
        assert_eq!(knock.at, start);
        knock.refuse();
    });
    assert!(result.is_err());
}

#[tokio::test(start_paused = true)]
async fn requests_before_an_error_are_dropped() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://one", "ws://two"]);
    client
        .publish("room", QoS::AtMostOnce, false, "before")
        .await
        .unwrap();
    let mut told = run(event_loop);
    door.knock().await.refuse();
    error(&mut told).await;
    let knock = door.knock().await;
    client
        .publish("room", QoS::AtMostOnce, false, "after")
        .await
        .unwrap();
    let flight = knock.accept().message().await.unwrap();
    assert!(
        matches!(&flight[..], [Packet::Connect(_), Packet::Publish(publish)] if &publish.payload[..] == b"after")
    );
}

#[tokio::test(start_paused = true)]
async fn a_preferred_broker_is_taken_when_it_is_back_without_a_gap() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://first", "ws://second"]);
    let mut told = run(event_loop);
    let mut second = on_the_second(&mut door, &mut told).await;
    let connected_at = door.now();

    let probe = tokio::select! {
        probe = door.knock() => probe,
        // Plays the broker meanwhile.
        () = async { loop { if second.packet().await == Some(Packet::PingReq) { second.send(&[0xD0, 0]) } } } => unreachable!(),
    };
    let pause = probe.at.since(connected_at);
    assert!(
        (Duration::from_secs(90)..Duration::from_secs(151)).contains(&pause),
        "{pause:?}"
    );
    assert_eq!(probe.url, "ws://first");
    let mut first = probe.accept();
    first.welcome().await;
    loop {
        match told.recv().await.unwrap().unwrap() {
            Event::Switched { from: 1, to: 0 } => break,
            Event::Outgoing(Outgoing::PingReq) | Event::Incoming(Packet::PingResp) => {}
            event => panic!("{event:?}"),
        }
    }
    connected(&mut told).await;

    second.publish("room", "still on the second");
    assert_eq!(message(&mut told).await, "still on the second");
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    assert!(matches!(first.packet().await, Some(Packet::Subscribe(_))));
    second.publish("room", "until the first has the subscription");
    first.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    assert_eq!(
        message(&mut told).await,
        "until the first has the subscription"
    );
    first.publish("room", "now on the first");
    assert_eq!(message(&mut told).await, "now on the first");
    assert_eq!(second.packet().await, Some(Packet::Disconnect));
    assert_eq!(second.packet().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_preferred_broker_that_stays_away_disturbs_nothing() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://first", "ws://second"]);
    let mut told = run(event_loop);
    let second = on_the_second(&mut door, &mut told).await;
    client.retry_now();
    let probe = door.knock().await;
    assert_eq!(probe.url, "ws://first");
    probe.refuse();
    second.publish("room", "business as usual");
    assert_eq!(message(&mut told).await, "business as usual");
    assert!(door.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn a_silent_broker_is_noticed() {
    let (client, door, mut told, mut caller) = on_one().await;
    let start = door.now();
    assert_eq!(
        told.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::PingReq)))
    );
    assert_eq!(door.now().since(start).as_secs(), 50);
    assert_eq!(caller.packet().await, Some(Packet::PingReq));
    caller.send(&[0xD0, 0]);
    assert_eq!(
        told.recv().await,
        Some(Ok(Event::Incoming(Packet::PingResp)))
    );

    client.retry_now();
    assert_eq!(
        caller.packet().await,
        Some(Packet::PingReq),
        "asked at once when the page is looked at again"
    );
    let start = door.now();
    assert_eq!(
        told.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::PingReq)))
    );
    assert_eq!(error(&mut told).await, ConnectionError::PingTimeout);
    assert_eq!(door.now().since(start).as_secs(), 10);
    assert_eq!(caller.packet().await, None, "and closed");
}

/// A page that was asleep must not take for silence what it has not looked at yet.
#[tokio::test(start_paused = true)]
async fn what_came_in_meanwhile_counts_before_the_clock() {
    let (sim, mut door) = network();
    let (_client, mut event_loop) = client(sim, &["ws://one"]);
    let (connack, caller) = tokio::join!(event_loop.poll(), async {
        let mut caller = door.accept("ws://one").await;
        caller.welcome().await;
        caller
    });
    assert!(matches!(connack, Ok(Event::Incoming(Packet::ConnAck(_)))));
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Outgoing(Outgoing::PingReq))
    );
    caller.send(&[0xD0, 0]);
    tokio::time::advance(Duration::from_secs(300)).await;
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Incoming(Packet::PingResp))
    );
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Outgoing(Outgoing::PingReq))
    );
}

#[tokio::test(start_paused = true)]
async fn farewells() {
    let (client, mut door, mut told, mut caller) = on_one().await;
    client
        .publish("room", QoS::AtMostOnce, false, "bye")
        .await
        .unwrap();
    client.disconnect().await.unwrap();
    assert!(matches!(caller.packet().await, Some(Packet::Publish(_))));
    assert_eq!(caller.packet().await, Some(Packet::Disconnect));
    assert_eq!(caller.packet().await, None);
    assert_eq!(
        told.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::Publish(0))))
    );
    assert_eq!(
        told.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::Disconnect)))
    );
    assert_eq!(error(&mut told).await, ConnectionError::Disconnected);

    // While it is still connecting, there is nobody to say it to.
    let _hangs = door.knock().await;
    client.disconnect().await.unwrap();
    assert_eq!(error(&mut told).await, ConnectionError::Disconnected);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_and_waited_for() {
    let (sim, mut door) = network();
    let (client, event_loop) = client(sim, &["ws://one"]);
    for _ in 0..10 {
        client
            .try_publish("room", QoS::AtMostOnce, false, "x")
            .unwrap();
    }
    assert_eq!(
        client.try_publish("room", QoS::AtMostOnce, false, "x"),
        Err(ClientError::Full)
    );
    let waiting = client.clone();
    let waiting = tokio::spawn(async move {
        waiting
            .publish("room", QoS::AtMostOnce, false, "last")
            .await
    });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    let told = run(event_loop);
    let mut caller = door.accept("ws://one").await;
    waiting.await.unwrap().unwrap();
    caller.welcome().await;
    for _ in 0..11 {
        assert!(matches!(caller.packet().await, Some(Packet::Publish(_))));
    }
    let huge = client.try_publish("room", QoS::AtMostOnce, false, vec![0; 70_000]);
    assert_eq!(
        huge,
        Err(ClientError::TooLarge {
            size: 70_008,
            limit: 65_536
        })
    );
    assert_eq!(
        client.try_subscribe("a/#/b", QoS::AtMostOnce),
        Err(ClientError::InvalidFilter)
    );

    // The event loop ends, and with it all waiting.
    drop(told);
    caller.publish("room", "so that it notices");
    assert_eq!(caller.packet().await, None);
    assert_eq!(
        client.publish("room", QoS::AtMostOnce, false, "x").await,
        Err(ClientError::Closed)
    );
}

#[tokio::test(start_paused = true)]
async fn a_congested_connection_is_not_given_more_and_not_waited_for_in_vain() {
    let (client, _door, mut told, mut caller) = on_one().await;
    caller.congest(true);
    for _ in 0..10 {
        client
            .publish("room", QoS::AtMostOnce, false, "x")
            .await
            .unwrap();
    }
    tokio::task::yield_now().await;
    assert_eq!(
        client.try_publish("room", QoS::AtMostOnce, false, "x"),
        Err(ClientError::Full)
    );
    assert_eq!(caller.packet_now(), None);
    caller.congest(false);
    for _ in 0..10 {
        assert!(matches!(caller.packet().await, Some(Packet::Publish(_))));
        assert_eq!(
            told.recv().await,
            Some(Ok(Event::Outgoing(Outgoing::Publish(0))))
        );
    }
    caller.congest(true);
    assert_eq!(error(&mut told).await, ConnectionError::PingTimeout);
}

/// How a broker of no use behaves, after the WebSocket has opened.
#[derive(Debug, Clone, Copy)]
enum Useless {
    ClosesAfterConnAck,
    ClosesAfterSubAck,
    IgnoresSubscriptions,
    RefusesSubscriptions,
}

impl Useless {
    async fn serve(self, mut caller: Caller) {
        caller.welcome().await;
        if let Useless::ClosesAfterConnAck = self {
            return;
        }
        loop {
            match caller.packet().await {
                Some(Packet::Subscribe(subscribe)) => match self {
                    Useless::IgnoresSubscriptions => {}
                    Useless::RefusesSubscriptions => {
                        caller.suback(subscribe.pkid, SubscribeReasonCode::Failure);
                    }
                    _ => {
                        let granted = SubscribeReasonCode::Success(QoS::AtMostOnce);
                        return caller.suback(subscribe.pkid, granted);
                    }
                },
                Some(_) => {}
                None => return,
            }
        }
    }
}

/// Polls for ever, and subscribes before each attempt.
fn run_subscribed(client: AsyncClient, mut event_loop: EventLoop<Sim>) -> Told {
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut subscribe = true;
        loop {
            if subscribe {
                client.try_subscribe("room", QoS::AtMostOnce).unwrap();
            }
            let event = event_loop.poll().await;
            subscribe = event.is_err();
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    Told(told)
}

async fn last_of_three_is_reached(useless: Useless, within: Duration) {
    let (sim, mut door) = network();
    let start = door.now();
    let (client, event_loop) = client(sim, &["ws://one", "ws://two", "ws://three"]);
    let mut told = run_subscribed(client, event_loop);
    let mut tried = Vec::new();
    let mut third = loop {
        let knock = door.knock().await;
        if knock.url == "ws://three" {
            break knock.accept();
        }
        tried.push(knock.url.clone());
        assert!(tried.len() <= 4, "{useless:?}: tried {tried:?}");
        tokio::spawn(useless.serve(knock.accept()));
    };
    tried.dedup();
    assert_eq!(tried, ["ws://one", "ws://two"], "{useless:?}");
    let took = door.now().since(start);
    assert!(took <= within, "{useless:?}: {took:?}");
    third.welcome().await;
    third.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    third.publish("room", "hello");
    loop {
        if let Ok(Event::Incoming(Packet::Publish(_))) = told.recv().await.unwrap() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn brokers_that_accept_and_close_are_left_for_the_next() {
    last_of_three_is_reached(Useless::ClosesAfterConnAck, Duration::from_millis(100)).await;
    last_of_three_is_reached(Useless::ClosesAfterSubAck, Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn brokers_that_acknowledge_no_subscription_are_left_for_the_next() {
    // 10 s each with and without early requests.
    last_of_three_is_reached(Useless::IgnoresSubscriptions, Duration::from_millis(40_100)).await;
}

#[tokio::test(start_paused = true)]
async fn brokers_that_refuse_the_subscription_are_left_for_the_next() {
    last_of_three_is_reached(Useless::RefusesSubscriptions, Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_subscription_is_an_error_and_tried_again_ever_less_often() {
    let (sim, mut door) = network();
    let clock = tokio::time::Instant::now();
    let (client, event_loop) = client(sim, &["ws://one"]);
    let mut told = run_subscribed(client, event_loop);
    tokio::spawn(async move {
        loop {
            tokio::spawn(Useless::RefusesSubscriptions.serve(door.knock().await.accept()));
        }
    });
    let mut errors = Vec::new();
    while errors.len() < 10 {
        if let Err(error) = told.recv().await.unwrap() {
            errors.push(error);
        }
    }
    assert_eq!(errors[0], ConnectionError::FlightRefused);
    assert!(
        errors[1..]
            .iter()
            .all(|error| *error == ConnectionError::SubscriptionRefused)
    );
    assert_eq!(
        errors[1].to_string(),
        "The broker does not allow the subscription."
    );
    let took = clock.elapsed();
    assert!(took > Duration::from_secs(20), "{took:?}");
}

/// Otherwise what others publish would pile up in front of it.
#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_send_still_receives() {
    let (client, _door, mut told, mut caller) = on_one().await;
    caller.congest(true);
    client
        .try_publish("room", QoS::AtMostOnce, false, "waits")
        .unwrap();
    for payload in ["one", "two"] {
        caller.publish("room", payload);
        assert_eq!(message(&mut told).await, payload);
    }
    assert_eq!(caller.packet_now(), None);
    caller.congest(false);
    assert!(matches!(caller.packet().await, Some(Packet::Publish(_))));
}

#[tokio::test(start_paused = true)]
async fn skipped_messages_are_told_and_end_no_connection() {
    let (_client, mut door, mut told, caller) = on_one().await;
    let oversized = raw_publish(0, &[0; 70_000]);
    for chunk in oversized.chunks(16_384) {
        caller.send(chunk);
    }
    caller.send(&raw_publish(1, b"\0\x04roomretained"));
    caller.send(&raw_publish(0, b"\0\x01#malformed"));
    caller.publish("room", "sound");
    for reason in [
        SkipReason::TooLarge,
        SkipReason::Retained,
        SkipReason::Malformed,
    ] {
        assert_eq!(told.recv().await, Some(Ok(Event::Skipped(reason))));
    }
    assert_eq!(message(&mut told).await, "sound");
    assert!(door.is_quiet());
}

#[tokio::test(start_paused = true)]
async fn polling_may_be_given_up_at_any_time() {
    let (sim, mut door) = network();
    let (client, mut event_loop) = client(sim, &["ws://one"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    async fn give_up(event_loop: &mut EventLoop<Sim>) {
        let given_up = tokio::time::timeout(Duration::from_millis(1), event_loop.poll()).await;
        assert!(given_up.is_err());
    }
    give_up(&mut event_loop).await;
    let mut caller = door.accept("ws://one").await;
    give_up(&mut event_loop).await;
    caller.welcome().await;
    assert!(matches!(caller.packet().await, Some(Packet::Subscribe(_))));
    assert!(matches!(
        event_loop.poll().await,
        Ok(Event::Incoming(Packet::ConnAck(_)))
    ));
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Outgoing(Outgoing::Subscribe(1)))
    );
    give_up(&mut event_loop).await;
    caller.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    assert!(matches!(
        event_loop.poll().await,
        Ok(Event::Incoming(Packet::SubAck(_)))
    ));
    assert!(door.is_quiet(), "one connection was enough");
}

#[test]
fn no_brokers_no_client() {
    let (sim, _door) = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async { network() });
    assert_eq!(
        AsyncClient::with_transport(sim, Vec::new(), 10, 1).err(),
        Some(ClientError::NoBroker)
    );
}
