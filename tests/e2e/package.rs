//! The npm package in bundled programs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use xtask::package::pack;
use xtask::setup::{self, Need, Tools};
use xtask::testbed::{Broker, Site, dist};
use xtask::{process, project};

use crate::support::run;

/// A program that uses the installed package. Both bundles name the same page, so that they meet.
const PROGRAM: &str = r#"
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

#[test]
fn programs_bundled_by_vite_and_by_esbuild_meet() {
    run(|bed| async move {
        let bundles = tokio::task::spawn_blocking(bundles).await??;
        let broker = Broker::rumqttd().await?;
        let serve = |bundle: &str| Site::start(bundles.path().join(bundle), serde_json::json!({}));
        let (vite, esbuild) = (serve("vite/dist").await?, serve("esbuild").await?);
        for browser in [bed.chromium().await?, bed.firefox().await?] {
            let address = |site: &Site, name: &str| {
                format!(
                    "{}?name={name}&room={browser}&broker={}",
                    site.url(),
                    broker.ws_url()
                )
            };
            let ann = browser.open(&address(&vite, "ann")).await?;
            let ben = browser.open(&address(&esbuild, "ben")).await?;
            ann.shows("ann asked how are you?").await?;
            ben.shows("ben asked how are you?").await?;
        }
        Ok(())
    });
}

/// Installs the package, and bundles a program that uses it: with Vite into `vite/dist`, and with esbuild into
/// `esbuild`.
fn bundles() -> Result<TempDir> {
    let tools = setup::ensure(&[Need::Page])?;
    let folder = tempfile::tempdir()?;
    let package = pack(&tools, &dist(), folder.path())?;
    for bundler in ["vite", "esbuild"] {
        install(&tools, &folder.path().join(bundler), &package)?;
    }

    let vite = folder.path().join("vite");
    let mut command = tools.web("vite")?;
    command
        .current_dir(&vite)
        .args(["build", "--logLevel=warn"]);
    command.args(["--base=./"]);
    process::run(&mut command).context("Vite cannot bundle it")?;

    let esbuild = folder.path().join("esbuild");
    let mut command = tools.web("esbuild")?;
    command.current_dir(&esbuild).args([
        "main.js",
        "--bundle",
        "--format=esm",
        "--outfile=bundle.js",
        "--log-level=warning",
    ]);
    process::run(&mut command).context("esbuild cannot bundle it")?;
    // Vite finds the WebAssembly program and the worker by itself. With esbuild they are copied by hand, as
    // docs/MODULE.md says.
    for file in ["mqtt-rtc.wasm", "mqtt-rtc-worker.js"] {
        let installed = esbuild.join("node_modules/rtchat").join(file);
        std::fs::copy(installed, esbuild.join(file))?;
    }
    let built = std::fs::read_dir(vite.join("dist/assets"))?.flatten();
    let names: Vec<_> = built.map(|file| file.file_name().into_string()).collect();
    ensure!(
        names
            .iter()
            .flatten()
            .any(|name| name.contains("mqtt-rtc-worker")),
        "Vite did not take the worker along: {names:?}"
    );
    let index = std::fs::read_to_string(esbuild.join("index.html"))?;
    let index = index.replace("main.js", "bundle.js");
    std::fs::write(esbuild.join("index.html"), index)?;
    Ok(folder)
}

fn install(tools: &Tools, app: &Path, package: &Path) -> Result<()> {
    std::fs::create_dir_all(app)?;
    std::fs::write(
        app.join("package.json"),
        r#"{ "private": true, "type": "module" }"#,
    )?;
    std::fs::write(app.join("main.js"), PROGRAM)?;
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
        "the module is not in the package made in {}",
        project::target().display()
    );
    Ok(())
}
