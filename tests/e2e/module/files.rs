//! Files that programs send each other.

use anyhow::ensure;
use serde_json::{Value, json};

use super::{EMPTY, Stage, eval, until};
use crate::support::{Tab, run};

/// Accepts every file and records the outcome.
pub(super) const TAKE: &str = r#"
    window.files = [];
    client.on("file", (file, sender) => {
        const its = { name: file.name, size: file.size, type: file.type, said: file.saidType, sender, progress: [] };
        files.push(its);
        window.file = file;
        const stop = new AbortController();
        const onprogress = (progress) => {
            its.progress.push(progress);
            window.interfere?.(stop);
        };
        file.accept({ signal: stop.signal, onprogress }).then(async (whole) => {
            const hash = await crypto.subtle.digest("SHA-256", await whole.arrayBuffer());
            its.hash = Array.from(new Uint8Array(hash)).join();
            its.came = [whole.name, whole.size, whole.type, whole instanceof File];
        }, (error) => { its.error = [error.name === "RTChatError" ? error.code : error.name, error.message]; });
    });"#;

/// Makes a file without short repetitions, and returns its hash.
const MAKE: &str = r#"
    const bytes = new Uint32Array(size / 4);
    for (let at = 0, value = 1; at < bytes.length; at += 1) bytes[at] = value = (value * 1664525 + 1013904223) >>> 0;
    window.made = new File([bytes], "mars.bin", { type: "application/x-moon" });
    return crypto.subtle.digest("SHA-256", bytes).then((hash) => Array.from(new Uint8Array(hash)).join());"#;

pub(super) const MIB: u64 = 1024 * 1024;

pub(super) async fn make(tab: &Tab, size: u64) -> anyhow::Result<Value> {
    eval(tab, &format!("const size = {size};{MAKE}")).await
}

#[test]
fn files_arrive_both_ways_with_progress() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tabs = stage.two(&bed, json!({})).await?;
        for (from, to, name) in [(0, 1, "ann"), (1, 0, "ben")] {
            let (from, to) = (&tabs[from], &tabs[to]);
            eval(to, TAKE).await?;
            let hash = make(from, 5 * MIB).await?;
            let send = r#"
                const reported = [];
                return peer.sendFile(made, { onprogress: (progress) => reported.push(progress) }).then(() => reported);"#;
            let reported = eval(from, send).await?;
            let last = json!({ "bytes": 5 * MIB, "size": 5 * MIB });
            ensure!(
                reported
                    .as_array()
                    .is_some_and(|reported| reported.len() > 1 && reported.last() == Some(&last)),
                "{reported}"
            );
            let its = until(to, "return files[0]?.came && files[0]").await?;
            ensure!(
                its["hash"] == hash && its["progress"].as_array().map(Vec::len) > Some(1),
                "{its}"
            );
            ensure!(
                its["came"] == json!(["mars.bin", 5 * MIB, "application/octet-stream", true])
                    && its["said"] == "application/x-moon",
                "{its}"
            );
            ensure!(its["sender"] == name, "{its}");

            // An empty blob is a file, too, and a blob without a name gets one.
            eval(from, "return peer.sendFile(new Blob([]))").await?;
            let came = until(to, "return files[1]?.came").await?;
            ensure!(
                came == json!(["file", 0, "application/octet-stream", true]),
                "{came}"
            );
            // Values do not wait for files.
            let send = r#"
                const sending = peer.sendFile(made, { name: "again" });
                return peer.ping().then(() => sending).then(() => "both");"#;
            ensure!(eval(from, send).await? == "both");
        }
        bed.no_errors().await
    });
}

/// The number of files on the disk.
pub(super) const ON_DISK: &str = r#"
    return navigator.storage.getDirectory().then((root) => root.getDirectoryHandle("rtchat-files"))
        .then(async (folder) => {
            const names = [];
            for await (const name of folder.keys()) names.push(name);
            return names.length;
        }, () => 0);"#;

/// Sends a large file in each direction.
async fn exchange(tabs: &[Tab]) -> anyhow::Result<()> {
    for (from, to) in [(&tabs[0], &tabs[1]), (&tabs[1], &tabs[0])] {
        eval(to, TAKE).await?;
        let hash = make(from, 9 * MIB).await?;
        eval(from, "return peer.sendFile(made)").await?;
        let its = until(to, "return files[0]?.came && files[0]").await?;
        ensure!(its["hash"] == hash, "{its}");
    }
    Ok(())
}

#[test]
fn large_files_are_stored_on_the_disk() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let tabs = stage.two(&bed, json!({})).await?;
        exchange(&tabs).await?;
        for tab in &tabs {
            ensure!(eval(tab, ON_DISK).await? == 1);
        }
        // An aborted file is removed from the disk.
        let [ann, ben] = &tabs;
        eval(ben, "window.interfere = (stop) => stop.abort()").await?;
        let stopped = "return peer.sendFile(made).then(() => 'sent', (error) => error.code)";
        ensure!(eval(ann, stopped).await? == "failed");
        until(
            ben,
            &ON_DISK.replace("names.length", "names.length === 1 && 'one'"),
        )
        .await?;
        bed.no_errors().await
    });
}

#[test]
fn large_files_are_kept_in_memory_where_a_policy_allows_no_worker() {
    run(|bed| async move {
        let policy = r#"<meta http-equiv="Content-Security-Policy" content="worker-src 'none'">"#;
        let stage = Stage::with(&EMPTY.replace("<title>", &format!("{policy}<title>"))).await?;
        let tabs = stage.two(&bed, json!({})).await?;
        exchange(&tabs).await?;
        for tab in &tabs {
            ensure!(eval(tab, ON_DISK).await? == 0);
        }
        Ok(())
    });
}

