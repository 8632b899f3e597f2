//! The offers and answers of renegotiation, which travel as text on a channel whose two ends have proven themselves.
//!
//! Renegotiation may add audio and video, which the compact form cannot describe. So the text of the other side's
//! browser reaches ours, but only after all checks: a [`SessionDescription`] has been read and is within
//! [`SessionLimits::MEDIA`], and a [`CheckedDescription`] is also bound to the proven certificate in every section. A
//! connection accepts nothing but the latter.

use core::fmt::{self, Write as _};

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::candidate::{self, Candidate, MAX_CANDIDATES};
use super::sdp::{self, Section};
use super::sdp::{DescriptionError, SdpType};

/// Limits of a session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// The limit of bytes.
    pub bytes: usize,
    /// The limit of media sections, including the one for data channels and those that were stopped.
    pub sections: usize,
    /// The limit of different candidates.
    pub candidates: usize,
}

impl SessionLimits {
    /// Limits for a connection without audio and video, where renegotiation only finds a new path.
    pub const DATA_ONLY: SessionLimits = SessionLimits {
        bytes: 4 * 1024,
        sections: 1,
        candidates: MAX_CANDIDATES,
    };

    /// Limits for calls, and for every description that is read. A microphone, a camera and a shared screen with its
    /// sound take five sections, including the data channels, and 13 kB in Chromium, of which each picture takes 4.5
    /// kB. Where both sides begin at once, each has sections of its own.
    pub const MEDIA: SessionLimits = SessionLimits {
        bytes: 40 * 1024,
        sections: 10,
        candidates: MAX_CANDIDATES,
    };
}

/// An offer or an answer for an open, verified connection. It is within [`SessionLimits::MEDIA`], has one section for
/// data channels, and all its sections share one transport and one certificate.
///
/// In JSON it is `{"kind": "offer", "sdp": "v=0…"}`.
#[derive(Clone, PartialEq)]
pub struct SessionDescription {
    kind: SdpType,
    sdp: String,
    fingerprint: [u8; 32],
    sections: usize,
    candidates: Vec<Candidate>,
}

/// A [`SessionDescription`] that may be passed to a connection.
#[derive(Clone, PartialEq)]
pub struct CheckedDescription(SessionDescription);

impl SessionDescription {
    /// Reads a description of this browser. Candidates beyond the best [`MAX_CANDIDATES`] are left out.
    ///
    /// # Errors
    /// [`DescriptionError`] if the other side would refuse the description.
    pub fn from_sdp(kind: SdpType, sdp: &str) -> Result<SessionDescription, DescriptionError> {
        SessionDescription::read(kind, sdp, usize::MAX)
    }

    /// Reads a description that the other side sent.
    pub(crate) fn read_from_peer(
        kind: &str,
        sdp: &str,
    ) -> Result<SessionDescription, DescriptionError> {
        match kind {
            "offer" => SessionDescription::from_peer(SdpType::Offer, sdp),
            "answer" => SessionDescription::from_peer(SdpType::Answer, sdp),
            _ => Err(DescriptionError::Malformed),
        }
    }

    fn from_peer(kind: SdpType, sdp: &str) -> Result<SessionDescription, DescriptionError> {
        SessionDescription::read(kind, sdp, SessionLimits::MEDIA.candidates)
    }

    fn read(
        kind: SdpType,
        sdp: &str,
        max_candidates: usize,
    ) -> Result<SessionDescription, DescriptionError> {
        if sdp.len() > SessionLimits::MEDIA.bytes {
            return Err(DescriptionError::TooLarge);
        }
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n');
        if !(sdp.starts_with("v=0\r\n") || sdp.starts_with("v=0\n"))
            || !sdp.as_bytes().iter().all(printable)
        {
            return Err(DescriptionError::Malformed);
        }
        let (session, sections) = sdp::sections(sdp);
        if sections.len() > SessionLimits::MEDIA.sections {
            return Err(DescriptionError::Sections);
        }
        let fingerprint = only_certificate(&session, &sections)?;
        let all = [&session].into_iter().chain(&sections);
        let found: Vec<_> = all.flat_map(Section::candidates).collect();
        if candidate::choose(found.clone(), usize::MAX).len() > max_candidates {
            return Err(DescriptionError::Candidates);
        }
        let candidates = candidate::choose(found, MAX_CANDIDATES);
        Ok(SessionDescription {
            kind,
            sdp: rewrite(sdp, &candidates)?,
            fingerprint,
            sections: sections.len(),
            candidates,
        })
    }

    /// Checks a description of the other side before it is passed to a connection. `proven` is the fingerprint that the
    /// proof on this connection covered.
    ///
    /// # Errors
    /// [`DescriptionError`] if the description exceeds `limits` or has another fingerprint.
    pub fn check(
        self,
        limits: &SessionLimits,
        proven: &[u8; 32],
    ) -> Result<CheckedDescription, DescriptionError> {
        if self.sdp.len() > limits.bytes {
            Err(DescriptionError::TooLarge)
        } else if self.sections > limits.sections {
            Err(DescriptionError::Sections)
        } else if self.candidates.len() > limits.candidates {
            Err(DescriptionError::Candidates)
        } else if self.fingerprint != *proven {
            Err(DescriptionError::Fingerprint)
        } else {
            Ok(CheckedDescription(self))
        }
    }

    /// Whether this is an offer or an answer.
    pub fn kind(&self) -> SdpType {
        self.kind
    }

    /// The text. Every line ends with CR LF, and fingerprints and candidates that were not read are removed.
    pub fn sdp(&self) -> &str {
        &self.sdp
    }

    /// The SHA-256 fingerprint of the one certificate that the DTLS handshake may use.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The candidates in the description, without duplicates.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }
}

