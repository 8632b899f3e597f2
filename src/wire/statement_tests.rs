use super::super::extension::Extension;
use super::*;
use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
use proptest::prelude::*;

/// The smallest kind of statement: one byte, which is not zero, and an extension of type 5.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Number(u8);

impl Fields for Number {
    const TAG: &'static str = "rtchat/1 test";
    const MAX: usize = 100;
    const KNOWN: &'static [u16] = &[5];

    fn read(reader: &mut Reader<'_>) -> Option<Number> {
        reader.u8().filter(|number| *number != 0).map(Number)
    }

    fn write(&self, to: &mut Vec<u8>) {
        to.push(self.0);
    }
}

/// The same fields under another tag.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Other(Number);

impl Fields for Other {
    const TAG: &'static str = "rtchat/1 other";
    const MAX: usize = 100;

    fn read(reader: &mut Reader<'_>) -> Option<Other> {
        Number::read(reader).map(Other)
    }

    fn write(&self, to: &mut Vec<u8>) {
        self.0.write(to);
    }
}

const ROOM: RoomId = RoomId([7; 32]);

fn key(seed: u8) -> IdentityKey {
    IdentityKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]))
}

fn extensions(list: &[(u16, bool, &[u8])]) -> Extensions {
    let extension = |(kind, critical, value): &(u16, bool, &[u8])| Extension {
        kind: *kind,
        critical: *critical,
        value: value.to_vec(),
    };
    Extensions::new(list.iter().map(extension).collect()).unwrap()
}

fn signed(list: &[(u16, bool, &[u8])]) -> Statement<Number> {
    Unsigned::new(Number(9), extensions(list))
        .unwrap()
        .sign(&ROOM, &key(1))
}

/// `S` with a length before and a valid signature behind it.
fn wrap(body: &[u8]) -> Vec<u8> {
    let signature = key(1).sign_message(&message::<Number>(&ROOM, body));
    let mut bytes = Vec::new();
    push_u16(&mut bytes, body).unwrap();
    bytes.extend_from_slice(&signature.0);
    bytes
}

#[test]
fn a_signature_holds_for_one_room_one_kind_and_one_key() {
    let statement = signed(&[]);
    let public = key(1).public();
    assert_eq!(statement.verify(&ROOM, &public), Ok(()));
    let bad = Err(KeyError::BadSignature);
    assert_eq!(statement.verify(&RoomId([8; 32]), &public), bad);
    assert_eq!(statement.verify(&ROOM, &key(2).public()), bad);
    let other = Statement::<Other>::parse(statement.as_bytes()).unwrap();
    assert_eq!(other.verify(&ROOM, &public), bad);
    assert_ne!(other.id(&ROOM), statement.id(&ROOM));
    assert_ne!(statement.id(&RoomId([8; 32])), statement.id(&ROOM));
}

#[test]
fn a_signature_covers_extensions_that_nobody_knows() {
    let statement = signed(&[(5, true, b"known"), (6, false, b"unknown")]);
    let read = Statement::<Number>::parse(statement.as_bytes()).unwrap();
    assert_eq!(read, statement);
    assert_eq!(read.unknown_extensions(), 1);
    assert_eq!(read.extensions().get(5), Some(&b"known"[..]));
    assert_eq!(read.verify(&ROOM, &key(1).public()), Ok(()));
    // Without the unknown one it is another statement, and unsigned.
    let mut shorter = signed(&[(5, true, b"known")]).as_bytes().to_vec();
    let signature = read.as_bytes().last_chunk::<64>().unwrap();
    let at = shorter.len() - 64;
    shorter[at..].copy_from_slice(signature);
    let shorter = Statement::<Number>::parse(&shorter).unwrap();
    assert_eq!(
        shorter.verify(&ROOM, &key(1).public()),
        Err(KeyError::BadSignature)
    );
}

