//! `[check]`: what `longshore check` leaves out, and what it accepts until when.

use jiff::civil::Date;
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::ConfigurationError;

/// `[check]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckTable {
    /// Files and directories that are not looked at, relative to
    /// `longshore.toml`, with `/`.
    pub exclude: Vec<String>,
    /// Findings that are accepted.
    pub suppress: Vec<SuppressTable>,
}

/// `[[check.suppress]]`: findings that are accepted, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuppressTable {
    /// The id of the rule, with its place in the file.
    pub rule: Spanned<String>,
    /// Only findings about this subject, as the report names it.
    pub subject: Option<String>,
    /// Only findings in this file, as the report names it.
    pub file: Option<String>,
    /// Why: never empty.
    pub reason: String,
    /// The last day on which they are accepted: a TOML date, or one in quotes.
    #[serde(deserialize_with = "date")]
    pub expires: Date,
}

impl CheckTable {
    pub(super) fn check(&self) -> Result<(), ConfigurationError> {
        let wrong = |key, reason: String| Err(ConfigurationError::Value { key, reason });
        let outside = |path: &&String| {
            let path = path.strip_suffix('/').unwrap_or(path);
            path.split('/').any(|part| matches!(part, "" | "." | ".."))
        };
        if let Some(path) = self.exclude.iter().find(outside) {
            return wrong(
                "check.exclude",
                format!("must list paths below longshore.toml, such as `fixtures`, not `{path}`"),
            );
        }
        let silent = |table: &&SuppressTable| table.reason.trim().is_empty();
        if let Some(table) = self.suppress.iter().find(silent) {
            return wrong(
                "check.suppress.reason",
                format!(
                    "of `{}` is empty: say why the finding is accepted",
                    table.rule.get_ref()
                ),
            );
        }
        Ok(())
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Toml(toml::value::Datetime),
        Text(String),
    }
    let text = match Written::deserialize(deserializer) {
        Ok(Written::Toml(date)) => date.to_string(),
        Ok(Written::Text(text)) => text,
        Err(_) => String::new(),
    };
    text.parse().map_err(|_| {
        serde::de::Error::custom("`expires` must be a day, such as 2027-01-31, without a time")
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::{Configuration, ConfigurationError};

    fn parse(check: &str) -> Result<Configuration, ConfigurationError> {
        Configuration::parse(&format!("[image]\npackage = \"api\"\n{check}"))
    }

    fn suppress(line: &str) -> String {
        format!("[[check.suppress]]\nrule = \"trust-name-only\"\n{line}\n")
    }

    #[test]
    fn a_date_is_taken_with_and_without_quotes() {
        for written in ["2027-01-31", "\"2027-01-31\""] {
            let text = suppress(&format!("reason = \"r\"\nexpires = {written}"));
            let configuration = parse(&text).unwrap();
            let table = &configuration.check.suppress[0];
            assert_eq!(table.expires, date(2027, 1, 31));
            assert_eq!(table.rule.get_ref(), "trust-name-only");
        }
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        for (text, word) in [
            (suppress("expires = 2027-01-31"), "reason"),
            (suppress("reason = \"r\""), "expires"),
            (suppress("reason = \"r\"\nexpires = 2027-02-30"), "date"),
            (suppress("reason = \"r\"\nexpires = 7"), "2027-01-31"),
            (suppress("reason = \"r\"\nexpires = \"soon\""), "2027-01-31"),
            (
                suppress("reason = \" \"\nexpires = 2027-01-31"),
                "check.suppress.reason",
            ),
            (
                "[check]\nexclude = [\"../x\"]\n".to_owned(),
                "check.exclude",
            ),
            ("[check]\nexclude = [\"\"]\n".to_owned(), "check.exclude"),
            ("[check]\nexlude = []\n".to_owned(), "exlude"),
        ] {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
