//! Reads IVF, the simple container of VP8: a header of 32 bytes, and before each frame its length and its time.

use std::time::Duration;

use super::{ClipError, Frame};

/// Neither a frame nor a pause between two may be longer than this.
const MAX_LASTS: Duration = Duration::from_secs(10);

/// Reads all frames. Each lasts until the next one, and the last as long as the one before it.
pub fn read(file: &[u8]) -> Result<Vec<Frame>, ClipError> {
    let (header, mut rest) = split(file, 32)?;
    if header[..4] != *b"DKIF" || number(&header[6..8]) != 32 {
        return Err(ClipError::Malformed);
    }
    if header[8..12] != *b"VP80" {
        return Err(ClipError::Codec);
    }
    let (per_second, ticks) = (number(&header[16..20]), number(&header[20..24]));
    let mut frames: Vec<(u64, &[u8])> = Vec::new();
    while !rest.is_empty() {
        let (head, after) = split(rest, 12)?;
        let length = usize::try_from(number(&head[..4])).map_err(|_| ClipError::Malformed)?;
        let (data, after) = split(after, length)?;
        // The lowest bit of a frame tells whether it needs others (RFC 6386, section 9.1).
        let is_key = data.first().ok_or(ClipError::Malformed)? & 1 == 0;
        if frames.is_empty() && !is_key {
            return Err(ClipError::Keyframe);
        }
        frames.push((number(&head[4..]), data));
        rest = after;
    }
    let lasts = |from: u64, to: u64| {
        let micros = to.checked_sub(from)?.checked_mul(ticks)?;
        let micros = micros.checked_mul(1_000_000)?.checked_div(per_second)?;
        let lasts = Duration::from_micros(micros);
        (!lasts.is_zero() && lasts <= MAX_LASTS).then_some(lasts)
    };
    let mut durations = Vec::with_capacity(frames.len());
    for pair in frames.windows(2) {
        durations.push(lasts(pair[0].0, pair[1].0).ok_or(ClipError::Malformed)?);
    }
    if !frames.is_empty() {
        let last = durations.last().copied().or_else(|| lasts(0, 1));
        durations.push(last.ok_or(ClipError::Malformed)?);
    }
    let frames = frames.into_iter().zip(durations);
    let frames = frames.map(|((_, data), lasts)| Frame {
        data: data.into(),
        lasts,
    });
    Ok(frames.collect())
}

fn split(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), ClipError> {
    bytes.split_at_checked(length).ok_or(ClipError::Malformed)
}

/// A little-endian number of at most eight bytes.
fn number(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().rev();
    digits.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file at 10 frames a second with these frames and times.
    fn file(frames: &[(u64, &[u8])]) -> Vec<u8> {
        let mut file = b"DKIF\0\0\x20\0VP80\x40\x01\xb4\0".to_vec();
        for number in [10_u32, 1, frames.len() as u32, 0] {
            file.extend(number.to_le_bytes());
        }
        for (time, data) in frames {
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(time.to_le_bytes());
            file.extend(*data);
        }
        file
    }

    #[test]
    fn frames_last_until_the_next_one() {
        let frames = read(&file(&[(0, &[0]), (2, &[1, 2]), (5, &[3])])).unwrap();
        let read: Vec<_> = frames
            .iter()
            .map(|frame| (&frame.data[..], frame.lasts.as_millis()))
            .collect();
        assert_eq!(read, [(&[0][..], 200), (&[1, 2][..], 300), (&[3][..], 300)]);
        let alone = read_one(&file(&[(0, &[0])]));
        assert_eq!(alone.lasts.as_millis(), 100);
    }

    fn read_one(file: &[u8]) -> Frame {
        let mut frames = read(file).unwrap();
        assert_eq!(frames.len(), 1);
        frames.remove(0)
    }

    #[test]
    fn broken_files_are_refused() {
        let whole = file(&[(0, &[0, 1, 2]), (1, &[1])]);
        // Where a frame ends, the file may end.
        let ends = [32, 47];
        for length in (0..whole.len()).filter(|length| !ends.contains(length)) {
            assert_eq!(
                read(&whole[..length]),
                Err(ClipError::Malformed),
                "{length}"
            );
        }
        let refused = |frames: &[(u64, &[u8])]| read(&file(frames)).err().unwrap();
        assert_eq!(refused(&[(0, &[])]), ClipError::Malformed);
        assert_eq!(refused(&[(0, &[1])]), ClipError::Keyframe);
        assert_eq!(refused(&[(5, &[0]), (5, &[1])]), ClipError::Malformed);
        assert_eq!(refused(&[(5, &[0]), (4, &[1])]), ClipError::Malformed);
        assert_eq!(
            refused(&[(0, &[0]), (u64::MAX, &[1])]),
            ClipError::Malformed
        );
        let mut other = whole.clone();
        other[8..12].copy_from_slice(b"AV01");
        assert_eq!(read(&other), Err(ClipError::Codec));
        let mut timeless = whole;
        timeless[16..20].fill(0);
        assert_eq!(read(&timeless), Err(ClipError::Malformed));
    }
}
