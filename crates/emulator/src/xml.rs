//! XML answers of the Query protocol.
//!
//! It only writes: nothing in the emulator reads XML.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986: how IAM encodes the
/// policy documents in its answers.
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Elements, one after the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Xml(String);

impl Xml {
    /// No elements.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends an element that holds text.
    pub(crate) fn text(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.open(name);
        self.escape(&value.to_string());
        self.close(name);
        self
    }

    /// Appends an element that holds text, if there is any.
    pub(crate) fn optional(self, name: &str, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// Appends a moment as ISO 8601 with whole seconds.
    pub(crate) fn time(self, name: &str, value: Timestamp) -> Self {
        self.text(name, value.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Appends a policy document, URL-encoded as IAM does.
    pub(crate) fn document(self, name: &str, json: &str) -> Self {
        self.text(name, utf8_percent_encode(json, DOCUMENT))
    }

    /// Appends an element that holds elements.
    pub(crate) fn element(mut self, name: &str, content: &Xml) -> Self {
        self.open(name);
        self.0.push_str(&content.0);
        self.close(name);
        self
    }

    /// Appends a list: `<Name><member>..</member>..</Name>`.
    pub(crate) fn list(self, name: &str, members: impl IntoIterator<Item = Xml>) -> Self {
        let content = members
            .into_iter()
            .fold(Self::new(), |list, member| list.element("member", &member));
        self.element(name, &content)
    }

    /// Appends a list of texts.
    pub(crate) fn texts(
        self,
        name: &str,
        members: impl IntoIterator<Item = impl std::fmt::Display>,
    ) -> Self {
        let content = members
            .into_iter()
            .fold(Self::new(), |list, member| list.text("member", member));
        self.element(name, &content)
    }

    fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Escapes markup; what XML 1.0 cannot hold at all becomes U+FFFD.
    fn escape(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\r' => self.0.push_str("&#13;"),
                '\n' | '\t' => self.0.push(character),
                '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                control if control < ' ' => self.0.push('\u{fffd}'),
                other => self.0.push(other),
            }
        }
    }
}

/// The answer to `operation`, with its result if the operation has one.
pub(crate) fn response(
    namespace: &str,
    operation: &str,
    result: Option<&Xml>,
    request_id: &str,
) -> String {
    let metadata = Xml::new().text("RequestId", request_id);
    let content = match result {
        Some(result) => Xml::new().element(&format!("{operation}Result"), result),
        None => Xml::new(),
    }
    .element("ResponseMetadata", &metadata);
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{}</{operation}Response>",
        content.0
    )
}

/// An error answer. `server` says whose fault it is.
pub(crate) fn error(
    namespace: &str,
    code: &str,
    message: &str,
    server: bool,
    request_id: &str,
) -> String {
    let error = Xml::new()
        .text("Type", if server { "Receiver" } else { "Sender" })
        .text("Code", code)
        .text("Message", message);
    let content = Xml::new()
        .element("Error", &error)
        .text("RequestId", request_id);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\">{}</ErrorResponse>",
        content.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_text_goes_in_the_document_parses_and_gives_it_back(text in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]*") {
            let written = response("urn:x", "Get", Some(&Xml::new().text("Value", &text)), "id");
            let document = roxmltree::Document::parse(&written).unwrap();
            let value = document.descendants().find(|node| node.has_tag_name(("urn:x", "Value"))).unwrap();
            prop_assert_eq!(value.text().unwrap_or_default(), text);
        }

        #[test]
        fn control_characters_never_make_a_document_unreadable(text in any::<String>()) {
            let written = error("urn:x", "Code", &text, false, "id");
            prop_assert!(roxmltree::Document::parse(&written).is_ok());
        }
    }

    #[test]
    fn an_empty_list_is_an_empty_element() {
        let list = Xml::new().texts("PolicyNames", Vec::<String>::new());
        assert_eq!(list.0, "<PolicyNames></PolicyNames>");
    }
}
