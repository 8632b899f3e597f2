//! Session descriptions of real browsers go through the compact form and come out meaning the same; nothing that the
//! network brings makes the reader panic or puts a line into a description.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;

use proptest::prelude::*;
use rtchat::rtc::candidate::MAX_CANDIDATES;
use rtchat::rtc::description::{MAX_WHOLE, MAX_WHOLE_ON_BROKER};
use rtchat::rtc::{Candidate, Description, DescriptionError, SdpType};

/// Every description in `tests/sdp`: name, kind, text.
fn recorded() -> Vec<(String, SdpType, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdp");
    let mut recorded = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let kind = if name.ends_with("offer") {
            SdpType::Offer
        } else {
            SdpType::Answer
        };
        recorded.push((name, kind, std::fs::read_to_string(&path).unwrap()));
    }
    assert!(recorded.len() >= 20, "only {} descriptions", recorded.len());
    recorded
}

fn data_only() -> Vec<(String, SdpType, String)> {
    recorded()
        .into_iter()
        .filter(|(name, ..)| !name.contains("-media-"))
        .collect()
}

/// What a data-only description means, read without the code under test: its attributes, wherever they stand, and of
/// its UDP candidates what another browser uses.
fn meaning(sdp: &str) -> BTreeSet<String> {
    let ignored = [
        "extmap-allow-mixed",
        "msid-semantic",
        "sendrecv",
        "end-of-candidates",
    ];
    let mut meaning = BTreeSet::new();
    for line in sdp.lines() {
        let (kind, value) = line.split_once('=').unwrap();
        match kind {
            "m" => {
                let words: Vec<_> = value.split(' ').collect();
                assert_ne!(words[1], "0");
                meaning.insert(format!("m={} {}", words[0], words[2..].join(" ")));
            }
            "a" if ignored.iter().any(|name| value.starts_with(name)) => {}
            "a" if value.starts_with("candidate:") => {
                let words: Vec<_> = value.split(' ').collect();
                if words[2].eq_ignore_ascii_case("udp") {
                    meaning.insert(format!(
                        "candidate {} {} {} {}",
                        words[1], words[4], words[5], words[7]
                    ));
                }
            }
            "a" => {
                meaning.insert(value.to_owned());
            }
            _ => {}
        }
    }
    meaning
}

fn packed(description: &Description) -> Vec<u8> {
    postcard::to_allocvec(description).unwrap()
}

#[test]
fn data_only_descriptions_keep_their_meaning() {
    for (name, kind, sdp) in data_only() {
        let description = Description::from_sdp(kind, &sdp).unwrap();
        assert!(description.is_compact(), "{name}");
        assert_eq!(description.kind(), kind);
        let arrived: Description = postcard::from_bytes(&packed(&description)).unwrap();
        assert_eq!(arrived, description, "{name}");
        assert_eq!(meaning(&arrived.to_sdp()), meaning(&sdp), "{name}");
        assert!(
            sdp.contains(&fingerprint_text(&arrived.fingerprint().unwrap())),
            "{name}"
        );
        assert!(!arrived.candidates().is_empty(), "{name}");
        let json = serde_json::to_string(&description).unwrap();
        assert_eq!(
            serde_json::from_str::<Description>(&json).unwrap(),
            description,
            "{name}"
        );
    }
}

fn fingerprint_text(fingerprint: &[u8; 32]) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":")
}

#[test]
fn they_are_small() {
    for (name, kind, sdp) in data_only() {
        let description = Description::from_sdp(kind, &sdp).unwrap();
        let size = packed(&description).len();
        println!("{name}: {} -> {size}", sdp.len());
        assert!(size <= 128, "{name}: {size}");
    }
    // With two IPv4 host candidates, as most machines with two networks have them.
    for (name, most) in [("chromium-data-offer", 78), ("firefox-data-offer", 71)] {
        let (_, kind, sdp) = recorded()
            .into_iter()
            .find(|recorded| recorded.0 == name)
            .unwrap();
        let sdp = sdp.replace("fd00::2", "198.51.100.7");
        let size = packed(&Description::from_sdp(kind, &sdp).unwrap()).len();
        assert!(size <= most, "{name}: {size}");
    }
}

