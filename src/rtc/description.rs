//! Session descriptions: whole as browsers write them, compact as they travel.
//!
//! A browser describes a connection that carries nothing but data channels in 650 to 1000 bytes (SDP, RFC 8866, in
//! the shape that RFC 8829 and RFC 8841 ask for). Nearly all of it is the same every time. [`Description`]
//! keeps what is not, and writes the rest again. The encoding, apart from the length that `postcard` puts before it:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | bit 0: answer; bit 1: whole; bits 2 and 3: setup role; bit 4: ICE credentials are hexadecimal (Firefox); bits 5, 6, 7: mid, SCTP port, largest message are not the usual ones and follow |
//! | 1 + n, 1 + n | ICE user name fragment and password (RFC 8839, section 5.4), packed if hexadecimal |
//! | 32 | the certificate's SHA-256 fingerprint (RFC 8122) |
//! | 1 + n, 2, 4 | mid, SCTP port, largest message, where they are unusual |
//! | 7 or 19 each | candidates |
//!
//! A description that says anything else (audio, video, attributes this module does not know) is *whole*: the text
//! follows the first byte, unchanged. In JSON, for renegotiation on the data channel, both forms are
//! `{"kind": "offer", "sdp": "v=0…"}`.

use core::fmt;

use serde::de::Error as _;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::candidate::{Candidate, MAX_CANDIDATES};
use super::sdp::{self, Data, Setup};

/// The largest description that travels whole over the broker, in bytes.
pub const MAX_WHOLE_ON_BROKER: usize = 3 * 1024;

/// The largest description at all, in bytes: over the data channel, with many media sections.
pub const MAX_WHOLE: usize = 64 * 1024;

/// Why a session description was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DescriptionError {
    /// Larger than [`MAX_WHOLE`], or on the broker than [`MAX_WHOLE_ON_BROKER`].
    #[error("The session description is too large.")]
    TooLarge,
    /// Not the text of a session description, or not the compact form of one.
    #[error("The session description cannot be read.")]
    Malformed,
}

/// Which half of an exchange a description is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdpType {
    /// The first half.
    Offer,
    /// The second half.
    Answer,
}

/// An offer or an answer.
#[derive(Clone, PartialEq)]
pub struct Description {
    kind: SdpType,
    form: Form,
}

#[derive(Clone, PartialEq)]
enum Form {
    Data(Box<Data>),
    Whole(String),
}

impl Description {
    /// Takes what a browser wrote: compact if everything in it that means something can be written again, whole
    /// otherwise. Candidates of no use to another browser (TCP) and those after the sixteenth are left out
    /// of the compact form.
    ///
    /// # Errors
    /// [`DescriptionError`] for what is too large, does not begin with `v=0` or is not printable ASCII.
    pub fn from_sdp(kind: SdpType, sdp: &str) -> Result<Description, DescriptionError> {
        if sdp.len() > MAX_WHOLE {
            return Err(DescriptionError::TooLarge);
        }
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n');
        if !(sdp.starts_with("v=0\r\n") || sdp.starts_with("v=0\n"))
            || !sdp.as_bytes().iter().all(printable)
        {
            return Err(DescriptionError::Malformed);
        }
        // What is compact must read the same after it was written again; the reader is strict, this is the proof.
        let data = Data::read(sdp).filter(|data| Data::read(&data.write()).as_ref() == Some(data));
        let form = data.map_or_else(
            || Form::Whole(sdp.to_owned()),
            |data| Form::Data(Box::new(data)),
        );
        Ok(Description { kind, form })
    }

    /// The text for `RTCPeerConnection.setRemoteDescription`.
    pub fn to_sdp(&self) -> String {
        match &self.form {
            Form::Data(data) => data.write(),
            Form::Whole(sdp) => sdp.clone(),
        }
    }

    /// Whether it is an offer or an answer.
    pub fn kind(&self) -> SdpType {
        self.kind
    }

    /// The SHA-256 fingerprint of the certificate that DTLS will use. `None` if there is none, if there are several
    /// different ones, or one of another kind: then it is not certain which one the browser will hold
    /// the other side to.
    pub fn fingerprint(&self) -> Option<[u8; 32]> {
        match &self.form {
            Form::Data(data) => Some(data.fingerprint),
            Form::Whole(sdp) => sdp::only_fingerprint(sdp),
        }
    }

    /// The candidates in it that are of use.
    pub fn candidates(&self) -> Vec<Candidate> {
        match &self.form {
            Form::Data(data) => data.candidates.clone(),
            Form::Whole(sdp) => sdp::lines(sdp).filter_map(Candidate::parse).collect(),
        }
    }

    /// Whether it is small enough for the broker. Compact ones always are.
    pub fn fits_broker(&self) -> bool {
        match &self.form {
            Form::Data(_) => true,
            Form::Whole(sdp) => sdp.len() <= MAX_WHOLE_ON_BROKER,
        }
    }

    /// Whether it travels in the compact form.
    pub fn is_compact(&self) -> bool {
        matches!(self.form, Form::Data(_))
    }

