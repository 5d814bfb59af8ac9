//! What the emulator has acknowledged, to hold it to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use oci::Digest;
use serde_json::Value;

use super::client::Client;

/// Acknowledged facts, and what was asked for and never answered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) blobs: BTreeSet<Digest>,
    /// Documents by digest.
    pub(super) manifests: BTreeMap<Digest, String>,
    pub(super) tags: BTreeMap<String, Digest>,
    /// Tags that were being moved when the connection broke, and where to.
    pub(super) moving: BTreeMap<String, Digest>,
    /// Images whose deletion was asked for; whether it was acknowledged.
    pub(super) deleted: BTreeMap<Digest, bool>,
    /// Blobs that were found whole, and are not read again.
    whole: BTreeSet<Digest>,
    /// Manifests and tags that were found before, and are read again at the end.
    settled: Settled,
}

#[derive(Debug, Default)]
struct Settled {
    manifests: BTreeMap<Digest, String>,
    tags: BTreeMap<String, Digest>,
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (images, tags) = (&self.settled.manifests, &self.settled.tags);
        let (blobs, images, tags) = (self.blobs.len(), images.len(), tags.len());
        write!(formatter, "{blobs} blobs, {images} images, {tags} tags")
    }
}

impl Ledger {
    /// Holds the emulator to everything since the last check.
    pub(super) async fn check(&mut self, client: &Client) {
        for digest in self.blobs.clone() {
            self.check_blob(client, &digest).await;
        }
        self.check_manifests(client).await;
        self.check_tags(client).await;
        // What was on its way is there now or never.
        self.moving.clear();
        self.deleted.clear();
    }

    /// Holds it to everything that was ever acknowledged, after a `check`.
    pub(super) async fn check_again(&mut self, client: &Client) {
        self.whole.clear();
        self.manifests = std::mem::take(&mut self.settled.manifests);
        self.tags = std::mem::take(&mut self.settled.tags);
        self.check(client).await;
    }

    async fn check_manifests(&mut self, client: &Client) {
        for (digest, document) in std::mem::take(&mut self.manifests) {
            let (status, bytes) = client.get(&format!("manifests/{digest}")).await;
            match self.deleted.get(&digest) {
                Some(true) => assert_eq!(status, 404, "{digest} was deleted"),
                Some(false) if status == 404 => {}
                _ => {
                    assert_eq!(status, 200, "{digest} was acknowledged");
                    assert_eq!(bytes, document.as_bytes());
                    self.deleted.remove(&digest);
                    self.settled.manifests.insert(digest, document);
                }
            }
        }
    }

    /// Every tag points to what was acknowledged last or to what was on its way,
    /// and to something complete. One that nobody touched is there.
    async fn check_tags(&mut self, client: &Client) {
        let mut expected = std::mem::take(&mut self.settled.tags);
        let mut touched = std::mem::take(&mut self.tags);
        let present: BTreeSet<String> = client.tags().await.into_iter().collect();
        for tag in &present {
            let is_touched = touched.contains_key(tag) || self.moving.contains_key(tag);
            if let (false, Some(digest)) = (is_touched, expected.get(tag)) {
                self.settled.tags.insert(tag.clone(), *digest);
                continue;
            }
            let found = self.check_complete(client, tag).await;
            let acknowledged = touched.get(tag).or(expected.get(tag));
            let is_right = acknowledged == Some(&found) || self.moving.get(tag) == Some(&found);
            assert!(is_right, "{tag}: {acknowledged:?}, found {found}");
            self.settled.tags.insert(tag.clone(), found);
        }
        expected.append(&mut touched);
        for (tag, digest) in expected {
            let is_right = present.contains(&tag) || self.deleted.contains_key(&digest);
            assert!(is_right, "{tag} is gone; acknowledged {digest}");
        }
    }

    async fn check_blob(&mut self, client: &Client, digest: &Digest) {
        if self.whole.contains(digest) {
            return;
        }
        let (status, bytes) = client.get(&format!("blobs/{digest}")).await;
        assert_eq!(status, 200, "{digest} was acknowledged");
        assert_eq!(Digest::of(&bytes), *digest);
        self.whole.insert(*digest);
    }

    /// Checks that everything is there that `tag` leads to.
    async fn check_complete(&mut self, client: &Client, tag: &str) -> Digest {
        let (status, bytes) = client.get(&format!("manifests/{tag}")).await;
        assert_eq!(status, 200, "the tag {tag} points to nothing");
        for blob in blobs_of(&bytes) {
            self.check_blob(client, &blob).await;
        }
        Digest::of(&bytes)
    }

    /// Holds the emulator to having no garbage: every file is a blob that the
    /// repository holds, no upload is left, no line of the trail is torn.
    pub(super) async fn check_garbage(&mut self, client: &Client, data: &Path) {
        for digest in files(data) {
            if !self.whole.contains(&digest) {
                assert!(client.holds(&digest).await.unwrap(), "{digest} is garbage");
            }
        }
        let uploads = std::fs::read_dir(data.join("uploads")).unwrap();
        assert_eq!(uploads.count(), 0);
        let beside = std::fs::read_dir(data.join("trail")).unwrap();
        let accounts = beside.map(|entry| entry.unwrap().path());
        for account in accounts.filter(|path| path.is_dir()) {
            for day in std::fs::read_dir(account).unwrap() {
                let text = std::fs::read_to_string(day.unwrap().path()).unwrap();
                let last = text.lines().rev().take(50);
                for line in last {
                    serde_json::from_str::<Value>(line).unwrap();
                }
            }
        }
    }

    /// The blobs that the images which must be there consist of.
    pub(super) async fn needed(&self, client: &Client) -> BTreeSet<Digest> {
        let mut needed = BTreeSet::new();
        for tag in client.tags().await {
            let (_, bytes) = client.get(&format!("manifests/{tag}")).await;
            needed.extend(blobs_of(&bytes));
        }
        needed
    }
}

/// The blobs that have a file.
pub(super) fn files(data: &Path) -> BTreeSet<Digest> {
    let shards = std::fs::read_dir(data.join("blobs/sha256")).unwrap();
    shards
        .flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap())
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .map(|hex| format!("sha256:{hex}").parse().unwrap())
        .collect()
}

fn blobs_of(manifest: &[u8]) -> Vec<Digest> {
    let manifest: Value = serde_json::from_slice(manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers
        .chain([&manifest["config"]])
        .map(|blob| blob["digest"].as_str().unwrap().parse().unwrap())
        .collect()
}
