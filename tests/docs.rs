//! The documentation agrees with the code.

use std::path::Path;

use rtchat::identity::{PeerId, PublicKey, safety_number};
use rtchat::rtc::{SdpType, SessionDescription};
use rtchat::settings::{PageAddress, Settings};
use rtchat::wire::entry::{Clock, ConversationId, Position};
use rtchat::wire::frame::{CallFrame, CallId, EntryFrame, HangUp, Sends, Shown, Watching};
use rtchat::wire::statement::StatementId;
use rtchat::wire::{
    Ack, AttachmentFrame, ChatFrame, FileFrame, FileHash, FileKey, Frame, LinkFrame, Part,
    PeopleFrame, QuestionFrame, RoomSource, StreamIds,
};
use serde_json::Value;

const README: &str = include_str!("../README.md");
const MODULE: &str = include_str!("../docs/MODULE.md");
const PROTOCOL: &str = include_str!("../docs/PROTOCOL.md");

/// Every documentation file.
const FILES: [(&str, &str); 8] = [
    ("README.md", README),
    ("CHANGELOG.md", include_str!("../CHANGELOG.md")),
    ("docs/MODULE.md", MODULE),
    ("docs/PROTOCOL.md", PROTOCOL),
    ("docs/EMBEDDING.md", include_str!("../docs/EMBEDDING.md")),
    ("docs/EXPORT.md", include_str!("../docs/EXPORT.md")),
    ("docs/SECURITY.md", include_str!("../docs/SECURITY.md")),
    (
        "docs/CONTRIBUTING.md",
        include_str!("../docs/CONTRIBUTING.md"),
    ),
];

/// The contents of the code blocks in `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let after = text.split(opening.as_str()).skip(1);
    after
        .filter_map(|block| block.split("```").next())
        .collect()
}

#[test]
fn the_settings_in_the_readme_are_valid() {
    let examples = blocks(README, "json");
    assert!(!examples.is_empty());
    for example in examples {
        let (settings, warnings) = Settings::parse(example);
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        assert_eq!(warnings, [""; 0], "{example}");
        assert_ne!(
            settings,
            Ok(Settings::default()),
            "an example should set something: {example}"
        );
    }
}

#[test]
fn the_readme_lists_the_default_servers() {
    for server in rtchat::settings::DEFAULT_BROKERS
        .iter()
        .chain(&rtchat::settings::DEFAULT_STUN)
    {
        assert!(README.contains(&format!("`{server}`")), "{server}");
    }
}

#[test]
fn the_examples_in_the_protocol_match_the_code() {
    let secret = core::array::from_fn(|at| at as u8);
    let peer = PeerId(core::array::from_fn(|at| at as u8));
    for secret in [None, Some(&secret)] {
        let source = RoomSource {
            page: "example.org/chat",
            name: "lobby",
            secret,
            root: None,
        };
        let keys = source.derive(None).lobby();
        let topics = [keys.topic(), keys.inbox(&peer)];
        for topic in topics.map(|topic| topic.name("")) {
            assert!(PROTOCOL.contains(&format!("`{topic}`")), "{topic}");
        }
    }
    let (one, other) = (PublicKey([2; 33]), PublicKey([3; 33]));
    let derived = [
        PeerId::of(&one, &other).to_string(),
        one.fingerprint(),
        safety_number(&one, &other),
    ];
    for text in derived {
        assert!(PROTOCOL.contains(&format!("`{text}`")), "{text}");
    }
}

#[test]
fn page_addresses_are_normalised_as_the_protocol_says() {
    let rows = PROTOCOL
        .lines()
        .filter(|line| line.to_ascii_lowercase().starts_with("| `http"));
    let mut count = 0;
    for row in rows {
        let mut cells = row.split('`').skip(1);
        let address = cells.next().unwrap();
        let page = cells.nth(1).unwrap();
        assert_eq!(PageAddress::parse(address).unwrap().page, page, "{address}");
        count += 1;
    }
    assert!(count > 3);
}

