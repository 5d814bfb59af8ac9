//! What a binary or an image is made from, as a value: names, and for each the
//! digest or the text that it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use oci::Digest;
use serde::{Deserialize, Serialize};

/// The inputs document: equal documents mean an equal result.
///
/// Names have a kind and, after a colon, what is meant: `file:src/main.rs`,
/// `crate:serde@1.0.228`, `environment:CC`. Paths are relative to the workspace.
/// Values of the environment are digests: they may be secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Inputs(BTreeMap<String, String>);

/// One input that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// What it was; none where it is new.
    pub before: Option<String>,
    /// What it is; none where it is gone.
    pub after: Option<String>,
}

impl<Name: Into<String>, Value: Into<String>> FromIterator<(Name, Value)> for Inputs {
    fn from_iter<Pairs: IntoIterator<Item = (Name, Value)>>(pairs: Pairs) -> Self {
        let pairs = pairs.into_iter();
        Self(
            pairs
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl Inputs {
    /// Adds an input.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of an input.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Adds all inputs of `other`.
    pub fn extend(&mut self, other: &Self) {
        let pairs = other.0.iter();
        self.0
            .extend(pairs.map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Those of one kind: whose names begin with it and a colon.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Self {
        let own = |name: &str| {
            name.strip_prefix(kind)
                .is_some_and(|rest| rest.starts_with(':'))
        };
        let pairs = self.0.iter().filter(|(name, _)| own(name));
        pairs.map(|(name, value)| (&**name, &**value)).collect()
    }

    /// What several results are made from together: an input that all have with the
    /// same value stands once, any other stands behind the name of each that has it,
    /// divided by a blank.
    pub fn united(named: &[(String, &Self)]) -> Self {
        let mut united = Self::default();
        for (name, inputs) in named {
            for (key, value) in &inputs.0 {
                let mut all = named.iter();
                if all.all(|(_, other)| other.0.get(key) == Some(value)) {
                    united.insert(&**key, &**value);
                } else {
                    united.insert(format!("{name} {key}"), &**value);
                }
            }
        }
        united
    }

    /// Those of the result called `name`, of all that [`Self::united`] put together, whose
    /// names are `all`.
    #[must_use]
    pub fn of_one(&self, name: &str, all: &[&str]) -> Self {
        let mut own = Self::default();
        for (key, value) in &self.0 {
            let behind = |name: &str| key.strip_prefix(name)?.strip_prefix(' ');
            match all.iter().find_map(|one| Some((*one, behind(one)?))) {
                Some((of, key)) if of == name => own.insert(key, &**value),
                Some(_) => {}
                None => own.insert(&**key, &**value),
            }
        }
        own
    }

    /// The document: JSON, sorted by name, without blanks.
    pub fn document(&self) -> Vec<u8> {
        // A map of texts is always JSON.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }

    /// The document that [`Self::document`] wrote.
    pub fn parse(document: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(document)
    }

    /// The digest of the document.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.document())
    }

    /// What differs from `before`, by name.
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let names: BTreeSet<_> = self.0.keys().chain(before.0.keys()).collect();
        names
            .into_iter()
            .map(|name| Change {
                name: name.clone(),
                before: before.0.get(name).cloned(),
                after: self.0.get(name).cloned(),
            })
            .filter(|change| change.before != change.after)
            .collect()
    }
}

/// What a compile was seen to look at besides the trees of its packages.
///
/// The names are a function of the inputs: where all inputs that they name are
/// equal, a compile would name the same. So those of an earlier compile, on
/// whatever machine, tell whether anything has changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// Files and directories, relative to the workspace where they lie in it.
    pub files: BTreeSet<String>,
    /// Variables of the environment.
    pub environment: BTreeSet<String>,
    /// Shared objects that the program loads, where they are packed with it: where each
    /// is, relative to the workspace where it lies in it, by its path in the image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub libraries: BTreeMap<String, PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(pairs: &[(&str, &str)]) -> Inputs {
        pairs.iter().copied().collect()
    }

    #[test]
    fn changes_are_named_with_what_was_and_what_is() {
        let before = inputs(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = inputs(&[("a", "1"), ("b", "2"), ("d", "1")]);
        let text = |text: &str| Some(text.to_owned());
        let change = |name: &str, before, after| Change {
            name: name.to_owned(),
            before,
            after,
        };
        assert_eq!(
            after.changes_since(&before),
            [
                change("b", text("1"), text("2")),
                change("c", text("1"), None),
                change("d", None, text("1")),
            ]
        );
        assert_eq!(after.changes_since(&after), []);
    }

    #[test]
    fn what_several_have_in_common_stands_once() {
        let one = inputs(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let other = inputs(&[("a", "1"), ("b", "2")]);
        let united = Inputs::united(&[("x".to_owned(), &one), ("y".to_owned(), &other)]);
        let expected = inputs(&[("a", "1"), ("x b", "1"), ("y b", "2"), ("x c", "1")]);
        assert_eq!(united, expected);
        assert_eq!(united.of_one("x", &["x", "y"]), one);
        assert_eq!(united.of_one("y", &["x", "y"]), other);
    }

    #[test]
    fn a_document_is_read_back_and_its_digest_is_that_of_its_bytes() {
        let inputs = inputs(&[("file:b", "2"), ("file:a", "1")]);
        let document = inputs.document();
        assert_eq!(document, br#"{"file:a":"1","file:b":"2"}"#);
        assert_eq!(Inputs::parse(&document).unwrap(), inputs);
        assert_eq!(inputs.digest(), Digest::of(&document));
    }
}
