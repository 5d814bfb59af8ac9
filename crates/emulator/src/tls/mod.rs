//! HTTPS with a certificate of a local authority: for clients that speak
//! nothing else, and for policies that look at `aws:SecureTransport`.
//!
//! The authority is made on the first start; clients are told to trust its
//! certificate. The server's own certificate is made at every start, and again
//! before it ends, and is nowhere on disk. Whether a certificate is valid is a
//! matter of the machine's clock, not of the emulator's: clients have no other.

mod authority;
mod certificate;
mod name;

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;

use authority::Authority;
pub(crate) use authority::CERTIFICATE;
use certificate::Renewing;
pub use name::{BadTlsName, TlsName};

use crate::settings::Settings;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// The authority's files cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A key or a certificate cannot be read or made.
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificate cannot be used.
    #[error("a certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The server side of TLS for an emulator at `host`, with the authority of the data
/// directory, and `names` beside its own.
pub(crate) fn open(
    settings: &Settings,
    names: &[TlsName],
    host: &str,
) -> Result<Arc<ServerConfig>, TlsError> {
    let authority = Authority::open(&settings.data)?;
    let names = name::all(settings, host, names);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let certificate = Renewing::new(authority, names, Arc::clone(&provider))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(certificate));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
