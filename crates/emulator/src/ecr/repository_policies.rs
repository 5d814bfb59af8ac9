//! The two documents of a repository: who may use it, and what is expired.

use policy::Document;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parameters::{RepositoryParameters, parse, required};
use super::records::Repository;
use super::{Call, EcrError, lifecycle};

/// Largest repository policy (service model).
const MAXIMUM_POLICY: usize = 10_240;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolicyParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    policy_text: Option<String>,
}

/// `SetRepositoryPolicy`. `force` (lock oneself out) is accepted and makes no
/// difference: the account's administrators are not bound by the policy here.
pub(super) fn set_policy(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: PolicyParameters = parse(body)?;
    let repository = open(call, "ecr:SetRepositoryPolicy", &parameters.repository)?;
    let text = required("policyText", parameters.policy_text)?;
    check_policy(&text)?;
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
        None => Err(no_policy(call, &repository)),
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
        None => Err(no_policy(call, &repository)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LifecycleParameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    lifecycle_policy_text: Option<String>,
}

/// `PutLifecyclePolicy`.
pub(super) fn put_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: LifecycleParameters = parse(body)?;
    let repository = open(call, "ecr:PutLifecyclePolicy", &parameters.repository)?;
    let text = required("lifecyclePolicyText", parameters.lifecycle_policy_text)?;
    lifecycle::validate(&text)?;
    call.update(&repository.name, |repository| {
        repository.lifecycle_policy = Some(text.clone());
        Ok(())
    })?;
    Ok(lifecycle_answer(call, &repository, &text))
}

/// `GetLifecyclePolicy`. Policies are kept, not carried out: `lastEvaluatedAt`
/// is absent, as it is in AWS before the first evaluation.
pub(super) fn get_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:GetLifecyclePolicy", &parse(body)?)?;
    match &repository.lifecycle_policy {
        Some(text) => Ok(lifecycle_answer(call, &repository, text)),
        None => Err(no_lifecycle(call, &repository)),
    }
}

/// `DeleteLifecyclePolicy`.
pub(super) fn delete_lifecycle(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let repository = open(call, "ecr:DeleteLifecyclePolicy", &parse(body)?)?;
    let mut removed = None;
    call.update(&repository.name, |repository| {
        removed = repository.lifecycle_policy.take();
        Ok(())
    })?;
    match removed {
        Some(text) => Ok(lifecycle_answer(call, &repository, &text)),
        None => Err(no_lifecycle(call, &repository)),
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
    let invalid = || EcrError::parameter("PolicyText", "Invalid repository policy provided");
    if text.len() > MAXIMUM_POLICY {
        return Err(EcrError::parameter(
            "policyText",
            "must have length less than or equal to 10240",
        ));
    }
    let document = Document::parse(text).map_err(|_| invalid())?;
    let sound = document
        .statements
        .iter()
        .all(|statement| statement.resource.is_none() && statement.principal.is_some());
    if sound { Ok(()) } else { Err(invalid()) }
}

fn policy_answer(call: Call<'_>, repository: &Repository, text: &str) -> Value {
    json!({
        "registryId": call.account(),
        "repositoryName": repository.name,
        "policyText": text,
    })
}

fn lifecycle_answer(call: Call<'_>, repository: &Repository, text: &str) -> Value {
    json!({
        "registryId": call.account(),
        "repositoryName": repository.name,
        "lifecyclePolicyText": text,
    })
}

fn no_policy(call: Call<'_>, repository: &Repository) -> EcrError {
    let (name, account) = (&repository.name, call.account());
    EcrError::client(
        "RepositoryPolicyNotFoundException",
        format!(
            "Repository policy does not exist for the repository with name '{name}' in the \
             registry with id '{account}'"
        ),
    )
}

fn no_lifecycle(call: Call<'_>, repository: &Repository) -> EcrError {
    let (name, account) = (&repository.name, call.account());
    EcrError::client(
        "LifecyclePolicyNotFoundException",
        format!(
            "Lifecycle policy does not exist for the repository with name '{name}' in the \
             registry with id '{account}'"
        ),
    )
}
