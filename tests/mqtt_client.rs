//! The event loop on a simulated network, under virtual time.
#![cfg(not(target_arch = "wasm32"))]

mod mqtt_support;

use std::time::Duration;

use mqtt_support::client::{Events, client, run};
use mqtt_support::protocol::raw_publish;
use mqtt_support::sim::{BrokerEnd, SimListener, SimTransport, network};
use rtchat::mqtt::{
    AsyncClient, ClientError, ConnectReturnCode, ConnectionError, Event, EventLoop, Outgoing,
    Packet, QoS, SkipReason, SubscribeReasonCode,
};

/// A client that is connected to its only broker.
async fn connected_client() -> (AsyncClient, SimListener, Events, BrokerEnd) {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://one"]);
    let mut events = run(event_loop);
    let mut broker = listener.accept("ws://one").await;
    broker.accept_connect().await;
    events.expect_connack().await;
    (client, listener, events, broker)
}

#[tokio::test(start_paused = true)]
async fn early_requests_are_sent_with_connect() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://one"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    client
        .publish("room", QoS::AtMostOnce, false, "hello")
        .await
        .unwrap();
    let mut events = run(event_loop);
    let mut broker = listener.accept("ws://one").await;
    let packets = broker.message().await.unwrap();
    assert!(matches!(
        &packets[..],
        [Packet::Connect(_), Packet::Subscribe(_), Packet::Publish(_)]
    ));
    broker.connack(ConnectReturnCode::Success);
    events.expect_connack().await;
}

#[tokio::test(start_paused = true)]
async fn pause_before_retry_is_reported_and_kept_and_can_be_ended() {
    let (transport, mut listener) = network();
    let (client, mut event_loop) = client(transport, &["ws://one"]);
    let longest = loop {
        assert_eq!(event_loop.retry_in(), Some(Duration::ZERO));
        let (result, ()) = tokio::join!(event_loop.poll(), async {
            listener.next_request().await.refuse()
        });
        assert!(result.is_err());
        let pause = event_loop.retry_in().unwrap();
        if pause > Duration::from_secs(2) {
            break pause;
        }
        tokio::time::sleep(pause).await;
    };
    let start = listener.now();
    let (result, ()) = tokio::join!(event_loop.poll(), async {
        let request = listener.next_request().await;
        let waited = request.at.since(start);
        assert!(
            (longest..longest + Duration::from_millis(50)).contains(&waited),
            "{waited:?} of {longest:?}"
        );
        request.refuse();
    });
    assert!(result.is_err());
    let start = listener.now();
    let (result, ()) = tokio::join!(event_loop.poll(), async {
        client.retry_now();
        let request = listener.next_request().await;
        assert_eq!(request.at, start);
        request.refuse();
    });
    assert!(result.is_err());
}

#[tokio::test(start_paused = true)]
async fn requests_before_an_error_are_dropped() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://one", "ws://two"]);
    client
        .publish("room", QoS::AtMostOnce, false, "before")
        .await
        .unwrap();
    let mut events = run(event_loop);
    listener.next_request().await.refuse();
    events.expect_error().await;
    let request = listener.next_request().await;
    client
        .publish("room", QoS::AtMostOnce, false, "after")
        .await
        .unwrap();
    let packets = request.accept().message().await.unwrap();
    assert!(
        matches!(&packets[..], [Packet::Connect(_), Packet::Publish(publish)] if &publish.payload[..] == b"after")
    );
}

