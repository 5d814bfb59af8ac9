//! Where something stands in a workflow file.

use std::ops::{Deref, Range};

/// A place in a workflow file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The first byte.
    start: usize,
    /// The byte after the last one.
    end: usize,
}

/// A value with its place.
///
/// For a text that is the place of the text itself, with its quotes; for
/// `permissions`, `environment` and `concurrency` it is that of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub place: Place,
}

impl Place {
    /// The beginning of a file, for what is about the file as a whole.
    pub const START: Self = Self {
        line: 1,
        column: 1,
        start: 0,
        end: 0,
    };

    /// The bytes of the file that it covers; for a map or a list only where it
    /// begins.
    pub fn bytes(&self) -> Range<usize> {
        self.start..self.end
    }
}

impl From<serde_saphyr::Location> for Place {
    fn from(location: serde_saphyr::Location) -> Self {
        // A location that is not known is 0:0 in the parser's words.
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let span = location.span();
        let start = number(span.byte_offset().unwrap_or(0));
        Self {
            line: number(location.line()).max(1),
            column: number(location.column()).max(1),
            start,
            end: start.saturating_add(number(span.byte_len().unwrap_or(0))),
        }
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
