//! A helper that waits in a room, greets everybody who comes, and answers questions.
//!
//! ```sh
//! cargo bot --page http://127.0.0.1:8080/ --broker mqtt://127.0.0.1:1883 --name helper
//! ```
//!
//! Its reactions to the events of the room are in `helper.rs`. Everything else is in the library of this package.
#![forbid(unsafe_code)]

mod calls;
mod helper;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use rtchat_bot::rtchat::settings::CallKinds;
use rtchat_bot::{Calls, Options, Participant};

use helper::Helper;

/// A helper that waits in a room of rtchat and answers questions
#[derive(Parser)]
#[command(name = "cargo bot", bin_name = "cargo bot")]
struct Arguments {
    /// The address of the page as people open it, with ?room= and #k= where the link has them
    #[arg(long)]
    page: String,
    /// The room; by default the one in the page's address, and else the default room
    #[arg(long)]
    room: Option<String>,
    /// The site's `topicPrefix` setting, if there is one
    #[arg(long, default_value = "")]
    topic_prefix: String,
    /// The broker that the page's people use: mqtt://[user:password@]host[:port]
    #[arg(long)]
    broker: String,
    /// The name that the helper shows to others
    #[arg(long, default_value = "helper")]
    name: String,
    /// Ask the program of everybody who comes this question, and print the answers
    #[arg(long)]
    ask: Option<String>,
    /// The file that holds the helper's key, by which people recognise it, and the people it has met
    #[arg(long, default_value = "rtchat-bot.json")]
    identity: PathBuf,
    /// The file that keeps what is said, so that it is there for newcomers after the helper was restarted; by default nothing
    /// is kept
    #[arg(long)]
    history: Option<PathBuf>,
    /// Answer every call, with a tone and, where the site's setting `calls` is video, with a test picture
    #[arg(long, value_enum, value_name = "KIND")]
    calls: Option<Kind>,
    /// Show the test picture to whoever opens it
    #[arg(long, requires = "calls")]
    share_camera: bool,
    /// Show the test picture as a screen to whoever opens it
    #[arg(long, requires = "calls")]
    share_screen: bool,
}

/// The calls that the site has
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Calls with sound
    Audio,
    /// Calls with sound and pictures
    Video,
}

// One thread is enough, and nothing that it works on needs a lock.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(cause) = error.source() {
                eprintln!("  {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), rtchat_bot::Error> {
    let calls = match arguments.calls {
        None => Calls::default(),
        Some(Kind::Audio) => Calls::test(CallKinds::Audio)?,
        Some(Kind::Video) => Calls::test(CallKinds::Video)?,
    };
    let participant = Participant::open(&Options {
        page: arguments.page,
        topic_prefix: arguments.topic_prefix,
        room: arguments.room,
        broker: arguments.broker,
        name: arguments.name,
        identity: arguments.identity,
        history: arguments.history,
        calls,
    })?;
    println!(
        "{} waits in the room {} of {}. The fingerprint of its key is {}.",
        participant.user(),
        participant.room(),
        participant.page(),
        participant.fingerprint()
    );
    let share = calls::share(arguments.share_camera, arguments.share_screen);
    let helper = Helper::new(participant.user(), arguments.ask, share);
    participant.run(helper, stop_signal()).await
}

/// Waits for Ctrl-C, or for the signal that service managers send.
async fn stop_signal() {
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
    // Where no signal can be received, the program has to be killed.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
