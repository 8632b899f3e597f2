//! Members who open channels of their own, and many who talk at once.

use anyhow::ensure;
use xtask::testbed::Broker;

use crate::hostile_member::{COUNT, TAKE_CHANNELS, eval, say_many, with_mallory};
use crate::support::{NOWHERE, run};

#[test]
fn channels_that_a_member_opens_by_itself_change_nothing() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &site).await?;
        // As many as the browsers take. On each of them goes a frame that would change a name if it came on the right one.
        let open = r#"
            const profile = JSON.stringify({ k: "profile", name: "by the way" });
            const opened = openChannels().flatMap(({ peer }) => {
                const opened = [];
                try {
                    for (let at = 0; at < 2000; at += 1) opened.push(peer.createDataChannel("text"));
                } catch {}
                return opened;
            });
            const send = (channel) => { for (let at = 0; at < 20; at += 1) channel.send(profile); channel.close(); };
            return Promise.all(opened.map((channel) => channel.readyState === "open" ? send(channel)
                : new Promise((done) => { channel.onopen = () => done(send(channel)); channel.onclose = done; })))
                .then(() => opened.length);"#;
        let opened = eval(&mallory, open).await?;
        ensure!(opened.as_u64() > Some(1_000), "{opened}");
        mallory.say("the last of it").await?;
        for (tab, name, other) in [(&ann, "ann", "ben"), (&ben, "ben", "ann")] {
            let page = tab.hears("mallory", "the last of it").await?;
            ensure!(page.messages.len() == 1, "{name}: {:#?}", page.messages);
            ensure!(
                page.has_verified(&[other, "mallory"]),
                "{name}: {:#?}",
                page.peers
            );
        }
        bed.no_errors().await
    });
}

#[test]
fn messages_of_a_crowd_are_drawn_together() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let [ann, ben] = bed.ann_and_ben(&site).await?;
        let (browser, mut crowd) = (bed.chromium().await?, Vec::new());
        for number in 0..8 {
            let tab = browser.open(&format!("{}{NOWHERE}", site.url())).await?;
            eval(&tab, "localStorage.removeItem('rtchat/1/name')").await?;
            tab.go(site.url()).await?;
            tab.until("the field for a name", |page| page.has("name"))
                .await?;
            eval(&tab, TAKE_CHANNELS).await?;
            tab.join(&format!("mallory {number}")).await?;
            crowd.push(tab);
        }
        for tab in [&ann, &ben] {
            tab.until("everybody", |page| page.peers.len() == 9).await?;
            eval(tab, COUNT).await?;
        }
        // From each of them as many frames as a peer may send at once, and nearly as many messages.
        let floods = [
            say_many(100, "`hello ${at}`"),
            "void flood(200, (at) => JSON.stringify({ k: 'profile', name: at % 2 ? 'ann' : 'ben' }))".to_owned(),
        ];
        for (number, flood) in floods.iter().enumerate() {
            for tab in &crowd {
                eval(tab, flood).await?;
            }
            let words = format!("can you hear me? {number}");
            ben.say(&words).await?;
            ann.until("ben's message", |page| {
                page.messages.iter().any(|said| said.text == words)
            })
            .await?;
            for (tab, name) in [(&ann, "ann"), (&ben, "ben")] {
                let drawn = eval(tab, "return drawn").await?.as_u64();
                // 800 messages or 1,600 frames came.
                ensure!(
                    drawn.is_some_and(|drawn| drawn < 400),
                    "{name}'s log was drawn {drawn:?} times"
                );
            }
        }
        bed.no_errors().await
    });
}
