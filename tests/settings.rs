//! The site owner's settings and the page's address, which people write by hand, copy and damage.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rtchat::settings::{
    Accept, AddressError, Broker, DEFAULT_ROOM, Features, IceServer, PageAddress, RoomSecret,
    Settings, SettingsError, room_link,
};
use unicode_normalization::UnicodeNormalization;

fn parse(text: &str) -> (Settings, Vec<String>) {
    let (settings, warnings) = Settings::parse(text);
    let warnings = warnings.iter().map(ToString::to_string).collect();
    (settings.expect(text), warnings)
}

fn refused(text: &str) -> SettingsError {
    Settings::parse(text).0.expect_err(text)
}

#[test]
fn empty_settings_give_the_defaults() {
    let (settings, warnings) = parse("{}");
    assert_eq!((&settings, warnings.len()), (&Settings::default(), 0));
    assert_eq!(settings.brokers.len(), 3);
    assert!(
        settings
            .brokers
            .iter()
            .all(|broker| broker.url.starts_with("wss://"))
    );
    assert_eq!(settings.default_room(), DEFAULT_ROOM);
    assert_eq!(
        parse("\u{feff}{}").1.len(),
        0,
        "editors write byte order marks"
    );
}

#[test]
fn every_setting_can_be_set() {
    let (settings, warnings) = parse(
        r#"{
            "brokers": ["wss://a.example/mqtt", {"url": "WS://b.example:9001", "username": "u", "password": "p"}],
            "iceServers": [
                {"urls": "stun:s.example:3478"},
                {"urls": ["turn:t.example", "turns:t.example?transport=tcp"], "username": "u", "credential": "c"}
            ],
            "room": "  garden ",
            "topicPrefix": "site/chat/",
            "accept": "known"
        }"#,
    );
    assert_eq!(warnings, [""; 0]);
    let broker = |url: &str, user: Option<&str>, password: Option<&str>| Broker {
        url: url.to_owned(),
        username: user.map(str::to_owned),
        password: password.map(str::to_owned),
    };
    assert_eq!(
        settings.brokers,
        [
            broker("wss://a.example/mqtt", None, None),
            broker("WS://b.example:9001", Some("u"), Some("p"))
        ]
    );
    let server = |urls: &[&str], username: Option<&str>, credential: Option<&str>| IceServer {
        urls: urls.iter().map(|url| (*url).to_owned()).collect(),
        username: username.map(str::to_owned),
        credential: credential.map(str::to_owned),
    };
    assert_eq!(
        settings.ice_servers,
        [
            server(&["stun:s.example:3478"], None, None),
            server(
                &["turn:t.example", "turns:t.example?transport=tcp"],
                Some("u"),
                Some("c")
            )
        ]
    );
    assert_eq!(settings.default_room(), "garden");
    assert_eq!(settings.topic_prefix, "site/chat/");
    assert_eq!(settings.accept, Accept::Known);
}

