//! Whose word is taken for who a collector is: the system's authorities, or those of
//! `OTEL_EXPORTER_OTLP_CERTIFICATE`.

use std::io;
use std::path::PathBuf;

use super::connection::Stream;

#[cfg(feature = "tls")]
use {
    std::path::Path,
    std::sync::Arc,
    tokio::net::TcpStream,
    tokio::sync::OnceCell,
    tokio_rustls::TlsConnector,
    tokio_rustls::rustls::crypto::aws_lc_rs,
    tokio_rustls::rustls::pki_types::ServerName,
    tokio_rustls::rustls::{ClientConfig, RootCertStore},
};

/// The authorities, which are read once, when somebody must prove who it is.
pub(super) struct Authorities {
    #[cfg(feature = "tls")]
    file: Option<PathBuf>,
    #[cfg(feature = "tls")]
    connector: OnceCell<TlsConnector>,
}

#[cfg(feature = "tls")]
impl Authorities {
    /// Those of a file, or the system's.
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        let connector = OnceCell::new();
        Self { file, connector }
    }

    /// Connects by TLS.
    pub(super) async fn connect(&self, host: &str, port: u16) -> io::Result<Box<dyn Stream>> {
        let connector = self.connector.get_or_try_init(|| self.read()).await?;
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TcpStream::connect((host, port)).await?;
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    /// Not on a thread that answers requests: the system's are hundreds.
    async fn read(&self) -> io::Result<TlsConnector> {
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || read(file.as_deref())).await?
    }
}

#[cfg(feature = "tls")]
fn read(file: Option<&Path>) -> io::Result<TlsConnector> {
    let found = match file {
        Some(file) => rustls_native_certs::load_certs_from_paths(Some(file), None),
        None => rustls_native_certs::load_native_certs(),
    };
    let error = found.errors.first();
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken == 0 {
        let error = error.map_or_else(String::new, |error| format!(": {error}"));
        return Err(io::Error::other(format!(
            "there is no certificate of an authority to know it by \
             (OTEL_EXPORTER_OTLP_CERTIFICATE, SSL_CERT_FILE){error}"
        )));
    }
    if let Some(error) = error {
        tracing::warn!(%error, "not every certificate of an authority can be read");
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(not(feature = "tls"))]
impl Authorities {
    /// None: the configuration refuses `https`.
    pub(super) fn new(_: Option<PathBuf>) -> Self {
        Self {}
    }

    /// Refuses.
    #[expect(clippy::unused_async, reason = "as with TLS")]
    pub(super) async fn connect(&self, _: &str, _: u16) -> io::Result<Box<dyn Stream>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