#[test]
fn media_travels_whole_and_unchanged() {
    for (name, kind, sdp) in recorded() {
        if !name.contains("-media-") {
            continue;
        }
        let description = Description::from_sdp(kind, &sdp).unwrap();
        assert!(!description.is_compact(), "{name}");
        assert_eq!(description.to_sdp(), sdp, "{name}");
        assert!(
            sdp.contains(&fingerprint_text(&description.fingerprint().unwrap())),
            "{name}"
        );
        let json = serde_json::to_string(&description).unwrap();
        assert_eq!(
            serde_json::from_str::<Description>(&json).unwrap(),
            description,
            "{name}"
        );
        let arrived: Result<Description, _> = postcard::from_bytes(&packed(&description));
        assert_eq!(arrived.is_ok(), description.fits_broker(), "{name}");
        assert_eq!(description.fits_broker(), sdp.len() <= MAX_WHOLE_ON_BROKER);
    }
}

/// One recorded Chromium offer with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> Description {
    let (_, kind, sdp) = recorded()
        .into_iter()
        .find(|(name, ..)| name == "chromium-data-offer")
        .unwrap();
    assert!(sdp.contains(from), "{from}");
    Description::from_sdp(kind, &sdp.replacen(from, to, 1)).unwrap()
}

#[test]
fn unusual_values_fit_the_compact_form() {
    for (from, to) in [
        ("a=setup:actpass", "a=setup:active"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=sctp-port:5000", "a=sctp-port:5001"),
        ("a=max-message-size:262144", "a=max-message-size:1073741823"),
        ("a=max-message-size:262144", "a=max-message-size:0"),
    ] {
        let description = changed(from, to);
        assert!(description.is_compact(), "{to}");
        let arrived: Description = postcard::from_bytes(&packed(&description)).unwrap();
        assert_eq!(arrived, description);
        assert!(arrived.to_sdp().contains(to));
    }
    let (_, kind, sdp) = recorded()
        .into_iter()
        .find(|(name, ..)| name == "firefox-data-offer")
        .unwrap();
    let sdp = sdp
        .replace("a=mid:0", "a=mid:data")
        .replace("BUNDLE 0", "BUNDLE data");
    let description = Description::from_sdp(kind, &sdp).unwrap();
    assert!(description.is_compact());
    assert!(
        postcard::from_bytes::<Description>(&packed(&description))
            .unwrap()
            .to_sdp()
            .contains("a=mid:data\r\n")
    );
}

#[test]
fn what_does_not_fit_travels_whole() {
    for (from, to) in [
        (
            "a=sctp-port:5000",
            "a=sctp-port:5000\r\na=tls-id:91bbf309c0990a6bec11e38ba2933cee",
        ),
        ("a=sctp-port:5000", "a=sctp-port:5000\r\na=ice-lite"),
        ("a=sctp-port:5000", "a=sctp-port:5000\r\nb=AS:30"),
        ("a=sctp-port:5000\r\n", ""),
        (
            "a=ice-options:trickle",
            "a=ice-options:trickle renomination",
        ),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=setup:actpass", "a=setup:actpass\r\na=setup:active"),
        ("a=mid:0", "a=mid:1"),
        ("a=ice-ufrag:", "a=ice-ufrag:-"),
        ("a=max-message-size:262144", "a=max-message-size:4294967296"),
        (
            "m=application ",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nm=application ",
        ),
        ("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 5000"),
        ("fingerprint:sha-256", "fingerprint:sha-1"),
        (" typ host", " typ guest"),
    ] {
        let description = changed(from, to);
        assert!(!description.is_compact(), "{to}");
        assert!(description.to_sdp().contains(to));
        assert_eq!(
            postcard::from_bytes::<Description>(&packed(&description)),
            Ok(description)
        );
    }
}

#[test]
fn no_doubtful_fingerprint_is_told() {
    let other = format!("a=fingerprint:sha-256 {}", fingerprint_text(&[7; 32]));
    for to in [
        "a=fingerprint:sha-1 22:EA:10:28\r\na=setup:actpass",
        "a=FingerPrint:sha-256 00\r\na=setup:actpass",
        "a=fingerprint:\r\na=setup:actpass",
        &format!("{other}\r\na=setup:actpass"),
        &format!(" {other}\na=setup:actpass"),
    ] {
        let description = changed("a=setup:actpass", to);
        assert_eq!(description.fingerprint(), None, "{to}");
    }
    assert_eq!(changed("fingerprint:", "thumbprint:").fingerprint(), None);
}

#[test]
fn what_is_not_a_description_is_refused() {
    let large = format!("v=0\r\n{}", "a".repeat(MAX_WHOLE));
    assert_eq!(
        Description::from_sdp(SdpType::Offer, &large),
        Err(DescriptionError::TooLarge)
    );
    for text in [
        "",
        "v=0",
        "v=1\r\n",
        "hello",
        "v=0\r\na=\0",
        "v=0\r\ns=é\r\n",
        "\r\nv=0\r\n",
    ] {
        assert_eq!(
            Description::from_sdp(SdpType::Offer, text),
            Err(DescriptionError::Malformed),
            "{text:?}"
        );
    }
}

#[test]
fn at_most_sixteen_candidates_are_sent_and_taken() {
    let line = |n: usize| format!("a=candidate:1 1 udp 1 192.0.2.{n} 1000 typ host\r\n");
    let many: String = (1..40).map(line).collect();
    let description = changed("a=ice-ufrag:", &format!("{many}a=ice-ufrag:"));
    assert!(description.is_compact());
    assert_eq!(description.candidates().len(), MAX_CANDIDATES);
    let mut bytes = packed(&description);
    let candidate = bytes[bytes.len() - 7..].to_vec();
    bytes.extend(candidate);
    bytes[0] += 7;
    assert!(postcard::from_bytes::<Description>(&bytes).is_err());
}

#[test]
fn nothing_in_it_is_shown_in_logs() {
    let description = changed("a=setup:actpass", "a=setup:active");
    assert_eq!(
        format!("{description:?}"),
        "Description(Offer, compact, 2 candidates)"
    );
}

/// A packed offer with this mid.
fn with_mid(mid: &[u8]) -> Vec<u8> {
    let mut inner = vec![1 << 5, 4];
    inner.extend_from_slice(b"abcd\x16abcdefghijklmnopqrstuv");
    inner.extend_from_slice(&[9; 32]);
    inner.push(mid.len() as u8);
    inner.extend_from_slice(mid);
    let mut bytes = vec![inner.len() as u8];
    bytes.extend(inner);
    bytes
}

#[test]
fn no_line_can_be_put_into_a_description() {
    assert!(postcard::from_bytes::<Description>(&with_mid(b"data")).is_ok());
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
            postcard::from_bytes::<Description>(&with_mid(mid)).is_err(),
            "{mid:?}"
        );
    }
    let good = with_mid(b"0");
    for at in 2..2 + 5 + 23 {
        for hostile in [b'\r', b'\n', b' ', 0, 0xff, b'-'] {
            let mut bytes = good.clone();
            bytes[at] = hostile;
            assert!(
                postcard::from_bytes::<Description>(&bytes).is_err(),
                "{at} {hostile}"
            );
        }
    }
}

