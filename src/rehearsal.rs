//! A meeting of two people in memory, which reaches nobody.
//!
//! Browsers compile a function of a WebAssembly program when it is called for the first time, so the first meeting takes
//! longer than every later one. A page rehearses it while somebody types a name.

use std::collections::VecDeque;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

use crate::identity::{IdentityKey, Name, TrustBook};
use crate::room::{
    BrokerEvent, BrokerId, BrokerState, Config, Event, Input, MAIN_CHANNEL, Output, PeerState,
    PeopleEvent, Room,
};
use crate::rtc::{ConnectionId, DataDescription, LinkCommand, LinkEvent, SdpType};
use crate::settings::{Accept, CallKinds, Features};
use crate::time::Millis;
use crate::wire::RoomSource;

const BROKER: BrokerId = BrokerId(0);

/// A description as browsers write it, but for its setup.
const DESCRIPTION: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
    10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\na=mid:0\r\na=sctp-port:5000\r\n";

/// One of the two.
struct Person {
    room: Room,
    identity: IdentityKey,
    /// The connection to the other one.
    connection: Option<ConnectionId>,
    has_met: bool,
}

/// The meeting, step by step.
pub struct Rehearsal {
    people: [Person; 2],
    now: Millis,
    inputs: VecDeque<(usize, Input)>,
}

impl Rehearsal {
    /// Prepares a meeting in a room of its own. `None` if there is none, which would be a mistake in this file.
    pub fn new(seed: [u8; 32]) -> Option<Rehearsal> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let now = Millis(1_000_000);
        let room = RoomSource {
            page: "rehearsal",
            name: "rehearsal",
            secret: None,
            root: None,
        };
        let mut person = |name| {
            let identity = IdentityKey::generate(&mut rng);
            let mut seed = [0; 32];
            rng.fill_bytes(&mut seed);
            let config = Config {
                keys: room.derive(None).lobby(),
                topic_prefix: String::new(),
                identity: identity.public(),
                name: Name::parse(name).ok()?,
                tab: 1,
                info: None,
                channels: vec![MAIN_CHANNEL.to_owned()],
                accept: Accept::Everyone,
                features: Features::default(),
                calls: CallKinds::default(),
                trust: TrustBook::default(),
                seed,
            };
            Some(Person {
                room: Room::new(config, now),
                identity,
                connection: None,
                has_met: false,
            })
        };
        let people = [person("ann")?, person("ben")?];
        let states = [BrokerState::Opening, BrokerState::Ready];
        let joining =
            |who| states.map(|state| (who, Input::Broker(BROKER, BrokerEvent::State(state))));
        Some(Rehearsal {
            people,
            now,
            inputs: [0, 1].into_iter().flat_map(joining).collect(),
        })
    }

    /// Takes a step. Returns whether another one follows.
    pub fn step(&mut self) -> bool {
        let Some((who, input)) = self.inputs.pop_front().or_else(|| self.wait()) else {
            return false;
        };
        let Some(person) = self.people.get_mut(who) else {
            return false;
        };
        person.room.handle(self.now, input);
        let outputs: Vec<Output> = core::iter::from_fn(|| person.room.poll()).collect();
        for output in outputs {
            self.carry_out(who, output);
        }
        self.people.iter().any(|person| !person.has_met)
    }

    /// Lets time pass until somebody has something to do.
    fn wait(&mut self) -> Option<(usize, Input)> {
        let people = self.people.iter().enumerate();
        let wakes = people.filter_map(|(who, person)| Some((person.room.next_wake()?.1, who)));
        let (at, who) = wakes.min()?;
        self.now = self.now.max(at);
        Some((who, Input::Wake))
    }

    fn carry_out(&mut self, who: usize, output: Output) {
        let other = usize::from(who == 0);
        match output {
            Output::Publish { topic, payload, .. } => {
                for (who, person) in self.people.iter().enumerate() {
                    if person.room.subscriptions().contains(&topic) {
                        let (topic, payload) = (topic.clone(), payload.clone());
                        let message = BrokerEvent::Message { topic, payload };
                        self.inputs.push_back((who, Input::Broker(BROKER, message)));
                    }
                }
            }
            Output::Sign { ticket, message } => {
                let Some(person) = self.people.get(who) else {
                    return;
                };
                let signature = person.identity.sign_message(&message);
                let signed = Input::Signed { ticket, signature };
                self.inputs.push_front((who, signed));
            }
            Output::CheckSignatures { ticket, checks } => {
                let are_good = checks.iter().map(|check| check.verify().is_ok()).collect();
                let checked = Input::CheckedSignatures { ticket, are_good };
                self.inputs.push_front((who, checked));
            }
            Output::Link(connection, command) => {
                if let Some(person) = self.people.get_mut(who) {
                    person.connection = Some(connection);
                }
                match command {
                    LinkCommand::Offer => self.describe(who, SdpType::Offer, "actpass"),
                    LinkCommand::Answer(offer) => {
                        offer.to_sdp();
                        self.describe(who, SdpType::Answer, "active");
                    }
                    LinkCommand::Accept(answer) => {
                        answer.to_sdp();
                        self.link(who, LinkEvent::Opened);
                        self.link(other, LinkEvent::Opened);
                    }
                    LinkCommand::Send(text) => self.link(other, LinkEvent::Text(text)),
                    LinkCommand::SendBytes(bytes) => self.link(other, LinkEvent::Bytes(bytes)),
                    _ => {}
                }
            }
            Output::Event(Event::People(PeopleEvent::Changed(peer))) => {
                if let Some(person) = self.people.get_mut(who) {
                    person.has_met |= peer.state == PeerState::Verified;
                }
            }
            _ => {}
        }
    }

    fn describe(&mut self, who: usize, kind: SdpType, setup: &str) {
        let sdp = format!("{DESCRIPTION}a=setup:{setup}\r\n");
        if let Ok(description) = DataDescription::from_sdp(kind, &sdp) {
            self.link(who, LinkEvent::Described(description));
        }
    }

    fn link(&mut self, who: usize, event: LinkEvent) {
        let person = self.people.get(who);
        if let Some(connection) = person.and_then(|person| person.connection) {
            self.inputs.push_back((who, Input::Link(connection, event)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_meet_in_a_few_steps() {
        for seed in 0..20 {
            let mut rehearsal = Rehearsal::new([seed; 32]).unwrap();
            let steps = (0..100).take_while(|_| rehearsal.step()).count();
            assert!(rehearsal.people.iter().all(|person| person.has_met));
            assert!(steps < 30, "seed {seed}: {steps}");
        }
    }
}
