//! The description of a file that stands beside what somebody says. Its bytes are asked for by its hash, of whoever has
//! them.
//!
//! ```text
//! attachment = hash (32) ‖ size (8) ‖ length of the name (2) ‖ name ‖ length of the type (1) ‖ type ‖ picture
//! picture    = 00, or 01 ‖ width (4) ‖ height (4) ‖ columns (1) ‖ rows (1) ‖ (red ‖ green ‖ blue)*
//! ```
//!
//! What a later version appends is skipped.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::bytes::{Reader, push_u16};
use crate::identity::name::is_hidden;

/// A file has at most this many bytes: integers up to this one are exact in JSON.
pub const MAX_SIZE: u64 = 1 << 53;
/// A file's name has at most this many characters.
pub const MAX_NAME: usize = 255;
/// A file's type has at most this many bytes.
pub const MAX_TYPE: usize = 100;
/// A preview has at most this many bytes: each of its points has three.
pub const MAX_PREVIEW: usize = 1_024;

/// The hash of a file's bytes: the SHA-256 of the SHA-256 of its slices, as on the file channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileHash(pub [u8; 32]);

impl FileHash {
    /// The hash as text: base64url without padding.
    pub fn to_text(&self) -> String {
        Base64UrlUnpadded::encode_string(&self.0)
    }

    /// Reads what [`FileHash::to_text`] returned.
    pub fn parse(text: &str) -> Option<FileHash> {
        let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
        bytes.try_into().ok().map(FileHash)
    }
}

/// Identifies a file. The size is a part of it, because somebody could state a wrong one with the right hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileKey {
    /// The hash of its bytes.
    pub hash: FileHash,
    /// The number of its bytes.
    pub size: u64,
}

/// The shape of a picture, so that it keeps its place while it is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its width in pixels, at least 1.
    pub width: u32,
    /// Its height in pixels, at least 1.
    pub height: u32,
    /// What it looks like from far away, if its sender says so.
    pub preview: Option<Preview>,
}

/// A picture of a few points. It is no picture file, so that nobody has to decode what a stranger sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    columns: u8,
    /// Red, green and blue of each point, row by row from the top.
    colours: Vec<u8>,
}

impl Preview {
    /// A preview of so many columns. `None` if the colours fill no rows, or are too many.
    pub fn new(columns: u8, colours: Vec<u8>) -> Option<Preview> {
        let row = 3 * usize::from(columns);
        let fits = row > 0 && !colours.is_empty() && colours.len().is_multiple_of(row);
        (fits && colours.len() <= MAX_PREVIEW).then_some(Preview { columns, colours })
    }

    /// The number of its columns, at least 1.
    pub fn columns(&self) -> u8 {
        self.columns
    }

    /// Red, green and blue of each point, row by row from the top.
    pub fn colours(&self) -> &[u8] {
        &self.colours
    }
}

/// The description of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The hash of its bytes.
    pub hash: FileHash,
    /// The number of its bytes.
    pub size: u64,
    /// Its name: plain text on one line, without a path.
    pub name: String,
    /// Its media type, or an empty text. The sender chose it.
    pub mime: String,
    /// Its shape, if its sender says that it is a picture.
    pub picture: Option<Picture>,
}

impl Attachment {
    /// What identifies the file.
    pub fn key(&self) -> FileKey {
        FileKey {
            hash: self.hash,
            size: self.size,
        }
    }

    /// Returns the reason why there can be no such file, if there is one.
    pub fn wrong(&self) -> Option<&'static str> {
        wrong_file(self.size, &self.name, &self.mime)
    }

    /// Appends it.
    pub fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.hash.0);
        to.extend_from_slice(&self.size.to_be_bytes());
        // A name has at most 255 characters of 4 bytes, and a type at most 100.
        let _ = push_u16(to, self.name.as_bytes());
        to.push(u8::try_from(self.mime.len()).unwrap_or(u8::MAX));
        to.extend_from_slice(self.mime.as_bytes());
        let Some(picture) = &self.picture else {
            return to.push(0);
        };
        to.push(1);
        to.extend_from_slice(&picture.width.to_be_bytes());
        to.extend_from_slice(&picture.height.to_be_bytes());
        let (columns, colours) = match &picture.preview {
            Some(preview) => (preview.columns, preview.colours()),
            None => (0, &[][..]),
        };
        let rows = colours.len() / (3 * usize::from(columns.max(1)));
        to.extend_from_slice(&[columns, u8::try_from(rows).unwrap_or(u8::MAX)]);
        to.extend_from_slice(colours);
    }

    /// Reads all that is left of `reader`; `None` if it is no such description.
    pub fn read(reader: &mut Reader<'_>) -> Option<Attachment> {
        let hash = FileHash(reader.array()?);
        let size = reader.u64()?;
        let name = str::from_utf8(reader.slice_u16()?).ok()?.to_owned();
        let length = reader.u8()?;
        let mime = str::from_utf8(reader.slice(length.into())?)
            .ok()?
            .to_owned();
        let picture = match reader.u8()? {
            0 => None,
            1 => Some(read_picture(reader)?),
            _ => return None,
        };
        let attachment = Attachment {
            hash,
            size,
            name,
            mime,
            picture,
        };
        attachment.wrong().is_none().then_some(attachment)
    }
}

