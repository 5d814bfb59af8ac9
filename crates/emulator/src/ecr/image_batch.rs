//! `PutImage`, `BatchGetImage` and `BatchDeleteImage`.

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::changes::Changes;
use super::contents::Failure;
use super::conversion::translated;
use super::image::{self, Put, note_pull};
use super::lookup::Lookup;
use super::model::IMAGE_TAG;
use super::parameters::{ImageIdentifier, RepositoryParameters, digest, parse};
use super::records::Image;
use super::storage_class::ImageStatus;
use super::{Call, EcrError, code};
use crate::store::StoreError;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_ids: Vec<ImageIdentifier>,
    #[serde(default)]
    accepted_media_types: Vec<String>,
}

/// `BatchGetImage`. A manifest asked for by tag is translated when it is not of
/// an accepted media type and ECR can; every other is given as it was pushed,
/// whatever is accepted (inferred).
pub(super) fn get(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: BatchParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchGetImage"], &name)?;
    let now = call.state.clock.now();
    let (mut images, mut pulled, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    call.state.store.read::<_, EcrError>(|reader| {
        let lookup = Lookup::new(reader, call.registry, &name);
        for wanted in &parameters.image_ids {
            match lookup.resolve(wanted)? {
                Ok(image) if image.storage.status(now) == ImageStatus::Active => {
                    let manifest = lookup.document(&image)?;
                    let tag = wanted.image_tag.as_deref();
                    let mut found = image_json(call, &name, (&image, &manifest), tag);
                    if tag.is_some() && wanted.image_digest.is_none() {
                        translate(&mut found, &parameters.accepted_media_types);
                    }
                    images.push(found);
                    pulled.push(image);
                }
                Ok(_) => {
                    // Inferred sentence.
                    let reason = "Requested image is archived".to_owned();
                    failures.push(failure_json(wanted, ("ImageInaccessible", reason)));
                }
                Err(failure) => failures.push(failure_json(wanted, failure)),
            }
        }
        Ok(())
    })?;
    for image in &pulled {
        note_pull(call, &name, image)?;
    }
    Ok(json!({ "images": images, "failures": failures }))
}

/// The digest stays that of the stored manifest, by which the image is known
/// (inferred).
fn translate(image: &mut Value, accepted: &[String]) {
    let text = |member: &str| image[member].as_str().unwrap_or_default();
    let (manifest, media_type) = (text("imageManifest"), text("imageManifestMediaType"));
    if let Some((into, manifest)) = translated(manifest.as_bytes(), media_type, accepted) {
        image["imageManifest"] = json!(manifest);
        image["imageManifestMediaType"] = json!(into);
    }
}

/// An image and its manifest as the API answers with them.
pub(crate) fn image_json(
    call: Call<'_>,
    name: &RepositoryName,
    (image, manifest): (&Image, &str),
    tag: Option<&str>,
) -> Value {
    let digest = image.descriptor.digest;
    let identifier = ImageIdentifier {
        image_digest: Some(digest.to_string()),
        image_tag: tag.map(str::to_owned),
    };
    json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageId": identifier.to_json(),
        "imageManifest": manifest,
        "imageManifestMediaType": image.descriptor.media_type,
    })
}

fn failure_json(wanted: &ImageIdentifier, (code, reason): Failure) -> Value {
    json!({ "imageId": wanted.to_json(), "failureCode": code, "failureReason": reason })
}

/// `BatchDeleteImage`: a tag alone is removed from its image, and the last one
/// takes the image with it; a digest takes the image with all of its tags.
pub(super) fn delete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: BatchParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchDeleteImage"], &name)?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    call.state.store.write::<_, StoreError>(|writer| {
        let changes = Changes::new(writer, call.registry, &name);
        for wanted in &parameters.image_ids {
            match delete_one(&changes, wanted)? {
                Ok(identifiers) => deleted.extend(identifiers),
                Err(failure) => failures.push(failure_json(wanted, failure)),
            }
        }
        Ok(())
    })?;
    let deleted: Vec<Value> = deleted.iter().map(ImageIdentifier::to_json).collect();
    Ok(json!({ "imageIds": deleted, "failures": failures }))
}

pub(super) fn delete_one(
    changes: &Changes<'_, '_>,
    wanted: &ImageIdentifier,
) -> Result<Result<Vec<ImageIdentifier>, Failure>, StoreError> {
    let lookup = changes.lookup();
    let digest = match lookup.resolve(wanted)? {
        Ok(image) => image.descriptor.digest,
        Err(failure) => return Ok(Err(failure)),
    };
    let tags = lookup.tags_of(&digest)?;
    let parents = lookup.parents_of(&digest)?;
    if wanted.image_tag.is_none() && !parents.is_empty() {
        return Ok(Err((
            code::IMAGE_REFERENCED,
            format!("Requested image referenced by manifest list: {parents:?}"),
        )));
    }
    let removed = match &wanted.image_tag {
        Some(tag) => vec![tag.clone()],
        None => tags.clone(),
    };
    for tag in &removed {
        changes.remove_tag(tag)?;
    }
    if removed.len() == tags.len() && parents.is_empty() {
        changes.remove_image(&digest)?;
    }
    let identifier = |tag: Option<String>| ImageIdentifier {
        image_digest: Some(digest.to_string()),
        image_tag: tag,
    };
    Ok(Ok(if removed.is_empty() {
        vec![identifier(None)]
    } else {
        removed
            .into_iter()
            .map(|tag| identifier(Some(tag)))
            .collect()
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_manifest: String,
    image_manifest_media_type: Option<String>,
    image_tag: Option<String>,
    image_digest: Option<String>,
}

/// `PutImage`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: PutParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImage"], &name)?;
    let tag = parameters.image_tag.map(|tag| {
        tag.parse().map_err(|_| {
            EcrError::parameter(
                "imageTag",
                &format!("must satisfy regular expression '{IMAGE_TAG}'"),
            )
        })
    });
    let tag = tag.transpose()?;
    let expected = parameters.image_digest.as_deref();
    let stored = image::put(
        call,
        &name,
        &Put {
            bytes: parameters.image_manifest.as_bytes(),
            media_type: parameters.image_manifest_media_type.as_deref(),
            tag: tag.clone(),
            digest: expected
                .map(|text| digest("imageDigest", text))
                .transpose()?,
            refuse_unchanged: true,
            tags_lock: true,
            media_type_parameters: false,
        },
    )?;
    let tag = tag.map(String::from);
    let stored = (&stored, parameters.image_manifest.as_str());
    Ok(json!({ "image": image_json(call, &name, stored, tag.as_deref()) }))
}
