//! Measures a conversation with 10,000 messages: how it opens, scrolls and grows, and what it takes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::machine::Machine;
use super::minimal::bundle;
use super::numbers::{median, percentile_95};
use super::stage::Stage;
use super::subject::Subject;
use super::table::{Row, Target};
use super::{Measured, processor, script};
use crate::testbed::{Broker, Browser, Child, Site};
use crate::{build, process};

/// The messages of the conversation.
const MESSAGES: u32 = 10_000;
/// The messages that a newcomer gets.
const PAGE: u32 = 150;
/// The days for which the conversation has lasted when its first message was said by somebody else.
const BEFORE: &str = "1000";
/// The frames in which is scrolled, and the pixels in each.
const FRAMES: (u32, u32) = (240, 240);
/// The keys that are pressed, and the messages that are sent, with the pauses between them.
const KEYS: (u32, Duration) = (80, Duration::from_millis(60));
const WORDS: (u32, Duration) = (60, Duration::from_millis(120));
/// Each of these stands in one message.
const SOUGHT: [&str; 5] = ["(12)", "(2345)", "(4567)", "(6789)", "(9876)"];
/// Whether everything is there is asked this often, and for so long: 10,000 signatures are checked meanwhile.
const LOOK: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(120);
/// The browser of somebody who closes it and comes back.
const VISITS: u32 = 5;
/// A page is idle when its main thread works for less than this part of a second.
const IDLE: f64 = 0.03;

/// Somebody's page with the chat as a bubble.
const HOST: &str = r#"<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>A page</title><p>A page.</p><script src="rtchat.js?add&page=/" async></script>"#;

/// Options of the measurement.
#[derive(Args, Debug)]
pub struct Options {
    /// The number of samples; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    samples: u32,
    #[command(flatten)]
    subject: Subject,
}

/// What is measured, with one entry for each sample. In milliseconds, unless it says something else.
#[derive(Debug, Default)]
struct Figures {
    ready: Vec<f64>,
    page: Vec<f64>,
    all: Vec<f64>,
    longest_task: Vec<f64>,
    megabytes: Vec<f64>,
    scrolling: Vec<f64>,
    key: Vec<f64>,
    message: Vec<f64>,
    search: Vec<f64>,
    bare: Vec<f64>,
    opening: Vec<f64>,
}

/// Measures, and prints a table.
pub async fn run(options: Options) -> Result<Measured> {
    let dist = options.subject.folder().await?;
    let archive = tokio::task::spawn_blocking(build::archive_program).await??;
    let stage = Stage::open().await?;
    let mut machine = Machine::look(&stage).await?;
    print!("{machine}");
    let bed = Bed {
        folder: pages(&dist)?,
        broker: Broker::aedes().await?,
        script: script("chat.js")?,
        archive,
    };
    let mut figures = Figures::default();
    for sample in 1..=options.samples {
        let number = format!("{sample} of {}", options.samples);
        bed.newcomer(&mut figures).await?;
        println!(
            "{number}: somebody came, and got {PAGE} messages after {:.0} ms; came back within {:.0} ms",
            last(&figures.page),
            last(&figures.ready)
        );
        bed.conversation(&mut figures).await?;
        println!(
            "{number}: somebody got {MESSAGES} after {:.0} ms (longest task {:.0} ms, {:.0} MB), scrolled with {:.1} ms a frame, \
             typed with {:.0} ms, and was heard after {:.0} ms",
            last(&figures.all),
            last(&figures.longest_task),
            last(&figures.megabytes),
            last(&figures.scrolling),
            last(&figures.key),
            last(&figures.message)
        );
        bed.opening(&mut figures).await?;
        println!(
            "{number}: somebody opened the panel within {:.0} ms",
            last(&figures.opening)
        );
        figures.bare.push(bare(&stage, sample).await?);
    }
    machine.look_again();
    let rows = rows(&figures);
    print!(
        "\n{machine}\nMedian of {}\n{}",
        options.samples,
        text(&rows)
    );
    Ok(Measured {
        machine: Some(machine),
        rows,
    })
}

fn last(values: &[f64]) -> f64 {
    values.last().copied().unwrap_or_default()
}

