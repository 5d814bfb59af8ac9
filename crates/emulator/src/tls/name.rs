//! The names under which clients reach an emulator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use rcgen::SanType;
use rustls::pki_types::DnsName;

use crate::settings::Settings;

/// A host name, a wildcard such as `*.example.com`, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsName(SanType);

/// Why a text is no name for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no host name, wildcard such as `*.example.com`, or address")]
pub struct BadTlsName(String);

impl TlsName {
    pub(super) fn into_inner(self) -> SanType {
        self.0
    }
}

impl FromStr for TlsName {
    type Err = BadTlsName;

    fn from_str(text: &str) -> Result<Self, BadTlsName> {
        let bad = || BadTlsName(text.to_owned());
        let bare = text.trim_matches(['[', ']']);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self(SanType::IpAddress(address)));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        DnsName::try_from(name).map_err(|_| bad())?;
        let name = text.to_ascii_lowercase().try_into().map_err(|_| bad())?;
        Ok(Self(SanType::DnsName(name)))
    }
}

/// Every name of an emulator at `host`: its own, those of this machine, those of
/// AWS and GitHub that may be made to point to it, and `more`.
pub(super) fn all(settings: &Settings, host: &str, more: &[TlsName]) -> Vec<SanType> {
    let region = &settings.region;
    let mut texts = vec![
        "localhost".to_owned(),
        "*.localhost".to_owned(),
        Ipv4Addr::LOCALHOST.to_string(),
        Ipv6Addr::LOCALHOST.to_string(),
        host.to_owned(),
        format!("*.dkr.ecr.{region}.localhost"),
        format!("*.dkr.ecr.{region}.amazonaws.com"),
        format!("api.ecr.{region}.amazonaws.com"),
        format!("sts.{region}.amazonaws.com"),
        format!("cloudtrail.{region}.amazonaws.com"),
        "sts.amazonaws.com".to_owned(),
        "iam.amazonaws.com".to_owned(),
        github::ISSUER_HOST.to_owned(),
    ];
    texts.dedup();
    let own = texts.iter().filter_map(|text| text.parse().ok());
    let mut names: Vec<SanType> = Vec::new();
    for TlsName(name) in own.chain(more.iter().cloned()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_wildcards_and_addresses_are_told_from_anything_else() {
        for text in [
            "registry.example",
            "*.Example.com",
            "192.0.2.7",
            "::1",
            "[::1]",
            "a",
        ] {
            assert!(text.parse::<TlsName>().is_ok(), "{text}");
        }
        for text in [
            "",
            "*",
            "*.",
            "a.*.b",
            "a b",
            "https://a",
            "a:443",
            "-a",
            "ä.example",
        ] {
            assert!(text.parse::<TlsName>().is_err(), "{text}");
        }
    }
}
