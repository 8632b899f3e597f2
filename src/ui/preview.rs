//! The preview of a picture as an address that an element can show. It is made here from a few points, so that no
//! decoder reads what a stranger sent.

use base64ct::{Base64, Encoding};

use crate::wire::attachment::{Picture, Preview};

/// A picture is shown with at most this many pixels on its longer side.
pub const MAX_SIDE: u32 = 320;
/// What is very long is shown with at least this many on its shorter side.
const MIN_SIDE: u32 = 48;

/// Returns the size at which a picture is shown: its shape, and never larger than it is.
pub fn shown_size(picture: &Picture) -> (u32, u32) {
    let (width, height) = (picture.width.max(1), picture.height.max(1));
    let longer = width.max(height);
    let scaled = |side: u32| {
        let scaled = u64::from(side) * u64::from(MAX_SIDE.min(longer)) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(MAX_SIDE).max(MIN_SIDE)
    };
    (scaled(width), scaled(height))
}

/// What stands in the place of a picture without a preview: one grey point.
const GREY: &[u8] = &[150; 3];

/// Returns the preview as an uncompressed picture in a `data:` address.
pub fn address(preview: Option<&Preview>) -> String {
    let columns = preview.map_or(1, |preview| usize::from(preview.columns()));
    let colours = preview.map_or(GREY, Preview::colours);
    let rows: Vec<&[u8]> = colours.chunks(3 * columns.max(1)).collect();
    let padding = (4 - 3 * columns % 4) % 4;
    let length = 54 + rows.len() * (3 * columns + padding);
    let mut file = b"BM".to_vec();
    let number = |file: &mut Vec<u8>, number: usize| {
        // A preview has at most a kilobyte.
        let number = u32::try_from(number).unwrap_or_default();
        file.extend_from_slice(&number.to_le_bytes());
    };
    for field in [length, 0, 54, 40, columns, rows.len()] {
        number(&mut file, field);
    }
    // One plane, and 24 bits for each point.
    file.extend_from_slice(&[1, 0, 24, 0]);
    for field in [0, length - 54, 2_835, 2_835, 0, 0] {
        number(&mut file, field);
    }
    // The lowest row comes first, and blue before green and red.
    for row in rows.iter().rev() {
        for point in row.chunks(3) {
            file.extend(point.iter().rev());
        }
        file.extend(core::iter::repeat_n(0, padding));
    }
    format!("data:image/bmp;base64,{}", Base64::encode_string(&file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_keep_their_shape() {
        let size = |width, height| {
            shown_size(&Picture {
                width,
                height,
                preview: None,
            })
        };
        assert_eq!(size(640, 480), (320, 240));
        assert_eq!(size(100, 80), (100, 80));
        assert_eq!(size(480, 640), (240, 320));
        assert_eq!(size(u32::MAX, 1), (320, 48));
        assert_eq!(size(1, 1), (48, 48));
    }

    #[test]
    fn a_preview_is_a_picture_of_its_points() {
        let preview = Preview::new(1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let address = address(Some(&preview));
        let encoded = address.strip_prefix("data:image/bmp;base64,").unwrap();
        let file = Base64::decode_vec(encoded).unwrap();
        assert_eq!(file.len(), 54 + 2 * 4);
        assert_eq!(file[2..6], 62u32.to_le_bytes());
        assert_eq!(file[18..26], [1, 0, 0, 0, 2, 0, 0, 0]);
        assert_eq!(file[54..], [6, 5, 4, 0, 3, 2, 1, 0]);
    }
}
