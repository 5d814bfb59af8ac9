//! A text with the place of every byte: literals of a template stand in the file
//! as they are but for escapes and stripped indentation, the rest is put in.

use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span;
use hcl_edit::template::{Element, Template};

use super::{Form, Written};
use crate::place::SourceText;

/// The longest text whose parts are looked for, in bytes. A policy has at most
/// 20,480 characters (IAM and ECR, "Quotas").
pub(super) const LONGEST: usize = 128 * 1024;

/// A text that is made of pieces of a file.
#[derive(Debug)]
pub(super) struct Pieces {
    source: Arc<SourceText>,
    form: Form,
    pub(super) text: String,
    runs: Vec<Piece>,
}

/// Some bytes of the text, from `start` to the next piece.
#[derive(Debug)]
struct Piece {
    start: usize,
    source: Range<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Byte for byte as in the file.
    Verbatim,
    /// Written in another way, `\n` or `$${`.
    Escaped,
    /// What an interpolation gave.
    Inserted,
}

impl Pieces {
    pub(super) fn new(source: Arc<SourceText>, form: Form) -> Self {
        Self {
            source,
            form,
            text: String::new(),
            runs: Vec::new(),
        }
    }

    /// The whole of a file.
    pub(super) fn of_file(source: Arc<SourceText>) -> Self {
        let mut pieces = Self::new(Arc::clone(&source), Form::Json);
        let text = source.text();
        pieces.push(text, 0..text.len(), Kind::Verbatim);
        pieces
    }

    /// A quoted string with nothing put in.
    pub(super) fn of_string(source: Arc<SourceText>, span: Range<usize>, text: &str) -> Self {
        let mut pieces = Self::new(source, Form::JsonInString);
        pieces.literal(text, span.start + 1..span.end.saturating_sub(1), 0);
        pieces
    }

    /// Adds a template whose lines lost `indent` characters. `inserted` gives
    /// the text of what is no literal; `None` ends the attempt.
    pub(super) fn template(
        &mut self,
        template: &Template,
        indent: usize,
        inserted: &dyn Fn(&Element) -> Option<String>,
    ) -> Option<()> {
        for element in template {
            let span = element.span()?;
            match element {
                Element::Literal(text) => self.literal(text, span, indent),
                other => self.push(&inserted(other)?, span, Kind::Inserted),
            }
            if self.text.len() > LONGEST {
                return None;
            }
        }
        Some(())
    }

    /// Where a range of the text is written.
    pub(super) fn written(&self, range: Range<usize>) -> Written {
        let (first, last) = (
            self.piece(range.start),
            self.piece(range.end.saturating_sub(1)),
        );
        let inside = |position: usize, piece: &Piece| match piece.kind {
            Kind::Verbatim => Some(piece.source.start + (position - piece.start)),
            Kind::Escaped | Kind::Inserted => None,
        };
        let start = first.map_or(0, |at| {
            let piece = &self.runs[at];
            inside(range.start, piece).unwrap_or(piece.source.start)
        });
        let end = last.map_or(start, |at| {
            let piece = &self.runs[at];
            inside(range.end, piece).unwrap_or(piece.source.end)
        });
        let computed = first.zip(last).is_none_or(|(first, last)| {
            self.runs
                .get(first..=last)
                .is_none_or(|pieces| pieces.iter().any(|piece| piece.kind == Kind::Inserted))
        });
        Written {
            source: Arc::clone(&self.source),
            range: start..end.max(start),
            form: if computed { Form::Computed } else { self.form },
        }
    }

    /// The last piece that begins at or before a position.
    fn piece(&self, position: usize) -> Option<usize> {
        self.runs
            .partition_point(|piece| piece.start <= position)
            .checked_sub(1)
    }

    /// Adds a literal: walks the text and the file side by side.
    fn literal(&mut self, text: &str, span: Range<usize>, indent: usize) {
        let source = Arc::clone(&self.source);
        let escapes = self.form == Form::JsonInString;
        let mut at = span.start;
        for char in text.chars() {
            let rest = source.text().get(at..span.end).unwrap_or_default();
            let line_begins = source
                .text()
                .get(..at)
                .is_some_and(|before| before.ends_with('\n'));
            if indent > 0 && line_begins {
                let blank = rest.chars().take_while(|char| matches!(char, ' ' | '\t'));
                at += blank.take(indent).count();
            }
            let rest = source.text().get(at..span.end).unwrap_or_default();
            let length = if escapes && rest.starts_with('\\') {
                escape_length(rest)
            } else if rest.starts_with("$${") || rest.starts_with("%%{") {
                2
            } else {
                char.len_utf8()
            };
            let kind = if rest.starts_with(char) && length == char.len_utf8() {
                Kind::Verbatim
            } else {
                Kind::Escaped
            };
            let mut bytes = [0; 4];
            self.push(char.encode_utf8(&mut bytes), at..at + length, kind);
            at += length;
        }
    }

    fn push(&mut self, text: &str, source: Range<usize>, kind: Kind) {
        let start = self.text.len();
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some(last)
                if kind == Kind::Verbatim
                    && last.kind == Kind::Verbatim
                    && last.source.end == source.start =>
            {
                last.source.end = source.end;
            }
            _ => self.runs.push(Piece {
                start,
                source,
                kind,
            }),
        }
    }
}

/// The length of an escape of a quoted string: `\n`, `\u00AC`, `\U0001F600`.
fn escape_length(text: &str) -> usize {
    match text.as_bytes().get(1) {
        Some(b'u') => 6,
        Some(b'U') => 10,
        _ => 2,
    }
}
