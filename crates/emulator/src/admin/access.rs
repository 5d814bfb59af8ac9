//! Who may use the controls.
//!
//! A program of this machine needs nothing. A page in a browser of this machine
//! is loopback too: it sends `Origin`, or comes under a name that was made to
//! point here. Everybody else needs the secret.

use std::net::IpAddr;

use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};

use super::Refusal;
use super::secret::ControlsSecret;

/// Lets a request to the controls pass, or says why not. `secret` is absent
/// where the controls are off.
pub(super) fn check(
    secret: Option<&ControlsSecret>,
    peer: IpAddr,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    let Some(secret) = secret else {
        return Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "the controls are off: start the emulator with `longshore emulator --controls` to turn them on",
        ));
    };
    if headers.contains_key(header::ORIGIN) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "the controls are not for web pages",
        ));
    }
    let is_shown = bearer(headers).is_some_and(|shown| secret.is(shown));
    if is_shown || is_local(peer, headers) {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "the controls want `Authorization: Bearer SECRET` of whoever does not come from \
         this machine, under a name of this machine; the emulator said at its start where \
         the secret is",
    ))
}

/// A request that a proxy of this machine passed on is not of this machine.
fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
    let passed_on = [header::FORWARDED.as_str(), "x-forwarded-for"];
    let is_passed_on = passed_on.iter().any(|name| headers.contains_key(*name));
    peer.to_canonical().is_loopback() && is_own_host(headers) && !is_passed_on
}

fn is_own_host(headers: &HeaderMap) -> bool {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<Authority>().ok())
        .is_some_and(|host| {
            let name = host.host().trim_matches(['[', ']']);
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        })
}

/// The scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of enough length";

    fn status(peer: &str, headers: &[(&str, &str)]) -> Option<u16> {
        let secret = ControlsSecret::parse(SECRET).unwrap();
        status_with(Some(&secret), peer, headers)
    }

    fn status_with(
        secret: Option<&ControlsSecret>,
        peer: &str,
        headers: &[(&str, &str)],
    ) -> Option<u16> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name: axum::http::HeaderName = name.parse().unwrap();
                (name, value.parse().unwrap())
            })
            .collect();
        let checked = check(secret, peer.parse().unwrap(), &headers);
        checked.err().map(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn programs_of_this_machine_need_no_secret() {
        for host in [
            "127.0.0.1:4566",
            "localhost:4566",
            "[::1]:4566",
            "localhost",
        ] {
            assert_eq!(status("127.0.0.1", &[("host", host)]), None, "{host}");
        }
        assert_eq!(status("::ffff:127.0.0.1", &[("host", "localhost")]), None);
        assert_eq!(status("127.0.0.1", &[]), Some(401));
        let rebound = [("host", "rebound.example:4566")];
        assert_eq!(status("127.0.0.1", &rebound), Some(401));
        for name in ["forwarded", "x-forwarded-for"] {
            let passed_on = [("host", "localhost"), (name, "for=192.0.2.7")];
            assert_eq!(status("127.0.0.1", &passed_on), Some(401), "{name}");
        }
    }

    #[test]
    fn a_web_page_is_refused_even_with_the_secret() {
        let secret = format!("Bearer {SECRET}");
        let page = [
            ("host", "localhost"),
            ("origin", "http://localhost:4566"),
            ("authorization", &secret),
        ];
        assert_eq!(status("127.0.0.1", &page), Some(403));
    }

    #[test]
    fn everybody_else_needs_exactly_the_secret() {
        let with = |authorization: &str| {
            let headers = [("host", "192.0.2.1:4566"), ("authorization", authorization)];
            status("192.0.2.7", &headers)
        };
        assert_eq!(status("192.0.2.7", &[("host", "localhost")]), Some(401));
        assert_eq!(with(&format!("Bearer {SECRET}")), None);
        assert_eq!(with(&format!("bearer  {SECRET}")), None);
        for wrong in [
            SECRET.to_owned(),
            format!("Basic {SECRET}"),
            format!("Bearer {SECRET}r"),
            format!("Bearer {}", &SECRET[1..]),
            "Bearer ".to_owned(),
            "Bearer".to_owned(),
        ] {
            assert_eq!(with(&wrong), Some(401), "{wrong}");
        }
    }

    #[test]
    fn controls_that_are_off_are_not_found_by_anybody() {
        let local = [("host", "localhost")];
        assert_eq!(status_with(None, "127.0.0.1", &local), Some(404));
        assert_eq!(status_with(None, "192.0.2.7", &local), Some(404));
    }
}
