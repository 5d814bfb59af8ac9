//! The signing key of one day, region and service, and what it signs.

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key, Tag};
use sha2::{Digest as _, Sha256};

use super::ALGORITHM;
use super::scope::CredentialScope;

/// What is signed: the algorithm, the date, the scope and the hash of the
/// canonical request.
pub(super) fn string_to_sign(
    date: &str,
    scope: &CredentialScope<'_>,
    canonical_request: &str,
) -> String {
    let CredentialScope {
        day,
        region,
        service,
        ..
    } = scope;
    format!(
        "{ALGORITHM}\n{date}\n{day}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical_request))
    )
}

/// The signature of `string_to_sign`, hexadecimal.
pub(super) fn sign(secret: &str, scope: &CredentialScope<'_>, string_to_sign: &str) -> String {
    let key = derive(secret, scope.day, scope.region, scope.service);
    hex::encode(hmac::sign(&key, string_to_sign.as_bytes()))
}

fn derive(secret: &str, day: &str, region: &str, service: &str) -> Key {
    let start = Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    [day, region, service, "aws4_request"]
        .into_iter()
        .fold(start, |key, part| {
            chained(&hmac::sign(&key, part.as_bytes()))
        })
}

fn chained(tag: &Tag) -> Key {
    Key::new(HMAC_SHA256, tag.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: AWS General Reference, "Examples of how to derive a signing key
    /// for Signature Version 4": its secret, date, region and service, and the
    /// signature that the page on `ListUsers` ends with.
    #[test]
    fn the_documented_string_gets_the_documented_signature() {
        let key = derive(
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "20150830",
            "us-east-1",
            "iam",
        );
        let string_to_sign = "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\nf536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        assert_eq!(
            hex::encode(hmac::sign(&key, string_to_sign.as_bytes())),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
