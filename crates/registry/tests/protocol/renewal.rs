//! Logins that expire while they are used.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use registry::{Credentials, Password, Registry, RegistryError, Renew};
use tempfile::TempDir;

use crate::scripted::{Seen, Server, refuse, reply};
use crate::{blob, nobody, registry, repository};

const EXPIRED: &str = "Your authorization token has expired. Reauthenticate and try again.";

/// A registry that takes only the password `second`, and says so in ECR's words.
async fn expired() -> Server {
    Server::start(|_, seen| {
        let second = seen.header("authorization") == "Basic QVdTOnNlY29uZA==";
        match seen.line.split_once(' ').unwrap() {
            _ if !second && seen.line.starts_with("HEAD") => reply(403),
            _ if !second => refuse(403, "DENIED", EXPIRED),
            ("HEAD", _) => reply(404),
            ("POST", _) => reply(202).header("location", "/v2/acme/api/blobs/uploads/1"),
            _ => reply(201),
        }
    })
    .await
}

/// A client that gets the password `second`, and counts how often.
fn renewed(server: &Server) -> (Registry, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let renew: Renew = Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            Ok(Credentials {
                username: "AWS".to_owned(),
                password: Password::new("second"),
            })
        })
    });
    (registry(&server.url).renewed_by(renew), count)
}

#[tokio::test]
async fn a_login_that_expires_is_renewed_once_for_all_uploads() {
    let server = expired().await;
    let (client, count) = renewed(&server);
    let folder = TempDir::new().unwrap();
    let blobs: Vec<_> = (0..4u8)
        .map(|number| blob(folder.path(), &[number]))
        .collect();
    let pushed = client.push_blobs(&repository(), &blobs, &nobody).await;
    assert_eq!(pushed.unwrap().uploaded.len(), 4);
    assert_eq!(count.load(Ordering::SeqCst), 1);
    let bodies = |seen: &&Seen| seen.line.starts_with("PUT");
    assert_eq!(server.seen().iter().filter(bodies).count(), 4);
}

#[tokio::test]
async fn a_login_that_is_refused_again_after_its_renewal_ends_the_step() {
    let server = Server::start(|_, _| refuse(403, "DENIED", EXPIRED)).await;
    let (client, count) = renewed(&server);
    let error = client.tags(&repository()).await.unwrap_err();
    assert!(
        matches!(error, RegistryError::AuthorizationExpired(_)),
        "{error}"
    );
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_denial_that_says_why_is_not_taken_for_an_expired_login() {
    let server = Server::start(|_, _| refuse(403, "DENIED", "not authorized")).await;
    let (client, count) = renewed(&server);
    assert!(client.tags(&repository()).await.unwrap_err().is_denial());
    assert_eq!(count.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_hinders_the_renewal_is_told() {
    let server = expired().await;
    let renew: Renew = Box::new(|| Box::pin(async { Err("the run is over".into()) }));
    let client = registry(&server.url).renewed_by(renew);
    let error = client.tags(&repository()).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "the run is over");
}
