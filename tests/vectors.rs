//! Test vectors for a second implementation: fixed inputs, and the bytes that have to come out. The expected values are
//! frozen: changing one means changing the protocol.

use rtchat::identity::framing::length_prefixed;
use rtchat::identity::{IdentityKey, Name, PeerId, SealKey, SessionKey};
use rtchat::settings::{PageAddress, RoomSecret};
use rtchat::time::Millis;
use rtchat::wire::connect::{Connect, ConnectFields, LeaveSecret, Nonce};
use rtchat::wire::envelope::{
    Attempt, Body, Envelope, EnvelopeHash, NonceSource, PairSealed, RtcOffer,
};
use rtchat::wire::extension::{Extension, Extensions};
use rtchat::wire::pair::{Introduction, PairContext};
use rtchat::wire::room_keys::{DerivedTopic, RoomKeys, RoomSource, root_hash};
use rtchat::wire::statement::Unsigned;
use rtchat::wire::transcript::{Expected, Proof, Proven, Role, Transcript, VerifyFields};
use serde_json::Value;

fn load(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The text in a field.
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

fn from_hex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(value: &Value, key: &str) -> Vec<u8> {
    from_hex(text(value, key))
}

fn array<const N: usize>(value: &Value, key: &str) -> [u8; N] {
    bytes(value, key).try_into().unwrap()
}

/// An array, or `None` where the field is `null`.
fn optional<const N: usize>(value: &Value, key: &str) -> Option<[u8; N]> {
    (!value[key].is_null()).then(|| array(value, key))
}

#[track_caller]
fn expect(value: &Value, key: &str, found: impl AsRef<[u8]>) {
    assert_eq!(to_hex(found.as_ref()), text(value, key), "{key} of {value}");
}

#[test]
fn parts_are_length_prefixed() {
    for case in load(include_str!("vectors/rooms.json"))["lp"]
        .as_array()
        .unwrap()
    {
        let parts: Vec<Vec<u8>> = case["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| from_hex(part.as_str().unwrap()))
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        expect(case, "bytes", length_prefixed(&parts));
    }
}

#[test]
fn spellings_of_an_address_lead_to_one_page() {
    for case in load(include_str!("vectors/rooms.json"))["pages"]
        .as_array()
        .unwrap()
    {
        let address = text(case, "address");
        let page = PageAddress::parse(address).unwrap().page;
        assert_eq!(page, text(case, "page"), "{address}");
    }
}

#[test]
fn room_keys_match_the_vectors() {
    for case in load(include_str!("vectors/rooms.json"))["rooms"]
        .as_array()
        .unwrap()
    {
        let (secret, root) = (optional(case, "secret"), optional(case, "root"));
        let source = RoomSource {
            page: text(case, "page"),
            name: text(case, "name"),
            secret: secret.as_ref(),
            root: root.as_ref(),
        };
        let stretched = case["password"].as_str().map(|password| {
            let stretched = source.stretch(password).unwrap();
            expect(case, "stretched", stretched.0);
            stretched
        });
        let room = source.derive(stretched.as_ref());
        let epoch = u32::try_from(case["epoch"].as_u64().unwrap()).unwrap();
        let keys = room.epoch(epoch, &bytes(case, "epoch_secret"));
        expect(case, "room_id", keys.id().0);
        expect(case, "topic", keys.topic().0);
        assert_eq!(keys.topic().name(""), text(case, "topic_name"));
        let inbox = keys.inbox(&PeerId(array(case, "peer")));
        expect(case, "inbox", inbox.0);
        assert_eq!(inbox.name("site/"), text(case, "inbox_name"));
        assert_eq!(keys.seal_key(), &SealKey::new(array(case, "seal")));
    }
}

#[test]
fn links_match_the_vectors() {
    let file = load(include_str!("vectors/rooms.json"));
    for case in file["links"].as_array().unwrap() {
        let secret = RoomSecret {
            bytes: array(case, "secret"),
            root: optional(case, "root"),
            password: case["password"].as_bool().unwrap(),
        };
        assert_eq!(secret.to_text(), text(case, "k"));
        assert_eq!(RoomSecret::parse(text(case, "k")), Ok(secret));
    }
    let root = &file["root"];
    let key = IdentityKey::from_bytes(&bytes(root, "private")).unwrap();
    expect(root, "public", key.public().0);
    expect(
        root,
        "root",
        root_hash(&array(root, "secret"), &key.public()),
    );
}

/// The room in which the two peers of `meeting.json` meet.
fn meeting() -> (Value, RoomKeys) {
    let file = load(include_str!("vectors/meeting.json"));
    let room = &file["room"];
    let secret = array(room, "secret");
    let source = RoomSource {
        page: text(room, "page"),
        name: text(room, "name"),
        secret: Some(&secret),
        root: None,
    };
    let keys = source.derive(None).lobby();
    (file, keys)
}

/// One of the two peers.
struct Peer {
    identity: IdentityKey,
    session: SessionKey,
    id: PeerId,
    leave: LeaveSecret,
    connect: Connect,
}

fn peer(file: &Value, name: &str) -> Peer {
    let case = &file[name];
    let identity = IdentityKey::from_bytes(&bytes(case, "identity_private")).unwrap();
    let session = SessionKey::from_bytes(&bytes(case, "session_private")).unwrap();
    expect(case, "identity", identity.public().0);
    expect(case, "session", session.public().0);
    let id = PeerId::of(&identity.public(), &session.public());
    expect(case, "peer_id", id.0);
    Peer {
        identity,
        session,
        id,
        leave: LeaveSecret(array(case, "leave_secret")),
        connect: Connect::parse(&bytes(case, "connect")).unwrap(),
    }
}

/// The extensions of the vectors: none, or one with the type 0x7f01.
fn extensions(case: &Value) -> Extensions {
    let list = match bytes(case, "extensions").get(4..) {
        None => vec![],
        Some(value) => vec![Extension {
            kind: 0x7f01,
            critical: false,
            value: value.to_vec(),
        }],
    };
    Extensions::new(list).unwrap()
}

#[test]
fn connects_and_their_signatures_match_the_vectors() {
    let (file, keys) = meeting();
    for name in ["ann", "ben", "ben_renewed"] {
        let (case, peer) = (&file[name], peer(&file, name));
        let number = |key: &str| case[key].as_u64().unwrap();
        let leave = peer.leave.commitment(keys.id(), &peer.id);
        expect(case, "leave", leave);
        let fields = ConnectFields {
            version: number("version").try_into().unwrap(),
            capabilities: number("capabilities").try_into().unwrap(),
            identity: peer.identity.public(),
            session: peer.session.public(),
            serial: u32::try_from(number("serial")).unwrap().try_into().unwrap(),
            nonce: Nonce(array(case, "nonce")),
            leave,
            signed_at: Millis(number("signed_at")),
            tab: number("tab").try_into().unwrap(),
            name: Name::parse(text(case, "name")).unwrap(),
        };
        assert_eq!(*peer.connect, fields);
        let signed = Connect::sign(fields, extensions(case), keys.id(), &peer.identity).unwrap();
        expect(case, "connect", signed.as_bytes());
        assert_eq!(peer.connect, signed);
        assert_eq!(peer.connect.verify(keys.id()), Ok(()));
        expect(case, "connect_id", peer.connect.id(keys.id()).0);
        assert!(peer.leave.opens(keys.id(), &peer.connect));
    }
}

fn open(file: &Value, keys: &RoomKeys, topic: DerivedTopic, name: &str) -> Envelope {
    Envelope::open(keys, topic, &bytes(&file["envelopes"], name)).unwrap()
}

#[test]
fn announcements_and_farewells_match_the_vectors() {
    let (file, keys) = meeting();
    let ann = peer(&file, "ann");
    let connect = Envelope::new(ann.id, ann.connect.signed_at, Body::Connect(ann.connect));
    assert_eq!(open(&file, &keys, keys.topic(), "connect"), connect);
    let leave = open(&file, &keys, keys.topic(), "leave");
    assert_eq!(leave.bodies, [Body::Leave(ann.leave)]);
    assert_eq!(leave.skipped, 1, "a kind of a later version");
}

/// The contents of ben's offer and ann's answer.
struct Exchange {
    offer: RtcOffer,
    answer: PairSealed,
    candidates: PairSealed,
    offered: Introduction,
    answered: Introduction,
}

fn exchange(file: &Value, keys: &RoomKeys) -> Exchange {
    let (ann, ben) = (peer(file, "ann"), peer(file, "ben"));
    let pair = keys
        .pair_key((&ann.session, &ann.id), (&ben.session.public(), &ben.id))
        .unwrap();
    assert_eq!(pair, SealKey::new(array(file, "pair_key")));
    let only = |name, recipient| {
        let mut envelope = open(file, keys, keys.inbox(recipient), name);
        assert_eq!(Some(envelope.timestamp.0), file["timestamp"].as_u64());
        envelope.bodies.remove(0)
    };
    let (Body::RtcOffer(offer), Body::RtcAnswer(answer), Body::RtcCandidates(candidates)) = (
        only("offer", &ann.id),
        only("answer", &ben.id),
        only("candidates", &ben.id),
    ) else {
        panic!("an offer, an answer and candidates");
    };
    let from_ben = PairContext {
        key: &pair,
        topic: keys.topic(),
        sender: &ben.id,
        recipient: &ann.id,
        timestamp: Millis(file["timestamp"].as_u64().unwrap()),
    };
    let from_ann = PairContext {
        sender: &ann.id,
        recipient: &ben.id,
        ..from_ben
    };
    let offered = from_ben.open_offer(&offer, &ann.connect.nonce).unwrap();
    let answered = from_ann.open_answer(&answer, offered.challenge()).unwrap();
    let found = from_ann
        .open_candidates(&candidates, offered.challenge())
        .unwrap();
    let found: Vec<String> = found.iter().map(|candidate| to_hex(candidate)).collect();
    assert_eq!(Value::from(found), file["candidates"]);
    Exchange {
        offer,
        answer,
        candidates,
        offered,
        answered,
    }
}

#[test]
fn offers_and_answers_match_the_vectors() {
    let (file, keys) = meeting();
    let ann = peer(&file, "ann");
    let exchange = exchange(&file, &keys);
    let attempt = Attempt(file["attempt"].as_u64().unwrap().try_into().unwrap());
    assert!(attempt.is_from(&peer(&file, "ben").id, &ann.id));
    assert_eq!(exchange.offer.attempt, attempt);
    assert_eq!(exchange.answer.attempt, attempt);
    assert_eq!(exchange.candidates.attempt, attempt);
    assert_eq!(
        exchange.offer.nonce,
        NonceSource::Connect(ann.connect.serial)
    );
    for (introduction, name) in [(&exchange.offered, "offer"), (&exchange.answered, "answer")] {
        expect(
            &file,
            &format!("{name}_challenge"),
            introduction.challenge().0,
        );
        expect(
            &file,
            &format!("{name}_description"),
            introduction.description(),
        );
        expect(
            &file,
            &format!("{name}_introduction_hash"),
            introduction.hash(),
        );
    }
    assert_eq!(exchange.answered.unknown_extensions(), 1);
    let payload = bytes(&file["envelopes"], "offer");
    expect(&file, "offer_hash", EnvelopeHash::of(&payload).0);
}

#[test]
fn proofs_match_the_vectors() {
    let (file, keys) = meeting();
    let (ann, ben, renewed) = (
        peer(&file, "ann"),
        peer(&file, "ben"),
        peer(&file, "ben_renewed"),
    );
    let exchange = exchange(&file, &keys);
    let transcript = Transcript {
        room: *keys.id(),
        version: 1,
        attempt: exchange.offer.attempt,
        offerer: ben.connect.id(keys.id()),
        answerer: ann.connect.id(keys.id()),
        offer: exchange.offered.hash(),
        answer: exchange.answered.hash(),
        offerer_fingerprint: array(&file, "offerer_fingerprint"),
        answerer_fingerprint: array(&file, "answerer_fingerprint"),
    }
    .hash();
    expect(&file, "transcript", transcript.0);
    for (name, role, signer, current) in [
        ("ben", Role::Offerer, &ben, &renewed.connect),
        ("ann", Role::Answerer, &ann, &ann.connect),
    ] {
        let resume = Nonce(array(&file, &format!("resume_{name}")));
        let fields = VerifyFields {
            role,
            transcript,
            current: current.id(keys.id()),
            resume,
        };
        let verify = Unsigned::new(fields, Extensions::default())
            .unwrap()
            .sign(keys.id(), &signer.identity);
        let newer = (*current != signer.connect).then(|| current.clone());
        let proof = Proof::new(verify, newer);
        expect(&file, &format!("proof_{name}"), proof.to_bytes());
        let read = Proof::parse(&bytes(&file, &format!("proof_{name}"))).unwrap();
        let expected = Expected {
            room: keys.id(),
            transcript: &transcript,
            role,
            used: &signer.connect,
        };
        let proven = Proven {
            connect: current.clone(),
            resume,
        };
        assert_eq!(read.check(&expected), Ok(proven));
    }
}
