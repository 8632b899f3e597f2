//! Tests of candidates.

use super::*;

#[test]
fn candidate_lines_of_browsers_are_read_and_written() {
    for (line, written) in [
        (
            "a=candidate:22602760 1 udp 2122194687 192.0.2.2 56812 typ host generation 0 ufrag DN/9 network-id 1",
            "udp 2130640895 192.0.2.2 56812 typ host",
        ),
        (
            "candidate:1 1 UDP 2122252543 fd00::2 42457 typ host",
            "udp 2130706431 fd00::2 42457 typ host",
        ),
        (
            "candidate:0 1 UDP 2122187007 84ebe31a-094f-4f97-af7c-fcddda94bf6f.local 34265 typ host",
            "udp 2130640895 84ebe31a-094f-4f97-af7c-fcddda94bf6f.local 34265 typ host",
        ),
        (
            "candidate:1 1 UDP 1685987327 203.0.113.7 40308 typ srflx raddr 192.0.2.2 rport 40308",
            "udp 1694433279 203.0.113.7 40308 typ srflx raddr 0.0.0.0 rport 9",
        ),
        (
            "candidate:1 1 udp 41885439 2001:db8::1 3478 typ relay raddr 2001:db8::2 rport 4",
            "udp 50331647 2001:db8::1 3478 typ relay raddr :: rport 9",
        ),
    ] {
        let candidate = Candidate::parse(line).unwrap();
        let again = candidate.to_line(0);
        assert!(again.ends_with(written), "{again}");
        assert_eq!(Candidate::parse(&again), Some(candidate));
        let packed = candidate.to_bytes();
        assert!(
            packed.len()
                <= if written.contains('.') && !written.contains("local") {
                    7
                } else {
                    19
                }
        );
        assert_eq!(Candidate::from_bytes(&packed), Some(candidate));
        let json = serde_json::to_string(&candidate).unwrap();
        assert_eq!(serde_json::from_str::<Candidate>(&json).unwrap(), candidate);
    }
}

fn udp(address: &str) -> Option<Candidate> {
    Candidate::parse(&format!("candidate:1 1 udp 1 {address} typ host"))
}

#[test]
fn earlier_candidates_are_preferred() {
    let candidate = udp("192.0.2.2 56812").unwrap();
    let priority = |order| {
        candidate
            .to_line(order)
            .split(' ')
            .nth(3)
            .unwrap()
            .parse::<u32>()
            .unwrap()
    };
    assert!(priority(0) > priority(1));
    assert!(priority(1000) > 0);
}

#[test]
fn candidates_that_browsers_cannot_use_are_ignored() {
    for line in [
        "candidate:4 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0",
        "candidate:4 1 udp 1518214911 192.0.2.2 0 typ host",
        "candidate:4 2 udp 1518214911 192.0.2.2 9 typ host",
        "",
        "candidate:",
        "candidate:1 1 udp 1 192.0.2.2 56812",
        "candidate:1 1 udp 1 192.0.2.2 56812 typ",
        "candidate:1 1 udp 1 192.0.2.2 65536 typ host",
        "candidate:1 1 udp 1 192.0.2.2 -1 typ host",
        "candidate:1 1 udp x 192.0.2.2 2000 typ host",
        "candidate: 1 udp 1 192.0.2.2 2000 typ host",
        "candidate:1 1 sctp 1 192.0.2.2 2000 typ host",
        "candidate:1 1 udp 1 192.0.2 2000 typ host",
        "candidate:1 1 udp 1 example.org 2000 typ host",
        "candidate:1 1 udp 1 84EBE31A-094f-4f97-af7c-fcddda94bf6f.local 2000 typ host",
        "candidate:1 1 udp 1 84ebe31a-094f-4f97-af7c-fcddda94bf6f0.local 2000 typ host",
        "candidate:1 1 udp 1 84ebe31a-094f-4f97-af7c-fcddda94bf6é.local 2000 typ host",
        "candidate:1 1 udp 1 192.0.2.2 2000 typ hostess",
        "candidate:1 1 udp 1 192.0.2.2\r\na=x 2000 typ host",
    ] {
        assert_eq!(Candidate::parse(line), None, "{line}");
    }
    let long = |length| {
        let line = "candidate:1 1 udp 1 192.0.2.2 2000 typ host ";
        format!("{line}{}", "x".repeat(length - line.len()))
    };
    assert!(Candidate::parse(&long(MAX_LINE)).is_some());
    assert_eq!(Candidate::parse(&long(MAX_LINE + 1)), None);
}

