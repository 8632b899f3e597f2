//! Reads Opus from Ogg (RFC 3533, RFC 7845): a file of pages, of which each has the lengths of its packets, and the packets.

use std::time::Duration;

use super::{ClipError, Frame};

/// Reads all packets of sound.
pub fn read(file: &[u8]) -> Result<Vec<Frame>, ClipError> {
    let mut packets = packets(file)?.into_iter();
    let head = packets.next().ok_or(ClipError::Malformed)?;
    if !head.starts_with(b"OpusHead") {
        return Err(ClipError::Codec);
    }
    let tags = packets.next().ok_or(ClipError::Malformed)?;
    if !tags.starts_with(b"OpusTags") {
        return Err(ClipError::Malformed);
    }
    packets
        .map(|packet| {
            let lasts = lasts(&packet).ok_or(ClipError::Malformed)?;
            let data = packet.into();
            Ok(Frame { data, lasts })
        })
        .collect()
}

/// Reads the packets of a file with one stream. The checksums of pages are left alone: what is broken sounds broken.
fn packets(file: &[u8]) -> Result<Vec<Vec<u8>>, ClipError> {
    let (mut packets, mut packet, mut rest) = (Vec::new(), Vec::new(), file);
    let mut stream = None;
    let mut is_open = false;
    while !rest.is_empty() {
        let (head, after) = split(rest, 27)?;
        let (lengths, mut after) = split(after, usize::from(head[26]))?;
        let continues = head[5] & 1 != 0;
        let serial = &head[14..18];
        let is_ours = head[..5] == *b"OggS\0" && *stream.get_or_insert(serial) == serial;
        if !is_ours || continues != is_open {
            return Err(ClipError::Malformed);
        }
        for &length in lengths {
            let (part, later) = split(after, usize::from(length))?;
            packet.extend_from_slice(part);
            // A part of 255 bytes is continued by the next one.
            is_open = length == u8::MAX;
            if !is_open {
                packets.push(std::mem::take(&mut packet));
            }
            after = later;
        }
        rest = after;
    }
    if is_open {
        return Err(ClipError::Malformed);
    }
    Ok(packets)
}

fn split(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), ClipError> {
    bytes.split_at_checked(length).ok_or(ClipError::Malformed)
}

/// How long a packet of Opus lasts, by its first bytes (RFC 6716, sections 3.1 and 3.2).
fn lasts(packet: &[u8]) -> Option<Duration> {
    let first = *packet.first()?;
    let micros = match first >> 3 {
        configuration @ 0..12 => [10_000, 20_000, 40_000, 60_000][usize::from(configuration & 3)],
        configuration @ 12..16 => [10_000, 20_000][usize::from(configuration & 1)],
        configuration => [2_500, 5_000, 10_000, 20_000][usize::from(configuration & 3)],
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u64::from(packet.get(1)? & 0x3f),
    };
    let lasts = Duration::from_micros(micros * frames);
    (!lasts.is_zero() && lasts <= Duration::from_millis(120)).then_some(lasts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flags: u8, packets: &[&[u8]], is_whole: bool) -> Vec<u8> {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend([0; 8]);
        page.extend(*b"oneX");
        page.extend([0; 8]);
        let mut lengths = Vec::new();
        for packet in packets {
            lengths.extend(vec![255; packet.len() / 255]);
            lengths.push((packet.len() % 255) as u8);
        }
        if !is_whole {
            lengths.pop();
        }
        page.push(lengths.len() as u8);
        page.extend(lengths);
        page.extend(packets.concat());
        page
    }

    fn file() -> Vec<u8> {
        let long = [&[0x78][..], &[7; 254]].concat();
        [
            page(2, &[b"OpusHead"], true),
            page(0, &[b"OpusTags"], true),
            page(0, &[&[0x78, 1], &long], false),
            page(1, &[&[8, 9]], true),
        ]
        .concat()
    }

    #[test]
    fn packets_may_go_on_in_the_next_page() {
        let frames = read(&file()).unwrap();
        let lengths: Vec<_> = frames.iter().map(|frame| frame.data.len()).collect();
        assert_eq!(lengths, [2, 257]);
    }

    #[test]
    fn packets_say_how_long_they_last() {
        let millis = |packet: &[u8]| lasts(packet).map(|lasts| lasts.as_micros());
        assert_eq!(millis(&[0x78]), Some(20_000));
        assert_eq!(millis(&[0x18]), Some(60_000));
        assert_eq!(millis(&[0x80]), Some(2_500));
        assert_eq!(millis(&[0xf9]), Some(40_000));
        assert_eq!(millis(&[0xfb, 3]), Some(60_000));
        for none in [&[][..], &[0xfb], &[0xfb, 0], &[0xfb, 7], &[0x1b, 3]] {
            assert_eq!(millis(none), None, "{none:?}");
        }
    }

    #[test]
    fn broken_files_are_refused() {
        let whole = file();
        for length in 0..whole.len() {
            let frames = read(&whole[..length]);
            // Where the pages of the head end, the file may end. It is empty then.
            assert!(frames.is_err() || frames == Ok(Vec::new()), "{length}");
        }
        let broken = |pages: &[Vec<u8>]| read(&pages.concat()).err();
        let (head, tags) = (page(2, &[b"OpusHead"], true), page(0, &[b"OpusTags"], true));
        let vorbis = page(2, &[b"\x01vorbis"], true);
        assert_eq!(broken(&[vorbis, tags.clone()]), Some(ClipError::Codec));
        assert_eq!(
            broken(std::slice::from_ref(&head)),
            Some(ClipError::Malformed)
        );
        let silent = page(0, &[b""], true);
        assert_eq!(
            broken(&[head.clone(), tags.clone(), silent]),
            Some(ClipError::Malformed)
        );
        let without_beginning = page(1, &[&[0x78]], true);
        assert_eq!(
            broken(&[head.clone(), tags.clone(), without_beginning]),
            Some(ClipError::Malformed)
        );
        let mut second = page(0, &[&[0x78]], true);
        second[14..18].copy_from_slice(b"twoX");
        assert_eq!(broken(&[head, tags, second]), Some(ClipError::Malformed));
    }
}
