//! The module's use of the browser's storage.

use anyhow::ensure;
use serde_json::json;

use super::files::{MIB, ON_DISK, TAKE, make};
use super::{EMPTY, Stage, eval, start_client, until};
use crate::support::run;

#[test]
fn nothing_is_stored_with_storage_in_memory() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({ "storage": "memory" })).await?;
        for (from, to) in [(&ann, &ben), (&ben, &ann)] {
            eval(to, TAKE).await?;
            let hash = make(from, 9 * MIB).await?;
            eval(from, "return peer.sendFile(made)").await?;
            let its = until(to, "return files[0]?.came && files[0]").await?;
            ensure!(its["hash"] == hash, "{its}");
            eval(to, "return peer.markVerified()").await?;
        }
        let stored = r#"
            return navigator.storage.getDirectory().then(async (root) => {
                const names = [];
                for await (const name of root.keys()) names.push(name);
                return [...names, ...Object.keys(localStorage), ...Object.keys(sessionStorage)];
            });"#;
        for tab in [&ann, &ben] {
            let stored = eval(tab, stored).await?;
            ensure!(stored == json!([]), "{stored}");
        }
        bed.no_errors().await
    });
}

#[test]
fn files_of_closed_pages_are_removed() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let chromium = bed.chromium().await?;
        let firefox = bed.firefox().await?;
        for (browser, other) in [(&chromium, &firefox), (&firefox, &chromium)] {
            let ann = other.open(&stage.url).await?;
            start_client(&ann, "ann", json!({ "storage": "memory" })).await?;
            make(&ann, 9 * MIB).await?;
            let [closed, open] = [
                browser.open(&stage.url).await?,
                browser.open(&stage.url).await?,
            ];
            for (tab, name) in [(&closed, "ben"), (&open, "cleo")] {
                start_client(tab, name, json!({})).await?;
                eval(tab, TAKE).await?;
                let send = "return (async () => {
                    const peer = client.peers.find(({ name }) => name === arguments[0]);
                    if (peer?.state !== 'verified') return false;
                    await peer.sendFile(made);
                    return true;
                })()";
                until(&ann, &send.replace("arguments[0]", &format!("'{name}'"))).await?;
                until(tab, "return files[0]?.came").await?;
            }
            ensure!(eval(&open, ON_DISK).await? == 2);

            // A page that closes removes its own file and no other. Nothing else removes files at this point.
            closed.close().await?;
            let next = browser.open(&stage.url).await?;
            let one = ON_DISK.replace("names.length", "names.length === 1 && 'one'");
            until(&next, &one).await?;
            // Files that a crashed page left are removed when the next client starts.
            let leave = r#"
                return navigator.storage.getDirectory()
                    .then((root) => root.getDirectoryHandle("rtchat-files"))
                    .then((folder) => folder.getFileHandle("crashed.file", { create: true })).then(() => true);"#;
            eval(&next, leave).await?;
            ensure!(eval(&next, ON_DISK).await? == 2);
            start_client(&next, "dora", json!({})).await?;
            until(&next, &one).await?;
            let read = "return file.accept().then((its) => its.arrayBuffer()).then((its) => its.byteLength)";
            ensure!(eval(&open, read).await? == 9 * MIB);
            open.close().await?;
            let none = ON_DISK.replace("names.length", "names.length === 0 && 'none'");
            until(&next, &none).await?;
            next.close().await?;
            ann.close().await?;
        }
        bed.no_errors().await
    });
}

