//! What browsers know of Unicode, and native builds have tables for.

use rtchat::identity::lookalike::skeletons;
use rtchat::ui::avatar::letters;
use rtchat::ui::links::{Segment, segments};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
fn letters_of_all_scripts_are_letters() {
    for (name, expected) in [
        ("Ünal Öz", "ÜÖ"),
        ("李小龍", "李小"),
        ("Анна-Мария", "АМ"),
        ("٣ ٤", "٣٤"),
        ("Ⅷ¼", "Ⅷ¼"),
        ("𝒳 y", "𝒳y"),
        ("é·ü", "éü"),
        ("🦀", "🦀"),
    ] {
        assert_eq!(letters(name), expected, "{name}");
    }
    let link = |text| matches!(segments(text)[..], [_, Segment::Link(_)]);
    assert!(link("→https://example.org") && !link("éhttps://example.org"));
}

#[wasm_bindgen_test]
fn names_that_look_alike_have_the_same_skeleton() {
    for look_alike in ["аlice", "ａlice", "al\u{131}ce"] {
        let known = skeletons("alice");
        assert!(
            skeletons(look_alike).iter().any(|one| known.contains(one)),
            "{look_alike}"
        );
    }
}
