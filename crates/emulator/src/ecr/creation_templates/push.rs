//! A repository that comes into being because somebody pushes to it.

use oci::RepositoryName;

use super::super::records::{
    LifecyclePolicy, REPOSITORIES, Repository, registry_prefix, repository_key,
};
use super::super::{Call, EcrError};
use super::{TEMPLATES, Template, find};
use crate::authorize::{Target, authorize};

/// Creates the repository `name` if there is none and a template says so; what
/// the registry calls before the first request of a push is handled.
///
/// AWS does not document which permission this takes. Here it takes what the
/// push itself takes, `ecr:InitiateLayerUpload`, under the policy that the new
/// repository would have; the pusher needs no `ecr:CreateRepository`. A template
/// with tags or KMS that names no role creates nothing, as in AWS.
pub(crate) fn create_on_push(call: Call<'_>, name: &RepositoryName) -> Result<(), EcrError> {
    let key = repository_key(call.registry, name);
    let exists = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.get(&REPOSITORIES, &key)?.is_some()))?;
    if exists {
        return Ok(());
    }
    let templates = templates(call)?;
    let Some(template) = find(&templates, name, "CREATE_ON_PUSH") else {
        return Ok(());
    };
    let target = Target {
        resource_policy: template.repository_policy.as_deref(),
        ..call.target(
            "ecr:InitiateLayerUpload",
            call.repository_arn(name.as_str()),
        )
    };
    authorize(call.state, call.caller, &target, call.note)?;
    let needs_role = !template.tags.is_empty() || template.encryption.encryption_type != "AES256";
    if needs_role && template.custom_role.is_none() {
        call.note.because(format!(
            "the creation template '{}' has tags or KMS encryption and no customRoleArn",
            template.prefix
        ));
        return Err(EcrError::repository_not_found(name, call.account()));
    }
    let repository = repository(call, name, template);
    call.state.store.write(|writer| {
        // Another push may have been faster.
        if writer.get(&REPOSITORIES, &key)?.is_none() {
            writer.put(&REPOSITORIES, &key, &repository)?;
        }
        Ok(())
    })
}

fn repository(call: Call<'_>, name: &RepositoryName, template: &Template) -> Repository {
    let now = call.state.clock.now();
    Repository {
        name: name.clone(),
        created: now,
        mutability: template.mutability.clone(),
        scan_on_push: false,
        encryption: template.encryption.clone(),
        lifecycle: template
            .lifecycle_policy
            .clone()
            .map(|text| LifecyclePolicy::new(text, now)),
        policy: template.repository_policy.clone(),
        tags: template.tags.clone(),
    }
}

/// All templates of the registry, by prefix.
pub(super) fn templates(call: Call<'_>) -> Result<Vec<Template>, EcrError> {
    let prefix = registry_prefix(call.registry);
    let listed = call
        .state
        .store
        .read::<_, EcrError>(|reader| Ok(reader.list(&TEMPLATES, &prefix)?))?;
    Ok(listed.into_iter().map(|(_, template)| template).collect())
}
