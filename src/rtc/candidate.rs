//! One ICE candidate: where a browser can be reached.

use core::fmt::{self, Write as _};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most candidates that one description or one message carries.
pub const MAX_CANDIDATES: usize = 16;

/// A UDP candidate (RFC 8839, section 5.1) without what the other side can make up again: foundation and
/// priority are derived, component is 1 (everything is bundled), the related address is not for others to know.
///
/// With `postcard` an IPv4 candidate takes 8 bytes, one of which is a length. In JSON it is its `candidate:` line.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Candidate {
    kind: Type,
    address: Address,
    port: u16,
}

/// How the address was found (RFC 8445, section 5.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Type {
    Host,
    ServerReflexive,
    PeerReflexive,
    Relayed,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
    /// The 16 bytes of `<uuid>.local`, behind which browsers hide private addresses.
    Mdns([u8; 16]),
}

/// What a `candidate:` line turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// A candidate that is worth telling.
    Useful(Candidate),
    /// Sound, but of no use between browsers: TCP (no browser listens), port 0, another component.
    Useless,
    /// Not understood.
    Unknown,
}

const TYPES: [(Type, &str, u32); 4] = [
    (Type::Host, "host", 126),
    (Type::ServerReflexive, "srflx", 100),
    (Type::PeerReflexive, "prflx", 110),
    (Type::Relayed, "relay", 2),
];

impl Candidate {
    /// Reads `RTCIceCandidate.candidate`, or the same line from a session description (with or without `a=`).
    /// `None` for TCP, for port 0 and for everything that is not understood.
    pub fn parse(line: &str) -> Option<Candidate> {
        match Line::parse(line) {
            Line::Useful(candidate) => Some(candidate),
            Line::Useless | Line::Unknown => None,
        }
    }

    /// The line that browsers accept, without `a=`. `order` is the place in the list of its side's candidates: of
    /// two of the same type and family the earlier one is preferred.
    pub fn to_line(&self, order: usize) -> String {
        let mut line = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = self.write_line(order, &mut line);
        line
    }

    /// As [`to_line`](Candidate::to_line), appended to `line`.
    pub(super) fn write_line(&self, order: usize, line: &mut String) -> fmt::Result {
        let (_, name, preference) = TYPES[self.kind as usize];
        // RFC 8445, section 5.1.2.1: type preference, local preference, component. IPv6 before IPv4 (RFC 8421),
        // as both Chromium and Firefox have it.
        let local =
            0xff_u32.saturating_sub(order as u32) | if self.is_v6() { 0xff00 } else { 0xfe00 };
        let priority = preference << 24 | local << 8 | 255;
        write!(line, "candidate:{} 1 udp {priority} ", self.foundation())?;
        match self.address {
            Address::V4(bytes) => write!(line, "{}", Ipv4Addr::from(bytes))?,
            Address::V6(bytes) => write!(line, "{}", Ipv6Addr::from(bytes))?,
            Address::Mdns(uuid) => write_mdns(&uuid, line)?,
        }
        write!(line, " {} typ {name}", self.port)?;
        if self.kind != Type::Host {
            // RFC 8839 wants a related address, and lets it be this one for privacy.
            line.push_str(if self.is_v6() {
                " raddr :: rport 9"
            } else {
                " raddr 0.0.0.0 rport 9"
            });
        }
        Ok(())
    }

    /// The same for candidates of one type and address, another one otherwise (RFC 8445, section 5.1.1.3).
    fn foundation(&self) -> u32 {
        let mut hash = 0x811c_9dc5 ^ self.kind as u32;
        for byte in self.address.bytes() {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        hash
    }

    /// Whether it is an address of the machine itself.
    pub(super) fn is_host(&self) -> bool {
        self.kind == Type::Host
    }

    fn is_v6(&self) -> bool {
        matches!(self.address, Address::V6(_))
    }

    /// Type and family in one byte, the address, the port.
    pub(super) fn pack(&self, bytes: &mut Vec<u8>) {
        let family = match self.address {
            Address::V4(_) => 0,
            Address::V6(_) => 1,
            Address::Mdns(_) => 2,
        };
        bytes.push(self.kind as u8 | family << 2);
        bytes.extend_from_slice(self.address.bytes());
        bytes.extend_from_slice(&self.port.to_be_bytes());
    }

    /// Takes one candidate from the front; `None` if there is no sound one.
    pub(super) fn unpack(bytes: &[u8]) -> Option<(Candidate, &[u8])> {
        let (&head, rest) = bytes.split_first()?;
        let kind = TYPES[usize::from(head & 3)].0;
        let (address, rest) = match head >> 2 {
            0 => rest
                .split_first_chunk()
                .map(|(bytes, rest)| (Address::V4(*bytes), rest))?,
            1 => rest
                .split_first_chunk()
                .map(|(bytes, rest)| (Address::V6(*bytes), rest))?,
            2 => rest
                .split_first_chunk()
                .map(|(bytes, rest)| (Address::Mdns(*bytes), rest))?,
            _ => return None,
        };
        let (port, rest) = rest.split_first_chunk()?;
        let port = u16::from_be_bytes(*port);
        (port != 0).then_some((
            Candidate {
                kind,
                address,
                port,
            },
            rest,
        ))
    }
}

impl Line {
    pub(super) fn parse(line: &str) -> Line {
        Line::read(line).unwrap_or(Line::Unknown)
    }

