//! Where in a policy text something stands.

use super::json::{Json, Node};

/// A piece of the text, quotes and brackets included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Place {
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column of its first character, in characters, from 1.
    pub column: usize,
    /// First byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
}

/// One step from the top of a document towards a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(untagged)]
pub enum Step {
    /// Into the value of that name.
    Name(String),
    /// Into a list. What stands without a list, as AWS permits for one statement
    /// and for one value, is its own item 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Where everything in one policy text stands. Made by
/// [`Document::parse_located`](super::Document::parse_located) beside the
/// document, which knows nothing of places and so compares by what it says.
#[derive(Debug)]
pub struct Places {
    root: Node,
}

impl Places {
    pub(super) fn new(root: Node) -> Self {
        Self { root }
    }

    /// The value at the end of a path, such as `["Statement".into(), 0.into(),
    /// "Action".into(), 1.into()]`.
    pub fn at(&self, path: &[Step]) -> Option<Place> {
        self.node(path).map(|node| node.place)
    }

    /// The name that leads to the value at the end of a path: of an element, of
    /// an operator, or of a condition key.
    pub fn name_at(&self, path: &[Step]) -> Option<Place> {
        let (last, parent) = path.split_last()?;
        let Step::Name(last) = last else { return None };
        let Json::Object(entries) = &self.node(parent)?.value else {
            return None;
        };
        let entry = entries.iter().find(|entry| entry.name == *last)?;
        Some(entry.name_place)
    }

    /// The statement with that index.
    pub fn statement(&self, index: usize) -> Option<Place> {
        self.at(&["Statement".into(), index.into()])
    }

    /// The value of an element of a statement, such as `Effect`.
    pub fn element(&self, statement: usize, name: &str) -> Option<Place> {
        self.at(&["Statement".into(), statement.into(), name.into()])
    }

    /// The name of a condition operator, as written.
    pub fn operator(&self, statement: usize, operator: &str) -> Option<Place> {
        self.name_at(&condition(statement, operator))
    }

    /// The name of a condition key under an operator, both as written.
    pub fn key(&self, statement: usize, operator: &str, key: &str) -> Option<Place> {
        let mut path = condition(statement, operator);
        path.push(key.into());
        self.name_at(&path)
    }

    /// One value of a condition key under an operator, both as written.
    pub fn value_position(
        &self,
        statement: usize,
        operator: &str,
        key: &str,
        value: usize,
    ) -> Option<Place> {
        let mut path = condition(statement, operator);
        path.extend([key.into(), value.into()]);
        self.at(&path)
    }

    fn node(&self, path: &[Step]) -> Option<&Node> {
        path.iter()
            .try_fold(&self.root, |node, step| node.child(step))
    }
}

fn condition(statement: usize, operator: &str) -> Vec<Step> {
    vec![
        "Statement".into(),
        statement.into(),
        "Condition".into(),
        operator.into(),
    ]
}

impl Node {
    fn child(&self, step: &Step) -> Option<&Self> {
        match (step, &self.value) {
            (Step::Name(name), Json::Object(entries)) => entries
                .iter()
                .find(|entry| entry.name == *name)
                .map(|entry| &entry.value),
            (Step::Index(index), Json::List(items)) => items.get(*index),
            (Step::Index(0), _) => Some(self),
            _ => None,
        }
    }

    /// The path to the value, or to the name, that begins at that byte.
    pub(super) fn path_to(&self, start: usize) -> Vec<Step> {
        let mut path = Vec::new();
        let mut node = self;
        while node.place.start != start {
            let next = match &node.value {
                Json::Object(entries) => entries
                    .iter()
                    .find(|entry| start < entry.value.place.end)
                    .map(|entry| (entry.name.as_str().into(), &entry.value)),
                Json::List(items) => items
                    .iter()
                    .enumerate()
                    .find(|(_, item)| start < item.place.end)
                    .map(|(index, item)| (index.into(), item)),
                _ => None,
            };
            let Some((step, child)) = next else { break };
            // A single statement needs no list and is still the first one.
            let single_statement = path.is_empty()
                && step == Step::from("Statement")
                && matches!(child.value, Json::Object(_));
            path.push(step);
            if single_statement {
                path.push(Step::Index(0));
            }
            if start < child.place.start {
                break;
            }
            node = child;
        }
        path
    }
}

/// A path as people read it: `Statement[0].Action[1]`.
pub(crate) fn path_text(path: &[Step]) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for step in path {
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Name(name) if text.is_empty() => write!(text, "{name}"),
            Step::Name(name) => write!(text, ".{name}"),
            Step::Index(index) => write!(text, "[{index}]"),
        };
    }
    if text.is_empty() {
        text.push_str("policy");
    }
    text
}
