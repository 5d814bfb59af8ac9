//! Manifests that speak about another one (distribution-spec, "Listing
//! Referrers"; `ListImageReferrers`).

use jiff::Timestamp;
use oci::{Descriptor, Digest, RepositoryName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::lookup::Lookup;
use super::parameters::{Page, RepositoryParameters, digest, parse};
use super::records::Image;
use super::{Call, EcrError};

/// The referrers of `subject` that can be pulled and whose artifact type is one
/// of `types`, or all of them when `types` is empty. The subject itself need not
/// exist.
pub(crate) fn referrers(
    call: Call<'_>,
    name: &RepositoryName,
    subject: &Digest,
    types: &[String],
) -> Result<Vec<Descriptor>, EcrError> {
    let found = matching(call, name, subject, types, None)?;
    Ok(found.into_iter().map(|image| image.descriptor).collect())
}

fn matching(
    call: Call<'_>,
    name: &RepositoryName,
    subject: &Digest,
    types: &[String],
    status: Option<&str>,
) -> Result<Vec<Image>, EcrError> {
    let now = call.state.clock.now();
    let is_wanted = |image: &Image| {
        let kind = image.descriptor.artifact_type.as_ref();
        (types.is_empty() || kind.is_some_and(|kind| types.contains(kind)))
            && image.storage.status(now).passes(status)
    };
    let mut images = call.state.store.read::<_, EcrError>(|reader| {
        Ok(Lookup::new(reader, call.registry, name).referrers_of(subject)?)
    })?;
    images.retain(is_wanted);
    Ok(images)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    subject_id: Subject,
    #[serde(default)]
    filter: Filter,
    #[serde(flatten)]
    page: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subject {
    image_digest: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    artifact_types: Option<Vec<String>>,
    artifact_status: Option<String>,
}

/// `ListImageReferrers`, which takes the permission `ecr:BatchGetImage`.
pub(super) fn list(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:BatchGetImage"], &name)?;
    let subject = digest("subjectId.imageDigest", &parameters.subject_id.image_digest)?;
    let types = parameters.filter.artifact_types.unwrap_or_default();
    let status = parameters.filter.artifact_status.as_deref();
    let found = matching(call, &name, &subject, &types, status)?;
    let key = |image: &Image| image.descriptor.digest.to_string();
    let (page, token) = parameters.page.cut(found, key, 20)?;
    let now = call.state.clock.now();
    let page: Vec<Value> = page.iter().map(|image| to_json(image, now)).collect();
    let mut answer = json!({ "referrers": page });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

fn to_json(image: &Image, now: Timestamp) -> Value {
    let descriptor = &image.descriptor;
    let mut json = json!({
        "digest": descriptor.digest,
        "mediaType": descriptor.media_type,
        "size": descriptor.size,
        "artifactStatus": image.storage.status(now).as_str(),
    });
    if let Some(kind) = &descriptor.artifact_type {
        json["artifactType"] = json!(kind);
    }
    if !descriptor.annotations.is_empty() {
        json["annotations"] = json!(descriptor.annotations);
    }
    json
}
