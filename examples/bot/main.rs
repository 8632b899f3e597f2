//! A peer outside the browser: a helper that waits in a room, greets whoever comes, and answers questions.
//!
//! ```sh
//! cargo run --example bot -- --page http://127.0.0.1:8080/ --broker mqtt://127.0.0.1:1883 --name helper
//! ```
//!
//! What it does with what it hears is in `helper.rs`. The rest is what any program needs that wants to be a peer, to
//! be copied: rtchat's [`Room`](rtchat::room::Room) decides, and these files do.
//!
//! | file | what it does |
//! | --- | --- |
//! | `helper.rs` | answers: the part to replace |
//! | `driver.rs` | feeds the room, and carries out what it wants |
//! | `broker.rs` | the way to the broker, with `rumqttc` |
//! | `connections.rs`, `connection.rs` | the ways to people, with `str0m` |
//! | `sockets.rs` | UDP |
//! | `storage.rs` | keeps the key and the people it met in a file |
#![allow(clippy::disallowed_methods)] // Outside of the core, clocks are right.
#![forbid(unsafe_code)]

mod broker;
mod connection;
mod connections;
mod driver;
mod helper;
mod sockets;
mod storage;

use std::path::PathBuf;

use anyhow::{Context, Result};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use clap::Parser;
use rtchat::identity::{Name, Profile};
use rtchat::room::{Config, Room};
use rtchat::settings::{Accept, PageAddress, Settings};
use rtchat::wire::RoomKeys;
use tokio::sync::mpsc;

use broker::Broker;
use connections::Connections;
use driver::{Clock, Driver};
use helper::Helper;
use storage::FileStorage;

/// A helper that waits in a room of rtchat and answers questions.
#[derive(Debug, Parser)]
struct Options {
    /// The page's address, as people open it; with ?room= and #k= if the link has them
    #[arg(long)]
    page: String,
    /// The room; without it the one that the page's address names
    #[arg(long)]
    room: Option<String>,
    /// The broker where the page's people meet: mqtt://[user:password@]host[:port]
    #[arg(long)]
    broker: String,
    /// What it is called
    #[arg(long, default_value = "helper")]
    name: String,
    /// Ask the programs of everybody who comes this, and print what they answer
    #[arg(long)]
    ask: Option<String>,
    /// The file that keeps its key, so that people know it again, and the people it met
    #[arg(long, default_value = "rtchat-bot.json")]
    identity: PathBuf,
}

/// How many things may wait to be looked at. Beyond that sockets are not read, and the network drops what is too much.
const WAITING: usize = 1024;

// One task does everything but reading sockets, so nothing is shared and nothing needs a lock.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let name = Name::parse(&options.name)?;
    let address = PageAddress::parse(&options.page)?;
    let settings = Settings {
        room: options.room,
        ..Settings::default()
    };
    let room = settings
        .room
        .as_deref()
        .unwrap_or_else(|| address.room_or(&settings));
    let secret = address.secret.as_ref().map(|secret| &secret.0);
    let keys = RoomKeys::derive(&address.page, room, secret, None)?;

    let storage = FileStorage::open(&options.identity)?;
    let mut profile = Profile::open(storage, &mut ChaCha20Rng::from_seed(seed()?));
    for notice in profile.take_notices() {
        eprintln!("{}: {notice}", options.identity.display());
    }

    let clock = Clock::start();
    let config = Config {
        keys,
        identity: profile.identity().clone(),
        name: name.clone(),
        tab: 1,
        info: None,
        accept: Accept::Everyone,
        trust: profile.trust().clone(),
        seed: seed()?,
    };
    let (happened, happenings) = mpsc::channel(WAITING);
    let connections = Connections::new(happened.clone())?;
    let room_of_ours = Room::new(config, clock.now());
    println!(
        "{} waits in the room {room} of {}. Its key is {}.",
        room_of_ours.user(),
        address.page,
        room_of_ours.key().fingerprint()
    );
    let broker = Broker::connect(&options.broker, room_of_ours.subscriptions(), happened)?;
    let helper = Helper::new(name, options.ask);
    Driver::new(room_of_ours, clock, broker, connections, profile, helper)
        .run(happenings, asked_to_stop())
        .await;
    Ok(())
}

fn seed() -> Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("this system gives us no random numbers")?;
    Ok(seed)
}

/// Ctrl-C, or what a service manager sends.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    // Where not even that works, only killing helps.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
