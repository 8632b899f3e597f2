//! A hostile client on the broker.

use std::time::Duration;

use anyhow::{Result, ensure};
use rtchat::settings::DEFAULT_ROOM;
use rtchat::wire::RoomSource;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use xtask::testbed::{Broker, Site};

use crate::support::{Page, page_of, run};

/// Number of messages in the flood.
const FLOOD: u64 = 3_000;

/// At least this many of them are garbage to everybody. The others are repeated messages, some of which the receiver
/// itself had sent.
const DROPPED: u64 = FLOOD / 4 * 3;

/// The topic on which the people of the site's room announce themselves.
fn topic_of(site: &Site) -> String {
    let source = RoomSource {
        page: page_of(site),
        name: DEFAULT_ROOM,
        secret: None,
        root: None,
    };
    source.derive(None).lobby().topic().name("")
}

#[test]
fn garbage_and_replays_are_counted_and_change_nothing() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let mut hostile = Hostile::connect(broker.tcp_port(), &topic_of(&site)).await?;

        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(site.url()).await?;
        ann.join("ann").await?;
        let ben = firefox.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;

        let flood = tokio::spawn(async move { hostile.flood().await });
        for number in 0..5 {
            let words = format!("through the flood {number}");
            ann.say(&words).await?;
            ben.hears("ann", &words).await?;
            ben.say(&words).await?;
            ann.hears("ben", &words).await?;
        }
        flood.await??;

        for tab in [&ann, &ben] {
            tab.click("status").await?;
            let page = tab
                .until("that all of it was dropped", |page| {
                    dropped(page) >= DROPPED
                })
                .await?;
            let reasons = page.text("dropped");
            for reason in [
                "too large",
                "sealed with another key",
                "the same as before, over another broker or again",
            ] {
                ensure!(
                    reasons.contains(reason),
                    "{reason} is missing in: {reasons}"
                );
            }
            tab.click_on("dialog [data-testid=close]").await?;
        }
        // Newcomers can still join.
        let third = chromium.open(site.url()).await?;
        third.sees(&["ann", "ben"]).await?;
        ann.sees(&["ann(2)", "ben"]).await?;
        ben.sees(&["ann", "ann(2)"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn whoever_is_alone_among_garbage_is_told_and_led_to_the_counts() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let topic = topic_of(&site);
        let mut hostile = Hostile::connect(broker.tcp_port(), &topic).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        let page = ann
            .until("that it looks for others", |page| page.status == "looking")
            .await?;
        ensure!(!page.has("what-was-dropped"), "{page:?}");
        let mut random = Random(7);
        for _ in 0..8 {
            let garbage = random.bytes();
            hostile
                .client
                .publish(&topic, QoS::AtMostOnce, false, garbage)
                .await?;
        }
        let page = ann
            .until("what is dropped", |page| page.has("what-was-dropped"))
            .await?;
        let words = "Much of what arrives here is not for this room, or cannot be read.";
        ensure!(page.status_text.contains(words), "{page:?}");
        ann.click("what-was-dropped").await?;
        ann.until("the counts", |page| dropped(page) >= 5).await?;
        ann.click_on("dialog [data-testid=close]").await?;

        // Between two looks it says when the next one is, and *Try now* looks at once.
        ann.until("the time of the next look", |page| {
            page.status_text.contains("Looking again in ")
        })
        .await?;
        while hostile.heard.try_recv().is_ok() {}
        ann.click("try-now").await?;
        let page = ann
            .until("that it looks now", |page| {
                page.status_text.starts_with("Looking for others …")
            })
            .await?;
        ensure!(!page.has("try-now"), "{page:?}");
        let focus = "return document.activeElement.dataset.testid === 'status'";
        ann.until_true(focus, Vec::new()).await?;
        let announcement = tokio::time::timeout(Duration::from_secs(20), hostile.heard.recv());
        ensure!(announcement.await?.is_some(), "there is no announcement");

        // Somebody who is met all the same is no reason to worry.
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        let page = ann.sees(&["ben"]).await?;
        ensure!(!page.has("what-was-dropped"), "{page:?}");
        bed.no_errors().await
    });
}

/// Number of messages that were dropped for any reason.
fn dropped(page: &Page) -> u64 {
    page.dropped.iter().sum()
}

/// A client that receives all messages of a room.
struct Hostile {
    client: AsyncClient,
    topic: String,
    heard: tokio::sync::mpsc::UnboundedReceiver<(String, Vec<u8>)>,
}

impl Hostile {
    async fn connect(port: u16, topic: &str) -> Result<Hostile> {
        let mut options = MqttOptions::new("hostile", "127.0.0.1", port);
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::new(options, 64);
        // Inboxes have nothing in common with the room's topic, so the client subscribes to all topics of the broker.
        client.subscribe("#", QoS::AtMostOnce).await?;
        let (sender, heard) = tokio::sync::mpsc::unbounded_channel();
        let (ready, subscribed) = tokio::sync::oneshot::channel();
        let mut ready = Some(ready);
        tokio::spawn(async move {
            while let Ok(event) = events.poll().await {
                match event {
                    Event::Incoming(Packet::Publish(message)) => {
                        let _ = sender.send((message.topic, message.payload.to_vec()));
                    }
                    Event::Incoming(Packet::SubAck(_)) => {
                        ready.take().map(|ready| ready.send(()));
                    }
                    _ => {}
                }
            }
        });
        tokio::time::timeout(Duration::from_secs(20), subscribed).await??;
        Ok(Hostile {
            client,
            topic: topic.to_owned(),
            heard,
        })
    }

    /// Publishes random bytes of many lengths, and all received messages: unchanged, damaged, and on the wrong topic.
    async fn flood(&mut self) -> Result<()> {
        let mut heard = Vec::new();
        while let Ok(message) = self.heard.try_recv() {
            heard.push(message);
        }
        ensure!(!heard.is_empty(), "nothing was heard in the room");
        let mut random = Random(0x5eed);
        for number in 0..FLOOD {
            let (topic, payload) = match number % 4 {
                0 | 1 => (self.topic.clone(), random.bytes()),
                2 => heard[random.below(heard.len())].clone(),
                _ => {
                    let (_, mut payload) = heard[random.below(heard.len())].clone();
                    let at = random.below(payload.len());
                    payload[at] ^= 1 << random.below(8);
                    (self.topic.clone(), payload)
                }
            };
            self.client
                .publish(topic, QoS::AtMostOnce, false, payload)
                .await?;
        }
        Ok(())
    }
}

/// SplitMix64 by Steele, Lea and Flood. It gives the same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.below(6_000);
        (0..length).map(|_| self.next() as u8).collect()
    }
}
