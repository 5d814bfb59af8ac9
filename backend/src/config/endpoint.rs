//! The address of a collector of OpenTelemetry.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The address of a collector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl FromStr for Endpoint {
    type Err = ();

    /// `https` only where the program can. A login would be in every log of the
    /// configuration: it belongs into the headers.
    fn from_str(text: &str) -> Result<Self, ()> {
        let uri: Uri = text.parse().map_err(drop)?;
        let authority = uri.authority().ok_or(())?;
        let is_tls = uri.scheme_str() == Some("https");
        let is_http = is_tls || uri.scheme_str() == Some("http");
        let is_possible = is_http && cfg!(feature = "otlp") && (!is_tls || cfg!(feature = "tls"));
        let is_plain = !authority.as_str().contains('@') && uri.query().is_none();
        let host = authority.host();
        // `port_u16` says of a port that is none what it says where there is none.
        let port = authority.as_str().strip_prefix(host).ok_or(())?;
        let is_address = !host.is_empty() && (port.is_empty() || is_port(port));
        let is_usable = is_possible && is_plain && is_address;
        is_usable.then(|| Self(uri)).ok_or(())
    }
}

/// `:` and a number that something may listen on.
fn is_port(text: &str) -> bool {
    let digits = text.strip_prefix(':').unwrap_or_default();
    let number = digits.parse::<u16>();
    digits.bytes().all(|byte| byte.is_ascii_digit()) && number.is_ok_and(|port| port > 0)
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Endpoint {
    /// What may stand for one, as the end of "must be".
    pub(super) const EXPECTED: &str = if cfg!(not(feature = "otlp")) {
        "unset: this program was built without the cargo feature `otlp`"
    } else if cfg!(not(feature = "tls")) {
        "an address such as http://localhost:4318, without a login or `?` (https takes the cargo feature `tls`, without which this program was built)"
    } else {
        "an address such as http://localhost:4318 or https://collector.example, without a login or `?`"
    };

    /// The address with `path` after it.
    pub(super) fn below(&self, path: &str) -> Option<Self> {
        let mut parts = self.0.clone().into_parts();
        let path = format!("{}/{path}", self.0.path().trim_end_matches('/'));
        parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
        Uri::from_parts(parts).ok().map(Self)
    }

    /// The address in its parts.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

#[cfg(test)]
#[cfg(feature = "otlp")]
mod tests {
    use super::*;

    #[test]
    fn only_an_address_without_secrets_is_one_and_https_where_the_program_can() {
        for refused in [
            "collector:4318",
            "ftp://a",
            "http://a:b@c",
            "http://a?key=b",
            "http://",
            "http://:4318",
        ] {
            assert_eq!(refused.parse::<Endpoint>(), Err(()), "{refused}");
        }
        for accepted in [
            "http://a",
            "http://a:4318/b",
            "http://[::1]:65535",
            "http://[::1]",
        ] {
            let endpoint: Endpoint = accepted.parse().expect(accepted);
            assert_eq!(endpoint.to_string().trim_end_matches('/'), accepted);
        }
        assert_eq!(
            "https://a".parse::<Endpoint>().is_ok(),
            cfg!(feature = "tls")
        );
    }

    #[test]
    fn a_port_that_is_none_is_not_taken_for_that_of_the_scheme() {
        for port in [
            "", "431800", "65536", "0", "4318x", "x", "+80", "-1", "43 18",
        ] {
            for host in ["collector", "[::1]", "127.0.0.1"] {
                let address = format!("http://{host}:{port}");
                assert_eq!(address.parse::<Endpoint>(), Err(()), "{address}");
            }
        }
    }
}
