//! AWS keys in a text. One pass; every byte is looked at a bounded number of
//! times.
//!
//! Forms: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
//! for the id; that a secret is 40 characters of base64 is what AWS hands out,
//! and nowhere promised.

/// A key that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Line, from 1.
    pub(super) line: usize,
    /// Column in characters, from 1.
    pub(super) column: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The id of a key of a user, with its middle left out.
    Id { shown: String },
    /// The secret; nothing of it is kept.
    Secret,
}

/// `AKIA` and 16 characters.
const ID_LENGTH: usize = 20;
const SECRET_LENGTH: usize = 40;

/// AWS's documentation writes its example keys with this word.
const EXAMPLE: &str = "EXAMPLE";

/// Words that stand in front of a secret on its line, letters only.
const SECRET_WORDS: [&str; 3] = ["secretaccesskey", "secretkey", "awssecret"];

/// Bytes of the line before a candidate in which such a word counts.
const NEAR: usize = 80;

/// Bits per character that 40 random characters of base64 practically always
/// exceed, and words, paths and hexadecimal digests do not.
const LEAST_ENTROPY: f64 = 4.2;

/// Keys that are reported of one file: more say nothing new.
const MOST: usize = 50;

/// The keys in `text`, at most [`MOST`].
pub(super) fn keys(text: &str) -> Vec<Key> {
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            in_line(line).map(move |(start, kind)| Key {
                line: at + 1,
                column: line[..start].chars().count() + 1,
                kind,
            })
        })
        .take(MOST)
        .collect()
}

fn in_line(line: &str) -> impl Iterator<Item = (usize, Kind)> {
    let ids = tokens(line, |byte| byte.is_ascii_alphanumeric())
        .filter(|(_, token)| is_id(token))
        .map(|(start, token)| {
            let shown = format!("{}..{}", &token[..4], &token[ID_LENGTH - 2..]);
            (start, Kind::Id { shown })
        });
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'+';
    let secrets = tokens(line, base64)
        .filter(|(start, token)| is_secret(token) && is_announced(line, *start))
        .map(|(start, _)| (start, Kind::Secret));
    ids.chain(secrets)
}

/// The longest runs of bytes that are `part`, with where they begin.
fn tokens(line: &str, part: impl Fn(u8) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let bytes = line.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes.get(at..)?.iter().position(|byte| part(*byte))?;
        let start = at;
        let rest = &bytes[start..];
        at += rest
            .iter()
            .position(|byte| !part(*byte))
            .unwrap_or(rest.len());
        Some((start, line.get(start..at)?))
    })
}

/// Ids are base32: capitals and the digits 2 to 7. `ASIA` begins those of
/// sessions, which end by themselves.
fn is_id(token: &str) -> bool {
    token.len() == ID_LENGTH
        && token.starts_with("AKIA")
        && !token.ends_with(EXAMPLE)
        && token
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7'))
}

fn is_secret(token: &str) -> bool {
    token.len() == SECRET_LENGTH && !token.contains(EXAMPLE) && entropy(token) >= LEAST_ENTROPY
}

/// Whether the line says before `start` that a secret follows.
fn is_announced(line: &str, start: usize) -> bool {
    let from = line.floor_char_boundary(start.saturating_sub(NEAR));
    let letters: String = line[from..start]
        .chars()
        .filter(char::is_ascii_alphabetic)
        .map(|char| char.to_ascii_lowercase())
        .collect();
    SECRET_WORDS.iter().any(|word| letters.contains(word))
}

/// Shannon's entropy in bits per character.
fn entropy(token: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in token.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = f64::from(counts.iter().sum::<u32>());
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / length;
            -share * share.log2()
        })
        .sum()
}
