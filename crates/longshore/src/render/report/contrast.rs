//! Text can be told from what it stands on, in both colour schemes.
//!
//! Level AA: <https://www.w3.org/TR/WCAG22/#contrast-minimum>.

use std::collections::BTreeMap;

const LEAST: f64 = 4.5;

/// Which colour of text stands on which.
const PAIRS: [(&str, &[&str]); 7] = [
    ("ink", &["paper", "card", "sunk", "bad-tint", "open-tint"]),
    ("quiet", &["paper", "card", "sunk"]),
    ("accent", &["paper", "card", "sunk"]),
    ("good", &["paper", "card", "good-tint"]),
    ("bad", &["paper", "card", "sunk", "bad-tint"]),
    ("open", &["paper", "card", "sunk", "open-tint"]),
    ("note", &["card", "sunk"]),
];

/// The colours of a block of the style sheet.
fn colours(block: &str) -> BTreeMap<&str, &str> {
    block
        .lines()
        .filter_map(|line| line.trim().strip_prefix("--")?.split_once(": #"))
        .map(|(name, value)| (name, value.trim_end_matches(';')))
        .collect()
}

fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_text_has_enough_contrast_in_both_schemes() {
    let (light, rest) = super::STYLE
        .split_once("prefers-color-scheme: dark")
        .unwrap();
    let (dark, _) = rest.split_once("* { box-sizing").unwrap();
    for scheme in [light, dark] {
        let colours = colours(scheme);
        for (text, grounds) in PAIRS {
            for ground in grounds {
                let contrast = contrast(colours[text], colours[ground]);
                assert!(contrast >= LEAST, "{text} on {ground}: {contrast:.2}");
            }
        }
        assert!(contrast("ffffff", colours["bad-fill"]) >= LEAST);
    }
}