fn rows(figures: &Figures) -> Vec<Row> {
    let row = |what: &str, values: &[f64], most: f64| {
        Row::new(what, median(values)).target(Target::AtMost(most))
    };
    vec![
        row(
            "ms until a conversation of 10,000 messages is open",
            &figures.opening,
            150.0,
        )
        .short(),
        row(
            "ms of the main thread for each frame, scrolling in it",
            &figures.scrolling,
            8.0,
        )
        .short(),
        row(
            "ms until a key's letter is seen beside it, 95th percentile",
            &figures.key,
            30.0,
        )
        .short(),
        row(
            "ms until a message is on the other's screen, 95th percentile",
            &figures.message,
            50.0,
        )
        .bare(median(&figures.bare))
        .short(),
        row(
            "ms until a search in them has found and drawn something",
            &figures.search,
            50.0,
        ),
        row("MB for 10,000 messages", &figures.megabytes, 60.0).short(),
        row("ms to catch up on 150 messages", &figures.page, 300.0).short(),
        Row::new(
            "ms to catch up on 10,000, in the background",
            median(&figures.all),
        ),
        row(
            "ms of the longest task meanwhile (0: none is above 50)",
            &figures.longest_task,
            50.0,
        ),
        row(
            "ms from navigating until a message can be written, warm cache",
            &figures.ready,
            1_000.0,
        ),
    ]
}

fn text(rows: &[Row]) -> String {
    let line = |row: &Row| {
        let bare = row.bare.map(|bare| format!("{bare:.1}"));
        let (most, met) = match row.target {
            Some(Target::AtMost(most)) if row.rtchat <= most => (format!("{most:.0}"), "yes"),
            Some(Target::AtMost(most)) => (format!("{most:.0}"), "NO"),
            _ => (String::new(), ""),
        };
        let bare = bare.unwrap_or_default();
        format!(
            "{:<68}{:>10.1}{bare:>10}{most:>10}{met:>6}\n",
            row.what, row.rtchat
        )
    };
    let heading = format!(
        "{:<68}{:>10}{:>10}{:>10}{:>6}\n",
        "", "rtchat", "bare", "at most", "met"
    );
    rows.iter()
        .fold(heading, |text, row| text + line(row).as_str())
}

/// The page, and a page of somebody else that has the chat as a bubble.
fn pages(dist: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in std::fs::read_dir(dist)?.flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    std::fs::write(folder.path().join("host.html"), HOST)?;
    Ok(folder)
}

/// What all measurements share.
struct Bed {
    folder: TempDir,
    broker: Broker,
    script: String,
    /// The program of the peer that has the conversation.
    archive: PathBuf,
}

/// A native peer with a conversation, which ends when it is dropped.
struct Archive {
    _program: Child,
    _identity: TempDir,
}

impl Bed {
    /// A site on another port has another room, and storage of its own.
    async fn site(&self) -> Result<Site> {
        let settings = json!({ "brokers": [self.broker.ws_url()], "iceServers": [] });
        Site::start(self.folder.path(), settings).await
    }

    /// Starts a peer that has said so many messages.
    async fn archive(
        &self,
        site: &Site,
        name: &str,
        count: u32,
        before: &[&str],
    ) -> Result<Archive> {
        let identity = tempfile::tempdir()?;
        let broker = format!("mqtt://127.0.0.1:{}", self.broker.tcp_port());
        let mut command = Command::new(&self.archive);
        command.args([site.url(), broker.as_str(), name]);
        command.arg(identity.path().join("identity.json"));
        command.arg(count.to_string()).args(before);
        let mut program = Child::start(command.stdout(Stdio::piped()))?;
        let output = program.take_stdout().context("the archive has no output")?;
        let ready = process::first_line(output, |line| line.contains("messages").then_some(()));
        let wait = move || ready.recv_timeout(PATIENCE);
        tokio::task::spawn_blocking(wait)
            .await?
            .context("the archive was never ready")?;
        Ok(Archive {
            _program: program,
            _identity: identity,
        })
    }

    /// A browser that measures in every page, in which somebody has joined under this name.
    async fn person(&self, site: &Site, name: &str) -> Result<Browser> {
        let browser = Browser::chromium().await?;
        browser.set_script_timeout(Duration::from_secs(100)).await?;
        let source = json!({ "source": self.script });
        let before = "Page.addScriptToEvaluateOnNewDocument";
        browser.cdp().send_raw(before, source).await?;
        browser.goto(format!("{}rtchat.json", site.url())).await?;
        let known = format!("localStorage.setItem('rtchat/1/name', '{name}')");
        browser.execute(known, vec![]).await?;
        browser.goto(site.url()).await?;
        value(&browser, "chat.ready()").await?;
        Ok(browser)
    }

