//! Handlers and trust decisions refer to a peer and its key, and not to the current bearer of a name.

use anyhow::ensure;
use serde_json::json;

use super::{EMPTY, Stage, eval, seen, start_client, until};
use crate::support::run;

/// Records the key of the `Peer` that is the last argument of every event about a peer.
const RECORD_KEYS: &str = r#"
    window.keys = [];
    const events = ["connectionrequest", "connectedtopeer", "disconnectedfrompeer", "question", "answer", "chat", "dm",
        "data", "file", "typing", "namechange", "validation"];
    for (const event of events) {
        client.on(event, (...values) => {
            const peer = values.at(-1);
            keys.push([event, peer.key, peer.id]);
            if (event === "connectionrequest") return true;
            if (event === "question") return "yes";
            if (event === "file") values[0].refuse();
        });
    }"#;

#[test]
fn every_handler_gets_the_peer_as_its_last_argument() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let ann = bed.chromium().await?.open(&stage.url).await?;
        let ben = bed.firefox().await?.open(&stage.url).await?;
        start_client(&ann, "ann", json!({})).await?;
        eval(&ann, RECORD_KEYS).await?;
        start_client(&ben, "ben", json!({})).await?;
        for (tab, other) in [(&ann, "ben"), (&ben, "ann")] {
            let there =
                format!("return (window.peer = client.getPeer('{other}'))?.state === 'verified'");
            until(tab, &there).await?;
        }
        let speak = r#"
            client.typing();
            peer.chat("hello");
            const sending = [peer.send(1), peer.dm(2), peer.ask("there?")];
            return Promise.all(sending).then(() => peer.sendFile(new Blob(["a"]))).catch((error) => error.code);"#;
        ensure!(eval(&ben, speak).await? == "refused");
        eval(&ben, "client.on('question', () => 'yes')").await?;
        ensure!(eval(&ann, "return peer.ask('there?')").await? == "yes");
        eval(&ben, "client.changeName('bernd')").await?;
        until(&ann, "return peer.user === 'bernd'").await?;
        eval(&ben, "client.disconnect()").await?;
        until(&ann, "return peer.state === 'gone'").await?;
        let script = r#"
            const reported = new Set(keys.map(([event]) => event));
            const others = keys.filter(([, key, id]) => key !== peer.key || id !== peer.id);
            return [reported.size, others, peer.key.length, peer.name];"#;
        let reported = eval(&ann, script).await?;
        ensure!(reported == json!([12, [], 44, "bernd"]), "{reported}");
        bed.no_errors().await
    });
}

#[test]
fn a_name_taken_over_by_another_key_carries_no_trust() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let keep = r#"
            window.friend = peer;
            window.reported = new Promise((done) => client.once("disconnectedfrompeer", (user, reason, peer) => done(peer)));
            return client.safetyNumber(friend);"#;
        let number = eval(&ann, keep).await?;
        eval(&ben, "client.disconnect()").await?;
        seen(&ann, "['disconnectedfrompeer', 'ben', 'left']").await?;

        // Another peer joins with the name that has just become free.
        let eve = bed.chromium().await?.open(&stage.url).await?;
        start_client(&eve, "ben", json!({ "storage": "memory" })).await?;
        until(
            &ann,
            "return client.peers.some((peer) => peer.name === 'ben' && peer.state === 'verified')",
        )
        .await?;
        let script = r#"
            const outcome = (deciding) => deciding.then(() => "done", (error) => error.code);
            const [stranger] = client.peers;
            const names = [];
            for (const name of ["ben", stranger.user]) {
                try { names.push(client.safetyNumber(name)); } catch (error) { names.push(error.name); }
            }
            return reported.then(async (reported) => [
                reported === friend, stranger === friend, friend.name, stranger.name, stranger.trust,
                client.safetyNumber(friend), client.safetyNumber(stranger) === client.safetyNumber(friend), names,
                await outcome(friend.markVerified()), await outcome(friend.acceptKey()), await outcome(friend.block()),
            ]);"#;
        let said = eval(&ann, script).await?;
        let expected = json!([
            true,
            false,
            "ben",
            "ben",
            "name-on-another-key",
            number,
            false,
            ["TypeError", "TypeError"],
            "gone",
            "gone",
            "gone",
        ]);
        ensure!(said == expected, "{said}");
        // The decisions about the friend did not affect the stranger, who is still connected.
        let trust = "const [stranger] = client.peers; return [stranger.trust, stranger.state]";
        ensure!(eval(&ann, trust).await? == json!(["name-on-another-key", "verified"]));

        // The person accepts the name, and the decision applies to the stranger's key.
        eval(&ann, "return client.peers[0].acceptKey({ name: 'ben' })").await?;
        until(
            &ann,
            "return client.peers[0].trust !== 'name-on-another-key'",
        )
        .await?;
        bed.no_errors().await
    });
}

#[test]
fn a_decision_under_another_name_is_refused() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        eval(&ann, "window.shown = { name: peer.name }").await?;
        // The peer changes its name while the person compares the safety number.
        eval(&ben, "client.changeName('bank')").await?;
        seen(&ann, "['namechange', 'ben', 'bank']").await?;
        let script = r#"
            const outcome = (deciding) => deciding.then(() => "done", (error) => [error.code, error.message]);
            return Promise.all([peer.markVerified(shown), peer.acceptKey(shown)].map(outcome))
                .then((outcomes) => [...outcomes, peer.trust, client.users]);"#;
        let said = eval(&ann, script).await?;
        for refused in 0..2 {
            ensure!(said[refused][0] == "refused", "{said}");
            ensure!(
                said[refused][1].to_string().contains("changed their name"),
                "{said}"
            );
        }
        ensure!(
            said[2] != "verified" && said[3] == json!(["bank"]),
            "{said}"
        );
        eval(&ann, "return peer.markVerified({ name: 'bank' })").await?;
        until(&ann, "return peer.trust === 'verified'").await?;
        bed.no_errors().await
    });
}

#[test]
fn unanswered_questions_of_one_peer_are_limited() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let wait = r#"
            window.answers = [];
            client.on("question", () => new Promise((answer) => answers.push(answer)));"#;
        eval(&ben, wait).await?;
        let flood = r#"
            window.refused = [];
            for (let n = 0; n < 300; n += 1) peer.ask(n).catch((error) => refused.push(error.message));"#;
        eval(&ann, flood).await?;
        until(&ann, "return refused.length === 44").await?;
        let words = eval(&ann, "return refused[0]").await?;
        ensure!(words == "Too many questions are unanswered.", "{words}");
        ensure!(eval(&ben, "return answers.length").await? == 256);
        // Once these are answered, further questions arrive.
        eval(&ben, "for (const answer of answers) answer(1)").await?;
        eval(
            &ann,
            "window.again = peer.ask('again').then(String, String); return null",
        )
        .await?;
        until(&ben, "return answers.length === 257").await?;
        bed.no_errors().await
    });
}
