//! A broker that lies, floods and stalls, as a real WebSocket server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::{Router, routing::get};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use xtask::testbed::{Broker, Site, dist};

use crate::support::{Bed, run, settings};

/// CONNACK: accepted.
const CONNACK: &[u8] = &[0x20, 2, 0, 0];
/// SUBACK for the first request of a session, which subscribes to two topics.
const SUBACK: &[u8] = &[0x90, 4, 0, 1, 0, 0];
/// PUBLISH of nothing, to the topic `a`.
const PUBLISH: &[u8] = &[0x30, 3, 0, 1, b'a'];
const PINGRESP: &[u8] = &[0xD0, 0];

/// What no sound broker says, to a connection each. The page ends it.
const LIES: &[&[&[u8]]] = &[
    // Refused, for a known and for an unknown reason.
    &[&[0x20, 2, 0, 5]],
    &[&[0x20, 2, 0, 0x77]],
    // The subscription is refused, granted for a topic too many, or for another request.
    &[CONNACK, &[0x90, 4, 0, 1, 0x80, 0x80]],
    &[CONNACK, &[0x90, 5, 0, 1, 0, 0, 0]],
    &[CONNACK, &[0x90, 4, 0, 9, 0, 0]],
    // Packets at the wrong time, or that nobody asked for.
    &[CONNACK, CONNACK],
    &[SUBACK],
    &[CONNACK, SUBACK, &[0x40, 2, 0, 9]],
    &[CONNACK, SUBACK, &[0xE0, 0]],
    // A length without an end, and a quality of service that does not exist.
    &[&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF]],
    &[CONNACK, &[0x90, 0xFF, 0xFF, 0xFF, 0xFF]],
    &[CONNACK, SUBACK, &[0x36, 3, 0, 1, b'a']],
];

/// The limit for every wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker whose every word the test says itself.
struct Liar {
    url: String,
    server: JoinHandle<()>,
    connections: UnboundedReceiver<WebSocket>,
}

impl Liar {
    async fn start() -> Result<Liar> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("ws://{}/mqtt", listener.local_addr()?);
        let (sender, connections) = unbounded_channel();
        let routes = Router::new()
            .route("/mqtt", get(upgrade))
            .with_state(sender);
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Ok(Liar {
            url,
            server,
            connections,
        })
    }

    /// The next connection, after its first message.
    async fn accept(&mut self) -> Result<WebSocket> {
        let next = tokio::time::timeout(PATIENCE, self.connections.recv()).await;
        let mut socket = next
            .context("nobody connects")?
            .context("the server has ended")?;
        socket.recv().await.context("nothing was sent")??;
        Ok(socket)
    }

    async fn site(&self) -> Result<Site> {
        Site::start(dist(), settings(&self.url)).await
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn upgrade(
    State(sender): State<UnboundedSender<WebSocket>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.protocols(["mqtt"]).on_upgrade(|socket| async move {
        let _ = sender.send(socket);
    })
}

async fn say(socket: &mut WebSocket, bytes: &[u8]) -> Result<()> {
    Ok(socket.send(Message::Binary(bytes.to_vec())).await?)
}

/// Measures for how long nothing else can happen in a page.
const WATCH_PAUSES: &str = r#"
    window.longest = 0;
    let last = performance.now();
    setInterval(() => {
        const now = performance.now();
        window.longest = Math.max(window.longest, now - last);
        last = now;
    }, 10);
"#;

/// The longest pause of a page that gets one message of about this many bytes, in milliseconds.
async fn longest_pause(bed: &Bed, packet: &[u8], bytes: usize) -> Result<f64> {
    let mut liar = Liar::start().await?;
    let site = liar.site().await?;
    let ann = bed.chromium().await?.open(site.url()).await?;
    ann.enter_name("ann").await?;
    let mut socket = liar.accept().await?;
    for words in [CONNACK, SUBACK] {
        say(&mut socket, words).await?;
    }
    ann.joined().await?;
    ann.script(WATCH_PAUSES, Vec::new()).await?;
    say(&mut socket, &packet.repeat(bytes / packet.len())).await?;
    // The page notices that the connection has ended when it has read all of it.
    drop(socket);
    liar.accept().await?;
    let pause = ann.script("return window.longest", Vec::new()).await?;
    pause.as_f64().context("no pause was measured")
}

#[test]
fn a_longer_message_of_a_broker_makes_no_tab_stand_still_for_longer() {
    run(|bed| async move {
        // Only a broker can put many packets into one message.
        for packet in [PUBLISH, PINGRESP] {
            let short = longest_pause(&bed, packet, 1 << 20).await?;
            let long = longest_pause(&bed, packet, 8 << 20).await?;
            // It would be eight times as long. Something else may have kept the machine busy for a moment.
            ensure!(
                long < 3.0 * short + 200.0,
                "{long} ms instead of {short} ms"
            );
        }
        Ok(())
    });
}

/// Passes what a real broker says, one byte at a time, with an empty message after each.
async fn dribble(mut page: WebSocket, first: Vec<u8>, port: u16) -> Result<()> {
    let mut broker = TcpStream::connect(("127.0.0.1", port)).await?;
    broker.write_all(&first).await?;
    let mut bytes = [0; 4096];
    loop {
        tokio::select! {
            count = broker.read(&mut bytes) => {
                let count = count?;
                if count == 0 { return Ok(()) }
                for byte in &bytes[..count] {
                    say(&mut page, &[*byte]).await?;
                    say(&mut page, &[]).await?;
                }
            }
            message = page.recv() => match message {
                Some(Ok(Message::Binary(said))) => broker.write_all(&said).await?,
                Some(Ok(_)) => {}
                _ => return Ok(()),
            }
        }
    }
}

#[test]
fn a_page_gets_past_a_broker_that_lies() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let mut liar = Liar::start().await?;
        let site = liar.site().await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.enter_name("ann").await?;
        for lie in LIES {
            let mut socket = liar.accept().await?;
            for words in *lie {
                say(&mut socket, words).await?;
            }
            // The page ends the connection.
            let ended = async { while let Some(Ok(_)) = socket.recv().await {} };
            tokio::time::timeout(PATIENCE, ended)
                .await
                .with_context(|| format!("the page believes {lie:?}"))?;
            // As if the network came back, so that nobody waits for the next attempt.
            ann.script("dispatchEvent(new Event('online'))", Vec::new())
                .await?;
        }
        // And now what a real broker says, byte by byte.
        let port = broker.tcp_port();
        tokio::spawn(async move {
            while let Some(mut socket) = liar.connections.recv().await {
                tokio::spawn(async move {
                    if let Some(Ok(Message::Binary(first))) = socket.recv().await {
                        let _ = dribble(socket, first, port).await;
                    }
                });
            }
        });
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;
        ann.say("through it all").await?;
        ben.hears("ann", "through it all").await?;
        Ok(())
    });
}

