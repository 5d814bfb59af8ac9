//! Text to JSON (RFC 8259) with places.

use super::error::Failure;
use super::json::{Entry, Json, Node, repeated};
use super::{Fault, Place};

/// Longest text that is read, in bytes: the longest that IAM's API takes with
/// white space (IAM API Reference, `PolicyDocument`). Patterns cannot be longer,
/// which bounds the time that a hostile one takes.
pub const MAXIMUM_BYTES: usize = 131_072;

/// Deepest nesting that is read; a policy has seven levels.
const MAXIMUM_DEPTH: usize = 32;

/// Reads one JSON text.
pub(super) fn read(text: &str) -> Result<Node, Failure> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        column: 1,
    };
    if text.len() > MAXIMUM_BYTES {
        return Err(reader.problem(format!("the text is longer than {MAXIMUM_BYTES} bytes")));
    }
    reader.skip_white_space();
    let node = reader.value(0)?;
    reader.skip_white_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.problem("more text behind the policy")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        if char == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(char)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    fn skip_white_space(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.next();
        }
    }

    /// The place of the next character.
    fn here(&self) -> Place {
        Place {
            line: self.line,
            column: self.column,
            start: self.at,
            end: self.at + self.peek().map_or(0, char::len_utf8),
        }
    }

    /// From an earlier place to the next character.
    fn since(&self, begin: Place) -> Place {
        Place {
            end: self.at,
            ..begin
        }
    }

    fn problem(&self, problem: impl Into<String>) -> Failure {
        Failure {
            place: self.here(),
            fault: Fault::Json(problem.into()),
        }
    }

    fn expected(&self, wanted: &str) -> Failure {
        match self.peek() {
            Some(found) => self.problem(format!("expected {wanted}, found `{found}`")),
            None => self.problem(format!("expected {wanted}, and the text ends")),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Failure> {
        if depth == MAXIMUM_DEPTH {
            return Err(self.problem(format!("nested deeper than {MAXIMUM_DEPTH} levels")));
        }
        let begin = self.here();
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Json::Text(self.string()?),
            Some('-' | '0'..='9') => Json::Number(self.number()?),
            _ => self.word()?,
        };
        Ok(Node {
            place: self.since(begin),
            value,
        })
    }

    fn word(&mut self) -> Result<Json, Failure> {
        for (word, value) in [
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("null", Json::Null),
        ] {
            if self.text[self.at..].starts_with(word) {
                for _ in word.chars() {
                    self.next();
                }
                return Ok(value);
            }
        }
        Err(self.expected("a JSON value"))
    }

    fn object(&mut self, depth: usize) -> Result<Json, Failure> {
        self.next();
        self.skip_white_space();
        let mut entries = Vec::new();
        if self.take('}') {
            return Ok(Json::Object(entries));
        }
        loop {
            entries.push(self.entry(depth)?);
            if self.ends('}')? {
                break;
            }
        }
        match repeated(&entries) {
            None => Ok(Json::Object(entries)),
            Some(entry) => Err(Failure {
                place: entry.name_place,
                fault: Fault::Json(format!("duplicate key `{}`", entry.name)),
            }),
        }
    }

    fn entry(&mut self, depth: usize) -> Result<Entry, Failure> {
        let begin = self.here();
        if self.peek() != Some('"') {
            return Err(self.expected("a name in quotes"));
        }
        let name = self.string()?;
        let name_place = self.since(begin);
        self.skip_white_space();
        if !self.take(':') {
            return Err(self.expected("`:`"));
        }
        self.skip_white_space();
        Ok(Entry {
            name,
            name_place,
            value: self.value(depth + 1)?,
        })
    }

    fn list(&mut self, depth: usize) -> Result<Json, Failure> {
        self.next();
        self.skip_white_space();
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends(']')? {
                return Ok(Json::List(items));
            }
        }
    }

    /// Whether the list or object ends here; otherwise takes the comma.
    fn ends(&mut self, closing: char) -> Result<bool, Failure> {
        self.skip_white_space();
        if self.take(closing) {
            return Ok(true);
        }
        if !self.take(',') {
            return Err(self.expected(&format!("`,` or `{closing}`")));
        }
        self.skip_white_space();
        Ok(false)
    }

    fn number(&mut self) -> Result<String, Failure> {
        let begin = self.at;
        self.take('-');
        if !self.take('0') {
            self.digits()?;
        }
        if self.take('.') {
            self.digits()?;
        }
        if self.take('e') || self.take('E') {
            let _ = self.take('+') || self.take('-');
            self.digits()?;
        }
        Ok(self.text[begin..self.at].to_owned())
    }

    fn digits(&mut self) -> Result<(), Failure> {
        if !matches!(self.peek(), Some('0'..='9')) {
            return Err(self.expected("a digit"));
        }
        while let Some('0'..='9') = self.peek() {
            self.next();
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Failure> {
        self.next();
        let mut string = String::new();
        loop {
            match self.peek() {
                Some('"') => {
                    self.next();
                    return Ok(string);
                }
                Some('\\') => string.push(self.escape()?),
                Some(char) if char >= ' ' => {
                    self.next();
                    string.push(char);
                }
                _ => return Err(self.expected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Failure> {
        self.next();
        let char = match self.peek() {
            Some(char @ ('"' | '\\' | '/')) => char,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                self.next();
                return self.unicode();
            }
            _ => return Err(self.expected("an escape such as `\\n`")),
        };
        self.next();
        Ok(char)
    }

    /// The rest of `\uXXXX`, with the second half where it is a pair.
    fn unicode(&mut self) -> Result<char, Failure> {
        let lone = |reader: &Self| reader.problem("half of a Unicode surrogate pair");
        let first = self.four_hexadecimals()?;
        let code = match first {
            0xD800..=0xDBFF => {
                if !(self.take('\\') && self.take('u')) {
                    return Err(lone(self));
                }
                let second = self.four_hexadecimals()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return Err(lone(self));
                }
                0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).ok_or_else(|| lone(self))
    }

    fn four_hexadecimals(&mut self) -> Result<u32, Failure> {
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|char| char.to_digit(16)) else {
                return Err(self.expected("a hexadecimal digit"));
            };
            self.next();
            code = code * 16 + digit;
        }
        Ok(code)
    }
}
