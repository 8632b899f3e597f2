//! Takes pictures of the main views, light and dark, wide and narrow, into `docs/screenshots/`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::setup::{self, SCREENSHOTS};
use crate::testbed::{Broker, Browser, Site};
use crate::{build, project};

/// All pictures together may have this many bytes, because everybody who clones the project loads them.
const MOST_BYTES: u64 = 3_000_000;
/// The quality of the pictures, in per cent: letters have clean edges.
const QUALITY: u32 = 80;
/// How often something is waited for, and the time between two looks.
const PATIENCE: u32 = 300;
const LOOK: Duration = Duration::from_millis(100);

/// A view of the demonstration: the name of its pictures, its scene (`src/ui/demo/`), what is pressed, and what is there
/// then.
struct View {
    name: &'static str,
    scene: &'static str,
    pressed: &'static [&'static str],
    shown: &'static str,
}

const fn view(
    name: &'static str,
    scene: &'static str,
    pressed: &'static [&'static str],
    shown: &'static str,
) -> View {
    View {
        name,
        scene,
        pressed,
        shown,
    }
}

const VIEWS: [View; 12] = [
    view("welcome", "first", &[], "name"),
    view("empty", "empty-private", &[], "empty"),
    view("conversation", "talk", &[], "message"),
    view("answers", "answers", &[], "reaction"),
    view("markdown", "markdown", &[], "copy-code"),
    view("people", "many", &["people-button"], "peer"),
    view(
        "person",
        "talk",
        &["people-button", "person"],
        "person-details",
    ),
    view("warning", "alias", &[], "alias-warning"),
    view("call", "call", &[], "tile[data-speaking=true]"),
    view("ring", "ring", &[], "ring"),
    view("watch", "watch", &[], "tile"),
    view(
        "preview",
        "talk",
        &["call", "preview-camera-off"],
        "preview",
    ),
];

/// A size of the window, and how many pixels of the picture one of its own has.
const SIZES: [(u32, u32, u32); 3] = [(1280, 800, 1), (768, 900, 1), (360, 740, 2)];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Takes all pictures.
pub async fn run() -> Result<()> {
    let built = || {
        setup::ensure(SCREENSHOTS)?;
        // What was built for the tests can be used, too.
        let or_built = |name, build: fn() -> Result<PathBuf>| {
            std::env::var_os(name).map_or_else(build, |folder| Ok(folder.into()))
        };
        let demo = or_built("RTCHAT_DEMO", build::demo)?;
        Ok::<_, anyhow::Error>((demo, or_built("RTCHAT_DIST", build::run)?))
    };
    let (demo, dist) = tokio::task::spawn_blocking(built).await??;
    let folder = project::root().join("docs/screenshots");
    std::fs::create_dir_all(&folder)?;
    for old in std::fs::read_dir(&folder)?.flatten() {
        std::fs::remove_file(old.path())?;
    }
    let site = Site::start(&demo, json!({})).await?;
    let browser = Browser::chromium().await?;
    for each in &VIEWS {
        for (width, height, scale) in SIZES {
            for scheme in SCHEMES {
                emulate(&browser, (width, height, scale), scheme).await?;
                browser
                    .goto(format!("{}?demo={}", site.url(), each.scene))
                    .await?;
                for pressed in each.pressed {
                    press(&browser, pressed).await?;
                }
                until(&browser, each.shown).await?;
                let file = folder.join(format!("{}-{width}-{scheme}.webp", each.name));
                take(&browser, &file).await?;
            }
        }
        println!("{}", each.name);
    }
    widget(&browser, &dist, &folder).await?;
    let bytes = size(&folder)?;
    ensure!(
        bytes <= MOST_BYTES,
        "the pictures have {bytes} bytes, more than {MOST_BYTES}"
    );
    println!("{bytes} bytes in docs/screenshots. Look at each of them before you keep it.");
    Ok(())
}

