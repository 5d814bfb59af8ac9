//! A connection to a collector: TCP, and TLS where it is `https` and the program can.

use std::io;

use axum::http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::authorities::Authorities;

/// Bytes to and fro.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Connects to the host of an address.
pub(super) async fn connect(uri: &Uri, authorities: &Authorities) -> io::Result<Box<dyn Stream>> {
    let is_tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    // An address of IPv6 has brackets in an URL.
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if is_tls {
        authorities.connect(host, port).await
    } else {
        Ok(Box::new(TcpStream::connect((host, port)).await?))
    }
}
