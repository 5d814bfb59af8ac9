//! Mozilla's root certificates, from the lock file and not from this machine:
//! the bundle of a build must not depend on where it was built.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// All roots as one PEM file.
pub(crate) fn bundle() -> String {
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = STANDARD.encode(certificate.as_ref());
        for (index, character) in encoded.char_indices() {
            if index > 0 && index % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_holds_every_root_in_lines_of_64() {
        let pem = bundle();
        let roots = pem.matches("-----BEGIN CERTIFICATE-----").count();
        assert_eq!(roots, webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(roots > 50);
        assert!(pem.lines().all(|line| line.len() <= 64));
    }
}
