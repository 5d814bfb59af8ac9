//! What fields must be. Lengths are in characters (Unicode scalar values).

use serde::{Deserialize, Serialize};

use crate::problem::FieldError;

/// The longest address of anything on the web, in characters.
const LONGEST_URL: usize = 2000;
/// The longest tag or name of a technology.
pub(crate) const LONGEST_WORD: usize = 50;

/// A place on the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct Link {
    /// What is there.
    #[cfg_attr(test, schema(min_length = 1, max_length = 100))]
    pub(crate) label: String,
    /// Its address: `https:`, `http:` or `mailto:`.
    #[cfg_attr(test, schema(max_length = 2000))]
    pub(crate) url: String,
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Judge(Vec<FieldError>);

impl Judge {
    /// The errors that were found.
    pub(crate) fn errors(self) -> Vec<FieldError> {
        self.0
    }

    /// Refuses a field for a reason.
    pub(crate) fn refuse(&mut self, field: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.0.push(FieldError { field, message });
    }

    /// One line of 1 to `longest` characters.
    pub(crate) fn line(&mut self, field: &'static str, text: &str, longest: usize) {
        self.text(field, text, longest);
        if text.contains(char::is_control) {
            self.refuse(field, "must be one line without control characters");
        }
    }

    /// Text of 1 to `longest` characters that both databases can keep.
    pub(crate) fn text(&mut self, field: &'static str, text: &str, longest: usize) {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.refuse(field, "must not be empty");
        } else if length > longest {
            self.refuse(
                field,
                format!("must have at most {longest} characters, and has {length}"),
            );
        }
        if text.contains(|character: char| character.is_control() && !"\n\r\t".contains(character))
        {
            self.refuse(
                field,
                "must not have control characters other than line breaks and tabs",
            );
        }
    }

    /// At most 20 short lines.
    pub(crate) fn words(&mut self, field: &'static str, words: &[String]) {
        if words.len() > 20 {
            self.refuse(field, "must be at most 20");
        }
        for word in words {
            self.line(field, word, LONGEST_WORD);
        }
    }

    /// An address that is safe to follow.
    pub(crate) fn url(&mut self, field: &'static str, url: &str, schemes: &[&str]) {
        let is_plain = url.chars().count() <= LONGEST_URL
            && !url.contains(|character: char| character.is_whitespace() || character.is_control());
        let is_of_scheme = url.split_once(':').is_some_and(|(scheme, rest)| {
            schemes.contains(&scheme.to_ascii_lowercase().as_str())
                && (scheme.eq_ignore_ascii_case("mailto") || rest.starts_with("//"))
                && rest.trim_start_matches('/').chars().nth(1).is_some()
        });
        if !is_plain || !is_of_scheme {
            self.refuse(
                field,
                format!(
                    "must be an address that begins with one of: {}",
                    schemes.join(", ")
                ),
            );
        }
    }

    /// At most 20 links.
    pub(crate) fn links(&mut self, links: &[Link]) {
        if links.len() > 20 {
            self.refuse("links", "must be at most 20");
        }
        for link in links {
            self.line("links", &link.label, 100);
            self.url("links", &link.url, &["https", "http", "mailto"]);
        }
    }
}
