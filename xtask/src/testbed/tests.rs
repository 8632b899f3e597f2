//! Tests of the test bed.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::*;

const CONNECT: [u8; 16] = [
    0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 30, 0, 2, b'm', b'e',
];
const SUBSCRIBE: [u8; 8] = [0x82, 6, 0, 1, 0, 1, b'a', 0];
const PUBLISH: [u8; 8] = [0x30, 6, 0, 1, b'a', 7, 8, 9];

async fn connect(url: &str) -> Result<WebSocketStream<TcpStream>> {
    let mut request = url.into_client_request()?;
    request
        .headers_mut()
        .insert("sec-websocket-protocol", "mqtt".parse()?);
    let address = url
        .trim_start_matches("ws://")
        .trim_end_matches("/mqtt")
        .to_owned();
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (socket, answer) = client_async(request, stream).await?;
    assert_eq!(answer.headers()["sec-websocket-protocol"], "mqtt");
    Ok(socket)
}

/// Connects, subscribes and publishes in one flight, and waits until the message comes back. Returns how long this took.
async fn round_trip(url: &str) -> Result<Duration> {
    let start = Instant::now();
    let mut socket = connect(url).await?;
    for packet in [&CONNECT[..], &SUBSCRIBE, &PUBLISH] {
        socket.feed(Message::Binary(packet.to_vec())).await?;
    }
    socket.flush().await?;
    let mut received = Vec::new();
    while !received
        .windows(PUBLISH.len())
        .any(|window| window == PUBLISH)
    {
        let message = tokio::time::timeout(Duration::from_secs(5), socket.next()).await?;
        received.extend(message.context("the connection ended")??.into_data());
    }
    Ok(start.elapsed())
}

#[tokio::test]
async fn rumqttd_answers_and_can_be_cut_off() {
    let mut broker = Broker::rumqttd().await.unwrap();
    println!("rumqttd: {:?}", round_trip(&broker.ws_url()).await.unwrap());
    println!("rumqttd: {:?}", round_trip(&broker.ws_url()).await.unwrap());
    let mut socket = connect(&broker.ws_url()).await.unwrap();
    broker.kill().await.unwrap();
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(connect(&broker.ws_url()).await.is_err());
    broker.restart().await.unwrap();
    round_trip(&broker.ws_url()).await.unwrap();
}

#[tokio::test]
async fn mosquitto_answers_and_restarts_on_the_same_ports() {
    survives_a_restart(Broker::mosquitto().await.unwrap()).await;
}

#[tokio::test]
async fn aedes_answers_and_restarts_on_the_same_ports() {
    survives_a_restart(Broker::aedes().await.unwrap()).await;
}

async fn survives_a_restart(mut broker: Broker) {
    let url = broker.ws_url();
    println!("{:?}", round_trip(&url).await.unwrap());
    let mut socket = connect(&url).await.unwrap();
    broker.kill().await.unwrap();
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(connect(&url).await.is_err());
    broker.restart().await.unwrap();
    assert_eq!(broker.ws_url(), url);
    for _ in 0..5 {
        println!("{:?}", round_trip(&url).await.unwrap());
    }
}

#[tokio::test]
async fn a_bridge_counts_delays_and_can_be_cut() {
    let broker = Broker::rumqttd().await.unwrap();
    let bridge = Bridge::start(broker.tcp_port(), Duration::from_millis(50))
        .await
        .unwrap();
    // Both the handshake and the message take a round trip.
    assert!(round_trip(&bridge.ws_url()).await.unwrap() >= Duration::from_millis(200));
    assert_eq!(
        bridge.stats(),
        Traffic {
            connections: 1,
            silent: 0,
            publishes: 1,
            payload_bytes: 3
        }
    );
    bridge.reset();
    assert_eq!(bridge.stats(), Traffic::default());

    let mut socket = connect(&bridge.ws_url()).await.unwrap();
    bridge.cut().await.unwrap();
    assert!(!matches!(socket.next().await, Some(Ok(_))));
    assert!(connect(&bridge.ws_url()).await.is_err());
    bridge.mend().await.unwrap();
    round_trip(&bridge.ws_url()).await.unwrap();
}

#[tokio::test]
async fn a_site_serves_its_settings_and_reports_a_missing_page() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        Site::start(folder.path(), json!({}))
            .await
            .unwrap_err()
            .to_string()
            .contains("xtask build")
    );
    std::fs::write(folder.path().join("index.html"), "<title>Here</title>").unwrap();
    std::fs::write(folder.path().join("app_bg.wasm"), "\0asm").unwrap();
    let site = Site::start(folder.path(), json!({ "brokers": [] }))
        .await
        .unwrap();
    let get = async |path: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = site
            .url()
            .trim_start_matches("http://")
            .trim_end_matches('/');
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let page = get("").await;
    assert!(
        page.contains("Here") && page.contains("cache-control: no-cache"),
        "{page}"
    );
    assert!(get("rtchat.json").await.ends_with(r#"{"brokers":[]}"#));
    assert!(
        get("app_bg.wasm")
            .await
            .contains("content-type: application/wasm")
    );
    assert!(get("nothing").await.starts_with("HTTP/1.1 404"));
    assert!(get("../Cargo.toml").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn no_site_is_where_another_one_was() {
    let mut ports = BTreeSet::new();
    // The system gives a port again after some hundred already.
    for number in 0..3_000 {
        let port = new_origin().unwrap().local_addr().unwrap().port();
        assert!(ports.insert(port), "port {port} again, after {number}");
    }
}
