//! The local certificate authority: a key that only its owner may read, and a
//! certificate to be trusted.

use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData as _,
};
use sha2::{Digest as _, Sha256};

use super::TlsError;
use crate::clock::machine_time;
use crate::private_file;

/// The key, in the data directory.
const KEY: &str = "ca.key";
/// The certificate, in the data directory.
pub(crate) const CERTIFICATE: &str = "ca.pem";
/// For how many years the authority is valid.
const YEARS: i16 = 20;

/// Signs the certificates of one data directory.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Authority")
            .field("key", &"***")
            .finish()
    }
}

impl Authority {
    /// Reads the authority of a data directory, or makes one.
    pub(super) fn open(data: &Path) -> Result<Self, TlsError> {
        let key = Self::key(&data.join(KEY))?;
        let params = params(&key);
        let certificate = data.join(CERTIFICATE);
        if !certificate.exists() {
            let signed = params.self_signed(&key)?;
            private_file::write(&certificate, signed.pem().as_bytes())?;
        }
        Ok(Self {
            issuer: Issuer::new(params, key),
        })
    }

    fn key(path: &Path) -> Result<KeyPair, TlsError> {
        match fs_err::read_to_string(path) {
            Ok(pem) => Ok(KeyPair::from_pem(&pem)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                private_file::write(path, key.serialize_pem().as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Signs a certificate for `key`.
    pub(super) fn sign(
        &self,
        params: &CertificateParams,
        key: &KeyPair,
    ) -> Result<Certificate, TlsError> {
        Ok(params.signed_by(key, &self.issuer)?)
    }
}

/// The authority's own certificate. Its name follows from its key, so that it is
/// the same at every start, and no two authorities have the same.
fn params(key: &KeyPair) -> CertificateParams {
    let fingerprint = hex::encode(&Sha256::digest(key.der_bytes())[..4]);
    let mut name = DistinguishedName::new();
    let text = format!("Longshore emulator authority {fingerprint}");
    name.push(DnType::CommonName, text);
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    last(&mut params, machine_time(), YEARS.years());
    params
}

/// Makes a certificate valid from yesterday, for clocks that are behind, until
/// `span` from `now`.
pub(super) fn last(params: &mut CertificateParams, now: Timestamp, span: Span) {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let midnight = |date: Date| {
        let number = |part: i8| u8::try_from(part).unwrap_or(1);
        let (month, day) = (number(date.month()), number(date.day()));
        rcgen::date_time_ymd(i32::from(date.year()), month, day)
    };
    params.not_before = midnight(today.saturating_sub(1.day()));
    params.not_after = midnight(today.saturating_add(span));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_authority_is_made_once_and_its_key_is_its_owners() {
        let data = tempfile::tempdir().unwrap();
        let authority = Authority::open(data.path()).unwrap();
        assert_eq!(format!("{authority:?}"), "Authority { key: \"***\" }");
        let read = |file: &str| fs_err::read_to_string(data.path().join(file)).unwrap();
        let (key, certificate) = (read(KEY), read(CERTIFICATE));
        let mode = fs_err::metadata(data.path().join(KEY)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
        Authority::open(data.path()).unwrap();
        assert_eq!((read(KEY), read(CERTIFICATE)), (key, certificate));
    }

    #[test]
    fn a_damaged_key_is_an_error_and_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        fs_err::write(data.path().join(KEY), "no key").unwrap();
        let refused = Authority::open(data.path()).unwrap_err();
        assert!(matches!(refused, TlsError::Certificate(_)), "{refused}");
    }
}
