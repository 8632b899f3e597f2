//! A peer of a later version, which says more than this one knows: they meet and talk all the same. Critical parts that
//! this version does not know are not acted on.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use rtchat::room::{ChatEvent, Event, Input, PeopleEvent};
use rtchat::rtc::{DataDescription, LinkEvent, SdpType};
use rtchat::wire::connect::ConnectFields;
use rtchat::wire::extension::{Extension, Extensions};
use rtchat::wire::frame::LinkFrame;
use rtchat::wire::pair::PairContext;
use rtchat::wire::statement::Unsigned;
use rtchat::wire::transcript::{
    Expected, Proof, ProofError, Role, Transcript, TranscriptHash, VerifyFields,
};
use rtchat::wire::{Body, Connect, Frame, Introduction, Nonce};

use super::{Mallory, newest_connect, overheard};
use crate::scenes::{SOON, id};
use crate::world::{World, sdp};

fn extensions(critical: bool) -> Extensions {
    let unknown = |kind, critical| Extension {
        kind,
        critical,
        value: vec![1, 2, 3],
    };
    Extensions::new(vec![unknown(0x21, critical), unknown(0x7f, false)]).unwrap()
}

/// The critical part in the messages of a peer of version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Critical {
    Nothing,
    Connect,
    Introduction,
    Proof,
}

/// Ann, and a peer of version 2 that offers to her.
struct Meeting {
    world: World,
    ann: usize,
    newer: Mallory,
    connect: Connect,
}

impl Meeting {
    fn new(critical: Critical) -> Meeting {
        let mut world = World::new(1);
        let ann = world.open("ann");
        world.run(SOON);
        let mut newer = Mallory::named(1, "newer");
        let fields = ConnectFields {
            version: 2,
            capabilities: 0xf0,
            ..newer.fields(world.now)
        };
        let extensions = extensions(critical == Critical::Connect);
        let keys = world.keys.clone();
        let connect = Connect::sign(fields, extensions, keys.id(), &newer.identity).unwrap();
        // Beside the announcement stands a body of a kind that this version does not know.
        let bytes = connect.as_bytes();
        let mut body = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        body.extend_from_slice(bytes);
        let mut plain = newer.id().0.to_vec();
        plain.extend_from_slice(&connect.signed_at.0.to_be_bytes());
        plain.push(1);
        plain.extend_from_slice(&body);
        plain.extend_from_slice(&[200, 0, 3, 7, 7, 7]);
        let topic = keys.topic();
        let payload = keys.seal_key().seal(&mut newer.rng, &topic.0, &plain);
        world.publish_raw(&topic.name(""), payload);
        world.run(Duration::from_millis(20));
        Meeting {
            world,
            ann,
            newer,
            connect,
        }
    }

    /// Offers, and takes the answer. Returns the hash of the transcript, or `None` if there is no answer.
    fn offer(&mut self, critical: bool) -> Option<TranscriptHash> {
        let Meeting {
            world,
            ann,
            newer,
            connect,
        } = self;
        let theirs = newest_connect(world, *ann);
        let fingerprint = [9; 32];
        let description = sdp(SdpType::Offer, "newernewer", &fingerprint);
        let description = DataDescription::from_sdp(SdpType::Offer, &description).unwrap();
        let challenge = Nonce::generate(&mut newer.rng);
        let description = description.to_bytes();
        let introduction = Introduction::new(challenge, description, extensions(critical)).unwrap();
        let at = world.now + Duration::from_millis(1);
        let (inbox, envelope) = newer.introduce(at, &theirs, connect.clone(), introduction.clone());
        let (attempt, _) = newer.offered.clone().unwrap();
        newer.send(world, inbox, &envelope);
        world.run(Duration::from_millis(100));
        let anns = id(world, *ann);
        let (answer, timestamp) =
            overheard(world)
                .into_iter()
                .rev()
                .find_map(|(_, its)| match &its.bodies[0] {
                    Body::RtcAnswer(answer) if its.sender == anns && answer.attempt == attempt => {
                        Some((answer.clone(), its.timestamp))
                    }
                    _ => None,
                })?;
        let own = newer.id();
        let pair = newer.pair(&theirs);
        let context = PairContext {
            key: &pair,
            topic: world.keys.topic(),
            sender: &anns,
            recipient: &own,
            timestamp,
        };
        let answer = context.open_answer(&answer, &challenge).unwrap();
        let described = DataDescription::from_bytes(answer.description()).unwrap();
        let transcript = Transcript {
            room: *world.keys.id(),
            // The smaller version of the two.
            version: 1,
            attempt,
            offerer: connect.id(world.keys.id()),
            answerer: theirs.id(world.keys.id()),
            offer: introduction.hash(),
            answer: answer.hash(),
            offerer_fingerprint: fingerprint,
            answerer_fingerprint: described.fingerprint(),
        };
        Some(transcript.hash())
    }

