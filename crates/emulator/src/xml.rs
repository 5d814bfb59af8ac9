//! XML answers of the Query protocol.
//!
//! It only writes: nothing in the emulator reads XML.

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::trail::{moment, small, typed};

/// Everything but the unreserved characters of RFC 3986: how IAM encodes the
/// policy documents in its answers.
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Elements, one after the other.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Xml(Vec<(String, Content)>);

/// What an element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Text(String),
    Time(Timestamp),
    Elements(Xml),
    Members(Vec<Content>),
}

impl Xml {
    /// No elements.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Appends an element that holds text.
    pub(crate) fn text(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.with(name, Content::Text(value.to_string()))
    }

    /// Appends the elements of another answer.
    pub(crate) fn append(mut self, other: &Xml) -> Self {
        self.0.extend_from_slice(&other.0);
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
        self.with(name, Content::Time(value))
    }

    /// Appends a policy document, URL-encoded as IAM does.
    pub(crate) fn document(self, name: &str, json: &str) -> Self {
        self.text(name, utf8_percent_encode(json, DOCUMENT))
    }

    /// Appends an element that holds elements.
    pub(crate) fn element(self, name: &str, content: &Xml) -> Self {
        self.with(name, Content::Elements(content.clone()))
    }

    /// Appends a list: `<Name><member>..</member>..</Name>`.
    pub(crate) fn list(self, name: &str, members: impl IntoIterator<Item = Xml>) -> Self {
        let members = members.into_iter().map(Content::Elements).collect();
        self.with(name, Content::Members(members))
    }

    /// Appends a list of texts.
    pub(crate) fn texts(
        self,
        name: &str,
        members: impl IntoIterator<Item = impl std::fmt::Display>,
    ) -> Self {
        let members = members.into_iter();
        let members = members.map(|member| Content::Text(member.to_string()));
        self.with(name, Content::Members(members.collect()))
    }

    fn with(mut self, name: &str, content: Content) -> Self {
        self.0.push((name.to_owned(), content));
        self
    }

    /// The elements as the trail shows them.
    pub(crate) fn to_json(&self) -> Value {
        self.0
            .iter()
            .map(|(name, content)| (small(name), content.to_json(name)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn write(&self, document: &mut String) {
        for (name, content) in &self.0 {
            content.write(name, document);
        }
    }
}

impl Content {
    fn write(&self, name: &str, document: &mut String) {
        document.push('<');
        document.push_str(name);
        document.push('>');
        match self {
            Self::Text(text) => escape(text, document),
            Self::Time(time) => {
                escape(&time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), document);
            }
            Self::Elements(elements) => elements.write(document),
            Self::Members(members) => {
                for member in members {
                    member.write("member", document);
                }
            }
        }
        document.push_str("</");
        document.push_str(name);
        document.push('>');
    }

    fn to_json(&self, name: &str) -> Value {
        match self {
            Self::Text(text) => typed(name, text),
            Self::Time(time) => moment(*time).into(),
            Self::Elements(elements) => elements.to_json(),
            Self::Members(members) => members.iter().map(|member| member.to_json("")).collect(),
        }
    }
}

/// Escapes markup; what XML 1.0 cannot hold at all becomes U+FFFD.
fn escape(text: &str, document: &mut String) {
    for character in text.chars() {
        match character {
            '&' => document.push_str("&amp;"),
            '<' => document.push_str("&lt;"),
            '>' => document.push_str("&gt;"),
            '"' => document.push_str("&quot;"),
            '\r' => document.push_str("&#13;"),
            '\n' | '\t' => document.push(character),
            '\u{fffe}' | '\u{ffff}' => document.push('\u{fffd}'),
            control if control < ' ' => document.push('\u{fffd}'),
            other => document.push(other),
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
    document(&format!("{operation}Response"), namespace, &content)
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
    document("ErrorResponse", namespace, &content)
}

fn document(root: &str, namespace: &str, content: &Xml) -> String {
    let mut document = format!("<{root} xmlns=\"{namespace}\">");
    content.write(&mut document);
    document.push_str("</");
    document.push_str(root);
    document.push('>');
    document
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
        let mut written = String::new();
        list.write(&mut written);
        assert_eq!(written, "<PolicyNames></PolicyNames>");
        assert_eq!(list.to_json(), serde_json::json!({ "policyNames": [] }));
    }
}
