//! Session descriptions of real browsers keep their meaning in the compact form, whatever else the browsers write.
//! Nothing that the network brings makes the reader panic, puts a line into a description, or gives a connection
//! media before its other end has proven itself.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::BTreeSet;

use proptest::prelude::*;
use rtchat::rtc::candidate::MAX_CANDIDATES;
use rtchat::rtc::description::MAX_COMPACT;
use rtchat::rtc::{
    Candidate, DataDescription, DescriptionError, SdpType, SessionDescription, SessionLimits,
};

/// Every description in `tests/sdp`: name, type, text.
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
    assert!(recorded.len() >= 24, "only {} descriptions", recorded.len());
    recorded
}

fn with_media() -> Vec<(String, SdpType, String)> {
    let recorded = recorded().into_iter();
    recorded
        .filter(|(name, ..)| name.contains("-media-"))
        .collect()
}

fn data_only() -> Vec<(String, SdpType, String)> {
    let recorded = recorded().into_iter();
    recorded
        .filter(|(name, ..)| !name.contains("-media-"))
        .collect()
}

fn named(wanted: &str) -> (SdpType, String) {
    let mut recorded = recorded().into_iter();
    let (_, kind, sdp) = recorded.find(|(name, ..)| name == wanted).unwrap();
    (kind, sdp)
}