#[test]
fn the_protocol_documents_every_field_of_every_frame() {
    let sdp = include_str!("sdp/chromium-data-offer.sdp");
    let description = Box::new(SessionDescription::from_sdp(SdpType::Offer, sdp).unwrap());
    let candidates = description.candidates().to_vec();
    let sends = || Sends {
        microphone: true,
        streams: ["a".to_owned(), "b".to_owned()],
        ..Sends::default()
    };
    let key = FileKey {
        hash: FileHash([0; 32]),
        size: 0,
    };
    let text = String::new;
    let null = || "null".to_owned();
    let place = Position {
        clock: Clock(0),
        id: StatementId([0; 32]),
    };
    let frames = [
        Frame::Link(LinkFrame::Verify {
            proof: text(),
            info: Some(text()),
        }),
        Frame::People(PeopleFrame::Profile { name: text() }),
        Frame::Link(LinkFrame::Ping { id: Some(text()) }),
        Frame::Link(LinkFrame::Pong { id: Some(text()) }),
        Frame::Chat(ChatFrame::Typing {
            conversation: ConversationId([0; 16]),
        }),
        Frame::Chat(ChatFrame::Activity { away: true }),
        Frame::Entry(EntryFrame::Entries {
            list: vec![],
            with: Some(PublicKey([2; 33])),
        }),
        Frame::Entry(EntryFrame::Page {
            conversation: ConversationId([0; 16]),
            before: Some(place),
            from: Some(place),
            ids: vec![],
            with: Some(PublicKey([2; 33])),
        }),
        Frame::Entry(EntryFrame::Need {
            conversation: ConversationId([0; 16]),
            ids: vec![],
        }),
        Frame::Entry(EntryFrame::Older {
            conversation: ConversationId([0; 16]),
            before: place,
        }),
        Frame::Entry(EntryFrame::Have { ids: vec![] }),
        Frame::Question(QuestionFrame::Question {
            id: text(),
            topic: Some(text()),
            content: null(),
        }),
        Frame::Question(QuestionFrame::Answer {
            id: text(),
            result: Ok(null()),
        }),
        Frame::Question(QuestionFrame::Answer {
            id: text(),
            result: Err(text()),
        }),
        Frame::File(FileFrame {
            number: 1,
            step: text(),
            bytes: Some(0),
            name: Some(text()),
            text: Some(text()),
            hash: Some(text()),
        }),
        Frame::Attachment(AttachmentFrame::Want(key)),
        Frame::Attachment(AttachmentFrame::Lack(key)),
        Frame::Call(CallFrame::Call {
            id: CallId([0; 8]),
            channel: Some(text()),
            ring: true,
            sends: sends(),
        }),
        Frame::Call(CallFrame::HangUp {
            id: CallId([0; 8]),
            why: HangUp::Left,
        }),
        Frame::Call(CallFrame::Share(Shown {
            sends: sends(),
            sensitive: true,
            asks: true,
            in_return: true,
        })),
        Frame::Call(CallFrame::Watch { on: true }),
        Frame::Call(CallFrame::Watching {
            is: Watching::Asked,
        }),
        Frame::Call(CallFrame::Size {
            camera: 0,
            screen: 0,
        }),
        Frame::Ack(Ack {
            count: 0,
            streams: Some(StreamIds {
                own: 0,
                yours: Some(0),
            }),
        }),
        Frame::Link(LinkFrame::Signal { description }),
        Frame::Link(LinkFrame::Turn),
        Frame::Link(LinkFrame::Candidates { candidates }),
        Frame::People(PeopleFrame::Presence { peers: vec![] }),
        Frame::People(PeopleFrame::Fetch { peers: vec![] }),
        Frame::People(PeopleFrame::Connects { connects: vec![] }),
        Frame::Link(LinkFrame::Leave),
        Frame::Part(Part {
            index: 0,
            of: 1,
            text: text(),
        }),
    ];
    for frame in frames {
        let json: Value = serde_json::from_str(&frame.encode()[0]).unwrap();
        let fields = json.as_object().unwrap();
        let kind = format!("`{}`", fields["k"].as_str().unwrap());
        let mut rows = PROTOCOL.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" |");
            cells.next()?.contains(&kind).then(|| cells.next())?
        });
        let named = rows.next().expect(&kind);
        for field in fields.keys().filter(|field| *field != "k") {
            assert!(named.contains(&format!("`{field}`")), "{field} of {kind}");
        }
    }
}

/// The anchor that a heading has in rendered Markdown.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    kept.flat_map(char::to_lowercase)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_lead_to_existing_files_and_headings() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, text) in FILES {
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let path = match path {
                "" => root.join(file),
                path => root.join(file).with_file_name("").join(path),
            };
            assert!(path.exists(), "{link} in {file}");
            if !heading.is_empty() {
                let target = std::fs::read_to_string(&path).unwrap();
                let headings = target.lines().filter_map(|line| line.strip_prefix("## "));
                assert!(
                    headings.map(anchor).any(|anchor| anchor == heading),
                    "{link} in {file}"
                );
            }
        }
    }
}

#[test]
fn the_documentation_of_the_module_names_every_public_member() {
    let types = include_str!("../embed/mqtt-rtc.d.ts");
    for block in [
        "interface Options",
        "interface Events",
        "interface Peer",
        "class MQTTRTCClient",
    ] {
        let (_, block) = types.split_once(&format!("export {block} {{")).unwrap();
        let (block, _) = block.split_once("\n}").unwrap();
        let members = block
            .lines()
            .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names: Vec<&str> = members
            .filter_map(|line| {
                let line = line.trim().trim_start_matches("readonly ");
                let name = line.split([':', '?', '(', '<']).next()?;
                let is_name = name.chars().all(|c| c.is_ascii_alphabetic());
                (is_name && !name.is_empty() && name != "constructor").then_some(name)
            })
            .collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names {
            let is_named = ["`", "(", ","]
                .iter()
                .any(|end| MODULE.contains(&format!("`{name}{end}")));
            assert!(is_named, "{name}");
        }
    }
}
