//! The event loop with several brokers, some of which do not work, on a simulated network under virtual time.
#![cfg(not(target_arch = "wasm32"))]

mod mqtt_support;

use std::time::Duration;

use mqtt_support::client::{Events, client, run, run_subscribed};
use mqtt_support::sim::{BrokerEnd, SimListener, network};
use rtchat::mqtt::{
    ConnectReturnCode, ConnectionError, Event, Outgoing, Packet, QoS, SubscribeFilter,
    SubscribeReasonCode, TransportError,
};

/// Connects the client to the second of two brokers.
async fn connect_to_second(listener: &mut SimListener, events: &mut Events) -> BrokerEnd {
    listener.next_request().await.refuse();
    assert_eq!(
        events.expect_error().await,
        ConnectionError::Transport(TransportError::Unreachable)
    );
    let mut second = listener.accept("ws://second").await;
    second.accept_connect().await;
    events.expect_connack().await;
    second
}

#[tokio::test(start_paused = true)]
async fn broker_that_closes_on_early_requests_is_retried_without_them() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://one", "ws://two"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    let mut events = run(event_loop);
    let mut broker = listener.accept("ws://one").await;
    broker.message().await;
    drop(broker);
    assert!(matches!(
        events.expect_error().await,
        ConnectionError::Transport(_)
    ));

    let request = listener.next_request().await;
    assert_eq!(
        (request.url.as_str(), request.at),
        ("ws://one", listener.now()),
        "retried at once, at the same broker"
    );
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    let mut broker = request.accept();
    assert!(matches!(
        &broker.message().await.unwrap()[..],
        [Packet::Connect(_)]
    ));
    assert_eq!(broker.try_packet(), None);
    broker.connack(ConnectReturnCode::Success);
    assert!(matches!(
        &broker.message().await.unwrap()[..],
        [Packet::Subscribe(_)]
    ));
}

#[tokio::test(start_paused = true)]
async fn brokers_are_tried_in_order_and_unresponsive_ones_time_out() {
    let (transport, mut listener) = network();
    let start = listener.now();
    let (_client, event_loop) = client(
        transport,
        &["ws://refuses", "ws://hangs", "ws://silent", "ws://good"],
    );
    let mut events = run(event_loop);
    listener.next_request().await.refuse();
    assert_eq!(
        events.expect_error().await,
        ConnectionError::Transport(TransportError::Unreachable)
    );
    let _hangs = listener.next_request().await;
    assert_eq!(events.expect_error().await, ConnectionError::ConnectTimeout);
    let _silent = listener.accept("ws://silent").await;
    assert_eq!(events.expect_error().await, ConnectionError::ConnectTimeout);
    let request = listener.next_request().await;
    assert_eq!(request.url, "ws://good");
    let took = request.at.since(start);
    assert!(
        (Duration::from_secs(8)..Duration::from_millis(8_100)).contains(&took),
        "each attempt has a time limit of 4 s: {took:?}"
    );
    request.accept().accept_connect().await;
    events.expect_connack().await;
}

#[tokio::test(start_paused = true)]
async fn switch_to_preferred_broker_loses_no_messages() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://first", "ws://second"]);
    let mut events = run(event_loop);
    let mut second = connect_to_second(&mut listener, &mut events).await;
    let connected_at = listener.now();

    let probe = tokio::select! {
        probe = listener.next_request() => probe,
        // The second broker answers pings in the meantime.
        () = async { loop { if second.packet().await == Some(Packet::PingReq) { second.send(&[0xD0, 0]) } } } => unreachable!(),
    };
    let pause = probe.at.since(connected_at);
    assert!(
        (Duration::from_secs(90)..Duration::from_secs(151)).contains(&pause),
        "{pause:?}"
    );
    assert_eq!(probe.url, "ws://first");
    let mut first = probe.accept();
    first.accept_connect().await;
    loop {
        match events.recv().await.unwrap().unwrap() {
            Event::Switched { from: 1, to: 0 } => break,
            Event::Outgoing(Outgoing::PingReq) | Event::Incoming(Packet::PingResp) => {}
            event => panic!("{event:?}"),
        }
    }
    events.expect_connack().await;

    second.publish("room", "still on the second");
    assert_eq!(events.next_message().await, "still on the second");
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    assert!(matches!(first.packet().await, Some(Packet::Subscribe(_))));
    second.publish("room", "until the first has the subscription");
    first.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    assert_eq!(
        events.next_message().await,
        "until the first has the subscription"
    );
    first.publish("room", "now on the first");
    assert_eq!(events.next_message().await, "now on the first");
    assert_eq!(second.packet().await, Some(Packet::Disconnect));
    assert_eq!(second.packet().await, None);
}

#[tokio::test(start_paused = true)]
async fn failed_probe_does_not_disturb_the_connection() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://first", "ws://second"]);
    let mut events = run(event_loop);
    let second = connect_to_second(&mut listener, &mut events).await;
    client.retry_now();
    let probe = listener.next_request().await;
    assert_eq!(probe.url, "ws://first");
    probe.refuse();
    second.publish("room", "business as usual");
    assert_eq!(events.next_message().await, "business as usual");
    assert!(listener.has_no_requests());
}

/// The fault of a broker after the WebSocket has been opened.
#[derive(Debug, Clone, Copy)]
enum BadBroker {
    ClosesAfterConnAck,
    ClosesAfterSubAck,
    IgnoresSubscriptions,
    RefusesSubscriptions,
}

