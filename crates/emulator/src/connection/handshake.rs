//! From a connection to one that is secure.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stream::Limited;
use super::traffic::Traffic;

/// How long the client may take for its first byte, and then for its part.
const TIME: Duration = Duration::from_secs(20);
/// How every handshake begins (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;
/// To a client that speaks HTTP where it is HTTPS.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\
content-type: text/plain; charset=utf-8\r\ncontent-length: 52\r\n\r\n\
this address speaks HTTPS: ask for it with https://\n";

/// Agrees with the client. `None` when it does not come to that.
pub(super) async fn handshake(
    tls: &TlsAcceptor,
    mut stream: TcpStream,
    traffic: &Arc<Traffic>,
) -> Option<TlsStream<Limited<TcpStream>>> {
    let mut first = [0];
    let peeked = tokio::time::timeout(TIME, stream.peek(&mut first)).await;
    match peeked {
        Ok(Ok(1)) if first == [HANDSHAKE] => {}
        Ok(Ok(1)) => {
            // Whoever does not read this is gone.
            let _ = stream.write_all(PLAIN).await;
            return None;
        }
        _ => return None,
    }
    let accepting = tls.accept(Limited::new(stream, Arc::clone(traffic)));
    match tokio::time::timeout(TIME, accepting).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a client did not agree to a handshake");
            None
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_answer_is_as_long_as_it_says() {
        let text = std::str::from_utf8(PLAIN).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(text.contains(&format!("content-length: {}\r\n", body.len())));
    }
}
