//! JSON with the position of every part. What is not JSON has no parts.

use std::ops::Range;

use super::{Entry, Origin, Parts, Written};

/// How deep JSON may nest; a policy document needs six.
const DEPTH: usize = 64;

/// The parts of a JSON text. `written` tells where a range of it is written.
pub(super) fn origin(text: &str, written: &dyn Fn(Range<usize>) -> Written) -> Option<Origin> {
    let mut reader = Reader {
        text,
        at: 0,
        written,
    };
    let origin = reader.value(DEPTH)?;
    reader.space();
    (reader.at == text.len()).then_some(origin)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    written: &'t dyn Fn(Range<usize>) -> Written,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> Option<Origin> {
        let depth = depth.checked_sub(1)?;
        self.space();
        let start = self.at;
        match self.peek()? {
            b'{' => {
                let entries = self.sequence(b'}', |reader| reader.entry(depth))?;
                Some(Origin::new(self.since(start), Parts::Object(entries)))
            }
            b'[' => {
                let items = self.sequence(b']', |reader| reader.value(depth))?;
                Some(Origin::new(self.since(start), Parts::List(items)))
            }
            b'"' => {
                let text = self.string()?;
                Some(Origin::leaf(self.since(start), Some(text)))
            }
            _ => {
                let word = self.word();
                let json: serde_json::Value = serde_json::from_str(word).ok()?;
                self.at += word.len();
                let worth = (!json.is_null()).then(|| json.to_string());
                Some(Origin::leaf(self.since(start), worth))
            }
        }
    }

    fn entry(&mut self, depth: usize) -> Option<Entry> {
        self.space();
        let start = self.at;
        let key = self.string()?;
        let name = self.since(start);
        self.space();
        self.take(b':')?;
        let value = self.value(depth)?;
        Some(Entry {
            key,
            name,
            whole: self.since(start),
            value,
        })
    }

    /// What stands between brackets, separated by commas.
    fn sequence<T>(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.space();
            if items.is_empty() && self.take(close).is_some() {
                return Some(items);
            }
            items.push(item(self)?);
            self.space();
            if self.take(close).is_some() {
                return Some(items);
            }
            self.take(b',')?;
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    fn word(&self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && !"+-.".contains(char));
        &rest[..end.unwrap_or(rest.len())]
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> Written {
        (self.written)(start..self.at)
    }
}
