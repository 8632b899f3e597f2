//! Reads the text of session descriptions, and writes the text of those with nothing but data channels.

use core::fmt::{self, Write as _};

use super::candidate::{self, Candidate, MAX_CANDIDATES};

/// Why a session description was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// It is larger than its limit.
    #[error("The session description is too large.")]
    TooLarge,
    /// It is neither the text nor the compact form of a session description.
    #[error("The session description cannot be read.")]
    Malformed,
    /// It has no section for data channels, or several.
    #[error("The session description does not have exactly one section for data channels.")]
    DataSection,
    /// It has no SHA-256 fingerprint, several different ones, or one that differs from the proven one.
    #[error("The session description is not bound to exactly one certificate, the expected one.")]
    Fingerprint,
    /// It needs an extension that this version does not know.
    #[error("The session description needs something that this version does not know.")]
    UnknownExtension,
    /// It has more media sections than are allowed.
    #[error("The session description asks for more media than is allowed.")]
    Sections,
    /// It has more candidates than are allowed.
    #[error("The session description names too many addresses.")]
    Candidates,
    /// Its sections do not all share one transport.
    #[error("The session description asks for more than one transport.")]
    Transports,
}

/// The type of a description: one of the two halves of an exchange (`RTCSdpType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdpType {
    /// The first half.
    Offer,
    /// The second half.
    Answer,
}

impl SdpType {
    /// How the standard calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            SdpType::Offer => "offer",
            SdpType::Answer => "answer",
        }
    }
}

/// The fields in which descriptions with only data channels differ.
#[derive(Clone, PartialEq)]
pub(super) struct DataSection {
    /// RFC 8839, section 5.4.
    pub ufrag: String,
    /// RFC 8839, section 5.4.
    pub pwd: String,
    /// RFC 8122, section 5: the SHA-256 hash of the DTLS certificate.
    pub fingerprint: [u8; 32],
    /// RFC 8842, section 5.
    pub setup: Setup,
    /// RFC 5888, section 4.
    pub mid: String,
    /// RFC 8841, section 5.
    pub sctp_port: u16,
    /// RFC 8841, section 6.
    pub max_message_size: u32,
    /// RFC 8839, section 5.1. At most [`MAX_CANDIDATES`].
    pub candidates: Vec<Candidate>,
}

/// The DTLS role: which side begins the handshake.
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

/// The mid that browsers give to the first section.
pub(super) const USUAL_MID: &str = "0";

/// The SCTP port that every implementation uses.
pub(super) const USUAL_PORT: u16 = 5000;

/// The maximum message size of a description that does not state one (RFC 8841, section 6.1).
const UNSAID_MAX_MESSAGE_SIZE: u32 = 65_536;

const FORMAT: &str = "webrtc-datachannel";

/// Returns the lines of a description, whatever their line endings.
pub(super) fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.split(['\r', '\n']).filter(|line| !line.is_empty())
}

/// A media section, or the session level, which precedes the first section and applies to all of them.
#[derive(Debug, Default)]
pub(super) struct Section<'a> {
    /// The words of the `m=` line; empty for the session level.
    media: Vec<&'a str>,
    /// Names and values of the attributes.
    attributes: Vec<(&'a str, &'a str)>,
}

/// Splits a description into its session level and its media sections.
pub(super) fn sections(sdp: &str) -> (Section<'_>, Vec<Section<'_>>) {
    let (mut session, mut sections) = (Section::default(), Vec::new());
    for line in lines(sdp) {
        if let Some(media) = line.strip_prefix("m=") {
            sections.push(Section {
                media: media.split(' ').collect(),
                attributes: Vec::new(),
            });
        } else if let Some(attribute) = line.strip_prefix("a=") {
            let section = sections.last_mut().unwrap_or(&mut session);
            let attribute = attribute.split_once(':').unwrap_or((attribute, ""));
            section.attributes.push(attribute);
        }
    }
    (session, sections)
}

impl<'a> Section<'a> {
    pub fn values<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a str> + 's {
        let named = self
            .attributes
            .iter()
            .filter(move |(known, _)| *known == name);
        named.map(|(_, value)| *value)
    }

    /// The value of an attribute that may be repeated but must not contradict itself.
    fn only_value(&self, name: &str) -> Result<Option<&'a str>, DescriptionError> {
        let mut values = self.values(name);
        let first = values.next();
        if values.any(|other| Some(other) != first) {
            return Err(DescriptionError::Malformed);
        }
        Ok(first)
    }

    fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }

    /// Whether this section was refused or stopped (RFC 8829, section 5.3.1).
    pub fn is_rejected(&self) -> bool {
        self.media.get(1) == Some(&"0") && !self.has("bundle-only")
    }

    /// Whether this section carries data channels, in today's notation or in that of older drafts, which older versions of
    /// aiortc write.
    pub fn is_data(&self) -> bool {
        let [kind, _, protocol, format] = self.media[..] else {
            return false;
        };
        let legacy = |map: &str| map.split(' ').take(2).eq([format, FORMAT]);
        kind == "application"
            && matches!(protocol, "UDP/DTLS/SCTP" | "TCP/DTLS/SCTP" | "DTLS/SCTP")
            && (format == FORMAT || self.values("sctpmap").any(legacy))
    }

    /// The usable candidates in this section, with their priorities.
    pub fn candidates(&self) -> impl Iterator<Item = (u32, Candidate)> {
        self.values("candidate")
            .filter_map(|value| Candidate::parse_with_priority(&format!("candidate:{value}")))
    }
}

