//! Tests that every pair of colours has enough contrast (WCAG 2.2), computed from the style sheet itself.

use std::collections::BTreeMap;

const TOKENS: &str = include_str!("style/tokens.css");

type Rgb = [f64; 3];

/// The light and the dark colour of every custom property of the form `light-dark(#rrggbb, #rrggbb)`, and the tint of own
/// messages.
fn palette() -> BTreeMap<String, [Rgb; 2]> {
    let mut palette = BTreeMap::new();
    for line in TOKENS.lines() {
        let Some((name, value)) = line.trim().split_once(": light-dark(") else {
            continue;
        };
        let colours: Vec<Rgb> = value.trim_end_matches(");").split(", ").map(hex).collect();
        palette.insert(
            name.trim_start_matches("--rt-").to_owned(),
            [colours[0], colours[1]],
        );
    }
    let share = TOKENS
        .split("--rt-own: color-mix(in srgb, var(--rt-accent) ")
        .nth(1)
        .unwrap();
    let share: f64 = share.split('%').next().unwrap().parse::<f64>().unwrap() / 100.0;
    let mix = |scheme: usize| {
        let (tint, ground) = (palette["accent"][scheme], palette["surface"][scheme]);
        [0, 1, 2].map(|channel| tint[channel] * share + ground[channel] * (1.0 - share))
    };
    let own = [mix(0), mix(1)];
    palette.insert("own".into(), own);
    palette
}

fn hex(text: &str) -> Rgb {
    [1, 3, 5].map(|at| f64::from(u8::from_str_radix(&text[at..at + 2], 16).unwrap()) / 255.0)
}

fn luminance(rgb: Rgb) -> f64 {
    let linear = rgb.map(|value| {
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    linear[0] * 0.2126 + linear[1] * 0.7152 + linear[2] * 0.0722
}

fn contrast(one: f64, other: f64) -> f64 {
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn all_pairs_have_enough_contrast_in_both_schemes() {
    let text = 4.5;
    let sign = 3.0;
    let pairs = [
        ("text", "ground", text),
        ("text", "surface", text),
        ("text", "raised", text),
        ("text", "bubble", text),
        ("text", "own", text),
        ("quiet", "ground", text),
        ("quiet", "surface", text),
        ("quiet", "raised", text),
        ("quiet", "bubble", text),
        ("quiet", "own", text),
        ("accent", "ground", text),
        ("accent", "surface", text),
        ("accent", "bubble", text),
        ("accent", "own", text),
        ("on-accent", "accent", text),
        ("problem", "ground", text),
        ("problem", "surface", text),
        ("on-loud", "loud", text),
        ("edge", "ground", sign),
        ("edge", "surface", sign),
        ("edge", "raised", sign),
        ("well", "surface", sign),
        ("wait", "surface", sign),
    ];
    let palette = palette();
    for (front, back, least) in pairs {
        for (scheme, name) in ["light", "dark"].into_iter().enumerate() {
            let ratio = contrast(
                luminance(palette[front][scheme]),
                luminance(palette[back][scheme]),
            );
            assert!(
                ratio >= least,
                "{front} on {back}, {name}: {ratio:.2} instead of {least}"
            );
        }
    }
}

/// The luminance of `oklch(lightness chroma hue)`, with channels clamped to the sRGB range.
fn oklch(lightness: f64, chroma: f64, hue: f64) -> f64 {
    let (a, b) = (
        chroma * hue.to_radians().cos(),
        chroma * hue.to_radians().sin(),
    );
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let red = 4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s;
    let green = -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s;
    let blue = -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s;
    0.2126 * red.clamp(0.0, 1.0) + 0.7152 * green.clamp(0.0, 1.0) + 0.0722 * blue.clamp(0.0, 1.0)
}

#[test]
fn avatar_letters_have_enough_contrast_on_every_hue() {
    // The lightness and chroma of `--one` and `--two` in the style sheet.
    let parts = |name: &str| -> (f64, f64) {
        let value = TOKENS
            .split(name)
            .nth(1)
            .unwrap()
            .split('(')
            .nth(1)
            .unwrap();
        let mut numbers = value.split(' ').map_while(|part| part.parse().ok());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    for name in ["--one: ", "--two: "] {
        let (lightness, chroma) = parts(name);
        for hue in 0..360 {
            let ratio = contrast(1.0, oklch(lightness, chroma, f64::from(hue)));
            assert!(ratio >= 4.5, "white on {name}hue {hue}: {ratio:.2}");
        }
    }
}

#[test]
fn the_style_sheet_covers_every_avatar() {
    for hue in 0..super::avatar::HUES {
        assert!(
            TOKENS.contains(&format!("[data-look~=\"h{hue}\"] {{")),
            "h{hue}"
        );
    }
    for pattern in 1..super::avatar::PATTERNS {
        assert!(
            TOKENS.contains(&format!("[data-look~=\"p{pattern}\"] {{")),
            "p{pattern}"
        );
    }
}
