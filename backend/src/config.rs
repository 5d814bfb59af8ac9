//! The configuration: what the variables `PORTFOLIO_*` say, as values.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tracing::level_filters::LevelFilter;

use crate::timestamp::is_timestamp;

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Where the database is, or will be.
    pub database: PathBuf,
    /// What this build says about itself.
    pub build: Build,
    /// The least important level that is logged.
    pub log: LevelFilter,
}

/// What this build says about itself at `/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The commit that it was built from, in hexadecimal.
    pub commit: Option<String>,
    /// When it was built (RFC 3339).
    pub built_at: Option<String>,
}

/// A variable with a value that it cannot have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} must be {expected}, not `{}`", value.escape_debug())]
pub struct ConfigError {
    /// The variable.
    pub variable: &'static str,
    /// What its value may be.
    pub expected: &'static str,
    /// Its value.
    pub value: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            database: PathBuf::from("data/portfolio.sqlite"),
            build: Build::default(),
            log: LevelFilter::INFO,
        }
    }
}

impl Config {
    /// Reads the configuration from environment variables. One that is empty counts
    /// as not set. Others are not looked at, `PORTFOLIO_*` included: orchestrators
    /// add variables named after a service (`PORTFOLIO_SERVICE_HOST`).
    ///
    /// # Errors
    /// The first variable whose value it cannot have.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for (name, value) in variables {
            if value.is_empty() {
                continue;
            }
            match name.to_str() {
                Some("PORTFOLIO_LISTEN") => config.listen = listen(&value)?,
                Some("PORTFOLIO_DATABASE") => config.database = value.into(),
                Some("PORTFOLIO_COMMIT") => config.build.commit = Some(commit(&value)?),
                Some("PORTFOLIO_BUILT_AT") => config.build.built_at = Some(built_at(&value)?),
                Some("PORTFOLIO_LOG") => config.log = log(&value)?,
                _ => {}
            }
        }
        Ok(config)
    }
}

fn listen(value: &OsStr) -> Result<SocketAddr, ConfigError> {
    judge(
        "PORTFOLIO_LISTEN",
        "an IP address and a port, such as 0.0.0.0:8080 or [::1]:8080",
        value,
        |text| text.parse().ok(),
    )
}

fn commit(value: &OsStr) -> Result<String, ConfigError> {
    let is_id = |id: &str| {
        (7..=64).contains(&id.len()) && id.chars().all(|digit| digit.is_ascii_hexdigit())
    };
    judge(
        "PORTFOLIO_COMMIT",
        "a commit id of 7 to 64 hexadecimal digits, which `-dirty` may follow",
        value,
        |text| is_id(text.strip_suffix("-dirty").unwrap_or(text)).then(|| text.to_owned()),
    )
}

fn built_at(value: &OsStr) -> Result<String, ConfigError> {
    judge(
        "PORTFOLIO_BUILT_AT",
        "a time as in RFC 3339, such as 2026-01-31T09:30:00Z",
        value,
        |text| is_timestamp(text).then(|| text.to_owned()),
    )
}

fn log(value: &OsStr) -> Result<LevelFilter, ConfigError> {
    judge(
        "PORTFOLIO_LOG",
        "error, warn, info or debug",
        value,
        |text| match text {
            "error" => Some(LevelFilter::ERROR),
            "warn" => Some(LevelFilter::WARN),
            "info" => Some(LevelFilter::INFO),
            "debug" => Some(LevelFilter::DEBUG),
            _ => None,
        },
    )
}

fn judge<T>(
    variable: &'static str,
    expected: &'static str,
    value: &OsStr,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, ConfigError> {
    value.to_str().and_then(parse).ok_or_else(|| ConfigError {
        variable,
        expected,
        value: value.to_string_lossy().into_owned(),
    })
}

#[cfg(test)]
mod tests;
