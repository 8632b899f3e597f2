//! The first offer and answer of a connection, in the compact form in which they travel over the broker.
//!
//! A browser describes a connection that carries only data channels in 650 to 1,000 bytes (SDP, RFC 8866, in the form
//! that RFC 8829 and RFC 8841 require). Nearly all of it is the same every time. [`DataDescription`] extracts the
//! fields that differ, ignores everything else, and writes the text again for the receiver's browser. So nothing that
//! one browser adds to its text reaches another browser, and no browser is ever given a text from a peer that has not
//! proven its identity.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | bit 0: answer; bit 1: extensions follow; bits 2 and 3: setup role; bit 4: ICE credentials are hexadecimal (Firefox); bits 5, 6, 7: mid, SCTP port, maximum message size differ from the usual ones and follow |
//! | 1 + n, 1 + n | ICE user name fragment and password (RFC 8839, section 5.4), packed if hexadecimal |
//! | 32 | the certificate's SHA-256 fingerprint (RFC 8122) |
//! | 1 + n, 2, 4 | mid, SCTP port, maximum message size, if they are unusual |
//! | 2 + n | extensions, preceded by their total length, if there are any |
//! | 7 or 19 each | candidates |
//!
//! An extension consists of its type (2 bytes), the length of its value (2 bytes) and the value. This version knows no
//! extensions. It skips unknown ones, unless their type marks them as critical.

use core::fmt;

use super::candidate::{Candidate, MAX_CANDIDATES};
use super::sdp::{DataSection, DescriptionError, SdpType, Setup, USUAL_MID, USUAL_PORT};

/// The size limit of a description in compact form, in bytes.
pub const MAX_COMPACT: usize = 1024;

/// The size limit of a description that this browser writes, in bytes.
const MAX_OWN: usize = 64 * 1024;

/// An offer or an answer for a connection that carries only data channels.
#[derive(Clone, PartialEq)]
pub struct DataDescription {
    kind: SdpType,
    data: Box<DataSection>,
}

impl DataDescription {
    /// Extracts the fields that the other side needs from a description of this browser. Everything unknown is left
    /// out, and so are other media sections, candidates that another browser cannot use, and candidates beyond the best
    /// [`MAX_CANDIDATES`].
    ///
    /// # Errors
    /// [`DescriptionError`] if the description is too large, does not begin with `v=0`, does not have exactly one data
    /// section and exactly one SHA-256 fingerprint, or lacks a field that has no default.
    pub fn from_sdp(kind: SdpType, sdp: &str) -> Result<DataDescription, DescriptionError> {
        if sdp.len() > MAX_OWN {
            return Err(DescriptionError::TooLarge);
        }
        if !(sdp.starts_with("v=0\r\n") || sdp.starts_with("v=0\n")) {
            return Err(DescriptionError::Malformed);
        }
        let data = Box::new(DataSection::extract(sdp)?);
        Ok(DataDescription { kind, data })
    }

    /// Writes the text for `RTCPeerConnection.setRemoteDescription`.
    pub fn to_sdp(&self) -> String {
        self.data.write()
    }

    /// Whether this is an offer or an answer.
    pub fn kind(&self) -> SdpType {
        self.kind
    }

    /// The SHA-256 fingerprint of the certificate that the DTLS handshake will use.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.data.fingerprint
    }

    /// The candidates in the description.
    pub fn candidates(&self) -> &[Candidate] {
        &self.data.candidates
    }

    /// Writes the compact form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let data = &self.data;
        let credentials = from_hex(&data.ufrag).zip(from_hex(&data.pwd));
        let hex = credentials.is_some();
        let (ufrag, pwd) = credentials
            .unwrap_or_else(|| (data.ufrag.as_bytes().to_vec(), data.pwd.as_bytes().to_vec()));
        let flag = |bit: u8, set: bool| if set { bit } else { 0 };
        let mut bytes = vec![
            flag(ANSWER, self.kind == SdpType::Answer)
                | (data.setup as u8) << SETUP_SHIFT
                | flag(HEX, hex)
                | flag(MID, data.mid != USUAL_MID)
                | flag(PORT, data.sctp_port != USUAL_PORT)
                | flag(LARGEST, data.max_message_size != usual_largest(hex)),
        ];
        push_short(&mut bytes, &ufrag);
        push_short(&mut bytes, &pwd);
        bytes.extend_from_slice(&data.fingerprint);
        if data.mid != USUAL_MID {
            push_short(&mut bytes, data.mid.as_bytes());
        }
        if data.sctp_port != USUAL_PORT {
            bytes.extend_from_slice(&data.sctp_port.to_be_bytes());
        }
        if data.max_message_size != usual_largest(hex) {
            bytes.extend_from_slice(&data.max_message_size.to_be_bytes());
        }
        for candidate in &data.candidates {
            candidate.pack(&mut bytes);
        }
        bytes
    }

    /// Reads the compact form that another peer has written.
    ///
    /// # Errors
    /// [`DescriptionError`] for everything that [`to_bytes`](DataDescription::to_bytes) does not write, except for
    /// extensions that are not critical.
    pub fn from_bytes(bytes: &[u8]) -> Result<DataDescription, DescriptionError> {
        if bytes.len() > MAX_COMPACT {
            return Err(DescriptionError::TooLarge);
        }
        let (&head, rest) = bytes.split_first().ok_or(DescriptionError::Malformed)?;
        let (mut data, mut rest) = unpack_fields(head, rest).ok_or(DescriptionError::Malformed)?;
        if head & EXTENSIONS != 0 {
            let (extensions, after) = take_long(rest).ok_or(DescriptionError::Malformed)?;
            check_extensions(extensions)?;
            rest = after;
        }
        while !rest.is_empty() {
            if data.candidates.len() == MAX_CANDIDATES {
                return Err(DescriptionError::Candidates);
            }
            let (candidate, after) = Candidate::unpack(rest).ok_or(DescriptionError::Malformed)?;
            data.candidates.push(candidate);
            rest = after;
        }
        if !data.is_sound() {
            return Err(DescriptionError::Malformed);
        }
        Ok(DataDescription {
            kind: if head & ANSWER == 0 {
                SdpType::Offer
            } else {
                SdpType::Answer
            },
            data: Box::new(data),
        })
    }
}

