//! The scene with files: of others, one's own, on their way, and pictures.

use base64ct::{Base64, Encoding};
use js_sys::{Array, Uint8Array};
use web_sys::Blob;

use crate::identity::{PeerId, PublicKey, Trust};
use crate::room::{
    AttachmentEvent, ChatEvent, Conversation, Event, FileState, FileView, MAIN_CHANNEL, Message,
    MessageId,
};
use crate::time::Millis;
use crate::wire::attachment::{Picture, Preview};
use crate::wire::{Attachment, FileHash};

/// A landscape of 128 by 96 points.
const LANDSCAPE: &str = "\
    iVBORw0KGgoAAAANSUhEUgAAAIAAAABgCAIAAABaGO0eAAABiElEQVR42u3WK3LDQBBF0V6d12ToMgoMDDQUFBQUFAxskJUEBSTI5Y80mdYbT9\
    +qSwap6x0iOw5OwowJAACAAACAAACABACnwUkYAAAAQFKA0UkYAACo+/463wsA2fS7Mdjb6Dlbuf5vcWcY62sNjPW1Bsb6WgMAAHid9SMMAAAg\
    OcD76HmqAlD3JAAAAAAAKcDkeaoDUPUkAAB4KYPq9wCgBviYPFvF60cckxGgzCDokqQAWw3izsgLsN4g9IbUAE8Zdvg6AOIAACA5wGVyEgYAAA\
    CQFGB2EgYAAACQEmCYnYQBAAAABAAABAAApAAYZydhAAAAAEkBFidhAPjheCgIAMHoERjG7loJmxbvvujdr9p0mzG9VsKYXstg7K5lMKbXMhjT\
    axmM6bUMVvbzxPS1sqv3vHjjdTP9bYCWGTqb/hFAawxdTv8coAWGjqdfC/DH8Ol71v3umwF2k8gzfSFAkES23SsA/B8j7ej1AQgAAAgAAAgAAA\
    gAAAgAAAgAAAgAAAiAlvsBHmpPYHmAyzIAAAAASUVORK5CYII=\
";

/// The bytes of the picture.
pub fn landscape() -> Option<Blob> {
    let bytes = Base64::decode_vec(LANDSCAPE).ok()?;
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(&bytes[..]))).ok()
}

fn preview() -> Option<Preview> {
    let colours = (0..10u8).flat_map(|row| {
        (0..13u8).flat_map(move |column| {
            if row > 6 {
                [70, 120, 70]
            } else {
                [120 + 9 * row, 170 + 4 * column, 220]
            }
        })
    });
    Preview::new(13, colours.collect())
}

/// The messages, and what is known of their files.
pub fn files(now: Millis, ben: PublicKey, own: PublicKey) -> Vec<Event> {
    let mut events = Vec::new();
    let mut number = 0;
    let mut add =
        |by: PublicKey, name: &str, size: u64, text: &str, is_picture: bool, state, here| {
            number += 1;
            let file = Attachment {
                hash: FileHash([number; 32]),
                size,
                name: name.to_owned(),
                mime: if is_picture {
                    "image/png".to_owned()
                } else {
                    String::new()
                },
                picture: is_picture.then(|| Picture {
                    width: 1_280,
                    height: 960,
                    preview: preview(),
                }),
            };
            let key = file.key();
            let is_own = by == own;
            let (id, sender) = (
                MessageId(format!("file-{number}")),
                if is_own { "Ada" } else { "Ben" },
            );
            events.push(Event::Chat(ChatEvent::Message(Box::new(Message {
                peer: (!is_own).then_some(PeerId([1; 16])),
                own: is_own,
                trust: Trust::Known,
                file: Some(Box::new(file)),
                ..Message::new(
                    id,
                    Conversation::Channel(MAIN_CHANNEL.to_owned()),
                    sender.to_owned(),
                    by,
                    text.to_owned(),
                    now,
                )
            }))));
            events.push(Event::Attachment(AttachmentEvent {
                key,
                view: FileView { state, here },
            }));
        };
    let moving = |done, per_second| FileState::Transferring { done, per_second };
    add(
        ben,
        "minutes-of-the-meeting.pdf",
        240_000,
        "",
        false,
        FileState::Offered,
        false,
    );
    add(
        ben,
        "holiday.png",
        180_000,
        "The view from the hut",
        true,
        FileState::Offered,
        false,
    );
    add(
        own,
        "landscape.png",
        449,
        "And here is mine.",
        true,
        FileState::Done,
        true,
    );
    add(
        ben,
        "film-of-the-summer-fair-with-a-very-long-name-that-somebody-gave-it.mp4",
        48_000_000,
        "",
        false,
        moving(21_000_000, 3_200_000),
        false,
    );
    add(ben, "notes.html", 12_000, "", false, FileState::Done, true);
    add(
        ben,
        "everything.zip",
        3_100_000_000,
        "",
        false,
        FileState::Waiting,
        false,
    );
    add(
        own,
        "plan.svg",
        33_000,
        "",
        false,
        moving(20_000, 9_000),
        true,
    );
    let why = "What arrived is not the file that was asked for.".to_owned();
    add(
        ben,
        "broken.ogg",
        900_000,
        "",
        false,
        FileState::Failed(why),
        false,
    );
    add(
        ben,
        "unwanted.exe",
        900_000,
        "",
        false,
        FileState::Refused,
        false,
    );
    events
}
