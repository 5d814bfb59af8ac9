//! Registries that nobody reaches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use registry::{Event, Options, Registry, RegistryError, Unreachable};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{blob, options, repository};

/// The failure of a push to the registry at `url`, and how often it was tried.
async fn failure(url: &str) -> (RegistryError, u32) {
    let folder = tempfile::tempdir().unwrap();
    let retries = AtomicU32::new(0);
    let observe = |event: Event| {
        if let Event::Retrying { .. } = event {
            retries.fetch_add(1, Ordering::Relaxed);
        }
    };
    let patient = Options {
        retries: 50,
        ..options()
    };
    let registry = Registry::new(url.parse().unwrap(), None, patient).unwrap();
    let blobs = [blob(folder.path(), b"layer")];
    let pushed = registry.push_blobs(&repository(), &blobs, &observe).await;
    (pushed.unwrap_err(), retries.into_inner() + 1)
}

#[tokio::test]
async fn where_nobody_has_ever_answered_nobody_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (error, tries) = failure(&format!("http://{address}")).await;
    assert_eq!(error.unreachable(), Some(Unreachable::Refused), "{error:?}");
    assert_eq!(tries, 3);
    // No label of a name is so long: nobody need be asked.
    let (error, tries) = failure(&format!("http://{}.localhost", "a".repeat(64))).await;
    assert_eq!(error.unreachable(), Some(Unreachable::Name), "{error:?}");
    assert_eq!(tries, 3);
}

#[tokio::test]
async fn one_that_has_answered_is_tried_as_often_as_any_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let busy = b"HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            first.read_buf(&mut request).await.unwrap();
        }
        first.write_all(busy).await.unwrap();
    });
    let (error, tries) = failure(&format!("http://{address}")).await;
    served.await.unwrap();
    assert_eq!(error.unreachable(), Some(Unreachable::Refused), "{error:?}");
    assert_eq!(tries, 51);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_not_tried_again() {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            assert!(acceptor.accept(stream).await.is_err());
        }
    });
    let (error, tries) = failure(&format!("https://{address}")).await;
    assert_eq!(
        error.unreachable(),
        Some(Unreachable::Certificate),
        "{error:?}"
    );
    assert_eq!(tries, 1);
    assert!(
        error
            .unreachable()
            .unwrap()
            .to_string()
            .contains("SSL_CERT_FILE")
    );
}
