//! A YAML document as a tree in which every value knows its place.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Place, Placed, WorkflowError};

// Bounds of what is read. GitHub documents none for workflow files; these are
// far above any real one, and keep hostile files (nesting, aliases of aliases)
// from costing more than a few milliseconds and megabytes.

/// Bytes of a file.
const MAX_BYTES: usize = 1024 * 1024;
/// Lists and maps within each other.
const MAX_DEPTH: usize = 50;
/// Values, counting those that aliases repeat.
const MAX_NODES: usize = 100_000;
/// Bytes of text, counting what aliases repeat.
const MAX_TEXT_BYTES: usize = 4 * 1024 * 1024;
/// Aliases (`*name`).
const MAX_ALIASES: usize = 1_000;
/// Characters of the parser's sentence that an error repeats: it may quote the file.
const MAX_MESSAGE_CHARS: usize = 160;

/// A value and its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) content: Content,
}

/// A value.
#[derive(Debug)]
pub(super) enum Content {
    Null,
    Flag(bool),
    /// As it is written, without superfluous digits.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Placed<String>, Node)>),
}

impl Node {
    /// Reads a document. As in GitHub's own parser, only `true` and `false` are
    /// booleans, keys are unique, and merge keys are not understood.
    pub(super) fn parse(yaml: &str) -> Result<Self, WorkflowError> {
        if yaml.len() > MAX_BYTES {
            let message = format!("the file has more than {MAX_BYTES} bytes");
            return Err(WorkflowError::new(Place::START, message));
        }
        let budget = serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_total_scalar_bytes: MAX_TEXT_BYTES,
            max_aliases: MAX_ALIASES,
            max_documents: 1,
        };
        let options = serde_saphyr::options! {
            budget: budget,
            strict_booleans: true,
            // Account ids and commit ids that happen to be digits stay whole.
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
            non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
            merge_keys: serde_saphyr::MergeKeyPolicy::Error,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(yaml, options).map_err(|error| refusal(&error))
    }

    /// The text of a scalar; `None` for null, lists and maps.
    pub(super) fn scalar(&self) -> Option<String> {
        match &self.content {
            Content::Text(text) | Content::Number(text) => Some(text.clone()),
            Content::Flag(flag) => Some(flag.to_string()),
            Content::Null | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The fields of a map; none for null, which YAML makes of a key without a
    /// value.
    pub(super) fn fields(&self, what: &str) -> Result<&[(Placed<String>, Self)], WorkflowError> {
        match &self.content {
            Content::Map(fields) => Ok(fields),
            Content::Null => Ok(&[]),
            _ => Err(self.wrong(format!("{what} must be a map"))),
        }
    }

    /// A text that stands here.
    pub(super) fn text(&self, what: &str) -> Result<Placed<String>, WorkflowError> {
        let value = self
            .scalar()
            .ok_or_else(|| self.wrong(format!("{what} must be a text")))?;
        Ok(Placed {
            value,
            place: self.place,
        })
    }

    /// A list of texts, or one text, or nothing.
    pub(super) fn texts(&self, what: &str) -> Result<Vec<String>, WorkflowError> {
        match &self.content {
            Content::Null => Ok(Vec::new()),
            Content::List(items) => items
                .iter()
                .map(|item| Ok(item.text(what)?.value))
                .collect(),
            Content::Map(_) => Err(self.wrong(format!("{what} must be a text or a list of texts"))),
            _ => Ok(vec![self.text(what)?.value]),
        }
    }

    /// A refusal that points here.
    pub(super) fn wrong(&self, message: impl Into<String>) -> WorkflowError {
        WorkflowError::new(self.place, message.into())
    }
}

/// The parser's error in our words: its own speak of its settings, and end with
/// the place, which ours begin with.
fn refusal(error: &serde_saphyr::Error) -> WorkflowError {
    use serde_saphyr::Error;

    let place = error.location().map_or(Place::START, Place::from);
    let message = match error.without_snippet() {
        Error::DuplicateMappingKey { key, .. } => {
            format!("duplicate key `{}`", key.as_deref().unwrap_or("?"))
        }
        Error::MergeKeyNotAllowed { .. } => {
            "GitHub does not understand merge keys (`<<`)".to_owned()
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an alias (`*`) repeats what it stands in".to_owned()
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "the file is larger, deeper or has more aliases than any workflow".to_owned()
        }
        other => {
            let text = other.to_string();
            let end = text.rfind(" at line ").unwrap_or(text.len());
            text[..end].chars().take(MAX_MESSAGE_CHARS).collect()
        }
    };
    WorkflowError::new(place, message)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self {
            place: spanned.referenced.into(),
            content: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Number(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Content, E> {
        Ok(Content::Number(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Content, E> {
        Ok(Content::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Content, E> {
        Ok(Content::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<Spanned<String>, Node>()? {
            let place = key.referenced.into();
            let key = Placed {
                value: key.value,
                place,
            };
            fields.push((key, value));
        }
        Ok(Content::Map(fields))
    }
}
