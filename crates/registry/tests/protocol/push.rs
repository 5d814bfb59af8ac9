//! The happy path: what is pushed arrives, once, and can be read back.

use std::sync::Mutex;

use bytes::Bytes;
use oci::{Digest, ManifestReference, Tag, media_type};
use registry::Event;
use tempfile::TempDir;

use crate::memory::Memory;
use crate::{blob, nobody, registry, repository};

#[tokio::test]
async fn blobs_arrive_and_the_next_push_sends_none() {
    let memory = Memory::start().await;
    let folder = TempDir::new().unwrap();
    let large = vec![7; 3 * 1024 * 1024 + 1];
    let blobs = [
        blob(folder.path(), b"config"),
        blob(folder.path(), &large),
        blob(folder.path(), b""),
        blob(folder.path(), b"config"),
    ];
    let client = registry(&memory.server.url);

    let pushed = client
        .push_blobs(&repository(), &blobs, &nobody)
        .await
        .unwrap();
    let mut expected: Vec<Digest> = blobs[..3]
        .iter()
        .map(|blob| blob.descriptor.digest)
        .collect();
    expected.sort_unstable();
    assert_eq!(pushed.uploaded, expected);
    assert_eq!(pushed.existing, []);
    assert_eq!(pushed.bytes, 6 + large.len() as u64);
    let stored = memory.contents.lock().unwrap().blobs[&Digest::of(&large).to_string()].clone();
    assert!(stored == large);

    let before = memory.server.lines().len();
    let again = client
        .push_blobs(&repository(), &blobs, &nobody)
        .await
        .unwrap();
    assert_eq!((again.uploaded.len(), again.bytes), (0, 0));
    assert_eq!(again.existing, expected);
    let asked = memory.server.lines().split_off(before);
    assert_eq!(asked.len(), 3);
    assert!(
        asked.iter().all(|line| line.starts_with("HEAD ")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn whoever_watches_sees_every_byte_go() {
    let memory = Memory::start().await;
    let folder = TempDir::new().unwrap();
    let layer = blob(folder.path(), &vec![1; 1024 * 1024]);
    let events = Mutex::new(Vec::new());
    let watch = |event| events.lock().unwrap().push(event);
    let client = registry(&memory.server.url);
    client
        .push_blobs(&repository(), std::slice::from_ref(&layer), &watch)
        .await
        .unwrap();

    let events = events.into_inner().unwrap();
    let (digest, size) = (layer.descriptor.digest, layer.descriptor.size);
    assert_eq!(events[0], Event::Checking { blobs: 1 });
    assert_eq!(events[1], Event::Started { digest, size });
    assert_eq!(events.last(), Some(&Event::Finished { digest, size }));
    let sent: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Sent { bytes, .. } => Some(*bytes),
            _ => None,
        })
        .collect();
    assert!(
        sent.is_sorted() && sent.iter().all(|bytes| *bytes <= size),
        "{sent:?}"
    );
}

#[tokio::test]
async fn a_manifest_is_read_back_by_digest_and_by_tag() {
    let memory = Memory::start().await;
    let client = registry(&memory.server.url);
    let bytes = Bytes::from_static(br#"{"schemaVersion":2}"#);
    let digest = Digest::of(&bytes);
    let tag = ManifestReference::from("v1".parse::<Tag>().unwrap());

    assert_eq!(client.resolve(&repository(), &tag).await.unwrap(), None);
    assert!(
        client
            .manifest(&repository(), &tag)
            .await
            .unwrap()
            .is_none()
    );
    for reference in [digest.into(), tag.clone()] {
        let written = client
            .push_manifest(
                &repository(),
                &reference,
                media_type::MANIFEST,
                bytes.clone(),
            )
            .await;
        assert_eq!(written.unwrap(), digest);
    }
    for reference in [digest.into(), tag] {
        let resolved = client
            .resolve(&repository(), &reference)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(resolved.digest, digest);
        assert_eq!(resolved.size, bytes.len() as u64);
        assert_eq!(resolved.media_type, media_type::MANIFEST);
        let (descriptor, read) = client
            .manifest(&repository(), &reference)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((descriptor, read), (resolved, bytes.clone()));
    }
    let asked = memory.server.seen();
    let accepted: Vec<_> = asked[0].headers.get_all("accept").iter().collect();
    assert_eq!(accepted, media_type::MANIFESTS);
}

#[tokio::test]
async fn a_manifest_is_never_written_under_another_digest() {
    let memory = Memory::start().await;
    let client = registry(&memory.server.url);
    let other = Digest::of(b"other").into();
    let bytes = Bytes::from_static(b"{}");
    let error = client
        .push_manifest(&repository(), &other, media_type::MANIFEST, bytes)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("cannot be written as"),
        "{error}"
    );
    assert_eq!(memory.server.lines().len(), 0);
}

fn may_move_between_threads(_: impl Send) {}

#[test]
fn every_call_may_run_on_any_thread() {
    let client = registry("http://127.0.0.1:1");
    let (name, reference) = (repository(), ManifestReference::from(Digest::of(b"")));
    may_move_between_threads(client.push_blobs(&name, &[], &nobody));
    may_move_between_threads(client.push_manifest(&name, &reference, "", Bytes::new()));
    may_move_between_threads(client.resolve(&name, &reference));
    may_move_between_threads(client.manifest(&name, &reference));
    may_move_between_threads(client.tags(&name));
    may_move_between_threads(client.start_and_cancel_upload(&name));
}