/// Lines of a compact description, each of which must be of a kind that the writer writes.
fn only_known_lines(sdp: &str) -> bool {
    let known = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=ice-options:trickle",
    ];
    let prefixes = [
        "a=candidate:",
        "a=group:BUNDLE ",
        "a=ice-ufrag:",
        "a=ice-pwd:",
        "a=fingerprint:sha-256 ",
        "a=setup:",
        "a=mid:",
        "a=sctp-port:",
        "a=max-message-size:",
    ];
    let line = |line: &str| {
        !line.contains(['\r', '\n'])
            && (known.contains(&line) || prefixes.iter().any(|known| line.starts_with(known)))
    };
    sdp.strip_suffix("\r\n")
        .is_some_and(|sdp| sdp.split("\r\n").all(line))
}

fn any_candidate() -> impl Strategy<Value = String> {
    let address = prop_oneof![
        any::<[u8; 4]>().prop_map(|bytes| std::net::Ipv4Addr::from(bytes).to_string()),
        any::<[u8; 16]>().prop_map(|bytes| std::net::Ipv6Addr::from(bytes).to_string()),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\.local",
    ];
    let kind = prop_oneof![Just("host"), Just("srflx"), Just("prflx"), Just("relay")];
    (address, 1..=u16::MAX, kind, any::<u32>()).prop_map(|(address, port, kind, priority)| {
        format!("candidate:7 1 udp {priority} {address} {port} typ {kind}")
    })
}

