//! Brokers, sites, browsers and networks that tests and benchmarks start and stop.
//!
//! Everything listens on 127.0.0.1 and free ports, and ends when its value is dropped.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use xtask::testbed::{Bridge, Broker, Browser, Site};
//!
//! let broker = Broker::mosquitto().await?;
//! let bridge = Bridge::start(broker.tcp_port(), std::time::Duration::from_millis(40)).await?;
//! let settings = serde_json::json!({ "brokers": [bridge.ws_url()], "iceServers": [] });
//! let site = Site::start(xtask::testbed::dist(), settings).await?;
//! let browser = Browser::chromium().await?;
//! browser.goto(site.url()).await?;
//! bridge.cut().await?; // The broker is gone …
//! bridge.mend().await?; // … and back.
//! # Ok(()) }
//! ```

mod bridge;
mod broker;
pub mod browser;
mod child;
mod delay;
mod exit;
mod namespace;
mod port;
mod routers;
mod rumqttd;
mod site;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

pub use bridge::{Bridge, Relay, Traffic};
pub use broker::Broker;
pub use browser::{Browser, firefox_capabilities};
pub use child::Child;
pub use delay::DelayProxy;
pub use exit::end_at_exit;
pub use namespace::{Forwarding, Namespace};
pub use routers::{Change, Routers, Server};
pub use rumqttd::start as start_rumqttd;
pub use site::{Site, pages};

/// The folder of the built page: `RTCHAT_DIST`, which `cargo xtask test e2e` sets, or else the project's `dist/`.
pub fn dist() -> PathBuf {
    std::env::var_os("RTCHAT_DIST").map_or_else(crate::project::dist, PathBuf::from)
}

/// The folder of the page that plays conversations without a network: `$RTCHAT_DEMO`, or the one that `cargo xtask test
/// e2e` builds.
pub fn demo() -> PathBuf {
    std::env::var_os("RTCHAT_DEMO")
        .map_or_else(|| crate::project::target().join("demo"), PathBuf::from)
}

/// A port of 127.0.0.1 that is free at this moment.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(local(0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Listens on a port of 127.0.0.1 that this process has not served a site from. Browsers are shared and keep what a site
/// stored, and the system gives the same port again some day: a page there would know the name of somebody in an earlier
/// test.
pub fn new_origin() -> Result<tokio::net::TcpListener> {
    static USED: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    // Held until another one is found, since the system would give them again.
    let mut used = Vec::new();
    loop {
        let listener = TcpListener::bind(local(0)).context("cannot find a free port")?;
        let port = listener.local_addr()?.port();
        let mut known = USED.lock().unwrap_or_else(PoisonError::into_inner);
        if known.insert(port) {
            listener.set_nonblocking(true)?;
            return Ok(tokio::net::TcpListener::from_std(listener)?);
        }
        used.push(listener);
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Waits until a connection to this address succeeds. Fails after 20 s, or as soon as `alive` does.
async fn listening(address: SocketAddr, mut alive: impl FnMut() -> Result<()>) -> Result<()> {
    let start = Instant::now();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        alive()?;
        if start.elapsed() > Duration::from_secs(20) {
            bail!("no program listens on {address} after 20 s");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
