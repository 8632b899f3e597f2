//! The only caller of [`Room`]: it passes inputs in, carries outputs out, and decides nothing.

use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rtchat::identity::{Profile, StorageNotice};
use rtchat::room::{BrokerEvent, BrokerId, BrokerState, Command, Input, Output, Room};
use rtchat::time::Millis;
use tokio::sync::mpsc::Receiver;

use crate::broker::Broker;
use crate::connections::Connections;
use crate::history::History;
use crate::incoming::Incoming;
use crate::media::Own;
use crate::storage::FileStorage;
use crate::{Bot, Warning};

/// A bot uses one broker. The room knows it by this number.
const BROKER: BrokerId = BrokerId(0);

/// The room's time: the system clock at the start, and from then on a monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    at: Millis,
}

impl Clock {
    /// Starts a clock at the current time.
    pub fn start() -> Clock {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Clock {
            started: Instant::now(),
            at: Millis(0) + since_epoch.unwrap_or_default(),
        }
    }

    /// The current time.
    pub fn now(&self) -> Millis {
        self.at + self.started.elapsed()
    }

    fn instant(&self, at: Millis) -> Instant {
        Instant::now() + at.since(self.now())
    }
}

/// The longest sleep. Some clocks stop while the computer sleeps, so the time is read at least this often.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The longest time that leaving may take: the last messages are sent to the broker and to other peers.
const MAX_FAREWELL: Duration = Duration::from_secs(1);

/// A room with everything that it needs.
pub struct Driver<B> {
    /// The room, which makes all decisions.
    pub room: Room,
    /// The room's time.
    pub clock: Clock,
    /// Inputs that the room has not handled yet.
    pub inputs: VecDeque<Input>,
    /// The connection to the broker.
    pub broker: Broker,
    /// The connections to other peers.
    pub connections: Connections,
    /// The sources of sound and pictures that calls send.
    pub own: Rc<Own>,
    /// The identity and the trust book.
    pub profile: Profile,
    /// The file that the profile is kept in.
    pub storage: Rc<FileStorage>,
    /// The file that keeps what is said, if there is one.
    pub history: Option<History>,
    /// Whether the last thing that was said was kept.
    pub is_kept: bool,
    /// The bot, which reacts to events.
    pub bot: B,
}