/// Reads every SHA-256 fingerprint in these sections, which must all be the same one. Fingerprints of other hash
/// functions are ignored.
pub(super) fn fingerprint<'a>(
    sections: impl IntoIterator<Item = &'a Section<'a>>,
) -> Result<Option<[u8; 32]>, DescriptionError> {
    let mut only = None;
    for section in sections {
        for value in section.values("fingerprint") {
            let Some(hash) = sha256_of(value) else {
                continue;
            };
            let fingerprint = parse_hash(hash).ok_or(DescriptionError::Fingerprint)?;
            if only.is_some_and(|other| other != fingerprint) {
                return Err(DescriptionError::Fingerprint);
            }
            only = Some(fingerprint);
        }
    }
    Ok(only)
}

/// The hash in the value of a fingerprint attribute, if the hash function is SHA-256.
pub(super) fn sha256_of(value: &str) -> Option<&str> {
    let (function, hash) = value.split_once(' ')?;
    function.eq_ignore_ascii_case("sha-256").then_some(hash)
}

fn parse_hash(hex: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let mut pairs = hex.split(':');
    for byte in &mut hash {
        let &[high, low] = pairs.next()?.as_bytes() else {
            return None;
        };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = (digit(high)? << 4 | digit(low)?) as u8;
    }
    pairs.next().is_none().then_some(hash)
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

impl DataSection {
    /// Extracts the known fields of the only data section in a description, and ignores everything else.
    pub fn extract(sdp: &str) -> Result<DataSection, DescriptionError> {
        let (session, sections) = sections(sdp);
        let mut data = sections
            .iter()
            .filter(|section| section.is_data() && !section.is_rejected());
        let (Some(section), None) = (data.next(), data.next()) else {
            return Err(DescriptionError::DataSection);
        };
        // The session level applies where the section itself says nothing.
        let value = |name| {
            let level = if section.has(name) { section } else { &session };
            level.only_value(name)
        };
        let required = |name| value(name)?.ok_or(DescriptionError::Malformed);
        let setup = required("setup")?;
        let setup = SETUPS.iter().find(|known| known.1 == setup);
        // Older drafts have the port where the format is today.
        let legacy_port = section.media.get(3).filter(|format| **format != FORMAT);
        let data = DataSection {
            ufrag: required("ice-ufrag")?.to_owned(),
            pwd: required("ice-pwd")?.to_owned(),
            fingerprint: fingerprint([&session, section])?.ok_or(DescriptionError::Fingerprint)?,
            setup: setup.ok_or(DescriptionError::Malformed)?.0,
            mid: value("mid")?.unwrap_or(USUAL_MID).to_owned(),
            sctp_port: match value("sctp-port")?.or(legacy_port.copied()) {
                Some(port) => port.parse().map_err(|_| DescriptionError::Malformed)?,
                None => USUAL_PORT,
            },
            max_message_size: match value("max-message-size")? {
                Some(size) => {
                    let size: u64 = size.parse().map_err(|_| DescriptionError::Malformed)?;
                    u32::try_from(size).unwrap_or(u32::MAX)
                }
                None => UNSAID_MAX_MESSAGE_SIZE,
            },
            candidates: candidate::choose(section.candidates().collect(), MAX_CANDIDATES),
        };
        data.is_sound()
            .then_some(data)
            .ok_or(DescriptionError::Malformed)
    }

    /// Whether all fields can be written and read again without a change.
    pub fn is_sound(&self) -> bool {
        // RFC 8839 allows 256, but that length does not fit into a byte, and nobody uses it.
        (4..=255).contains(&self.ufrag.len())
            && is_ice_chars(&self.ufrag)
            && (22..=255).contains(&self.pwd.len())
            && is_ice_chars(&self.pwd)
            && (1..=16).contains(&self.mid.len())
            && is_token(&self.mid)
            && self.candidates.len() <= MAX_CANDIDATES
    }

    /// Writes the description in the form that a browser accepts.
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
             m=application 9 UDP/DTLS/SCTP {FORMAT}\r\nc=IN IP4 0.0.0.0\r\n"
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
