//! The memory that one peer can make this browser keep, in bytes. Two rooms under virtual time are connected directly,
//! and one of them sends whatever it likes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use rtchat::identity::{IdentityKey, Name, PeerId, TrustBook};
use rtchat::room::{
    AppCommand, AppEvent, BrokerEvent, BrokerId, BrokerState, Command, Config, Event, Input,
    MAIN_CHANNEL, Output, PeerState, PeopleEvent, Room,
};
use rtchat::rtc::{ConnectionId, DataDescription, LinkCommand, LinkEvent, SdpType};
use rtchat::settings::{Accept, CallKinds, Features};
use rtchat::time::Millis;
use rtchat::wire::RoomSource;

/// Counts the bytes that are in use.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Tests run one at a time, because the bytes of another one would count.
static ALONE: Mutex<()> = Mutex::new(());

const ANN: usize = 0;
const BEN: usize = 1;
const MIB: usize = 1024 * 1024;

struct Side {
    room: Room,
    key: IdentityKey,
    /// The open questions that the application was asked.
    questions: Vec<String>,
    questions_asked: usize,
    verified: bool,
    /// Whether the other side was removed.
    gone: bool,
}

/// Two rooms. Once ben is silent, nothing that ann sends reaches him, and the test decides what he sends.
struct Two {
    now: Millis,
    sides: [Side; 2],
    inputs: Vec<(usize, Input)>,
    connections: [Option<ConnectionId>; 2],
    ben_is_silent: bool,
}

fn sdp(kind: SdpType, side: usize) -> DataDescription {
    let fingerprint = vec![format!("{:02X}", side + 1); 32].join(":");
    let setup = match kind {
        SdpType::Offer => "actpass",
        SdpType::Answer => "active",
    };
    let text = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
         a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host\r\na=ice-ufrag:side{side}\r\n\
         a=ice-pwd:sidesidesidesidesidesid{side}\r\na=fingerprint:sha-256 {fingerprint}\r\n\
         a=setup:{setup}\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"
    );
    DataDescription::from_sdp(kind, &text).unwrap()
}

