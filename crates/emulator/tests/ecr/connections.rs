//! Clients that hold connections without using them well, and the one beside
//! them that does.

use std::time::Duration;

use reqwest::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bystander::beside;
use crate::served::{REPOSITORY, Served};

/// Far more than the emulator has places for.
const MANY: usize = 2_500;
/// As many as it has places for.
const ALL: usize = 1_024;

async fn connect(served: &Served, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(served.host()).await.unwrap();
    // Where the emulator has closed the connection already, there is nobody to
    // read this.
    let _ = stream.write_all(bytes).await;
    stream
}

/// A new client's request, which must not have to wait.
async fn answers(served: &Served, within: Duration) {
    let url = format!("{}/_longshore/health", served.base);
    let asking = tokio::time::timeout(within, reqwest::get(url));
    let answer = asking.await.expect("the emulator is locked out").unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

/// Everything that comes until the emulator closes the connection.
async fn answer_to(served: &Served, request: &[u8]) -> String {
    let mut stream = connect(served, request).await;
    let mut answer = Vec::new();
    let reading = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer));
    // A reset after the answer is as good an end as any.
    let _ = reading.await.expect("the connection stays open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_beyond_number_lock_nobody_out() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let mut idle = Vec::new();
    for number in 0..MANY {
        // Some have said nothing, some have begun a request.
        let bytes: &[u8] = if number % 2 == 0 {
            b""
        } else {
            b"GET / HTTP/1.1\r\n"
        };
        idle.push(connect(&served, bytes).await);
    }
    answers(&served, Duration::from_secs(10)).await;
    let mut oldest = idle.remove(0);
    assert!(
        matches!(oldest.read(&mut [0]).await, Ok(0) | Err(_)),
        "the oldest gave way"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_stand_still_give_way() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let head = format!(
        "POST /v2/{REPOSITORY}/blobs/uploads/?digest=sha256:{} HTTP/1.1\r\nhost: {}\r\n\
         authorization: {}\r\ncontent-length: 1000000\r\n\r\nx",
        "0".repeat(64),
        served.host(),
        docker.login,
    );
    let mut slow = Vec::new();
    for _ in 0..ALL {
        slow.push(connect(&served, head.as_bytes()).await);
    }
    answers(&served, Duration::from_secs(20)).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let host = served.host();
    let get = |path| format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n");
    let requests = (get("/_longshore/health") + &get("/nothing")).repeat(50);
    let last = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let answers = answer_to(&served, (requests + &last).as_bytes()).await;
    let statuses: Vec<&str> = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect();
    assert_eq!(statuses[..100], ["200", "404"].repeat(50));
    assert_eq!(statuses[100..], ["400"]);
}

#[tokio::test]
async fn floods_of_headers_and_endless_addresses_are_refused_with_their_status() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let many = "x: y\r\n".repeat(101);
    let long = "y".repeat(1 << 20);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nx: {long}\r\n\r\n"), "431"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", &long[..70_000]), "414"),
        ("no request at all\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = answer_to(&served, request.as_bytes()).await;
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(status), "{status}: {first}");
    }
    answers(&served, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused_before_it_comes() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let head = "POST / HTTP/1.1\r\nx-amz-target: AmazonEC2ContainerRegistry_V20150921.PutImage\r\n\
                content-length: 99999999\r\nconnection: close\r\n\r\n";
    let answer = answer_to(&served, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(answer.contains("RequestEntityTooLarge"), "{answer}");
}

/// A body of chunks that never ends, until somebody answers.
async fn endless(served: &Served, head: &str) -> String {
    let stream = connect(served, head.as_bytes()).await;
    let (mut reading, mut writing) = stream.into_split();
    let flood = async move {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(1 << 16));
        while writing.write_all(chunk.as_bytes()).await.is_ok() {}
    };
    let flood = tokio::spawn(flood);
    let mut answer = [0; 12];
    let read = reading.read_exact(&mut answer).await;
    flood.abort();
    read.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_an_end_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let served = Served::start(data.path(), vec![]).await;
    let docker = served.administrator().await;
    let manifest = format!("PUT /v2/{REPOSITORY}/manifests/v1");
    let json = "x-amz-target: AmazonEC2ContainerRegistry_V20150921.ListImages\r\n";
    let attack = async || {
        for (line, header) in [("POST /", ""), ("POST /", json), (&manifest, "")] {
            let head = format!(
                "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n{header}\
                 transfer-encoding: chunked\r\n\r\n",
                served.host(),
                docker.login,
            );
            assert_eq!(endless(&served, &head).await, "HTTP/1.1 413");
        }
    };
    beside(attack, async || {
        answers(&served, Duration::from_mins(1)).await;
    })
    .await;
}
