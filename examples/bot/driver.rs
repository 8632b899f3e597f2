//! The only caller of [`Room`]: feeds in what happened, carries out what the room wants, and decides nothing.

use std::collections::VecDeque;
use std::future::Future;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rtchat::identity::Profile;
use rtchat::room::{
    AppEvent, BrokerEvent, BrokerId, BrokerState, ChatEvent, Command, Event, Input, Output,
    PeerState, PeerView, PeopleEvent, Room,
};
use rtchat::time::Millis;
use tokio::sync::mpsc::Receiver;

use crate::broker::Broker;
use crate::connections::Connections;
use crate::helper::Helper;
use crate::sockets::Datagram;

/// Something that came from outside.
#[derive(Debug)]
pub enum Happening {
    /// The broker brought something, or its state changed.
    Broker(Input),
    /// A connection to the broker is open: time to subscribe and to announce ourselves.
    BrokerOpen,
    /// The broker is lost; the next try comes after this pause.
    BrokerLost(Duration),
    /// UDP.
    Datagram(Datagram),
}

/// The room's time: the computer's clock when it started, and from then on one that nobody sets.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    at: Millis,
}

impl Clock {
    pub fn start() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Clock {
            started: Instant::now(),
            at: Millis(0) + since.unwrap_or_default(),
        }
    }

    pub fn now(&self) -> Millis {
        self.at + self.started.elapsed()
    }

    fn instant(&self, at: Millis) -> Instant {
        Instant::now() + at.since(self.now())
    }
}

/// A sleep is never longer than this: some clocks stop while the computer sleeps.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// After leaving, so long may the last words take.
const FAREWELL: Duration = Duration::from_secs(1);

/// A room that is being driven.
pub struct Driver {
    room: Room,
    clock: Clock,
    inputs: VecDeque<Input>,
    broker: Broker,
    connections: Connections,
    profile: Profile,
    helper: Helper,
}

impl Driver {
    pub fn new(
        room: Room,
        clock: Clock,
        broker: Broker,
        connections: Connections,
        profile: Profile,
        helper: Helper,
    ) -> Driver {
        Driver {
            room,
            clock,
            inputs: VecDeque::new(),
            broker,
            connections,
            profile,
            helper,
        }
    }

    /// Drives the room until `stop`, then leaves it and waits for the last words to leave, too.
    pub async fn run(mut self, mut happenings: Receiver<Happening>, stop: impl Future) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let wake = self.next_wake();
            tokio::select! {
                Some(happening) = happenings.recv() => self.take(happening),
                () = tokio::time::sleep_until(wake.into()) => self.wake(),
                _ = &mut stop => break,
            }
        }
        self.feed(Input::Command(Command::Leave));
        self.broker.disconnect();
        let farewell = async {
            while !self.connections.is_idle() {
                let wake = self.next_wake();
                tokio::select! {
                    Some(happening) = happenings.recv() => self.take(happening),
                    () = tokio::time::sleep_until(wake.into()) => self.wake(),
                }
            }
            self.broker.closed().await;
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
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

    fn take(&mut self, happening: Happening) {
        match happening {
            Happening::Broker(input) => self.feed(input),
            Happening::BrokerOpen => {
                self.broker.subscribe();
                self.feed(Input::Broker(
                    BrokerId(0),
                    BrokerEvent::State(BrokerState::Opening),
                ));
            }
            Happening::BrokerLost(pause) => {
                let retry_at = self.clock.now() + pause;
                self.feed(Input::Broker(
                    BrokerId(0),
                    BrokerEvent::State(BrokerState::Unreachable { retry_at }),
                ));
            }
            Happening::Datagram(datagram) => {
                self.connections.receive(&datagram);
                self.settle();
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.inputs.push_back(input);
        self.settle();
    }

    /// Hands everything to the room that waits for it, and carries out what the room wants then.
    fn settle(&mut self) {
        loop {
            let notices = self.connections.take_notices();
            self.inputs
                .extend(notices.map(|(id, notice)| Input::Link(id, notice)));
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
            Output::Link(id, order) => self.connections.carry_out(id, order),
            // It offers no files and takes none.
            Output::File(..) | Output::YieldFiles => {}
            Output::Trust(note) => {
                self.profile.remember(&note);
                for notice in self.profile.take_notices() {
                    eprintln!("{notice}");
                }
            }
            Output::Event(event) => {
                print(&event);
                let commands = self.helper.hears(&event).into_iter();
                self.inputs.extend(commands.map(Input::Command));
            }
        }
    }
}

/// Tells the owner what goes on.
fn print(event: &Event) {
    match event {
        Event::Status(status) => println!("{status:?}"),
        Event::People(PeopleEvent::Changed(PeerView { user, state, .. }))
            if *state == PeerState::Verified =>
        {
            println!("{user} is here.")
        }
        Event::People(PeopleEvent::Gone { peer, reason }) => {
            println!("{} is gone: {reason:?}.", peer.user)
        }
        Event::Chat(ChatEvent::Message(message)) => {
            println!("{}: {}", message.sender, message.text)
        }
        Event::App(AppEvent::Question { content, .. }) => println!("Asked: {content}"),
        Event::App(AppEvent::Answered { result, .. }) => match result {
            Ok(answer) => println!("Answered: {answer}"),
            Err(error) => println!("Not answered: {error}"),
        },
        Event::People(PeopleEvent::ValidationFailure { peer, reason }) => {
            println!("Somebody is not {}: {reason}", peer.user)
        }
        Event::Refused(why) => println!("{why}"),
        _ => {}
    }
}
