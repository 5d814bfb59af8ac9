//! Where the database is: a file of SQLite's, or a server of PostgreSQL's.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::any::AnyConnectOptions;

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

impl FromStr for ServerUrl {
    type Err = ();

    /// Takes `postgres://` and `postgresql://`, with the parameters of libpq
    /// (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>).
    fn from_str(text: &str) -> Result<Self, ()> {
        let options = AnyConnectOptions::from_str(text).map_err(drop)?;
        let is_postgres = matches!(options.database_url.scheme(), "postgres" | "postgresql");
        if is_postgres {
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

    pub(super) fn options(&self) -> Result<AnyConnectOptions, sqlx::Error> {
        self.0.parse()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.options().map_err(|_| fmt::Error)?;
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
    fn only_addresses_of_postgresql_are_taken() {
        for text in ["", "portfolio.sqlite", "mysql://a/b", "sqlite://a"] {
            assert!(text.parse::<ServerUrl>().is_err(), "{text}");
        }
    }
}
