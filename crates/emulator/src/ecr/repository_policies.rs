//! The two documents of a repository: who may use it, and what is expired.

use oci::RepositoryName;
use policy::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::{RepositoryParameters, epoch, parse};
use super::records::{LifecyclePolicy, Repository};
use super::{Call, EcrError, lifecycle};
use crate::authorize::{Target, would_allow};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    policy_text: String,
    force: Option<bool>,
}

/// `SetRepositoryPolicy`. Who would not be allowed to set another policy after
/// this one must say `force`.
pub(super) fn set_policy(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    const ACTION: &str = "ecr:SetRepositoryPolicy";
    let parameters: PolicyParameters = parse(body)?;
    let repository = open(call, ACTION, &parameters.repository)?;
    let text = parameters.policy_text;
    check_policy(&text)?;
    if parameters.force != Some(true) {
        let resource = call.repository_arn(repository.name.as_str());
        let target = Target {
            resource_policy: Some(&text),
            context: repository.tag_context(),
            ..call.target(ACTION, resource)
        };
        if !would_allow(call.state, call.caller, &target, call.note) {
            // Inferred sentence.
            return Err(EcrError::parameter(
                "PolicyText",
                "The policy would prevent the caller from setting another policy; it must be forced",
            ));
        }
    }
    call.update(&repository.name, |repository| {
        repository.policy = Some(text.clone());
        Ok(())
    })?;
    Ok(policy_answer(call, &repository, &text))
}

/// `GetRepositoryPolicy`.
pub(super) fn get_policy(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:GetRepositoryPolicy", &parse(body)?)?;
    match &repository.policy {
        Some(text) => Ok(policy_answer(call, &repository, text)),
        None => Err(no_policy(call, &repository.name)),
    }
}

/// `DeleteRepositoryPolicy`.
pub(super) fn delete_policy(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:DeleteRepositoryPolicy", &parse(body)?)?;
    let mut removed = None;
    call.update(&repository.name, |repository| {
        removed = repository.policy.take();
        Ok(())
    })?;
    match removed {
        Some(text) => Ok(policy_answer(call, &repository, &text)),
        None => Err(no_policy(call, &repository.name)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LifecycleParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    lifecycle_policy_text: String,
}

/// `PutLifecyclePolicy`.
pub(super) fn put_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: LifecycleParameters = parse(body)?;
    let repository = open(call, "ecr:PutLifecyclePolicy", &parameters.repository)?;
    let text = parameters.lifecycle_policy_text;
    lifecycle::validate(&text)?;
    let now = call.state.clock.now();
    call.update(&repository.name, |repository| {
        repository.lifecycle = Some(LifecyclePolicy::new(text.clone(), now));
        Ok(())
    })?;
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
    }))
}

/// `GetLifecyclePolicy`.
pub(super) fn get_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:GetLifecyclePolicy", &parse(body)?)?;
    match &repository.lifecycle {
        Some(policy) => Ok(lifecycle_answer(call, &repository, policy)),
        None => Err(no_lifecycle(call, &repository.name)),
    }
}

/// `DeleteLifecyclePolicy`.
pub(super) fn delete_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:DeleteLifecyclePolicy", &parse(body)?)?;
    let mut removed = None;
    call.update(&repository.name, |repository| {
        removed = repository.lifecycle.take();
        Ok(())
    })?;
    match removed {
        Some(policy) => Ok(lifecycle_answer(call, &repository, &policy)),
        None => Err(no_lifecycle(call, &repository.name)),
    }
}

fn open(
    call: Call<'_>,
    action: &str,
    parameters: &RepositoryParameters,
) -> Result<Repository, EcrError> {
    call.repository(&[action], &parameters.name()?)
}

/// A repository policy has principals and no resource; ECR has one sentence
/// for whatever else is sent.
pub(super) fn check_policy(text: &str) -> Result<(), EcrError> {
    let is_sound = Document::parse(text)
        .is_ok_and(|document| policy::validate_repository(&document).is_empty());
    if is_sound {
        Ok(())
    } else {
        Err(EcrError::parameter(
            "PolicyText",
            "Invalid repository policy provided",
        ))
    }
}

fn policy_answer(call: Call<'_>, repository: &Repository, text: &str) -> Value {
    json!({
        "registryId": call.account(),
        "repositoryName": repository.name,
        "policyText": text,
    })
}

/// `lastEvaluatedAt` is absent before the first evaluation.
fn lifecycle_answer(call: Call<'_>, repository: &Repository, policy: &LifecyclePolicy) -> Value {
    let mut answer = json!({
        "registryId": call.account(),
        "repositoryName": repository.name,
        "lifecyclePolicyText": policy.text,
    });
    if let Some(time) = policy.last_evaluated {
        answer["lastEvaluatedAt"] = epoch(time);
    }
    answer
}

fn no_policy(call: Call<'_>, name: &RepositoryName) -> EcrError {
    EcrError::client(
        "RepositoryPolicyNotFoundException",
        format!(
            "Repository policy does not exist for the repository with name '{name}' in the \
             registry with id '{}'",
            call.account()
        ),
    )
}

/// The repository has no lifecycle policy.
pub(super) fn no_lifecycle(call: Call<'_>, name: &RepositoryName) -> EcrError {
    EcrError::client(
        "LifecyclePolicyNotFoundException",
        format!(
            "Lifecycle policy does not exist for the repository with name '{name}' in the \
             registry with id '{}'",
            call.account()
        ),
    )
}
