//! `DescribeImages` and `ListImages`.

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::contents::Contents;
use super::parameters::{ImageIdentifier, Page, RepositoryParameters, epoch, parse};
use super::records::Image;
use super::{Call, EcrError};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_ids: Option<Vec<ImageIdentifier>>,
    filter: Option<Filter>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    tag_status: Option<String>,
    image_status: Option<String>,
}

impl Filter {
    /// Whether images with tags, and whether those without are wanted.
    fn wants(&self, tagged: bool) -> bool {
        match self.tag_status.as_deref() {
            Some("TAGGED") => tagged,
            Some("UNTAGGED") => !tagged,
            _ => true,
        }
    }
}

/// `DescribeImages`: those named, or all by pages in the order of their digests.
/// A named image is described whatever its status, unless that is filtered.
pub(super) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:DescribeImages"], &name)?;
    parameters.page.without(parameters.image_ids.is_some())?;
    let contents = Contents::read(call, &name)?;
    let filter = parameters.filter.unwrap_or_default();
    let now = call.state.clock.now();
    let (named, status) = match &parameters.image_ids {
        Some(wanted) => {
            let named = wanted
                .iter()
                .map(|wanted| contents.named(call, &name, wanted))
                .collect::<Result<Vec<_>, _>>()?;
            (named, filter.image_status.as_deref().or(Some("ANY")))
        }
        None => (
            contents.images.values().collect(),
            filter.image_status.as_deref(),
        ),
    };
    let is_wanted = |image: &&Image| {
        filter.wants(!contents.tags_of(&image.descriptor.digest).is_empty())
            && image.storage.status(now).passes(status)
    };
    let images: Vec<&Image> = named.into_iter().filter(is_wanted).collect();
    let (page, token) = if parameters.image_ids.is_some() {
        (images, None)
    } else {
        let key = |image: &&Image| image.descriptor.digest.to_string();
        parameters.page.cut(images, key, 100)?
    };
    let details: Vec<Value> = page
        .into_iter()
        .map(|image| detail(call, &name, &contents, image))
        .collect();
    let mut answer = json!({ "imageDetails": details });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneImage {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_id: ImageIdentifier,
}

/// The one image that a request is about, once the caller may do `action`: the
/// repository, the image, and its id with the digest.
pub(super) fn one_image(
    call: Call<'_>,
    action: &str,
    body: Value,
) -> Result<(RepositoryName, Image, ImageIdentifier), EcrError> {
    let parameters: OneImage = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&[action], &name)?;
    let contents = Contents::read(call, &name)?;
    let image = contents.named(call, &name, &parameters.image_id)?.clone();
    let identifier = ImageIdentifier {
        image_digest: Some(image.descriptor.digest.to_string()),
        image_tag: parameters.image_id.image_tag,
    };
    Ok((name, image, identifier))
}

fn detail(call: Call<'_>, name: &RepositoryName, contents: &Contents, image: &Image) -> Value {
    let digest = image.descriptor.digest;
    let now = call.state.clock.now();
    let mut detail = json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageDigest": digest,
        "imageSizeInBytes": image.content_size,
        "imagePushedAt": epoch(image.pushed),
        "imageManifestMediaType": image.descriptor.media_type,
        "imageStatus": image.storage.status(now).as_str(),
    });
    let tags = contents.tags_of(&digest);
    if !tags.is_empty() {
        detail["imageTags"] = json!(tags);
    }
    if let Some(media_type) = &image.artifact_media_type {
        detail["artifactMediaType"] = json!(media_type);
    }
    for (member, time) in [
        ("lastRecordedPullTime", image.pulled),
        ("lastArchivedAt", image.storage.archived()),
        ("lastActivatedAt", image.storage.activated(now)),
    ] {
        if let Some(time) = time {
            detail[member] = epoch(time);
        }
    }
    if let Some(subject) = image.subject {
        detail["subjectManifestDigest"] = json!(subject);
    }
    detail
}

/// `ListImages`: one entry per tag, and one per image without tags.
pub(super) fn list(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:ListImages"], &name)?;
    let contents = Contents::read(call, &name)?;
    let filter = parameters.filter.unwrap_or_default();
    let now = call.state.clock.now();
    let mut identifiers = Vec::new();
    for image in contents.images.values() {
        let tags = contents.tags_of(&image.descriptor.digest);
        let status = image.storage.status(now);
        if !status.passes(filter.image_status.as_deref()) || !filter.wants(!tags.is_empty()) {
            continue;
        }
        let identifier = |tag: Option<&String>| ImageIdentifier {
            image_digest: Some(image.descriptor.digest.to_string()),
            image_tag: tag.cloned(),
        };
        if tags.is_empty() {
            identifiers.push(identifier(None));
        }
        identifiers.extend(tags.iter().map(|tag| identifier(Some(tag))));
    }
    let key = |identifier: &ImageIdentifier| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        format!(
            "{} {}",
            text(&identifier.image_digest),
            text(&identifier.image_tag)
        )
    };
    let (page, token) = parameters.page.cut(identifiers, key, 100)?;
    let page: Vec<Value> = page.iter().map(ImageIdentifier::to_json).collect();
    let mut answer = json!({ "imageIds": page });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}
