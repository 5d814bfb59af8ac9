//! `DescribeImages` and `ListImages`.

use oci::RepositoryName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::lookup::Lookup;
use super::parameters::{ImageIdentifier, Page, RepositoryParameters, epoch, parse};
use super::records::Image;
use super::{Call, EcrError};
use crate::store::View;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_ids: Option<Vec<ImageIdentifier>>,
    #[serde(default)]
    filter: Filter,
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

/// An image with its tags.
type Tagged = (Image, Vec<String>);

/// `DescribeImages`: those named, or all by pages in the order of their digests.
/// A named image is described whatever its status, unless that is filtered.
pub(super) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:DescribeImages"], &name)?;
    parameters.page.without(parameters.image_ids.is_some())?;
    let (described, token) = call.state.store.read::<_, EcrError>(|reader| {
        let lookup = Lookup::new(reader, call.registry, &name);
        match &parameters.image_ids {
            Some(wanted) => Ok((named(call, &lookup, &parameters.filter, wanted)?, None)),
            None => page(call, &lookup, &parameters.filter, &parameters.page),
        }
    })?;
    let details: Vec<Value> = described
        .iter()
        .map(|described| detail(call, &name, described))
        .collect();
    let mut answer = json!({ "imageDetails": details });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

fn named(
    call: Call<'_>,
    lookup: &Lookup<'_, impl View>,
    filter: &Filter,
    wanted: &[ImageIdentifier],
) -> Result<Vec<Tagged>, EcrError> {
    let now = call.state.clock.now();
    let status = filter.image_status.as_deref().or(Some("ANY"));
    let mut found = Vec::new();
    for wanted in wanted {
        let image = lookup.named(call, wanted)?;
        let tags = lookup.tags_of(&image.descriptor.digest)?;
        if filter.wants(!tags.is_empty()) && image.storage.status(now).passes(status) {
            found.push((image, tags));
        }
    }
    Ok(found)
}

fn page(
    call: Call<'_>,
    lookup: &Lookup<'_, impl View>,
    filter: &Filter,
    page: &Page,
) -> Result<(Vec<Tagged>, Option<String>), EcrError> {
    let now = call.state.clock.now();
    let limit = page.limit(100);
    let mut found = Vec::new();
    lookup.each_image(&page.after()?, |image| {
        let tags = lookup.tags_of(&image.descriptor.digest)?;
        let status = image.storage.status(now);
        if filter.wants(!tags.is_empty()) && status.passes(filter.image_status.as_deref()) {
            found.push((image, tags));
        }
        Ok::<_, EcrError>(found.len() <= limit)
    })?;
    let token = Page::end(&mut found, limit, |(image, _)| {
        image.descriptor.digest.to_string()
    });
    Ok((found, token))
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
    let image = call.state.store.read::<_, EcrError>(|reader| {
        Lookup::new(reader, call.registry, &name).named(call, &parameters.image_id)
    })?;
    let identifier = ImageIdentifier {
        image_digest: Some(image.descriptor.digest.to_string()),
        image_tag: parameters.image_id.image_tag,
    };
    Ok((name, image, identifier))
}

fn detail(call: Call<'_>, name: &RepositoryName, (image, tags): &Tagged) -> Value {
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
    let filter = &parameters.filter;
    let now = call.state.clock.now();
    let limit = parameters.page.limit(100);
    let after = parameters.page.after()?;
    // The image of the last entry may have more.
    let (last_digest, _) = after.split_once(' ').unwrap_or_default();
    let mut entries = call.state.store.read::<_, EcrError>(|reader| {
        let lookup = Lookup::new(reader, call.registry, &name);
        let mut entries = Vec::new();
        let mut visit = |image: Image| {
            let tags = lookup.tags_of(&image.descriptor.digest)?;
            let status = image.storage.status(now);
            if filter.wants(!tags.is_empty()) && status.passes(filter.image_status.as_deref()) {
                let new = entries_of(&image, tags).into_iter();
                entries.extend(new.filter(|entry| place(entry) > after));
            }
            Ok::<_, EcrError>(entries.len() <= limit)
        };
        let is_more = match last_digest.parse() {
            Ok(digest) => lookup.image(&digest)?.map_or(Ok(true), &mut visit)?,
            Err(_) => true,
        };
        if is_more {
            lookup.each_image(last_digest, visit)?;
        }
        Ok(entries)
    })?;
    let token = Page::end(&mut entries, limit, place);
    let page: Vec<Value> = entries.iter().map(ImageIdentifier::to_json).collect();
    let mut answer = json!({ "imageIds": page });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

fn entries_of(image: &Image, tags: Vec<String>) -> Vec<ImageIdentifier> {
    let identifier = |image_tag| ImageIdentifier {
        image_digest: Some(image.descriptor.digest.to_string()),
        image_tag,
    };
    if tags.is_empty() {
        return vec![identifier(None)];
    }
    tags.into_iter().map(|tag| identifier(Some(tag))).collect()
}

/// The place of an entry among all: what they are sorted by.
fn place(entry: &ImageIdentifier) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    format!("{} {}", text(&entry.image_digest), text(&entry.image_tag))
}
