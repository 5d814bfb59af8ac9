//! Manifests that speak about another one (distribution-spec, "Listing
//! Referrers"; `ListImageReferrers`).

use oci::{Descriptor, Digest, RepositoryName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::contents::Contents;
use super::parameters::{Page, RepositoryParameters, digest, parse, required};
use super::{Call, EcrError};

/// The referrers of `subject` whose artifact type is one of `types`, or all of
/// them when `types` is empty. The subject itself need not exist.
pub(crate) fn referrers(
    call: Call<'_>,
    name: &RepositoryName,
    subject: &Digest,
    types: &[String],
) -> Result<Vec<Descriptor>, EcrError> {
    let wanted = |descriptor: &Descriptor| {
        types.is_empty()
            || descriptor
                .artifact_type
                .as_ref()
                .is_some_and(|kind| types.contains(kind))
    };
    Ok(Contents::read(call, name)?
        .images
        .into_values()
        .filter(|image| image.subject == Some(*subject))
        .map(|image| image.descriptor)
        .filter(wanted)
        .collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    subject_id: Option<Subject>,
    filter: Option<Filter>,
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
    let subject = required("subjectId", parameters.subject_id)?;
    let subject = digest("subjectId.imageDigest", &subject.image_digest)?;
    let filter = parameters.filter.unwrap_or_default();
    let types = filter.artifact_types.unwrap_or_default();
    if types.len() > 5 {
        return Err(EcrError::parameter(
            "filter.artifactTypes",
            "must have length less than or equal to 5",
        ));
    }
    let mut found = referrers(call, &name, &subject, &types)?;
    if matches!(
        filter.artifact_status.as_deref(),
        Some("ARCHIVED" | "ACTIVATING")
    ) {
        found.clear();
    }
    let key = |descriptor: &Descriptor| descriptor.digest.to_string();
    let (page, token) = parameters.page.cut(found, key, (50, 50))?;
    let mut answer = json!({ "referrers": page.iter().map(to_json).collect::<Vec<_>>() });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

fn to_json(descriptor: &Descriptor) -> Value {
    let mut json = json!({
        "digest": descriptor.digest,
        "mediaType": descriptor.media_type,
        "size": descriptor.size,
        "artifactStatus": "ACTIVE",
    });
    if let Some(kind) = &descriptor.artifact_type {
        json["artifactType"] = json!(kind);
    }
    if !descriptor.annotations.is_empty() {
        json["annotations"] = json!(descriptor.annotations);
    }
    json
}
