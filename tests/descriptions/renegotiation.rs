//! Descriptions that travel as text on a verified channel: the parts that they keep, and those that they must not
//! bring.

use rtchat::rtc::candidate::MAX_CANDIDATES;
use rtchat::rtc::{
    Candidate, DataDescription, DescriptionError, SdpType, SessionDescription, SessionLimits,
};

use crate::samples::{changed, data_only, fingerprint_text, named, with_media};

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
fn attributes_of_formats_that_a_section_does_not_have_are_left_out() {
    for (name, kind, sdp) in with_media() {
        let mut lines: Vec<&str> = sdp.lines().collect();
        let video = lines.iter().position(|line| line.starts_with("m=video"));
        let end = video.expect(&name) + 1;
        // As Firefox writes them for codecs that were taken out of the section.
        let stray = [
            "a=rtcp-fb:7 nack pli",
            "a=fmtp:7 apt=120",
            "a=rtpmap:7 VP9/90000",
        ];
        lines.splice(end..end, stray);
        let changed = lines.join("\r\n") + "\r\n";
        assert_eq!(
            SessionDescription::from_sdp(kind, &changed).expect(&name),
            SessionDescription::from_sdp(kind, &sdp).unwrap(),
            "{name}"
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
        // No other fingerprint is left that a stack could hold DTLS to.
        let checked = checked.expect(&name);
        let mut fingerprints = checked
            .sdp()
            .lines()
            .filter(|line| line.starts_with("a=fingerprint:"));
        assert!(
            fingerprints.all(|line| line.starts_with("a=fingerprint:sha-256 ")),
            "{name}"
        );
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
    // The size of a description is bounded before anything else is checked.
    let bundle = "a=group:BUNDLE 0 1 2";
    let more: String = (3..=SessionLimits::MEDIA.sections)
        .map(|mid| format!(" {mid}"))
        .collect();
    let section = |mid| format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\n");
    let sections: String = (3..=SessionLimits::MEDIA.sections).map(section).collect();
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
fn addresses_that_no_browser_has_are_removed_from_a_renegotiation() {
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