/// What a data-only description means, read without the code under test: its attributes, wherever they stand, and of
/// its UDP candidates what another browser uses.
fn meaning(sdp: &str) -> BTreeSet<String> {
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

fn packed(description: &DataDescription) -> Vec<u8> {
    postcard::to_allocvec(description).unwrap()
}

fn fingerprint_text(fingerprint: &[u8; 32]) -> String {
    fingerprint
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(":")
}

#[test]
fn data_only_descriptions_keep_their_meaning() {
    for (name, kind, sdp) in data_only() {
        let description = DataDescription::from_sdp(kind, &sdp).expect(&name);
        assert_eq!(description.kind(), kind);
        let arrived: DataDescription = postcard::from_bytes(&packed(&description)).unwrap();
        assert_eq!(arrived, description, "{name}");
        assert_eq!(meaning(&arrived.to_sdp()), meaning(&sdp), "{name}");
        assert!(
            sdp.contains(&fingerprint_text(&arrived.fingerprint())),
            "{name}"
        );
        assert!(!arrived.candidates().is_empty(), "{name}");
        assert!(only_known_lines(&arrived.to_sdp()), "{name}");
    }
}

#[test]
fn compact_descriptions_fit_in_128_bytes() {
    for (name, kind, sdp) in data_only() {
        let description = DataDescription::from_sdp(kind, &sdp).unwrap();
        let size = packed(&description).len();
        println!("{name}: {} -> {size}", sdp.len());
        assert!(size <= 128, "{name}: {size}");
    }
    // With two IPv4 host candidates, as most machines with two networks have them.
    for (name, most) in [("chromium-data-offer", 78), ("firefox-data-offer", 71)] {
        let (kind, sdp) = named(name);
        let sdp = sdp.replace("fd00::2", "198.51.100.7");
        let size = packed(&DataDescription::from_sdp(kind, &sdp).unwrap()).len();
        assert!(size <= most, "{name}: {size}");
    }
}

#[test]
fn descriptions_of_str0m_are_compact() {
    use str0m::Candidate as Address;
    let now = std::time::Instant::now();
    let crypto = std::sync::Arc::new(str0m::crypto::from_feature_flags());
    let rtc = |host: &str| {
        let config = str0m::RtcConfig::new().set_crypto_provider(crypto.clone());
        let mut rtc = config.clear_codecs().build(now);
        rtc.add_local_candidate(Address::host(host.parse().unwrap(), "udp").unwrap());
        rtc
    };
    let mut offerer = rtc("192.0.2.1:50000");
    let mut answerer = rtc("192.0.2.2:50000");
    let mut change = offerer.sdp_api();
    change.add_channel("text".to_owned());
    let (offer, _) = change.apply().unwrap();
    let compact = |kind, sdp: &str| {
        let description = DataDescription::from_sdp(kind, sdp).expect(sdp);
        assert_eq!(description.candidates().len(), 1, "{sdp}");
        let fingerprint = fingerprint_text(&description.fingerprint());
        assert!(sdp.to_uppercase().contains(&fingerprint), "{sdp}");
        let packed = packed(&description);
        assert!(packed.len() <= 128);
        postcard::from_bytes::<DataDescription>(&packed).unwrap()
    };
    let offer = compact(SdpType::Offer, &offer.to_sdp_string());
    let offer = str0m::change::SdpOffer::from_sdp_string(&offer.to_sdp()).unwrap();
    let answer = answerer.sdp_api().accept_offer(offer).unwrap();
    compact(SdpType::Answer, &answer.to_sdp_string());
}

/// Lines that hold no candidate, since candidates are written again.
fn lines_without_candidates(sdp: &str) -> Vec<&str> {
    sdp.lines()
        .filter(|line| !line.starts_with("a=candidate:"))
        .collect()
}

fn candidates_in(sdp: &str) -> Vec<Candidate> {
    sdp.lines().filter_map(Candidate::parse).collect()
}

#[test]
fn renegotiation_keeps_media_as_it_is() {
    for (name, kind, sdp) in with_media() {
        let description = SessionDescription::from_sdp(kind, &sdp).expect(&name);
        assert_eq!(description.kind(), kind);
        assert_eq!(
            lines_without_candidates(description.sdp()),
            lines_without_candidates(&sdp),
            "{name}"
        );
        assert_eq!(candidates_in(description.sdp()), candidates_in(&sdp));
        assert!(!description.candidates().is_empty(), "{name}");
        let fingerprint = description.fingerprint();
        assert!(sdp.contains(&fingerprint_text(&fingerprint)), "{name}");
        let json = serde_json::to_string(&description).unwrap();
        assert!(json.len() < SessionLimits::MEDIA.bytes, "{name}");
        assert_eq!(
            serde_json::from_str::<SessionDescription>(&json).unwrap(),
            description,
            "{name}"
        );
        let check = |limits, proven| description.clone().check(limits, proven);
        let checked = check(&SessionLimits::MEDIA, &fingerprint).unwrap();
        assert_eq!(
            (checked.kind(), checked.sdp()),
            (kind, description.sdp()),
            "{name}"
        );
        assert!(check(&SessionLimits::DATA_ONLY, &fingerprint).is_err());
        assert_eq!(
            check(&SessionLimits::MEDIA, &[7; 32]),
            Err(DescriptionError::Fingerprint)
        );
    }
}

#[test]
fn renegotiation_of_data_channels_fits_the_smaller_limits() {
    for (name, kind, sdp) in data_only() {
        let description = SessionDescription::from_sdp(kind, &sdp).expect(&name);
        let compact = DataDescription::from_sdp(kind, &sdp).unwrap();
        assert_eq!(description.candidates(), compact.candidates(), "{name}");
        let proven = compact.fingerprint();
        let checked = description.check(&SessionLimits::DATA_ONLY, &proven);
        assert!(checked.is_ok(), "{name}");
    }
}

#[test]
fn each_limit_of_renegotiation_is_kept() {
    let (kind, sdp) = named("chromium-media-offer");
    let description = SessionDescription::from_sdp(kind, &sdp).unwrap();
    let proven = description.fingerprint();
    let exact = SessionLimits {
        bytes: description.sdp().len(),
        sections: 3,
        candidates: description.candidates().len(),
    };
    let check = |limits| description.clone().check(&limits, &proven);
    assert!(check(exact).is_ok());
    let bytes = exact.bytes - 1;
    assert_eq!(
        check(SessionLimits { bytes, ..exact }),
        Err(DescriptionError::TooLarge)
    );
    let sections = exact.sections - 1;
    assert_eq!(
        check(SessionLimits { sections, ..exact }),
        Err(DescriptionError::Sections)
    );
    let candidates = exact.candidates - 1;
    assert_eq!(
        check(SessionLimits {
            candidates,
            ..exact
        }),
        Err(DescriptionError::Candidates)
    );
    // What is read at all is bounded before anything is checked.
    let bundle = "a=group:BUNDLE 0 1 2";
    let more: String = (3..9).map(|mid| format!(" {mid}")).collect();
    let section = |mid| format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n");
    let sections: String = (3..9).map(section).collect();
    let many = format!(
        "{}{sections}",
        sdp.replace(bundle, &format!("{bundle}{more}"))
    );
    assert_eq!(
        SessionDescription::from_sdp(kind, &many),
        Err(DescriptionError::Sections)
    );
    let large = format!("{sdp}{}", "a=x\r\n".repeat(SessionLimits::MEDIA.bytes / 5));
    assert_eq!(
        SessionDescription::from_sdp(kind, &large),
        Err(DescriptionError::TooLarge)
    );
}

#[test]
fn peers_must_not_send_more_than_sixteen_candidates_in_a_renegotiation() {
    let (_, sdp) = named("chromium-data-offer");
    let line = |n: usize| format!("a=candidate:1 1 udp 1 198.51.100.{n} 2000 typ host\r\n");
    let with = |count: usize| {
        // Browsers may repeat them in every section.
        let lines: String = (1..=count).chain(1..=count).map(line).collect();
        sdp.replace("a=ice-ufrag:", &format!("{lines}a=ice-ufrag:"))
    };
    let own = candidates_in(&sdp).len();
    let read = |sdp: &str| {
        let json = serde_json::json!({ "kind": "offer", "sdp": sdp }).to_string();
        serde_json::from_str::<SessionDescription>(&json).map_err(|error| error.to_string())
    };
    let description = read(&with(MAX_CANDIDATES - own)).unwrap();
    assert_eq!(description.candidates().len(), MAX_CANDIDATES);
    let error = read(&with(MAX_CANDIDATES - own + 1)).unwrap_err();
    let expected = DescriptionError::Candidates.to_string();
    assert!(error.starts_with(&expected), "{error}");
    // The own browser may find more; then the best ones are sent.
    let own = SessionDescription::from_sdp(SdpType::Offer, &with(40)).unwrap();
    assert_eq!(own.candidates().len(), MAX_CANDIDATES);
    assert!(read(own.sdp()).is_ok());
}

#[test]
fn renegotiation_names_no_address_that_no_browser_has() {
    let (kind, sdp) = named("chromium-data-offer");
    for address in ["127.0.0.1 2000", "224.0.0.251 5353", "192.0.2.9 53"] {
        let line = format!("a=candidate:1 1 udp 1 {address} typ host\r\n");
        let sdp = sdp.replace("a=ice-ufrag:", &format!("{line}a=ice-ufrag:"));
        let description = SessionDescription::from_sdp(kind, &sdp).unwrap();
        assert!(!description.sdp().contains(address));
    }
}

#[test]
fn renegotiation_cannot_add_another_transport() {
    let (kind, sdp) = named("chromium-media-offer");
    let read = |from: &str, to: &str| {
        assert!(sdp.contains(from), "{from}");
        SessionDescription::from_sdp(kind, &sdp.replacen(from, to, 1))
    };
    let group = "a=group:BUNDLE 0 1 2";
    for to in [
        "a=group:BUNDLE 0 2",
        "a=group:BUNDLE 0 1 2\r\na=group:BUNDLE 0 1 2",
        "a=group:LS 0 1 2",
        "a=group:BUNDLE",
    ] {
        assert_eq!(read(group, to), Err(DescriptionError::Transports), "{to}");
    }
    assert_eq!(
        read("a=mid:1", "a=mid:1\r\na=mid:0"),
        Err(DescriptionError::Transports)
    );
    // A section that was stopped has no transport.
    let stopped = sdp.replace("a=group:BUNDLE 0 1 2", "a=group:BUNDLE 0 2");
    let at = stopped.find("m=video ").unwrap();
    let port = stopped[at..].split(' ').nth(1).unwrap().to_owned();
    let stopped = stopped.replace(&format!("m=video {port} "), "m=video 0 ");
    assert!(SessionDescription::from_sdp(kind, &stopped).is_ok());
    // The section for data channels carries the chat, and cannot be stopped.
    let stopped = sdp.replace("m=application 40785 ", "m=application 0 ");
    assert_ne!(stopped, sdp);
    assert_eq!(
        SessionDescription::from_sdp(kind, &stopped),
        Err(DescriptionError::DataSection)
    );
}

/// One recorded Chromium offer with `from` replaced by `to`.
fn changed(from: &str, to: &str) -> String {
    let (_, sdp) = named("chromium-data-offer");
    assert!(sdp.contains(from), "{from}");
    sdp.replacen(from, to, 1)
}

fn compact(sdp: &str) -> Result<DataDescription, DescriptionError> {
    DataDescription::from_sdp(SdpType::Offer, sdp)
}

#[test]
fn unusual_values_keep_their_meaning() {
    for (from, to) in [
        ("a=setup:actpass", "a=setup:active"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=sctp-port:5000", "a=sctp-port:5001"),
        ("a=max-message-size:262144", "a=max-message-size:1073741823"),
        ("a=max-message-size:262144", "a=max-message-size:0"),
        ("a=mid:0", "a=mid:1"),
    ] {
        let description = compact(&changed(from, to)).unwrap();
        let arrived: DataDescription = postcard::from_bytes(&packed(&description)).unwrap();
        assert_eq!(arrived, description);
        assert!(arrived.to_sdp().contains(to));
    }
    let (kind, sdp) = named("firefox-data-offer");
    let sdp = sdp
        .replace("a=mid:0", "a=mid:data")
        .replace("BUNDLE 0", "BUNDLE data");
    let description = DataDescription::from_sdp(kind, &sdp).unwrap();
    assert!(
        postcard::from_bytes::<DataDescription>(&packed(&description))
            .unwrap()
            .to_sdp()
            .contains("a=mid:data\r\n")
    );
    // A value that is left out, or is larger than any browser can use.
    for (from, to, written) in [
        ("a=sctp-port:5000\r\n", "", "a=sctp-port:5000\r\n"),
        ("a=mid:0\r\n", "", "a=mid:0\r\n"),
        (
            "a=max-message-size:262144\r\n",
            "",
            "a=max-message-size:65536\r\n",
        ),
        (
            "a=max-message-size:262144",
            "a=max-message-size:4294967296",
            "a=max-message-size:4294967295\r\n",
        ),
    ] {
        let description = compact(&changed(from, to)).unwrap();
        assert!(description.to_sdp().contains(written), "{to}");
    }
}

#[test]
fn unknown_lines_change_nothing() {
    let (_, sdp) = named("chromium-data-offer");
    let unchanged = compact(&sdp).unwrap();
    let port = "a=sctp-port:5000";
    for (from, to) in [
        (
            port,
            "a=sctp-port:5000\r\na=tls-id:91bbf309c0990a6bec11e38ba2933cee",
        ),
        (port, "a=sctp-port:5000\r\na=sctp-init:AQAAJPcgKVs"),
        (port, "a=sctp-port:5000\r\na=ice-lite"),
        (port, "a=sctp-port:5000\r\nb=AS:30"),
        (port, "a=sctp-port:5000\r\na=sctp-port:5000"),
        (port, "a=sctp-port:5000\r\na=\r\na=:\r\nnonsense\r\n=\r\nz"),
        (port, "a=sctp-port:5000\r\na=note:grüße"),
        (
            "s=-",
            "s=-\r\na=sctp-port:1\r\na=mid:other\r\na=setup:passive",
        ),
        ("s=-", "s=-\r\na=identity:eyJpZHAi\r\na=cryptex"),
        (
            "a=ice-options:trickle",
            "a=ice-options:trickle renomination",
        ),
        ("a=ice-options:trickle\r\n", ""),
        ("a=group:BUNDLE 0\r\n", ""),
        (
            "m=application ",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nm=application ",
        ),
        (
            "m=application ",
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:other\r\nm=application ",
        ),
        (
            "UDP/DTLS/SCTP webrtc-datachannel",
            "DTLS/SCTP 5000\r\na=sctpmap:5000 webrtc-datachannel 1024",
        ),
        ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP"),
        (
            "a=setup:",
            "a=candidate:1 1 udp 1 192.0.2.9 2000 typ guest\r\na=setup:",
        ),
        (
            "a=setup:",
            "a=fingerprint:sha-384 00:01\r\na=fingerprint:sha-512 x\r\na=setup:",
        ),
        (
            "a=setup:",
            "a=FingerPrint:sha-256 00\r\na=fingerprint:\r\na=setup:",
        ),
    ] {
        let description = compact(&changed(from, to)).expect(to);
        assert_eq!(description, unchanged, "{to}");
    }
    assert_eq!(compact(&sdp.replace("\r\n", "\n")), Ok(unchanged));
}

#[test]
fn contradictions_and_missing_fields_are_refused() {
    use DescriptionError::{DataSection, Fingerprint, Malformed};
    let (_, sdp) = named("chromium-data-offer");
    let other = format!("a=fingerprint:sha-256 {}", fingerprint_text(&[7; 32]));
    let again = &sdp[sdp.find("m=application").unwrap()..];
    let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
    for (from, to, error) in [
        ("a=setup:actpass", "a=setup:holdconn", Malformed),
        (
            "a=setup:actpass",
            "a=setup:actpass\r\na=setup:active",
            Malformed,
        ),
        ("a=setup:actpass\r\n", "", Malformed),
        ("a=ice-ufrag:", "a=ice-ufrag:-", Malformed),
        (
            "a=ice-ufrag:",
            "a=ice-ufrag:abcd\r\na=ice-ufrag:",
            Malformed,
        ),
        ("a=ice-ufrag:", "a=no-ufrag:", Malformed),
        ("a=ice-pwd:", "a=no-pwd:", Malformed),
        ("a=sctp-port:5000", "a=sctp-port:70000", Malformed),
        (
            "a=max-message-size:262144",
            "a=max-message-size:x",
            Malformed,
        ),
        ("a=mid:0", "a=mid:12345678901234567", Malformed),
        ("fingerprint:sha-256", "fingerprint:sha-1", Fingerprint),
        ("fingerprint:", "thumbprint:", Fingerprint),
        (
            "a=setup:actpass",
            &format!("{other}\r\na=setup:actpass"),
            Fingerprint,
        ),
        ("s=-", &format!("s=-\r\n{other}"), Fingerprint),
        (
            "a=setup:actpass",
            "a=fingerprint:sha-256 00:11\r\na=setup:actpass",
            Fingerprint,
        ),
        (
            "m=application ",
            &format!("{again}m=application "),
            DataSection,
        ),
        ("m=application ", &format!("{video}a=x:"), DataSection),
        (
            "UDP/DTLS/SCTP webrtc-datachannel",
            "DTLS/SCTP 5000",
            DataSection,
        ),
        ("m=application ", "m=audio ", DataSection),
    ] {
        assert_eq!(compact(&changed(from, to)), Err(error), "{to}");
    }
    let large = format!("{sdp}{}", "a".repeat(64 * 1024));
    assert_eq!(compact(&large), Err(DescriptionError::TooLarge));
    for text in ["", "v=0", "v=1\r\n", "hello", "\r\nv=0\r\n"] {
        assert_eq!(compact(text), Err(Malformed), "{text:?}");
    }
    for text in ["v=0\r\na=\0", "v=0\r\ns=é\r\n"] {
        assert_eq!(compact(text), Err(DataSection), "{text:?}");
    }
}

#[test]
fn fingerprints_are_found_on_either_level_in_either_case() {
    let (_, sdp) = named("chromium-data-offer");
    let line = sdp
        .lines()
        .find(|line| line.starts_with("a=fingerprint:"))
        .unwrap();
    let expected = compact(&sdp).unwrap();
    let lower = line.to_lowercase().replace("sha-256", "SHA-256");
    let session = sdp
        .replace(&format!("{line}\r\n"), "")
        .replace("s=-", &format!("s=-\r\n{line}"));
    assert_eq!(compact(&sdp.replace(line, &lower)), Ok(expected.clone()));
    assert_eq!(compact(&session), Ok(expected.clone()));
    let both = sdp.replace("s=-", &format!("s=-\r\n{lower}"));
    assert_eq!(compact(&both), Ok(expected));
}

#[test]
fn doubtful_fingerprints_are_refused_in_a_renegotiation() {
    let read = |sdp: &str| SessionDescription::from_sdp(SdpType::Offer, sdp);
    let other = format!("a=fingerprint:sha-256 {}", fingerprint_text(&[7; 32]));
    for to in [
        "a=FingerPrint:sha-256 00\r\na=setup:actpass",
        "a=fingerprint\r\na=setup:actpass",
        "a=fingerprint:sha-256 00\r\na=setup:actpass",
        &format!("{other}\r\na=setup:actpass"),
    ] {
        let sdp = changed("a=setup:actpass", to);
        assert_eq!(read(&sdp), Err(DescriptionError::Fingerprint), "{to}");
    }
    let sdp = changed("a=setup:actpass", &format!(" {other}\na=setup:actpass"));
    assert_eq!(read(&sdp), Err(DescriptionError::Malformed));
    assert_eq!(
        read(&changed("fingerprint:", "thumbprint:")),
        Err(DescriptionError::Fingerprint)
    );
    // Those of other hash functions are removed, so that no browser can trust them.
    let expected = read(&changed("s=-", "s=-")).unwrap();
    for line in [
        "a=fingerprint:sha-1 22:EA:10:28",
        "a=fingerprint:sha-512 x",
        "a=fingerprint:",
    ] {
        let sdp = changed("a=setup:actpass", &format!("{line}\r\na=setup:actpass"));
        assert_eq!(read(&sdp).as_ref(), Ok(&expected), "{line}");
    }
    // One in a section that was stopped counts, too, and so does one in a section beside the first.
    let (kind, sdp) = named("chromium-media-offer");
    let at = sdp.rfind("a=fingerprint:").unwrap();
    let last = sdp[at..].lines().next().unwrap();
    let sdp = format!("{}{other}{}", &sdp[..at], &sdp[at + last.len()..]);
    assert_eq!(
        SessionDescription::from_sdp(kind, &sdp),
        Err(DescriptionError::Fingerprint)
    );
    let stopped = format!("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n{other}\r\nm=application");
    let sdp = changed("m=application", &stopped);
    assert_eq!(read(&sdp), Err(DescriptionError::Fingerprint));
}

#[test]
fn texts_that_are_no_description_are_refused_in_a_renegotiation() {
    let read = |sdp: &str| SessionDescription::from_sdp(SdpType::Offer, sdp);
    let large = format!("v=0\r\n{}", "a".repeat(SessionLimits::MEDIA.bytes));
    assert_eq!(read(&large), Err(DescriptionError::TooLarge));
    for text in [
        "",
        "v=0",
        "v=1\r\n",
        "hello",
        "v=0\r\na=\0",
        "v=0\r\ns=é\r\n",
        "\r\nv=0\r\n",
    ] {
        assert_eq!(read(text), Err(DescriptionError::Malformed), "{text:?}");
    }
    for line in ["nonsense", "=", " a=x", "A=x"] {
        let sdp = changed("s=-", &format!("s=-\r\n{line}"));
        assert_eq!(read(&sdp), Err(DescriptionError::Malformed), "{line}");
    }
}

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

#[test]
fn at_most_sixteen_candidates_are_sent_and_taken() {
    let line = |n: usize| format!("a=candidate:1 1 udp 1 198.51.100.{n} 2000 typ host\r\n");
    let many: String = (1..40).map(line).collect();
    let description = compact(&changed("a=ice-ufrag:", &format!("{many}a=ice-ufrag:"))).unwrap();
    assert_eq!(description.candidates().len(), MAX_CANDIDATES);
    let mut bytes = description.to_bytes();
    assert!(DataDescription::from_bytes(&bytes).is_ok());
    let candidate = bytes[bytes.len() - 7..].to_vec();
    bytes.extend(candidate);
    assert_eq!(
        DataDescription::from_bytes(&bytes),
        Err(DescriptionError::Candidates)
    );
}

#[test]
fn the_best_candidates_are_sent_when_there_are_too_many() {
    let line = |n: usize| format!("a=candidate:1 1 udp {n} 198.51.100.{n} 2000 typ host\r\n");
    let server = "a=candidate:1 1 udp 1 203.0.113.99 2000 typ srflx raddr 0.0.0.0 rport 9\r\n";
    let many: String = (1..40).map(line).chain([server.to_owned()]).collect();
    let description = compact(&changed("a=ice-ufrag:", &format!("{many}a=ice-ufrag:"))).unwrap();
    let sdp = description.to_sdp();
    assert!(sdp.contains(" 203.0.113.99 2000 typ srflx"));
    assert!(sdp.contains(" fd00::2 "));
    assert!(sdp.contains(" 198.51.100.39 ") && !sdp.contains(" 198.51.100.1 "));
}

#[test]
fn debug_output_holds_no_address() {
    let sdp = changed("a=setup:actpass", "a=setup:active");
    assert_eq!(
        format!("{:?}", compact(&sdp).unwrap()),
        "DataDescription(Offer, 2 candidates)"
    );
    let session = SessionDescription::from_sdp(SdpType::Offer, &sdp).unwrap();
    assert_eq!(
        format!("{session:?}"),
        "SessionDescription(Offer, 1 sections, 2 candidates)"
    );
}

/// A compact offer with these flags, and these bytes after its fingerprint.
fn crafted(flags: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![flags, 4];
    bytes.extend_from_slice(b"abcd\x16abcdefghijklmnopqrstuv");
    bytes.extend_from_slice(&[9; 32]);
    bytes.extend_from_slice(rest);
    bytes
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

/// An extension as it travels.
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

    /// What becomes of a browser's own description.
    #[derive(Deserialize)]
    pub struct Written {
        pub name: String,
        pub r#type: String,
        pub sdp: String,
        pub compact: String,
        pub rebuilt: String,
    }

    /// What becomes of a compact description of somebody else.
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
        serde_json::from_str(include_str!("vectors/descriptions.json")).unwrap();
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

/// Whether every line is of a kind that the writer writes, and there is exactly one section.
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
    sdp.lines().filter(|line| line.starts_with("m=")).count() == 1
        && sdp
            .strip_suffix("\r\n")
            .is_some_and(|sdp| sdp.split("\r\n").all(line))
}

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
        let arrived: DataDescription = postcard::from_bytes(&packed(&description)).unwrap();
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
    fn lines_nobody_knows_change_nothing(
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
        prop_assert_eq!(postcard::from_bytes(&postcard::to_allocvec(&candidate).unwrap()), Ok(candidate));
    }

    #[test]
    fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
        let _ = postcard::from_bytes::<Candidate>(&bytes);
        let _ = postcard::from_bytes::<Vec<Candidate>>(&bytes);
        let _ = serde_json::from_str::<SessionDescription>(&text);
        let _ = Candidate::parse(&text);
        let _ = Candidate::parse(&format!("candidate:{text}"));
        let _ = DataDescription::from_sdp(SdpType::Offer, &format!("v=0\r\n{text}"));
        let _ = SessionDescription::from_sdp(SdpType::Offer, &format!("v=0\r\n{text}"));
        // Behind a length that is right, so that it is looked at.
        let mut framed = postcard::to_allocvec(&(bytes.len() as u32)).unwrap();
        framed.extend(&bytes);
        if let Ok(description) = postcard::from_bytes::<DataDescription>(&framed) {
            prop_assert!(only_known_lines(&description.to_sdp()));
        }
        // With fields that can be read before it.
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
        if let Ok(description) = postcard::from_bytes::<DataDescription>(&bytes) {
            prop_assert!(only_known_lines(&description.to_sdp()));
            prop_assert_eq!(postcard::from_bytes::<DataDescription>(&packed(&description)), Ok(description));
        }
        let _ = postcard::from_bytes::<DataDescription>(&bytes[..cut.index(bytes.len())]);
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