/// The SUBACKs of a broker that refuses both topics, and of one that refuses only the inbox.
const REFUSALS: [&[u8]; 2] = [&[0x90, 4, 0, 1, 0x80, 0x80], &[0x90, 4, 0, 1, 0, 0x80]];

/// Takes every connection, and refuses the subscription, whether it comes with CONNECT or after CONNACK.
async fn refuse(mut connections: UnboundedReceiver<WebSocket>, refusal: &'static [u8]) {
    while let Some(mut socket) = connections.recv().await {
        tokio::spawn(async move {
            let Some(Ok(Message::Binary(first))) = socket.recv().await else {
                return;
            };
            let _ = say(&mut socket, CONNACK).await;
            // CONNECT is shorter than 128 bytes, so its second byte is its length.
            let connect = first.get(1).map_or(0, |length| 2 + usize::from(*length));
            if first.len() == connect {
                socket.recv().await;
            }
            let _ = say(&mut socket, refusal).await;
            while let Some(Ok(_)) = socket.recv().await {}
        });
    }
}

impl Liar {
    /// From now on, every connection is taken and every subscription refused.
    fn refuse(&mut self, refusal: &'static [u8]) {
        let (_, none) = unbounded_channel();
        let connections = std::mem::replace(&mut self.connections, none);
        tokio::spawn(refuse(connections, refusal));
    }
}

#[test]
fn a_page_says_that_the_only_broker_does_not_allow_it() {
    run(|bed| async move {
        for refusal in REFUSALS {
            let mut liar = Liar::start().await?;
            liar.refuse(refusal);
            let site = liar.site().await?;
            let ann = bed.chromium().await?.open(site.url()).await?;
            ann.enter_name("ann").await?;
            ann.until("that the broker does not allow it", |page| {
                page.text("status").contains("does not allow this chat")
            })
            .await?;
        }
        Ok(())
    });
}

#[test]
fn a_page_goes_on_to_the_next_broker_if_one_refuses_the_subscription() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        for refusal in REFUSALS {
            let mut liar = Liar::start().await?;
            liar.refuse(refusal);
            let mut settings = settings(&liar.url);
            settings["brokers"] = serde_json::json!([liar.url, broker.ws_url()]);
            let site = Site::start(dist(), settings).await?;
            let ann = bed.chromium().await?.open(site.url()).await?;
            ann.join("ann").await?;
            let ben = bed.firefox().await?.open(site.url()).await?;
            ben.join("ben").await?;
            ann.sees(&["ben"]).await?;
            ben.sees(&["ann"]).await?;
        }
        Ok(())
    });
}
