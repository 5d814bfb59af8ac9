//! The logical lines of a Dockerfile, with the place of each letter in its text.

use std::ops::Range;

use super::instructions::Unclear;

/// Letters, each with where it stands.
pub(super) type Letters = [(usize, char)];

/// A logical line: without comments, and without what joins its parts.
pub(super) struct Line {
    /// Where it begins, counted from 1.
    pub(super) number: usize,
    pub(super) letters: Vec<(usize, char)>,
}

/// A here-document that waits for its end.
struct HereDocument {
    end: String,
    /// `<<-`: tabs may stand before the end.
    tabs: bool,
}

/// Lines, with those that a `\` (or the `escape` directive's sign) goes on with, without
/// comments and without the bodies of here-documents.
pub(super) fn lines(text: &str) -> Result<Vec<Line>, Unclear> {
    let escape = escape(text);
    let mut found: Vec<Line> = Vec::new();
    let (mut at, mut open) = (0, false);
    let mut documents: Vec<HereDocument> = Vec::new();
    for (number, whole) in text.split_inclusive('\n').enumerate() {
        let start = at;
        at += whole.len();
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(document) = documents.first() {
            if document.ends_at(line) {
                documents.remove(0);
            }
            continue;
        }
        let plain = line.trim();
        if plain.starts_with('#') || plain.is_empty() {
            continue;
        }
        let (part, goes_on) = part(line, escape);
        let letters = part.char_indices();
        let letters = letters.map(|(at, letter)| (start + at, letter));
        match found.last_mut().filter(|_| open) {
            Some(last) => last.letters.extend(letters),
            None => found.push(Line {
                number: number + 1,
                letters: letters.collect(),
            }),
        }
        open = goes_on;
        if !open && let Some(last) = found.last() {
            documents = here_documents(&text_of(&last.letters), escape);
        }
    }
    match (documents.first(), found.last()) {
        (Some(document), Some(last)) => Err(Unclear {
            line: last.number,
            reason: format!("the here-document that `{}` ends has no end", document.end),
        }),
        _ => Ok(found),
    }
}

fn escape(text: &str) -> char {
    let mut comments = text.lines().take_while(|line| line.starts_with('#'));
    if comments.any(|line| line.replace(' ', "").eq_ignore_ascii_case("#escape=`")) {
        '`'
    } else {
        '\\'
    }
}

/// A line without the sign that another follows, and whether one does. Two signs are
/// the letter itself.
fn part(line: &str, escape: char) -> (&str, bool) {
    match line.trim_end_matches([' ', '\t']).strip_suffix(escape) {
        Some(part) if !part.ends_with(escape) => (part, true),
        _ => (line, false),
    }
}

/// The here-documents that begin in a logical line: BuildKit takes whole words of `RUN`,
/// `COPY` and `ADD` for them, outside of quotes.
fn here_documents(line: &str, escape: char) -> Vec<HereDocument> {
    let mut names = line.split_whitespace().map(str::to_ascii_uppercase);
    let name = names.next().filter(|name| name != "ONBUILD");
    let name = name.or_else(|| names.next()).unwrap_or_default();
    if !["RUN", "COPY", "ADD"].contains(&&*name) {
        return Vec::new();
    }
    let words = shell_words(line, escape).into_iter();
    words
        .filter_map(|word| HereDocument::parse(&word))
        .collect()
}

impl HereDocument {
    /// `[0-9]*<<-?NAME`, with quotes around the name or without.
    fn parse(word: &str) -> Option<Self> {
        let rest = word.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let rest = rest.strip_prefix("<<")?;
        let (rest, tabs) = match rest.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let end = rest.replace(['"', '\''], "");
        (!end.is_empty() && !end.contains('<')).then_some(Self { end, tabs })
    }

    fn ends_at(&self, line: &str) -> bool {
        let line = if self.tabs {
            line.trim_start_matches('\t')
        } else {
            line
        };
        line == self.end
    }
}

/// Words as a shell divides them, with their quotes; none where a quote stays open.
fn shell_words(line: &str, escape: char) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() && quote.is_none() {
            words.push(String::new());
            continue;
        }
        let word = words.last_mut().expect("there is a first word");
        word.push(letter);
        match quote {
            _ if letter == escape && quote != Some('\'') => word.extend(letters.next()),
            Some(open) if letter == open => quote = None,
            None if matches!(letter, '"' | '\'') => quote = Some(letter),
            _ => {}
        }
    }
    match quote {
        Some(_) => Vec::new(),
        None => words,
    }
}

/// The words of a line, divided by blanks alone.
pub(super) fn words(letters: &Letters) -> Vec<&Letters> {
    let words = letters.split(|(_, letter)| letter.is_whitespace());
    words.filter(|word| !word.is_empty()).collect()
}

pub(super) fn text_of(letters: &Letters) -> String {
    letters.iter().map(|(_, letter)| letter).collect()
}

/// From the first letter to the last, with what stands between.
pub(super) fn place(letters: &Letters) -> Range<usize> {
    let start = letters.first().map_or(0, |(at, _)| *at);
    let end = letters
        .last()
        .map_or(0, |(at, letter)| at + letter.len_utf8());
    start..end
}
