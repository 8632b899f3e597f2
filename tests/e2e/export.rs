//! What was said is saved as a page, as text and as a file that another browser takes in.

use anyhow::{Context, Result, ensure};
use xtask::testbed::Broker;

use crate::support::{Browser, Tab, run};

/// Notes what is saved, in place of saving it: the names, and the files as texts.
const NOTE: &str = "
    window.saved = {};
    const [made, address] = [new Map(), URL.createObjectURL];
    URL.createObjectURL = (blob) => {
        const url = address(blob);
        made.set(url, blob);
        return url;
    };
    HTMLAnchorElement.prototype.click = function () {
        const name = this.download;
        made.get(this.href).text().then((text) => window.saved[name.split('.').pop()] = { name, text });
    };";

/// Picks a file to import, as the browser's dialog does.
const PICK: &str = "
    const picker = document.querySelector('[data-testid=import-file]');
    const transfer = new DataTransfer();
    transfer.items.add(new File([arguments[0]], arguments[1]));
    picker.files = transfer.files;
    picker.dispatchEvent(new Event('input', { bubbles: true }));
    picker.dispatchEvent(new Event('change', { bubbles: true }));";

/// Presses a button to export, and returns the name of the file and what is in it.
async fn export(tab: &Tab, format: &str, ending: &str) -> Result<(String, String)> {
    tab.click_on(&format!("[data-testid=export][data-format={format}]"))
        .await?;
    tab.until_true("return !!window.saved[arguments[0]]", vec![ending.into()])
        .await?;
    let saved = tab
        .script("return window.saved[arguments[0]]", vec![ending.into()])
        .await?;
    let text = |field: &str| saved[field].as_str().map(str::to_owned);
    text("name").zip(text("text")).context("a file")
}

/// Imports a file, and waits until this stands beside the button.
async fn import(tab: &Tab, file: &str, words: &str) -> Result<()> {
    tab.script(PICK, vec![file.into(), "export.json".into()])
        .await?;
    let says = "return document.querySelector('[data-testid=import-words]').textContent.includes(arguments[0])";
    tab.until_true(says, vec![words.into()]).await
}

async fn until(tab: &Tab, selector: &str) -> Result<()> {
    let find = "return !!document.querySelector(arguments[0])";
    tab.until_true(find, vec![selector.into()]).await
}

/// Opens the menu of the message with this text, and presses one of its entries.
async fn press(tab: &Tab, text: &str, entry: &str) -> Result<()> {
    let find = "const found = [...document.querySelectorAll('[data-testid=message]')]
        .find((message) => message.querySelector('[data-testid=message-text]')?.textContent === arguments[0])
        ?.querySelector('[data-testid=message-menu]');
        found?.click();
        return !!found";
    tab.until_true(find, vec![text.into()]).await?;
    tab.click(entry).await
}

const DIRECT: &str = "[data-testid=conversation]:not([data-id^='#'])";

