//! A browser's own description, in the compact form that is sent over the broker.

use rtchat::rtc::candidate::MAX_CANDIDATES;
use rtchat::rtc::{DataDescription, DescriptionError, SdpType, SessionDescription};

use crate::samples::{
    changed, compact, data_only, fingerprint_text, meaning, named, only_known_lines, packed,
};

#[test]
fn data_only_descriptions_keep_their_meaning() {
    for (name, kind, sdp) in data_only() {
        let description = DataDescription::from_sdp(kind, &sdp).expect(&name);
        assert_eq!(description.kind(), kind);
        let arrived = DataDescription::from_bytes(&packed(&description)).unwrap();
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
        let arrived = DataDescription::from_bytes(&packed(&description)).unwrap();
        assert_eq!(arrived, description);
        assert!(arrived.to_sdp().contains(to));
    }
    let (kind, sdp) = named("firefox-data-offer");
    let sdp = sdp
        .replace("a=mid:0", "a=mid:data")
        .replace("BUNDLE 0", "BUNDLE data");
    let description = DataDescription::from_sdp(kind, &sdp).unwrap();
    assert!(
        DataDescription::from_bytes(&packed(&description))
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
