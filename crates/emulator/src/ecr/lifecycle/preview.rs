//! `StartLifecyclePolicyPreview` and `GetLifecyclePolicyPreview`.
//!
//! A preview is complete as soon as it is started, and shows the repository as
//! it was then. The answer to the start says `IN_PROGRESS`, as AWS's does.

use jiff::Timestamp;
use oci::{Digest, RepositoryName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::contents::Contents;
use super::super::parameters::{ImageIdentifier, Page, RepositoryParameters, epoch, parse};
use super::super::records::repository_key;
use super::super::repository_policies::no_lifecycle;
use super::super::{Call, EcrError};
use super::Policy;
use super::evaluation::{Effect, evaluate};
use super::image::Image;
use super::rule::StorageClass;
use crate::store::Table;

/// The last preview of a repository, by the key of the repository.
pub(in crate::ecr) const PREVIEWS: Table<Preview> = Table::new("ecr/lifecycle-previews");

/// What a policy would do.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::ecr) struct Preview {
    text: String,
    /// The oldest image first.
    results: Vec<Outcome>,
}

/// What would happen to one image.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    digest: Digest,
    tags: Vec<String>,
    pushed: Timestamp,
    priority: u64,
    is_archived: bool,
    /// Whether the image would be archived; otherwise it would expire.
    transition: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StartParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    lifecycle_policy_text: Option<String>,
}

/// `StartLifecyclePolicyPreview`: of the text given, or of the repository's own.
pub(in crate::ecr) fn start(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: StartParameters = parse(body)?;
    let name = parameters.repository.name()?;
    let repository = call.repository(&["ecr:StartLifecyclePolicyPreview"], &name)?;
    let text = match (parameters.lifecycle_policy_text, repository.lifecycle) {
        (Some(text), _) => text,
        (None, Some(lifecycle)) => lifecycle.text,
        (None, None) => return Err(no_lifecycle(call, &name)),
    };
    let policy = Policy::parse(&text)?;
    let preview = Preview {
        results: outcomes(
            &policy,
            &Contents::read(call, &name)?,
            call.state.clock.now(),
        ),
        text,
    };
    let key = repository_key(call.registry, &name);
    call.state
        .store
        .write::<_, EcrError>(|writer| Ok(writer.put(&PREVIEWS, &key, &preview)?))?;
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "lifecyclePolicyText": preview.text,
        "status": "IN_PROGRESS",
    }))
}

fn outcomes(policy: &Policy, contents: &Contents, now: Timestamp) -> Vec<Outcome> {
    let images = Image::all(contents, now);
    let mut outcomes: Vec<Outcome> = evaluate(policy, &images, now)
        .into_iter()
        .filter_map(|verdict| {
            let image = images.iter().find(|image| image.digest == verdict.digest)?;
            Some(Outcome {
                digest: verdict.digest,
                tags: image.tags.clone(),
                pushed: image.pushed,
                priority: verdict.priority,
                is_archived: image.class == Some(StorageClass::Archive),
                transition: verdict.effect == Effect::Archive,
            })
        })
        .collect();
    outcomes.sort_by_key(|outcome| (outcome.pushed, outcome.digest));
    outcomes
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_ids: Option<Vec<ImageIdentifier>>,
    filter: Option<Filter>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    tag_status: Option<String>,
}

/// `GetLifecyclePolicyPreview`. The summary counts all results, whichever of
/// them are shown.
pub(in crate::ecr) fn get(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: GetParameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:GetLifecyclePolicyPreview"], &name)?;
    let key = repository_key(call.registry, &name);
    let preview = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.get(&PREVIEWS, &key)?))?
        .ok_or_else(|| no_preview(call, &name))?;
    parameters.page.without(parameters.image_ids.is_some())?;
    let shown = preview
        .results
        .iter()
        .filter(|outcome| parameters.wants(outcome))
        .enumerate()
        .collect();
    // Results are ordered by age, so their position is their key.
    let key = |(position, _): &(usize, &Outcome)| format!("{position:08}");
    let (page, token) = parameters.page.cut(shown, key, 100)?;
    let mut answer = json!({
        "registryId": call.account(),
        "repositoryName": name,
        "lifecyclePolicyText": preview.text,
        "status": "COMPLETE",
        "previewResults": page.iter().map(|(_, outcome)| outcome.to_json()).collect::<Vec<_>>(),
        "summary": summary(&preview.results),
    });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

impl GetParameters {
    fn wants(&self, outcome: &Outcome) -> bool {
        let status = self
            .filter
            .as_ref()
            .and_then(|filter| filter.tag_status.as_deref());
        let by_status = match status {
            Some("TAGGED") => !outcome.tags.is_empty(),
            Some("UNTAGGED") => outcome.tags.is_empty(),
            _ => true,
        };
        let by_image = self
            .image_ids
            .as_ref()
            .is_none_or(|images| images.iter().any(|image| outcome.is(image)));
        by_status && by_image
    }
}

impl Outcome {
    fn is(&self, image: &ImageIdentifier) -> bool {
        let ImageIdentifier {
            image_digest,
            image_tag,
        } = image;
        let digest = self.digest.to_string();
        (image_digest.is_some() || image_tag.is_some())
            && image_digest.as_ref().is_none_or(|wanted| *wanted == digest)
            && image_tag.as_ref().is_none_or(|tag| self.tags.contains(tag))
    }

    fn to_json(&self) -> Value {
        let action = if self.transition {
            json!({ "type": "TRANSITION", "targetStorageClass": "ARCHIVE" })
        } else {
            json!({ "type": "EXPIRE" })
        };
        json!({
            "imageTags": self.tags,
            "imageDigest": self.digest,
            "imagePushedAt": epoch(self.pushed),
            "action": action,
            "appliedRulePriority": self.priority,
            "storageClass": if self.is_archived { "ARCHIVE" } else { "STANDARD" },
        })
    }
}

fn summary(results: &[Outcome]) -> Value {
    let transitions = results.iter().filter(|outcome| outcome.transition).count();
    let mut summary = json!({ "expiringImageTotalCount": results.len() - transitions });
    if transitions > 0 {
        summary["transitioningImageTotalCounts"] =
            json!([{ "targetStorageClass": "ARCHIVE", "imageTotalCount": transitions }]);
    }
    summary
}

/// Inferred sentence.
fn no_preview(call: Call<'_>, name: &RepositoryName) -> EcrError {
    EcrError::client(
        "LifecyclePolicyPreviewNotFoundException",
        format!(
            "Lifecycle policy preview does not exist for the repository with name '{name}' in the \
             registry with id '{}'",
            call.account()
        ),
    )
}
