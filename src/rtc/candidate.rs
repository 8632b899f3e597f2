//! ICE candidates: the addresses under which a browser may be reached.

use core::fmt::{self, Write as _};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::sort::sorted_by;

/// The limit of candidates in one description or one message.
pub const MAX_CANDIDATES: usize = 16;

/// The limit of further candidates that are accepted after each remote description.
pub const MAX_LATE_CANDIDATES: usize = 32;

/// The length limit of a candidate line, in bytes. Browsers write about 150.
const MAX_LINE: usize = 512;

/// A UDP candidate (RFC 8839, section 5.1), to which another browser may send connectivity checks.
///
/// It omits the foundation and the priority, which the receiver can derive, and the related address, which is private.
/// The component is always 1, since everything is bundled.
///
/// Its compact form takes 7 bytes for IPv4 and 19 otherwise. In JSON it is serialised as its `candidate:` line.
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

const TYPES: [(Type, &str, u32); 4] = [
    (Type::Host, "host", 126),
    (Type::ServerReflexive, "srflx", 100),
    (Type::PeerReflexive, "prflx", 110),
    (Type::Relayed, "relay", 2),
];

impl Candidate {
    /// Reads `RTCIceCandidate.candidate`, or the same line from a session description (with or without `a=`).
    ///
    /// Returns `None` for a line that cannot be read, for a candidate that browsers cannot use with each other (TCP,
    /// another component), and for an address to which no browser should be made to send packets: see
    /// [`Candidate::is_allowed`].
    pub fn parse(line: &str) -> Option<Candidate> {
        Candidate::parse_with_priority(line).map(|(_, candidate)| candidate)
    }

    /// Like [`parse`](Candidate::parse), together with the priority in the line.
    pub(super) fn parse_with_priority(line: &str) -> Option<(u32, Candidate)> {
        if line.len() > MAX_LINE {
            return None;
        }
        let line = line.strip_prefix("a=").unwrap_or(line);
        let mut words = line.strip_prefix("candidate:")?.split(' ');
        let foundation = words.next()?;
        let component = words.next()?;
        let transport = words.next()?;
        let priority: u32 = words.next()?.parse().ok()?;
        let address = words.next()?;
        let port: u16 = words.next()?.parse().ok()?;
        if foundation.is_empty()
            || component != "1"
            || !transport.eq_ignore_ascii_case("udp")
            || words.next()? != "typ"
        {
            return None;
        }
        let name = words.next()?;
        let kind = TYPES.iter().find(|known| known.1 == name)?.0;
        let address = match address.parse() {
            Ok(IpAddr::V4(address)) => Address::V4(address.octets()),
            Ok(IpAddr::V6(address)) => Address::V6(address.octets()),
            Err(_) => Address::Mdns(parse_mdns(address)?),
        };
        let candidate = Candidate {
            kind,
            address,
            port,
        };
        candidate.is_allowed().then_some((priority, candidate))
    }

    /// Whether a browser may be made to send connectivity checks to this address.
    ///
    /// Anybody in the room can name any address, and every browser that connects to them sends packets there. So
    /// addresses that cannot belong to another person's browser are refused: unspecified, loopback, link-local,
    /// multicast and broadcast addresses, and IPv4 addresses that are wrapped as IPv6. Ports below 1024 belong to
    /// services. Of these, only 80 and 443 are allowed, and only on public addresses, because some relays listen there.
    /// Chromium has the same rule for ports.
    fn is_allowed(&self) -> bool {
        let (addressable, public) = match self.address {
            Address::V4(bytes) => {
                let address = Ipv4Addr::from(bytes);
                let refused = bytes[0] == 0
                    || bytes[0] >= 224
                    || address.is_loopback()
                    || address.is_link_local();
                // RFC 6598 shares 100.64.0.0/10 between a provider's customers.
                let shared = bytes[0] == 100 && bytes[1] & 0xc0 == 64;
                (!refused, !address.is_private() && !shared)
            }
            Address::V6(bytes) => {
                let address = Ipv6Addr::from(bytes);
                // `::`, `::1`, and both ways to write an IPv4 address as an IPv6 one.
                let embeds_v4 =
                    bytes[..10] == [0; 10] && matches!(bytes[10..12], [0, 0] | [255, 255]);
                let refused =
                    embeds_v4 || address.is_multicast() || address.is_unicast_link_local();
                (!refused, !address.is_unique_local())
            }
            Address::Mdns(_) => (true, false),
        };
        addressable && (self.port >= 1024 || public && matches!(self.port, 80 | 443))
    }

