//! The client: peers, names, handlers, connecting and disconnecting.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{EMPTY, Stage, eval, seen, start_client, until};
use crate::support::run;

#[test]
fn invalid_options_are_named_and_refused() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tab = bed.chromium().await?.open(&stage.url).await?;
        until(&tab, "return 'module' in window").await?;
        let script = r#"
            const refused = (options) => {
                try {
                    new module.MQTTRTCClient(options).disconnect();
                    return "taken";
                } catch (error) {
                    return `${error.name}: ${error.message}`;
                }
            };
            return [
                refused("ann"), refused({ nmae: "ann" }), refused({ name: "a\nb" }), refused({ name: () => "ann" }),
                refused({ brokers: [] }), refused({ accept: "all" }), refused({ questionHandlers: { a: 7 } }),
                refused({ page: "about:blank" }), refused({ config: "http://" }), refused({ userInfo: 7 }),
                refused({ name: undefined, storage: "memory", page: "../elsewhere" }),
            ];"#;
        let refused = eval(&tab, script).await?;
        let expected = [
            "TypeError: The option \"options\" should be an object",
            "TypeError: The option \"nmae\" should be left out",
            "TypeError: The option \"name\" should be a text of 1 to 40 characters",
            "TypeError: The option \"name\" should be a text of 1 to 40 characters",
            "TypeError: The option \"brokers\" should be a list with at least one entry",
            "TypeError: The option \"accept\" should be \"everyone\", \"ask\" or \"known\"",
            "TypeError: The option \"questionHandlers\" should be an object with a function",
            "TypeError: The option \"page\" should be the address of a page",
            "TypeError: The option \"config\" should be the address of a file",
            "TypeError: The option \"userInfo\" should be an object",
            "taken",
        ];
        for (at, expected) in expected.iter().enumerate() {
            let said = refused[at].as_str().unwrap_or_default();
            ensure!(said.starts_with(expected), "{said} is not {expected}");
        }
        let wrong = "try { new module.MQTTRTCClient().on('conected', () => {}) } catch (error) { return error.message }";
        let said = eval(&tab, wrong).await?.to_string();
        ensure!(
            said.contains("conected") && said.contains("connectedtopeer"),
            "{said}"
        );
        bed.no_errors().await
    });
}