    /// Somebody comes to a conversation, and comes back.
    async fn newcomer(&self, figures: &mut Figures) -> Result<()> {
        let site = self.site().await?;
        let ann = self.person(&site, "ann").await?;
        let _archive = self.archive(&site, "archive", MESSAGES, &[]).await?;
        let [millis, _] = caught_up(&ann, "archive", PAGE).await?;
        figures.page.push(millis);
        let mut visits = Vec::new();
        for _ in 0..VISITS {
            ann.goto("about:blank").await?;
            ann.goto(site.url()).await?;
            visits.push(number(&ann, "chat.ready()").await?);
        }
        figures.ready.push(median(&visits));
        Ok(())
    }

    /// Somebody was away while 10,000 messages were said, and goes on from there with somebody else.
    async fn conversation(&self, figures: &mut Figures) -> Result<()> {
        let site = self.site().await?;
        let _early = self.archive(&site, "early", 1, &[BEFORE]).await?;
        let ann = self.person(&site, "ann").await?;
        caught_up(&ann, "early", 1).await?;
        let empty = megabytes(&ann).await?;
        let _archive = self.archive(&site, "archive", MESSAGES, &[]).await?;
        let [millis, longest] = caught_up(&ann, "archive", MESSAGES).await?;
        figures.all.push(millis);
        figures.longest_task.push(longest);
        figures.megabytes.push(megabytes(&ann).await? - empty);

        let (frames, pixels) = FRAMES;
        let scroll = format!("chat.scroll({frames}, {pixels})");
        figures
            .scrolling
            .push(median(&numbers(&ann, &scroll).await?));
        figures.key.push(percentile_95(&typing(&ann).await?));
        let search = format!("chat.search({})", json!(SOUGHT));
        figures.search.push(median(&numbers(&ann, &search).await?));

        let ben = self.person(&site, "ben").await?;
        // Whoever comes now gets the last page, and reads up to the beginning.
        value(&ben, "chat.readUp()").await?;
        caught_up(&ben, "archive", MESSAGES).await?;
        caught_up(&ann, "ben", 1).await?;
        let seen = format!("chat.seen({})", json!(words()));
        let times = exchange(numbers(&ben, &seen), async |word| {
            number(&ann, &format!("chat.say('{word}')")).await
        });
        figures.message.push(percentile_95(&times.await?));
        Ok(())
    }

    /// Somebody opens the panel on a page, with the conversation that came while it was closed.
    async fn opening(&self, figures: &mut Figures) -> Result<()> {
        let site = self.site().await?;
        let _early = self.archive(&site, "early", 1, &[BEFORE]).await?;
        let ann = self.person(&site, "ann").await?;
        ann.goto(format!("{}host.html", site.url())).await?;
        idle(&ann).await?;
        let _archive = self.archive(&site, "archive", MESSAGES, &[]).await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle(&ann).await?;
        figures.opening.push(number(&ann, "chat.open()").await?);
        let lines = number(&ann, "chat.lines()").await?;
        ensure!(
            lines >= f64::from(MESSAGES),
            "only {lines} lines had come when the panel was opened"
        );
        Ok(())
    }
}

/// Waits until so many lines are there. Returns the milliseconds since this person was connected, and those of the longest
/// task meanwhile.
async fn caught_up(browser: &Browser, user: &str, count: u32) -> Result<[f64; 2]> {
    let watch = format!("void chat.catchUp('{user}', {count})");
    browser.execute(watch, vec![]).await?;
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let done = value(browser, "chat.done").await?;
        if done.is_array() {
            return Ok(serde_json::from_value(done)?);
        }
        let lines = number(browser, "chat.lines()").await?;
        if tokio::time::Instant::now() > patience {
            let console = browser.console().await?.join("\n");
            bail!("only {lines} of {count} lines have come from {user}\n{console}");
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Presses keys in the field, and returns the milliseconds until each letter was drawn.
async fn typing(browser: &Browser) -> Result<Vec<f64>> {
    let field = "document.querySelector('[data-testid=composer]').focus()";
    browser.execute(field, vec![]).await?;
    for _ in 0..KEYS.0 {
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "a", "code": "KeyA", "text": "a" });
            browser
                .cdp()
                .send_raw("Input.dispatchKeyEvent", key)
                .await?;
        }
        tokio::time::sleep(KEYS.1).await;
    }
    numbers(browser, "chat.keys").await
}

