//! TLS to PostgreSQL: what proves who the server is, and what is refused.

use std::error::Error;

use backend::database::{Database, Location, OpenError, Start};

use crate::authority::Authority;
use crate::postgres;
use crate::process::{Running, backend, directory};

/// Opens the database of a server, and closes it.
async fn open(host: &str, port: u16, parameters: &str) -> Result<(), OpenError> {
    let url = format!("postgres://portfolio@{host}:{port}/postgres?{parameters}");
    let location = Location::Server(url.parse().expect("an address"));
    let database = Database::open(&location, Start::Example).await?;
    database.close().await;
    Ok(())
}

/// What the whole error says.
fn said(result: Result<(), OpenError>) -> String {
    let error = result.expect_err("a refusal");
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        sentence = format!("{sentence}: {error}");
        source = error.source();
    }
    sentence
}

#[tokio::test]
async fn a_server_proves_who_it_is_by_a_certificate_of_the_authority_that_is_named() {
    let (authority, other) = (Authority::new("ours"), Authority::new("another"));
    let identity = authority.identity("localhost");
    let files = (&*identity.certificate, &*identity.key);
    let Some(server) = postgres::new_server(Some(files)) else {
        return;
    };
    let (directory, other_directory) = (directory(), directory());
    let ours = format!("sslrootcert={}", authority.write(directory.path()));
    let others = format!("sslrootcert={}", other.write(other_directory.path()));
    let open = async |host, parameters: String| open(host, server.port, &parameters).await;

    let full = open("localhost", format!("sslmode=verify-full&{ours}")).await;
    full.expect("the server that it should be");
    let of_another = open("localhost", format!("sslmode=verify-full&{others}")).await;
    assert!(said(of_another).contains("invalid peer certificate: UnknownIssuer"));
    let of_nobody = open("localhost", "sslmode=verify-full".to_owned()).await;
    assert!(said(of_nobody).contains("invalid peer certificate: UnknownIssuer"));
    let of_another_name = open("127.0.0.1", format!("sslmode=verify-full&{ours}")).await;
    assert!(said(of_another_name).contains("certificate not valid for name \"127.0.0.1\""));
    let without = open(
        "localhost",
        "sslmode=verify-full&sslrootcert=/nowhere".to_owned(),
    )
    .await;
    assert!(said(without).contains("/nowhere"));

    // The other modes take what they are given.
    let named_otherwise = open("127.0.0.1", format!("sslmode=verify-ca&{ours}")).await;
    named_otherwise.expect("a certificate of the authority");
    let of_another = open("127.0.0.1", format!("sslmode=verify-ca&{others}")).await;
    assert!(said(of_another).contains("UnknownIssuer"));
    for mode in ["sslmode=require", "sslmode=prefer", ""] {
        // The server takes nothing without TLS, so it was used.
        let taken = open("127.0.0.1", format!("{mode}&{others}")).await;
        taken.expect("any certificate");
    }
    let plain = open("127.0.0.1", "sslmode=disable".to_owned()).await;
    assert!(said(plain).contains("no encryption"));
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_that_is_asked_for_and_told_of_where_not() {
    let Some(server) = postgres::new_server(None) else {
        return;
    };
    for mode in ["verify-full", "verify-ca", "require"] {
        let refused = open("127.0.0.1", server.port, &format!("sslmode={mode}")).await;
        assert!(
            said(refused).contains("server does not support TLS"),
            "{mode}"
        );
    }
    let directory = directory();
    let mut command = backend(directory.path());
    // An address of this machine that does not say so.
    let url = format!(
        "postgres://portfolio:hunter2@0.0.0.0:{}/postgres",
        server.port
    );
    let mut running = Running::spawn(command.env("DATABASE_URL", url));
    let line = running.wait_for_line(
        "somebody on the way can pass for PostgreSQL; sslmode=verify-full in DATABASE_URL asks for a certificate",
    );
    assert_eq!(line["host"], "0.0.0.0");
    assert_eq!(line["sslmode"], "Prefer");
    assert!(!line.to_string().contains("hunter2"));
}
