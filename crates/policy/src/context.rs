//! Condition keys of one request.

use std::collections::BTreeMap;

/// The condition keys of a request, each with one value or many.
///
/// Key names are case-insensitive, values are not (IAM User Guide, "Condition").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    values: BTreeMap<String, Vec<String>>,
}

impl Context {
    /// A context without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key to one value, in place of what it held.
    pub fn insert(&mut self, key: &str, value: impl Into<String>) {
        self.insert_many(key, vec![value.into()]);
    }

    /// Sets a key to many values, in place of what it held.
    pub fn insert_many(&mut self, key: &str, values: Vec<String>) {
        self.values.insert(key.to_ascii_lowercase(), values);
    }

    /// The values of a key; `None` when the request does not carry it.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.values
            .get(&key.to_ascii_lowercase())
            .map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::Context;

    #[test]
    fn key_names_ignore_case_and_values_keep_it() {
        let mut context = Context::new();
        context.insert("Token.Actions:SUB", "Repo:A");
        assert_eq!(
            context.get("token.actions:sub"),
            Some(&["Repo:A".to_owned()][..])
        );
        assert_eq!(context.get("token.actions:aud"), None);
    }
}