#[test]
fn features_that_are_not_named_or_not_known_are_off() {
    let features = |list: &str| {
        let (settings, warnings) = parse(&format!(
            r#"{{"channels": ["one", "two"], "features": {list}}}"#
        ));
        let features = settings.features;
        assert_eq!(
            settings.channels().len(),
            if features.channels { 2 } else { 1 }
        );
        (features, warnings)
    };
    assert_eq!(parse("{}").0.features, Features::default());
    let all = r#"["files", "channels", "dm", "history"]"#;
    assert_eq!(features(all), (Features::default(), Vec::new()));
    assert_eq!(features("[]"), (Features::NONE, Vec::new()));
    let files = Features {
        files: true,
        ..Features::NONE
    };
    let (some, warnings) = features(r#"["files", "Channels", "all", 7]"#);
    assert_eq!(some, files);
    assert_eq!(warnings.len(), 3);
    assert!(
        warnings[0].contains("features[1]") && warnings[0].contains("\"channels\""),
        "{warnings:?}"
    );
    // What is no list leaves open what was meant.
    for value in [r#""files""#, "true", "null", r#"{"files": true}"#] {
        let error = refused(&format!(r#"{{"features": {value}}}"#));
        assert!(
            matches!(
                error,
                SettingsError::Malformed {
                    key: "features",
                    ..
                }
            ),
            "{error}"
        );
    }
    refused(r#"{"Feature": []}"#);
}

/// `start.js` connects to the preferred broker before the program is there to read the settings.
#[test]
fn the_start_script_knows_the_first_default_broker_and_the_other_settings() {
    let script = std::fs::read_to_string("start.js").unwrap();
    let constant = |name: &str| {
        let (_, rest) = script.split_once(&format!("const {name} = ")).unwrap();
        let (value, _) = rest.split_once(';').unwrap();
        serde_json::from_str::<serde_json::Value>(value).unwrap()
    };
    assert_eq!(
        constant("DEFAULT_BROKER"),
        Settings::default().brokers[0].url
    );
    for key in constant("OTHER_SETTINGS").as_array().unwrap() {
        let key = key.as_str().unwrap();
        // A setting cannot be null, and what is no setting is ignored.
        refused(&format!("{{ \"{key}\": null }}"));
    }
}

#[test]
fn a_topic_prefix_that_no_broker_allows_is_refused() {
    let long = format!(r#""{}""#, "x".repeat(129));
    for prefix in [
        r##""a/#""##,
        r#""+/a""#,
        r#""$SYS/""#,
        r#""a\u0000b""#,
        "7",
        &long,
    ] {
        let error = refused(&format!(r#"{{"topicPrefix": {prefix}}}"#));
        assert!(
            matches!(
                error,
                SettingsError::Malformed {
                    key: "topicPrefix",
                    ..
                }
            ),
            "{prefix}: {error}"
        );
    }
}

#[test]
fn a_file_that_is_no_json_object_is_refused() {
    for text in ["", "hello", "{", "<!DOCTYPE html>", r#"{"room": "a",}"#] {
        assert!(
            matches!(refused(text), SettingsError::NotJson { .. }),
            "{text}"
        );
    }
    for text in ["[]", "null", "7", r#""room""#] {
        assert_eq!(refused(text), SettingsError::NotAnObject, "{text}");
    }
    assert!(refused("{").to_string().contains("line 1 column 1"));
}

#[test]
fn a_bad_server_among_good_ones_is_skipped_and_named() {
    let (settings, warnings) = parse(
        r#"{
            "brokers": ["https://a.example", "wss://good.example", 7, "wss://", {"url": "ws://b", "user": "u"}, {"url": "ws://c", "password": 1}],
            "iceServers": [{"urls": "turn:no.credentials"}, {"urls": "stun:good.example"}, {"urls": []}, "stun:x"],
            "comment": "hello"
        }"#,
    );
    // The order of the keys in the file does not matter.
    let warnings = BTreeSet::from_iter(warnings);
    let urls: Vec<_> = settings
        .brokers
        .iter()
        .map(|broker| broker.url.as_str())
        .collect();
    assert_eq!(urls, ["wss://good.example", "ws://b"]);
    assert_eq!(settings.ice_servers.len(), 1);
    let broker = |at: u32| {
        format!(
            "rtchat.json: brokers[{at}] should be an address that begins with ws:// or wss://, or an object with url, username and password; it is ignored."
        )
    };
    let server = |at: u32| {
        format!(
            "rtchat.json: iceServers[{at}] should be an object with urls (stun:… or turn:…), and for turn: with username and credential; it is ignored."
        )
    };
    assert_eq!(
        warnings,
        BTreeSet::from_iter([
            r#"rtchat.json: "comment" is not a setting and is ignored."#.to_owned(),
            r#"rtchat.json: "brokers[4].user" is not a setting and is ignored."#.to_owned(),
            broker(0),
            broker(2),
            broker(3),
            broker(5),
            server(0),
            server(2),
            server(3),
        ])
    );
}

#[test]
fn a_mistake_in_where_people_meet_or_who_is_let_in_is_never_replaced_by_a_default() {
    for (text, says) in [
        (
            r#"{"brokers": "ws://a.example"}"#,
            r#""brokers" should be a list"#,
        ),
        (r#"{"brokers": null}"#, r#""brokers" should be a list"#),
        (r#"{"brokers": []}"#, r#""brokers" has no usable entry"#),
        (
            r#"{"brokers": ["http://a"]}"#,
            r#""brokers" has no usable entry"#,
        ),
        (
            r#"{"iceServers": "none"}"#,
            r#""iceServers" should be a list"#,
        ),
        (
            r#"{"iceServers": [{}]}"#,
            r#""iceServers" has no usable entry"#,
        ),
        (
            r#"{"accept": "everybody"}"#,
            r#""accept" should be "everyone", "ask" or "known""#,
        ),
        (r#"{"accept": true}"#, r#""accept" should be"#),
        (r#"{"room": "two\nlines"}"#, r#""room" should be a text"#),
        (r#"{"room": "te\u2060am"}"#, r#""room" should be a text"#),
        (
            r#"{"Brokers": ["wss://a"]}"#,
            r#""Brokers" should be written "brokers""#,
        ),
        (
            r#"{"broker": ["wss://a"]}"#,
            r#""broker" should be written "brokers""#,
        ),
        (
            r#"{"ice-servers": []}"#,
            r#""ice-servers" should be written "iceServers""#,
        ),
        (
            r#"{"ACCEPT": "known"}"#,
            r#""ACCEPT" should be written "accept""#,
        ),
    ] {
        let error = refused(text).to_string();
        assert!(error.contains(says), "{text}: {error}");
        assert!(error.contains("hoever runs this site"), "{error}");
    }
    let (settings, warnings) = parse(r#"{"iceServers": []}"#);
    assert_eq!((settings.ice_servers, warnings.len()), (vec![], 0));
}

fn page(href: &str) -> String {
    PageAddress::parse(href).expect(href).page
}

#[test]
fn a_page_is_identified_by_its_host_and_path() {
    assert_eq!(
        page("https://alice.github.io/blog/index.html?x#y"),
        "alice.github.io/blog"
    );
    for href in [
        "https://alice.github.io/blog",
        "https://alice.github.io/blog/",
        "http://ALICE.github.io:80/blog/index.htm",
        "https://me:pw@alice.github.io:443/blog//#?room=x",
    ] {
        assert_eq!(page(href), "alice.github.io/blog", "{href}");
    }
    assert_eq!(page("http://127.0.0.1:8080/"), "127.0.0.1:8080");
    assert_eq!(page("http://[::1]:8080/index.html"), "[::1]:8080");
    assert_eq!(
        page("https://a.example/Blog/myindex.html"),
        "a.example/Blog/myindex.html"
    );
    assert_eq!(page("https://a.example?room=b"), "a.example");
    assert_eq!(page("https://a.example:80/"), "a.example:80");
    assert_eq!(page("file:///home/a/index.html"), "/home/a");
    for href in [
        "about:blank",
        "",
        "about:srcdoc",
        "https:///",
        "data:text/html,hello",
    ] {
        assert_eq!(
            PageAddress::parse(href),
            Err(AddressError::NotAPage),
            "{href}"
        );
    }
}

#[test]
fn a_percent_encoded_key_is_the_same_key() {
    let secret = RoomSecret::new([7; 32]);
    let href = format!(
        "https://a.example/?%72oo%6D=garden#%6b={}",
        secret.to_text()
    );
    let address = PageAddress::parse(&href).unwrap();
    assert_eq!(address.room.as_deref(), Some("garden"));
    assert_eq!(address.secret, Some(secret));
    assert_eq!(
        room_link(&href, Some("b"), None),
        "https://a.example/?room=b"
    );
}

#[test]
fn the_room_name_is_decoded_and_trimmed() {
    let room = |href: &str| PageAddress::parse(href).map(|address| address.room);
    assert_eq!(
        room("https://a.example/?x=1&room=caf%C3%A9+%26%20bar%20"),
        Ok(Some("café & bar".to_owned()))
    );
    assert_eq!(room("https://a.example/?room=%20+"), Ok(None));
    assert_eq!(room("https://a.example/?room"), Ok(None));
    assert_eq!(room("https://a.example/?rooms=a#room=b"), Ok(None));
    assert_eq!(
        room(&format!("https://a.example/?room={}", "%C3%A9".repeat(64))),
        Ok(Some("é".repeat(64)))
    );
    let long = format!("https://a.example/?room={}", "a".repeat(65));
    assert_eq!(room(&long), Err(AddressError::RoomTooLong { length: 65 }));
    for damaged in ["%FF", "a%0Ab", "a%00", "a%E2%80%A8b"] {
        assert_eq!(
            room(&format!("https://a.example/?room={damaged}")),
            Err(AddressError::BadRoom),
            "{damaged}"
        );
    }
    let address = PageAddress::parse("https://a.example/").unwrap();
    assert_eq!(address.room_or(&Settings::default()), "lobby");
    assert_eq!(address.room_or(&parse(r#"{"room":"garden"}"#).0), "garden");
}

#[test]
fn room_names_that_look_the_same_are_equal_or_refused() {
    let room = |encoded: &str| {
        let href = format!("https://a.example/?room={encoded}");
        PageAddress::parse(&href).map(|address| address.room)
    };
    for (same, kept) in [
        ("team%E2%80%8B", "team"),
        ("%EF%BB%BFteam", "team"),
        ("%E2%80%AAteam%E2%80%AC", "team"),
        ("two++words", "two words"),
        ("two%C2%A0words", "two words"),
        ("cafe%CC%81", "caf\u{e9}"),
        ("%E2%9D%A4%EF%B8%8F", "\u{2764}"),
    ] {
        assert_eq!(room(same), Ok(Some(kept.to_owned())), "{same}");
    }
    for (refused, code) in [
        ("te%E2%81%A0am", 0x2060),
        ("te%E2%80%8Bam", 0x200b),
        ("te%E2%80%8Dam", 0x200d),
        ("te%E2%80%AEam", 0x202e),
        ("te%C2%ADam", 0xad),
        ("te%E3%85%A4am", 0x3164),
        ("te%F3%A0%84%80am", 0xe0100),
        ("%DA%A9%E2%80%8C%D8%AE", 0x200c),
    ] {
        let error = AddressError::InvisibleInRoom { code };
        assert_eq!(room(refused), Err(error), "{refused}");
        assert!(error.to_string().contains(&format!("U+{code:04X}")));
    }
    // A direction mark at the start may come from copying. It is removed, so that the name is what is shown.
    assert_eq!(room("%E2%80%AEmaet"), Ok(Some("maet".to_owned())));
}

#[test]
fn a_damaged_secret_is_an_error_and_never_another_room() {
    let secret = RoomSecret::new([0xfb; 32]);
    let text = secret.to_text();
    assert_eq!(text.len(), 51);
    let found = |fragment: &str| {
        PageAddress::parse(&format!("https://a.example/#{fragment}")).map(|it| it.secret)
    };
    assert_eq!(found(""), Ok(None));
    assert_eq!(found("chapter-2"), Ok(None));
    for fine in [
        format!("k={text}"),
        format!("k={text}="),
        format!("k={text}%3D"),
        format!("x=1&k={text}"),
        format!("K={text}"),
    ] {
        assert_eq!(found(&fine), Ok(Some(secret.clone())), "{fine}");
    }
    for damaged in [
        "k",
        "k=",
        "k=abc",
        &format!("k={}", &text[..50]),
        &format!("k={text}A"),
        &format!("k={text}."),
    ] {
        assert_eq!(found(damaged), Err(AddressError::BadSecret), "{damaged}");
    }
    assert_eq!(
        found(&format!("k={text}&k={text}")),
        Err(AddressError::BadSecret)
    );
    assert_eq!(
        found(&format!("k={}", text.replace('-', "+"))),
        Err(AddressError::BadSecret),
        "base64, not base64url"
    );
    let swallowed = format!("https://a.example/?room=a%23k={text}");
    assert_eq!(PageAddress::parse(&swallowed), Err(AddressError::BadRoom));
    assert!(!format!("{secret:?}").contains(&text[..4]));
}

#[test]
fn a_link_names_the_room_and_its_secret() {
    let secret = RoomSecret::new([7; 32]);
    let href = "https://a.example/blog/?p=12&room=old#k=x";
    assert_eq!(room_link(href, None, None), "https://a.example/blog/?p=12");
    assert_eq!(
        room_link("https://a.example/#top", Some("a b&c"), None),
        "https://a.example/?room=a%20b%26c"
    );
    let link = room_link(href, Some("café/1"), Some(&secret));
    assert_eq!(
        link,
        format!(
            "https://a.example/blog/?p=12&room=caf%C3%A9%2F1#k={}",
            secret.to_text()
        )
    );
}

proptest! {
    #[test]
    fn links_parse_to_what_they_were_made_from(room in "[^\\p{C}\\p{Zl}\\p{Zp}]{0,64}", bytes in any::<Option<([u8; 32], Option<[u8; 16]>, bool)>>()) {
        let secret = bytes.map(|(bytes, root, password)| RoomSecret { bytes, root, password });
        let link = |room: Option<&str>| room_link("https://a.example/x?y=z", room, secret.as_ref());
        match PageAddress::parse(&link(Some(&room))) {
            Ok(address) => {
                prop_assert_eq!(&address.page, "a.example/x");
                prop_assert_eq!(&address.secret, &secret);
                // A normalised name stays the same.
                prop_assert_eq!(PageAddress::parse(&link(address.room.as_deref())), Ok(address));
            }
            Err(AddressError::InvisibleInRoom { code }) => prop_assert!(room.contains(char::from_u32(code).unwrap())),
            // Some characters decompose in every normal form, so a name may become too long.
            Err(error) => prop_assert!(matches!(error, AddressError::RoomTooLong { .. }), "{}", error),
        }
    }

    #[test]
    fn the_normal_form_of_an_address_is_in_normal_form(path in "(/|/[.]{1,2}|/[a-cA-C%4-7.~|é-]{1,6}){0,6}") {
        let address = page(&format!("https://a.example{path}"));
        prop_assert_eq!(page(&format!("https://{address}")), address);
    }

    #[test]
    fn ordinary_room_names_survive_a_link(room in "[\\p{L}\\p{N}\\p{P}]{1,64}") {
        let composed: String = room.nfc().collect();
        let link = room_link("https://a.example/", Some(&room), None);
        let hidden = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
        prop_assume!(!room.contains(hidden) && !room.contains("#k=") && composed.chars().count() <= 64);
        prop_assert_eq!(PageAddress::parse(&link).unwrap().room, Some(composed));
    }

    #[test]
    fn no_address_and_no_settings_file_causes_a_panic(text in any::<String>(), tail in "[?#&=k%rom0-9a-f/:@]{0,60}") {
        let _ = Settings::parse(&text);
        let _ = PageAddress::parse(&text);
        let _ = PageAddress::parse(&format!("https://a.example/{tail}"));
        let _ = PageAddress::parse(&format!("https://{tail}"));
        let _ = room_link(&tail, Some(&text), None);
    }

    #[test]
    fn any_settings_file_leaves_at_least_one_broker(value in json(3)) {
        let Ok(settings) = Settings::parse(&value).0 else {
            return Ok(());
        };
        prop_assert!(!settings.brokers.is_empty());
        prop_assert!(settings.ice_servers.iter().all(|server| !server.urls.is_empty()));
    }
}

/// JSON in the shape of the settings, with valid and invalid values in every place.
fn json(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("7".to_owned()),
        Just("\"ask\"".to_owned()),
        Just("\"wss://a.example\"".to_owned()),
        Just("\"turn:a.example\"".to_owned()),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        let key = prop::sample::select(vec![
            "brokers",
            "iceServers",
            "room",
            "accept",
            "urls",
            "url",
            "username",
            "credential",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec(
                (key, inner).prop_map(|(key, value)| format!("\"{key}\":{value}")),
                0..5
            )
            .prop_map(|entries| format!("{{{}}}", entries.join(","))),
        ]
    })
}
