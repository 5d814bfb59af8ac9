//! What is durable, what is thrown away, and who may touch an upload.

use std::io::Read as _;

use bytes::Bytes;

use super::*;

fn open() -> (tempfile::TempDir, Blobs) {
    let data = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(data.path()).unwrap();
    (data, blobs)
}

fn uploads_on_disk(data: &tempfile::TempDir) -> usize {
    fs::read_dir(data.path().join("uploads")).unwrap().count()
}

/// Stores a blob.
fn put(blobs: &Blobs, bytes: &'static [u8]) -> Digest {
    let id = blobs.begin("app", NOW).unwrap();
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    append(&mut upload, bytes);
    let digest = Digest::of(bytes);
    upload.finish(&digest).unwrap();
    digest
}

/// All bytes of a blob.
fn read(blobs: &Blobs, digest: &Digest) -> Result<Vec<u8>, BlobError> {
    let mut bytes = Vec::new();
    blobs.open_blob(digest)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds one chunk.
fn append(upload: &mut Upload<'_>, bytes: &'static [u8]) {
    let mut chunk = upload.chunk();
    chunk.append(&Bytes::from_static(bytes)).unwrap();
    chunk.end().unwrap();
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[test]
fn chunks_become_the_blob_of_their_digest() {
    let (data, blobs) = open();
    let id = blobs.begin("team/app", NOW).unwrap();
    for chunk in [b"first ".as_slice(), b"second"] {
        let mut upload = blobs.upload("team/app", &id, NOW).unwrap();
        append(&mut upload, chunk);
    }
    let upload = blobs.upload("team/app", &id, NOW).unwrap();
    let progress = upload.progress();
    assert_eq!((progress.received, progress.first_chunk), (12, 6));
    assert_eq!(upload.smallest_inner_chunk(), Some(6));
    let digest = Digest::of(b"first second");
    assert_eq!(upload.finish(&digest).unwrap().size(), 12);
    assert_eq!(read(&blobs, &digest).unwrap(), b"first second");
    assert_eq!(uploads_on_disk(&data), 0);
}

#[test]
fn a_sha512_digest_is_proved_too() {
    let (_data, blobs) = open();
    for (named, kept) in [(b"bytes".as_slice(), true), (b"others", false)] {
        let id = blobs.begin("app", NOW).unwrap();
        let mut upload = blobs.upload("app", &id, NOW).unwrap();
        append(&mut upload, b"bytes");
        let digest = Digest::with(Algorithm::Sha512, named);
        assert_eq!(upload.finish(&digest).is_ok(), kept);
        assert_eq!(read(&blobs, &digest).is_ok(), kept);
    }
}

#[test]
fn a_wrong_digest_leaves_nothing() {
    let (data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    append(&mut upload, b"bytes");
    let error = upload.finish(&Digest::of(b"others")).unwrap_err();
    assert!(matches!(error, BlobError::Digest { .. }), "{error}");
    assert_eq!(uploads_on_disk(&data), 0);
    assert!(read(&blobs, &Digest::of(b"bytes")).is_err());
    assert!(matches!(
        blobs.upload("app", &id, NOW),
        Err(BlobError::UploadUnknown)
    ));
}

#[test]
fn an_interrupted_chunk_is_forgotten_and_the_upload_goes_on() {
    let (_data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    append(&mut upload, b"kept");
    let mut chunk = upload.chunk();
    chunk.append(&Bytes::from_static(b"lost")).unwrap();
    drop(chunk);
    assert_eq!(upload.received(), 4);
    append(&mut upload, b"!");
    let digest = Digest::of(b"kept!");
    upload.finish(&digest).unwrap();
    assert_eq!(read(&blobs, &digest).unwrap(), b"kept!");
}

#[test]
fn an_upload_belongs_to_its_repository_and_to_one_request_at_a_time() {
    let (_data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    assert!(matches!(
        blobs.upload("other", &id, NOW),
        Err(BlobError::UploadUnknown)
    ));
    assert!(matches!(
        blobs.progress("other", &id, NOW),
        Err(BlobError::UploadUnknown)
    ));
    assert_eq!(blobs.progress("app", &id, NOW).unwrap().received, 0);
    let upload = blobs.upload("app", &id, NOW).unwrap();
    assert!(matches!(
        blobs.upload("app", &id, NOW),
        Err(BlobError::UploadBusy)
    ));
    assert!(matches!(
        blobs.progress("app", &id, NOW),
        Err(BlobError::UploadBusy)
    ));
    drop(upload);
    assert!(blobs.upload("app", &id, NOW).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named_and_the_upload_is_discarded() {
    let (data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    if let Some(Slot::Idle(session)) = blobs.lock().get_mut(&id) {
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        session.write_to(full);
    }
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    let mut chunk = upload.chunk();
    let error = chunk.append(&Bytes::from_static(b"bytes")).unwrap_err();
    drop(chunk);
    drop(upload);
    assert!(matches!(error, BlobError::Full { .. }), "{error}");
    assert_eq!(uploads_on_disk(&data), 0);
    assert!(matches!(
        blobs.upload("app", &id, NOW),
        Err(BlobError::UploadUnknown)
    ));
}

#[test]
fn blobs_survive_a_restart_and_leftover_uploads_are_garbage() {
    let (data, blobs) = open();
    let digest = put(&blobs, b"layer");
    blobs.begin("app", NOW).unwrap();
    assert_eq!(uploads_on_disk(&data), 1);
    drop(blobs);
    let blobs = Blobs::open(data.path()).unwrap();
    let live = blobs.begin("app", NOW).unwrap();
    assert_eq!(blobs.give_up(NOW).unwrap(), 1);
    assert_eq!(uploads_on_disk(&data), 1);
    assert!(blobs.upload("app", &live, NOW).is_ok());
    assert_eq!(read(&blobs, &digest).unwrap(), b"layer");
}

#[test]
fn an_upload_nobody_touches_is_given_up() {
    let (data, blobs) = open();
    let old = blobs.begin("app", NOW).unwrap();
    let later = NOW + UPLOAD_LIFETIME + SignedDuration::from_secs(1);
    blobs.begin("app", later).unwrap();
    assert_eq!(blobs.give_up(later).unwrap(), 1);
    assert_eq!(uploads_on_disk(&data), 1);
    assert!(matches!(
        blobs.upload("app", &old, later),
        Err(BlobError::UploadUnknown)
    ));
}

#[test]
fn a_blob_that_is_about_to_be_recorded_is_not_removed() {
    let (_data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    append(&mut upload, b"layer");
    let digest = Digest::of(b"layer");
    let finished = upload.finish(&digest).unwrap();
    let remove = || blobs.remove_unless(&digest, || Ok::<_, BlobError>(false));
    assert_eq!(remove().unwrap(), None);
    drop(finished);
    assert_eq!(remove().unwrap(), Some(5));
    assert!(read(&blobs, &digest).is_err());
}

#[test]
fn a_large_upload_is_hashed_beside_its_writing_and_goes_back_whole() {
    let (data, blobs) = open();
    let id = blobs.begin("app", NOW).unwrap();
    let mut upload = blobs.upload("app", &id, NOW).unwrap();
    let piece = Bytes::from(vec![7; 3 << 20]);
    for is_kept in [false, true] {
        let mut chunk = upload.chunk();
        for _ in 0..12 {
            chunk.append(&piece).unwrap();
        }
        if is_kept {
            chunk.end().unwrap();
        }
    }
    assert_eq!(upload.received(), 36 << 20);
    let digest = Digest::of(&piece.repeat(12));
    upload.finish(&digest).unwrap();
    assert_eq!(read(&blobs, &digest).unwrap().len(), 36 << 20);
    assert_eq!(uploads_on_disk(&data), 0);
}
