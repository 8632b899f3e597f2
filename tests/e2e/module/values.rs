//! Values and questions between peers.

use anyhow::ensure;
use serde_json::json;

use super::{EMPTY, Stage, eval, seen, until};
use crate::support::run;

#[test]
fn values_of_every_type_arrive_in_order_with_their_type() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tabs = stage.two(&bed, json!({})).await?;
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = (&tabs[from], &tabs[to]);
            let listen = r#"
                window.received = [];
                // WebDriver's scripts may run in a frame of their own, with classes of their own.
                const plain = async (value) => {
                    const name = Object.prototype.toString.call(value).slice(8, -1);
                    if (name === "Blob") return [name, value.type, await value.text()];
                    if (name === "ArrayBuffer") return [name, ...new Uint8Array(value)];
                    if (name === "DataView") return [name, value.byteLength, value.getUint8(1)];
                    if (ArrayBuffer.isView(value)) return [name, ...Array.from(value, Number)];
                    return value;
                };
                client.on("data", (value) => received.push(plain(value)));
                client.on("dm", (value) => received.push(plain(value).then((value) => ({ dm: value }))));"#;
            eval(to, listen).await?;
            let send = r#"
                const bytes = new Uint8Array([9, 1, 2, 3, 9]);
                const values = [
                    null, true, -0.5, "\u{1f40c} \u2028 </script>", [1, [2]], { a: { b: null } },
                    bytes.slice(1, 4).buffer, bytes.subarray(1, 4), new Float32Array([0.5, -2]),
                    new Float16Array([0.5]), new BigInt64Array([-5n]), new DataView(bytes.buffer, 1, 3), new Uint16Array(0),
                    new Blob(["slow"], { type: "text/plain" }), "after the slow one",
                    new Blob(["x".repeat(200000)]), "y".repeat(100000), "last",
                ];
                const sending = values.map((value) => peer.send(value));
                sending.push(peer.dm({ secret: 7 }));
                return Promise.all(sending).then((all) => all.length);"#;
            ensure!(eval(from, send).await? == 19);
            let received =
                until(to, "return received.length === 19 && Promise.all(received)").await?;
            let expected = json!([
                null, true, -0.5, "\u{1f40c} \u{2028} </script>", [1, [2]], { "a": { "b": null } },
                ["ArrayBuffer", 1, 2, 3], ["Uint8Array", 1, 2, 3], ["Float32Array", 0.5, -2],
                ["Float16Array", 0.5], ["BigInt64Array", -5], ["DataView", 3, 2], ["Uint16Array"],
                ["Blob", "text/plain", "slow"], "after the slow one",
                ["Blob", "application/octet-stream", "x".repeat(200_000)], "y".repeat(100_000), "last", { "dm": { "secret": 7 } },
            ]);
            ensure!(received == expected, "{received}");
        }
        let refused = r#"
            // Pages without isolation have no constructor for it.
            const shared = new WebAssembly.Memory({ shared: true, initial: 0, maximum: 0 }).buffer;
            const words = (promise) => promise.then(() => "sent", (error) => `${error.name}: ${error.message}`);
            return Promise.all([
                words(peer.send(undefined)), words(peer.send(() => 1)), words(peer.send(7n)),
                words(peer.send({ inside: new Uint8Array(1) })), words(peer.ask(new Map([[1, 2]]))),
                words(client.send({ all: new Set() })), words(peer.send({ a: [1, { b: () => 1 }] })),
                words(peer.send([Promise.resolve(1)])), words(peer.send({ deep: { error: new Error("no") } })),
                words(peer.send({ pattern: /a/ })), words(peer.send(shared)),
                words(peer.send([0 / 0])), words(peer.send([undefined])),
                words(peer.send({ left: undefined, when: new Date(0) })),
            ]);"#;
        let refused = eval(&tabs[0], refused).await?;
        let expected = json!([
            "TypeError: An undefined value cannot be sent: JSON has none.",
            "TypeError: A function cannot be sent: JSON has none.",
            "TypeError: A bigint cannot be sent: JSON has none.",
            "TypeError: A Uint8Array cannot be sent here: only JSON can; it is at inside.",
            "TypeError: The Map cannot be sent: JSON would keep nothing of it.",
            "TypeError: The Set cannot be sent: JSON would keep nothing of it; it is at all.",
            "TypeError: A function cannot be sent: JSON has none; it is at a[1].b.",
            "TypeError: The Promise cannot be sent: JSON would keep nothing of it; it is at [0].",
            "TypeError: The Error cannot be sent: JSON would keep nothing of it; it is at deep.error.",
            "TypeError: The RegExp cannot be sent: JSON would keep nothing of it; it is at pattern.",
            "TypeError: The SharedArrayBuffer cannot be sent: JSON would keep nothing of it.",
            "TypeError: NaN cannot be sent: JSON has none; it is at [0].",
            "TypeError: An undefined value cannot be sent: JSON has none; it is at [0].",
            "sent",
        ]);
        ensure!(refused == expected, "{refused}");
        bed.no_errors().await
    });
}