#[test]
fn a_late_listener_is_told_the_current_state() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let options = json!({ "userInfo": { "plays": "chess" } });
        let [ann, ben] = stage.two(&bed, options).await?;
        let script = r#"
            const reported = [];
            client.on("connectedtopeer", (user, info) => reported.push(["connectedtopeer", user, info]));
            client.once("validation", (user, validation) => reported.push([user, validation, peer.fingerprint]));
            client.on("status", (status) => reported.push(status));
            const gone = () => reported.push("taken off");
            client.on("connectedtopeer", gone);
            client.off("connectedtopeer", gone);
            const atOnce = reported.length;
            return new Promise((done) => setTimeout(() => done([atOnce, ...reported])));"#;
        let reported = eval(&ann, script).await?;
        ensure!(
            reported[0] == 0,
            "handlers must not run inside of on(): {reported}"
        );
        ensure!(
            reported
                .as_array()
                .is_some_and(|reported| reported.len() == 4),
            "{reported}"
        );
        let text = reported.to_string();
        ensure!(
            text.contains(r#"["connectedtopeer","ben",{"plays":"chess"}]"#),
            "{reported}"
        );
        let status = json!({ "state": "connected", "people": 1, "reconnecting": 0, "ownTabs": 0 });
        ensure!(reported[3] == status, "{reported}");
        let validation = &reported[2];
        ensure!(
            validation[1]["known"] == false
                && validation[1]["verified"] == false
                && validation[1]["fingerprint"] == validation[2],
            "{reported}"
        );
        let here = eval(
            &ben,
            "return [client.name, client.room, client.users, client.peers[0] === peer, peer.trust, client.stats().connectionsOpened > 0]",
        )
        .await?;
        ensure!(
            here == json!(["ben", "lobby", ["ann"], true, "new", true]),
            "{here}"
        );
        let numbers = [
            eval(&ann, "return client.safetyNumber(peer)").await?,
            eval(&ben, "return client.safetyNumber(peer)").await?,
        ];
        ensure!(
            numbers[0].is_string() && numbers[0] == numbers[1],
            "{numbers:?}"
        );

        // Another tab of ben's is no further person to him, and is told apart.
        eval(
            &ben,
            "client.on('status', (status) => { window.last = status })",
        )
        .await?;
        let script = r#"
            window.other = new module.MQTTRTCClient({ name: "ben" });
            other.on("status", (status) => { window.others = status });"#;
        eval(&ben, script).await?;
        until(&ben, "return last.people === 1 && last.ownTabs === 1").await?;
        eval(&ann, "client.disconnect()").await?;
        for status in ["last", "others"] {
            let alone = format!(
                "return {status}.state === 'looking' && {status}.people === 0 && {status}.ownTabs === 1"
            );
            until(&ben, &alone).await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn every_change_of_a_name_is_an_event() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        eval(&ann, "client.changeName('anna')").await?;
        seen(&ben, "['namechange', 'ann', 'anna']").await?;
        let names = eval(
            &ben,
            "return [peer.user, client.users, client.getPeer('ann') ?? null]",
        )
        .await?;
        ensure!(names == json!(["anna", ["anna"], null]), "{names}");
        ensure!(eval(&ann, "return client.name").await? == "anna");
        let refused = eval(
            &ann,
            "try { client.changeName('') } catch (error) { return error.name }",
        )
        .await?;
        ensure!(refused == "TypeError", "{refused}");

        // A second key with the same name changes how both are displayed.
        eval(&ben, "client.changeName('cleo')").await?;
        seen(&ann, "['namechange', 'ben', 'cleo']").await?;
        let other = bed.chromium().await?.open(&stage.url).await?;
        start_client(&other, "cleo", json!({ "storage": "memory" })).await?;
        until(&ann, "return client.users.length === 2").await?;
        let users = eval(&ann, "return client.users").await?;
        let users: Vec<&str> = users
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        ensure!(
            users.iter().all(|user| user.starts_with("cleo (")),
            "{users:?}"
        );
        let reported = eval(
            &ann,
            "return seen.filter(([event]) => event === 'namechange').length",
        )
        .await?;
        ensure!(reported == 2, "{reported} name changes");
        bed.no_errors().await
    });
}

#[test]
fn disconnecting_ends_everything_and_connecting_again_works() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let script = r#"
            client.disconnect();
            client.disconnect();
            return Promise.all([client.users, peer.state, client.stats() ?? null, client.getPeer("ben") ?? null,
                peer.send(1).catch((error) => error.code), seen.at(-1)]);"#;
        let left = eval(&ann, script).await?;
        let expected = json!([
            [],
            "gone",
            null,
            null,
            "gone",
            ["disconnectedfrompeer", "ben", "disconnected"]
        ]);
        ensure!(left == expected, "{left}");
        seen(&ben, "['disconnectedfrompeer', 'ann', 'left']").await?;
        let entered = "const entering = client.connect();
            return entering === client.connect() && entering.then(() => client.name)";
        ensure!(eval(&ann, entered).await? == "ann");
        until(&ben, "return client.getPeer('ann')?.state === 'verified'").await?;
        until(
            &ann,
            "return client.getPeer('ben')?.state === 'verified' && client.getPeer('ben') !== peer",
        )
        .await?;

        // Calls from inside a handler.
        let script = r#"
            return new Promise((done) => {
                client.once("disconnectedfrompeer", () => {
                    client.connect();
                    done(true);
                });
                client.once("status", () => client.disconnect());
            });"#;
        ensure!(eval(&ann, script).await? == true);
        until(&ann, "return client.getPeer('ben')?.state === 'verified'").await?;
        bed.no_errors().await
    });
}

#[test]
fn a_client_that_has_left_keeps_nothing_open() {
    run(|bed| async move {
        let stage = Stage::with(include_str!("counted.html")).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let count = r#"return {
            sockets: open.sockets.filter((socket) => socket.readyState < 2).length,
            connections: open.connections.filter((its) => its.connectionState !== "closed").length,
            timers: open.timers.size,
        }"#;
        for tab in [&ann, &ben] {
            let before = eval(tab, count).await?;
            let some = |what: &str| before[what].as_u64() > Some(0);
            ensure!(
                some("sockets") && some("connections") && some("timers"),
                "{before}"
            );
        }
        for tab in [&ann, &ben] {
            eval(tab, "client.disconnect()").await?;
        }
        for tab in [&ann, &ben] {
            let closed = count.replace("return", "const now =")
                + "; return now.sockets + now.connections + now.timers === 0";
            let closed = until(tab, &closed).await;
            ensure!(closed.is_ok(), "still open: {}", eval(tab, count).await?);
        }
        bed.no_errors().await
    });
}

