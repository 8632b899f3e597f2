//! Splits the bytes from the broker into packets, and skips messages that cannot be delivered.

use bytes::{Buf, BytesMut};
use mqttbytes::Error;
use mqttbytes::v4::Packet;

use super::SkipReason;
use super::error::ConnectionError;

/// The type of a PUBLISH packet, as in the upper half of its first byte (MQTT 3.1.1 section 2.2.1).
const PUBLISH: u8 = 3;

/// Reads packets from a stream of bytes that arrives in chunks of any size.
///
/// Anybody who may publish to a topic determines the contents and the size of a PUBLISH packet. So a PUBLISH packet that is
/// too large or malformed is skipped, and reading continues after it. Only the broker determines all other packets and the
/// fixed header, so a mistake there is an error.
#[derive(Debug)]
pub(super) struct PacketReader {
    buffer: BytesMut,
    /// How many bytes of a packet above the size limit have not arrived yet. They are not buffered.
    to_skip: usize,
    max_packet_size: usize,
}

/// The result of reading one packet.
#[derive(Debug)]
pub(super) enum Read {
    Packet(Packet),
    /// A PUBLISH packet is skipped. The rest of it may not have arrived yet.
    Skipped(SkipReason),
}

impl PacketReader {
    /// A reader with a size limit of `max_packet_size` bytes, without the fixed header.
    pub(super) fn new(max_packet_size: usize) -> PacketReader {
        PacketReader {
            buffer: BytesMut::new(),
            to_skip: 0,
            max_packet_size,
        }
    }

    /// Takes in bytes as they arrive.
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        let skipped = self.to_skip.min(bytes.len());
        self.to_skip -= skipped;
        self.buffer
            .extend_from_slice(bytes.get(skipped..).unwrap_or_default());
    }

    /// The next packet, or `None` until more bytes arrive.
    ///
    /// # Errors
    /// The broker sent invalid bytes that nobody else can have caused.
    pub(super) fn next(&mut self) -> Result<Option<Read>, ConnectionError> {
        let Some(first) = self.buffer.first().copied() else {
            return Ok(None);
        };
        if !may_come_from_broker(first) {
            return Err(ConnectionError::Unexpected);
        }
        let is_publish = first >> 4 == PUBLISH;
        match mqttbytes::check(self.buffer.iter(), self.max_packet_size) {
            Ok(_) => {}
            Err(Error::InsufficientBytes(_)) => return Ok(None),
            Err(Error::PayloadSizeLimitExceeded(size)) if is_publish => {
                self.skip(size);
                return Ok(Some(Read::Skipped(SkipReason::TooLarge)));
            }
            Err(Error::PayloadSizeLimitExceeded(size)) => {
                return Err(ConnectionError::TooLarge {
                    size,
                    limit: self.max_packet_size,
                });
            }
            Err(error) => return Err(ConnectionError::Malformed(error)),
        }
        // The packet is complete. Exactly its bytes are taken from the buffer, even if its contents are malformed.
        match mqttbytes::v4::read(&mut self.buffer, self.max_packet_size) {
            Ok(packet) => Ok(Some(Read::Packet(packet))),
            Err(_) if is_publish => Ok(Some(Read::Skipped(SkipReason::Malformed))),
            Err(error) => Err(ConnectionError::Malformed(error)),
        }
    }

    /// Skips the first packet in the buffer, which has `size` bytes after its fixed header.
    fn skip(&mut self, size: usize) {
        // The first byte, then the remaining length, whose last byte has no continuation bit (MQTT 3.1.1 section 2.2.3).
        let continued = self
            .buffer
            .iter()
            .skip(1)
            .take_while(|byte| **byte & 0x80 != 0);
        let length = 1 + continued.count() + 1 + size;
        let buffered = length.min(self.buffer.len());
        self.buffer.advance(buffered);
        self.to_skip = length - buffered;
    }
}

/// Whether a packet that begins with the byte `first` may come from a broker: its type, and the flags that belong to it
/// (MQTT 3.1.1 sections 2.2.1 and 2.2.2).
fn may_come_from_broker(first: u8) -> bool {
    match first {
        // CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, PINGRESP
        0x20 | 0x40 | 0x50 | 0x62 | 0x70 | 0x90 | 0xB0 | 0xD0 => true,
        // PUBLISH, with any QoS but 3, which does not exist
        0x30..=0x3F => first & 0b0110 != 0b0110,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_packets_are_not_buffered() {
        let mut reader = PacketReader::new(1_000);
        reader.receive(&[0x30, 0x80, 0x80, 0x80, 0x01]);
        assert!(matches!(
            reader.next(),
            Ok(Some(Read::Skipped(SkipReason::TooLarge)))
        ));
        let chunk = [0; 10_000];
        while reader.to_skip > 0 {
            reader.receive(&chunk[..reader.to_skip.min(chunk.len())]);
            assert!(matches!(reader.next(), Ok(None)));
            assert!(reader.buffer.is_empty() && reader.buffer.capacity() < 1_000);
        }
        reader.receive(&[0xD0, 0]);
        assert!(matches!(
            reader.next(),
            Ok(Some(Read::Packet(Packet::PingResp)))
        ));
    }

    #[test]
    fn a_remaining_length_in_more_bytes_than_it_needs_is_skipped_as_well() {
        let mut reader = PacketReader::new(1);
        reader.receive(&[0x30, 0x82, 0x80, 0x00, 7, 7, 0xD0, 0]);
        assert!(matches!(
            reader.next(),
            Ok(Some(Read::Skipped(SkipReason::TooLarge)))
        ));
        assert!(matches!(
            reader.next(),
            Ok(Some(Read::Packet(Packet::PingResp)))
        ));
    }
}
