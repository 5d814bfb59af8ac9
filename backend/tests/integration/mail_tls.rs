//! TLS to mail servers: a login and a mail go to the server that proves who it is, and
//! nothing goes to another.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::authority::Authority;
use crate::mail_server::{Line, MailServer, Security};
use crate::process::{Running, answer, backend, directory};

/// `ada` and `hunter2`, as `AUTH PLAIN` has them.
const LOGIN: &str = "AUTH PLAIN AGFkYQBodW50ZXIy";

/// The program, with a login at a mail server.
fn program(directory: &Path, scheme: &str, port: u16, query: &str) -> Command {
    let mut command = backend(directory);
    let server = format!("ada:hunter2@localhost:{port}/owner@example.org{query}");
    command.env("PORTFOLIO_CONTACT_DELIVERY", format!("{scheme}://{server}"));
    command
}

/// Starts the program and sends it a message to deliver.
fn start(command: &mut Command) -> Running {
    let running = Running::start(command);
    let body = r#"{"name": "Zoe", "email": "zoe@example.com", "message": "Between us"}"#;
    let request = format!(
        "POST /api/v1/contact HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = running.connect();
    connection.write_all(request.as_bytes()).expect("a request");
    let answer = answer(connection);
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    running
}

/// What the server heard up to the end of the mail.
fn heard(server: &mut MailServer) -> Vec<Line> {
    let mut lines = Vec::new();
    loop {
        lines.push(server.lines.blocking_recv().expect("a line"));
        if lines.last().is_some_and(|line| line.text == ".") {
            return lines;
        }
    }
}

#[test]
fn a_login_and_a_mail_go_to_a_server_of_the_authority_that_is_named() {
    let authority = Authority::new("ours");
    let config = authority.identity("localhost").config();
    for (scheme, query, security) in [
        ("smtp", "?tls=required", Security::StartTls(config.clone())),
        ("smtps", "", Security::Wrapped(config.clone())),
    ] {
        let directory = directory();
        let file = authority.write(directory.path());
        let mut server = MailServer::start(security, Vec::new());
        let mut command = program(directory.path(), scheme, server.port, query);
        let running = start(command.env("SSL_CERT_FILE", file));
        let lines = heard(&mut server);
        let clear: Vec<_> = lines
            .iter()
            .filter(|line| !line.is_encrypted)
            .map(|line| line.text.split(' ').next().unwrap_or_default())
            .collect();
        let before_tls: &[&str] = if scheme == "smtp" {
            &["EHLO", "STARTTLS"]
        } else {
            &[]
        };
        assert_eq!(clear, before_tls);
        for text in [LOGIN, "MAIL FROM:<owner@example.org>", "Between us"] {
            assert!(
                lines.iter().any(|line| line.text.starts_with(text)),
                "{lines:?}"
            );
        }
        drop(running);
    }
}

/// Nothing but greetings is said to such a server, and the log says why.
fn assert_refused(command: &mut Command, server: &mut MailServer, why: &str) {
    let mut running = start(command);
    let line = running.wait_for_line("a message was not delivered");
    let error = line["error"].as_str().expect("an error");
    assert!(error.contains(why), "{error}");
    assert!(!line.to_string().contains("hunter2"), "{line}");
    while let Ok(line) = server.lines.try_recv() {
        let command = line.text.split(' ').next().unwrap_or_default();
        assert!(["EHLO", "STARTTLS", "QUIT"].contains(&command), "{line:?}");
        assert!(!line.is_encrypted, "{line:?}");
    }
}

#[test]
fn nothing_is_sent_to_a_server_that_is_another_or_has_no_tls() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let directory = directory();
    let file = authority.write(directory.path());
    let unknown = "invalid peer certificate: UnknownIssuer";
    let another_name = "certificate not valid for name \"localhost\"";
    for (identity, why) in [
        (other.identity("localhost"), unknown),
        (authority.identity("mail.example"), another_name),
    ] {
        for (scheme, query, security) in [
            (
                "smtp",
                "?tls=required",
                Security::StartTls(identity.config()),
            ),
            ("smtps", "", Security::Wrapped(identity.config())),
        ] {
            let mut server = MailServer::start(security, Vec::new());
            let mut command = program(directory.path(), scheme, server.port, query);
            assert_refused(command.env("SSL_CERT_FILE", &file), &mut server, why);
        }
    }
    let ours = authority.identity("localhost").config();
    let mut server = MailServer::start(Security::StartTls(ours), Vec::new());
    let mut command = program(directory.path(), "smtp", server.port, "?tls=required");
    // The system does not know the authority.
    assert_refused(&mut command, &mut server, unknown);
    let mut server = MailServer::start(Security::None, Vec::new());
    let mut command = program(directory.path(), "smtp", server.port, "?tls=required");
    assert_refused(&mut command, &mut server, "STARTTLS is not supported");
}

#[test]
fn a_login_without_tls_is_a_mistake_of_the_configuration() {
    let directory = directory();
    for query in ["", "?tls=opportunistic"] {
        let output = program(directory.path(), "smtp", 25, query)
            .args(["config", "check"])
            .output()
            .expect("a process");
        let mistake = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64));
        assert!(mistake.contains("which a login needs"), "{mistake}");
        assert!(!mistake.contains("hunter2"), "{mistake}");
    }
}
