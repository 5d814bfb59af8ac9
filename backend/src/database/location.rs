//! Where the database is: a file of SQLite's, or a server of PostgreSQL's.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::any::AnyConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Where the database is, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file of SQLite's.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server(ServerUrl),
}

/// The address of a PostgreSQL database, with the password that may be in it: it is
/// printed without.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl(String);

/// The parameters whose value is a file, or what would be in it, in PEM.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

impl FromStr for ServerUrl {
    type Err = ();

    /// Takes `postgres://` and `postgresql://`, with the parameters of libpq
    /// (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>).
    fn from_str(text: &str) -> Result<Self, ()> {
        let options = AnyConnectOptions::from_str(text).map_err(drop)?;
        let is_postgres = matches!(options.database_url.scheme(), "postgres" | "postgresql");
        // What its parameters may be is better known before the service starts.
        if is_postgres && text.parse::<PgConnectOptions>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err(())
        }
    }
}

impl ServerUrl {
    /// The whole address, its password included.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// How to connect.
    ///
    /// # Errors
    /// If a file that it names cannot be read: sqlx would not say which.
    pub(super) fn options(&self) -> Result<AnyConnectOptions, sqlx::Error> {
        let options: AnyConnectOptions = self.0.parse()?;
        for (parameter, value) in options.database_url.query_pairs() {
            let is_path = FILES.contains(&&*parameter) && !value.starts_with("-----BEGIN");
            if is_path {
                fs_err::File::open(&*value)
                    .map_err(|error| sqlx::Error::Configuration(error.into()))?;
            }
        }
        Ok(options)
    }

    /// Says so in the log if somebody on the way could pass for the server: every mode
    /// but `verify-full` takes any certificate, or one of any name, or none.
    pub(super) fn warn_unless_verified(&self) {
        if let Some((host, mode)) = self.unverified() {
            tracing::warn!(
                host,
                sslmode = ?mode,
                "somebody on the way can pass for PostgreSQL; sslmode=verify-full in DATABASE_URL asks for a certificate"
            );
        }
    }

    /// The host and the mode, where the server is on another machine and need not prove
    /// who it is.
    fn unverified(&self) -> Option<(String, PgSslMode)> {
        let options: PgConnectOptions = self.0.parse().ok()?;
        let (host, mode) = (options.get_host(), options.get_ssl_mode());
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_here = options.get_socket().is_some()
            || host == "localhost"
            || address.is_some_and(|address| address.is_loopback());
        let is_verified = matches!(mode, PgSslMode::VerifyFull);
        (!is_here && !is_verified).then(|| (host.to_owned(), mode))
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: AnyConnectOptions = self.0.parse().map_err(|_| fmt::Error)?;
        let host = options.database_url.host_str().unwrap_or_default();
        write!(
            formatter,
            "postgres://{host}{}",
            options.database_url.path()
        )
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Server(url) => url.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let url: ServerUrl = "postgres://ada:hunter2@db.example:5432/portfolio?password=hunter3"
            .parse()
            .expect("an address");
        let location = Location::Server(url);
        for printed in [format!("{location}"), format!("{location:?}")] {
            assert!(!printed.contains("hunter"), "{printed}");
            assert!(
                printed.contains("postgres://db.example/portfolio"),
                "{printed}"
            );
        }
    }

    #[test]
    fn a_server_on_another_machine_that_need_not_prove_who_it_is_is_known() {
        let is_unverified = |text: &str| {
            let url: ServerUrl = text.parse().expect("an address");
            url.unverified().is_some()
        };
        for text in [
            "postgres://db.example/a",
            "postgres://db.example/a?sslmode=prefer",
            "postgres://db.example/a?sslmode=require",
            "postgres://db.example/a?sslmode=verify-ca&sslrootcert=/ca.pem",
            "postgres://db.example/a?sslmodus=verify-full",
            "postgres://localhost/a?host=db.example",
        ] {
            assert!(is_unverified(text), "{text}");
        }
        for text in [
            "postgres://db.example/a?sslmode=verify-full",
            "postgres://localhost/a",
            "postgres://127.0.0.1/a",
            "postgres://[::1]/a",
            "postgres://localhost/a?host=/run/postgresql",
        ] {
            assert!(!is_unverified(text), "{text}");
        }
    }

    #[test]
    fn only_addresses_of_postgresql_are_taken() {
        for text in [
            "",
            "portfolio.sqlite",
            "mysql://a/b",
            "sqlite://a",
            "postgres://a/b?sslmode=verify_full",
        ] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