#[test]
fn many_sends_at_once_all_arrive_in_order() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        // Run this in the page itself, since calls are slow where WebDriver's scripts run.
        let listen = r#"window.eval(`
            window.next = 0;
            window.wrong = 0;
            client.on("data", ([n]) => {
                if (n !== next) wrong += 1;
                next += 1;
            });`)"#;
        for tab in [&ann, &ben] {
            eval(tab, listen).await?;
        }
        let script = r#"return window.eval(`(() => {
            const sending = [];
            for (let n = 0; n < 20000; n += 1) sending.push(peer.send([n, "x".repeat(90)]));
            return Promise.all(sending).then(() => true);
        })()`)"#;
        for (from, to) in [(&ann, &ben), (&ben, &ann)] {
            eval(from, script).await?;
            until(to, "return next === 20000 && wrong === 0").await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn questions_reach_their_handlers_and_answers_return() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let nobody = "return peer.ask('anybody?').catch((error) => [error.code, error.message])";
        let said = eval(&ann, nobody).await?;
        ensure!(said[0] == "failed", "{said}");

        let handlers = r#"
            client.addQuestionHandler("double", (n, sender, { topic, peer }) => [n * 2, sender, topic, peer.user]);
            client.addQuestionHandler("refuse", () => { throw new Error("not today"); });
            client.addQuestionHandler("later", async () => { throw "not tomorrow either"; });
            client.addQuestionHandler("bytes", () => new Blob(["no"]));
            client.addQuestionHandler("never", () => new Promise(() => {}));
            client.on("question", () => undefined);
            client.on("question", (content, sender, { topic }) => ({ content, sender, topic: topic ?? null }));"#;
        eval(&ben, handlers).await?;
        let questions = r#"
            const why = (promise) => promise.catch((error) => [error.code ?? error.name, error.message]);
            const never = new AbortController();
            setTimeout(() => never.abort(), 50);
            return Promise.all([
                why(peer.ask(21, { topic: "double" })),
                why(peer.ask({ a: [1] })),
                why(peer.ask("x", { topic: "unheard of" })),
                why(peer.ask(0, { topic: "refuse" })),
                why(peer.ask(0, { topic: "later" })),
                why(peer.ask(0, { topic: "bytes" })),
                why(peer.ask(0, { topic: "never", timeout: 200 })),
                peer.ask(0, { topic: "never", signal: never.signal }).catch((error) => error.name),
                peer.ask(0, { timeout: -1 }).catch((error) => error.name),
                client.ask("double", 4).then(([{ user, ok, answer }]) => [user, ok, answer[0]]),
                client.ask("refuse", 4).then(([{ user, ok, error }]) => [user, ok, error.message]),
            ]);"#;
        let answers = eval(&ann, questions).await?;
        let expected = json!([
            [42, "ann", "double", "ann"],
            { "content": { "a": [1] }, "sender": "ann", "topic": null },
            { "content": "x", "sender": "ann", "topic": "unheard of" },
            ["failed", "not today"],
            ["failed", "not tomorrow either"],
            ["failed", "A Blob cannot be sent here: only JSON can."],
            ["timeout", answers[6][1]],
            "AbortError",
            "TypeError",
            ["ben", true, 8],
            ["ben", false, "not today"],
        ]);
        ensure!(answers == expected, "{answers}");
        for message in ["not today", "not tomorrow either"] {
            seen(&ben, &format!("['error', 'Error: {message}']")).await?;
        }
        seen(
            &ann,
            "['answer', [42, 'ann', 'double', 'ann'], 'ben', { question: 21 }]",
        )
        .await?;

        // Questions to a peer that leaves fail.
        eval(&ann, "window.open = peer.ask(0, { topic: 'never' }).catch((error) => error.code); return null").await?;
        eval(&ben, "client.disconnect()").await?;
        let code = eval(&ann, "return window.open").await?;
        ensure!(code == "gone", "{code}");
        let codes = "return Promise.all([peer.ask(1), peer.send(1), peer.dm(1), peer.ping()].map((its) => its.catch((error) => error.code)))";
        let codes = eval(&ann, codes).await?;
        ensure!(codes == json!(vec!["gone"; 4]), "{codes}");
        Ok(())
    });
}

#[test]
fn chat_typing_ping_and_disconnect_reach_the_other_peer() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        eval(
            &ann,
            "client.typing(); client.chat('to all'); peer.chat('to you')",
        )
        .await?;
        for event in [
            "['typing', 'ann']",
            "['chat', 'to all', 'ann']",
            "['chat', 'to you', 'ann']",
        ] {
            seen(&ben, event).await?;
        }
        let millis = eval(&ben, "return peer.ping()").await?;
        ensure!(
            millis
                .as_f64()
                .is_some_and(|millis| (0.0..30_000.0).contains(&millis)),
            "{millis}"
        );
        eval(&ann, "peer.disconnect()").await?;
        seen(&ann, "['disconnectedfrompeer', 'ben', 'disconnected']").await?;
        seen(&ben, "['disconnectedfrompeer', 'ann', 'left']").await?;
        ensure!(eval(&ann, "return peer.state").await? == "gone");
        bed.no_errors().await
    });
}
