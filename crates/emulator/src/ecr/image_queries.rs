//! `DescribeImages` and `ListImages`.

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::contents::Contents;
use super::parameters::{ImageIdentifier, Page, RepositoryParameters, count, epoch, parse};
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
    /// Whether tagged and whether untagged images are wanted.
    fn wanted(&self) -> Result<(bool, bool), EcrError> {
        // Nothing is archived here, so every image is ACTIVE.
        let active = match self.image_status.as_deref() {
            None | Some("ACTIVE" | "ANY") => true,
            Some("ARCHIVED" | "ACTIVATING") => false,
            Some(_) => {
                return Err(EcrError::parameter(
                    "filter.imageStatus",
                    "must satisfy enum value set: [ACTIVE, ARCHIVED, ACTIVATING, ANY]",
                ));
            }
        };
        match self.tag_status.as_deref() {
            None | Some("ANY") => Ok((active, active)),
            Some("TAGGED") => Ok((active, false)),
            Some("UNTAGGED") => Ok((false, active)),
            Some(_) => Err(EcrError::parameter(
                "filter.tagStatus",
                "must satisfy enum value set: [TAGGED, UNTAGGED, ANY]",
            )),
        }
    }
}

/// `DescribeImages`: those named, or all by pages in the order of their digests.
pub(super) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:DescribeImages"], &name)?;
    let contents = Contents::read(call, &name)?;
    let (tagged, untagged) = parameters.filter.unwrap_or_default().wanted()?;
    let images: Vec<&Image> = match &parameters.image_ids {
        Some(wanted) => {
            count("imageIds", wanted, 100)?;
            named(call, &name, &contents, wanted)?
        }
        None => contents.images.values().collect(),
    };
    let images = images
        .into_iter()
        .filter(|image| {
            if contents.tags_of(&image.descriptor.digest).is_empty() {
                untagged
            } else {
                tagged
            }
        })
        .collect();
    let key = |image: &&Image| image.descriptor.digest.to_string();
    let (page, token) = parameters.page.cut(images, key, (100, 1000))?;
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

fn named<'a>(
    call: Call<'_>,
    name: &RepositoryName,
    contents: &'a Contents,
    wanted: &[ImageIdentifier],
) -> Result<Vec<&'a Image>, EcrError> {
    wanted
        .iter()
        .map(|wanted| {
            contents.resolve(wanted).map_err(|(code, reason)| {
                if code == "ImageNotFound" {
                    EcrError::image_not_found(&wanted.in_words(), name, call.account())
                } else {
                    EcrError::parameter("imageIds", &reason)
                }
            })
        })
        .collect()
}

fn detail(call: Call<'_>, name: &RepositoryName, contents: &Contents, image: &Image) -> Value {
    let digest = image.descriptor.digest;
    let mut detail = json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageDigest": digest,
        "imageSizeInBytes": image.content_size,
        "imagePushedAt": epoch(image.pushed),
        "imageManifestMediaType": image.descriptor.media_type,
        "imageStatus": "ACTIVE",
    });
    let tags = contents.tags_of(&digest);
    if !tags.is_empty() {
        detail["imageTags"] = json!(tags);
    }
    if let Some(media_type) = &image.artifact_media_type {
        detail["artifactMediaType"] = json!(media_type);
    }
    if let Some(pulled) = image.pulled {
        detail["lastRecordedPullTime"] = epoch(pulled);
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
    let (tagged, untagged) = parameters.filter.unwrap_or_default().wanted()?;
    let mut identifiers = Vec::new();
    for digest in contents.images.keys() {
        let tags = contents.tags_of(digest);
        let identifier = |tag: Option<&str>| ImageIdentifier {
            image_digest: Some(digest.to_string()),
            image_tag: tag.map(str::to_owned),
        };
        if tags.is_empty() && untagged {
            identifiers.push(identifier(None));
        }
        if tagged {
            identifiers.extend(tags.into_iter().map(|tag| identifier(Some(tag))));
        }
    }
    let key = |identifier: &ImageIdentifier| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        format!(
            "{} {}",
            text(&identifier.image_digest),
            text(&identifier.image_tag)
        )
    };
    let (page, token) = parameters.page.cut(identifiers, key, (100, 1000))?;
    let page: Vec<Value> = page.iter().map(ImageIdentifier::to_json).collect();
    let mut answer = json!({ "imageIds": page });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}
