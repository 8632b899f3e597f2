use super::*;
use crate::wire::{FileHash, FileKey};

fn profile(name: String) -> Frame {
    Frame::People(PeopleFrame::Profile { name })
}

#[test]
fn a_short_frame_fits_in_one_text() {
    let frame = profile("hello".into());
    let texts = frame.encode();
    assert_eq!(texts, [r#"{"k":"profile","name":"hello"}"#]);
    assert_eq!(PartReassembler::default().read(&texts[0]), Ok(Some(frame)));
}

#[test]
fn the_longest_message_arrives_whole_in_frames_within_the_limit() {
    for character in ["𝄞", "\"", "\\", "\u{1}", "a"] {
        let frame = profile(character.repeat(10_000));
        let mut reassembler = PartReassembler::default();
        let texts = frame.encode();
        let mut read = Vec::new();
        for text in &texts {
            assert!(text.len() <= MAX_FRAME, "{character:?}: {}", text.len());
            read.extend(reassembler.read(text).unwrap());
        }
        assert_eq!(read, [frame]);
    }
}

#[test]
fn parts_out_of_order_are_dropped_and_the_next_frame_is_read() {
    let long = profile("x".repeat(40_000));
    let texts = long.encode();
    let mut reassembler = PartReassembler::default();
    assert_eq!(reassembler.read(&texts[1]), Err(FrameError::OutOfOrder));
    assert_eq!(reassembler.read(&texts[0]), Ok(None));
    assert_eq!(reassembler.read(&texts[2]), Err(FrameError::OutOfOrder));
    let read: Vec<_> = texts
        .iter()
        .filter_map(|text| reassembler.read(text).unwrap())
        .collect();
    assert_eq!(read, [long]);
}

#[test]
fn an_endless_series_of_parts_is_not_kept() {
    let mut reassembler = PartReassembler::default();
    let mut errors = 0;
    for index in 0..100 {
        let part = Frame::Part(Part {
            index,
            of: u32::MAX,
            text: "x".repeat(8000),
        });
        let text = part.to_json();
        errors += usize::from(reassembler.read(&text).is_err());
        assert!(reassembler.parts.len() <= MAX_JOINED);
    }
    assert!(errors > 0);
}

#[test]
fn every_frame_decodes_to_what_was_encoded() {
    let (id, content) = ("q".to_owned(), "{\"a\": [1, null]}".to_owned());
    let streams = |yours| Some(StreamIds { own: 7, yours });
    let frames = [
        (
            Frame::Question(QuestionFrame::Question {
                id: id.clone(),
                topic: None,
                content: content.clone(),
            }),
            r#"{"k":"question","id":"q","v":{"a": [1, null]}}"#,
        ),
        (
            Frame::Question(QuestionFrame::Answer {
                id: id.clone(),
                result: Ok(content),
            }),
            r#"{"k":"answer","id":"q","v":{"a": [1, null]}}"#,
        ),
        (
            Frame::Question(QuestionFrame::Answer {
                id,
                result: Err("no".into()),
            }),
            r#"{"k":"answer","id":"q","error":"no"}"#,
        ),
        (
            Frame::Call(CallFrame::Call {
                id: CallId([7; 8]),
                channel: Some("lobby".into()),
                ring: true,
                sends: Sends {
                    microphone: true,
                    hand: true,
                    streams: ["{a}".into(), "b".into()],
                    ..Sends::default()
                },
            }),
            r#"{"k":"call","id":"BwcHBwcHBwc","channel":"lobby","ring":true,"sends":["microphone","hand"],"streams":["{a}","b"]}"#,
        ),
        (
            Frame::Call(CallFrame::HangUp {
                id: CallId([7; 8]),
                why: HangUp::Declined,
            }),
            r#"{"k":"hangup","id":"BwcHBwcHBwc","why":"declined"}"#,
        ),
        (
            Frame::Call(CallFrame::Share(Shown {
                sends: Sends {
                    camera: true,
                    screen: true,
                    ..Sends::default()
                },
                sensitive: true,
                asks: false,
                in_return: true,
            })),
            r#"{"k":"share","sends":["camera","screen"],"sensitive":true,"return":true}"#,
        ),
        (
            Frame::Call(CallFrame::Watch { on: false }),
            r#"{"k":"watch"}"#,
        ),
        (
            Frame::Call(CallFrame::Watching {
                is: Watching::Admitted,
            }),
            r#"{"k":"watching","is":"admitted"}"#,
        ),
        (
            Frame::Call(CallFrame::Size {
                camera: 360,
                screen: 0,
            }),
            r#"{"k":"size","camera":360,"screen":0}"#,
        ),
        (
            Frame::Ack(Ack {
                count: 9,
                streams: streams(None),
            }),
            r#"{"k":"got","n":9,"stream":7}"#,
        ),
        (
            Frame::Ack(Ack {
                count: 9,
                streams: streams(Some(8)),
            }),
            r#"{"k":"got","n":9,"stream":7,"yours":8}"#,
        ),
        (
            Frame::Ack(Ack {
                count: 64,
                streams: None,
            }),
            r#"{"k":"got","n":64}"#,
        ),
        (
            Frame::File(FileFrame {
                number: 3,
                step: "offer".into(),
                bytes: Some(1 << 53),
                name: Some("a.png".into()),
                text: Some("image/png".into()),
                hash: None,
            }),
            r#"{"k":"file","file":3,"step":"offer","n":9007199254740992,"name":"a.png","text":"image/png"}"#,
        ),
        (
            Frame::Attachment(AttachmentFrame::Want(FileKey {
                hash: FileHash([0; 32]),
                size: 5,
            })),
            r#"{"k":"want","hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","n":5}"#,
        ),
        (
            Frame::Attachment(AttachmentFrame::Lack(FileKey {
                hash: FileHash([0; 32]),
                size: 5,
            })),
            r#"{"k":"lack","hash":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","n":5}"#,
        ),
        (
            Frame::File(FileFrame {
                step: "done".into(),
                ..FileFrame::default()
            }),
            r#"{"k":"file","file":0,"step":"done"}"#,
        ),
        (Frame::Link(LinkFrame::Ping { id: None }), r#"{"k":"ping"}"#),
        (Frame::Link(LinkFrame::Turn), r#"{"k":"turn"}"#),
        (
            Frame::Chat(ChatFrame::Activity { away: false }),
            r#"{"k":"activity","is":"active"}"#,
        ),
        (
            Frame::Chat(ChatFrame::Activity { away: true }),
            r#"{"k":"activity","is":"away"}"#,
        ),
    ];
    for (frame, json) in frames {
        assert_eq!(frame.encode(), [json]);
        assert_eq!(Frame::from_json(json), Ok(frame));
    }
    for garbage in [
        r#"{"k":"question","id":"q"}"#,
        r#"{"k":"answer","id":"q"}"#,
        r#"{"k":"got","n":-1}"#,
        r#"{"k":"call","id":"q","sends":[]}"#,
        r#"{"k":"call","id":"BwcHBwcHBwc","sends":[],"streams":["a"]}"#,
        r#"{"k":"call","id":"BwcHBwcHBwc","sends":[],"streams":["a b","c"]}"#,
        r#"{"k":"size","camera":65536,"screen":0}"#,
    ] {
        assert_eq!(
            Frame::from_json(garbage),
            Err(FrameError::Malformed),
            "{garbage}"
        );
    }
}

#[test]
fn frames_of_the_stream_are_never_reassembled_from_parts() {
    let parts = Frame::Question(QuestionFrame::Question {
        id: "q".into(),
        topic: None,
        content: format!("\"{}\"", "x".repeat(MAX_FRAME)),
    })
    .encode();
    let mut reassembler = PartReassembler::default();
    let read: Vec<_> = parts.iter().map(|part| reassembler.read(part)).collect();
    assert_eq!(read.last(), Some(&Err(FrameError::Malformed)));
}

#[test]
fn unknown_kinds_are_ignored_and_garbage_is_an_error() {
    let mut reassembler = PartReassembler::default();
    assert_eq!(
        Frame::from_json(r#"{"k":"activity","is":"asleep"}"#),
        Ok(Frame::Chat(ChatFrame::Activity { away: true })),
        "a later version's word"
    );
    assert_eq!(
        reassembler.read(r#"{"k":"dance","step":3}"#),
        Ok(Some(Frame::Unknown))
    );
    for garbage in [
        "",
        "{",
        "[]",
        "null",
        r#"{"k":"typing"}"#,
        r#"{"k":"activity","is":true}"#,
        r#"{"k":"part","index":-1}"#,
    ] {
        assert_eq!(
            reassembler.read(garbage),
            Err(FrameError::Malformed),
            "{garbage}"
        );
    }
    assert_eq!(
        reassembler.read(&"x".repeat(MAX_FRAME + 1)),
        Err(FrameError::TooLarge)
    );
}