    fn pack(&self) -> Vec<u8> {
        let answer = u8::from(self.kind == SdpType::Answer);
        match &self.form {
            Form::Whole(sdp) => [&[answer | WHOLE], sdp.as_bytes()].concat(),
            Form::Data(data) => pack_data(answer, data),
        }
    }

    fn unpack(bytes: &[u8]) -> Result<Description, DescriptionError> {
        let (&head, rest) = bytes.split_first().ok_or(DescriptionError::Malformed)?;
        let kind = if head & ANSWER == 0 {
            SdpType::Offer
        } else {
            SdpType::Answer
        };
        if head & WHOLE != 0 {
            if rest.len() > MAX_WHOLE_ON_BROKER {
                return Err(DescriptionError::TooLarge);
            }
            let sdp = core::str::from_utf8(rest).map_err(|_| DescriptionError::Malformed)?;
            return Description::from_sdp(kind, sdp);
        }
        let data = unpack_data(head, rest)
            .filter(Data::is_sound)
            .ok_or(DescriptionError::Malformed)?;
        Ok(Description {
            kind,
            form: Form::Data(Box::new(data)),
        })
    }
}

const ANSWER: u8 = 1;
const WHOLE: u8 = 1 << 1;
const SETUP_SHIFT: u8 = 2;
const HEX: u8 = 1 << 4;
const MID: u8 = 1 << 5;
const PORT: u8 = 1 << 6;
const LARGEST: u8 = 1 << 7;

const USUAL_MID: &str = "0";
const USUAL_PORT: u16 = 5000;

/// The largest message that the browsers announce: Firefox, whose ICE credentials are hexadecimal, or Chromium.
fn usual_largest(hex: bool) -> u32 {
    if hex { 1_073_741_823 } else { 262_144 }
}

fn pack_data(answer: u8, data: &Data) -> Vec<u8> {
    let credentials = from_hex(&data.ufrag).zip(from_hex(&data.pwd));
    let hex = credentials.is_some();
    let (ufrag, pwd) = credentials
        .unwrap_or_else(|| (data.ufrag.as_bytes().to_vec(), data.pwd.as_bytes().to_vec()));
    let flag = |bit: u8, set: bool| if set { bit } else { 0 };
    let mut bytes = vec![
        answer
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

fn unpack_data(head: u8, bytes: &[u8]) -> Option<Data> {
    let setup = *[Setup::ActPass, Setup::Active, Setup::Passive]
        .get(usize::from(head >> SETUP_SHIFT & 3))?;
    let hex = head & HEX != 0;
    let text = |bytes: &[u8]| {
        if hex {
            Some(to_hex(bytes))
        } else {
            text(bytes)
        }
    };
    let (ufrag, bytes) = take_short(bytes)?;
    let (pwd, bytes) = take_short(bytes)?;
    let (fingerprint, mut bytes) = bytes.split_first_chunk::<32>()?;
    let mut data = Data {
        ufrag: text(ufrag)?,
        pwd: text(pwd)?,
        fingerprint: *fingerprint,
        setup,
        mid: USUAL_MID.to_owned(),
        sctp_port: USUAL_PORT,
        max_message_size: usual_largest(hex),
        candidates: Vec::new(),
    };
    if head & MID != 0 {
        let (mid, rest) = take_short(bytes)?;
        data.mid = self::text(mid)?;
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
    while !bytes.is_empty() {
        let (candidate, rest) = Candidate::unpack(bytes)?;
        data.candidates.push(candidate);
        if data.candidates.len() > MAX_CANDIDATES {
            return None;
        }
        bytes = rest;
    }
    Some(data)
}

/// A length of one byte, and the bytes. [`Data::read`] takes nothing longer than 255.
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

/// The bytes of an even number of lower-case hexadecimal digits.
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
impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.is_compact() {
            "compact"
        } else {
            "whole"
        };
        write!(
            f,
            "Description({:?}, {form}, {} candidates)",
            self.kind,
            self.candidates().len()
        )
    }
}

impl Serialize for Description {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.pack());
        }
        let mut object = serializer.serialize_struct("Description", 2)?;
        object.serialize_field(
            "kind",
            if self.kind == SdpType::Offer {
                "offer"
            } else {
                "answer"
            },
        )?;
        object.serialize_field("sdp", &self.to_sdp())?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Description, D::Error> {
        #[derive(Deserialize)]
        struct Json {
            kind: String,
            sdp: String,
        }
        let description = if deserializer.is_human_readable() {
            let json = Json::deserialize(deserializer)?;
            match json.kind.as_str() {
                "offer" => Description::from_sdp(SdpType::Offer, &json.sdp),
                "answer" => Description::from_sdp(SdpType::Answer, &json.sdp),
                _ => Err(DescriptionError::Malformed),
            }
        } else {
            Description::unpack(<&[u8]>::deserialize(deserializer)?)
        };
        description.map_err(D::Error::custom)
    }
}