/// Two bare data channels between pages, and how long a word takes to the other's screen: the 95th percentile.
async fn bare(stage: &Stage, sample: u32) -> Result<f64> {
    let folder = bundle("data/bare.js")?;
    let site = Site::start(folder.path(), json!({})).await?;
    let scripts = [script("data/measure.js")?, script("chat.js")?];
    let address = format!("{}?room=chat-{sample}", site.url());
    let first = stage.window(&scripts).await?;
    first.go(&address).await?;
    let second = stage.window(&scripts).await?;
    second.go(&address).await?;
    second.met(1).await?;
    first
        .run(&format!("seen = chat.bareSeen({})", json!(words())))
        .await?;
    let mut said = Vec::new();
    for word in words() {
        let at = second.wait(&format!("chat.bareSay('{word}')")).await?;
        said.push(serde_json::from_value(at)?);
        tokio::time::sleep(WORDS.1).await;
    }
    let seen: Vec<f64> = serde_json::from_value(first.wait("seen").await?)?;
    stage.clear().await?;
    Ok(percentile_95(&between(&said, &seen)))
}

fn words() -> Vec<String> {
    (0..WORDS.0)
        .map(|number| format!("word {number}"))
        .collect()
}

/// Says words, one after the other, while they are waited for. Returns how long each took.
async fn exchange(
    seen: impl Future<Output = Result<Vec<f64>>>,
    say: impl AsyncFn(String) -> Result<f64>,
) -> Result<Vec<f64>> {
    let saying = async {
        let mut said = Vec::new();
        for word in words() {
            said.push(say(word).await?);
            tokio::time::sleep(WORDS.1).await;
        }
        Ok(said)
    };
    let (seen, said) = tokio::try_join!(seen, saying)?;
    Ok(between(&said, &seen))
}

fn between(said: &[f64], seen: &[f64]) -> Vec<f64> {
    said.iter()
        .zip(seen)
        .map(|(said, seen)| seen - said)
        .collect()
}

/// The memory of a page, once nothing is left that is not used.
async fn megabytes(browser: &Browser) -> Result<f64> {
    for _ in 0..2 {
        let devtools = browser.cdp();
        devtools
            .send_raw("HeapProfiler.collectGarbage", json!({}))
            .await?;
    }
    Ok(processor::page_megabytes(browser.driver_id()))
}

/// Waits until the page's main thread has nothing to do.
async fn idle(browser: &Browser) -> Result<()> {
    browser
        .cdp()
        .send_raw("Performance.enable", json!({}))
        .await?;
    let mut before = f64::NEG_INFINITY;
    let patience = tokio::time::Instant::now() + PATIENCE;
    while tokio::time::Instant::now() < patience {
        let metrics = browser.cdp().performance().get_metrics().await?;
        let tasks = metrics.iter().find(|metric| metric.name == "TaskDuration");
        let worked = tasks
            .context("the browser does not say how long its tasks took")?
            .value;
        if worked - before < IDLE {
            return Ok(());
        }
        before = worked;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(anyhow!("the page was never idle"))
}

/// The value of an expression in a page, which may be a promise.
pub(super) async fn value(browser: &Browser, expression: &str) -> Result<Value> {
    let script = format!(
        "const done = arguments[arguments.length - 1];
        (async () => {expression})().then((value) => done({{ value }}), (error) => done({{ error: `${{error}}` }}));"
    );
    let result = browser.execute_async(script, vec![]).await;
    let result = result.with_context(|| format!("waiting for {expression}"))?;
    match result.json().get("error") {
        Some(error) => Err(anyhow!("{expression} failed: {error}")),
        None => Ok(result.json()["value"].clone()),
    }
}

pub(super) async fn number(browser: &Browser, expression: &str) -> Result<f64> {
    Ok(serde_json::from_value(value(browser, expression).await?)?)
}

async fn numbers(browser: &Browser, expression: &str) -> Result<Vec<f64>> {
    Ok(serde_json::from_value(value(browser, expression).await?)?)
}
