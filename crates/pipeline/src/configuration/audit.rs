//! `[audit]`: what known flaws of packages mean for a publish.

use serde::Deserialize;

use super::{ConfigurationError, wrong};

/// `[audit]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditTable {
    /// What an advisory about a package that was compiled does.
    pub advisories: AdvisoryLevel,
    /// A directory, relative to `longshore.toml`, or the address of a repository;
    /// RustSec's own where nothing is said.
    pub database: Option<String>,
    /// Advisories that count for nothing here.
    pub ignore: Vec<IgnoreTable>,
}

/// What an advisory does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdvisoryLevel {
    /// Nobody looks.
    #[default]
    Off,
    /// It is shown.
    Warn,
    /// A vulnerability ends the publish; what is merely unmaintained or unsound is
    /// shown.
    Deny,
}

/// An entry of `audit.ignore`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreTable {
    /// `RUSTSEC-YYYY-NNNN`.
    pub id: String,
    /// Why: never empty.
    pub reason: String,
}

impl AuditTable {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        for IgnoreTable { id, reason } in &self.ignore {
            if !id.starts_with("RUSTSEC-") {
                let reason = format!("must be like `RUSTSEC-2020-0071`, not `{id}`");
                return wrong("audit.ignore.id", &reason);
            }
            if reason.trim().is_empty() {
                let reason = format!("of `{id}` is empty: say why it counts for nothing");
                return wrong("audit.ignore.reason", &reason);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::configuration::Configuration;

    #[test]
    fn an_advisory_is_ignored_by_its_id_and_with_a_reason() {
        let parse = |audit: &str| {
            let text = format!("[image]\npackage = \"api\"\n[audit]\n{audit}\n");
            Configuration::parse(&text).map_err(|error| error.to_string())
        };
        let entry = |id: &str, reason: &str| {
            parse(&format!(
                "ignore = [{{ id = \"{id}\", reason = \"{reason}\" }}]"
            ))
        };
        assert_eq!(
            entry("RUSTSEC-2020-0071", "why")
                .unwrap()
                .audit
                .ignore
                .len(),
            1
        );
        for (refused, word) in [
            (entry("CVE-2020-1", "why"), "RUSTSEC-2020-0071"),
            (entry("RUSTSEC-2020-0071", " "), "audit.ignore.reason"),
            (parse("advisories = \"forbid\""), "`deny`"),
        ] {
            let error = refused.unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
