//! `longshore base update`: the tags looked up anew, and what that changes.

use std::collections::BTreeMap;
use std::path::Path;

use build::Inputs;
use image::Base;
use oci::{AnyManifest, Digest, ImageConfig, ManifestReference, Platform};
use receipts::{BaseReport, Layer};

use super::lock::{Lock, LockedBase};
use super::pinned::{no_platform, place, platform};
use super::place::Place;
use super::{BaseFailure, BaseReference, PinnedBase, pins};
use crate::configuration::ImageTable;
use crate::inputs::changes;
use crate::publish::Logins;

/// Looks up each base of `images`, writes `longshore.lock` where one is another than
/// before, and tells what changed for the platform that is built for. Where none is named
/// any more, the file goes, and there is nothing to tell.
pub async fn update_bases(
    images: &[ImageTable],
    checkout: &Path,
    logins: &Logins,
) -> Result<Vec<BaseReport>, BaseFailure> {
    let mut lock = Vec::new();
    let mut reports: Vec<BaseReport> = Vec::new();
    for table in images {
        for reference in &references(table, checkout)? {
            let name = reference.to_string();
            if !reports.iter().any(|report| report.reference == name) {
                let (locked, report) = update(table, reference, (checkout, logins)).await?;
                lock.push(locked);
                reports.push(report);
            }
        }
    }
    let (former, lock) = (Lock::read(checkout)?, Lock::of(lock));
    match former {
        None if reports.is_empty() => return Err(BaseFailure::None),
        Some(_) if reports.is_empty() => Lock::remove(checkout)?,
        // What is not named any more goes too.
        former if former.as_ref() != Some(&lock) => lock.write(checkout)?,
        _ => {}
    }
    Ok(reports)
}

/// The base of an image, and the images that its Dockerfile names by a tag.
fn references(table: &ImageTable, checkout: &Path) -> Result<Vec<BaseReference>, BaseFailure> {
    let mut references = Vec::from_iter(table.base.clone());
    // Each platform may be built on an image of another name.
    for table in table.for_each_platform() {
        let Some(dockerfile) = &table.dockerfile else {
            continue;
        };
        let images = dockerfile.images(checkout, &platform(&table).architecture);
        for image in images.map_err(|error| BaseFailure::Dockerfile(Box::new(error)))? {
            let reference = pins::reference(&image)?;
            let by_tag = matches!(
                reference,
                BaseReference::Registry {
                    reference: ManifestReference::Tag(_),
                    ..
                }
            );
            if by_tag && !references.contains(&reference) {
                references.push(reference);
            }
        }
    }
    Ok(references)
}

async fn update(
    table: &ImageTable,
    reference: &BaseReference,
    (checkout, logins): (&Path, &Logins),
) -> Result<(LockedBase, BaseReport), BaseFailure> {
    let before = Lock::read(checkout)?.and_then(|lock| lock.find(reference));
    let place = place(reference, checkout, logins);
    let (digest, manifest) = place.resolve().await?;
    let locked = LockedBase {
        reference: reference.to_string(),
        digest,
        platforms: platforms(&place, digest, &manifest).await?,
    };
    let mut all = table.for_each_platform();
    for table in &all {
        let platform = platform(table);
        let found = locked.image_for(&platform);
        found.ok_or_else(|| no_platform(reference, &platform))?;
    }
    // What changed is told of the first.
    let platform = platform(&all.swap_remove(0));
    let wanted = locked.image_for(&platform);
    let wanted = wanted.ok_or_else(|| no_platform(reference, &platform))?;
    let read = async |digest| {
        let base = PinnedBase::at(reference, platform.clone(), digest, checkout);
        base.read(logins).await.cloned()
    };
    let base = read(wanted).await?;
    let former = before.as_ref().and_then(|base| base.image_for(&platform));
    // The registry may have removed it: then nobody can tell what it was.
    let former = match former {
        Some(digest) => read(digest).await.ok(),
        None => None,
    };
    let former_told = former.as_ref().map(|base| told(&base.config));
    let former_told = former_told.unwrap_or_default();
    let report = BaseReport {
        reference: reference.to_string(),
        changed: before.as_ref() != Some(&locked),
        previous: before.as_ref().map(|base| base.digest.to_string()),
        digest: digest.to_string(),
        platforms: names(&locked),
        platform: platform.to_string(),
        layers_added: layers(&base, former.as_ref()),
        layers_removed: former
            .as_ref()
            .map_or_else(Vec::new, |former| layers(former, Some(&base))),
        // All of it is new where there was none before.
        changes: changes(&former_told, &told(&base.config)),
    };
    Ok((locked, report))
}

fn names(locked: &LockedBase) -> BTreeMap<String, String> {
    let platforms = locked.platforms.iter();
    platforms
        .map(|(name, digest)| (name.clone(), digest.to_string()))
        .collect()
}

/// The images for Linux by platform; what else an index lists is not built on.
async fn platforms(
    place: &Place,
    digest: Digest,
    manifest: &AnyManifest,
) -> Result<BTreeMap<String, Digest>, BaseFailure> {
    let mut platforms = BTreeMap::new();
    match manifest {
        AnyManifest::Index(index) => {
            for listed in &index.manifests {
                if let Some(platform) = &listed.platform
                    && platform.os == "linux"
                {
                    let name = platform.to_string();
                    platforms.entry(name).or_insert(listed.digest);
                }
            }
        }
        AnyManifest::Image(image) => {
            let config = place.config(&image.config).await?;
            let config: ImageConfig = serde_json::from_slice(&config).map_err(|error| {
                BaseFailure::Image(image::ImageError::Base(format!(
                    "its configuration: {error}"
                )))
            })?;
            let platform = Platform {
                architecture: config.architecture,
                os: config.os,
                variant: config.variant,
            };
            platforms.insert(platform.to_string(), digest);
        }
    }
    Ok(platforms)
}

/// Those layers of `base` that `other` does not have.
fn layers(base: &Base, other: Option<&Base>) -> Vec<Layer> {
    let has = |digest: &Digest| {
        let mut layers = other.iter().flat_map(|base| &base.layers);
        layers.any(|(layer, _)| layer.digest == *digest)
    };
    let layers = base.layers.iter().map(|(layer, _)| layer);
    layers
        .filter(|layer| !has(&layer.digest))
        .map(|layer| Layer {
            digest: layer.digest.to_string(),
            size_bytes: layer.size,
            origin: None,
        })
        .collect()
}

/// What an image may take over from the configuration, or people want to know of it.
fn told(config: &ImageConfig) -> Inputs {
    let runtime = &config.config;
    let words = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
    let optional = [
        ("created", config.created.clone()),
        ("user", runtime.user.clone()),
        ("directory", runtime.working_dir.clone()),
        ("entrypoint", words(&runtime.entrypoint)),
        ("arguments", words(&runtime.cmd)),
    ];
    let mut told = Inputs::default();
    for (name, value) in optional {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            told.insert(name, value);
        }
    }
    for pair in &runtime.env {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        told.insert(format!("variable:{name}"), value);
    }
    for (name, value) in &runtime.labels {
        told.insert(format!("label:{name}"), value.as_str());
    }
    for port in runtime.exposed_ports.keys() {
        told.insert(format!("port:{port}"), "exposed");
    }
    for volume in runtime.volumes.keys() {
        told.insert(format!("volume:{volume}"), "declared");
    }
    told
}
