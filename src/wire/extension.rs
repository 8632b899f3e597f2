//! Extensions: fields that a later version adds to a layout with fixed fields.
//!
//! `ext = type (2 bytes) ‖ length (2 bytes) ‖ value`. The top bit of the type means *critical*: a reader that does not
//! know a critical extension refuses the whole. All others that are unknown are skipped. The other 15 bits are the
//! type; types stand in strictly ascending order, so each occurs at most once, and there is one way to write a list.

use chacha20::rand_core::CryptoRng;

use super::bytes::{Reader, push_u16};
use crate::sort::sorted_by;

/// The bit that means *critical*.
pub const CRITICAL: u16 = 0x8000;

/// Types from here to 0x7fff are never given a meaning: pages send them so that no implementation forgets to skip
/// unknown ones (RFC 8701 does the same for TLS).
const FIRST_GREASE: u16 = 0x7f00;
/// The longest value of such an extension, in bytes.
const MAX_GREASE: u32 = 8;
/// One page in this many sends one.
const GREASE_IN: u32 = 8;

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its type, 15 bits.
    pub kind: u16,
    /// Whether a reader that does not know it must refuse the whole.
    pub critical: bool,
    /// Its value.
    pub value: Vec<u8>,
}

/// The reason why a list of extensions was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExtensionError {
    /// Cut short, out of order or given twice.
    #[error("The extensions cannot be read.")]
    Malformed,
    /// A critical one that this version does not know.
    #[error("It needs extension {0}, which this version does not know.")]
    UnknownCritical(u16),
}

/// The extensions behind the fixed fields, as they were received or are to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions(Vec<Extension>);

impl Extensions {
    /// Creates a list of these extensions, sorted by type.
    ///
    /// # Errors
    /// [`ExtensionError::Malformed`] if two have the same type, a type has more than 15 bits, or a value has more than
    /// 65,535 bytes.
    pub fn new(list: Vec<Extension>) -> Result<Extensions, ExtensionError> {
        let list = sorted_by(list, |one, other| one.kind.cmp(&other.kind));
        let twice = list.windows(2).any(|pair| match pair {
            [a, b] => a.kind == b.kind,
            _ => false,
        });
        let fits = |extension: &Extension| {
            extension.kind < CRITICAL && u16::try_from(extension.value.len()).is_ok()
        };
        if twice || !list.iter().all(fits) {
            return Err(ExtensionError::Malformed);
        }
        Ok(Extensions(list))
    }

    /// Reads all that is left of `reader`. `known` are the types that this version knows there.
    ///
    /// # Errors
    /// [`ExtensionError`].
    pub fn read(reader: &mut Reader<'_>, known: &[u16]) -> Result<Extensions, ExtensionError> {
        let mut list: Vec<Extension> = Vec::new();
        while !reader.is_empty() {
            let head = reader.u16().ok_or(ExtensionError::Malformed)?;
            let value = reader.slice_u16().ok_or(ExtensionError::Malformed)?;
            let kind = head & !CRITICAL;
            if list.last().is_some_and(|last| last.kind >= kind) {
                return Err(ExtensionError::Malformed);
            }
            list.push(Extension {
                kind,
                critical: head & CRITICAL != 0,
                value: value.to_vec(),
            });
        }
        // Only a list that can be read is searched for extensions that it needs.
        match list
            .iter()
            .find(|extension| extension.critical && !known.contains(&extension.kind))
        {
            Some(extension) => Err(ExtensionError::UnknownCritical(extension.kind)),
            None => Ok(Extensions(list)),
        }
    }

    /// Appends the list to `to`.
    pub fn write(&self, to: &mut Vec<u8>) {
        for extension in &self.0 {
            let critical = if extension.critical { CRITICAL } else { 0 };
            to.extend_from_slice(&(extension.kind | critical).to_be_bytes());
            // Checked when the list was made.
            let _ = push_u16(to, &extension.value);
        }
    }