#[test]
fn unknown_critical_extensions_and_formats_are_told_from_damage() {
    assert_eq!(
        Statement::<Number>::parse(&wrap(&[1, 9, 0x80, 6, 0, 0])),
        Err(StatementError::UnknownCritical(6))
    );
    assert_eq!(
        Statement::<Number>::parse(&wrap(&[2, 9])),
        Err(StatementError::UnknownFormat(2))
    );
    for damaged in [&[][..], &[1], &[1, 0], &[1, 9, 0], &[1, 9, 0, 6, 0, 1]] {
        assert_eq!(
            Statement::<Number>::parse(&wrap(damaged)),
            Err(StatementError::Malformed),
            "{damaged:?}"
        );
    }
    assert!(Statement::<Number>::parse(&wrap(&[1, 9])).is_ok());
}

#[test]
fn ids_do_not_depend_on_the_signature() {
    let statement = signed(&[]);
    let unsigned = Unsigned::new(Number(9), Extensions::default()).unwrap();
    assert_eq!(
        StatementId(sha256(&unsigned.message(&ROOM))),
        statement.id(&ROOM)
    );
    let other = unsigned.sign(&ROOM, &key(2));
    assert_ne!(other.as_bytes(), statement.as_bytes());
    assert_eq!(other.id(&ROOM), statement.id(&ROOM));
}

#[test]
fn signatures_from_elsewhere_are_brought_to_the_low_form() {
    let unsigned = Unsigned::new(Number(9), Extensions::default()).unwrap();
    let signature = key(1).sign_message(&unsigned.message(&ROOM));
    let (r, s) = p256::ecdsa::Signature::from_slice(&signature.0)
        .unwrap()
        .split_scalars();
    let high = p256::ecdsa::Signature::from_scalars(r, -s).unwrap();
    let statement = unsigned.clone().signed(Signature(high.to_bytes().into()));
    assert_eq!(statement, Ok(unsigned.clone().sign(&ROOM, &key(1))));
    assert!(unsigned.signed(Signature([0; 64])).is_err());
}

#[test]
fn statements_have_a_largest_size_and_nothing_behind_them() {
    let room_for = Number::MAX - AROUND - 2 - 4;
    let fits = signed(&[(6, false, &vec![1; room_for])]);
    assert_eq!(fits.as_bytes().len(), Number::MAX);
    assert!(Statement::<Number>::parse(fits.as_bytes()).is_ok());
    let too_large = extensions(&[(6, false, &vec![1; room_for + 1])]);
    assert_eq!(
        Unsigned::new(Number(9), too_large),
        Err(StatementError::TooLarge)
    );
    let mut body = vec![1, 9, 0, 6];
    push_u16(&mut body, &vec![1; room_for + 1]).unwrap();
    assert_eq!(
        Statement::<Number>::parse(&wrap(&body)),
        Err(StatementError::TooLarge)
    );
    let followed = [fits.as_bytes(), &[0]].concat();
    assert_eq!(
        Statement::<Number>::parse(&followed),
        Err(StatementError::Malformed)
    );
    let mut reader = Reader::new(&followed);
    assert_eq!(Statement::read(&mut reader), Ok(fits));
    assert_eq!(reader.rest(), [0]);
}

proptest! {
    #[test]
    fn bytes_from_the_network_are_kept_as_they_are(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(statement) = Statement::<Number>::parse(&bytes) {
            prop_assert_eq!(statement.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn every_body_that_reads_is_kept_as_it_is(body in proptest::collection::vec(0u8..8, 0..40)) {
        let bytes = [&[0, body.len() as u8][..], &body, &[1; 64]].concat();
        if let Ok(statement) = Statement::<Number>::parse(&bytes) {
            prop_assert_eq!(statement.as_bytes(), &bytes[..]);
            let mut written = vec![FORMAT];
            statement.fields().write(&mut written);
            statement.extensions().write(&mut written);
            prop_assert_eq!(written, body);
        }
    }
}
