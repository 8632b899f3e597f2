//! A member of the room whose page is its own, or who has no page at all.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, PeerId, SessionKey};
use rtchat::settings::DEFAULT_ROOM;
use rtchat::time::Millis;
use rtchat::wire::connect::{ConnectFields, FULL, VERSION};
use rtchat::wire::extension::Extensions;
use rtchat::wire::{Body, Connect, Envelope, LeaveSecret, Nonce, RoomKeys, RoomSource};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde_json::Value;
use tokio::time::interval;
use xtask::testbed::{Broker, Site};

use crate::support::{Bed, Browser, Tab, page_of, run};

/// Gives the test the channels of a page, over which it then says what it likes.
pub(crate) const TAKE_CHANNELS: &str = r#"
    window.channels = [];
    const make = RTCPeerConnection.prototype.createDataChannel;
    RTCPeerConnection.prototype.createDataChannel = function (...given) {
        const channel = make.apply(this, given);
        channel.peer = this;
        channels.push(channel);
        return channel;
    };
    window.openChannels = () => channels.filter(({ label, readyState }) => label === "text" && readyState === "open");
    // As fast as the browser sends.
    window.flood = async (count, make) => {
        for (const channel of openChannels()) {
            channel.bufferedAmountLowThreshold = 1 << 20;
            for (let number = 0; number < count && channel.readyState === "open"; number += 1) {
                if (channel.bufferedAmount > 4 << 20) {
                    await new Promise((low) => {
                        channel.onbufferedamountlow = low;
                        channel.addEventListener("close", low);
                    });
                }
                if (channel.readyState === "open") channel.send(make(number));
            }
        }
    };
"#;

/// Joins with a page whose channels the test can use.
async fn join_hostile(browser: &Browser, url: &str, name: &str) -> Result<Tab> {
    let tab = browser.open(url).await?;
    tab.until("the field for a name", |page| page.has("name"))
        .await?;
    tab.script(TAKE_CHANNELS, Vec::new()).await?;
    tab.join(name).await?;
    Ok(tab)
}

/// Ann and ben, and mallory, who sees both and whose channels the test can use.
pub(crate) async fn with_mallory(bed: &Bed, site: &Site) -> Result<[Tab; 3]> {
    let [ann, ben] = bed.ann_and_ben(site).await?;
    let mallory = join_hostile(&bed.chromium().await?, site.url(), "mallory").await?;
    mallory.sees(&["ann", "ben"]).await?;
    Ok([ann, ben, mallory])
}

pub(crate) async fn eval(tab: &Tab, script: &str) -> Result<Value> {
    tab.script(script, Vec::new()).await
}

/// Counts how often the page's log changes, and how many elements and lines it shows.
pub(crate) const COUNT: &str = r#"
    window.drawn = 0;
    const log = document.querySelector("[data-testid=log]");
    new MutationObserver(() => window.drawn += 1).observe(log, { childList: true });
    window.shown = () => Array.from(log.querySelectorAll("[data-testid=message-text]"), (text) => [
        text.childElementCount,
        text.textContent.split("\n").length,
    ]);
"#;

/// A script that says this many messages, one after the other. The text is an expression in which `at` counts them.
pub(crate) fn say_many(count: usize, text: &str) -> String {
    format!(
        "const field = document.querySelector('[data-testid=composer]');
        for (let at = 0; at < {count}; at += 1) {{
            field.value = {text};
            field.dispatchEvent(new Event('input', {{ bubbles: true }}));
            document.querySelector('[data-testid=send]').click();
        }}"
    )
}

#[test]
fn a_flood_of_long_messages_is_drawn_in_short_and_together() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &site).await?;
        for tab in [&ann, &ben] {
            eval(tab, COUNT).await?;
        }
        // Fewer than a member may send at once, in two kinds that took seconds to draw.
        for (number, text) in [r"'http://a '.repeat(1111)", r"'a\n'.repeat(5000)"]
            .iter()
            .enumerate()
        {
            let count = 50 * (number + 1);
            eval(&mallory, &say_many(50, text)).await?;
            mallory
                .until("its own messages", |page| page.messages.len() == count)
                .await?;
        }
        let words = "the last of it";
        mallory.say(words).await?;
        for (tab, name) in [(&ann, "ann"), (&ben, "ben")] {
            tab.hears("mallory", words).await?;
            tab.until("all messages", |page| page.messages.len() == 101)
                .await?;
            let shown = eval(tab, "return shown()").await?;
            let shown: Vec<(usize, usize)> = serde_json::from_value(shown)?;
            ensure!(shown.len() == 101, "{name} sees {} messages", shown.len());
            for (links, lines) in shown {
                ensure!(links <= 50 && lines <= 25, "{links} links, {lines} lines");
            }
            let drawn = eval(tab, "return drawn").await?.as_u64();
            ensure!(
                drawn.is_some_and(|drawn| drawn < 120),
                "drawn {drawn:?} times"
            );
        }
        bed.no_errors().await
    });
}

