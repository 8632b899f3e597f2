use super::*;
use crate::wire::frame::QuestionFrame;

fn chunks(mut outbound: OutboundMessage) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    loop {
        let (chunk, last) = outbound.next_chunk();
        assert!(chunk.size() <= MAX_FRAME);
        chunks.push(chunk);
        if last {
            return chunks;
        }
    }
}

fn read(chunks: &[Chunk]) -> Vec<Arrived> {
    let mut joined = ChunkReassembler::default();
    let read = chunks.iter().filter_map(|chunk| match chunk {
        Chunk::Bytes(bytes) => joined.read(bytes).unwrap(),
        Chunk::Text(text) => Some(Arrived::Frame(Frame::from_json(text).unwrap())),
    });
    read.collect()
}

fn bytes(kind: &str, length: usize) -> Value {
    let bytes = (0..length).map(|at| (at % 251) as u8).collect();
    Value::Bytes {
        kind: kind.into(),
        bytes,
    }
}

#[test]
fn values_of_every_size_arrive_as_they_were() {
    let sizes = [0, 1, 100, 16_380, 16_382, 16_383, 16_384, 40_000];
    for purpose in [Purpose::Data, Purpose::Dm] {
        for size in sizes {
            let text = format!("\"{}\"", "ä".repeat(size / 2));
            for value in [
                Value::Json(text),
                bytes("", size),
                bytes("blob:image/png", size),
            ] {
                let outbound = OutboundMessage::value(purpose, value.clone()).unwrap();
                assert_eq!(read(&chunks(outbound)), [Arrived::Value(purpose, value)]);
            }
        }
    }
}

#[test]
fn a_short_value_costs_a_byte() {
    let outbound = OutboundMessage::value(Purpose::Data, Value::Json("[1]".into())).unwrap();
    assert_eq!(chunks(outbound), [Chunk::Bytes(b"\x04[1]".to_vec())]);
}

#[test]
fn small_messages_arrive_together() {
    let value = |value| Arrived::Value(Purpose::Dm, value);
    let values = [Value::Json("[1]".into()), bytes("u8", SMALL)];
    let answer = Frame::Question(QuestionFrame::Answer {
        id: "q".into(),
        result: Ok("1".into()),
    });
    let mut message = Vec::new();
    for value in &values {
        let outbound = OutboundMessage::value(Purpose::Dm, value.clone()).unwrap();
        assert!(outbound.join(&mut message));
    }
    assert!(OutboundMessage::frame(&answer).join(&mut message));
    assert!(message.starts_with(b"\x03\0\x04\x05[1]"));
    let large = OutboundMessage::value(Purpose::Dm, bytes("", SMALL + 1)).unwrap();
    assert!(!large.join(&mut message));
    let [first, second] = values.map(value);
    let all = vec![first, second, Arrived::Frame(answer)];
    let mut read = ChunkReassembler::default();
    assert_eq!(read.read(&message), Ok(Some(Arrived::Several(all))));
    // No message is too long for that.
    let outbound = OutboundMessage::value(Purpose::Dm, bytes("", 1_000)).unwrap();
    while outbound.join(&mut message) {}
    assert!((MAX_FRAME - 1_100..=MAX_FRAME).contains(&message.len()));
}

#[test]
fn the_longest_question_arrives() {
    let frame = Frame::Question(QuestionFrame::Question {
        id: "q".into(),
        topic: Some("\"t\"".into()),
        content: format!("\"{}\"", "x".repeat(MAX_QUESTION - 2)),
    });
    assert_eq!(
        read(&chunks(OutboundMessage::frame(&frame))),
        [Arrived::Frame(frame)]
    );
}

#[test]
fn impossible_values_are_refused() {
    let refused = |value| OutboundMessage::value(Purpose::Data, value).unwrap_err();
    let json = |text: &str| refused(Value::Json(text.into()));
    for text in ["", "nul", "[", "1 2", "{a:1}", "\"\u{1}\""] {
        assert_eq!(json(text), FrameError::Malformed, "{text}");
    }
    assert_eq!(refused(bytes("ü", 1)), FrameError::Malformed);
    assert_eq!(refused(bytes(&"k".repeat(101), 1)), FrameError::Malformed);
    assert_eq!(refused(bytes("", MAX_VALUE + 1)), FrameError::TooLarge);
    assert_eq!(
        refused(Value::Json(" ".repeat(MAX_VALUE + 1))),
        FrameError::TooLarge
    );
}

