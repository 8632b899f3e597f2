//! Conversations for programs: what is said in channels and to one person, changed, reacted to, and asked for later.

use anyhow::ensure;
use serde_json::json;

use super::{EMPTY, Stage, eval, until};
use crate::support::run;

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
        // Whoever writes nonsense is told so.
        let wrong = "try { client.say('x', { conversation: 'nobody' }) } catch (error) { return error.name }";
        ensure!(eval(&ann, wrong).await? == "TypeError");
        bed.no_errors().await
    });
}
