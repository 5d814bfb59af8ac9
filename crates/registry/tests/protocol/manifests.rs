//! Manifests and tags of registries that lie, lose answers or never end.

use bytes::Bytes;
use oci::{Digest, ErrorCode, ManifestReference, Tag, media_type};
use registry::{Options, RegistryError};

use crate::scripted::{Server, refuse, reply};
use crate::{options, registry, registry_with, repository};

const MANIFEST: &str = r#"{"schemaVersion":2}"#;

fn latest() -> ManifestReference {
    "latest".parse::<Tag>().unwrap().into()
}

async fn write(server: &Server) -> Result<Digest, RegistryError> {
    registry(&server.url)
        .push_manifest(
            &repository(),
            &latest(),
            media_type::MANIFEST,
            Bytes::from_static(MANIFEST.as_bytes()),
        )
        .await
}

#[tokio::test]
async fn a_lie_about_the_digest_of_what_was_written_is_caught() {
    let other = Digest::of(b"other");
    let server = Server::start(move |_, _| reply(201).header("docker-content-digest", other)).await;
    let error = write(&server).await.unwrap_err();
    let RegistryError::DigestMismatch {
        expected, actual, ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((expected, actual), (Digest::of(MANIFEST.as_bytes()), other));
    assert_eq!(server.lines(), ["PUT /v2/acme/api/manifests/latest"]);

    let server = Server::start(|_, _| reply(201).header("docker-content-digest", "sha512:0")).await;
    let error = write(&server).await.unwrap_err();
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_page_for_browsers_is_no_manifest() {
    let server = Server::start(|_, _| {
        reply(200)
            .header("content-type", "text/html; charset=utf-8")
            .body("<!doctype html><title>Welcome</title>")
    })
    .await;
    let registry = registry(&server.url);
    let read = registry.manifest(&repository(), &latest()).await;
    let resolved = registry.resolve(&repository(), &latest()).await;
    for error in [read.unwrap_err(), resolved.unwrap_err()] {
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
        assert!(error.to_string().contains("`text/html`"), "{error}");
    }
}

#[tokio::test]
async fn other_bytes_than_those_asked_for_are_caught() {
    let server = Server::start(|_, _| {
        reply(200)
            .header("content-type", media_type::MANIFEST)
            .body("{}")
    })
    .await;
    let asked = Digest::of(MANIFEST.as_bytes()).into();
    let error = registry(&server.url)
        .manifest(&repository(), &asked)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { .. }),
        "{error}"
    );
    // By HEAD alone, which states nothing here, the bytes are read and caught too.
    let error = registry(&server.url)
        .resolve(&repository(), &asked)
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { .. }),
        "{error}"
    );

    let stated = Digest::of(MANIFEST.as_bytes());
    let server = Server::start(move |_, _| {
        reply(200)
            .header("content-type", media_type::MANIFEST)
            .header("docker-content-digest", stated)
            .body("{}")
    })
    .await;
    let error = registry(&server.url)
        .manifest(&repository(), &latest())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::DigestMismatch { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_manifest_without_a_type_or_beyond_four_mebibytes_is_refused() {
    let server = Server::start(|_, _| reply(200).body(MANIFEST)).await;
    let error = registry(&server.url)
        .manifest(&repository(), &latest())
        .await
        .unwrap_err();
    // The test server states no type of its own for an empty script.
    assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");

    let server = Server::start(|_, _| {
        reply(200)
            .header("content-type", media_type::MANIFEST)
            .body(&" ".repeat(4 * 1024 * 1024 + 1))
    })
    .await;
    let error = registry(&server.url)
        .manifest(&repository(), &latest())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("more than 4 MiB"), "{error}");
}

