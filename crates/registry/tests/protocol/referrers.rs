//! Writing referrers: to registries that list them, and to those that do not.

use oci::{Descriptor, Digest, Index, media_type};
use registry::ReferrerManifest;

use crate::scripted::{Reply, Server, refuse, reply};
use crate::{registry, repository};

const MANIFEST: &[u8] = br#"{"subject":{}}"#;

fn subject() -> Digest {
    Digest::of(b"image")
}

fn referrer() -> ReferrerManifest {
    ReferrerManifest {
        listed: Descriptor::of(media_type::MANIFEST, MANIFEST),
        bytes: MANIFEST.into(),
    }
}

/// Pushes one referrer to a registry that takes manifests with `put`, answers with
/// `list` for its lists, and has `tagged` under the tag for them; returns what was
/// asked and the list that was written under the tag.
async fn push(put: Reply, list: Reply, tagged: Reply) -> (Vec<String>, Option<Index>) {
    let tag = format!("manifests/{}", subject().to_string().replace(':', "-"));
    let of_tag = tag.clone();
    let server = Server::start(move |_, seen| match seen.line.as_str() {
        line if line.contains("/referrers/") => list.clone(),
        line if line.starts_with("GET ") && line.contains(&of_tag) => tagged.clone(),
        _ => put.clone(),
    })
    .await;
    registry(&server.url)
        .push_referrers(&repository(), &subject(), &[referrer()])
        .await
        .unwrap();
    let seen = server.seen();
    let mut written = seen.iter().filter(|seen| seen.line.starts_with("PUT "));
    let written = written.find(|seen| seen.line.contains(&tag));
    let index = written.map(|seen| serde_json::from_slice(seen.body.as_ref().unwrap()).unwrap());
    (server.lines(), index)
}

fn missing() -> Reply {
    refuse(404, "MANIFEST_UNKNOWN", "")
}

#[tokio::test]
async fn a_registry_that_says_that_it_lists_them_is_not_asked() {
    let put = reply(201).header("oci-subject", subject());
    let (lines, tagged) = push(put, missing(), missing()).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(tagged.is_none());
}

#[tokio::test]
async fn a_registry_that_has_lists_gets_no_tag_even_where_they_may_not_be_seen() {
    let empty = reply(200).body(r#"{"schemaVersion":2,"manifests":[]}"#);
    for list in [empty, refuse(403, "DENIED", "")] {
        let (lines, tagged) = push(reply(201), list, missing()).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(tagged.is_none());
    }
}

#[tokio::test]
async fn a_registry_without_lists_keeps_what_others_wrote_under_the_tag() {
    let ours = Digest::of(MANIFEST);
    let (_, tagged) = push(reply(201), missing(), missing()).await;
    let digests = |index: Option<Index>| {
        let manifests = index.unwrap().manifests.into_iter();
        manifests.map(|listed| listed.digest).collect::<Vec<_>>()
    };
    assert_eq!(digests(tagged), [ours]);

    let theirs = Digest::of(b"theirs");
    let entry = |digest| format!(r#"{{"mediaType":"m","digest":"{digest}","size":1}}"#);
    let before = format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{},{}]}}"#,
        media_type::INDEX,
        entry(theirs),
        entry(ours)
    );
    let before = reply(200)
        .header("content-type", media_type::INDEX)
        .body(&before);
    let (_, tagged) = push(reply(201), missing(), before).await;
    assert_eq!(digests(tagged), [theirs, ours]);
}

#[tokio::test]
async fn a_registry_without_lists_is_asked_for_them_once() {
    let server = Server::start(|_, seen| match seen.line.split(' ').next().unwrap() {
        "PUT" => reply(201),
        _ => missing(),
    })
    .await;
    let client = registry(&server.url);
    for _ in 0..2 {
        client
            .push_referrers(&repository(), &subject(), &[referrer()])
            .await
            .unwrap();
    }
    let lines = server.lines();
    let asked = lines.iter().filter(|line| line.contains("/referrers/"));
    assert_eq!(asked.count(), 1, "{lines:?}");
}
