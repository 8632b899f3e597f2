//! A peer of the module that says whatever it likes on its channels.

use anyhow::{Result, ensure};
use serde_json::json;

use super::files::TAKE;
use super::{EMPTY, Stage, eval, start_client, until};
use crate::hostile_member::TAKE_CHANNELS;
use crate::support::{Bed, Tab, run};

/// Ann and ben, and mallory, who is connected to both and whose channels the test can use.
async fn with_mallory(bed: &Bed, stage: &Stage) -> Result<[Tab; 3]> {
    let [ann, ben] = stage.two(bed, json!({})).await?;
    let mallory = bed.chromium().await?.open(&stage.url).await?;
    until(&mallory, "return 'module' in window").await?;
    eval(&mallory, TAKE_CHANNELS).await?;
    start_client(&mallory, "mallory", json!({})).await?;
    until(&mallory, "return openChannels().length === 2").await?;
    for tab in [&ann, &ben] {
        until(tab, "return client.peers.length === 2").await?;
    }
    Ok([ann, ben, mallory])
}

#[test]
fn a_value_that_is_nested_too_deeply_is_dropped_and_the_next_one_arrives() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &stage).await?;
        // One value of 14 MB in chunks of 16 KiB, as the module cuts it.
        let deep = r#"
            const text = new TextEncoder().encode("[".repeat(7e6) + "]".repeat(7e6));
            const size = 16_000;
            const chunks = [];
            for (let at = 0; at < text.length; at += size) {
                const isLast = at + size >= text.length;
                const head = (at === 0 ? 4 : 64) | (isLast ? 0 : 128);
                chunks.push(Uint8Array.of(head, ...text.subarray(at, at + size)));
            }
            return flood(chunks.length, (at) => chunks[at]);"#;
        eval(&mallory, deep).await?;
        eval(
            &mallory,
            "openChannels().forEach((channel) => channel.send(Uint8Array.of(4, 55)))",
        )
        .await?;
        for tab in [&ann, &ben] {
            until(
                tab,
                "return seen.some(([event, value]) => event === 'data' && value === 7)",
            )
            .await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn a_program_is_told_who_breaks_the_limits_who_is_muted_and_who_is_away() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &stage).await?;
        let listen = "window.unreadable = 0;
            client.on('unreadable', (user, count, peer) => { if (peer.user === 'mallory') unreadable += count; });
            window.present = [];
            client.on('presence', (user, presence, peer) => {
                if (user === 'ben') present.push(presence === peer.presence ? presence : '?');
            });";
        eval(&ann, listen).await?;
        until(&ann, "return present.join() === 'active'").await?;
        // Two minutes pass for ben, whose page is hidden.
        let away = "Object.defineProperty(document, 'hidden', { get: () => true });
            document.dispatchEvent(new Event('visibilitychange'));
            for (const clock of [performance, Date]) {
                const now = clock.now.bind(clock);
                clock.now = () => now() + 121_000;
            }";
        eval(&ben, away).await?;
        until(&ann, "return present.join() === 'active,away'").await?;

        eval(&mallory, "return flood(5, () => '{')").await?;
        until(&ann, "return unreadable === 5").await?;
        eval(&mallory, "return flood(2000, () => '{')").await?;
        until(&ann, "return client.getPeer('mallory').muted").await?;
        until(
            &ann,
            "return seen.some(([event, error]) => event === 'error' && error.includes('mallory is sending too much'))",
        )
        .await?;
        eval(&mallory, "client.chat('sorry')").await?;
        eval(&ann, "client.getPeer('mallory').listen()").await?;
        until(&ann, "return !client.getPeer('mallory').muted").await?;
        eval(&mallory, "client.send('and here I am')").await?;
        until(
            &ann,
            "return seen.some(([event, value]) => event === 'data' && value === 'and here I am')",
        )
        .await?;
        ensure!(eval(&ann, "return unreadable < 1000").await? == true);
        Ok(())
    });
}

/// Counts the workers that a page starts.
const COUNT_WORKERS: &str = r#"
    window.workers = 0;
    window.Worker = class extends Worker {
        constructor(...given) {
            super(...given);
            workers += 1;
        }
    };"#;

#[test]
fn files_that_are_withdrawn_at_once_cost_nothing() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben, mallory] = with_mallory(&bed, &stage).await?;
        for tab in [&ann, &ben] {
            eval(tab, TAKE).await?;
            eval(tab, COUNT_WORKERS).await?;
        }
        let storm = r#"
            return flood(800, (at) => JSON.stringify(at % 2
                ? { k: "file", file: 7000 + at - 1, step: "stop" }
                : { k: "file", file: 7000 + at, step: "offer", n: 2 ** 40, name: `${at}.bin` }));"#;
        eval(&mallory, storm).await?;
        for tab in [&ann, &ben] {
            until(
                tab,
                "return files.length >= 390 && files.every((its) => its.error)",
            )
            .await?;
        }
        for tab in [&ann, &ben] {
            let workers = eval(tab, "return workers").await?;
            ensure!(
                workers == 0,
                "{workers} workers started for files of which no byte came"
            );
        }
        bed.no_errors().await
    });
}
