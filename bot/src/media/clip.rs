//! Sound or pictures that are played again and again. They were encoded before, so a bot needs no encoder.

use std::sync::Arc;
use std::time::Duration;

use super::{Frame, Source, Track, ivf, ogg};

/// The sine of 440 Hz, for a second:
///
/// ```sh
/// ffmpeg -f lavfi -i sine=frequency=440:sample_rate=48000:duration=1 -c:a libopus -b:a 24k -vbr off test-tone.ogg
/// ```
const TEST_TONE: &[u8] = include_bytes!("test-tone.ogg");

/// The moving test picture, for two seconds, with one frame that stands for itself, the first:
///
/// ```sh
/// ffmpeg -f lavfi -i testsrc2=size=320x180:rate=10:duration=2 -c:v libvpx -deadline best -cpu-used 0 -b:v 150k \
///   -auto-alt-ref 0 -error-resilient 1 -g 20 test-picture.ivf
/// ```
const TEST_PICTURE: &[u8] = include_bytes!("test-picture.ivf");

/// Files beyond this are refused. A clip is held in memory.
const MAX_FILE: usize = 16 * 1024 * 1024;

/// So often at most, a picture begins again because the other side asks for it.
const MIN_PLAYED: Duration = Duration::from_millis(500);

/// Why a file is no clip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// It is larger than 16 MiB.
    #[error("The clip is larger than 16 MiB.")]
    TooLarge,
    /// It is of another format, or it is damaged.
    #[error("The clip is no file of this format, or it is damaged.")]
    Malformed,
    /// It holds another codec.
    #[error("The clip holds neither Opus nor VP8.")]
    Codec,
    /// It has no frames.
    #[error("The clip is empty.")]
    Empty,
    /// Its first picture needs others before it.
    #[error("The clip does not begin with a keyframe.")]
    Keyframe,
}

/// Sound or pictures that are played again and again.
#[derive(Debug, Clone)]
pub struct Clip(Arc<[Frame]>);

impl Clip {
    /// Reads pictures: VP8 in an IVF file. They begin again with the first one, so that has to be a keyframe.
    ///
    /// # Errors
    /// [`ClipError`] if the file is not one.
    pub fn from_ivf(file: &[u8]) -> Result<Clip, ClipError> {
        Clip::new(file, ivf::read)
    }

    /// Reads sound: Opus in an Ogg file.
    ///
    /// # Errors
    /// [`ClipError`] if the file is not one.
    pub fn from_ogg(file: &[u8]) -> Result<Clip, ClipError> {
        Clip::new(file, ogg::read)
    }

    fn new(
        file: &[u8],
        read: fn(&[u8]) -> Result<Vec<Frame>, ClipError>,
    ) -> Result<Clip, ClipError> {
        if file.len() > MAX_FILE {
            return Err(ClipError::TooLarge);
        }
        let frames = read(file)?;
        if frames.is_empty() {
            return Err(ClipError::Empty);
        }
        Ok(Clip(frames.into()))
    }

    /// A tone of 440 Hz.
    ///
    /// # Errors
    /// None: a test reads the file.
    pub fn test_tone() -> Result<Clip, ClipError> {
        Clip::from_ogg(TEST_TONE)
    }

    /// A moving picture of 320 × 180 pixels.
    ///
    /// # Errors
    /// None: a test reads the file.
    pub fn test_picture() -> Result<Clip, ClipError> {
        Clip::from_ivf(TEST_PICTURE)
    }
}

impl Source for Clip {
    fn play(&self) -> Box<dyn Track> {
        Box::new(Playing {
            frames: self.0.clone(),
            at: 0,
            played: MIN_PLAYED,
        })
    }
}

/// A clip that is played. Every frame but the first may need those before it, so none is left out, whatever number of
/// pictures a second the other side would like to have.
struct Playing {
    frames: Arc<[Frame]>,
    at: usize,
    /// For how long it has been played since it began again.
    played: Duration,
}

impl Track for Playing {
    fn next(&mut self) -> Frame {
        let frame = self.frames[self.at].clone();
        self.at = (self.at + 1) % self.frames.len();
        self.played = self.played.saturating_add(frame.lasts);
        frame
    }

    fn refresh(&mut self) {
        if self.played >= MIN_PLAYED {
            (self.at, self.played) = (0, Duration::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_tone_is_a_second_of_packets() {
        let Clip(frames) = Clip::test_tone().unwrap();
        assert!((50..=51).contains(&frames.len()), "{}", frames.len());
        assert!(frames.iter().all(|it| it.lasts.as_millis() == 20));
    }

    #[test]
    fn the_test_picture_is_two_seconds_of_frames() {
        let Clip(frames) = Clip::test_picture().unwrap();
        assert_eq!(frames.len(), 20);
        assert!(frames.iter().all(|it| it.lasts.as_millis() == 100));
    }

    #[test]
    fn a_clip_begins_again_at_its_end_and_when_it_is_asked_to() {
        let clip = Clip::test_picture().unwrap();
        let Clip(frames) = &clip;
        let mut playing = clip.play();
        for frame in frames.iter().chain(&frames[..7]) {
            assert_eq!(playing.next(), *frame);
        }
        playing.refresh();
        assert_eq!(playing.next(), frames[0]);
        // Whoever asks all the time does not get it all the time.
        playing.refresh();
        assert_eq!(playing.next(), frames[1]);
    }

    #[test]
    fn files_that_are_too_large_are_refused() {
        let file = vec![0; MAX_FILE + 1];
        assert_eq!(Clip::from_ivf(&file).err(), Some(ClipError::TooLarge));
    }
}
