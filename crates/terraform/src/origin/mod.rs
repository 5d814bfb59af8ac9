//! Where a value is written: the spot in a file for each part of it, through
//! references, data sources, `jsonencode` and texts of JSON.
//!
//! A value tells what something is; its origin tells where to change it.

mod block;
mod document;
mod follow;
mod json;
mod policy;
mod spot;
mod text;

use std::ops::Range;
use std::sync::Arc;

use crate::place::{Place, SourceText};

pub(crate) use follow::Site;
use follow::Wanted;
pub use policy::PolicyPart;
pub use spot::Spot;

/// Where a value is written, with the origins of its parts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    written: Written,
    /// What it is worth, if that is a text, a number or a bool.
    worth: Option<String>,
    parts: Parts,
}

/// The parts of a list or an object.
#[derive(Debug, Clone, Default, PartialEq)]
enum Parts {
    /// It has none, or where they are written cannot be told.
    #[default]
    None,
    List(Vec<Origin>),
    /// In the order written. A name can come twice: blocks repeat theirs.
    Object(Vec<Entry>),
}

/// One entry of an object, or one attribute or block.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    key: String,
    /// The key alone.
    name: Written,
    /// Key and value.
    whole: Written,
    value: Origin,
}

/// A range of a file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Written {
    source: Arc<SourceText>,
    range: Range<usize>,
    form: Form,
}

/// How a value is written, which decides how another is written in its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    /// Not as itself: an expression that gives it.
    #[default]
    Computed,
    /// A literal of the language.
    Terraform,
    /// An identifier that names a key.
    Identifier,
    /// JSON in a file of its own.
    Json,
    /// JSON in a template, where `${` is escaped.
    JsonInTemplate,
    /// JSON in a quoted string.
    JsonInString,
}

impl Origin {
    /// The spot as a whole. For a reference that was followed, this is where
    /// the reference leads.
    pub fn spot(&self) -> Spot {
        self.written.spot()
    }

    /// Where it begins.
    pub fn place(&self) -> Place {
        self.written.place()
    }

    /// The origin under a key: of an object's entry, an attribute, or the first
    /// block of a name.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries(key).next().map(|entry| &entry.value)
    }

    /// The origin of the element at a position.
    pub fn at(&self, index: usize) -> Option<&Self> {
        match &self.parts {
            Parts::List(items) => items.get(index),
            Parts::None | Parts::Object(_) => None,
        }
    }

    /// What it is worth, if that is known and is a text, a number or a bool.
    pub fn text(&self) -> Option<&str> {
        self.worth.as_deref()
    }

    /// The element that is worth this text, or the value itself if it is.
    pub fn worth(&self, text: &str) -> Option<&Self> {
        match &self.parts {
            Parts::None | Parts::Object(_) => (self.worth.as_deref() == Some(text)).then_some(self),
            Parts::List(items) => items.iter().find_map(|item| item.worth(text)),
        }
    }

    /// Where the entry of a key begins.
    pub(crate) fn place_of(&self, key: &str) -> Option<Place> {
        let entry = self.entries(key).next()?;
        Some(entry.whole.place())
    }

    /// The value of the entry of a key at a position among those of the key.
    pub(crate) fn entry_at(&self, key: &str, index: usize) -> Option<&Self> {
        self.entries(key).nth(index).map(|entry| &entry.value)
    }

    fn entries<'o, 'k>(&'o self, key: &'k str) -> impl Iterator<Item = &'o Entry> + use<'o, 'k> {
        let entries = match &self.parts {
            Parts::Object(entries) => entries.as_slice(),
            Parts::None | Parts::List(_) => &[],
        };
        entries.iter().filter(move |entry| entry.key == key)
    }

    fn new(written: Written, parts: Parts) -> Self {
        Self {
            written,
            worth: None,
            parts,
        }
    }

    fn leaf(written: Written, worth: Option<String>) -> Self {
        Self {
            written,
            worth,
            parts: Parts::None,
        }
    }

    /// Replaces what texts are worth, here and in the parts.
    fn map_worth(&mut self, map: &dyn Fn(&str) -> String) {
        self.worth = self.worth.take().map(|text| map(&text));
        match &mut self.parts {
            Parts::None => {}
            Parts::List(items) => items.iter_mut().for_each(|item| item.map_worth(map)),
            Parts::Object(entries) => entries
                .iter_mut()
                .for_each(|entry| entry.value.map_worth(map)),
        }
    }
}
