//! The npm package: served by a content delivery network, and in bundled programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;
use xtask::package::pack;
use xtask::setup::{self, Need, Tools};
use xtask::testbed::{Broker, Site, dist};
use xtask::{process, widget};

use crate::support::{Browser, Cdn, Host, Tab, run, settings};

/// A program that uses the installed module. All bundles name the same page, so that they meet.
const MODULE: &str = r#"
import { MQTTRTCClient } from "rtchat";

const query = new URLSearchParams(location.search);
const client = new MQTTRTCClient({
  name: query.get("name"),
  room: query.get("room"),
  page: "https://example.org/bundled",
  brokers: [query.get("broker")],
  iceServers: [],
  storage: "memory",
});
client.on("question", (question, sender) => `${sender} asked ${question}`);
client.on("connectedtopeer", async (user) => {
  document.body.textContent = await client.getPeer(user).ask("how are you?");
});
client.on("error", (error) => console.error(error));
"#;

/// A program that uses the installed widget.
const WIDGET: &str = r#"
import { RTChat } from "rtchat/widget";

const query = new URLSearchParams(location.search);
RTChat.add({
  name: query.get("name"),
  room: query.get("room"),
  page: "https://example.org/bundled",
  brokers: [query.get("broker")],
  iceServers: [],
  open: true,
});
"#;

#[test]
fn a_page_that_hosts_nothing_takes_the_chat_from_a_network_for_npm_packages() {
    run(|bed| async move {
        let installed = tokio::task::spawn_blocking(|| {
            let tools = setup::ensure(&[Need::Page])?;
            let folder = tempfile::tempdir()?;
            let package = pack(&tools, &dist(), folder.path())?;
            let app = install(&tools, &folder.path().join("app"), &package, "")?;
            Ok::<_, anyhow::Error>((folder, app.join("node_modules/rtchat")))
        });
        let (_folder, package) = installed.await??;
        let broker = Broker::rumqttd().await?;
        let (cdn, host) = (Cdn::start(&package).await?, Host::start().await?);
        let integrity = widget::integrity(&package, widget::SCRIPT)?;
        let tag = |attributes: &str| {
            let address = cdn.address("rtchat.js?add");
            let tag = format!(
                "<script src='{address}' async crossorigin integrity='{integrity}' {attributes}></script>"
            );
            format!("<!DOCTYPE html><html lang=en><title>Blog</title><h1>A blog</h1>{tag}")
        };
        // One page of the site has its options in a file, the other in attributes.
        host.write_page("chat.json", &settings(&broker.ws_url()).to_string())?;
        let with_file = tag("data-config=/chat.json data-page=/ data-room=guests data-open");
        let attributes = format!(
            "data-brokers={} data-ice-servers=none data-page=/ data-room=guests data-open",
            broker.ws_url()
        );
        let pages = [
            host.write_page("file.html", &with_file)?,
            host.write_page("attributes.html", &tag(&attributes))?,
        ];
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        let ann = chromium.open(&pages[0]).await?;
        ann.join("ann").await?;
        let ben = firefox.open(&pages[1]).await?;
        ben.join("ben").await?;
        chat(&ann, &ben).await?;
        // Nothing but the page and its options came from the site.
        let loaded = "return performance.getEntriesByType('resource').map(({ name }) => name)";
        for tab in [&ann, &ben] {
            let loaded = tab.script(loaded, Vec::new()).await?;
            let loaded: Vec<String> = serde_json::from_value(loaded)?;
            let of_cdn = |address: &&String| address.starts_with(&cdn.address(""));
            let elsewhere: Vec<_> = loaded.iter().filter(|address| !of_cdn(address)).collect();
            // Browsers look for an icon by themselves.
            let expected = ["chat.json", "favicon.ico"].map(|file| host.address(file));
            ensure!(
                elsewhere.iter().all(|address| expected.contains(address)),
                "{elsewhere:?}"
            );
            ensure!(loaded.iter().any(|address| address.ends_with(".wasm")));
        }
        // The files that browsers have kept work as well.
        ann.reload().await?;
        ann.sees(&["ben"]).await?;
        bed.no_errors().await
    });
}

