//! The server's certificate: made anew before it ends, and for each name below
//! `localhost` that is asked for, because not every client takes `*.localhost`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::TlsError;
use super::TlsName;
use super::authority::{Authority, last};
use crate::clock::machine_time;

/// For how many days a certificate is valid: no client asks for less.
const DAYS: i32 = 90;
/// Certificates that are kept.
const MOST: usize = 64;
/// A certificate that is so old is replaced.
const RENEWED_AFTER: SignedDuration = SignedDuration::from_hours(60 * 24);

/// A certificate that is always valid.
#[derive(Debug)]
pub(super) struct Renewing {
    authority: Authority,
    names: Vec<SanType>,
    provider: Arc<CryptoProvider>,
    /// By the name below `localhost`, or nothing.
    current: Mutex<HashMap<String, Current>>,
}

struct Current {
    made: Timestamp,
    key: Arc<CertifiedKey>,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Current")
            .field("made", &self.made)
            .field("key", &"***")
            .finish()
    }
}

impl Renewing {
    pub(super) fn new(
        authority: Authority,
        names: Vec<SanType>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let first = Current::make(&authority, &names, &provider, machine_time())?;
        Ok(Self {
            authority,
            names,
            provider,
            current: Mutex::new(HashMap::from([(String::new(), first)])),
        })
    }

    /// The certificate for a client that connects at `now` and asks for `name`.
    fn at(&self, now: Timestamp, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name.filter(|name| name.ends_with(".localhost"));
        let name = name.unwrap_or_default();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |current: &&Current| now.duration_since(current.made) <= RENEWED_AFTER;
        if let Some(found) = current.get(name).filter(is_fresh) {
            return Some(Arc::clone(&found.key));
        }
        if current.len() >= MOST {
            current.clear();
        }
        let own = name.parse().ok().map(TlsName::into_inner);
        let names: Vec<SanType> = self.names.iter().cloned().chain(own).collect();
        match Current::make(&self.authority, &names, &self.provider, now) {
            Ok(made) => {
                let key = Arc::clone(&made.key);
                current.insert(name.to_owned(), made);
                Some(key)
            }
            Err(error) => {
                tracing::error!(%error, "there is no certificate");
                None
            }
        }
    }
}

impl ResolvesServerCert for Renewing {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.at(machine_time(), client.server_name())
    }
}

impl Current {
    fn make(
        authority: &Authority,
        names: &[SanType],
        provider: &CryptoProvider,
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let subject = "Longshore emulator";
        params.distinguished_name.push(DnType::CommonName, subject);
        params.subject_alt_names = names.to_vec();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        last(&mut params, now, DAYS.days());
        let certificate = authority.sign(&params, &key)?;
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain = vec![certificate.der().clone()];
        let key = CertifiedKey::from_der(chain, private, provider)?;
        Ok(Self {
            made: now,
            key: Arc::new(key),
        })
    }
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs;

    use super::*;

    #[test]
    fn a_certificate_is_replaced_long_before_it_ends() {
        let data = tempfile::tempdir().unwrap();
        let authority = Authority::open(data.path()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let renewing = Renewing::new(authority, vec![], provider).unwrap();
        assert!(format!("{renewing:?}").contains("key: \"***\""));
        let now = machine_time();
        let at = |hours, name| {
            let later = now + SignedDuration::from_hours(hours);
            renewing.at(later, name).unwrap().cert.clone()
        };
        let first = at(0, None);
        assert_eq!(at(59 * 24, Some("sts.amazonaws.com")), first);
        let later = at(61 * 24, None);
        assert_ne!(later, first);
        assert_eq!(at(0, None), later);
    }

    #[test]
    fn names_below_localhost_have_certificates_of_their_own_in_bounded_number() {
        let data = tempfile::tempdir().unwrap();
        let authority = Authority::open(data.path()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let renewing = Renewing::new(authority, vec![], provider).unwrap();
        let at = |name: &str| {
            let found = renewing.at(machine_time(), Some(name));
            found.unwrap().cert.clone()
        };
        assert_eq!(at("a.localhost"), at("a.localhost"));
        assert_ne!(at("a.localhost"), at("b.localhost"));
        for number in 0..2 * MOST {
            at(&format!("{number}.localhost"));
        }
        assert!(renewing.current.lock().unwrap().len() <= MOST);
    }
}
