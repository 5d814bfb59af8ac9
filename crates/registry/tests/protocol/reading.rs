//! Reading what was published: small blobs and referrers.

use oci::{Descriptor, Digest, media_type};
use registry::RegistryError;

use crate::scripted::{Server, refuse, reply};
use crate::{registry, repository};

fn document() -> Descriptor {
    Descriptor::of(media_type::INPUTS, b"{}")
}

#[tokio::test]
async fn a_blob_is_read_where_the_registry_sends_to_and_the_login_stays() {
    let server = Server::start(|_, seen| match seen.line.as_str() {
        line if line.starts_with("GET /storage") => reply(200).body("{}"),
        _ => reply(307).header("location", "/storage?signed"),
    })
    .await;
    let bytes = registry(&server.url).blob(&repository(), &document()).await;
    assert_eq!(bytes.unwrap(), b"{}");
    let seen = server.seen();
    assert!(!seen[0].header("authorization").is_empty());
    assert_eq!(seen[1].header("authorization"), "");
}

#[tokio::test]
async fn a_blob_of_other_bytes_and_one_that_is_nowhere_are_errors() {
    let server = Server::start(|_, _| reply(200).body("{ }")).await;
    let error = registry(&server.url)
        .blob(&repository(), &document())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { .. }),
        "{error}"
    );
    let server = Server::start(|_, _| reply(307).header("location", "/round")).await;
    assert!(
        registry(&server.url)
            .blob(&repository(), &document())
            .await
            .is_err()
    );
    assert!(server.lines().len() < 10);
}

#[tokio::test]
async fn referrers_are_those_of_the_type_and_none_where_lists_are_not_kept() {
    let one = |kind: &str, digest: &str| {
        let digest = Digest::of(digest.as_bytes());
        format!(r#"{{"mediaType":"m","digest":"{digest}","size":1,"artifactType":"{kind}"}}"#)
    };
    let list = format!(
        r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#,
        one("other", "a"),
        one(media_type::INPUTS, "b")
    );
    let server = Server::start(move |_, _| reply(200).body(&list)).await;
    let subject = Digest::of(b"image");
    let client = registry(&server.url);
    let found = client
        .referrers(&repository(), &subject, media_type::INPUTS)
        .await
        .unwrap();
    let digests: Vec<_> = found.iter().map(|found| found.digest).collect();
    assert_eq!(digests, [Digest::of(b"b")]);

    let server = Server::start(|_, _| refuse(404, "NAME_UNKNOWN", "")).await;
    let found = registry(&server.url)
        .referrers(&repository(), &subject, media_type::INPUTS)
        .await;
    assert_eq!(found.unwrap(), []);
}