#[test]
fn programs_bundled_by_vite_and_by_esbuild_meet() {
    run(|bed| async move {
        let bundles = tokio::task::spawn_blocking(|| bundles(MODULE)).await??;
        let broker = Broker::rumqttd().await?;
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let sites = Sites::start(&bundles).await?;
            let [ann, ben] = sites.open(&broker, [&browser, &browser]).await?;
            ann.shows("ann asked how are you?").await?;
            ben.shows("ben asked how are you?").await?;
        }
        Ok(())
    });
}

#[test]
fn widgets_bundled_by_vite_and_by_esbuild_meet() {
    run(|bed| async move {
        let bundles = tokio::task::spawn_blocking(|| bundles(WIDGET)).await??;
        let broker = Broker::rumqttd().await?;
        let sites = Sites::start(&bundles).await?;
        let (chromium, firefox) = (bed.chromium().await?, bed.firefox().await?);
        for browsers in [[&chromium, &firefox], [&firefox, &chromium]] {
            let [ann, ben] = sites.open(&broker, browsers).await?;
            chat(&ann, &ben).await?;
            ann.close().await?;
            ben.close().await?;
        }
        bed.no_errors().await
    });
}

/// Ann and ben see each other, and each hears what the other one says.
async fn chat(ann: &Tab, ben: &Tab) -> Result<()> {
    ann.sees(&["ben"]).await?;
    ben.sees(&["ann"]).await?;
    ann.say("hello, ben").await?;
    ben.hears("ann", "hello, ben").await?;
    ben.say("hello, ann").await?;
    ann.hears("ben", "hello, ann").await?;
    // What is loaded only when somebody needs it comes from the same place.
    for tab in [ann, ben] {
        tab.click("emoji-button").await?;
        tab.until("the picker", |page| page.has("emoji-picker"))
            .await?;
        tab.type_into("emoji-search", "\u{e00c}").await?;
        tab.until("no picker", |page| !page.has("emoji-picker"))
            .await?;
    }
    // So does what prepares a picture, and shows it.
    let pick = "const tree = document.querySelector('rt-chat').shadowRoot;
        const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
        canvas.getContext('2d').fillRect(0, 0, 9, 9);
        return new Promise((done) => canvas.toBlob(done)).then((blob) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([blob], 'dot.png'));
            const picker = tree.querySelector('[data-testid=file-input]');
            picker.files = transfer.files;
            picker.dispatchEvent(new Event('change', { bubbles: true }));
        })";
    ann.script(pick, Vec::new()).await?;
    let found = "const tree = document.querySelector('rt-chat').shadowRoot;
        return !!tree.querySelector(arguments[0])";
    let ready = "[data-testid=chip][data-state=ready] [data-testid=chip-original]";
    ann.until_true(found, vec![ready.into()]).await?;
    ann.click("send").await?;
    ben.until_true(found, vec!["[data-testid=accept-file]".into()])
        .await?;
    ben.click("accept-file").await?;
    let shown = "const tree = document.querySelector('rt-chat').shadowRoot;
        return tree.querySelector('img[data-testid=picture]')?.naturalWidth === 40";
    for tab in [ann, ben] {
        tab.until_true(shown, Vec::new()).await?;
    }
    Ok(())
}

/// The sites of the two bundles.
struct Sites {
    vite: Site,
    esbuild: Site,
}

impl Sites {
    async fn start(bundles: &TempDir) -> Result<Sites> {
        let serve = |bundle: &str| Site::start(bundles.path().join(bundle), json!({}));
        Ok(Sites {
            vite: serve("vite/dist").await?,
            esbuild: serve("esbuild").await?,
        })
    }