fn any_data() -> impl Strategy<Value = String> {
    (
        "[a-zA-Z0-9+/]{4,255}|[0-9a-f]{8}",
        "[a-zA-Z0-9+/]{22,255}|[0-9a-f]{32}",
        any::<[u8; 32]>(),
        prop_oneof![Just("actpass"), Just("active"), Just("passive")],
        "[a-zA-Z0-9!._~^-]{1,16}",
        any::<(u16, u32)>(),
        proptest::collection::vec(any_candidate(), 0..=16),
    )
        .prop_map(|(ufrag, pwd, fingerprint, setup, mid, (port, largest), candidates)| {
            let candidates: String = candidates.iter().map(|line| format!("a={line}\r\n")).collect();
            let fingerprint = fingerprint_text(&fingerprint);
            format!(
                "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n\
                 m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n{candidates}\
                 a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\na=ice-options:trickle\r\n\
                 a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\na=mid:{mid}\r\n\
                 a=sctp-port:{port}\r\na=max-message-size:{largest}\r\n"
            )
        })
}

proptest! {
    #[test]
    fn reading_undoes_writing(sdp in any_data(), answer in any::<bool>()) {
        let kind = if answer { SdpType::Answer } else { SdpType::Offer };
        let description = Description::from_sdp(kind, &sdp).unwrap();
        prop_assert!(description.is_compact());
        prop_assert_eq!(meaning(&description.to_sdp()), meaning(&sdp));
        let arrived: Description = postcard::from_bytes(&packed(&description)).unwrap();
        prop_assert_eq!(&arrived, &description);
        prop_assert_eq!(&Description::from_sdp(kind, &arrived.to_sdp()).unwrap(), &description);
    }

    #[test]
    fn candidates_are_read_as_written(line in any_candidate(), order in 0..2000_usize) {
        let candidate = Candidate::parse(&line).unwrap();
        prop_assert_eq!(Candidate::parse(&candidate.to_line(order)), Some(candidate));
        prop_assert_eq!(postcard::from_bytes(&postcard::to_allocvec(&candidate).unwrap()), Ok(candidate));
    }

    #[test]
    fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
        let _ = postcard::from_bytes::<Candidate>(&bytes);
        let _ = postcard::from_bytes::<Vec<Candidate>>(&bytes);
        let _ = serde_json::from_str::<Description>(&text);
        let _ = Candidate::parse(&text);
        let _ = Candidate::parse(&format!("candidate:{text}"));
        let _ = Description::from_sdp(SdpType::Offer, &format!("v=0\r\n{text}"));
        // Behind a length that is right, so that it is looked at.
        let mut framed = postcard::to_allocvec(&(bytes.len() as u32)).unwrap();
        framed.extend(&bytes);
        if let Ok(description) = postcard::from_bytes::<Description>(&framed) {
            prop_assert!(!description.is_compact() || only_known_lines(&description.to_sdp()));
        }
    }

    #[test]
    fn damaged_descriptions_are_refused_or_harmless(
        sdp in any_data(), at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()
    ) {
        let mut bytes = packed(&Description::from_sdp(SdpType::Offer, &sdp).unwrap());
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(description) = postcard::from_bytes::<Description>(&bytes) {
            prop_assert!(!description.is_compact() || only_known_lines(&description.to_sdp()));
            prop_assert_eq!(postcard::from_bytes::<Description>(&packed(&description)), Ok(description));
        }
        let _ = postcard::from_bytes::<Description>(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn damaged_texts_are_survived(at in any::<prop::sample::Index>(), with in "[ -~\r\n]{0,6}") {
        for (_, kind, mut sdp) in recorded() {
            let at = at.index(sdp.len());
            sdp.insert_str(at, &with);
            if let Ok(description) = Description::from_sdp(kind, &sdp) {
                prop_assert!(description.is_compact() || description.to_sdp() == sdp);
                let _ = (description.fingerprint(), description.candidates());
            }
        }
    }
}
