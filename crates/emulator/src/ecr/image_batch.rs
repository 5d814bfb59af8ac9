//! `PutImage`, `BatchGetImage` and `BatchDeleteImage`.

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::contents::{Contents, Failure};
use super::image::{self, Put, note_pull};
use super::parameters::{ImageIdentifier, RepositoryParameters, count, digest, parse, required};
use super::records::{IMAGES, Image, TAGS, content_key, tag_prefix};
use super::{Call, EcrError, Registry, code};
use crate::store::{StoreError, Writer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_ids: Option<Vec<ImageIdentifier>>,
}

impl BatchParameters {
    fn images(&mut self) -> Result<Vec<ImageIdentifier>, EcrError> {
        let images = required("imageIds", self.image_ids.take())?;
        count("imageIds", &images, 100)?;
        Ok(images)
    }
}

/// `BatchGetImage`. Manifests are given as they were pushed: no conversion
/// between formats takes place, whatever `acceptedMediaTypes` says.
pub(super) fn get(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let mut parameters: BatchParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchGetImage"], &name)?;
    let contents = Contents::read(call, &name)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for wanted in parameters.images()? {
        match contents.resolve(&wanted) {
            Ok(image) => {
                images.push(to_json(call, &name, image, wanted.image_tag.as_deref())?);
                note_pull(call, &name, image)?;
            }
            Err(failure) => failures.push(failure_json(&wanted, failure)),
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

fn to_json(
    call: Call<'_>,
    name: &RepositoryName,
    image: &Image,
    tag: Option<&str>,
) -> Result<Value, EcrError> {
    let bytes = call.state.blobs.read(&image.descriptor.digest)?;
    let manifest = String::from_utf8_lossy(&bytes);
    Ok(image_json(call, name, (image, &manifest), tag))
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
    let mut parameters: BatchParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchDeleteImage"], &name)?;
    let wanted = parameters.images()?;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    call.state.store.write::<_, StoreError>(|writer| {
        for wanted in &wanted {
            match delete_one(writer, call.registry, &name, wanted)? {
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
    writer: &Writer,
    registry: &Registry,
    name: &RepositoryName,
    wanted: &ImageIdentifier,
) -> Result<Result<Vec<ImageIdentifier>, Failure>, StoreError> {
    let contents = Contents::in_transaction(writer, registry, name)?;
    let digest = match contents.resolve(wanted) {
        Ok(image) => image.descriptor.digest,
        Err(failure) => return Ok(Err(failure)),
    };
    let tags = contents.tags_of(&digest);
    let removed: Vec<&str> = match &wanted.image_tag {
        Some(tag) => vec![tag],
        None => tags.clone(),
    };
    let parents = contents.parents_of(&digest);
    if wanted.image_tag.is_none() && !parents.is_empty() {
        return Ok(Err((
            code::IMAGE_REFERENCED,
            format!("Requested image referenced by manifest list: {parents:?}"),
        )));
    }
    for tag in &removed {
        writer.remove(&TAGS, &format!("{}{tag}", tag_prefix(registry, name)))?;
    }
    if removed.len() == tags.len() && parents.is_empty() {
        writer.remove(&IMAGES, &content_key(registry, name, &digest))?;
    }
    let identifier = |tag: Option<&str>| ImageIdentifier {
        image_digest: Some(digest.to_string()),
        image_tag: tag.map(str::to_owned),
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
    image_manifest: Option<String>,
    image_manifest_media_type: Option<String>,
    image_tag: Option<String>,
    image_digest: Option<String>,
}

/// `PutImage`.
pub(super) fn put(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: PutParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:PutImage"], &name)?;
    let manifest = required("imageManifest", parameters.image_manifest)?;
    let tag = parameters
        .image_tag
        .map(|tag| {
            tag.parse().map_err(|_| {
                EcrError::parameter(
                    "imageTag",
                    "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'",
                )
            })
        })
        .transpose()?;
    let expected = parameters.image_digest.as_deref();
    let stored = image::put(
        call,
        &name,
        &Put {
            bytes: manifest.as_bytes(),
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
    Ok(json!({ "image": to_json(call, &name, &stored, tag.as_deref())? }))
}
