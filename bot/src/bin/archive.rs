//! A peer that brings a long conversation along, and passes it on to whoever comes: for tests and benchmarks.
//!
//! ```sh
//! cargo run -p rtchat-bot --bin archive -- http://127.0.0.1:8080/ mqtt://127.0.0.1:1883 archive archive.json 10000
//! ```
//!
//! The arguments are the page, the broker, a name, the file of the identity, the number of messages, and the number of
//! days before now at which they begin, if that is not the number that they take. It prints a line when it is ready.
#![allow(clippy::disallowed_methods)] // The core takes the time as an argument; this is where it is read.

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rtchat_bot::rtchat::time::Millis;
use rtchat_bot::{Calls, Event, Options, Participant};

/// Every third message is followed by the long one of these pauses, so that messages come in groups.
const PAUSES: [u64; 3] = [20, 40, 420];
/// The texts of the messages: words of several lengths, lines, marks and an address.
const TEXTS: [&str; 7] = [
    "Good morning. Shall we look at the plan for Friday?",
    "Yes.",
    "I wrote down what is left: the pictures, the texts for the front page, and a cake. Whoever has time on Thursday could also \
     look at the list of people who want to come, because some of them have not answered yet.",
    "It is at https://example.org/plans/friday?version=3 now",
    "*Really?* I thought that `version=2` was the **last** one",
    "- the pictures\n- the texts\n- a cake",
    "Then the pictures are mine.",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some([page, broker, name, identity, count]), more) =
        (arguments.first_chunk(), arguments.get(5))
    else {
        return Err("five arguments are needed: page, broker, name, identity, count".into());
    };
    let count: u64 = count.parse()?;
    let options = Options {
        page: page.clone(),
        room: None,
        topic_prefix: String::new(),
        broker: broker.clone(),
        name: name.clone(),
        identity: identity.into(),
        history: None,
        calls: Calls::default(),
    };
    let takes = offset(count);
    let ago = match more {
        Some(days) => Duration::from_secs(days.parse::<u64>()? * 24 * 60 * 60),
        None => takes,
    };
    let now = Millis(0) + SystemTime::now().duration_since(UNIX_EPOCH)?;
    let since = Millis(now.0.saturating_sub(u64::try_from(ago.as_millis())?));
    let said = (0..count).zip(TEXTS.iter().cycle()).map(|(number, text)| {
        let text = format!("{text} ({number})");
        (since + offset(number), text)
    });
    let participant = Participant::open_with_history(&options, said)?;
    println!("{} has {count} messages.", participant.user());
    let quiet = |_: &Event| Vec::new();
    participant.run(quiet, std::future::pending::<()>()).await?;
    Ok(())
}

/// How long after the first message this one is said.
fn offset(number: u64) -> Duration {
    let rounds = number / 3 * PAUSES.iter().sum::<u64>();
    let pauses = PAUSES.iter().take((number % 3) as usize);
    Duration::from_secs(rounds + pauses.sum::<u64>())
}
