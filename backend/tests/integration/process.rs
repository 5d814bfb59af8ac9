//! The real process: what it prints, where it listens, how it ends.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program, with no variables but its database and an address of the system's
/// choice.
pub(crate) fn backend(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command
        .env_clear()
        .env("PORTFOLIO_LISTEN", "127.0.0.1:0")
        .env(
            "PORTFOLIO_DATABASE",
            directory.join("data/portfolio.sqlite"),
        );
    command
}

pub(crate) fn directory() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// A running process, killed with its test if the test has not stopped it.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: Lines<BufReader<ChildStdout>>,
    pub(crate) address: String,
}

impl Running {
    /// Starts the program and reads nothing of its log.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a process");
        let log = BufReader::new(child.stdout.take().expect("its log")).lines();
        let address = String::new();
        Self {
            child,
            log,
            address,
        }
    }

    /// Starts the program, which listens from here on.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut running = Self::spawn(command);
        let listening = running.wait_for_line("listening");
        let address = listening["address"].as_str().expect("an address");
        address.clone_into(&mut running.address);
        running
    }

    /// Reads the log up to the line with this message; every line must be JSON.
    pub(crate) fn wait_for_line(&mut self, message: &str) -> Value {
        self.log
            .by_ref()
            .map(|line| serde_json::from_str(&line.expect("a line")).expect("JSON"))
            .find(|line: &Value| line["message"] == message)
            .expect("the line before the end of the log")
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("a connection")
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already unless a check failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn answer(mut connection: TcpStream) -> String {
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn it_serves_where_it_says_logs_the_request_and_stops_well_when_told() {
    for signal in ["TERM", "INT"] {
        let directory = directory();
        let mut running = Running::start(&mut backend(directory.path()));
        let mut connection = running.connect();
        connection
            .write_all(b"GET /version HTTP/1.1\r\nHost: a\r\nX-Request-Id: the-id\r\nConnection: close\r\n\r\n")
            .expect("a request");
        let answer = answer(connection);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("x-request-id: the-id\r\n"), "{answer}");

        let line = running.wait_for_line("answered");
        assert_eq!(line["span"]["request_id"], "the-id");
        assert_eq!(line["path"], "/version");
        assert_eq!(line["status"], 200);

        running.signal(signal);
        running.wait_for_line("stopped");
        let status = running.child.wait().expect("its end");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn an_address_of_the_site_that_nobody_gave_is_told() {
    let directory = directory();
    let sentence = "the feed leads to the default of PORTFOLIO_URL";
    let mut running = Running::start(&mut backend(directory.path()));
    let line = running.wait_for_line(sentence);
    assert_eq!(line["url"], "http://localhost:8080");
    let mut command = backend(directory.path());
    command.env("PORTFOLIO_URL", "https://portfolio.example");
    let mut running = Running::start(&mut command);
    running.signal("TERM");
    let mut log = running.log.by_ref().map(|line| line.expect("a line"));
    assert!(!log.any(|line| line.contains(sentence)));
}

#[test]
fn a_request_that_is_open_is_answered_before_it_stops() {
    let directory = directory();
    let mut running = Running::start(&mut backend(directory.path()));
    let body = br#"{"name": "Ada", "email": "ada@example.com", "message": "hi"}"#;
    let head = format!(
        "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = running.connect();
    connection.write_all(head.as_bytes()).expect("a request");
    // `100 Continue` says that the request is being read.
    let mut go_on = [0; 25];
    connection
        .read_exact(&mut go_on)
        .expect("an order to go on");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    running.signal("TERM");
    running.wait_for_line("stopping");
    connection.write_all(body).expect("the rest of the request");
    let answer = answer(connection);
    assert!(answer.starts_with("HTTP/1.1 202 Accepted\r\n"), "{answer}");
    assert_eq!(running.child.wait().expect("its end").code(), Some(0));
}

fn assert_ends(output: &Output, code: i32, sentence: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(stderr.starts_with("backend: "), "{stderr}");
    assert!(stderr.contains(sentence), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn a_wrong_argument_or_variable_is_refused() {
    let directory = directory();
    let output = backend(directory.path()).arg("--prot").output();
    assert_ends(
        &output.expect("a process"),
        64,
        "there is no argument `--prot`",
    );
    for (variable, value) in [
        ("PORTFOLIO_LISTEN", "localhost"),
        ("PORTFOLIO_COMMIT", "main"),
        ("PORTFOLIO_BUILT_AT", "today"),
        ("PORTFOLIO_LOG", "loud"),
    ] {
        let output = backend(directory.path()).env(variable, value).output();
        assert_ends(
            &output.expect("a process"),
            64,
            &format!("{variable} must be"),
        );
    }
    assert!(
        !directory.path().join("data").exists(),
        "it did something before it refused"
    );
}

#[test]
fn the_configuration_is_checked_without_doing_anything_else() {
    let directory = directory();
    let file = directory.path().join("portfolio.toml");
    fs_err::write(&file, "log = 'warn'\n").expect("a file");
    let check = |listen: &str| {
        let mut command = backend(directory.path());
        command.args(["config", "check"]);
        command.env("PORTFOLIO_CONFIG", &file);
        command.env("PORTFOLIO_LISTEN", listen);
        command.output().expect("a process")
    };
    let checked = check("127.0.0.1:0");
    assert_eq!(checked.status.code(), Some(0));
    let shown = String::from_utf8(checked.stdout).expect("text");
    assert!(shown.contains("log = \"warn\""), "{shown}");
    assert!(!directory.path().join("data").exists());

    fs_err::write(&file, "log = 'loud'\n").expect("a file");
    let refused = check("nowhere");
    assert_eq!(refused.status.code(), Some(64));
    assert!(refused.stdout.is_empty());
    let mistakes = String::from_utf8(refused.stderr).expect("text");
    assert!(mistakes.lines().all(|line| line.starts_with("backend: ")));
    assert_eq!(mistakes.lines().count(), 2, "{mistakes}");
}

#[test]
fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("an address");
    let address = taken.local_addr().expect("an address").to_string();
    let directory = directory();
    let output = backend(directory.path())
        .env("PORTFOLIO_LISTEN", &address)
        .output();
    let output = output.expect("a process");
    assert_ends(&output, 69, &address);
    assert_ends(&output, 69, "in use");
}

#[test]
fn a_database_that_cannot_be_used_is_named() {
    let directory = directory();
    let run = |database: &Path| {
        let mut command = backend(directory.path());
        command
            .env("PORTFOLIO_DATABASE", database)
            .output()
            .expect("a process")
    };
    let this_program = Path::new(env!("CARGO_BIN_EXE_backend"));
    assert_ends(&run(this_program), 65, "is not an SQLite database");
    assert_ends(&run(directory.path()), 74, "SQLite refused it");
    assert_ends(
        &run(&this_program.join("data.sqlite")),
        74,
        "could not be created",
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_once() {
    let directory = directory();
    let url = "postgres://a:hunter2@db.example/a?sslmode=verify-full&sslrootcert=/nowhere.pem";
    let output = backend(directory.path()).env("DATABASE_URL", url).output();
    let output = output.expect("a process");
    assert_ends(&output, 74, "`/nowhere.pem`: No such file or directory");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr.matches("/nowhere.pem").count(), 1, "{stderr}");
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn help_and_version_are_printed_and_nothing_else_happens() {
    let directory = directory();
    let print = |argument: &str| {
        let output = backend(directory.path())
            .arg(argument)
            .output()
            .expect("a process");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(print("--help").contains("[default: data/portfolio.sqlite]"));
    assert_eq!(
        print("--version"),
        format!("backend {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert!(!directory.path().join("data").exists());
}

#[test]
fn clients_that_send_slowly_or_nothing_do_not_stop_others() {
    let directory = directory();
    let running = Running::start(&mut backend(directory.path()));
    // More open bodies than requests are worked on at once.
    let body: &[u8] = b"POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{";
    let head: &[u8] = b"GET /api/v1/prof";
    let slow: Vec<_> = [(body, 300), (head, 200), (b"", 200)]
        .into_iter()
        .flat_map(|(bytes, clients)| std::iter::repeat_n(bytes, clients))
        .map(|bytes| {
            let mut client = running.connect();
            client.write_all(bytes).expect("a beginning");
            client
        })
        .collect();
    let ask = |request: &str| {
        let mut connection = running.connect();
        connection.write_all(request.as_bytes()).expect("a request");
        answer(connection)
    };
    let read = ask("GET /api/v1/projects HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(read.starts_with("HTTP/1.1 200 OK\r\n"), "{read}");
    let message = r#"{"name": "Ada", "email": "ada@example.com", "message": "hi"}"#;
    let written = ask(&format!(
        "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{message}",
        message.len()
    ));
    assert!(
        written.starts_with("HTTP/1.1 202 Accepted\r\n"),
        "{written}"
    );
    drop(slow);
}

#[test]
fn the_log_holds_nothing_that_is_secret_or_personal() {
    let directory = directory();
    let mut command = backend(directory.path());
    command.env("PORTFOLIO_LOG", "debug");
    let mut running = Running::start(&mut command);
    let message =
        r#"{"name": "Tove Personal", "email": "tove@private.example", "message": "between us"}"#;
    for (request, body) in [
        ("POST /api/v1/contact?key=querysecret", message),
        ("POST /api/v1/contact", "{\"name\": \"broken Personal"),
        ("GET /api/v1/posts?q=querysecret", ""),
    ] {
        let mut connection = running.connect();
        let request = format!(
            "{request} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer tokensecret\r\nCookie: a=cookiesecret\r\nX-Forwarded-For: 203.0.113.77\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.write_all(request.as_bytes()).expect("a request");
        answer(connection);
    }
    running.signal("TERM");
    let log: Vec<_> = running
        .log
        .by_ref()
        .map(|line| line.expect("a line"))
        .collect();
    let log = log.join("\n");
    assert!(log.contains("/api/v1/contact"), "{log}");
    for secret in [
        "Personal",
        "private.example",
        "between us",
        "querysecret",
        "tokensecret",
        "cookiesecret",
        "203.0.113.77",
    ] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}
