//! `IpAddress` and `NotIpAddress`.

use std::net::IpAddr;

/// Whether the address lies in the network, written as an address (all bits
/// count) or in CIDR form. IPv4 and IPv6 never match each other; a text that is
/// neither lies in nothing (inferred).
pub(super) fn contains(seen: &str, network: &str) -> bool {
    let (address, length) = match network.split_once('/') {
        Some((address, length)) => match length.parse::<u32>() {
            Ok(length) => (address, Some(length)),
            Err(_) => return false,
        },
        None => (network, None),
    };
    match (seen.parse(), address.parse()) {
        (Ok(IpAddr::V4(seen)), Ok(IpAddr::V4(network))) => {
            let differing = u128::from(seen.to_bits() ^ network.to_bits());
            within(differing, 32, length)
        }
        (Ok(IpAddr::V6(seen)), Ok(IpAddr::V6(network))) => {
            within(seen.to_bits() ^ network.to_bits(), 128, length)
        }
        _ => false,
    }
}

/// Whether the bits that differ all lie behind the prefix.
fn within(differing: u128, width: u32, length: Option<u32>) -> bool {
    match width.checked_sub(length.unwrap_or(width)) {
        None => false,
        Some(free) => differing.checked_shr(free).unwrap_or(0) == 0,
    }
}
