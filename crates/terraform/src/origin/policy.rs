//! The parts of a policy document, by the names that the document gives them.

use super::{Entry, Origin, Parts, Spot};

/// A part of a policy document. Positions count statements from 0; names,
/// operators, keys and values are as the document writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyPart<'a> {
    /// A whole statement.
    Statement(usize),
    /// What an element such as `Action` holds.
    Element(usize, &'a str),
    /// One of the values of an element; for a principal its identifier.
    ElementValue(usize, &'a str, &'a str),
    /// The operator of a condition: `StringEquals`.
    Operator(usize, &'a str, &'a str),
    /// The key of a condition: statement, operator, key.
    Key(usize, &'a str, &'a str),
    /// All values under an operator and a key.
    Values(usize, &'a str, &'a str),
    /// One of these values: statement, operator, key, value.
    Value(usize, &'a str, &'a str, &'a str),
}

impl Origin {
    /// Where a part of a policy document is written, for the origin of the
    /// document. Where that cannot be told, the nearest spot that can, with
    /// `literal` false.
    pub fn policy_part(&self, part: PolicyPart<'_>) -> Spot {
        match part {
            PolicyPart::Statement(index) => match self.statement(index) {
                Some(statement) => statement.spot(),
                None => self.spot().nearest(),
            },
            PolicyPart::Element(index, name) => self.element(index, name),
            PolicyPart::ElementValue(index, name, value) => {
                let entries = self.statement(index).into_iter();
                entries
                    .flat_map(|statement| statement.entries(name))
                    .find_map(|entry| entry.value.named(value))
                    .map_or_else(|| self.element(index, name).nearest(), Origin::spot)
            }
            PolicyPart::Operator(index, operator, key) => self
                .condition(index, operator, key)
                .map_or_else(|| self.nearest(index), |(over, _)| over.name.spot()),
            PolicyPart::Key(index, operator, key) => self
                .condition(index, operator, key)
                .map_or_else(|| self.nearest(index), |(_, under)| under.name.spot()),
            PolicyPart::Values(index, operator, key) => self
                .condition(index, operator, key)
                .map_or_else(|| self.nearest(index), |(_, under)| under.value.spot()),
            PolicyPart::Value(index, operator, key, value) => {
                match self.condition(index, operator, key) {
                    None => self.nearest(index),
                    Some((_, under)) => match under.value.worth(value) {
                        Some(found) => found.spot(),
                        None => under.value.spot().nearest(),
                    },
                }
            }
        }
    }

    /// One condition as a whole: its block, or its key with the values.
    pub fn policy_condition(&self, index: usize, operator: &str, key: &str) -> Spot {
        match self.condition(index, operator, key) {
            Some((_, under)) => under.whole.spot(),
            None => self.nearest(index),
        }
    }

    fn statement(&self, index: usize) -> Option<&Self> {
        let statements = self.get("Statement")?;
        match (&statements.parts, index) {
            (Parts::Object(_), 0) => Some(statements),
            _ => statements.at(index),
        }
    }

    fn element(&self, index: usize, name: &str) -> Spot {
        let statement = self.statement(index);
        match statement.and_then(|statement| statement.get(name)) {
            Some(element) => element.spot(),
            None => self.nearest(index),
        }
    }

    /// The statement, for a part of it that has no spot of its own.
    fn nearest(&self, index: usize) -> Spot {
        self.policy_part(PolicyPart::Statement(index)).nearest()
    }

    /// The operator's entry and the key's below it. Blocks repeat operators.
    fn condition(&self, index: usize, operator: &str, key: &str) -> Option<(&Entry, &Entry)> {
        let conditions = self.statement(index)?.get("Condition")?;
        let Parts::Object(operators) = &conditions.parts else {
            return None;
        };
        operators
            .iter()
            .filter(|entry| entry.key == operator)
            .find_map(|over| match &over.value.parts {
                Parts::Object(keys) => {
                    let under = keys.iter().find(|entry| entry.key == key)?;
                    Some((over, under))
                }
                Parts::None | Parts::List(_) => None,
            })
    }

    /// The value of this text, also one level down, where principals keep
    /// their identifiers.
    fn named(&self, value: &str) -> Option<&Self> {
        match &self.parts {
            Parts::Object(entries) => entries.iter().find_map(|entry| entry.value.worth(value)),
            Parts::None | Parts::List(_) => self.worth(value),
        }
    }
}
