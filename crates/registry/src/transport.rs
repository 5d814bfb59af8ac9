//! The HTTP clients. Neither ever follows a redirect: requests carry logins.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect;
use url::{Host, Url};

use crate::RegistryError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One client for this machine, one for everywhere else.
pub(crate) struct Transport {
    /// Never through a proxy, and needs no CA certificates to exist.
    near: reqwest::Client,
    /// Made when first needed: it loads the system's certificates, which a small
    /// container may lack and a registry on this machine does not need.
    far: OnceLock<reqwest::Client>,
}

impl Transport {
    pub(crate) fn new() -> Result<Self, RegistryError> {
        let near = builder().no_proxy().tls_certs_only([]).build();
        Ok(Self {
            near: near.map_err(|source| RegistryError::NoHttpClient { source })?,
            far: OnceLock::new(),
        })
    }

    pub(crate) fn client_for(&self, url: &Url) -> Result<&reqwest::Client, RegistryError> {
        if url.scheme() == "http" && is_loopback(url) {
            return Ok(&self.near);
        }
        if let Some(client) = self.far.get() {
            return Ok(client);
        }
        let client = builder()
            .build()
            .map_err(|source| RegistryError::NoHttpClient { source })?;
        Ok(self.far.get_or_init(|| client))
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
}

/// The address of the registry at `host`, which may have a port: plain `http` on this
/// machine, as Docker has it, `https` everywhere else. `None` where that is no host.
pub fn endpoint(host: &str) -> Option<Url> {
    let plain: Url = format!("http://{host}").parse().ok()?;
    if host.contains(['/', '@', '?', '#', '\\']) {
        return None;
    }
    if is_loopback(&plain) {
        return Some(plain);
    }
    format!("https://{host}").parse().ok()
}

/// Whether what is sent there can be read on the way: only `https`, or this very
/// machine, protects it.
pub(crate) fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_asked_in_plain_http_on_this_machine_only() {
        for (host, expected) in [
            ("localhost:5000", Some("http://localhost:5000/")),
            ("127.0.0.1", Some("http://127.0.0.1/")),
            ("[::1]:5000", Some("http://[::1]:5000/")),
            ("r.example:5000", Some("https://r.example:5000/")),
            ("10.0.0.1", Some("https://10.0.0.1/")),
            ("localhost.example", Some("https://localhost.example/")),
            ("ada:secret@r.example", None),
            ("r.example/v2", None),
            ("r.example:port", None),
            ("", None),
        ] {
            let found = endpoint(host);
            assert_eq!(found.as_ref().map(Url::as_str), expected, "{host}");
        }
    }

    #[test]
    fn plain_http_is_private_on_this_machine_only() {
        for private in [
            "https://r.example",
            "http://127.0.0.1:5000",
            "http://[::1]",
            "http://localhost",
        ] {
            assert!(is_private(&private.parse().unwrap()), "{private}");
        }
        for open in [
            "http://r.example",
            "http://localhost.example",
            "http://10.0.0.1",
            "ftp://localhost",
        ] {
            assert!(!is_private(&open.parse().unwrap()), "{open}");
        }
    }
}