#[test]
fn the_largest_value_arrives_and_no_larger_one_is_kept() {
    let value = bytes("", MAX_VALUE);
    let outbound = OutboundMessage::value(Purpose::Data, value.clone()).unwrap();
    assert_eq!(
        read(&chunks(outbound)),
        [Arrived::Value(Purpose::Data, value)]
    );

    let mut joined = ChunkReassembler::default();
    let mut endless = vec![NOT_LAST | NOT_FIRST];
    endless.resize(MAX_FRAME, 0);
    assert_eq!(joined.read(&[NOT_LAST, 0]), Ok(None));
    let mut told = Vec::new();
    for _ in 0..5_000 {
        told.extend(joined.read(&endless).err());
        let kept = joined.open.as_ref().map_or(0, |open| open.content.len());
        assert!(kept <= MAX_VALUE);
    }
    assert_eq!(told, [FrameError::TooLarge]);
    assert_eq!(joined.read(&[NOT_FIRST]), Ok(None));
    assert!(matches!(joined.read(&[0, 0, 7]), Ok(Some(_))));
}

#[test]
fn broken_messages_are_lost_and_do_no_harm_to_the_next() {
    let cases: [&[&[u8]]; 19] = [
        &[&[]],
        // Several: none, cut off, too long, nothing, not JSON, only the first right, parts of something, and several
        // again.
        &[&[SEVERAL]],
        &[&[SEVERAL, 0]],
        &[&[SEVERAL, 0, 3, JSON, b'1']],
        &[&[SEVERAL, 0, 0]],
        &[&[SEVERAL, 0, 2, JSON, b'[']],
        &[&[SEVERAL, 0, 2, JSON, b'1', 0, 2, JSON, b'[']],
        &[&[SEVERAL, 0, 2, JSON | NOT_LAST, b'1']],
        &[&[SEVERAL, 0, 2, NOT_FIRST, b'1']],
        &[&[SEVERAL, 0, 1, SEVERAL]],
        &[&[SEVERAL | NOT_LAST, 0, 2, JSON, b'1'], &[NOT_FIRST]],
        &[&[FRAME | JSON, b'1']],
        &[&[0x20, 0]],
        &[&[0, 5, b'a']],
        &[&[0, 1, 0xff]],
        &[&[JSON, b'[']],
        &[&[JSON, 0xff]],
        &[&[FRAME, b'{', b'}']],
        &[&[NOT_FIRST, 1]],
    ];
    for messages in cases {
        let mut joined = ChunkReassembler::default();
        let read: Vec<_> = messages.iter().map(|bytes| joined.read(bytes)).collect();
        assert!(read.iter().any(Result::is_err), "{messages:?}");
        assert!(matches!(
            joined.read(&[JSON, b'1']),
            Ok(Some(Arrived::Value(Purpose::Data, Value::Json(_))))
        ));
    }
    let mut joined = ChunkReassembler::default();
    assert_eq!(joined.read(&[JSON | NOT_LAST, b'[']), Ok(None));
    assert_eq!(joined.read(&[JSON, b'1']), Err(FrameError::OutOfOrder));
    assert!(joined.open.is_none());
    let chat = br#"{"k":"leave"}"#;
    assert_eq!(
        joined.read(&[&[FRAME], &chat[..]].concat()),
        Err(FrameError::Malformed)
    );
}

#[test]
fn json_is_nested_only_so_deep() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(is_json(&nested(1_000)));
    assert!(!is_json(&nested(1_001)) && !is_json(&nested(1_000_000)));
    assert!(!is_json(&format!(
        "{}0{}",
        "{\"a\":".repeat(1_001),
        "}".repeat(1_001)
    )));
    // Neighbours are not nested, and neither are brackets inside of texts.
    assert!(is_json(&format!("[{}{{}}]", "[[]],".repeat(5_000))));
    assert!(is_json(&format!(r#"["\"{}",""]"#, "[{".repeat(5_000))));
    // A sender that does not mind the limit does not get it through.
    let json = |depth| [&[JSON][..], nested(depth).as_bytes()].concat();
    let arrived = ChunkReassembler::default().read(&json(1_000));
    assert!(matches!(arrived, Ok(Some(Arrived::Value(..)))));
    let refused = ChunkReassembler::default().read(&json(1_001));
    assert_eq!(refused, Err(FrameError::Malformed));
}
