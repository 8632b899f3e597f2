use super::super::bytes::push_u16;
use super::super::extension::{Extension, grease};
use super::*;
use crate::identity::SessionKey;
use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use proptest::prelude::*;

const ROOM: RoomId = RoomId([7; 32]);

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

fn key() -> IdentityKey {
    IdentityKey::generate(&mut rng(1))
}

fn fields(name: &str) -> ConnectFields {
    let (identity, session) = (key().public(), SessionKey::generate(&mut rng(2)).public());
    let secret = LeaveSecret([5; 32]);
    ConnectFields {
        version: VERSION,
        capabilities: 0x8000_0001,
        identity,
        session,
        serial: NonZeroU32::MIN.saturating_add(2),
        nonce: Nonce([4; 16]),
        leave: secret.commitment(&ROOM, &PeerId::of(&identity, &session)),
        signed_at: Millis(1_700_000_000_000),
        tab: 2,
        name: Name::parse(name).unwrap(),
    }
}

fn sign(fields: ConnectFields, extensions: Extensions) -> Connect {
    Connect::sign(fields, extensions, &ROOM, &key()).unwrap()
}

/// The bytes of a `Connect` whose fixed fields are `fields` after `change`, with a valid signature.
fn written(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut body = vec![1];
    fields("alice").write(&mut body);
    change(&mut body);
    let message =
        crate::identity::framing::length_prefixed(&[ConnectFields::TAG.as_bytes(), &ROOM.0, &body]);
    let mut bytes = Vec::new();
    push_u16(&mut bytes, &body).unwrap();
    bytes.extend_from_slice(&key().sign_message(&message).0);
    bytes
}

#[test]
fn a_connect_comes_back_as_it_was_signed() {
    let connect = sign(fields("alice"), Extensions::default());
    let read = Connect::parse(connect.as_bytes()).unwrap();
    assert_eq!(read, connect);
    assert_eq!(*read, fields("alice"));
    assert_eq!(read.verify(&ROOM), Ok(()));
    assert_eq!(read.verify(&RoomId([8; 32])), Err(KeyError::BadSignature));
    assert_eq!(read.peer_id(), PeerId::of(&read.identity, &read.session));
    assert_eq!(read.id(&ROOM), connect.id(&ROOM));
    assert_eq!(read.as_bytes().len(), 190);
}

#[test]
fn every_byte_is_signed() {
    let bytes = sign(fields("alice"), Extensions::default())
        .as_bytes()
        .to_vec();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let accepted = Connect::parse(&changed).is_ok_and(|connect| connect.verify(&ROOM).is_ok());
        assert!(!accepted, "byte {at}");
    }
}

#[test]
fn later_versions_are_welcome_and_version_zero_is_not() {
    assert!(Connect::parse(&written(|body| body[1] = 0)).is_err());
    let later = Connect::parse(&written(|body| body[1] = 200)).unwrap();
    assert_eq!(later.version, 200);
    assert_eq!(later.verify(&ROOM), Ok(()));
}

#[test]
fn only_extensions_may_follow_the_name() {
    let with = |extra: &[u8]| Connect::parse(&written(|body| body.extend_from_slice(extra)));
    let extended = with(&[0x7f, 0, 0, 1, 9]).unwrap();
    assert_eq!(extended.unknown_extensions(), 1);
    assert_eq!(extended.verify(&ROOM), Ok(()));
    assert_eq!(with(&[9]), Err(StatementError::Malformed));
    assert_eq!(
        with(&[0x80, 7, 0, 0]),
        Err(StatementError::UnknownCritical(7))
    );
}

#[test]
fn impossible_fields_are_refused() {
    let name = |bytes: &'static [u8]| {
        move |body: &mut Vec<u8>| {
            body.truncate(body.len() - 6);
            body.push(bytes.len() as u8);
            body.extend_from_slice(bytes);
        }
    };
    assert!(Connect::parse(&written(name(b"bob"))).is_ok());
    for bad in [&b" bob"[..], b"b  ob", b"", b"bob (2)", b"\xff", b"b\nb"] {
        assert!(Connect::parse(&written(name(bad))).is_err(), "{bad:?}");
    }
    let serial = 1 + 1 + 4 + 33 + 33;
    let zero_serial = written(|body| body[serial..serial + 4].fill(0));
    assert!(Connect::parse(&zero_serial).is_err());
    let tab = serial + 4 + 16 + 16 + 8;
    let zero_tab = written(|body| body[tab..tab + 2].fill(0));
    assert!(Connect::parse(&zero_tab).is_err());
}

#[test]
fn the_longest_name_fits_beside_an_extension() {
    let long = "𝄞".repeat(40);
    let mut random = rng(9);
    let extensions = (0..100)
        .map(|_| grease(&mut random))
        .find(|extensions| *extensions != Extensions::default())
        .unwrap();
    let connect = sign(fields(&long), extensions);
    assert!(connect.as_bytes().len() < MAX_CONNECT);
    assert_eq!(connect.unknown_extensions(), 1);
    assert_eq!(Connect::parse(connect.as_bytes()), Ok(connect));
    let huge = Extensions::new(vec![Extension {
        kind: 1,
        critical: false,
        value: vec![0; 400],
    }])
    .unwrap();
    assert_eq!(
        Connect::sign(fields("alice"), huge, &ROOM, &key()),
        Err(StatementError::TooLarge)
    );
}

#[test]
fn only_the_secret_behind_the_commitment_leaves() {
    let connect = sign(fields("alice"), Extensions::default());
    let secret = LeaveSecret([5; 32]);
    assert!(secret.opens(&ROOM, &connect));
    assert!(!LeaveSecret([6; 32]).opens(&ROOM, &connect));
    assert!(!secret.opens(&RoomId([8; 32]), &connect));
    // Somebody else who copies the commitment cannot be made to leave with it, nor leave with it.
    let copied = ConnectFields {
        session: SessionKey::generate(&mut rng(3)).public(),
        ..fields("alice")
    };
    assert!(!secret.opens(&ROOM, &sign(copied, Extensions::default())));
}

#[test]
fn secrets_do_not_show() {
    assert_eq!(format!("{:?}", LeaveSecret([5; 32])), "LeaveSecret(…)");
    assert_eq!(format!("{:?}", Nonce([5; 16])), "Nonce(…)");
}

proptest! {
    #[test]
    fn bytes_from_the_network_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Connect::parse(&bytes);
    }

    #[test]
    fn a_changed_connect_is_kept_as_it_came_or_refused(at in 0usize..190, byte in any::<u8>()) {
        let mut bytes = sign(fields("alice"), Extensions::default()).as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(connect) = Connect::parse(&bytes) {
            prop_assert_eq!(connect.as_bytes(), &bytes[..]);
        }
    }
}
