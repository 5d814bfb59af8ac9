use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::*;

/// A server with these limits on an address of its own, until the test ends.
struct Server {
    address: std::net::SocketAddr,
    connections: Arc<Connections>,
    stop: Arc<Notify>,
    stopped: tokio::task::JoinHandle<Stopped>,
}

impl Server {
    async fn start(app: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let address = listener.local_addr().expect("an address");
        let connections = Connections::new(limits.connections);
        let stop = Arc::new(Notify::new());
        let (told, served) = (stop.clone(), connections.clone());
        let stopped =
            tokio::spawn(
                async move { serve(listener, app, limits, served, told.notified()).await },
            );
        Self {
            address,
            connections,
            stop,
            stopped,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("a connection")
    }

    /// A connection that had one answer, and is kept.
    async fn keep_alive(&self) -> TcpStream {
        let mut client = self.connect().await;
        assert!(ask(&mut client).await.starts_with("HTTP/1.1 200 OK"));
        client
    }

    async fn end(self) -> Stopped {
        self.stop.notify_one();
        self.stopped.await.expect("an end")
    }
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

async fn ask(client: &mut TcpStream) -> String {
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("a request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello") {
        let read = client.read_buf(&mut answer).await.expect("an answer");
        assert!(read > 0, "closed after {answer:?}");
    }
    String::from_utf8(answer).expect("text")
}

/// Reads until the server closes the connection, whichever way.
async fn closed(client: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_given_up_at_the_deadline() {
    let begun = Arc::new(Notify::new());
    let told = begun.clone();
    let never_ends = async move || {
        told.notify_one();
        std::future::pending::<()>().await;
    };
    let app = Router::new().route("/", get(never_ends));
    let server = Server::start(app, Limits::default()).await;
    let mut client = server.connect().await;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("a request");
    begun.notified().await;
    assert_eq!(server.end().await, Stopped::DeadlinePassed);
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let server = Server::start(hello(), Limits::default()).await;
    let mut kept = server.keep_alive().await;
    let mut silent = server.connect().await;
    let mut slow = server.keep_alive().await;
    slow.write_all(b"GET / HT").await.expect("half a head");
    assert_eq!(server.end().await, Stopped::Drained);
    for client in [&mut kept, &mut silent, &mut slow] {
        closed(client).await;
    }
}

#[tokio::test]
async fn a_head_that_comes_slowly_ends_its_connection() {
    let limits = Limits {
        head: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::start(hello(), limits).await;
    let mut silent = server.connect().await;
    closed(&mut silent).await;
    let mut slow = server.keep_alive().await;
    // What has been asked for is slow, what has not may wait.
    slow.write_all(b"GET").await.expect("part of a head");
    closed(&mut slow).await;
    assert_eq!(server.end().await, Stopped::Drained);
}

#[tokio::test]
async fn a_connection_that_asks_for_nothing_more_is_closed_after_a_while() {
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::start(hello(), limits).await;
    let mut kept = server.keep_alive().await;
    closed(&mut kept).await;
    assert_eq!(server.connections.idle(), 0);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_left() {
    let limits = Limits {
        write: Duration::from_millis(50),
        ..Limits::default()
    };
    let much = Router::new().route("/", get(async || vec![0_u8; 64 << 20]));
    let server = Server::start(much, limits).await;
    let mut client = server.connect().await;
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("a request");
    // Drained only once the connection is gone, which no stop ends while it answers.
    let mut first = [0];
    client.read_exact(&mut first).await.expect("a byte");
    assert_eq!(server.end().await, Stopped::Drained);
}

#[tokio::test]
async fn the_connection_that_has_waited_longest_makes_room_for_another() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let server = Server::start(hello(), limits).await;
    let mut oldest = server.keep_alive().await;
    let mut older = server.keep_alive().await;
    ask(&mut oldest).await;
    let mut newest = server.keep_alive().await;
    closed(&mut older).await;
    ask(&mut oldest).await;
    ask(&mut newest).await;
    assert_eq!(server.connections.open(), 2);
    assert_eq!(server.end().await, Stopped::Drained);
}

#[tokio::test]
async fn a_request_that_is_open_makes_no_room() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let app = hello().route("/", post(async |body: String| body));
    let server = Server::start(app, limits).await;
    let mut open = server.connect().await;
    open.write_all(
        b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    )
    .await
    .expect("a head");
    let mut go_on = [0; 25];
    open.read_exact(&mut go_on)
        .await
        .expect("an order to go on");
    let mut next = server.connect().await;
    next.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .expect("a request");
    open.write_all(b"hello").await.expect("a body");
    let mut answer = [0; 15];
    open.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    closed(&mut open).await;
    next.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}