#[tokio::test]
async fn an_immutable_tag_is_told_by_its_code_and_not_tried_again() {
    let sentence = "The image tag 'v1' already exists in the 'acme/api' repository and cannot be \
                    overwritten because the repository is immutable.";
    let server = Server::start(move |_, _| refuse(400, "TAG_INVALID", sentence)).await;
    let error = write(&server).await.unwrap_err();
    assert!(error.has_code(&ErrorCode::TagInvalid) && !error.is_denial());
    assert!(
        error.to_string().contains("repository is immutable"),
        "{error}"
    );
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_immutable_tag_that_our_own_lost_try_has_set_is_no_error() {
    for (found, succeeds) in [(MANIFEST, true), ("other", false)] {
        let server = Server::start(move |turn, _| match turn {
            0 => reply(502),
            1 => refuse(400, "TAG_INVALID", "already exists"),
            _ => reply(200)
                .header("content-type", media_type::MANIFEST)
                .header("content-length", found.len())
                .header("docker-content-digest", Digest::of(found.as_bytes())),
        })
        .await;
        assert_eq!(write(&server).await.is_ok(), succeeds);
        assert_eq!(server.lines().len(), 3);
    }
}

#[tokio::test]
async fn ecrs_refusal_of_a_manifest_by_405_keeps_its_sentence() {
    let sentence =
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'";
    let server = Server::start(move |_, _| refuse(405, "UNSUPPORTED", sentence)).await;
    let error = write(&server).await.unwrap_err();
    assert!(error.has_code(&ErrorCode::Unsupported));
    assert!(error.to_string().contains(sentence), "{error}");
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn an_endless_refusal_is_cut() {
    let server = Server::start(|_, _| reply(400).body(&"x".repeat(1_000_000))).await;
    let error = write(&server).await.unwrap_err();
    assert!(error.to_string().len() < 2000);
}

#[tokio::test]
async fn tags_are_collected_over_pages() {
    let server = Server::start(|turn, _| match turn {
        0 => reply(200)
            .header("link", r#"</v2/acme/api/tags/list?last=b&n=2>; rel="next""#)
            .body(r#"{"name":"acme/api","tags":["a","b"]}"#),
        1 => reply(503),
        _ => reply(200).body(r#"{"name":"acme/api","tags":null}"#),
    })
    .await;
    let tags = registry(&server.url).tags(&repository()).await.unwrap();
    assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(server.lines()[2], "GET /v2/acme/api/tags/list?last=b&n=2");
}

#[tokio::test]
async fn tags_that_lead_in_a_circle_or_are_none_are_refused() {
    let server = Server::start(|_, _| {
        reply(200)
            .header("link", r#"</v2/acme/api/tags/list>; rel="next""#)
            .body(r#"{"tags":[]}"#)
    })
    .await;
    let error = registry(&server.url).tags(&repository()).await.unwrap_err();
    assert!(error.to_string().contains("without end"), "{error}");
    assert_eq!(server.lines().len(), 2);

    for body in ["", "[]", r#"{"tags":["../x"]}"#] {
        let server = Server::start(move |_, _| reply(200).body(body)).await;
        let error = registry(&server.url).tags(&repository()).await.unwrap_err();
        assert!(matches!(error, RegistryError::Protocol { .. }), "{error}");
    }
}

#[tokio::test]
async fn being_throttled_is_no_failed_try_until_patience_ends() {
    let throttled = |turn: usize| match turn {
        0..8 => refuse(429, "TOOMANYREQUESTS", "Rate exceeded"),
        _ => reply(201),
    };
    let server = Server::start(move |turn, _| throttled(turn)).await;
    write(&server).await.unwrap();
    assert_eq!(server.lines().len(), 9);

    let server = Server::start(move |turn, _| throttled(turn)).await;
    let impatient = Options {
        patience: std::time::Duration::ZERO,
        ..options()
    };
    let bytes = Bytes::from_static(MANIFEST.as_bytes());
    let error = registry_with(&server.url, impatient)
        .push_manifest(&repository(), &latest(), media_type::MANIFEST, bytes)
        .await
        .unwrap_err();
    assert!(error.has_code(&ErrorCode::TooManyRequests), "{error}");
    assert_eq!(server.lines().len(), 4);
}
