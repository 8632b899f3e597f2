//! Reading and writing the text of session descriptions that carry nothing but data channels.

use core::fmt::{self, Write as _};

use super::candidate::{Candidate, Line, MAX_CANDIDATES};

/// Everything in a data-only description that is not the same every time.
#[derive(Clone, PartialEq)]
pub(super) struct Data {
    /// RFC 8839, section 5.4.
    pub ufrag: String,
    /// RFC 8839, section 5.4.
    pub pwd: String,
    /// RFC 8122, section 5: SHA-256 of the DTLS certificate.
    pub fingerprint: [u8; 32],
    /// RFC 8842, section 5.
    pub setup: Setup,
    /// RFC 5888, section 4.
    pub mid: String,
    /// RFC 8841, section 5.
    pub sctp_port: u16,
    /// RFC 8841, section 6.
    pub max_message_size: u32,
    /// RFC 8839, section 5.1.
    pub candidates: Vec<Candidate>,
}

/// Which side begins DTLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    ActPass,
    Active,
    Passive,
}

const SETUPS: [(Setup, &str); 3] = [
    (Setup::ActPass, "actpass"),
    (Setup::Active, "active"),
    (Setup::Passive, "passive"),
];

const MEDIA: &str = "UDP/DTLS/SCTP webrtc-datachannel";

/// The lines of a description, however they end.
pub(super) fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.split(['\r', '\n']).filter(|line| !line.is_empty())
}

/// The one SHA-256 fingerprint in `sdp`. Anything that looks like another fingerprint makes it `None`, so that no two
/// readers of the same text can disagree about which one holds.
pub(super) fn only_fingerprint(sdp: &str) -> Option<[u8; 32]> {
    let mut only = None;
    for line in lines(sdp).filter(|line| mentions_fingerprint(line)) {
        let fingerprint = parse_fingerprint(line.strip_prefix("a=fingerprint:")?)?;
        if only.is_some_and(|other| other != fingerprint) {
            return None;
        }
        only = Some(fingerprint);
    }
    only
}

fn mentions_fingerprint(line: &str) -> bool {
    line.as_bytes()
        .windows(11)
        .any(|word| word.eq_ignore_ascii_case(b"fingerprint"))
}

fn parse_fingerprint(value: &str) -> Option<[u8; 32]> {
    let (algorithm, hex) = value.split_once(' ')?;
    if !algorithm.eq_ignore_ascii_case("sha-256") || hex.len() != 32 * 3 - 1 {
        return None;
    }
    let mut fingerprint = [0; 32];
    let mut pairs = hex.split(':');
    for byte in &mut fingerprint {
        let &[high, low] = pairs.next()?.as_bytes() else {
            return None;
        };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    pairs.next().is_none().then_some(fingerprint)
}

/// `ice-char`, RFC 8839, section 5.1.
fn is_ice_chars(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

/// `token`, RFC 8866, section 9.
fn is_token(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() && !br#""(),/:;<=>?@[\]"#.contains(&byte))
}

/// Puts `value` where nothing may be yet; `None` if something is.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

impl Data {
    /// Reads a description that consists of one data section and of lines that this module writes again or that mean
    /// nothing to the other side. `None` for every other one.
    pub fn read(sdp: &str) -> Option<Data> {
        let (mut ufrag, mut pwd, mut fingerprint, mut setup) = (None, None, None, None);
        let (mut mid, mut sctp_port, mut max_message_size) = (None, None, None);
        let (mut group, mut media, mut trickle) = (None, None, None);
        let mut candidates = Vec::new();
        for line in lines(sdp) {
            let (kind, value) = line.split_once('=')?;
            if kind == "m" {
                let port = value
                    .strip_prefix("application ")?
                    .strip_suffix(MEDIA)?
                    .strip_suffix(' ')?;
                // Port 0 is a section that was refused (RFC 8829, section 5.3.1).
                if port.parse::<u16>().ok()? == 0 {
                    return None;
                }
                once(&mut media, ())?;
                continue;
            }
            if kind != "a" {
                // Version, origin, name, time and the default address: nobody looks at them (RFC 8829, section 5.8).
                if matches!(kind, "v" | "o" | "s" | "t" | "c") {
                    continue;
                }
                return None;
            }
            let (name, value) = value.split_once(':').unwrap_or((value, ""));
            match name {
                "ice-ufrag" => once(&mut ufrag, value.to_owned())?,
                "ice-pwd" => once(&mut pwd, value.to_owned())?,
                "fingerprint" => once(&mut fingerprint, parse_fingerprint(value)?)?,
                "setup" => once(&mut setup, SETUPS.iter().find(|known| known.1 == value)?.0)?,
                "mid" => once(&mut mid, value.to_owned())?,
                "sctp-port" => once(&mut sctp_port, value.parse().ok()?)?,
                "max-message-size" => once(&mut max_message_size, value.parse().ok()?)?,
                "group" => once(&mut group, value.strip_prefix("BUNDLE ")?)?,
                "ice-options" if value == "trickle" => once(&mut trickle, ())?,
                "candidate" => match Line::parse(line) {
                    Line::Useful(candidate) if candidates.len() < MAX_CANDIDATES => {
                        candidates.push(candidate)
                    }
                    Line::Useful(_) | Line::Useless => {}
                    Line::Unknown => return None,
                },
                // Of RTP header extensions and streams, of which a data section has none, and the default direction.
                "extmap-allow-mixed" | "msid-semantic" | "sendrecv" => {}
                // More may always come: candidates are told as they are found.
                "end-of-candidates" => {}
                _ => return None,
            }
        }
        media.and(trickle)?;
        let data = Data {
            ufrag: ufrag?,
            pwd: pwd?,
            fingerprint: fingerprint?,
            setup: setup?,
            mid: mid?,
            sctp_port: sctp_port?,
            max_message_size: max_message_size?,
            candidates,
        };
        (group? == data.mid && data.is_sound()).then_some(data)
    }

    /// Whether what it holds can be written without becoming something else.
    pub fn is_sound(&self) -> bool {
        // 256 is allowed, but its length does not fit into a byte, and nobody uses it.
        (4..=255).contains(&self.ufrag.len())
            && is_ice_chars(&self.ufrag)
            && (22..=255).contains(&self.pwd.len())
            && is_ice_chars(&self.pwd)
            && (1..=16).contains(&self.mid.len())
            && is_token(&self.mid)
    }

    /// Writes the description as RFC 8829, section 5, and RFC 8841, section 9, ask for it.
    pub fn write(&self) -> String {
        let mut sdp = String::with_capacity(1024);
        // Writing to a string cannot fail.
        let _ = self.write_to(&mut sdp);
        sdp
    }

    fn write_to(&self, sdp: &mut String) -> fmt::Result {
        let mid = &self.mid;
        write!(
            sdp,
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n\
             m=application 9 {MEDIA}\r\nc=IN IP4 0.0.0.0\r\n"
        )?;
        for (order, candidate) in self.candidates.iter().enumerate() {
            sdp.push_str("a=");
            candidate.write_line(order, sdp)?;
            sdp.push_str("\r\n");
        }
        write!(
            sdp,
            "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\n",
            self.ufrag, self.pwd
        )?;
        sdp.push_str("a=fingerprint:sha-256 ");
        for (at, byte) in self.fingerprint.iter().enumerate() {
            write!(sdp, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        let setup = SETUPS[self.setup as usize].1;
        write!(
            sdp,
            "\r\na=setup:{setup}\r\na=mid:{mid}\r\na=sctp-port:{}\r\na=max-message-size:{}\r\n",
            self.sctp_port, self.max_message_size
        )
    }
}