    fn read(line: &str) -> Option<Line> {
        let line = line.strip_prefix("a=").unwrap_or(line);
        let mut words = line.strip_prefix("candidate:")?.split(' ');
        let foundation = words.next()?;
        let component = words.next()?;
        let transport = words.next()?;
        let priority = words.next()?;
        let address = words.next()?;
        let port: u16 = words.next()?.parse().ok()?;
        if words.next()? != "typ" || foundation.is_empty() || priority.parse::<u32>().is_err() {
            return None;
        }
        let name = words.next()?;
        let kind = TYPES.iter().find(|known| known.1 == name)?.0;
        if transport.eq_ignore_ascii_case("tcp") || port == 0 || component != "1" {
            return Some(Line::Useless);
        }
        if !transport.eq_ignore_ascii_case("udp") {
            return None;
        }
        let address = match address.parse() {
            Ok(IpAddr::V4(address)) => Address::V4(address.octets()),
            Ok(IpAddr::V6(address)) => Address::V6(address.octets()),
            Err(_) => Address::Mdns(parse_mdns(address)?),
        };
        Some(Line::Useful(Candidate {
            kind,
            address,
            port,
        }))
    }
}

impl Address {
    fn bytes(&self) -> &[u8] {
        match self {
            Address::V4(bytes) => bytes,
            Address::V6(bytes) | Address::Mdns(bytes) => bytes,
        }
    }
}

/// Where the hyphens of a UUID stand, counted in bytes.
const HYPHENS: [usize; 4] = [4, 6, 8, 10];

fn write_mdns(uuid: &[u8; 16], line: &mut String) -> fmt::Result {
    for (at, byte) in uuid.iter().enumerate() {
        if HYPHENS.contains(&at) {
            line.push('-');
        }
        write!(line, "{byte:02x}")?;
    }
    line.push_str(".local");
    Ok(())
}

/// Only as browsers write it, so that it comes out again as it went in.
fn parse_mdns(name: &str) -> Option<[u8; 16]> {
    let mut rest = name.strip_suffix(".local")?.as_bytes();
    let mut uuid = [0; 16];
    for (at, byte) in uuid.iter_mut().enumerate() {
        if HYPHENS.contains(&at) {
            rest = rest.strip_prefix(b"-")?;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        *byte = lower_hex(digits[0])? << 4 | lower_hex(digits[1])?;
        rest = after;
    }
    rest.is_empty().then_some(uuid)
}

/// The value of a lower-case hexadecimal digit.
pub(super) fn lower_hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// Addresses stay out of logs.
impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Candidate({})", TYPES[self.kind as usize].1)
    }
}

impl Serialize for Candidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&self.to_line(0));
        }
        let mut bytes = Vec::with_capacity(19);
        self.pack(&mut bytes);
        serializer.serialize_bytes(&bytes)
    }
}

impl<'de> Deserialize<'de> for Candidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Candidate, D::Error> {
        let candidate = if deserializer.is_human_readable() {
            Candidate::parse(&String::deserialize(deserializer)?)
        } else {
            match Candidate::unpack(<&[u8]>::deserialize(deserializer)?) {
                Some((candidate, [])) => Some(candidate),
                _ => None,
            }
        };
        candidate.ok_or_else(|| D::Error::custom("not a candidate"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_browsers_are_read_and_written() {
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
            let packed = postcard::to_allocvec(&candidate).unwrap();
            assert!(
                packed.len()
                    <= if written.contains('.') && !written.contains("local") {
                        8
                    } else {
                        20
                    }
            );
            assert_eq!(postcard::from_bytes(&packed), Ok(candidate));
            let json = serde_json::to_string(&candidate).unwrap();
            assert_eq!(serde_json::from_str::<Candidate>(&json).unwrap(), candidate);
        }
    }

    #[test]
    fn earlier_ones_are_preferred() {
        let candidate = Candidate::parse("candidate:1 1 udp 1 192.0.2.2 56812 typ host").unwrap();
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
    fn what_no_browser_can_use_is_useless_and_the_rest_unknown() {
        for line in [
            "candidate:4 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0",
            "candidate:4 1 udp 1518214911 192.0.2.2 0 typ host",
            "candidate:4 2 udp 1518214911 192.0.2.2 9 typ host",
        ] {
            assert_eq!(Line::parse(line), Line::Useless, "{line}");
            assert_eq!(Candidate::parse(line), None);
        }
        for line in [
            "",
            "candidate:",
            "candidate:1 1 udp 1 192.0.2.2 56812",
            "candidate:1 1 udp 1 192.0.2.2 56812 typ",
            "candidate:1 1 udp 1 192.0.2.2 65536 typ host",
            "candidate:1 1 udp 1 192.0.2.2 -1 typ host",
            "candidate:1 1 udp x 192.0.2.2 1 typ host",
            "candidate:1 1 sctp 1 192.0.2.2 1 typ host",
            "candidate:1 1 udp 1 192.0.2 1 typ host",
            "candidate:1 1 udp 1 example.org 1 typ host",
            "candidate:1 1 udp 1 84EBE31A-094f-4f97-af7c-fcddda94bf6f.local 1 typ host",
            "candidate:1 1 udp 1 84ebe31a-094f-4f97-af7c-fcddda94bf6f0.local 1 typ host",
            "candidate:1 1 udp 1 84ebe31a-094f-4f97-af7c-fcddda94bf6é.local 1 typ host",
            "candidate:1 1 udp 1 192.0.2.2 1 typ hostess",
            "candidate:1 1 udp 1 192.0.2.2\r\na=x 1 typ host",
        ] {
            assert_eq!(Line::parse(line), Line::Unknown, "{line}");
        }
    }

    #[test]
    fn its_debug_form_tells_no_address() {
        let candidate = Candidate::parse("candidate:1 1 udp 1 192.0.2.2 56812 typ host").unwrap();
        assert_eq!(format!("{candidate:?}"), "Candidate(host)");
    }
}
