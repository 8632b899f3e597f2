//! Recorded descriptions, and their meaning.

use std::collections::BTreeSet;

use rtchat::rtc::{DataDescription, DescriptionError, SdpType};

/// Every description in `tests/sdp`: name, type, text.
pub fn recorded() -> Vec<(String, SdpType, String)> {
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
    assert!(recorded.len() >= 27, "only {} descriptions", recorded.len());
    recorded
}

pub fn with_media() -> Vec<(String, SdpType, String)> {
    let recorded = recorded().into_iter();
    recorded
        .filter(|(name, ..)| name.contains("-media-"))
        .collect()
}

pub fn data_only() -> Vec<(String, SdpType, String)> {
    let recorded = recorded().into_iter();
    recorded
        .filter(|(name, ..)| !name.contains("-media-"))
        .collect()
}

pub fn named(wanted: &str) -> (SdpType, String) {
    let mut recorded = recorded().into_iter();
    let (_, kind, sdp) = recorded.find(|(name, ..)| name == wanted).unwrap();
    (kind, sdp)
}

/// The meaning of a data-only description, read without the code under test: its attributes, wherever they stand, and
/// the parts of its UDP candidates that another browser uses.
pub fn meaning(sdp: &str) -> BTreeSet<String> {
    let ignored = [
        "extmap-allow-mixed",
        "msid-semantic",
        "sendrecv",
        "end-of-candidates",
        "fingerprint:sha-384",
        "fingerprint:sha-512",
        // Whatever a browser says here, candidates are sent as they are found.
        "ice-options",
    ];
    let mut meaning = BTreeSet::new();
    for line in sdp.lines() {
        let (kind, value) = line.split_once('=').unwrap();
        match kind {
            "m" => {
                let words: Vec<_> = value.split(' ').collect();
                assert_ne!(words[1], "0");
                let format = words[2..].join(" ");
                // The notation of older drafts.
                let format = format.replace("DTLS/SCTP 5000", "UDP/DTLS/SCTP webrtc-datachannel");
                meaning.insert(format!("m={} {format}", words[0]));
            }
            "a" if ignored.iter().any(|name| value.starts_with(name)) => {}
            "a" if value.starts_with("sctpmap:5000 ") => {
                meaning.insert("sctp-port:5000".to_owned());
            }
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

pub fn packed(description: &DataDescription) -> Vec<u8> {
    description.to_bytes()
}

pub fn fingerprint_text(fingerprint: &[u8; 32]) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":")
}

/// One recorded Chromium offer with `from` replaced by `to`.
pub fn changed(from: &str, to: &str) -> String {
    let (_, sdp) = named("chromium-data-offer");
    assert!(sdp.contains(from), "{from}");
    sdp.replacen(from, to, 1)
}

pub fn compact(sdp: &str) -> Result<DataDescription, DescriptionError> {
    DataDescription::from_sdp(SdpType::Offer, sdp)
}

/// A compact offer with these flags, and these bytes after its fingerprint.
pub fn crafted(flags: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags, 4];
    bytes.extend_from_slice(b"abcd\x16abcdefghijklmnopqrstuv");
    bytes.extend_from_slice(&[9; 32]);
    bytes.extend_from_slice(rest);
    bytes
}

/// Whether every line is of a kind that the writer writes, and there is exactly one section.
pub fn only_known_lines(sdp: &str) -> bool {
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
    sdp.lines().filter(|line| line.starts_with("m=")).count() == 1
        && sdp
            .strip_suffix("\r\n")
            .is_some_and(|sdp| sdp.split("\r\n").all(line))
}