#[test]
fn addresses_that_no_browser_has_are_refused() {
    for address in [
        "0.0.0.0 2000",
        "0.1.2.3 2000",
        "127.0.0.1 2000",
        "127.255.0.1 2000",
        "169.254.169.254 2000",
        "224.0.0.251 5353",
        "239.255.255.250 1900",
        "240.0.0.1 2000",
        "255.255.255.255 2000",
        ":: 2000",
        "::1 2000",
        "::127.0.0.1 2000",
        "::ffff:127.0.0.1 2000",
        "::ffff:192.0.2.2 2000",
        "fe80::1 2000",
        "febf::1 2000",
        "ff02::fb 5353",
        // Ports of services.
        "192.0.2.2 53",
        "192.0.2.2 1023",
        "2001:db8::1 22",
        "10.0.0.1 80",
        "100.64.0.1 443",
        "192.168.1.1 443",
        "fd00::1 443",
        "84ebe31a-094f-4f97-af7c-fcddda94bf6f.local 443",
    ] {
        assert_eq!(udp(address), None, "{address}");
        // The same candidate in its compact form.
        let (host, port) = address.split_once(' ').unwrap();
        let address = match host.parse() {
            Ok(IpAddr::V4(address)) => Address::V4(address.octets()),
            Ok(IpAddr::V6(address)) => Address::V6(address.octets()),
            Err(_) => Address::Mdns(parse_mdns(host).unwrap()),
        };
        let port = port.parse().unwrap();
        let candidate = Candidate {
            kind: Type::Host,
            address,
            port,
        };
        let packed = candidate.to_bytes();
        assert!(Candidate::from_bytes(&packed).is_none());
    }
    for address in [
        "192.0.2.2 80",
        "203.0.113.7 443",
        "2001:db8::1 443",
        "10.0.0.1 1024",
        "100.64.0.1 2000",
        "100.128.0.1 443",
        "192.168.1.1 65535",
        "fd00::1 2000",
        "84ebe31a-094f-4f97-af7c-fcddda94bf6f.local 2000",
    ] {
        assert!(udp(address).is_some(), "{address}");
    }
}

#[test]
fn every_class_keeps_its_best_candidates_when_there_are_too_many() {
    let line = |priority: u32, address: &str, kind: &str| {
        Candidate::parse_with_priority(&format!(
            "candidate:1 1 udp {priority} {address} typ {kind}"
        ))
        .unwrap()
    };
    let mut found: Vec<_> = (1..=20)
        .map(|n| line(1000 + n, &format!("192.0.2.{n} 2000"), "host"))
        .collect();
    found.push(line(1001, "192.0.2.1 2000", "host"));
    found.push(line(5, "203.0.113.7 2000", "srflx"));
    found.push(line(900, "2001:db8::1 2000", "host"));
    found.push(line(1, "198.51.100.1 443", "relay"));
    let kept = choose(found.clone(), 16);
    // The thirteen best IPv4 hosts, in the order in which they were found, and one of every other class.
    let expected: Vec<Candidate> = found[7..20]
        .iter()
        .chain(&found[21..])
        .map(|(_, candidate)| *candidate)
        .collect();
    assert_eq!(kept, expected);
    // If all candidates fit, all are kept. Duplicates count once.
    let few: Vec<Candidate> = found[..3].iter().map(|(_, candidate)| *candidate).collect();
    assert_eq!(choose([&found[..3], &found[..2]].concat(), 16), few);
}

#[test]
fn debug_output_holds_no_address() {
    let candidate = Candidate::parse("candidate:1 1 udp 1 192.0.2.2 56812 typ host").unwrap();
    assert_eq!(format!("{candidate:?}"), "Candidate(host)");
}
