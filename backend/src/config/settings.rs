//! Every setting: its key in the file, its variable, what it is and what it may be.

use std::fmt::Write as _;

use tracing::level_filters::LevelFilter;

use super::Config;
use crate::timestamp::is_timestamp;

/// One setting.
pub(super) struct Setting {
    /// Its key in the configuration file.
    pub(super) key: &'static str,
    /// Its environment variable.
    pub(super) variable: &'static str,
    /// What it is, in a line of `--help`.
    pub(super) about: &'static str,
    /// What its value may be, as the end of "must be".
    pub(super) expected: &'static str,
    /// Whether its value is shown to nobody.
    pub(super) is_secret: bool,
    /// Puts a value into the configuration, unless it cannot be.
    pub(super) take: fn(&str, &mut Config) -> Option<()>,
    /// The value in the configuration, in the form in which it is taken.
    pub(super) show: fn(&Config) -> Option<String>,
}

/// All of them, in the order in which they are shown.
pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        variable: "PORTFOLIO_LISTEN",
        about: "where to listen",
        expected: "an IP address and a port, such as 0.0.0.0:8080 or [::1]:8080",
        is_secret: false,
        take: |value, config| put(&mut config.listen, value.parse().ok()),
        show: |config| Some(config.listen.to_string()),
    },
    Setting {
        key: "database",
        variable: "PORTFOLIO_DATABASE",
        about: "the SQLite file",
        expected: "the path of a file",
        is_secret: false,
        take: |value, config| put(&mut config.database, Some(value.into())),
        show: |config| Some(config.database.display().to_string()),
    },
    Setting {
        key: "commit",
        variable: "PORTFOLIO_COMMIT",
        about: "the commit that /version shows",
        expected: "a commit id of 7 to 64 hexadecimal digits, which `-dirty` may follow",
        is_secret: false,
        take: |value, config| put(&mut config.build.commit, commit(value).map(Some)),
        show: |config| config.build.commit.clone(),
    },
    Setting {
        key: "built-at",
        variable: "PORTFOLIO_BUILT_AT",
        about: "the build time that /version shows",
        expected: "a time as in RFC 3339, such as 2026-01-31T09:30:00Z",
        is_secret: false,
        take: |value, config| {
            let time = is_timestamp(value).then(|| value.to_owned());
            put(&mut config.build.built_at, time.map(Some))
        },
        show: |config| config.build.built_at.clone(),
    },
    Setting {
        key: "log",
        variable: "PORTFOLIO_LOG",
        about: "the least important level that is logged",
        expected: "error, warn, info or debug",
        is_secret: false,
        take: |value, config| put(&mut config.log, level(value)),
        show: |config| Some(config.log.to_string()),
    },
];

/// The setting of this key.
pub(super) fn of_key(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The setting of this variable.
pub(super) fn of_variable(variable: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.variable == variable)
}

/// Every setting in a table: variable, what it is, its default.
pub fn list() -> String {
    let defaults = Config::default();
    let mut list = String::new();
    for setting in SETTINGS {
        let default = match (setting.show)(&defaults) {
            Some(value) => format!(" [default: {value}]"),
            None => String::new(),
        };
        // Writing into a string does not fail.
        let _ = writeln!(
            list,
            "  {:<28} {}{default}",
            setting.variable, setting.about
        );
    }
    list
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn commit(value: &str) -> Option<String> {
    let id = value.strip_suffix("-dirty").unwrap_or(value);
    let is_id = (7..=64).contains(&id.len()) && id.chars().all(|digit| digit.is_ascii_hexdigit());
    is_id.then(|| value.to_owned())
}

fn level(value: &str) -> Option<LevelFilter> {
    match value {
        "error" => Some(LevelFilter::ERROR),
        "warn" => Some(LevelFilter::WARN),
        "info" => Some(LevelFilter::INFO),
        "debug" => Some(LevelFilter::DEBUG),
        _ => None,
    }
}