#[tokio::test(start_paused = true)]
async fn unresponsive_broker_is_detected() {
    let (client, listener, mut events, mut broker) = connected_client().await;
    let start = listener.now();
    assert_eq!(
        events.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::PingReq)))
    );
    assert_eq!(listener.now().since(start).as_secs(), 50);
    assert_eq!(broker.packet().await, Some(Packet::PingReq));
    broker.send(&[0xD0, 0]);
    assert_eq!(
        events.recv().await,
        Some(Ok(Event::Incoming(Packet::PingResp)))
    );

    client.retry_now();
    assert_eq!(
        broker.packet().await,
        Some(Packet::PingReq),
        "pinged at once by retry_now"
    );
    let start = listener.now();
    assert_eq!(
        events.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::PingReq)))
    );
    assert_eq!(events.expect_error().await, ConnectionError::PingTimeout);
    assert_eq!(listener.now().since(start).as_secs(), 10);
    assert_eq!(broker.packet().await, None, "the connection is closed");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_answer_is_replaced_and_one_that_does_is_kept() {
    let (client, mut listener, mut events, mut broker) = connected_client().await;
    for is_late in [false, true] {
        client.test();
        assert_eq!(broker.packet().await, Some(Packet::PingReq));
        let start = listener.now();
        let attempt = if is_late {
            Some(listener.next_request().await)
        } else {
            tokio::time::sleep(Duration::from_millis(240)).await;
            None
        };
        broker.send(&[0xD0, 0]);
        for expected in [
            Event::Outgoing(Outgoing::PingReq),
            Event::Incoming(Packet::PingResp),
        ] {
            assert_eq!(events.recv().await, Some(Ok(expected)));
        }
        if let Some(attempt) = attempt {
            assert_eq!(attempt.at.since(start), Duration::from_millis(250));
            let mut other = attempt.accept();
            assert_eq!(other.packet().await, None, "it is given up");
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(listener.has_no_requests());
    }

    client.test();
    assert_eq!(broker.packet().await, Some(Packet::PingReq));
    let start = listener.now();
    // The network is not back yet: one attempt is refused at once, another one hangs.
    listener.next_request().await.refuse();
    let hangs = listener.next_request().await;
    let request = listener.next_request().await;
    assert_eq!(
        request.at.since(start),
        Duration::from_millis(250 + 250 + 2000 + 250)
    );
    drop(hangs);
    let mut other = request.accept();
    other.accept_connect().await;
    let switched = loop {
        match events.recv().await {
            Some(Ok(Event::Outgoing(Outgoing::PingReq))) => {}
            event => break event,
        }
    };
    assert_eq!(switched, Some(Ok(Event::Switched { from: 0, to: 0 })));
    events.expect_connack().await;
    broker.publish("room", "still delivered");
    assert_eq!(events.next_message().await, "still delivered");
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    let Some(Packet::Subscribe(subscribe)) = other.packet().await else {
        panic!("the subscription goes to the new connection");
    };
    other.suback(
        subscribe.pkid,
        SubscribeReasonCode::Success(QoS::AtMostOnce),
    );
    assert!(listener.has_no_requests());
}

/// A page that was suspended must not take the broker for unresponsive before it has read what arrived.
#[tokio::test(start_paused = true)]
async fn received_packets_are_handled_before_timers() {
    let (transport, mut listener) = network();
    let (_client, mut event_loop) = client(transport, &["ws://one"]);
    let (connack, broker) = tokio::join!(event_loop.poll(), async {
        let mut broker = listener.accept("ws://one").await;
        broker.accept_connect().await;
        broker
    });
    assert!(matches!(connack, Ok(Event::Incoming(Packet::ConnAck(_)))));
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Outgoing(Outgoing::PingReq))
    );
    broker.send(&[0xD0, 0]);
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
async fn disconnect_ends_the_connection() {
    let (client, mut listener, mut events, mut broker) = connected_client().await;
    client
        .publish("room", QoS::AtMostOnce, false, "bye")
        .await
        .unwrap();
    client.disconnect().await.unwrap();
    assert!(matches!(broker.packet().await, Some(Packet::Publish(_))));
    assert_eq!(broker.packet().await, Some(Packet::Disconnect));
    assert_eq!(broker.packet().await, None);
    assert_eq!(
        events.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::Publish(0))))
    );
    assert_eq!(
        events.recv().await,
        Some(Ok(Event::Outgoing(Outgoing::Disconnect)))
    );
    assert_eq!(events.expect_error().await, ConnectionError::Disconnected);

    // There is nobody to send DISCONNECT to before the connection is open.
    let _hangs = listener.next_request().await;
    client.disconnect().await.unwrap();
    assert_eq!(events.expect_error().await, ConnectionError::Disconnected);
}

