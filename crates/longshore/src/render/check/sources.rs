//! The lines that findings point to, fit to be printed.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use audit::Setup;

use crate::render::escape::shown;
use crate::render::secret::masked;

/// The most of a line that is shown.
const WIDEST: usize = 96;

/// How much of a longer line is shown before the place that is meant.
const BEFORE: usize = 32;

/// The lines of all files that were read, by path.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a>(BTreeMap<&'a str, File<'a>>);

/// A file, cut into lines once something points into it.
#[derive(Debug)]
struct File<'a> {
    text: &'a str,
    lines: OnceCell<Vec<&'a str>>,
}

impl<'a> File<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            lines: OnceCell::new(),
        }
    }
}

/// A line with a place in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// The line, or the part of it around the place.
    pub(super) text: String,
    /// How many characters of `text` stand before the place.
    pub(super) before: usize,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        let texts = setup.texts.iter().map(|file| (&file.path, &file.text));
        let workflows = setup.workflows.iter().map(|file| (&file.path, &file.text));
        let all = texts.chain(workflows);
        Self(
            all.map(|(path, text)| (path.as_str(), File::new(text)))
                .collect(),
        )
    }

    /// A line of a file, counted from 1, without its end.
    pub(crate) fn line(&self, file: &str, line: usize) -> Option<&'a str> {
        let file = self.0.get(file)?;
        let lines = file.lines.get_or_init(|| file.text.lines().collect());
        lines.get(line.checked_sub(1)?).copied()
    }

    /// The line around a place; `None` where there is nothing to show.
    pub(super) fn excerpt(&self, file: &str, line: usize, column: usize) -> Option<Excerpt> {
        let line = masked(self.line(file, line)?);
        let place = column.saturating_sub(1);
        let start = if line.chars().count() <= WIDEST {
            0
        } else {
            place.saturating_sub(BEFORE)
        };
        let part = |from: usize, to: usize| {
            let chars = line.chars().skip(from).take(to.saturating_sub(from));
            shown(&chars.collect::<String>()).replace('\t', " ")
        };
        let mut text = part(start, place);
        let before = text.chars().count().max(place - start);
        text += &part(place, start + WIDEST);
        (!text.trim().is_empty()).then(|| Excerpt {
            text: text.trim_end().to_owned(),
            before,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(text: &str, column: usize) -> Option<Excerpt> {
        Sources([("a", File::new(text))].into()).excerpt("a", 1, column)
    }

    #[test]
    fn a_short_line_is_shown_whole() {
        let shown = excerpt("\tsub = 1\r\nmore", 2).unwrap();
        assert_eq!((shown.text.as_str(), shown.before), (" sub = 1", 1));
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let line = format!("{}here{}", "é".repeat(5000), "z".repeat(5000));
        let shown = excerpt(&line, 5001).unwrap();
        assert_eq!(shown.text.chars().count(), WIDEST);
        let from: String = shown.text.chars().skip(shown.before).take(4).collect();
        assert_eq!(from, "here");
    }

    #[test]
    fn a_place_that_is_not_there_shows_nothing() {
        let sources = Sources([("a", File::new("x\n\n"))].into());
        for (file, line) in [("a", 0), ("a", 2), ("a", 9), ("b", 1)] {
            assert_eq!(sources.excerpt(file, line, 1), None);
        }
        assert_eq!(excerpt("x", 0).unwrap().before, 0);
    }

    #[test]
    fn the_place_is_kept_behind_what_a_terminal_would_act_on() {
        let shown = excerpt("a\u{1b}[2Jb", 6).unwrap();
        assert_eq!((shown.text.as_str(), shown.before), ("a\\u{1b}[2Jb", 10));
    }
}
