//! Messages in the wire format of Protocol Buffers
//! (<https://protobuf.dev/programming-guides/encoding/>), as far as OTLP takes it. The
//! libraries for it would be a sixth of a release build's time.

/// How a field is written.
const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;

/// A message that is being written, field by field.
#[derive(Debug, Clone, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// An enumeration, a truth or a whole number.
    pub(super) fn number(mut self, field: u64, value: u64) -> Self {
        self.key(field, VARINT);
        self.varint(value);
        self
    }

    pub(super) fn fixed(mut self, field: u64, value: u64) -> Self {
        self.key(field, FIXED_64);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn double(self, field: u64, value: f64) -> Self {
        self.fixed(field, value.to_bits())
    }

    /// Bytes, a text, or several numbers in one.
    pub(super) fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, LENGTH_DELIMITED);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u64, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// One field for each.
    pub(super) fn messages(self, field: u64, values: impl IntoIterator<Item = Self>) -> Self {
        let add = |message: Self, value: Self| message.message(field, &value);
        values.into_iter().fold(self, add)
    }

    fn key(&mut self, field: u64, wire_type: u64) {
        self.varint(field << 3 | wire_type);
    }

    /// Seven bits a byte, the lowest first; the eighth says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

/// The value of an attribute (`AnyValue`).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// An attribute (`KeyValue`).
pub(super) fn attribute(name: &str, value: &Value) -> Message {
    let value = match value {
        Value::Text(text) => Message::default().text(1, text),
        Value::Number(number) => Message::default().number(3, number.cast_unsigned()),
    };
    Message::default().text(1, name).message(2, &value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_in_the_examples_of_the_format() {
        // Both are examples of its documentation.
        let number = Message::default().number(1, 150).into_bytes();
        assert_eq!(number, [0x08, 0x96, 0x01]);
        let text = Message::default().text(2, "testing").into_bytes();
        assert_eq!(text, [b"\x12\x07".as_slice(), b"testing"].concat());
    }
}