#[tokio::test(start_paused = true)]
async fn request_queue_is_bounded_and_publish_waits_for_room() {
    let (transport, mut listener) = network();
    let (client, event_loop) = client(transport, &["ws://one"]);
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
    let events = run(event_loop);
    let mut broker = listener.accept("ws://one").await;
    waiting.await.unwrap().unwrap();
    broker.accept_connect().await;
    for _ in 0..11 {
        assert!(matches!(broker.packet().await, Some(Packet::Publish(_))));
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

    // The event loop is dropped, and with it everything that waits.
    drop(events);
    broker.publish("room", "wakes the event loop");
    assert_eq!(broker.packet().await, None);
    assert_eq!(
        client.publish("room", QoS::AtMostOnce, false, "x").await,
        Err(ClientError::Closed)
    );
}

#[tokio::test(start_paused = true)]
async fn congested_connection_is_not_written_to_and_times_out() {
    let (client, _door, mut events, mut broker) = connected_client().await;
    broker.congest(true);
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
    assert_eq!(broker.try_packet(), None);
    broker.congest(false);
    for _ in 0..10 {
        assert!(matches!(broker.packet().await, Some(Packet::Publish(_))));
        assert_eq!(
            events.recv().await,
            Some(Ok(Event::Outgoing(Outgoing::Publish(0))))
        );
    }
    broker.congest(true);
    assert_eq!(events.expect_error().await, ConnectionError::PingTimeout);
}

/// Otherwise the messages that others publish would pile up.
#[tokio::test(start_paused = true)]
async fn congested_connection_still_receives() {
    let (client, _door, mut events, mut broker) = connected_client().await;
    broker.congest(true);
    client
        .try_publish("room", QoS::AtMostOnce, false, "waits")
        .unwrap();
    for payload in ["one", "two"] {
        broker.publish("room", payload);
        assert_eq!(events.next_message().await, payload);
    }
    assert_eq!(broker.try_packet(), None);
    broker.congest(false);
    assert!(matches!(broker.packet().await, Some(Packet::Publish(_))));
}

#[tokio::test(start_paused = true)]
async fn skipped_messages_are_reported_and_do_not_end_the_connection() {
    let (_client, mut listener, mut events, broker) = connected_client().await;
    let oversized = raw_publish(0, &[0; 70_000]);
    for chunk in oversized.chunks(16_384) {
        broker.send(chunk);
    }
    broker.send(&raw_publish(1, b"\0\x04roomretained"));
    broker.send(&raw_publish(0, b"\0\x01#malformed"));
    broker.publish("room", "sound");
    for reason in [
        SkipReason::TooLarge,
        SkipReason::Retained,
        SkipReason::Malformed,
    ] {
        assert_eq!(events.recv().await, Some(Ok(Event::Skipped(reason))));
    }
    assert_eq!(events.next_message().await, "sound");
    assert!(listener.has_no_requests());
}

#[tokio::test(start_paused = true)]
async fn poll_future_may_be_dropped_at_any_time() {
    let (transport, mut listener) = network();
    let (client, mut event_loop) = client(transport, &["ws://one"]);
    client.subscribe("room", QoS::AtMostOnce).await.unwrap();
    async fn poll_and_drop(event_loop: &mut EventLoop<SimTransport>) {
        let timed_out = tokio::time::timeout(Duration::from_millis(1), event_loop.poll()).await;
        assert!(timed_out.is_err());
    }
    poll_and_drop(&mut event_loop).await;
    let mut broker = listener.accept("ws://one").await;
    poll_and_drop(&mut event_loop).await;
    broker.accept_connect().await;
    assert!(matches!(broker.packet().await, Some(Packet::Subscribe(_))));
    assert!(matches!(
        event_loop.poll().await,
        Ok(Event::Incoming(Packet::ConnAck(_)))
    ));
    assert_eq!(
        event_loop.poll().await,
        Ok(Event::Outgoing(Outgoing::Subscribe(1)))
    );
    poll_and_drop(&mut event_loop).await;
    broker.suback(1, SubscribeReasonCode::Success(QoS::AtMostOnce));
    assert!(matches!(
        event_loop.poll().await,
        Ok(Event::Incoming(Packet::SubAck(_)))
    ));
    assert!(listener.has_no_requests(), "there was only one connection");
}

#[test]
fn client_needs_at_least_one_broker() {
    let (transport, _door) = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(async { network() });
    assert_eq!(
        AsyncClient::with_transport(transport, Vec::new(), 10, 1).err(),
        Some(ClientError::NoBroker)
    );
}
