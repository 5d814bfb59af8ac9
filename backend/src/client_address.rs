//! Whom a request comes from: the peer of the connection, or whom a trusted proxy
//! names.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::request::Parts;

use crate::app::AppState;

/// The other end of the connection, which the server adds to each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The client, as far as limits are concerned: an address of IPv6 stands for its /64,
/// which one client has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        let header = state.site.client_address_header.as_ref();
        let named = header.and_then(|header| named(&parts.headers, header));
        let peer = parts.extensions.get().map(|Peer(address)| *address);
        let address = named.or(peer).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Ok(Self(network(address)))
    }
}

/// The last address in the header: the proxy wrote that one, and the client may have
/// written the others.
fn named(headers: &HeaderMap, header: &HeaderName) -> Option<IpAddr> {
    let last = headers.get_all(header).iter().next_back()?.to_str().ok()?;
    let address = last.rsplit(',').next()?.trim();
    let with_port = |text: &str| Some(text.parse::<SocketAddr>().ok()?.ip());
    let in_brackets = |text: &str| {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    };
    let plain = address.parse().ok();
    plain
        .or_else(|| with_port(address))
        .or_else(|| in_brackets(address))
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_in_the_header_is_the_proxys_word() {
        let header = HeaderName::from_static("x-forwarded-for");
        let mut headers = HeaderMap::new();
        assert_eq!(named(&headers, &header), None);
        headers.append(&header, "192.0.2.1, 2001:db8::1".parse().expect("a value"));
        assert_eq!(named(&headers, &header), "2001:db8::1".parse().ok());
        for (text, address) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
        ] {
            headers.append(&header, text.parse().expect("a value"));
            assert_eq!(named(&headers, &header), address.parse().ok(), "{text}");
        }
        headers.append(&header, "unknown".parse().expect("a value"));
        assert_eq!(named(&headers, &header), None);
    }

    #[test]
    fn the_addresses_of_one_client_count_as_one() {
        let of = |text: &str| network(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
