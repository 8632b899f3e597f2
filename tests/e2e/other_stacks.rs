//! Browsers connect to WebRTC stacks of other makers, over descriptions in the compact form. `tests/sdp` has the texts of
//! more of them.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rtchat::rtc::{DataDescription, SdpType};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xtask::project;
use xtask::testbed::Child;

use crate::support::{Bed, Browser, Host, Tab, run};

#[test]
fn chromium_and_werift_connect_whoever_offers() {
    run(|bed| async move {
        let chromium = bed.chromium().await?;
        whoever_offers(&bed, &chromium).await
    });
}

#[test]
fn firefox_and_werift_connect_whoever_offers() {
    run(|bed| async move {
        let firefox = bed.firefox().await?;
        whoever_offers(&bed, &firefox).await
    });
}

async fn whoever_offers(bed: &Bed, browser: &Browser) -> Result<()> {
    let host = Host::start().await?;
    let page = host.write_page("end.html", include_str!("other_stacks/page.html"))?;

    let (tab, mut werift) = (browser.open(&page).await?, Werift::start().await?);
    let offer = evaluate(&tab, "return describe(peer.createOffer())", None).await?;
    let offer = sent(SdpType::Offer, &offer)?;
    let answer = werift.carry_out(json!({ "answer": offer })).await?;
    let answer = sent(SdpType::Answer, &answer)?;
    let accept = "return peer.setRemoteDescription({ type: 'answer', sdp: arguments[0] })";
    tab.script(accept, vec![answer.into()]).await?;
    talk(&tab).await?;

    let (tab, mut werift) = (browser.open(&page).await?, Werift::start().await?);
    let offer = werift.carry_out(json!({ "offer": true })).await?;
    let offer = sent(SdpType::Offer, &offer)?;
    let answer = evaluate(&tab, "return answer(arguments[0])", Some(offer)).await?;
    let answer = sent(SdpType::Answer, &answer)?;
    werift.carry_out(json!({ "accept": answer })).await?;
    talk(&tab).await?;

    bed.no_errors().await
}

/// The text that the other side is given after this one went over the broker.
fn sent(kind: SdpType, sdp: &str) -> Result<String> {
    let description = DataDescription::from_sdp(kind, sdp).context(sdp.to_owned())?;
    let arrived = DataDescription::from_bytes(&description.to_bytes())?;
    ensure!(!arrived.candidates().is_empty(), "{sdp}");
    Ok(arrived.to_sdp())
}

/// The text that a script returns.
async fn evaluate(tab: &Tab, script: &str, argument: Option<String>) -> Result<String> {
    let arguments = argument.into_iter().map(Value::from).collect();
    let result = tab.script(script, arguments).await?;
    Ok(result.as_str().context("no text")?.to_owned())
}

/// Text and bytes, as many as a frame may have, come back over channel 0.
async fn talk(tab: &Tab) -> Result<()> {
    let opened = "return channel.readyState === 'open' ||
        new Promise((done) => { channel.onopen = () => done(true); channel.onclose = () => done(false); })";
    ensure!(
        tab.script(opened, Vec::new()).await? == true,
        "it was closed"
    );
    let echo = "const bytes = Uint8Array.from({ length: 64 * 1024 }, (_, at) => at * 7);
        channel.send('grüß dich');
        channel.send(bytes);
        while (heard.length < 2) await new Promise((go) => channel.addEventListener('message', go, { once: true }));
        return heard[0] === 'grüß dich' && String(heard[1]) === String(bytes);";
    let echo = format!("return (async () => {{ {echo} }})()");
    ensure!(
        tab.script(&echo, Vec::new()).await? == true,
        "another echo came back"
    );
    Ok(())
}

/// A running `werift.mjs`.
struct Werift {
    /// It is ended when this is dropped.
    _program: Child,
    socket: tokio::io::BufReader<TcpStream>,
}

impl Werift {
    async fn start() -> Result<Werift> {
        let mut node = Command::new("node");
        node.arg(project::root().join("tests/e2e/other_stacks/werift.mjs"));
        let mut program = Child::start(node.stdout(Stdio::piped()))?;
        let output = program.take_stdout().context("werift has no output")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let port: u16 = port.trim().parse().context("werift did not start")?;
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        Ok(Werift {
            _program: program,
            socket: tokio::io::BufReader::new(socket),
        })
    }

    /// Carries out a command, and returns the description that results.
    async fn carry_out(&mut self, command: Value) -> Result<String> {
        let line = format!("{command}\n");
        self.socket.write_all(line.as_bytes()).await?;
        let mut line = String::new();
        self.socket.read_line(&mut line).await?;
        let result: Value = serde_json::from_str(&line)?;
        match result["sdp"].as_str() {
            Some(sdp) => Ok(sdp.to_owned()),
            None => bail!("{command} failed: {result}"),
        }
    }
}
