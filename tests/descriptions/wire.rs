//! The compact form byte by byte: the test vectors, extensions, and content that others must not put into it.

use rtchat::rtc::description::MAX_COMPACT;
use rtchat::rtc::{DataDescription, DescriptionError, SdpType, SessionDescription};

use crate::samples::{crafted, only_known_lines, with_media};

#[test]
fn media_cannot_be_negotiated_before_proof() {
    // In the first version of the compact form, bit 1 announced a whole text.
    for (name, _, sdp) in with_media() {
        for head in 0..=255_u8 {
            let mut bytes = vec![head];
            bytes.extend(sdp.bytes().take(MAX_COMPACT - 1));
            assert!(
                DataDescription::from_bytes(&bytes).is_err(),
                "{name} {head}"
            );
        }
    }
    // Of the own description only the section for data channels is sent.
    for (name, kind, sdp) in with_media() {
        let description = DataDescription::from_sdp(kind, &sdp).expect(&name);
        let written = description.to_sdp();
        assert!(only_known_lines(&written), "{name}");
        let session = SessionDescription::from_sdp(kind, &sdp).unwrap();
        assert_eq!(description.fingerprint(), session.fingerprint());
    }
}

fn with_mid(mid: &[u8]) -> Vec<u8> {
    let mut rest = vec![mid.len() as u8];
    rest.extend_from_slice(mid);
    crafted(1 << 5, &rest)
}

#[test]
fn no_line_can_be_put_into_a_description() {
    assert!(DataDescription::from_bytes(&with_mid(b"data")).is_ok());
    for mid in [
        &b"0\r\na=x"[..],
        b"0\na=x",
        b"0\r",
        b"",
        b"0 1",
        b"a\0",
        b"a\xff",
        b"12345678901234567",
        b"a:b",
    ] {
        assert!(
            DataDescription::from_bytes(&with_mid(mid)).is_err(),
            "{mid:?}"
        );
    }
    let good = with_mid(b"0");
    for at in 1..1 + 5 + 23 {
        for hostile in [b'\r', b'\n', b' ', 0, 0xff, b'-'] {
            let mut bytes = good.clone();
            bytes[at] = hostile;
            assert!(
                DataDescription::from_bytes(&bytes).is_err(),
                "{at} {hostile}"
            );
        }
    }
}

/// An encoded extension.
fn extension(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = value.len() as u16;
    [&kind.to_be_bytes(), &length.to_be_bytes(), value].concat()
}

/// An offer with these extensions and one candidate.
fn extended(extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = extensions.concat();
    let length = (extensions.len() as u16).to_be_bytes();
    let candidate = [0, 192, 0, 2, 1, 0x20, 0];
    crafted(1 << 1, &[&length, &extensions[..], &candidate].concat())
}

#[test]
fn unknown_extensions_are_skipped() {
    let plain = crafted(0, &[0, 192, 0, 2, 1, 0x20, 0]);
    let plain = DataDescription::from_bytes(&plain).unwrap();
    assert_eq!(plain.candidates().len(), 1);
    for extensions in [
        vec![extension(0, b"")],
        vec![extension(0x7fff, &[7; 500])],
        vec![
            extension(1, b"one"),
            extension(2, b""),
            extension(700, b"x"),
        ],
    ] {
        let read = DataDescription::from_bytes(&extended(&extensions)).unwrap();
        assert_eq!(read, plain);
        // Nothing is passed on that was not understood.
        assert_eq!(read.to_bytes(), plain.to_bytes());
    }
}

#[test]
fn unknown_critical_extensions_are_refused() {
    for extensions in [
        vec![extension(0x8000, b"")],
        vec![extension(0xffff, b"x")],
        vec![extension(1, b""), extension(0x8002, b"")],
    ] {
        assert_eq!(
            DataDescription::from_bytes(&extended(&extensions)),
            Err(DescriptionError::UnknownExtension)
        );
    }
}