#[test]
fn whoever_floods_is_counted_in_one_line_and_muted_until_they_are_listened_to_again() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &site).await?;
        ann.sees(&["ben", "mallory"]).await?;
        ben.sees(&["ann", "mallory"]).await?;
        let line = "return [...document.querySelectorAll('[data-testid=moves]')]
            .map((line) => line.textContent.replace(/[\\u2068\\u2069]/g, ''))
            .filter((line) => line.includes('not readable')).join('|')";
        eval(&mallory, "return flood(3, () => '{')").await?;
        for tab in [&ann, &ben] {
            tab.until_true(&format!("return (() => {{ {line} }})().endsWith('3 messages from mallory were not readable')"), Vec::new()).await?;
        }
        ben.say("a word in between").await?;
        ann.hears("ben", "a word in between").await?;
        eval(&mallory, "return flood(3000, () => '{')").await?;
        for tab in [&ann, &ben] {
            let page = tab
                .until("that mallory is muted", |page| page.has("muted"))
                .await?;
            ensure!(
                page.text("muted")
                    .contains("is sending too much and is muted"),
                "{page:?}"
            );
            // It is still one line, which counts what was looked at.
            let lines = eval(tab, line).await?;
            let lines = lines.as_str().unwrap_or_default().to_owned();
            ensure!(!lines.contains('|') && !lines.contains("3,003"), "{lines}");
        }
        // Nothing of her is heard, and everybody else is.
        mallory.say("nobody hears this").await?;
        ben.say("but they hear this").await?;
        let page = ann.hears("ben", "but they hear this").await?;
        ensure!(
            !page.has_message("mallory", "nobody hears this"),
            "{page:?}"
        );
        ann.click("listen-again").await?;
        ann.hears("mallory", "nobody hears this").await?;
        mallory.say("I will be good").await?;
        let page = ann.hears("mallory", "I will be good").await?;
        ensure!(!page.has("muted"), "{page:?}");
        let page = ben.page().await?;
        ensure!(
            page.has("muted") && !page.has_message("mallory", "I will be good"),
            "{page:?}"
        );
        bed.no_errors().await
    });
}

/// Somebody who announces themselves and is gone again.
struct Stranger {
    identity: IdentityKey,
    session: SessionKey,
    leave: LeaveSecret,
    rng: ChaCha20Rng,
}

impl Stranger {
    fn new(seed: u64) -> Stranger {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Stranger {
            identity: IdentityKey::generate(&mut rng),
            session: SessionKey::generate(&mut rng),
            leave: LeaveSecret::generate(&mut rng),
            rng,
        }
    }

    fn id(&self) -> PeerId {
        PeerId::of(&self.identity.public(), &self.session.public())
    }

    /// An announcement, and the farewell that follows it.
    fn visit(&mut self, keys: &RoomKeys, capabilities: u32) -> Result<[Vec<u8>; 2]> {
        let now = Millis(0) + SystemTime::UNIX_EPOCH.elapsed()?;
        let id = self.id();
        let fields = ConnectFields {
            version: VERSION,
            capabilities,
            identity: self.identity.public(),
            session: self.session.public(),
            serial: NonZeroU32::MIN,
            nonce: Nonce::generate(&mut self.rng),
            leave: self.leave.commitment(keys.id(), &id),
            signed_at: now,
            tab: 1,
            name: Name::parse("stranger")?,
        };
        let connect = Connect::sign(fields, Extensions::default(), keys.id(), &self.identity)?;
        let hello = Envelope::new(id, now, Body::Connect(connect));
        let bye = Envelope::new(id, Millis(now.0 + 1), Body::Leave(self.leave.clone()));
        let mut seal = |envelope: &Envelope| envelope.seal(keys, keys.topic(), &mut self.rng);
        Ok([seal(&hello)?, seal(&bye)?])
    }
}