impl<B: Bot> Driver<B> {
    /// Drives the room until `stop` is ready, then leaves the room.
    pub async fn run(mut self, mut incoming: Receiver<Incoming>, stop: impl Future) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let wake = self.next_wake();
            tokio::select! {
                Some(next) = incoming.recv() => self.take(next),
                () = tokio::time::sleep_until(wake.into()) => self.wake(),
                _ = &mut stop => break,
            }
        }
        self.feed(Input::Command(Command::Leave));
        self.broker.disconnect();
        let farewell = async {
            while !self.connections.are_closed() {
                let wake = self.next_wake();
                tokio::select! {
                    Some(next) = incoming.recv() => self.take(next),
                    () = tokio::time::sleep_until(wake.into()) => self.wake(),
                }
            }
            self.broker.closed().await;
        };
        let _ = tokio::time::timeout(MAX_FAREWELL, farewell).await;
    }

    fn next_wake(&self) -> Instant {
        let latest = Instant::now() + LONGEST_SLEEP;
        let room = self.room.next_wake().map(|(_, at)| self.clock.instant(at));
        let connections = self.connections.next_wake();
        [room, connections]
            .into_iter()
            .flatten()
            .fold(latest, Instant::min)
    }

    fn wake(&mut self) {
        self.connections.wake();
        self.feed(Input::Wake);
    }

    fn take(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::BrokerConnected => {
                self.broker.subscribe();
                self.feed_broker(BrokerEvent::State(BrokerState::Opening));
            }
            Incoming::Broker(event) => self.feed_broker(event),
            Incoming::BrokerLost { error, retry_in } => {
                self.bot.on_warning(&Warning::BrokerLost(error));
                let retry_at = self.clock.now() + retry_in;
                self.feed_broker(BrokerEvent::State(BrokerState::Unreachable { retry_at }));
            }
            Incoming::Warning(warning) => self.bot.on_warning(&warning),
            Incoming::Datagram(datagram) => {
                self.connections.receive(&datagram);
                self.settle();
            }
        }
    }

    fn feed_broker(&mut self, event: BrokerEvent) {
        self.feed(Input::Broker(BROKER, event));
    }

    fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        self.settle();
    }

    /// Passes all pending inputs to the room, and carries out its outputs, until nothing is left.
    fn settle(&mut self) {
        loop {
            for received in self.connections.take_received() {
                self.bot.on_media(&received);
            }
            let events = self.connections.take_events();
            self.inputs
                .extend(events.map(|(id, event)| Input::Link(id, event)));
            let Some(input) = self.inputs.pop_front() else {
                return;
            };
            self.room.handle(self.clock.now(), input);
            while let Some(output) = self.room.poll() {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Publish { topic, payload, .. } => self.broker.publish(topic, payload),
            Output::Sign { ticket, message } => {
                let signature = self.profile.identity().sign_message(&message);
                self.inputs.push_back(Input::Signed { ticket, signature });
            }
            Output::CheckSignatures { ticket, checks } => {
                let are_good = checks.iter().map(|check| check.verify().is_ok()).collect();
                let checked = Input::CheckedSignatures { ticket, are_good };
                self.inputs.push_back(checked);
            }
            Output::Link(id, command) => self.connections.carry_out(id, command),
            // `rumqttc` pings by itself, and cannot be told to. The network of a bot rarely changes.
            Output::TestBroker => {}
            Output::Store(command) => {
                if let Some(history) = &mut self.history {
                    let kept = history.carry_out(command);
                    self.report_kept(kept);
                }
            }
            Output::Media(id, peer, wish) => self.connections.wish(id, peer, wish),
            // Bots neither send nor receive files, so there is no file channel, and no place for their bytes.
            Output::File(..) | Output::YieldFiles | Output::Blob(_) => {}
            Output::Trust(change) => {
                self.profile.remember(&change);
                self.report_storage_problems();
            }
            Output::Event(event) => {
                let commands = self.bot.on_event(&event).into_iter();
                let commands = commands.map(|command| self.own.complete(command));
                self.inputs.extend(commands.map(Input::Command));
            }
        }
    }

    /// Gives the room what was kept.
    pub fn restore(&mut self) {
        let Some(history) = &mut self.history else {
            return;
        };
        let (path, lines) = (history.path().to_owned(), history.broken());
        let events = history.events();
        if lines > 0 {
            let broken = Warning::HistoryBroken { path, lines };
            self.bot.on_warning(&broken);
        }
        match events {
            Ok(events) => self.inputs.extend(events.into_iter().map(Input::Store)),
            Err(error) => self.report_kept(Err(error)),
        }
        self.settle();
    }

    /// Tells the bot once that something was not kept, and again when that happens after it went well.
    fn report_kept(&mut self, kept: std::io::Result<()>) {
        let was_kept = std::mem::replace(&mut self.is_kept, kept.is_ok());
        let path = self
            .history
            .as_ref()
            .map(|history| history.path().to_owned());
        if let (Err(source), true, Some(path)) = (kept, was_kept, path) {
            self.bot.on_warning(&Warning::NotKept { path, source });
        }
    }

    /// Reports problems with the identity file to the bot.
    pub fn report_storage_problems(&mut self) {
        for warning in self.storage.take_warnings() {
            self.bot.on_warning(&warning);
        }
        for notice in self.profile.take_notices() {
            // These two are about browsers, and the storage has said more precisely what is wrong.
            if !matches!(notice, StorageNotice::Blocked | StorageNotice::Full) {
                let path = self.storage.path().to_owned();
                self.bot.on_warning(&Warning::SetAside { path, notice });
            }
        }
    }
}