#[test]
fn extensions_out_of_order_or_cut_off_are_refused() {
    let malformed = Err(DescriptionError::Malformed);
    for extensions in [
        vec![],
        vec![extension(2, b""), extension(1, b"")],
        vec![extension(1, b""), extension(1, b"")],
        // The critical bit does not make it another type.
        vec![extension(1, b""), extension(0x8001, b"")],
        vec![vec![0]],
        vec![vec![0, 1, 0, 1]],
        vec![extension(1, b""), vec![0, 2, 0]],
    ] {
        let bytes = extended(&extensions);
        assert_eq!(DataDescription::from_bytes(&bytes), malformed, "{bytes:?}");
    }
    let cut = crafted(1 << 1, &[0, 5, 0, 1, 0, 0]);
    assert_eq!(DataDescription::from_bytes(&cut), malformed);
    let large = extended(&[extension(1, &[0; MAX_COMPACT])]);
    assert_eq!(
        DataDescription::from_bytes(&large),
        Err(DescriptionError::TooLarge)
    );
}

/// The test vectors, which other implementations may use as well.
mod vectors {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub struct Vectors {
        pub written: Vec<Written>,
        pub read: Vec<Read>,
        pub refused: Vec<Refused>,
    }

    /// A browser's own description, and its compact form.
    #[derive(Deserialize)]
    pub struct Written {
        pub name: String,
        pub r#type: String,
        pub sdp: String,
        pub compact: String,
        pub rebuilt: String,
    }

    /// A compact description of somebody else, and the description that is made of it.
    #[derive(Deserialize)]
    pub struct Read {
        pub name: String,
        pub compact: String,
        pub rebuilt: String,
    }

    #[derive(Deserialize)]
    pub struct Refused {
        pub name: String,
        pub compact: String,
    }
}

fn from_hex(hex: &str) -> Vec<u8> {
    let (pairs, []) = hex.as_bytes().as_chunks::<2>() else {
        panic!("{hex}")
    };
    let digit = |digit: u8| char::from(digit).to_digit(16).unwrap() as u8;
    pairs
        .iter()
        .map(|[high, low]| digit(*high) << 4 | digit(*low))
        .collect()
}

/// The text with every foundation replaced by its place among the different ones, since implementations choose them.
fn with_plain_foundations(sdp: &str) -> String {
    let mut known: Vec<&str> = Vec::new();
    let mut plain = String::new();
    for line in sdp.split_inclusive('\n') {
        let Some((foundation, rest)) = line
            .strip_prefix("a=candidate:")
            .and_then(|line| line.split_once(' '))
        else {
            plain.push_str(line);
            continue;
        };
        if !known.contains(&foundation) {
            known.push(foundation);
        }
        let place = known.iter().position(|other| *other == foundation).unwrap() + 1;
        plain.push_str(&format!("a=candidate:{place} {rest}"));
    }
    plain
}

#[test]
fn the_test_vectors_hold() {
    let vectors: vectors::Vectors =
        serde_json::from_str(include_str!("../vectors/descriptions.json")).unwrap();
    assert!(vectors.written.len() >= 8 && vectors.refused.len() >= 8);
    for vector in vectors.written {
        let kind = match vector.r#type.as_str() {
            "offer" => SdpType::Offer,
            "answer" => SdpType::Answer,
            other => panic!("{other}"),
        };
        let description = DataDescription::from_sdp(kind, &vector.sdp).expect(&vector.name);
        let bytes = from_hex(&vector.compact);
        assert_eq!(description.to_bytes(), bytes, "{}", vector.name);
        let read = DataDescription::from_bytes(&bytes).unwrap();
        assert_eq!(read, description, "{}", vector.name);
        let rebuilt = with_plain_foundations(&read.to_sdp());
        assert_eq!(rebuilt, vector.rebuilt, "{}", vector.name);
    }
    for vector in vectors.read {
        let read = DataDescription::from_bytes(&from_hex(&vector.compact)).expect(&vector.name);
        let rebuilt = with_plain_foundations(&read.to_sdp());
        assert_eq!(rebuilt, vector.rebuilt, "{}", vector.name);
    }
    for vector in vectors.refused {
        let read = DataDescription::from_bytes(&from_hex(&vector.compact));
        assert!(read.is_err(), "{}", vector.name);
    }
}