const ANSWER: u8 = 1;
const EXTENSIONS: u8 = 1 << 1;
const SETUP_SHIFT: u8 = 2;
const HEX: u8 = 1 << 4;
const MID: u8 = 1 << 5;
const PORT: u8 = 1 << 6;
const LARGEST: u8 = 1 << 7;

/// The bit of an extension's type that marks it as critical: a receiver that does not know it must refuse the
/// description.
const CRITICAL: u16 = 0x8000;

/// The maximum message size that a browser announces: Firefox, whose ICE credentials are hexadecimal, or Chromium.
fn usual_largest(hex: bool) -> u32 {
    if hex { 1_073_741_823 } else { 262_144 }
}

/// Reads the fields before the extensions and candidates.
fn unpack_fields(head: u8, bytes: &[u8]) -> Option<(DataSection, &[u8])> {
    let setup = *[Setup::ActPass, Setup::Active, Setup::Passive]
        .get(usize::from(head >> SETUP_SHIFT & 3))?;
    let hex = head & HEX != 0;
    let credential = |bytes: &[u8]| {
        if hex {
            Some(to_hex(bytes))
        } else {
            text(bytes)
        }
    };
    let (ufrag, bytes) = take_short(bytes)?;
    let (pwd, bytes) = take_short(bytes)?;
    let (fingerprint, mut bytes) = bytes.split_first_chunk::<32>()?;
    let mut data = DataSection {
        ufrag: credential(ufrag)?,
        pwd: credential(pwd)?,
        fingerprint: *fingerprint,
        setup,
        mid: USUAL_MID.to_owned(),
        sctp_port: USUAL_PORT,
        max_message_size: usual_largest(hex),
        candidates: Vec::new(),
    };
    if head & MID != 0 {
        let (mid, rest) = take_short(bytes)?;
        data.mid = text(mid)?;
        bytes = rest;
    }
    if head & PORT != 0 {
        let (port, rest) = bytes.split_first_chunk()?;
        data.sctp_port = u16::from_be_bytes(*port);
        bytes = rest;
    }
    if head & LARGEST != 0 {
        let (largest, rest) = bytes.split_first_chunk()?;
        data.max_message_size = u32::from_be_bytes(*largest);
        bytes = rest;
    }
    Some((data, bytes))
}

/// Skips the extensions. There must be at least one, in ascending order of types without repetition, and none may be
/// critical.
fn check_extensions(mut bytes: &[u8]) -> Result<(), DescriptionError> {
    let mut last = None;
    loop {
        let (kind, rest) = take_u16(bytes).ok_or(DescriptionError::Malformed)?;
        let (_, rest) = take_long(rest).ok_or(DescriptionError::Malformed)?;
        let number = kind & !CRITICAL;
        if last.is_some_and(|last| last >= number) {
            return Err(DescriptionError::Malformed);
        }
        if kind & CRITICAL != 0 {
            return Err(DescriptionError::UnknownExtension);
        }
        if rest.is_empty() {
            return Ok(());
        }
        last = Some(number);
        bytes = rest;
    }
}

fn take_u16(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

/// Splits off a length of two bytes, and that many bytes.
fn take_long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = take_u16(bytes)?;
    rest.split_at_checked(usize::from(length))
}

/// Appends a length of one byte, and the bytes. [`DataSection::is_sound`] allows nothing longer than 255.
fn push_short(bytes: &mut Vec<u8>, short: &[u8]) {
    bytes.push(short.len() as u8);
    bytes.extend_from_slice(short);
}

fn take_short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(length))
}

fn text(bytes: &[u8]) -> Option<String> {
    core::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// Reads an even number of lower-case hexadecimal digits.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    use super::candidate::lower_hex;
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(lower_hex(*high)? << 4 | lower_hex(*low)?))
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// Addresses and ICE passwords stay out of logs.
impl fmt::Debug for DataDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let candidates = self.candidates().len();
        write!(
            f,
            "DataDescription({:?}, {candidates} candidates)",
            self.kind
        )
    }
}
