//! From format 2 to format 3: manifests are records, blobs say when somebody was
//! last told of them, and there are records by which tags, references, holders of
//! blobs and the number of images are found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Upgrade;
use crate::emulator::EmulatorError;
use crate::store::{StoreError, Table, Writer};

const BLOBS: Table<Value> = Table::new("ecr/blobs");
const HOLDERS: Table<()> = Table::new("ecr/holders");
const IMAGES: Table<Value> = Table::new("ecr/images");
const TAGS: Table<String> = Table::new("ecr/tags");
const MANIFESTS: Table<String> = Table::new("ecr/manifests");
const TAGGED: Table<()> = Table::new("ecr/tagged");
const REFERENCES: Table<()> = Table::new("ecr/references");
const IMAGE_COUNTS: Table<u64> = Table::new("ecr/image-counts");

pub(super) fn add(upgrade: &Upgrade<'_, '_>) -> Result<(), EmulatorError> {
    let writer = upgrade.writer;
    for (key, size) in writer.list(&BLOBS, "")? {
        let blob = json!({ "size": size, "promised": upgrade.now });
        writer.put(&BLOBS, &key, &blob)?;
        if let Some((repository, digest)) = key.split_once('@') {
            writer.put(&HOLDERS, &format!("{digest}<{repository}"), &())?;
        }
    }
    for (key, digest) in writer.list(&TAGS, "")? {
        if let Some((repository, tag)) = key.split_once(':') {
            writer.put(&TAGGED, &format!("{repository}@{digest}:{tag}"), &())?;
        }
    }
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (key, image) in writer.list(&IMAGES, "")? {
        let Some((repository, digest)) = key.split_once('@') else {
            continue;
        };
        *counts.entry(repository.to_owned()).or_default() += 1;
        add_manifest(writer, upgrade.data, (repository, digest), image)?;
    }
    for (repository, count) in counts {
        writer.put(&IMAGE_COUNTS, &repository, &count)?;
    }
    Ok(())
}

/// Takes in the document, which was a file among the blobs. An image without one
/// could not be pulled before and cannot be pulled now.
fn add_manifest(
    writer: &Writer,
    data: &Path,
    (repository, digest): (&str, &str),
    mut image: Value,
) -> Result<(), StoreError> {
    let key = format!("{repository}@{digest}");
    let document = blob_path(data, digest).and_then(|path| fs_err::read_to_string(path).ok());
    let Some(document) = document else {
        tracing::warn!(%key, "the manifest of an image is missing");
        return Ok(());
    };
    let manifest: Value = serde_json::from_str(&document).unwrap_or_default();
    writer.put(&MANIFESTS, &key, &document)?;
    let referred = referred(&manifest);
    for (kind, target) in &referred {
        let key = format!("{repository}@{target}<{kind}<{digest}");
        writer.put(&REFERENCES, &key, &())?;
    }
    let is_blob = |(kind, _): &&(&str, String)| *kind == "blob";
    let blobs: Vec<&String> = referred
        .iter()
        .filter(is_blob)
        .map(|(_, digest)| digest)
        .collect();
    image["blobs"] = json!(blobs);
    writer.put(&IMAGES, &key, &image)
}

fn blob_path(data: &Path, digest: &str) -> Option<PathBuf> {
    let (algorithm, hex) = digest.split_once(':')?;
    let shard = hex.get(..2)?;
    Some(data.join("blobs").join(algorithm).join(shard).join(hex))
}

/// What a manifest refers to, by kind.
fn referred(manifest: &Value) -> Vec<(&'static str, String)> {
    let of = |descriptor: &Value| descriptor["digest"].as_str().map(str::to_owned);
    let all = |member: &str| {
        let descriptors = manifest[member].as_array().into_iter().flatten();
        descriptors.filter_map(of).collect::<Vec<_>>()
    };
    let mut blobs: Vec<String> = of(&manifest["config"]).into_iter().collect();
    blobs.extend(all("layers"));
    let kinds = [
        ("blob", blobs),
        ("child", all("manifests")),
        ("subject", of(&manifest["subject"]).into_iter().collect()),
    ];
    let each = |(kind, digests): (&'static str, Vec<String>)| {
        digests.into_iter().map(move |digest| (kind, digest))
    };
    kinds.into_iter().flat_map(each).collect()
}