#[test]
fn a_handler_that_throws_does_not_stop_the_others() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        let script = r#"
            client.on("namechange", () => { throw new Error("out of tune"); });
            client.on("namechange", () => Promise.reject("far out of tune"));
            client.on("error", () => { throw new Error("cannot even complain"); });
            client.on("namechange", (_, user) => { window.renamed = user; });"#;
        eval(&ann, script).await?;
        eval(&ben, "client.changeName('bernd')").await?;
        until(&ann, "return window.renamed === 'bernd'").await?;
        seen(&ann, "['error', 'Error: out of tune']").await?;
        seen(&ann, "['error', 'Error: far out of tune']").await?;
        ensure!(eval(&ann, "return client.users").await? == json!(["bernd"]));
        Ok(())
    });
}

#[test]
fn a_room_that_cannot_be_joined_reports_why() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tab = bed
            .chromium()
            .await?
            .open(&format!("{}#k=damaged", stage.url))
            .await?;
        start_client(&tab, "ann", json!({})).await?;
        let said = until(
            &tab,
            "return seen.find(([event]) => event === 'error')?.[1]",
        )
        .await?;
        ensure!(said.to_string().contains("damaged"), "{said}");
        let state = "return new Promise((done) => client.on('status', ({ state }) => done(state)))";
        ensure!(eval(&tab, state).await? == "failed");
        let code = eval(&tab, "return client.connect().catch((error) => error.code)").await?;
        ensure!(code == "unavailable", "{code}");
        Ok(())
    });
}

#[test]
fn the_module_and_the_page_meet_in_one_room() {
    run(|bed| async move {
        let broker = xtask::testbed::Broker::rumqttd().await?;
        let site = bed.site(&broker).await?;
        let page = bed.firefox().await?.open(site.url()).await?;
        page.join("ben").await?;
        let tab = bed
            .chromium()
            .await?
            .open(&format!("{}nothing-here", site.url()))
            .await?;
        let script =
            r#"return import("/mqtt-rtc.js").then((module) => { window.module = module })"#;
        eval(&tab, script).await?;
        start_client(&tab, "ann", json!({ "page": "/", "accept": "everyone" })).await?;
        page.sees(&["ann"]).await?;
        page.say("hello, program").await?;
        seen(&tab, "['chat', 'hello, program', 'ben']").await?;
        eval(&tab, "client.chat('hello, person')").await?;
        page.hears("ann", "hello, person").await?;
        bed.no_errors().await
    });
}

#[test]
fn trust_decisions_in_one_tab_apply_in_the_other() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let chromium = bed.chromium().await?;
        let (first, second) = (
            chromium.open(&stage.url).await?,
            chromium.open(&stage.url).await?,
        );
        let ben = bed.firefox().await?.open(&stage.url).await?;
        // A program that writes to the same trust book just before it learns of the other tab's change.
        let quick =
            "addEventListener('storage', () => window.client?.getPeer('ann(2)')?.markVerified())";
        eval(&first, quick).await?;
        for (tab, name) in [(&first, "ann"), (&second, "ann"), (&ben, "ben")] {
            start_client(tab, name, json!({})).await?;
        }
        for tab in [&first, &second] {
            until(
                tab,
                "return (window.peer = client.getPeer('ben'))?.state === 'verified'",
            )
            .await?;
        }
        eval(&first, "peer.markVerified()").await?;
        until(&second, "return peer.trust === 'verified'").await?;
        eval(&second, "peer.block()").await?;
        let gone = r#"["disconnectedfrompeer", "ben", "blocked"]"#;
        seen(&first, gone).await?;
        seen(&second, gone).await?;
        until(&ben, "return client.users.length === 0").await?;
        ensure!(eval(&first, "return client.users.length").await? == 1);
        bed.no_errors().await
    });
}
