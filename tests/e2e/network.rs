//! Networks that change while people talk: another public address, another port, another router.
//!
//! Two real browsers are each behind a router of their own, in network namespaces of this machine. A change tells the
//! browser nothing, or not at once; its connections just do not lead anywhere any more.

use std::io::{Write, stderr};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::{Instant, sleep_until};
use xtask::testbed::{Change, Routers, Server, dist};

use crate::support::{Bed, Page, Tab, run};

/// After the new address is up, messages, pictures and sound flow again within this time …
pub const LIMIT: Duration = Duration::from_secs(3);
/// … on a machine that does nothing else. Here others compile.
pub const BUSY: u32 = 2;

/// The networks; nothing where this machine lets us make none, which is said.
pub fn routers() -> Option<Routers> {
    match Routers::new() {
        Ok(routers) => Some(routers),
        Err(reason) => {
            // Not captured, unlike what `println` writes.
            let words = "Skipped: this machine lets us make no networks.";
            let _ = writeln!(stderr(), "{words} {reason:#}");
            None
        }
    }
}

#[test]
fn messages_flow_again_soon_after_the_network_has_changed() {
    let Some(mut routers) = routers() else {
        return;
    };
    run(|bed| async move {
        let server = routers.serve(&dist()).await?;
        let ann = open(&bed, &routers, 0, &server, "ann").await?;
        let ben = open(&bed, &routers, 1, &server, "ben").await?;
        ann.sees(&["ben"]).await?;
        ben.sees(&["ann"]).await?;

        let mut talk = Talk {
            tabs: [ann, ben],
            said: Vec::new(),
        };
        talk.say(0, "the first").await?;
        talk.say(1, "the second").await?;
        talk.arrived().await?;
        let no_gap = Duration::ZERO;
        let two_seconds = Duration::from_secs(2);
        for (change, gap) in [
            (Change::UdpPort, no_gap),
            (Change::Port, no_gap),
            (Change::Address, no_gap),
            (Change::Address, two_seconds),
            (Change::Router, no_gap),
            (Change::Router, two_seconds),
        ] {
            let took = talk.across(&mut routers, change, gap).await?;
            println!("{change:?} after a gap of {gap:?}: {took:?}");
            ensure!(took <= LIMIT * BUSY, "{change:?} took {took:?}");
        }
        Ok(())
    });
}

/// Opens the page in a Chromium behind one of the routers, and joins.
pub async fn open(
    bed: &Bed,
    routers: &Routers,
    home: usize,
    server: &Server,
    name: &str,
) -> Result<Tab> {
    let browser = routers.chromium(home, server).await?;
    let tab = bed.own(browser).await?.open(server.url()).await?;
    tab.join(name).await?;
    Ok(tab)
}

/// The conversation of two people.
struct Talk {
    tabs: [Tab; 2],
    said: Vec<(usize, String)>,
}

impl Talk {
    async fn say(&mut self, by: usize, text: &str) -> Result<()> {
        self.said.push((by, text.to_owned()));
        self.tabs[by].say(text).await
    }

    /// Changes the network of the first one, after a gap in which both speak. Returns how long it took from then until
    /// everything had arrived.
    async fn across(
        &mut self,
        routers: &mut Routers,
        change: Change,
        gap: Duration,
    ) -> Result<Duration> {
        let number = self.said.len();
        if !gap.is_zero() {
            routers.unplug()?;
            let end = Instant::now() + gap;
            self.say(0, &format!("{number}: are you there?")).await?;
            self.say(1, &format!("{number}: can you hear me?")).await?;
            // The gap itself is what is tested, so it has to last.
            sleep_until(end).await;
        }
        routers.change(change)?;
        let start = Instant::now();
        self.say(1, &format!("{number}: I am where I was")).await?;
        self.say(0, &format!("{number}: I moved")).await?;
        self.arrived().await?;
        let took = start.elapsed();
        for tab in &self.tabs {
            tab.until("one connected person", |page| page.status == "connected")
                .await?;
        }
        Ok(took)
    }

    /// Waits until both tabs show everything that was said. Each message is there once, those of each person are in their
    /// order, and nobody is shown as having left.
    async fn arrived(&self) -> Result<()> {
        for tab in &self.tabs {
            let is_there = |page: &Page| page.messages.len() >= self.said.len();
            let page = tab.until("all messages", is_there).await?;
            for (by, name) in ["ann", "ben"].into_iter().enumerate() {
                let shown = page.messages.iter().filter(|said| said.sender == name);
                let shown: Vec<&str> = shown.map(|said| said.text.as_str()).collect();
                let said = self.said.iter().filter(|(speaker, _)| *speaker == by);
                let said: Vec<&str> = said.map(|(_, text)| text.as_str()).collect();
                ensure!(
                    shown == said,
                    "{name} said {said:?}, and {shown:?} is shown"
                );
            }
            ensure!(!page.text("moves").contains("left"), "{page:?}");
        }
        Ok(())
    }
}
