//! Policy variables: `${key}`, `${key, 'default'}`, `${*}`, `${?}`, `${$}`
//! (IAM User Guide, "IAM policy elements: Variables and tags").

use super::Pattern;
use crate::{Context, Version};

/// A text of a policy with its variables put in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expanded {
    /// For exact comparison: wildcards are plain characters.
    pub(crate) text: String,
    /// For wildcard comparison. Characters that came out of a variable are
    /// literal, so that a tag with a `*` in its value widens nothing (inferred).
    pub(crate) pattern: Pattern,
}

impl Expanded {
    fn push_wildcards(&mut self, text: &str) {
        self.text.push_str(text);
        self.pattern.push_wildcards(text);
    }

    fn push_literal(&mut self, text: &str) {
        self.text.push_str(text);
        self.pattern.push_literal(text);
    }
}

/// Puts the variables of `text` in. `None` when one has neither a single value
/// in the request nor a default. Before version 2012-10-17, and for `${` that
/// is never closed, the text stands for itself.
pub(crate) fn expand(text: &str, version: Version, context: &Context) -> Option<Expanded> {
    let mut expanded = Expanded::default();
    let mut rest = text;
    if version == Version::V2012 {
        while let Some((before, name, after)) = next_variable(rest) {
            expanded.push_wildcards(before);
            expanded.push_literal(&value(name, context)?);
            rest = after;
        }
    }
    expanded.push_wildcards(rest);
    Some(expanded)
}

fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, opened) = text.split_once("${")?;
    let (name, after) = opened.split_once('}')?;
    Some((before, name, after))
}

fn value(variable: &str, context: &Context) -> Option<String> {
    if matches!(variable, "*" | "?" | "$") {
        return Some(variable.to_owned());
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key, quoted(default)),
        None => (variable, None),
    };
    match context.get(key.trim()) {
        // A key with many values cannot stand for one text.
        Some([single]) => Some(single.clone()),
        Some(_) => None,
        None => default.map(str::to_owned),
    }
}

fn quoted(text: &str) -> Option<&str> {
    text.trim().strip_prefix('\'')?.strip_suffix('\'')
}

#[cfg(test)]
mod tests {
    use super::{Context, Version, expand};

    fn context() -> Context {
        let mut context = Context::new();
        context.insert("aws:PrincipalTag/team", "a*b");
        context.insert_many("aws:TagKeys", vec!["x".into(), "y".into()]);
        context
    }

    fn text(policy: &str) -> Option<String> {
        expand(policy, Version::V2012, &context()).map(|expanded| expanded.text)
    }

    #[test]
    fn variables_take_the_value_the_default_or_nothing() {
        assert_eq!(text("p/${aws:principaltag/TEAM}/x"), Some("p/a*b/x".into()));
        assert_eq!(text("${aws:absent, 'none'}!"), Some("none!".into()));
        assert_eq!(text("${aws:PrincipalTag/team, 'none'}"), Some("a*b".into()));
        assert_eq!(text("${aws:absent}"), None);
        assert_eq!(text("${aws:absent, none}"), None);
        assert_eq!(text("${aws:TagKeys}"), None);
        assert_eq!(text("${*}${?}${$}"), Some("*?$".into()));
        assert_eq!(text("a${unclosed"), Some("a${unclosed".into()));
    }

    #[test]
    fn substituted_and_escaped_wildcards_are_literal() {
        let expanded = expand("${aws:PrincipalTag/team}${*}*", Version::V2012, &context()).unwrap();
        assert!(expanded.pattern.matches("a*b*zzz"));
        assert!(!expanded.pattern.matches("aXb*zzz"));
    }

    #[test]
    fn version_2008_has_no_variables() {
        let expanded = expand("${aws:absent}", Version::V2008, &context()).unwrap();
        assert_eq!(expanded.text, "${aws:absent}");
    }
}