impl Two {
    /// Creates two rooms that have met.
    fn new() -> Two {
        let source = RoomSource {
            page: "example.org/chat",
            name: "lobby",
            secret: None,
            root: None,
        };
        let keys = source.derive(None).lobby();
        let now = Millis(1_700_000_000_000);
        let sides = [1, 2].map(|seed| {
            let key = IdentityKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]));
            let config = Config {
                keys: keys.clone(),
                topic_prefix: String::new(),
                identity: key.public(),
                name: Name::parse(["ann", "ben"][usize::from(seed) - 1]).unwrap(),
                tab: 1,
                info: None,
                channels: vec![MAIN_CHANNEL.to_owned()],
                accept: Accept::Everyone,
                features: Features::default(),
                calls: CallKinds::default(),
                trust: TrustBook::default(),
                seed: [seed + 100; 32],
            };
            Side {
                room: Room::new(config, now),
                key,
                questions: Vec::new(),
                questions_asked: 0,
                verified: false,
                gone: false,
            }
        });
        let mut two = Two {
            now,
            sides,
            inputs: Vec::new(),
            connections: [None; 2],
            ben_is_silent: false,
        };
        for side in [ANN, BEN] {
            for state in [BrokerState::Opening, BrokerState::Ready] {
                let event = BrokerEvent::State(state);
                two.feed(side, Input::Broker(BrokerId(0), event));
            }
        }
        two.run(Duration::from_secs(10));
        assert!(two.sides.iter().all(|side| side.verified));
        two
    }

    fn feed(&mut self, side: usize, input: Input) {
        self.inputs.push((side, input));
        while !self.inputs.is_empty() {
            let (side, input) = self.inputs.remove(0);
            self.sides[side].room.handle(self.now, input);
            while let Some(output) = self.sides[side].room.poll() {
                self.perform(side, output);
            }
        }
    }

    fn later(&mut self, side: usize, connection: ConnectionId, event: LinkEvent) {
        self.inputs.push((side, Input::Link(connection, event)));
    }

    fn perform(&mut self, side: usize, output: Output) {
        let other = 1 - side;
        match output {
            Output::Sign { ticket, message } => {
                let signature = self.sides[side].key.sign_message(&message);
                self.inputs
                    .push((side, Input::Signed { ticket, signature }));
            }
            Output::CheckSignatures { ticket, checks } => {
                let are_good = checks.iter().map(|check| check.verify().is_ok()).collect();
                let checked = Input::CheckedSignatures { ticket, are_good };
                self.inputs.push((side, checked));
            }
            Output::Publish { topic, payload, .. } => {
                for at in [ANN, BEN] {
                    if self.sides[at].room.subscriptions().contains(&topic) {
                        let (topic, payload) = (topic.clone(), payload.clone());
                        let message = BrokerEvent::Message { topic, payload };
                        self.inputs.push((at, Input::Broker(BrokerId(0), message)));
                    }
                }
            }
            Output::Link(connection, command) => self.link(side, other, connection, command),
            Output::Event(Event::App(AppEvent::Question { question, .. })) => {
                self.sides[side].questions.push(question);
                self.sides[side].questions_asked += 1;
            }
            Output::Event(Event::People(PeopleEvent::Changed(view))) => {
                self.sides[side].verified = view.state == PeerState::Verified;
            }
            Output::Event(Event::People(PeopleEvent::Gone { .. })) => {
                self.sides[side].verified = false;
                self.sides[side].gone = true;
            }
            _ => {}
        }
    }

    fn link(&mut self, side: usize, other: usize, connection: ConnectionId, command: LinkCommand) {
        match command {
            // Whoever is silent answers no offer, and what is said goes over the old connection.
            LinkCommand::Offer if self.ben_is_silent => {}
            LinkCommand::Offer => {
                self.connections[side] = Some(connection);
                let offer = sdp(SdpType::Offer, side);
                self.later(side, connection, LinkEvent::Described(offer));
            }
            LinkCommand::Answer(_) => {
                self.connections[side] = Some(connection);
                let answer = sdp(SdpType::Answer, side);
                self.later(side, connection, LinkEvent::Described(answer));
            }
            LinkCommand::Accept(_) => {
                for at in [side, other] {
                    if let Some(connection) = self.connections[at] {
                        self.later(at, connection, LinkEvent::Opened);
                    }
                }
            }
            LinkCommand::Send(text) => self.pass(side, LinkEvent::Text(text)),
            LinkCommand::SendBytes(bytes) => self.pass(side, LinkEvent::Bytes(bytes)),
            LinkCommand::Close => {
                if self.connections[side] == Some(connection) {
                    self.connections[side] = None;
                }
            }
            LinkCommand::GatherAnew
            | LinkCommand::Renegotiate(_)
            | LinkCommand::AddCandidates(_) => {}
        }
    }

    /// Passes a message to the other side, until ben is silent.
    fn pass(&mut self, from: usize, event: LinkEvent) {
        let to = 1 - from;
        if !self.ben_is_silent
            && let Some(connection) = self.connections[to]
        {
            self.later(to, connection, event);
        }
    }

    fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let wakes = [ANN, BEN].map(|side| self.sides[side].room.next_wake());
            let wakes = wakes.into_iter().enumerate();
            let wakes = wakes.filter(|(side, _)| *side == ANN || !self.ben_is_silent);
            let next = wakes.filter_map(|(side, wake)| Some((wake?.1, side))).min();
            let Some((at, side)) = next.filter(|(at, _)| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.feed(side, Input::Wake);
        }
        self.now = end;
    }

    /// Sends this frame to ann as if it came from ben, without his room.
    fn ben_says(&mut self, frame: String) {
        if let Some(connection) = self.connections[ANN] {
            self.feed(ANN, Input::Link(connection, LinkEvent::Text(frame)));
        }
    }

    fn ben(&self) -> PeerId {
        self.sides[BEN].room.id()
    }
}

/// How many more bytes are in use after `run` than before, without the questions that the test has collected.
fn kept(two: &mut Two, run: impl FnOnce(&mut Two)) -> usize {
    let before = LIVE.load(Ordering::Relaxed);
    run(two);
    two.sides
        .iter_mut()
        .for_each(|side| side.questions = Vec::new());
    LIVE.load(Ordering::Relaxed).saturating_sub(before)
}