    /// Opens ann in what Vite has bundled, and ben in what esbuild has.
    async fn open(&self, broker: &Broker, browsers: [&Browser; 2]) -> Result<[Tab; 2]> {
        let room = browsers[0];
        let address = |site: &Site, name: &str| {
            let broker = broker.ws_url();
            format!("{}?name={name}&room={room}&broker={broker}", site.url())
        };
        let ann = browsers[0].open(&address(&self.vite, "ann")).await?;
        let ben = browsers[1].open(&address(&self.esbuild, "ben")).await?;
        Ok([ann, ben])
    }
}

/// Installs the package, and bundles a program that uses it: with Vite into `vite/dist`, and with esbuild into
/// `esbuild`.
fn bundles(program: &str) -> Result<TempDir> {
    let tools = setup::ensure(&[Need::Page])?;
    let folder = tempfile::tempdir()?;
    let package = pack(&tools, &dist(), folder.path())?;
    let [vite, esbuild] = ["vite", "esbuild"].map(|name| folder.path().join(name));

    let vite = install(&tools, &vite, &package, program)?;
    let mut command = tools.web("vite")?;
    command
        .current_dir(&vite)
        .args(["build", "--logLevel=warn", "--base=./"]);
    let output = command.output().context("Vite cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "Vite cannot bundle it: {said}");
    ensure!(said.trim().is_empty(), "Vite warns: {said}");

    let esbuild = install(&tools, &esbuild, &package, program)?;
    let mut command = tools.web("esbuild")?;
    command.current_dir(&esbuild).args([
        "main.js",
        "--bundle",
        "--format=esm",
        "--outfile=bundle.js",
        "--log-level=warning",
    ]);
    process::run(&mut command).context("esbuild cannot bundle it")?;
    // Vite finds both parts of the WebAssembly program, the worker and the table of emoji by itself. With esbuild they are copied by hand, as
    // docs/MODULE.md and docs/EMBEDDING.md say.
    let installed = esbuild.join("node_modules/rtchat");
    let loaded = |name: &str| match program {
        MODULE => ["mqtt-rtc.wasm", "mqtt-rtc-rest.wasm", "mqtt-rtc-worker.js"].contains(&name),
        _ => {
            name.starts_with("app-") && name.ends_with(".wasm")
                || name.starts_with("emoji-") && name.ends_with(".json")
        }
    };
    let mut taken = Vec::new();
    for file in std::fs::read_dir(&installed)?.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if loaded(&name) {
            std::fs::copy(file.path(), esbuild.join(&name))?;
            taken.push(name);
        }
    }
    let built = std::fs::read_dir(vite.join("dist/assets"))?.flatten();
    let built: Vec<_> = built
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    for file in taken {
        let stem = file.split('.').next().unwrap_or(&file);
        let took = built.iter().any(|name| name.contains(stem));
        ensure!(took, "Vite did not take {file} along: {built:?}");
    }
    let index = std::fs::read_to_string(esbuild.join("index.html"))?;
    let index = index.replace("main.js", "bundle.js");
    std::fs::write(esbuild.join("index.html"), index)?;
    Ok(folder)
}

/// Installs the package beside a program, in a folder, which is returned.
fn install(tools: &Tools, app: &Path, package: &Path, program: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(app)?;
    std::fs::write(
        app.join("package.json"),
        r#"{ "private": true, "type": "module" }"#,
    )?;
    std::fs::write(app.join("main.js"), program)?;
    let page = "<!DOCTYPE html><html lang=\"en\"><title>App</title><body>\
        <script type=\"module\" src=\"./main.js\"></script></body></html>";
    std::fs::write(app.join("index.html"), page)?;
    let mut npm: Command = tools.web("npm")?;
    npm.current_dir(app)
        .args([
            "install",
            "--offline",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .arg(package);
    process::run(&mut npm).context("npm cannot install it")?;
    ensure!(
        app.join("node_modules/rtchat/mqtt-rtc.js").is_file(),
        "the module is not in the package {}",
        package.display()
    );
    Ok(app.to_owned())
}
