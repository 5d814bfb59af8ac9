//! The configuration: an environment variable outweighs a line of the file, and a
//! line of the file outweighs the default. Every mistake is found at once.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::http::HeaderValue;
use tracing::level_filters::LevelFilter;

use crate::app::Site;
use crate::contact::delivery::Delivery;
use crate::database::{Location, ServerUrl};

pub use effective::Effective;
pub use endpoint::Endpoint;
pub use limits::Limits;
pub use mistake::{Mistake, Mistakes};
pub use settings::list;
pub use telemetry::{Destination, Sampling, Telemetry};

mod effective;
mod endpoint;
mod file;
mod limits;
mod mistake;
mod settings;
mod telemetry;
mod telemetry_settings;

/// The variable that names the file.
const FILE_VARIABLE: &str = "PORTFOLIO_CONFIG";

/// Everything that can be configured. `settings.rs` has the name and the meaning of
/// each.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where to listen. Port 0 lets the system choose one.
    pub listen: SocketAddr,
    /// Where `/metrics` is served, if it is.
    pub metrics_listen: Option<SocketAddr>,
    /// The SQLite file, where there is no server.
    pub database: PathBuf,
    /// The PostgreSQL database.
    pub server: Option<ServerUrl>,
    /// Where people find the service.
    pub site: Site,
    /// Where contact messages go.
    pub delivery: Delivery,
    /// What this build says about itself.
    pub build: Build,
    /// The least important level that is logged.
    pub log: LevelFilter,
    /// The namespace of CloudWatch whose metrics the log carries, if it does.
    pub emf_namespace: Option<String>,
    /// Where traces and metrics are sent.
    pub telemetry: Telemetry,
    /// How much is taken on, and how long is waited.
    pub limits: Limits,
    /// The sites whose scripts may read the API.
    pub cors_origins: Vec<HeaderValue>,
}

/// What this build says about itself at `/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Build {
    /// The commit that it was built from, in hexadecimal.
    pub commit: Option<String>,
    /// When it was built (RFC 3339).
    pub built_at: Option<String>,
}

impl Config {
    /// Where the database is, or will be.
    pub fn location(&self) -> Location {
        match &self.server {
            Some(url) => Location::Server(url.clone()),
            None => Location::File(self.database.clone()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)),
            metrics_listen: None,
            database: PathBuf::from("data/portfolio.sqlite"),
            server: None,
            site: Site::default(),
            delivery: Delivery::default(),
            build: Build::default(),
            log: LevelFilter::INFO,
            emf_namespace: None,
            telemetry: Telemetry::default(),
            limits: Limits::default(),
            cors_origins: Vec::new(),
        }
    }
}

/// Reads the configuration from environment variables and from the file that
/// `PORTFOLIO_CONFIG` names. A variable that is empty counts as not set.
///
/// # Errors
/// Every mistake in either.
pub fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Effective, Mistakes> {
    let mut effective = Effective::default();
    let mut mistakes = Vec::new();
    let variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, value)| is_ours(name) && !value.is_empty())
        .collect();
    if let Some((_, path)) = variables.iter().find(|(name, _)| name == FILE_VARIABLE) {
        effective.file = Some(path.into());
        match file::read(path.as_ref()) {
            Ok(lines) => mistakes.extend(
                lines
                    .into_iter()
                    .filter_map(|(key, value)| effective.take_line(&key, value).err()),
            ),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let mut standard = Vec::new();
    for (name, value) in variables.iter().filter(|(name, _)| name != FILE_VARIABLE) {
        let Err(mistake) = effective.take_variable(name, value) else {
            continue;
        };
        match name.to_str() {
            Some(name) if name.starts_with(telemetry_settings::PREFIX) => {
                standard.push((name.to_owned(), mistake));
            }
            _ => mistakes.push(mistake),
        }
    }
    let (refused, ignored) = telemetry_settings::judge(&effective.config.telemetry, standard);
    mistakes.extend(refused);
    effective.ignored = ignored;
    if mistakes.is_empty() {
        Ok(effective)
    } else {
        Err(Mistakes(mistakes))
    }
}

/// Whether a variable is one of this program, or looks so much like one that it
/// must be a slip. Kubernetes gives every container variables that are named after
/// services (`PORTFOLIO_SERVICE_HOST`, `PORTFOLIO_PORT_8080_TCP`): those are not.
fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let of_kubernetes = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"];
    settings::of_variable(name).is_some()
        || telemetry_settings::is_proof(name)
        || (name.starts_with("PORTFOLIO_")
            && !name.ends_with("_PORT")
            && !of_kubernetes.iter().any(|part| name.contains(part)))
}

#[cfg(test)]
mod tests;