    /// Returns the line in the form that browsers accept, without `a=`. `order` is the candidate's position in the list
    /// of its side. Of two candidates of the same type and family, the earlier one is preferred.
    pub fn to_line(&self, order: usize) -> String {
        let mut line = String::with_capacity(96);
        // Writing to a string cannot fail.
        let _ = self.write_line(order, &mut line);
        line
    }

    /// Appends the text that [`to_line`](Candidate::to_line) returns to `line`.
    pub(super) fn write_line(&self, order: usize, line: &mut String) -> fmt::Result {
        let (_, name, preference) = TYPES[self.kind as usize];
        // RFC 8445, section 5.1.2.1: type preference, local preference, component. IPv6 before IPv4 (RFC 8421),
        // as in Chromium and Firefox.
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
            // RFC 8839 requires a related address, and allows this one for privacy.
            line.push_str(if self.is_v6() {
                " raddr :: rport 9"
            } else {
                " raddr 0.0.0.0 rport 9"
            });
        }
        Ok(())
    }

    /// Candidates of the same type and address share a foundation (RFC 8445, section 5.1.1.3).
    fn foundation(&self) -> u32 {
        let mut hash = 0x811c_9dc5 ^ self.kind as u32;
        for byte in self.address.bytes() {
            hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
        hash
    }

    /// Whether this is an address of the machine itself.
    pub(super) fn is_host(&self) -> bool {
        self.kind == Type::Host
    }

    fn is_v6(&self) -> bool {
        matches!(self.address, Address::V6(_))
    }

    /// Appends the type and family in one byte, the address and the port.
    pub(super) fn pack(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind as u8 | self.address.family() << 2);
        bytes.extend_from_slice(self.address.bytes());
        bytes.extend_from_slice(&self.port.to_be_bytes());
    }

    /// Splits one candidate off the front. Returns `None` if there is no candidate, or if it is not allowed.
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
        let candidate = Candidate {
            kind,
            address,
            port: u16::from_be_bytes(*port),
        };
        candidate.is_allowed().then_some((candidate, rest))
    }

    /// The type and the family, which determine whether a candidate works where another one does not.
    fn class(&self) -> (Type, u8) {
        (self.kind, self.address.family())
    }
}

/// Chooses at most `limit` of these candidates, given with their priorities, and keeps their order.
///
/// If there are more, the best candidates of every type and address family are chosen in turn. Otherwise, the addresses
/// of a machine with twenty network interfaces would leave no room for the one address that a server told it.
pub(super) fn choose(mut found: Vec<(u32, Candidate)>, limit: usize) -> Vec<Candidate> {
    let mut seen: Vec<Candidate> = Vec::new();
    found.retain(|(_, candidate)| {
        let new = !seen.contains(candidate);
        if new {
            seen.push(*candidate);
        }
        new
    });
    if found.len() <= limit {
        return seen;
    }
    let found = sorted_by(found, |(one, _), (other, _)| other.cmp(one));
    let mut ranked: Vec<(usize, Candidate)> = Vec::with_capacity(found.len());
    for (_, candidate) in found {
        let better = |(_, other): &&(usize, Candidate)| other.class() == candidate.class();
        ranked.push((ranked.iter().filter(better).count(), candidate));
    }
    // The sort is stable, so the higher priority stays first within each rank.
    let mut ranked = sorted_by(ranked, |(one, _), (other, _)| one.cmp(other));
    ranked.truncate(limit);
    seen.retain(|candidate| ranked.iter().any(|(_, kept)| kept == candidate));
    seen
}

impl Address {
    fn family(&self) -> u8 {
        match self {
            Address::V4(_) => 0,
            Address::V6(_) => 1,
            Address::Mdns(_) => 2,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Address::V4(bytes) => bytes,
            Address::V6(bytes) | Address::Mdns(bytes) => bytes,
        }
    }
}

/// The indices of the bytes of a UUID that are preceded by a hyphen.
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

/// Reads a name only in the form in which browsers write it, so that it is written again exactly as it was read.
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

impl Candidate {
    /// The compact form: 7 or 19 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(19);
        self.pack(&mut bytes);
        bytes
    }

    /// Reads the compact form. Returns `None` if `bytes` are not exactly one usable candidate.
    pub fn from_bytes(bytes: &[u8]) -> Option<Candidate> {
        match Candidate::unpack(bytes) {
            Some((candidate, [])) => Some(candidate),
            _ => None,
        }
    }
}

impl Serialize for Candidate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_line(0))
    }
}

impl<'de> Deserialize<'de> for Candidate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Candidate, D::Error> {
        let line = String::deserialize(deserializer)?;
        let refused = || D::Error::custom("This is not a candidate that can be used.");
        Candidate::parse(&line).ok_or_else(refused)
    }
}

#[cfg(test)]
#[path = "candidate_tests.rs"]
mod tests;