#[test]
fn a_peer_that_asks_and_takes_no_answer_costs_little_memory_and_loses_the_link() {
    let _alone = ALONE.lock();
    let mut two = Two::new();
    two.ben_is_silent = true;
    let answer = format!("\"{}\"", "x".repeat(200_000));
    let mut most = 0;
    let kept = kept(&mut two, |two| {
        let before = LIVE.load(Ordering::Relaxed);
        for number in 0..1_000 {
            two.ben_says(format!(
                "{{\"k\":\"question\",\"id\":\"{number}\",\"v\":1}}"
            ));
            for question in std::mem::take(&mut two.sides[ANN].questions) {
                let (peer, result) = (two.ben(), Ok(answer.clone()));
                let answer = AppCommand::Answer {
                    peer,
                    question,
                    result,
                };
                two.feed(ANN, Input::Command(Command::App(answer)));
            }
            most = most.max(LIVE.load(Ordering::Relaxed).saturating_sub(before));
            two.run(Duration::from_millis(50));
        }
    });
    assert!(most <= 20 * MIB, "{most} bytes at once");
    assert!(kept <= 2 * MIB, "{kept} bytes are kept");
    assert!(two.sides[ANN].gone);
}

#[test]
fn questions_beyond_the_limit_are_not_passed_on() {
    let _alone = ALONE.lock();
    let mut two = Two::new();
    for number in 0..5_000 {
        two.ben_says(format!(
            "{{\"k\":\"question\",\"id\":\"{number}\",\"v\":1}}"
        ));
    }
    let asked = two.sides[ANN].questions_asked;
    assert!(asked <= 4_096, "{asked}");
    // Once some are answered, others are passed on.
    for question in std::mem::take(&mut two.sides[ANN].questions) {
        let (peer, result) = (two.ben(), Ok("1".to_owned()));
        let answer = AppCommand::Answer {
            peer,
            question,
            result,
        };
        two.feed(ANN, Input::Command(Command::App(answer)));
    }
    two.ben_says(r#"{"k":"question","id":"again","v":1}"#.to_owned());
    assert_eq!(two.sides[ANN].questions, ["again"]);
}

#[test]
fn a_peer_that_offers_files_for_ever_and_takes_no_answer_costs_little_memory() {
    let _alone = ALONE.lock();
    let mut two = Two::new();
    two.ben_is_silent = true;
    let kept = kept(&mut two, |two| {
        for number in 0..100_000 {
            two.ben_says(format!(
                r#"{{"k":"file","file":{number},"step":"offer","n":1,"name":"a"}}"#
            ));
            if number % 100 == 0 {
                two.run(Duration::from_millis(100));
            }
        }
    });
    assert!(kept <= 2 * MIB, "{kept} bytes are kept");
}

#[test]
fn a_peer_that_sends_anything_for_ever_costs_little_memory() {
    let _alone = ALONE.lock();
    let kinds: BTreeMap<&str, Box<dyn Fn(u32) -> String>> = BTreeMap::from([
        (
            "ping",
            Box::new(|n| format!("{{\"k\":\"ping\",\"id\":\"{n}\"}}"))
                as Box<dyn Fn(u32) -> String>,
        ),
        (
            "answer",
            Box::new(|n| format!("{{\"k\":\"answer\",\"id\":\"{n}\",\"v\":1}}")),
        ),
        (
            "chat",
            Box::new(|n| format!("{{\"k\":\"chat\",\"id\":\"{n}\",\"text\":\"x\",\"at\":5}}")),
        ),
        (
            "receipt",
            Box::new(|n| format!("{{\"k\":\"receipt\",\"id\":\"{n}\"}}")),
        ),
        (
            "profile",
            Box::new(|n| format!("{{\"k\":\"profile\",\"name\":\"n{n}\"}}")),
        ),
        (
            "part",
            Box::new(|n| {
                format!("{{\"k\":\"part\",\"id\":\"{n}\",\"index\":0,\"of\":2,\"text\":\"x\"}}")
            }),
        ),
    ]);
    for (kind, frame) in kinds {
        let mut two = Two::new();
        two.ben_is_silent = true;
        let kept = kept(&mut two, |two| {
            for number in 0..20_000 {
                two.ben_says(frame(number));
                if number % 100 == 0 {
                    two.run(Duration::from_millis(100));
                }
            }
        });
        assert!(kept <= MIB, "{kind}: {kept} bytes are kept");
    }
}