/// The bubble and the panel on somebody's page, with somebody to talk to.
async fn widget(browser: &Browser, dist: &Path, folder: &Path) -> Result<()> {
    let broker = Broker::rumqttd().await?;
    let settings = json!({ "brokers": [broker.ws_url()], "iceServers": [] });
    let site = Site::start(dist, settings).await?;
    let ben = Browser::chromium().await?;
    let page = format!("{}demo/blog.html", site.url());
    for (person, name) in [(&ben, "Ben"), (browser, "Ada")] {
        person.goto(&page).await?;
        press(person, "launcher").await?;
        until(person, "name").await?;
        fill(person, "name", name).await?;
        press(person, "join").await?;
        until(person, "composer").await?;
    }
    // The panel shows who is here only on another of its pages.
    let met = format!(
        "return {}?.dataset.state === 'connected'",
        element("status")
    );
    until_true(browser, &met).await?;
    for (person, text) in [
        (&ben, "Hello. Is anybody else reading this?"),
        (browser, "Yes, I am. The second picture is my favourite."),
        (&ben, "Mine, too. Did you see how it was made?"),
    ] {
        fill(person, "composer", text).await?;
        press(person, "send").await?;
        for reader in [&ben, browser] {
            let seen = format!("return {ROOT}.textContent.includes({})", json!(text));
            until_true(reader, &seen).await?;
        }
    }
    for (width, height, scale) in [SIZES[0], SIZES[2]] {
        for scheme in SCHEMES {
            emulate(browser, (width, height, scale), scheme).await?;
            take(
                browser,
                &folder.join(format!("widget-{width}-{scheme}.webp")),
            )
            .await?;
        }
    }
    println!("widget");
    Ok(())
}

/// The document, or the tree of the chat in somebody's page.
const ROOT: &str = "(document.querySelector('rt-chat')?.shadowRoot ?? document)";

/// The element with this hook. Conditions on its attributes may follow.
fn element(hook: &str) -> String {
    let (hook, conditions) = hook.split_at(hook.find('[').unwrap_or(hook.len()));
    format!("{ROOT}.querySelector('[data-testid=\"{hook}\"]{conditions}')")
}

async fn emulate(
    browser: &Browser,
    (width, height, scale): (u32, u32, u32),
    scheme: &str,
) -> Result<()> {
    let devtools = browser.cdp();
    let size =
        json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
    devtools
        .send_raw("Emulation.setDeviceMetricsOverride", size)
        .await?;
    let features = json!([
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ]);
    devtools
        .send_raw(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await?;
    Ok(())
}

async fn until_true(browser: &Browser, script: &str) -> Result<()> {
    for _ in 0..PATIENCE {
        let found = browser.execute(script, vec![]).await?;
        if *found.json() == Value::Bool(true) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    bail!("{script} was never true")
}

/// Waits until an element is there and seen.
async fn until(browser: &Browser, hook: &str) -> Result<()> {
    until_true(
        browser,
        &format!("return Boolean({}?.checkVisibility())", element(hook)),
    )
    .await
}

/// Presses a button, if this view has it: a wide one shows the people without being asked.
async fn press(browser: &Browser, hook: &str) -> Result<()> {
    until_true(browser, &format!("return Boolean({})", element(hook))).await?;
    let press = format!(
        "const it = {}; if (it.checkVisibility()) it.click()",
        element(hook)
    );
    browser.execute(press, vec![]).await?;
    Ok(())
}

async fn fill(browser: &Browser, hook: &str, text: &str) -> Result<()> {
    let fill = format!(
        "const it = {}; it.value = arguments[0]; it.dispatchEvent(new InputEvent('input', {{ bubbles: true }}))",
        element(hook)
    );
    browser.execute(fill, vec![json!(text)]).await?;
    Ok(())
}

/// Takes a picture, once everything is drawn.
async fn take(browser: &Browser, file: &Path) -> Result<()> {
    let drawn = "const done = arguments[0];
        document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done())))";
    browser.execute_async(drawn, vec![]).await?;
    let options = json!({ "format": "webp", "quality": QUALITY });
    let picture = browser
        .cdp()
        .send_raw("Page.captureScreenshot", options)
        .await?;
    let picture = picture["data"]
        .as_str()
        .context("the browser took no picture")?;
    let picture = Base64::decode_vec(picture).map_err(|error| anyhow::anyhow!("{error}"))?;
    std::fs::write(file, picture).with_context(|| format!("cannot write {}", file.display()))
}

fn size(folder: &Path) -> Result<u64> {
    let files = std::fs::read_dir(folder)?.flatten();
    Ok(files
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum())
}
