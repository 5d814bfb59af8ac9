//! Bodies that must not arrive, break off or stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oci::{Digest, ErrorCode};
use registry::{Blob, Options, RegistryError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::memory::Memory;
use crate::scripted::{Server, refuse, reply};
use crate::uploads::{PLACE, count};
use crate::{blob, nobody, options, registry, registry_with, repository};

/// Pushes a blob whose file was changed behind its descriptor's back.
async fn push_changed(url: &str, size: usize, change: &[u8]) -> RegistryError {
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), &vec![0; size]);
    fs_err::write(folder.path().join(layer.descriptor.digest.hex()), change).unwrap();
    registry(url)
        .push_blobs(&repository(), &[layer], &nobody)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_file_that_is_not_its_blob_is_refused_and_named() {
    for size in [5, 300_000, 3_000_000] {
        let memory = Memory::start().await;
        let mut changed = vec![0; size];
        changed[size / 2] = 1;
        let error = push_changed(&memory.server.url, size, &changed).await;
        assert!(matches!(error, RegistryError::Tampered { .. }), "{error}");
        let found = Digest::of(&changed).to_string();
        assert!(error.to_string().contains(&found), "{error}");
        assert!(memory.contents.lock().unwrap().blobs.is_empty());
        assert_eq!(count(&memory.server, "PUT"), 1);
    }
}

#[tokio::test]
async fn a_file_is_hashed_here_where_the_registry_does_not_say_its_digest() {
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" => reply(202).header("location", PLACE),
        _ => reply(201),
    })
    .await;
    let error = push_changed(&server.url, 300_000, &vec![1; 300_000]).await;
    assert!(matches!(error, RegistryError::Tampered { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_refuses_what_is_right_is_at_fault_itself() {
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "HEAD" => reply(404),
        "POST" => reply(202).header("location", PLACE),
        _ => refuse(400, "DIGEST_INVALID", "other bytes"),
    })
    .await;
    let error = push_changed(&server.url, 5, &[0; 5]).await;
    assert!(error.has_code(&ErrorCode::DigestInvalid), "{error}");
}

#[tokio::test]
async fn a_file_of_another_length_or_none_is_not_sent_at_all() {
    let memory = Memory::start().await;
    let error = push_changed(&memory.server.url, 5, b"four").await;
    assert!(error.to_string().contains("has 4 bytes, not 5"), "{error}");

    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), b"layer");
    let gone = Blob::of_file(layer.descriptor, folder.path().join("gone"));
    let client = registry(&memory.server.url);
    let error = client
        .push_blobs(&repository(), &[gone], &nobody)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::File { .. }), "{error}");
    assert_eq!(count(&memory.server, "PUT"), 0);
}

/// Reads one request up to the end of its head.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

async fn answer(stream: &mut TcpStream, head: &str) {
    let text = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_in_mid_body_is_tried_again_from_the_start() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let layer = vec![3; 2_000_000];
    let expected = layer.len();
    let server = tokio::spawn(async move {
        let mut puts = 0;
        while puts < 2 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            if head.starts_with("HEAD") {
                answer(&mut stream, "404 Not Found").await;
            } else if head.starts_with("POST") {
                answer(&mut stream, &format!("202 Accepted\r\nlocation: {PLACE}")).await;
            } else if puts == 0 {
                puts += 1;
                stream.read_exact(&mut [0; 1000]).await.unwrap();
            } else {
                puts += 1;
                stream.read_exact(&mut vec![0; expected]).await.unwrap();
                answer(&mut stream, "201 Created").await;
            }
        }
    });
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), &layer);
    let pushed = registry(&url)
        .push_blobs(&repository(), &[layer], &nobody)
        .await
        .unwrap();
    assert_eq!(pushed.uploaded.len(), 1);
    server.await.unwrap();
}

#[tokio::test]
async fn a_registry_that_stands_still_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Answers the first two requests and lets every upload hang without reading it.
    tokio::spawn(async move {
        let mut hanging = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            if head.starts_with("HEAD") {
                answer(&mut stream, "404 Not Found").await;
            } else if head.starts_with("POST") {
                answer(&mut stream, &format!("202 Accepted\r\nlocation: {PLACE}")).await;
            } else {
                hanging.push(stream);
            }
        }
    });
    let folder = TempDir::new().unwrap();
    for size in [5, 30_000_000] {
        let layer = blob(folder.path(), &vec![0; size]);
        let options = Options {
            silence: Duration::from_millis(200),
            retries: 1,
            ..options()
        };
        let client = registry_with(&url, options);
        let error = client
            .push_blobs(&repository(), &[layer], &nobody)
            .await
            .unwrap_err();
        assert!(matches!(error, RegistryError::Stalled { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_denial_that_comes_before_the_body_was_read_is_final() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let puts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&puts);
    tokio::spawn(async move {
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let head = read_head(&mut stream).await;
            if head.starts_with("HEAD") {
                answer(&mut stream, "404 Not Found").await;
            } else if head.starts_with("POST") {
                answer(&mut stream, &format!("202 Accepted\r\nlocation: {PLACE}")).await;
            } else {
                counted.fetch_add(1, Ordering::Relaxed);
                answer(&mut stream, "403 Forbidden").await;
                open.push(stream);
            }
        }
    });
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), &vec![0; 30_000_000]);
    let client = registry(&url);
    let error = client
        .push_blobs(&repository(), &[layer], &nobody)
        .await
        .unwrap_err();
    assert!(error.is_denial(), "{error}");
    assert_eq!(puts.load(Ordering::Relaxed), 1);
}
