//! Files that programs put into conversations and take from them, among each other and with people on the page.

use anyhow::{Result, ensure};
use serde_json::json;
use xtask::testbed::Broker;

use super::files::{MIB, make};
use super::{EMPTY, eval, start_client, until};
use crate::support::{Host, Tab, run, settings};

/// Records the messages that have a file beside them.
const RECORD: &str = "window.messages = new Map();
    for (const event of ['message', 'messagechange']) client.on(event, (message) => messages.set(message.id, message));
    window.withFile = (name) => [...messages.values()].find(({ file }) => file?.name === name);";

/// Fetches the file of this name, and records how that ends.
async fn fetch(tab: &Tab, name: &str) -> Result<()> {
    let script = format!(
        "window.came = undefined; window.progress = [];
        client.fetchFile(withFile('{name}').file, {{ onprogress: (one) => progress.push(one) }}).then(async (whole) => {{
            const hash = await crypto.subtle.digest('SHA-256', await whole.arrayBuffer());
            window.came = [whole.name, whole.size, whole.type, whole.saidType, Array.from(new Uint8Array(hash)).join()];
        }}, ({{ code, message }}) => {{ window.came = [code, message]; }})"
    );
    eval(tab, &script).await?;
    Ok(())
}

#[test]
fn programs_and_people_put_files_into_conversations_and_fetch_them() {
    run(|bed| async move {
        let (broker, host) = (Broker::rumqttd().await?, Host::start().await?);
        let page = host.put("chat/", settings(&broker.ws_url()))?;
        let program = host.put("blog/", settings(&broker.ws_url()))?;
        host.write_page("blog/index.html", EMPTY)?;
        let options = json!({ "page": page });
        let ann = bed.chromium().await?.open(&program).await?;
        start_client(&ann, "ann", options.clone()).await?;
        let ben = bed.firefox().await?.open(&program).await?;
        start_client(&ben, "ben", options.clone()).await?;
        let dora = bed.chromium().await?.open(&page).await?;
        dora.join("dora").await?;
        dora.sees(&["ann", "ben"]).await?;
        for tab in [&ann, &ben] {
            eval(tab, RECORD).await?;
            until(tab, "return client.users.length === 2").await?;
        }

        // Ann's program sends a file to all, and says something with it. The promise has the message's id.
        let hash = make(&ann, 5 * MIB).await?;
        let send = "return client.sendFile(made, { text: 'The *moon*', name: 'moon.bin' }).then((id) => messages.get(id)?.text)";
        ensure!(eval(&ann, send).await? == "The *moon*");
        let described = until(&ben, "const said = withFile('moon.bin'); return said && [said.text, said.file.size, said.file.type, said.file.saidType]").await?;
        let expected = json!([
            "The *moon*",
            5 * MIB,
            "application/octet-stream",
            "application/x-moon"
        ]);
        ensure!(described == expected, "{described}");
        fetch(&ben, "moon.bin").await?;
        let came = until(&ben, "return window.came").await?;
        let expected = json!([
            "moon.bin",
            5 * MIB,
            "application/octet-stream",
            "application/x-moon",
            hash
        ]);
        ensure!(came == expected, "{came}");
        let last = eval(&ben, "return progress.at(-1)").await?;
        ensure!(
            last == json!({ "bytes": 5 * MIB, "size": 5 * MIB }),
            "{last}"
        );
        // It is here now, and whoever has it has it at once.
        fetch(&ben, "moon.bin").await?;
        ensure!(until(&ben, "return window.came").await? == expected);

        // On the page it stands beside the message, like one that was sent there.
        dora.hears("ann", "The moon").await?;
        let accept = "const button = document.querySelector('[data-name=\"moon.bin\"] [data-testid=accept-file]');
            button?.click(); return !!button";
        dora.until_true(accept, Vec::new()).await?;
        let done = "return !!document.querySelector('[data-name=\"moon.bin\"][data-state=done]')";
        dora.until_true(done, Vec::new()).await?;

        // What dora sends to ben alone, his program fetches, and nobody else hears of it.
        dora.click_on("[data-testid=peer][data-user=ben] [data-testid=person]")
            .await?;
        dora.click("open-dm").await?;
        let pick = "const picker = document.querySelector('[data-testid=file-input]');
            const transfer = new DataTransfer();
            transfer.items.add(new File(['only for ben'], 'note.txt', { type: 'text/plain' }));
            picker.files = transfer.files;
            picker.dispatchEvent(new Event('change', { bubbles: true }));";
        dora.script(pick, Vec::new()).await?;
        let ready = "return !!document.querySelector('[data-testid=chip][data-state=ready]')";
        dora.until_true(ready, Vec::new()).await?;
        dora.click("send").await?;
        until(&ben, "return !!withFile('note.txt')").await?;
        fetch(&ben, "note.txt").await?;
        let came = until(&ben, "return window.came").await?;
        ensure!(
            came[0] == "note.txt" && came[1] == 12 && came[2] == "text/plain",
            "{came}"
        );
        ensure!(eval(&ann, "return withFile('note.txt') === undefined").await? == true);

        // Ben's program answers there with a picture, which the page shows.
        let answer = "const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
            canvas.getContext('2d').fillRect(0, 0, 9, 9);
            return new Promise((done) => canvas.toBlob(done)).then((blob) =>
                client.sendFile(blob, { conversation: withFile('note.txt').key, name: 'dot.png' })).then((id) => typeof id)";
        ensure!(eval(&ben, answer).await? == "string");
        let accept = accept.replace("moon.bin", "dot.png");
        dora.until_true(&accept, Vec::new()).await?;
        let shown =
            "return document.querySelector('img[data-testid=picture]')?.naturalWidth === 40";
        dora.until_true(shown, Vec::new()).await?;

        // Mistakes are told, and what is given up does not come.
        for (call, says) in [
            ("client.sendFile('text')", "TypeError"),
            (
                "client.sendFile(made, { conversation: 'nobody' })",
                "TypeError",
            ),
            (
                "client.sendFile(made, { conversation: '#elsewhere' })",
                "refused",
            ),
            (
                "client.sendFile(made, { text: 'x'.repeat(10001) })",
                "refused",
            ),
            (
                "client.fetchFile({ name: 'x', hash: 'x', size: 1, type: '', saidType: '' })",
                "gone",
            ),
            (
                "client.fetchFile(withFile('moon.bin').file, { signal: AbortSignal.abort() })",
                "AbortError",
            ),
        ] {
            let script = format!(
                "return {call}.then(() => 'done', (error) => error.name === 'RTChatError' ? error.code : error.name)"
            );
            let told = eval(&ann, &script).await?;
            ensure!(told == says, "{call}: {told}");
        }
        bed.no_errors().await
    });
}