impl BadBroker {
    async fn serve(self, mut broker: BrokerEnd) {
        broker.accept_connect().await;
        if let BadBroker::ClosesAfterConnAck = self {
            return;
        }
        loop {
            match broker.packet().await {
                Some(Packet::Subscribe(subscribe)) => match self {
                    BadBroker::IgnoresSubscriptions => {}
                    BadBroker::RefusesSubscriptions => {
                        broker.suback(subscribe.pkid, SubscribeReasonCode::Failure);
                    }
                    _ => {
                        let granted = SubscribeReasonCode::Success(QoS::AtMostOnce);
                        return broker.suback(subscribe.pkid, granted);
                    }
                },
                Some(_) => {}
                None => return,
            }
        }
    }
}

async fn assert_third_broker_is_reached(bad_broker: BadBroker, within: Duration) {
    let (transport, mut listener) = network();
    let start = listener.now();
    let (client, event_loop) = client(transport, &["ws://one", "ws://two", "ws://three"]);
    let mut events = run_subscribed(client, event_loop);
    let mut tried = Vec::new();
    let mut third = loop {
        let request = listener.next_request().await;
        if request.url == "ws://three" {
            break request.accept();
        }
        tried.push(request.url.clone());
        assert!(tried.len() <= 4, "{bad_broker:?}: tried {tried:?}");
        tokio::spawn(bad_broker.serve(request.accept()));
    };
    tried.dedup();
    assert_eq!(tried, ["ws://one", "ws://two"], "{bad_broker:?}");
    let took = listener.now().since(start);
    assert!(took <= within, "{bad_broker:?}: {took:?}");
    third.accept_connect().await;
    third.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    third.publish("room", "hello");
    loop {
        if let Ok(Event::Incoming(Packet::Publish(_))) = events.recv().await.unwrap() {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn next_broker_is_tried_after_one_that_accepts_and_closes() {
    assert_third_broker_is_reached(BadBroker::ClosesAfterConnAck, Duration::from_millis(100)).await;
    assert_third_broker_is_reached(BadBroker::ClosesAfterSubAck, Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn next_broker_is_tried_after_one_that_ignores_subscriptions() {
    // For each broker 10 s with early requests, and 10 s without.
    assert_third_broker_is_reached(
        BadBroker::IgnoresSubscriptions,
        Duration::from_millis(40_100),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn next_broker_is_tried_after_one_that_refuses_subscriptions() {
    assert_third_broker_is_reached(BadBroker::RefusesSubscriptions, Duration::from_millis(100))
        .await;
}

#[tokio::test(start_paused = true)]
async fn refused_subscription_is_an_error_and_is_retried_with_back_off() {
    let (transport, mut listener) = network();
    let clock = tokio::time::Instant::now();
    let (client, event_loop) = client(transport, &["ws://one"]);
    let mut events = run_subscribed(client, event_loop);
    tokio::spawn(async move {
        loop {
            tokio::spawn(
                BadBroker::RefusesSubscriptions.serve(listener.next_request().await.accept()),
            );
        }
    });
    let mut errors = Vec::new();
    while errors.len() < 10 {
        if let Err(error) = events.recv().await.unwrap() {
            errors.push(error);
        }
    }
    assert_eq!(errors[0], ConnectionError::EarlyRequestsRefused);
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

/// SUBACK that grants one filter and refuses the other.
const ONE_OF_TWO: [&[u8]; 2] = [&[0x90, 4, 0, 1, 0, 0x80], &[0x90, 4, 0, 1, 0x80, 0]];

#[tokio::test(start_paused = true)]
async fn broker_that_refuses_a_part_of_the_subscription_is_left_for_the_next_one() {
    for refusal in ONE_OF_TWO {
        let (transport, mut listener) = network();
        let (client, mut event_loop) = client(transport, &["ws://refuses", "ws://grants"]);
        let topics =
            || ["room", "inbox"].map(|topic| SubscribeFilter::new(topic.into(), QoS::AtMostOnce));
        let brokers = async {
            // Early requests may be the reason, so there is another attempt without them.
            for _ in 0..2 {
                let mut refuses = listener.accept("ws://refuses").await;
                refuses.accept_connect().await;
                while !matches!(refuses.packet().await, Some(Packet::Subscribe(_))) {}
                refuses.send(refusal);
                assert_eq!(refuses.packet().await, None);
            }
            let mut grants = listener.accept("ws://grants").await;
            grants.accept_connect().await;
            grants.send(&[0x90, 4, 0, 1, 0, 0]);
            grants
        };
        let events = async {
            client.try_subscribe_many(topics()).unwrap();
            loop {
                match event_loop.poll().await {
                    Ok(Event::Incoming(Packet::SubAck(ack)))
                        if !ack.return_codes.contains(&SubscribeReasonCode::Failure) =>
                    {
                        break;
                    }
                    Ok(_) => {}
                    Err(_) => client.try_subscribe_many(topics()).unwrap(),
                }
            }
            assert!(!event_loop.is_refused());
        };
        tokio::join!(brokers, events);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_only_broker_is_known_until_it_grants_the_subscription() {
    let (transport, mut listener) = network();
    let (client, mut event_loop) = client(transport, &["ws://refuses"]);
    let broker = async {
        loop {
            let mut refuses = listener.accept("ws://refuses").await;
            refuses.accept_connect().await;
            while !matches!(refuses.packet().await, Some(Packet::Subscribe(_)) | None) {}
            refuses.suback(1, SubscribeReasonCode::Failure);
            assert_eq!(refuses.packet().await, None);
        }
    };
    let events = async {
        let mut refusals = 0;
        client.try_subscribe("room", QoS::AtMostOnce).unwrap();
        while refusals < 3 {
            if let Err(error) = event_loop.poll().await {
                refusals += u32::from(error == ConnectionError::SubscriptionRefused);
                assert_eq!(event_loop.is_refused(), refusals > 0, "{error}");
                client.try_subscribe("room", QoS::AtMostOnce).unwrap();
            }
        }
    };
    tokio::select! { () = broker => {} () = events => {} }
}
