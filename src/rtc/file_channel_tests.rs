//! Tests of the progress and the checks of file transfers, without a browser.

use super::*;

fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[test]
fn headers_are_encoded_and_message_lengths_checked() {
    let header = Header {
        number: 7,
        place: 1 << 40,
    };
    let bytes = header.to_bytes();
    assert_eq!(bytes, [0, 0, 0, 7, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(Header::from_bytes(bytes), header);
    for (length, fits) in [
        (12, false),
        (13, true),
        (MAX_FILE_MESSAGE, true),
        (MAX_FILE_MESSAGE + 1, false),
    ] {
        assert_eq!(Header::fits(length), fits);
    }
}

#[test]
fn a_file_that_is_sent_again_in_part_is_hashed_once() {
    let mut sending = Sending::new(SLICE + 100);
    assert_eq!(sending.slice(), (0, SLICE));
    assert!(sending.is_new());
    sending.hashed(hash(b"first"));
    assert!(!sending.is_new());
    sending.sent(60);
    assert!(sending.go_on(30));
    assert_eq!(sending.next(10), (30, 40));
    assert_eq!(sending.whole(), None);
    // The receiver cannot have more than was sent.
    assert!(!sending.go_on(61));
    assert_eq!(sending.next(10), (30, 40));
    // No message spans two slices.
    assert_eq!(sending.next(2 * SLICE), (30, SLICE));
    sending.sent(SLICE - 30);
    assert!(sending.is_new());
    assert_eq!(sending.slice(), (SLICE, 100));
    sending.hashed(hash(b"second"));
    sending.sent(90);
    assert!(sending.go_on(SLICE - 1));
    assert!(!sending.is_new());
    assert_eq!(sending.whole(), None);
    sending.sent(1);
    assert!(!sending.is_new());
    sending.sent(100);
    assert_eq!(sending.next(10), (SLICE + 100, SLICE + 100));
    let both = [hash(b"first"), hash(b"second")].concat();
    assert_eq!(sending.whole(), Some(hash(&both)));
}

#[test]
fn the_bytes_in_flight_are_limited() {
    let mut sending = Sending::new(200 * FILE_WINDOW);
    sending.sent(FIRST_WINDOW);
    let at = FIRST_WINDOW;
    assert_eq!(sending.next(10), (at, at));
    sending.stored(2 * WINDOW_GROWTH);
    assert_eq!(sending.next(99), (at, at + 2 * WINDOW_GROWTH + 2));
    let at = 100 * FILE_WINDOW;
    sending.sent(at - FIRST_WINDOW);
    sending.stored(at - FILE_WINDOW);
    assert_eq!(sending.next(10), (at, at));
    sending.stored(at - FILE_WINDOW + 5);
    assert_eq!(sending.next(10), (at, at + 5));
    // The capacity of the next connection is unknown.
    assert!(sending.go_on(at));
    sending.sent(FIRST_WINDOW);
    let at = at + FIRST_WINDOW;
    assert_eq!(sending.next(10), (at, at));

    let mut receiving = Receiving::new(3 * FILE_WINDOW);
    let now = Millis(1_000);
    for slice in 0..FILE_WINDOW / SLICE {
        assert_eq!(receiving.take(slice * SLICE, SLICE), Ok(()));
    }
    let rest = FILE_WINDOW % SLICE;
    assert_eq!(receiving.take(FILE_WINDOW - rest, rest), Ok(()));
    assert_eq!(receiving.take(FILE_WINDOW, 1), Err(TransferError::TooFast));
    // Some bytes are acknowledged before they are stored, but no more than that.
    assert_eq!(receiving.news(now), Some(UNSTORED));
    assert_eq!(receiving.news(now + FILE_PAUSE), None);
    assert_eq!(receiving.take(FILE_WINDOW, 1), Ok(()));
    receiving.stored(hash(b"first"));
    assert_eq!(receiving.news(now), Some(UNSTORED + SLICE));
}

#[test]
fn sender_and_receiver_never_wait_for_each_other() {
    const SIZE: u64 = 100 * 1024 * 1024 + 1;
    let mut sending = Sending::new(SIZE);
    let mut receiving = Receiving::new(SIZE);
    let mut told = 0;
    let mut half = Some(SIZE / 2);
    // No time passes.
    let now = Millis(1_000);
    while receiving.whole().is_none() {
        let (from, to) = sending.next(MAX_FILE_MESSAGE as u64);
        if from == to {
            let news = receiving.news(now).expect("one of them goes on");
            sending.stored(news);
            told += 1;
        } else {
            sending.sent(to - from);
            assert_eq!(receiving.take(from, to - from), Ok(()));
            let (at, length) = receiving.slice(from);
            if at + (to - from) == length {
                receiving.stored(hash(b"slice"));
            }
        }
        // Resume once on a new connection.
        if half.take_if(|half| *half < to).is_some() {
            assert!(sending.go_on(receiving.go_on()));
        }
    }
    assert!((30..150).contains(&told), "{told}");
}

#[test]
fn only_announced_bytes_are_accepted_in_order() {
    let mut receiving = Receiving::new(5);
    assert_eq!(receiving.take(1, 1), Err(TransferError::OutOfOrder));
    assert_eq!(receiving.take(u64::MAX, 1), Err(TransferError::OutOfOrder));
    assert_eq!(receiving.take(0, 6), Err(TransferError::TooMuch));
    assert_eq!(receiving.take(0, u64::MAX), Err(TransferError::TooMuch));
    assert_eq!(receiving.take(0, 3), Ok(()));
    assert_eq!(receiving.take(0, 3), Err(TransferError::OutOfOrder));
    assert_eq!(receiving.go_on(), 3);
    assert_eq!(receiving.take(3, 2), Ok(()));
    assert_eq!(receiving.slice(3), (3, 5));
    assert_eq!(receiving.whole(), None);
    receiving.stored(hash(b"abcde"));
    assert_eq!(receiving.news(Millis(1)), Some(5));
    assert_eq!(receiving.whole(), Some(hash(&hash(b"abcde"))));

    let mut receiving = Receiving::new(2 * SLICE);
    assert_eq!(receiving.take(0, SLICE + 1), Err(TransferError::Slices));
    assert_eq!(receiving.take(0, SLICE - 1), Ok(()));
    assert_eq!(receiving.take(SLICE - 1, 2), Err(TransferError::Slices));
}

#[test]
fn slow_progress_is_acknowledged_from_time_to_time() {
    let mut receiving = Receiving::new(2 * SLICE);
    let begin = Millis(50_000);
    let later = begin + FILE_PAUSE;
    let mut took = |place, now| {
        assert_eq!(receiving.take(place, 1), Ok(()));
        receiving.news(now)
    };
    assert_eq!(took(0, begin), Some(1));
    assert_eq!(took(1, begin), None);
    assert_eq!(took(2, later), Some(3));
    assert_eq!(took(3, later), None);
    assert_eq!(receiving.news(later + FILE_PAUSE), Some(4));
    assert_eq!(receiving.news(later + FILE_PAUSE * 2), None);
}

#[test]
fn an_empty_file_is_complete_at_once() {
    assert_eq!(Receiving::new(0).whole(), Some(hash(b"")));
    assert_eq!(Sending::new(0).whole(), Some(hash(b"")));
}