/// Pages in an insecure context have neither hashes nor locks nor disk storage. One of the two pages imitates that.
#[test]
fn files_are_checked_where_the_browser_cannot_hash() {
    run(|bed| async move {
        let hide = r#"<script>
            window.subtle = crypto.subtle;
            if (navigator.userAgent.includes("Firefox"))
                for (const [prototype, name] of [[Crypto.prototype, "subtle"], [Crypto.prototype, "randomUUID"],
                    [Navigator.prototype, "locks"], [Navigator.prototype, "storage"]])
                    Object.defineProperty(prototype, name, { value: undefined });
        </script>"#;
        let stage = Stage::with(&EMPTY.replace("<title>", &format!("{hide}<title>"))).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        for tab in [&ann, &ben] {
            eval(tab, &TAKE.replace("crypto.subtle", "subtle")).await?;
        }
        for (from, to) in [(&ann, &ben), (&ben, &ann)] {
            let make = MAKE.replace("crypto.subtle", "subtle");
            let hash = eval(from, &format!("const size = {};{make}", 3 * MIB)).await?;
            eval(from, "return peer.sendFile(made)").await?;
            let its = until(to, "return files[0]?.came && files[0]").await?;
            ensure!(its["hash"] == hash, "{its}");
        }
        bed.no_errors().await
    });
}

#[test]
fn files_that_a_closed_page_left_on_the_disk_are_removed_later() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        // Leave a file behind, as a closed page could.
        let left = r#"
            return navigator.storage.getDirectory()
                .then((root) => root.getDirectoryHandle("rtchat-files", { create: true }))
                .then((folder) => folder.getFileHandle("gone.file", { create: true })).then(() => true);"#;
        eval(&ben, left).await?;
        eval(&ben, TAKE).await?;
        make(&ann, 9 * MIB).await?;
        eval(&ann, "return peer.sendFile(made)").await?;
        let names = r#"
            return navigator.storage.getDirectory().then((root) => root.getDirectoryHandle("rtchat-files"))
                .then((folder) => folder.getFileHandle("gone.file")).then(() => false, () => true);"#;
        until(&ben, names).await?;
        let read = "return files[0].came && file.accept().then((its) => its.slice(0, 4).arrayBuffer()).then((its) => its.byteLength)";
        ensure!(until(&ben, read).await? == 4);
        bed.no_errors().await
    });
}

#[test]
fn a_file_can_be_refused_cancelled_and_lost() {
    run(|bed| async move {
        let stage = Stage::with(EMPTY).await?;
        let [ann, ben] = stage.two(&bed, json!({})).await?;
        make(&ann, 4 * MIB).await?;
        let fails = r#"const outcome = (sending) => sending.then(() => "sent", (error) =>
            [error.name === "RTChatError" ? error.code : error.name, error.message]);"#;
        let eval_in_ann = async |script: &str| eval(&ann, &format!("{fails}{script}")).await;

        // No handler is registered for files.
        let refused = eval_in_ann("return outcome(peer.sendFile(made))").await?;
        let words = json!(["refused", "No program takes files here."]);
        ensure!(refused == words, "{refused}");
        eval(
            &ben,
            "client.once('file', (file) => file.refuse('Not today.'))",
        )
        .await?;
        let refused = eval_in_ann("return outcome(peer.sendFile(made))").await?;
        ensure!(refused == json!(["refused", "Not today."]), "{refused}");
        let wrong = r#"return Promise.all([
            outcome(peer.sendFile("text")), outcome(peer.sendFile(made, { name: "../mars" })),
            outcome(peer.sendFile(made, { signal: AbortSignal.abort() }))])"#;
        let wrong = eval_in_ann(wrong).await?;
        ensure!(
            wrong[0][0] == "TypeError" && wrong[1][0] == "refused" && wrong[2][0] == "AbortError",
            "{wrong}"
        );

        // The sender aborts half-way.
        eval(&ben, TAKE).await?;
        let half_way = r#"
            const stop = new AbortController();
            return outcome(peer.sendFile(made, { signal: stop.signal, onprogress: () => stop.abort() }));"#;
        let stopped = eval_in_ann(half_way).await?;
        ensure!(stopped[0] == "AbortError", "{stopped}");
        let error = until(&ben, "return files.at(-1)?.error").await?;
        let cancelled = json!(["failed", "The other side cancelled."]);
        ensure!(error == cancelled, "{error}");

        // The receiver aborts.
        eval(&ben, "window.interfere = (stop) => stop.abort()").await?;
        let stopped = eval_in_ann("return outcome(peer.sendFile(made))").await?;
        ensure!(stopped == cancelled, "{stopped}");
        until(&ben, "return files.at(-1)?.error?.[0] === 'AbortError'").await?;

        // Aborted files do not affect the next one.
        eval(&ben, "window.interfere = undefined").await?;
        ensure!(eval_in_ann("return outcome(peer.sendFile(made))").await? == "sent");

        // A peer that leaves neither receives nor sends files any more.
        eval(&ben, "window.interfere = () => client.disconnect()").await?;
        let lost = eval_in_ann("return outcome(peer.sendFile(made))").await?;
        ensure!(lost[0] == "gone", "{lost}");
        until(&ben, "return files.at(-1)?.error?.[0] === 'gone'").await?;
        let lost = eval_in_ann("return outcome(peer.sendFile(made))").await?;
        ensure!(lost[0] == "gone", "{lost}");
        Ok(())
    });
}