    /// Opens the channel, and lets both prove themselves.
    fn prove(&mut self, transcript: TranscriptHash, critical: bool) {
        let Meeting {
            world,
            ann,
            newer,
            connect,
        } = self;
        let connection = *world.all_connections(*ann).last().unwrap();
        world.feed(*ann, Input::Link(connection, LinkEvent::Opened));
        world.run(Duration::from_millis(10));
        let room = *world.keys.id();
        let (_, frame) = world.unheard.last().expect("ann proves herself").clone();
        let Ok(Frame::Link(LinkFrame::Verify { proof, .. })) = Frame::from_json(&frame) else {
            panic!("{frame}");
        };
        let proof = Base64UrlUnpadded::decode_vec(&proof).unwrap();
        let used = newest_connect(world, *ann);
        let expected = Expected {
            room: &room,
            transcript: &transcript,
            role: Role::Answerer,
            used: &used,
        };
        Proof::parse(&proof).unwrap().check(&expected).unwrap();
        let fields = VerifyFields {
            role: Role::Offerer,
            transcript,
            current: connect.id(&room),
            resume: Nonce([5; 16]),
        };
        let verify = Unsigned::new(fields, extensions(critical)).unwrap();
        let proof = Proof::new(verify.sign(&room, &newer.identity), None).to_bytes();
        let proof = Base64UrlUnpadded::encode_string(&proof);
        let frame = format!(
            r#"{{"k":"verify","later":{{"x":[1]}},"proof":"{proof}","text":"{{\"later\":true}}"}}"#
        );
        world.feed(*ann, Input::Link(connection, LinkEvent::Text(frame)));
    }

    fn say(&mut self, frame: &str) {
        let connection = *self.world.all_connections(self.ann).last().unwrap();
        let event = LinkEvent::Text(frame.to_owned());
        self.world.feed(self.ann, Input::Link(connection, event));
    }
}

fn failures(world: &World, at: usize) -> Vec<String> {
    let events = world.nodes[at].events.iter();
    let failures = events.filter_map(|event| match event {
        Event::People(PeopleEvent::ValidationFailure { reason, .. }) => Some(reason.clone()),
        _ => None,
    });
    failures.collect()
}

#[test]
fn somebody_of_a_later_version_is_met_and_talked_to() {
    let mut meeting = Meeting::new(Critical::Nothing);
    let ann = meeting.ann;
    let skipped = meeting.world.nodes[ann].room.diagnostics().skipped;
    assert_eq!(skipped, 1);
    let transcript = meeting.offer(false).expect("ann answers");
    meeting.prove(transcript, false);
    assert_eq!(failures(&meeting.world, ann), [""; 0]);
    assert_eq!(
        meeting.world.verified(ann),
        1,
        "{:?}",
        meeting.world.roster(ann)
    );
    assert!(meeting.world.roster(ann).contains_key("newer"));
    for frame in [
        r#"{"k":"hologram","of":"me"}"#,
        r#"{"k":"got","n":0,"stream":7,"window":9}"#,
        r#"{"k":"typing","in":"Xapll4kN142nZ0oWLilpKg","mood":"fine"}"#,
    ] {
        meeting.say(frame);
    }
    let typing = |event: &Event| matches!(event, Event::Chat(ChatEvent::Typing { .. }));
    assert!(meeting.world.nodes[ann].events.iter().any(typing));
    assert_eq!(meeting.world.dropped(ann, "an unreadable frame"), 0);
    assert_eq!(meeting.world.dropped(ann, "unreadable"), 0);
    assert_eq!(meeting.world.dropped(ann, "of a later version"), 0);
    // And in the other direction.
    meeting.world.say(ann, "from the past");
    let (_, last) = meeting.world.unheard.last().unwrap();
    let said = meeting.world.unheard.iter();
    let mut said = said.filter(|(_, frame)| frame.contains(r#""k":"entries""#));
    assert!(said.next().is_some(), "{last}");
}

#[test]
fn unknown_critical_parts_are_dropped_and_counted() {
    // In the announcement, also where it stands in an offer.
    let mut meeting = Meeting::new(Critical::Connect);
    assert!(meeting.offer(false).is_none());
    let ann = meeting.ann;
    assert_eq!(meeting.world.dropped(ann, "of a later version"), 2);
    assert_eq!(meeting.world.connections(ann), 0);
    // In the introduction.
    let mut meeting = Meeting::new(Critical::Introduction);
    assert!(meeting.offer(true).is_none());
    let ann = meeting.ann;
    assert_eq!(meeting.world.dropped(ann, "of a later version"), 1);
    // In the proof.
    let mut meeting = Meeting::new(Critical::Proof);
    let ann = meeting.ann;
    let transcript = meeting.offer(false).expect("ann answers");
    meeting.prove(transcript, true);
    let why = [ProofError::Unsupported.to_string()];
    assert_eq!(failures(&meeting.world, ann), why);
    assert_eq!(meeting.world.verified(ann), 0);
}
