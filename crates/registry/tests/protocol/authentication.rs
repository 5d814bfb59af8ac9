//! Logging in: `Basic` first, bearer tokens where they are asked for.

use std::sync::atomic::{AtomicUsize, Ordering};

use registry::{Credentials, Password, Registry, RegistryError};
use tempfile::TempDir;

use crate::scripted::{Server, refuse, reply};
use crate::uploads::{PLACE, count};
use crate::{blob, nobody, options, registry, repository};

fn tags() -> crate::scripted::Reply {
    reply(200).body(r#"{"name":"acme/api","tags":["v1"]}"#)
}

#[tokio::test]
async fn a_wrong_password_is_asked_about_once() {
    let server = Server::start(|_, _| {
        reply(401)
            .header(
                "www-authenticate",
                r#"Basic realm="https://r.example/",service="ecr.amazonaws.com""#,
            )
            .body("Not Authorized\n")
    })
    .await;
    let error = registry(&server.url).tags(&repository()).await.unwrap_err();
    assert!(error.is_denial());
    assert!(error.to_string().contains("Not Authorized"), "{error}");
    assert_eq!(server.lines().len(), 1);
    assert_eq!(
        server.seen()[0].header("authorization"),
        "Basic QVdTOmh1bnRlcjI="
    );
}

#[tokio::test]
async fn a_bearer_token_is_fetched_once_for_what_it_allows() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("GET /token") {
            return reply(200).body(r#"{"token":"let-me-in"}"#);
        }
        match seen.header("authorization") {
            "Bearer let-me-in" => tags(),
            _ => refuse(401, "UNAUTHORIZED", "").header(
                "www-authenticate",
                r#"Bearer realm="/token?a=b",service="r.example""#,
            ),
        }
    })
    .await;
    let client = registry(&server.url);
    client.tags(&repository()).await.unwrap();
    client.tags(&repository()).await.unwrap();
    assert_eq!(
        server.lines(),
        [
            "GET /v2/acme/api/tags/list",
            "GET /token?a=b&service=r.example&scope=repository%3Aacme%2Fapi%3Apull",
            "GET /v2/acme/api/tags/list",
            "GET /v2/acme/api/tags/list",
        ]
    );
    assert_eq!(
        server.seen()[1].header("authorization"),
        "Basic QVdTOmh1bnRlcjI="
    );
}

#[tokio::test]
async fn a_registry_that_takes_no_token_it_asked_for_is_not_asked_a_third_time() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("GET /token") {
            reply(200).body(r#"{"access_token":"useless"}"#)
        } else {
            {
                refuse(401, "UNAUTHORIZED", "")
                    .header("www-authenticate", r#"Bearer realm="/token""#)
            }
        }
    })
    .await;
    let error = registry(&server.url).tags(&repository()).await.unwrap_err();
    assert!(error.is_denial());
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn the_password_does_not_go_to_an_unprotected_token_service() {
    let server = Server::start(|_, _| {
        reply(401).header(
            "www-authenticate",
            r#"Bearer realm="http://auth.example/token""#,
        )
    })
    .await;
    let error = registry(&server.url).tags(&repository()).await.unwrap_err();
    assert!(error.to_string().contains("unprotected"), "{error}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn a_token_service_that_refuses_or_babbles_is_an_error_that_shows_no_token() {
    for (answer, denial) in [
        ((403, "no"), true),
        ((200, r#"{"token":7,"x":"hunter2"}"#), false),
        ((200, "{}"), false),
    ] {
        let server = Server::start(move |_, seen| {
            if seen.line.starts_with("GET /token") {
                reply(answer.0).body(answer.1)
            } else {
                reply(401).header("www-authenticate", r#"Bearer realm="/token""#)
            }
        })
        .await;
        let error = registry(&server.url).tags(&repository()).await.unwrap_err();
        assert_eq!(error.is_denial(), denial, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(server.lines().len(), 2);
    }
}

#[tokio::test]
async fn nobody_logs_in_without_credentials() {
    let server = Server::start(|_, _| tags()).await;
    let client = Registry::new(server.url.parse().unwrap(), None, options()).unwrap();
    client.tags(&repository()).await.unwrap();
    assert_eq!(server.seen()[0].header("authorization"), "");
}

#[test]
fn an_endpoint_that_would_show_the_password_is_refused() {
    for endpoint in [
        "http://registry.example",
        "ftp://localhost",
        "unix:/run/registry",
    ] {
        let credentials = Credentials {
            username: "AWS".to_owned(),
            password: Password::new("hunter2"),
        };
        let made = Registry::new(endpoint.parse().unwrap(), Some(credentials), options());
        assert!(
            matches!(made, Err(RegistryError::Endpoint { .. })),
            "{endpoint}"
        );
    }
}

#[tokio::test]
async fn a_token_that_expires_while_a_blob_is_sent_is_replaced_and_the_blob_sent_again() {
    let tokens = AtomicUsize::new(0);
    let server = Server::start(move |_, seen| {
        if seen.line.starts_with("GET /token") {
            let number = tokens.fetch_add(1, Ordering::SeqCst);
            return reply(200).body(&format!(r#"{{"token":"{number}"}}"#));
        }
        // The first is good for everything but the end of the upload.
        let needed = if seen.line.starts_with("PUT") {
            "Bearer 1"
        } else {
            "Bearer "
        };
        if !seen.header("authorization").starts_with(needed) {
            let realm = r#"Bearer realm="/token",service="s""#;
            return refuse(401, "UNAUTHORIZED", "").header("www-authenticate", realm);
        }
        match seen.line.split(' ').next().unwrap() {
            "HEAD" => reply(404),
            "POST" => reply(202).header("location", PLACE),
            _ => reply(201),
        }
    })
    .await;
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), b"bytes");
    let client = registry(&server.url);
    let pushed = client.push_blobs(&repository(), &[layer], &nobody).await;
    assert_eq!(pushed.unwrap().bytes, 5);
    assert_eq!((count(&server, "POST"), count(&server, "PUT")), (1, 2));
    let last = server.seen().pop().unwrap();
    assert_eq!(last.body.as_deref(), Some(&b"bytes"[..]));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_and_never_sent_to_the_registry() {
    let server = Server::start(|_, seen| {
        if seen.line.starts_with("POST /token") {
            return reply(200).body(r#"{"access_token":"let-me-in","refresh_token":"x"}"#);
        }
        match seen.header("authorization") {
            "Bearer let-me-in" => tags(),
            "" => refuse(401, "UNAUTHORIZED", "").header(
                "www-authenticate",
                r#"Bearer realm="/token",service="r.example""#,
            ),
            _ => refuse(401, "DENIED", ""),
        }
    })
    .await;
    let credentials = Credentials::of_identity_token("hunter2&a=b");
    assert!(!format!("{credentials:?}").contains("hunter2"));
    let client = Registry::new(server.url.parse().unwrap(), Some(credentials), options());
    client.unwrap().tags(&repository()).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    let form = "grant_type=refresh_token&client_id=longshore&service=r.example\
                &scope=repository%3Aacme%2Fapi%3Apull&refresh_token=hunter2%26a%3Db";
    assert_eq!(seen[1].line, "POST /token");
    assert_eq!(seen[1].body.as_deref(), Some(form.as_bytes()));
    assert_eq!(
        seen[1].header("content-type"),
        "application/x-www-form-urlencoded"
    );
}