    /// The value of the extension of this type.
    pub fn get(&self, kind: u16) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|extension| extension.kind == kind)
            .map(|extension| extension.value.as_slice())
    }

    /// The number of extensions that are not among `known`.
    pub fn unknown(&self, known: &[u16]) -> usize {
        self.0
            .iter()
            .filter(|extension| !known.contains(&extension.kind))
            .count()
    }
}

/// Chooses the extensions that a page adds to its statements for as long as it lives: one page in eight gets an
/// extension without a meaning, so that every other implementation meets one before there is one that counts.
pub fn grease(rng: &mut impl CryptoRng) -> Extensions {
    // Always the same amount of randomness, so that later draws do not depend on the result.
    let mut random = [0; 20];
    rng.fill_bytes(&mut random);
    let mut reader = Reader::new(&random);
    let mut draw = |below: u32| reader.u32().unwrap_or_default() % below;
    let (chosen, kind, length) = (draw(GREASE_IN) == 0, draw(0x100), draw(MAX_GREASE + 1));
    if !chosen {
        return Extensions::default();
    }
    Extensions(vec![Extension {
        kind: FIRST_GREASE | u16::try_from(kind).unwrap_or_default(),
        critical: false,
        value: reader.slice(length as usize).unwrap_or_default().to_vec(),
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::{ChaCha20Rng, rand_core::SeedableRng};
    use proptest::prelude::*;

    fn read(bytes: &[u8], known: &[u16]) -> Result<Extensions, ExtensionError> {
        Extensions::read(&mut Reader::new(bytes), known)
    }

    #[test]
    fn unknown_extensions_are_skipped_unless_they_are_critical() {
        let bytes = [0, 1, 0, 1, 9, 0x80, 2, 0, 0, 0, 3, 0, 0];
        assert_eq!(read(&bytes, &[]), Err(ExtensionError::UnknownCritical(2)));
        let extensions = read(&bytes, &[2]).unwrap();
        assert_eq!(extensions.unknown(&[2]), 2);
        assert_eq!(extensions.get(1), Some(&[9][..]));
        assert_eq!(extensions.get(4), None);
        let mut written = Vec::new();
        extensions.write(&mut written);
        assert_eq!(written, bytes);
    }

    #[test]
    fn types_stand_once_and_in_ascending_order() {
        for bytes in [
            &[0, 1, 0, 0, 0, 1, 0, 0][..],
            &[0, 2, 0, 0, 0, 1, 0, 0],
            // The critical bit does not make it another type.
            &[0, 1, 0, 0, 0x80, 1, 0, 0],
            &[0x80, 2, 0, 0, 0, 1, 0, 0],
            // Cut short.
            &[0],
            &[0, 1, 0],
            &[0, 1, 0, 2, 9],
        ] {
            assert_eq!(
                read(bytes, &[1, 2]),
                Err(ExtensionError::Malformed),
                "{bytes:?}"
            );
        }
        let extension = |kind| Extension {
            kind,
            critical: false,
            value: vec![],
        };
        assert!(Extensions::new(vec![extension(1), extension(1)]).is_err());
        assert!(Extensions::new(vec![extension(CRITICAL)]).is_err());
        let sorted = Extensions::new(vec![extension(2), extension(1)]).unwrap();
        assert_eq!(sorted.0[0].kind, 1);
    }

    #[test]
    fn one_page_in_eight_sends_an_extension_that_means_nothing() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let sent: Vec<Extensions> = (0..800).map(|_| grease(&mut rng)).collect();
        let with: Vec<&Extension> = sent.iter().flat_map(|list| &list.0).collect();
        assert!((70..130).contains(&with.len()), "{}", with.len());
        for extension in with {
            assert!(extension.kind >= FIRST_GREASE && !extension.critical);
            assert!(extension.value.len() <= MAX_GREASE as usize);
        }
    }

    proptest! {
        #[test]
        fn extensions_are_written_as_they_were_read(bytes in proptest::collection::vec(0u8..4, 0..40)) {
            if let Ok(extensions) = read(&bytes, &[1]) {
                let mut written = Vec::new();
                extensions.write(&mut written);
                prop_assert_eq!(written, bytes);
            }
        }
    }
}
