//! A near miss before it is written down.

use super::kind::MissKind;

/// One thing that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Miss {
    pub(super) kind: MissKind,
    pub(super) sentence: String,
    /// What the caller has.
    pub(super) seen: Option<String>,
    /// What comes nearest.
    pub(super) wanted: Option<String>,
    pub(super) remedy: Remedy,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing that a policy could change; in words.
    Words(String),
    /// A change of the statement, and its reason in words.
    Change(String, Change),
}

/// A change of one statement, by the names and values as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// One more value, or several, under an operator and key.
    AddValues {
        operator: String,
        key: String,
        values: Vec<String>,
    },
    /// Other values in the place of one.
    ReplaceValue {
        operator: String,
        key: String,
        old: String,
        values: Vec<String>,
    },
    /// Another condition key.
    ReplaceKey {
        operator: String,
        key: String,
        new: String,
    },
    /// Another action in the place of one.
    ReplaceAction { old: String, new: String },
    /// Another provider in the place of one.
    ReplacePrincipal { old: String, new: String },
}

impl Miss {
    /// A miss without values to compare.
    pub(super) fn new(
        kind: MissKind,
        sentence: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
            seen: None,
            wanted: None,
            remedy: Remedy::Words(advice.into()),
        }
    }

    /// The two values that were compared.
    #[must_use]
    pub(super) fn comparing(mut self, seen: impl Into<String>, wanted: impl Into<String>) -> Self {
        self.seen = Some(seen.into());
        self.wanted = Some(wanted.into());
        self
    }

    /// With a change instead of advice only; the advice gives its reason.
    #[must_use]
    pub(super) fn with(mut self, change: Change) -> Self {
        let (Remedy::Words(reason) | Remedy::Change(reason, _)) = self.remedy;
        self.remedy = Remedy::Change(reason, change);
        self
    }
}

/// Values as people read them: `` `a`, `b` or `c` ``.
pub(super) fn list(values: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = values
        .iter()
        .map(|value| format!("`{}`", value.as_ref()))
        .collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