fn read_picture(reader: &mut Reader<'_>) -> Option<Picture> {
    let (width, height) = (reader.u32()?, reader.u32()?);
    let (columns, rows) = (reader.u8()?, reader.u8()?);
    let colours = reader.slice(3 * usize::from(columns) * usize::from(rows))?;
    let preview = match (columns, rows) {
        (0, 0) => None,
        _ => Some(Preview::new(columns, colours.to_vec())?),
    };
    (width > 0 && height > 0).then_some(Picture {
        width,
        height,
        preview,
    })
}

/// Returns the reason why there can be no such file, if there is one.
pub fn wrong_file(size: u64, name: &str, mime: &str) -> Option<&'static str> {
    if size > MAX_SIZE {
        Some("The file is too large.")
    } else if !is_plain(name) {
        Some("The name of a file is 1 to 255 characters on one line, and no path.")
    } else if !is_type(mime) {
        Some("The type of a file is a short ASCII word.")
    } else {
        None
    }
}

/// Turns what a browser calls a file into a name that it can have here. What may not stand in one is left out.
pub fn file_name(name: &str) -> String {
    let kept: String = name.chars().filter(|c| !is_wrong(*c)).collect();
    let kept = kept.trim();
    // The end of a long name says what kind of file it is.
    let surplus = kept.chars().count().saturating_sub(MAX_NAME);
    let kept: String = kept.chars().skip(surplus).collect();
    if is_plain(&kept) {
        kept
    } else {
        "file".to_owned()
    }
}

/// The type that a browser states, if it can stand in a description. Nothing depends on it.
pub fn media_type(stated: String) -> String {
    if is_type(&stated) {
        stated
    } else {
        String::new()
    }
}

/// Whether a name can be shown anywhere, and used as a file name anywhere.
fn is_plain(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.chars().count())
        && !name.contains(is_wrong)
        && !name.chars().all(|c| c == '.' || c.is_whitespace())
}

fn is_wrong(c: char) -> bool {
    c.is_control() || is_hidden(c) || matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}')
}

fn is_type(mime: &str) -> bool {
    mime.len() <= MAX_TYPE && mime.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attachment(name: &str, picture: Option<Picture>) -> Attachment {
        Attachment {
            hash: FileHash([7; 32]),
            size: 5,
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            picture,
        }
    }

    fn picture(columns: u8, rows: u8) -> Picture {
        let colours = vec![9; 3 * usize::from(columns) * usize::from(rows)];
        Picture {
            width: 640,
            height: 480,
            preview: Preview::new(columns, colours),
        }
    }

    fn written(attachment: &Attachment) -> Vec<u8> {
        let mut bytes = Vec::new();
        attachment.write(&mut bytes);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Attachment> {
        Attachment::read(&mut Reader::new(bytes))
    }

    #[test]
    fn descriptions_are_read_as_they_were_written() {
        for picture in [None, Some(picture(0, 0)), Some(picture(20, 15))] {
            let attachment = attachment("Grüße.png", picture);
            let mut bytes = written(&attachment);
            assert_eq!(read(&bytes), Some(attachment.clone()));
            bytes.extend_from_slice(b"of a later version");
            assert_eq!(read(&bytes), Some(attachment));
        }
    }

    #[test]
    fn what_can_be_no_file_is_not_read() {
        for name in [
            "",
            "a/b",
            "..",
            "a\nb",
            "a\u{202e}gpj.exe",
            &"x".repeat(256),
        ] {
            assert_eq!(read(&written(&attachment(name, None))), None, "{name:?}");
        }
        let mut large = attachment("a", None);
        large.size = MAX_SIZE + 1;
        assert_eq!(read(&written(&large)), None);
        let mut flat = attachment("a", Some(picture(1, 1)));
        flat.picture = Some(Picture {
            width: 0,
            ..picture(1, 1)
        });
        assert_eq!(read(&written(&flat)), None);
        assert_eq!(picture(20, 20).preview, None, "more than a kilobyte");
    }

    #[test]
    fn names_become_plain() {
        for (name, plain) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "....etcpasswd"),
            ("C:\\run.exe", "C:run.exe"),
            ("a\u{202e}gpj.exe", "agpj.exe"),
            (" spaced out ", "spaced out"),
            ("..", "file"),
            ("", "file"),
        ] {
            assert_eq!(file_name(name), plain, "{name:?}");
        }
        let long = format!("{}.jpg", "x".repeat(300));
        assert!(file_name(&long).ends_with(".jpg"));
        assert_eq!(file_name(&long).chars().count(), MAX_NAME);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_fail(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(attachment) = read(&bytes) {
                prop_assert!(bytes.starts_with(&written(&attachment)));
            }
        }

        #[test]
        fn every_name_becomes_one_that_a_file_can_have(name in any::<String>()) {
            prop_assert_eq!(wrong_file(0, &file_name(&name), ""), None);
        }
    }
}
