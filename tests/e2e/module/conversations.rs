//! Conversations for programs: what is said in channels and to one person, changed, reacted to, and asked for later.

use anyhow::ensure;
use serde_json::json;
use xtask::testbed::Broker;

use super::{EMPTY, Stage, eval, start_client, until};
use crate::support::{Host, KEPT, run, settings};

#[test]
fn programs_talk_in_conversations_and_read_their_history() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let record = "window.messages = new Map(); window.deliveries = {};
            client.on('message', (message, peer) => messages.set(message.id, { ...message, peer: peer?.user }));
            client.on('messagechange', (message) => messages.set(message.id, { ...message }));
            client.on('delivery', (id, { delivered, of }) => deliveries[id] = `${delivered}/${of}`);";
        for tab in [&ann, &ben] {
            eval(tab, record).await?;
        }
        let find =
            |text: &str| format!("[...messages.values()].find((its) => its.text === '{text}')");
        eval(&ann, "client.say('hello', { conversation: '#lobby' })").await?;
        until(&ben, &format!("return {}?.peer === 'ann'", find("hello"))).await?;
        until(
            &ann,
            &format!("return deliveries[{}.id] === '1/1'", find("hello")),
        )
        .await?;
        // Ben answers, reacts, and says something to ann alone.
        eval(
            &ben,
            &format!(
                "const {{ id, key }} = {}; client.say('hi', {{ replyTo: id }}); client.react(id, '👍');
                client.say('psst', {{ conversation: key }})",
                find("hello")
            ),
        )
        .await?;
        until(
            &ann,
            &format!("return {}?.replyTo === {}.id", find("hi"), find("hello")),
        )
        .await?;
        until(
            &ann,
            &format!(
                "return {}.reactions[0]?.people[0].name === 'ben'",
                find("hello")
            ),
        )
        .await?;
        until(
            &ann,
            &format!("return {}?.conversation === peer.key", find("psst")),
        )
        .await?;
        let conversations = "return client.conversations.map(({ id, name }) => [id.length, name])";
        ensure!(eval(&ann, conversations).await? == json!([[6, "lobby"], [44, "ben"]]));
        // Ann changes her words, and takes them back.
        eval(
            &ann,
            &format!("client.edit({}.id, 'hello, ben')", find("hello")),
        )
        .await?;
        until(
            &ben,
            &format!("return {}?.earlier[0] === 'hello'", find("hello, ben")),
        )
        .await?;
        eval(&ann, &format!("client.retract({}.id)", find("hello, ben"))).await?;
        until(
            &ben,
            "return [...messages.values()].some((its) => its.retracted)",
        )
        .await?;
        // What was said can be asked for, page by page.
        let history = "return client.history({ limit: 1 }).then(async ([last]) => {
            const before = await client.history({ before: last.id });
            return [last.text, last.own, last.at instanceof Date, before.map((its) => its.retracted)];
        })";
        let found = eval(&ann, history).await?;
        ensure!(found == json!(["hi", false, true, [true]]), "{found}");
        // Nothing is kept, and what would keep it was not loaded.
        let loaded =
            "const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
            return indexedDB.databases().then((databases) =>
                loaded.some((name) => name.includes('store')) || databases.length > 0)";
        ensure!(eval(&ann, loaded).await? == false);
        // Whoever writes nonsense is told so.
        let wrong = "try { client.say('x', { conversation: 'nobody' }) } catch (error) { return error.name }";
        ensure!(eval(&ann, wrong).await? == "TypeError");
        bed.no_errors().await
    });
}

#[test]
fn a_site_may_let_programs_keep_what_is_said() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let host = Host::start().await?;
        let mut kept = settings(&broker.ws_url());
        kept["history"] = "kept".into();
        let url = host.put("blog/", kept)?;
        host.write_page("blog/index.html", EMPTY)?;
        let tab = bed.firefox().await?.open(&url).await?;
        start_client(&tab, "ann", json!({})).await?;
        let texts = "return client.history().then((all) => all.map(({ text }) => text).join())";
        eval(
            &tab,
            "return client.connect().then(() => client.say('hello'))",
        )
        .await?;
        until(&tab, &format!("{texts}.then((all) => all === 'hello')")).await?;
        // It is there once what is kept was read again.
        let stored = format!("{KEPT} return kept().then((count) => count > 0)");
        until(&tab, &stored).await?;
        tab.reload().await?;
        start_client(&tab, "ann", json!({})).await?;
        eval(&tab, "return client.connect().then(() => null)").await?;
        until(&tab, &format!("{texts}.then((all) => all === 'hello')")).await?;
        bed.no_errors().await
    });
}