/// A client on the broker, and the keys of the site's room.
async fn outsider(broker: &Broker, site: &Site) -> Result<(AsyncClient, RoomKeys)> {
    let source = RoomSource {
        page: page_of(site),
        name: DEFAULT_ROOM,
        secret: None,
        root: None,
    };
    let options = MqttOptions::new("strangers", "127.0.0.1", broker.tcp_port());
    let (client, mut events) = AsyncClient::new(options, 64);
    tokio::spawn(async move { while events.poll().await.is_ok() {} });
    Ok((client, source.derive(None).lobby()))
}

#[test]
fn strangers_who_come_and_go_use_up_no_connections() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let chromium = bed.chromium().await?;
        let ann = chromium.open(site.url()).await?;
        ann.until("the field for a name", |page| page.has("name"))
            .await?;
        // Chromium makes 500 connections, and no more before the closed ones are collected.
        let count = "window.refused = 0;
            const Real = RTCPeerConnection;
            window.RTCPeerConnection = function (...given) {
                try { return new Real(...given); } catch (error) { window.refused += 1; throw error; }
            };";
        eval(&ann, count).await?;
        ann.join("ann").await?;
        let (client, keys) = outsider(&broker, &site).await?;
        let topic = keys.topic().name("");
        // As many announcements as are looked at. Each one is answered with an offer, which the farewell ends.
        let mut pace = interval(Duration::from_millis(20));
        for number in 0..700 {
            for words in Stranger::new(number).visit(&keys, 0)? {
                client
                    .publish(&topic, QoS::AtMostOnce, false, words)
                    .await?;
                pace.tick().await;
            }
        }
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;
        let refused = eval(&ann, "return window.refused").await?;
        ensure!(refused == 0, "the browser refused {refused} connections");
        bed.no_errors().await
    });
}

#[test]
fn the_page_says_nothing_untrue_in_its_own_words() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let ann = bed.chromium().await?.open(site.url()).await?;
        ann.join("ann").await?;
        ann.until("that it looks for others", |page| page.status == "looking")
            .await?;
        let record = "window.said = [];
            const status = document.querySelector('[data-testid=status]');
            new MutationObserver(() => window.said.push(status.textContent))
                .observe(status, { subtree: true, childList: true, characterData: true, attributes: true });";
        eval(&ann, record).await?;
        // One stranger says that it is connected to as many people as it can be. Nobody is in the room.
        let (client, keys) = outsider(&broker, &site).await?;
        let [hello, bye] = Stranger::new(1).visit(&keys, FULL)?;
        let topic = keys.topic().name("");
        for words in [hello, bye] {
            client
                .publish(&topic, QoS::AtMostOnce, false, words)
                .await?;
        }
        let ben = bed.firefox().await?.open(site.url()).await?;
        ben.join("ben").await?;
        ann.sees(&["ben"]).await?;

        // A name that reads like a sentence of the page.
        let mallory = join_hostile(&bed.chromium().await?, site.url(), "ben left · eve").await?;
        mallory.sees(&["ann", "ben"]).await?;
        let page = ann
            .until("that they joined", |page| {
                page.text("moves").contains("eve")
            })
            .await?;
        let mut untrue = Vec::new();
        let said = eval(&ann, "return window.said.join(' | ')").await?;
        if said
            .as_str()
            .is_some_and(|said| said.contains("This room is full"))
        {
            untrue.push(format!("the status: {said}"));
        }
        // Whatever stands outside of the elements that hold names.
        let own_words =
            "return Array.from(document.querySelectorAll('[data-testid=moves]'), (line) => {
            const words = line.cloneNode(true);
            words.querySelectorAll('bdi').forEach((name) => name.remove());
            return words.textContent;
        }).join(' | ')";
        let own_words = eval(&ann, own_words).await?;
        if own_words
            .as_str()
            .is_none_or(|words| words.contains("left"))
        {
            untrue.push(format!("the log: {own_words} of {}", page.text("moves")));
        }
        ensure!(untrue.is_empty(), "{untrue:#?}");
        bed.no_errors().await
    });
}