impl CheckedDescription {
    /// Whether this is an offer or an answer.
    pub fn kind(&self) -> SdpType {
        self.0.kind
    }

    /// The text for `RTCPeerConnection.setRemoteDescription`.
    pub fn sdp(&self) -> &str {
        &self.0.sdp
    }
}

/// Returns the fingerprint that applies to every section. All sections that are in use must share one transport (RFC
/// 9143), so that there is only one DTLS association and only one set of candidates to check.
fn only_certificate(
    session: &Section<'_>,
    sections: &[Section<'_>],
) -> Result<[u8; 32], DescriptionError> {
    let in_use = || sections.iter().filter(|section| !section.is_rejected());
    if in_use().filter(|section| section.is_data()).count() != 1 {
        return Err(DescriptionError::DataSection);
    }
    let mut groups = session
        .values("group")
        .filter_map(|group| group.strip_prefix("BUNDLE "));
    let (Some(group), None) = (groups.next(), groups.next()) else {
        return Err(DescriptionError::Transports);
    };
    let is_bundled = |section: &Section<'_>| {
        let mut mids = section.values("mid");
        let mid = mids.next();
        mids.next().is_none() && group.split(' ').any(|member| Some(member) == mid)
    };
    if !in_use().all(is_bundled) {
        return Err(DescriptionError::Transports);
    }
    // The first section of the group has the transport of all of them, and may be the only one to describe it.
    let tag = group.split(' ').next();
    let is_tagged = |section: &&Section<'_>| section.values("mid").next() == tag;
    let described = [session].into_iter().chain(in_use().find(is_tagged));
    if sdp::fingerprint(described)?.is_none() {
        return Err(DescriptionError::Fingerprint);
    }
    let all = [session].into_iter().chain(sections);
    sdp::fingerprint(all)?.ok_or(DescriptionError::Fingerprint)
}

/// Writes the text again without fingerprints of other hash functions, because a browser might trust one of them,
/// without any candidates but these, and without attributes of formats that a section does not have: Firefox leaves those of
/// the codecs that were taken out by `setCodecPreferences`, and Chromium refuses such a description.
fn rewrite(sdp: &str, candidates: &[Candidate]) -> Result<String, DescriptionError> {
    let mut rewritten = String::with_capacity(sdp.len());
    let mut media = "";
    for line in sdp::lines(sdp) {
        if !matches!(line.as_bytes(), [b'a'..=b'z', b'=', ..]) {
            return Err(DescriptionError::Malformed);
        }
        if line.starts_with("a=candidate:") {
            let order = Candidate::parse(line)
                .and_then(|candidate| candidates.iter().position(|kept| *kept == candidate));
            let candidate = order.and_then(|order| Some((order, candidates.get(order)?)));
            if let Some((order, candidate)) = candidate {
                // Writing to a string cannot fail.
                let _ = write!(rewritten, "a={}\r\n", candidate.to_line(order));
            }
            continue;
        }
        if line.starts_with("m=") {
            media = line;
        } else if is_of_another_format(line, media) {
            continue;
        }
        if let Some(fingerprint) = line.strip_prefix("a=fingerprint:") {
            if sdp::sha256_of(fingerprint).is_none() {
                continue;
            }
        } else if mentions_fingerprint(line) {
            // Two readers of the same text must never disagree about which fingerprint applies.
            return Err(DescriptionError::Fingerprint);
        }
        rewritten.push_str(line);
        rewritten.push_str("\r\n");
    }
    Ok(rewritten)
}

/// Whether an attribute describes a format (RFC 8866, section 6.6; RFC 4585, section 4.2) that is not in its media line.
fn is_of_another_format(line: &str, media: &str) -> bool {
    let attributes = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"];
    let Some(value) = attributes.iter().find_map(|name| line.strip_prefix(name)) else {
        return false;
    };
    let format = value.split(' ').next().unwrap_or_default();
    let is_number = !format.is_empty() && format.bytes().all(|byte| byte.is_ascii_digit());
    // The kind, the port and the protocol come first.
    is_number && !media.split(' ').skip(3).any(|known| known == format)
}

fn mentions_fingerprint(line: &str) -> bool {
    line.as_bytes()
        .windows(11)
        .any(|word| word.eq_ignore_ascii_case(b"fingerprint"))
}

/// Addresses and ICE passwords stay out of logs.
impl fmt::Debug for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SessionDescription({:?}, {} sections, {} candidates)",
            self.kind,
            self.sections,
            self.candidates.len()
        )
    }
}

impl fmt::Debug for CheckedDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SessionDescription {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("SessionDescription", 2)?;
        object.serialize_field("kind", self.kind.as_str())?;
        object.serialize_field("sdp", &self.sdp)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for SessionDescription {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SessionDescription, D::Error> {
        #[derive(Deserialize)]
        struct Json {
            kind: String,
            sdp: String,
        }
        let json = Json::deserialize(deserializer)?;
        SessionDescription::read_from_peer(&json.kind, &json.sdp).map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A description with one data section and this name.
    pub fn description(name: &str, offer: bool) -> SessionDescription {
        let kind = if offer {
            SdpType::Offer
        } else {
            SdpType::Answer
        };
        let fingerprint = ["07"; 32].join(":");
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns={name}\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\na=fingerprint:sha-256 {fingerprint}\r\n"
        );
        SessionDescription::from_sdp(kind, &sdp).unwrap()
    }

    pub fn checked(name: &str, offer: bool) -> CheckedDescription {
        description(name, offer)
            .check(&SessionLimits::DATA_ONLY, &[7; 32])
            .unwrap()
    }
}
