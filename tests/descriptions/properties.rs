//! Properties of any description and any bytes.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rtchat::rtc::candidate::MAX_CANDIDATES;
use rtchat::rtc::{Candidate, DataDescription, SdpType, SessionDescription};

use crate::samples::{
    compact, crafted, fingerprint_text, meaning, only_known_lines, packed, recorded,
};

fn any_candidate() -> impl Strategy<Value = String> {
    let address = prop_oneof![
        (11..=99_u8, any::<[u8; 3]>())
            .prop_map(|(first, [a, b, c])| std::net::Ipv4Addr::new(first, a, b, c).to_string()),
        (prop_oneof![Just(0x20), Just(0xfd)], any::<[u8; 15]>()).prop_map(|(first, rest)| {
            let bytes = core::array::from_fn(|at| if at == 0 { first } else { rest[at - 1] });
            std::net::Ipv6Addr::from(bytes).to_string()
        }),
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\.local",
    ];
    let kind = prop_oneof![Just("host"), Just("srflx"), Just("prflx"), Just("relay")];
    (address, 1024..=u16::MAX, kind, any::<u32>()).prop_map(|(address, port, kind, priority)| {
        format!("candidate:7 1 udp {priority} {address} {port} typ {kind}")
    })
}

fn any_data(candidates: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = String> {
    (
        "[a-zA-Z0-9+/]{4,255}|[0-9a-f]{8}",
        "[a-zA-Z0-9+/]{22,255}|[0-9a-f]{32}",
        any::<[u8; 32]>(),
        prop_oneof![Just("actpass"), Just("active"), Just("passive")],
        "[a-zA-Z0-9!._~^-]{1,16}",
        any::<(u16, u32)>(),
        proptest::collection::vec(any_candidate(), candidates),
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
    fn reading_undoes_writing(sdp in any_data(0..=16), answer in any::<bool>()) {
        let kind = if answer { SdpType::Answer } else { SdpType::Offer };
        let description = DataDescription::from_sdp(kind, &sdp).unwrap();
        prop_assert_eq!(meaning(&description.to_sdp()), meaning(&sdp));
        let arrived = DataDescription::from_bytes(&packed(&description)).unwrap();
        prop_assert_eq!(&arrived, &description);
        prop_assert_eq!(&DataDescription::from_sdp(kind, &arrived.to_sdp()).unwrap(), &description);
    }

    #[test]
    fn too_many_candidates_are_reduced_to_a_stable_choice(sdp in any_data(17..60)) {
        let description = compact(&sdp).unwrap();
        prop_assert_eq!(description.candidates().len(), MAX_CANDIDATES);
        let arrived = DataDescription::from_bytes(&description.to_bytes()).unwrap();
        prop_assert_eq!(&compact(&arrived.to_sdp()).unwrap(), &description);
        // Every type and family that was there still is.
        let classes = |sdp: &str| -> BTreeSet<(bool, bool, String)> {
            let candidates = sdp.lines().filter(|line| line.starts_with("a=candidate:"));
            candidates.map(|line| {
                let words: Vec<&str> = line.split(' ').collect();
                (words[4].contains(':'), words[4].ends_with(".local"), words[7].to_owned())
            }).collect()
        };
        prop_assert_eq!(classes(&arrived.to_sdp()), classes(&sdp));
    }

    #[test]
    fn unknown_lines_anywhere_change_nothing(
        sdp in any_data(0..4), at in any::<prop::sample::Index>(), name in "x-[a-z-]{1,20}", value in "[ -~]{0,80}"
    ) {
        let mut lines: Vec<String> = sdp.lines().map(|line| format!("{line}\r\n")).collect();
        lines.insert(1 + at.index(lines.len()), format!("a={name}:{value}\r\n"));
        prop_assert_eq!(compact(&lines.concat()), compact(&sdp));
    }

    #[test]
    fn candidates_are_read_as_written(line in any_candidate(), order in 0..2000_usize) {
        let candidate = Candidate::parse(&line).unwrap();
        prop_assert_eq!(Candidate::parse(&candidate.to_line(order)), Some(candidate));
        prop_assert_eq!(Candidate::from_bytes(&candidate.to_bytes()), Some(candidate));
    }

    #[test]
    fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
        let _ = Candidate::from_bytes(&bytes);
        let _ = serde_json::from_str::<SessionDescription>(&text);
        let _ = Candidate::parse(&text);
        let _ = Candidate::parse(&format!("candidate:{text}"));
        let _ = DataDescription::from_sdp(SdpType::Offer, &format!("v=0\r\n{text}"));
        let _ = SessionDescription::from_sdp(SdpType::Offer, &format!("v=0\r\n{text}"));
        if let Ok(description) = DataDescription::from_bytes(&bytes) {
            prop_assert!(only_known_lines(&description.to_sdp()));
        }
        // The same bytes behind fields that can be read.
        for flags in [0, 1 << 1, 0xe3] {
            if let Ok(description) = DataDescription::from_bytes(&crafted(flags, &bytes)) {
                prop_assert!(only_known_lines(&description.to_sdp()));
            }
        }
    }

    #[test]
    fn damaged_descriptions_are_refused_or_harmless(
        sdp in any_data(0..=16), at in any::<prop::sample::Index>(), with in any::<u8>(), cut in any::<prop::sample::Index>()
    ) {
        let mut bytes = packed(&compact(&sdp).unwrap());
        let at = at.index(bytes.len());
        bytes[at] = with;
        if let Ok(description) = DataDescription::from_bytes(&bytes) {
            prop_assert!(only_known_lines(&description.to_sdp()));
            prop_assert_eq!(DataDescription::from_bytes(&packed(&description)), Ok(description));
        }
        let _ = DataDescription::from_bytes(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn damaged_texts_are_survived(at in any::<prop::sample::Index>(), with in "[ -~\r\n]{0,6}") {
        for (_, kind, mut sdp) in recorded() {
            let at = at.index(sdp.len());
            sdp.insert_str(at, &with);
            if let Ok(description) = DataDescription::from_sdp(kind, &sdp) {
                prop_assert!(only_known_lines(&description.to_sdp()));
            }
            if let Ok(description) = SessionDescription::from_sdp(kind, &sdp) {
                let again = SessionDescription::from_sdp(kind, description.sdp());
                prop_assert_eq!(again, Ok(description));
            }
        }
    }
}