/// Somebody exports what was said, and somebody else imports it in another profile.
async fn export_and_import(site: &str, [ann, ben, cleo]: [&Browser; 3]) -> Result<()> {
    let [ann, ben] = [ann.open(site).await?, ben.open(site).await?];
    ann.join("ann").await?;
    ben.join("ben").await?;
    ann.sees(&["ben"]).await?;
    ann.say("**bold** <script>alert(1)</script>").await?;
    ben.hears("ann", "bold <script>alert(1)</script>").await?;
    ben.say("not for ever").await?;
    ann.hears("ben", "not for ever").await?;
    press(&ann, "not for ever", "delete").await?;
    press(&ben, "bold <script>alert(1)</script>", "react").await?;
    ben.click_on("[data-testid=emoji][data-emoji='👍']").await?;
    until(&ann, "[data-testid=reaction][data-emoji='👍']").await?;
    ann.click_on("[data-testid=person]").await?;
    ann.click("open-dm").await?;
    ann.say("between us").await?;
    until(&ben, DIRECT).await?;
    ben.click_on(DIRECT).await?;
    ben.say("indeed").await?;
    ann.hears("ben", "indeed").await?;

    ann.script(NOTE, Vec::new()).await?;
    let (name, page) = export(&ann, "html", "html").await?;
    ensure!(
        name.starts_with("rtchat-lobby-20") && name.ends_with(".html"),
        "{name}"
    );
    for part in [
        "<strong>bold</strong> &lt;script&gt;alert(1)&lt;/script&gt;",
        "👍 <bdi translate=\"no\">ben</bdi>",
        "between us",
        "indeed",
        "default-src 'none'",
        "<h3>",
    ] {
        ensure!(page.contains(part), "{part} is not in {page}");
    }
    ensure!(
        !page.contains("<script") && !page.contains("not for ever"),
        "{page}"
    );
    let (_, text) = export(&ann, "text", "txt").await?;
    for part in [
        "ann: **bold** <script>alert(1)</script>",
        "(👍 ben)",
        "ben: indeed",
    ] {
        ensure!(text.contains(part), "{part} is not in {text}");
    }
    ensure!(!text.contains("not for ever"), "{text}");
    let (name, file) = export(&ann, "json", "json").await?;
    ensure!(
        name.ends_with(".json") && !file.contains("not for ever"),
        "{name}: {file}"
    );
    ann.close().await?;
    ben.close().await?;

    // Files that are something else change nothing, and it is said why.
    let cleo = cleo.open(site).await?;
    cleo.join("cleo").await?;
    import(&cleo, "Dear Ann", "cannot be read").await?;
    import(&cleo, "{}", "not one that rtchat exported").await?;
    let later = file.replacen("\"version\": 1", "\"version\": 2", 1);
    import(&cleo, &later, "of a version").await?;
    // The last letter of the first entry is a part of its text.
    let end = file.find("\"entry\": \"").context("an entry")? + "\"entry\": \"".len();
    let end = end + file[end..].find('"').context("its end")? - 3;
    let other = if &file[end..=end] == "A" { "B" } else { "A" };
    let forged = [&file[..end], other, &file[end + 1..]].concat();
    import(&cleo, &forged, "Message 1 in this file is damaged").await?;
    ensure!(cleo.page().await?.messages.is_empty());

    // The whole file is taken, once.
    import(&cleo, &file, "4 messages, changes and reactions imported.").await?;
    import(
        &cleo,
        &file,
        "Nothing new was imported. 4 were here already.",
    )
    .await?;
    for reloaded in [false, true] {
        if reloaded {
            cleo.reload().await?;
        }
        cleo.hears("ann", "bold <script>alert(1)</script>").await?;
        until(&cleo, "[data-testid=reaction][data-emoji='👍']").await?;
        ensure!(!cleo.page().await?.has("imported"));
        cleo.click_on(DIRECT).await?;
        cleo.hears("ben", "indeed").await?;
        let marks = "return document.querySelectorAll('[data-testid=imported]').length === 2";
        cleo.until_true(marks, Vec::new()).await?;
    }
    // It can be read and deleted, and not answered.
    press(&cleo, "between us", "delete").await?;
    import(
        &cleo,
        &file,
        "1 was deleted here before, and not brought back.",
    )
    .await?;
    ensure!(!cleo.page().await?.has_message("ann", "between us"));
    cleo.click("import-deleted").await?;
    cleo.hears("ann", "between us").await?;
    cleo.close().await
}

#[test]
fn what_chromium_exports_firefox_imports_and_the_other_way_round() {
    run(|bed| async move {
        let broker = Broker::rumqttd().await?;
        let [chromium, firefox] = [bed.chromium().await?, bed.firefox().await?];
        let (other_chromium, other_firefox) = (bed.chromium().await?, bed.firefox().await?);
        let site = bed.site(&broker).await?;
        export_and_import(site.url(), [&chromium, &firefox, &other_firefox]).await?;
        let site = bed.site(&broker).await?;
        export_and_import(site.url(), [&firefox, &chromium, &other_chromium]).await?;
        bed.no_errors().await
    });
}