#[test]
fn files_go_to_the_disk_under_a_strict_policy() {
    run(|bed| async move {
        let policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' 'nonce-worker'; \
            connect-src 'self' ws://127.0.0.1:*";
        let strict = format!(r#"<meta http-equiv="Content-Security-Policy" content="{policy}">"#);
        let page = EMPTY
            .replace("<title>", &format!("{strict}<title>"))
            .replace("<script", r#"<script nonce="worker""#);
        let stage = Stage::with(&page).await?;
        let tabs = stage.two(&bed, json!({})).await?;
        for (from, to) in [(&tabs[0], &tabs[1]), (&tabs[1], &tabs[0])] {
            eval(to, TAKE).await?;
            make(from, 9 * MIB).await?;
            eval(from, "return peer.sendFile(made)").await?;
            until(to, "return files[0]?.came").await?;
            ensure!(eval(to, ON_DISK).await? == 1);
        }
        Ok(())
    });
}

/// Browsers start no worker from another origin.
#[test]
fn large_files_are_kept_in_memory_where_the_module_is_on_another_origin() {
    run(|bed| async move {
        let mut stage = Stage::with(EMPTY).await?;
        let site = bed.site(&stage._broker).await?;
        let there = format!("{}mqtt-rtc.js", site.url());
        let page = EMPTY.replace("./mqtt-rtc.js", &there);
        stage.url = stage._host.write_page("blog/apart.html", &page)?;
        let tabs = stage.two(&bed, json!({})).await?;
        for (from, to) in [(&tabs[0], &tabs[1]), (&tabs[1], &tabs[0])] {
            eval(to, TAKE).await?;
            let hash = make(from, 9 * MIB).await?;
            eval(from, "return peer.sendFile(made)").await?;
            let its = until(to, "return files[0]?.came && files[0]").await?;
            ensure!(
                its["hash"] == hash && eval(to, ON_DISK).await? == 0,
                "{its}"
            );
        }
        Ok(())
    });
}

/// The second tab writes the trust book before its process has received the changes of the first one.
#[test]
fn a_block_is_not_lost_when_two_tabs_write_at_once() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let chromium = bed.chromium().await?;
        let first = chromium.open(&stage.url).await?;
        let second = chromium.open(&stage.url).await?;
        let firefox = bed.firefox().await?;
        let ben = firefox.open(&stage.url).await?;
        let cleo = firefox.open(&stage.url).await?;
        for (tab, name, options) in [
            (&first, "ann", json!({})),
            (&second, "ann", json!({})),
            (&ben, "ben", json!({ "storage": "memory" })),
            (&cleo, "cleo", json!({ "storage": "memory" })),
        ] {
            start_client(tab, name, options).await?;
        }
        for tab in [&first, &second] {
            let there = r#"
                window.people = Object.fromEntries(client.peers.map((peer) => [peer.name, peer]));
                return people.ben?.state === "verified" && people.cleo?.state === "verified";"#;
            until(tab, there).await?;
        }
        let stale = r#"
            const key = "rtchat/1/trust";
            const old = localStorage.getItem(key);
            const read = Storage.prototype.getItem;
            let isStale = true;
            Storage.prototype.getItem = function (name) {
                return isStale && name === key ? old : read.call(this, name);
            };
            window.catchUp = () => { isStale = false; };
            // The events of the other tab come later than this tab's own decision.
            window.events = [];
            window.later = (event) => {
                event.stopImmediatePropagation();
                events.push(event);
            };
            return null;"#;
        // Registered before the client's own listeners.
        eval(&second, stale).await?;
        eval(
            &second,
            "addEventListener('storage', later, { capture: true })",
        )
        .await?;
        eval(&first, "return people.ben.block()").await?;
        eval(
            &second,
            "return people.cleo.markVerified().then(() => catchUp())",
        )
        .await?;
        let kept = r#"
            const lines = (localStorage.getItem("rtchat/1/trust") ?? "").split("\n");
            // The time of the comparison, and whether the key is blocked.
            const of = (peer) => lines.find((line) => line.startsWith(peer.key))?.split("\t").slice(4, 6) ?? [];
            const [[, block], [compared]] = [of(people.ben), of(people.cleo)];
            return block?.startsWith("blocked") && Number(compared) > 0;"#;
        until(&first, kept).await?;
        bed.no_errors().await
    });
}
