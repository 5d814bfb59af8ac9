//! The operations on templates.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::lifecycle;
use super::super::mutability::Mutability;
use super::super::parameters::{Page, epoch, parse};
use super::super::records::Encryption;
use super::super::repository::checked_encryption;
use super::super::repository_policies::check_policy;
use super::super::repository_settings::{ExclusionFilter, exclusions_json, patterns};
use super::super::resource_tags::{Tag, checked_tags, to_tags};
use super::super::{Call, EcrError};
use super::{TEMPLATES, Template, template_key};
use crate::authorize::{Target, authorize};

/// What a template says, whole or in part.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    prefix: String,
    description: Option<String>,
    encryption_configuration: Option<Encryption>,
    resource_tags: Option<Vec<Tag>>,
    image_tag_mutability: Option<String>,
    image_tag_mutability_exclusion_filters: Option<Vec<ExclusionFilter>>,
    repository_policy: Option<String>,
    lifecycle_policy: Option<String>,
    applied_for: Option<Vec<String>>,
    custom_role_arn: Option<String>,
}

/// `CreateRepositoryCreationTemplate`.
pub(in crate::ecr) fn create(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:CreateRepositoryCreationTemplate")?;
    pass_role(call, parameters.custom_role_arn.as_deref())?;
    let key = template_key(call.registry, &parameters.prefix);
    let now = call.state.clock.now();
    let blank = Template {
        prefix: parameters.prefix.clone(),
        description: None,
        encryption: Encryption::default(),
        tags: BTreeMap::new(),
        mutability: Mutability::default(),
        repository_policy: None,
        lifecycle_policy: None,
        applied_for: Vec::new(),
        custom_role: None,
        created: now,
        updated: now,
    };
    let template = parameters.change(call, blank)?;
    call.state.store.write(|writer| {
        if writer.get(&TEMPLATES, &key)?.is_some() {
            // Inferred sentence.
            return Err(EcrError::client(
                "TemplateAlreadyExistsException",
                format!(
                    "The repository creation template with prefix '{}' already exists in the \
                     registry with id '{}'",
                    template.prefix,
                    call.account()
                ),
            ));
        }
        Ok(writer.put(&TEMPLATES, &key, &template)?)
    })?;
    Ok(answer(call, &template))
}

/// `UpdateRepositoryCreationTemplate`: what is absent stays as it is (inferred).
pub(in crate::ecr) fn update(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:UpdateRepositoryCreationTemplate")?;
    pass_role(call, parameters.custom_role_arn.as_deref())?;
    let key = template_key(call.registry, &parameters.prefix);
    let now = call.state.clock.now();
    let template = call.state.store.write(|writer| {
        let old = writer
            .get(&TEMPLATES, &key)?
            .ok_or_else(|| not_found(call, &parameters.prefix))?;
        let changed = Template {
            updated: now,
            ..parameters.change(call, old)?
        };
        writer.put(&TEMPLATES, &key, &changed)?;
        Ok::<_, EcrError>(changed)
    })?;
    Ok(answer(call, &template))
}

/// `DeleteRepositoryCreationTemplate`.
pub(in crate::ecr) fn delete(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    call.authorize("ecr:DeleteRepositoryCreationTemplate")?;
    let key = template_key(call.registry, &parameters.prefix);
    let template = call.state.store.write(|writer| {
        let old = writer
            .get(&TEMPLATES, &key)?
            .ok_or_else(|| not_found(call, &parameters.prefix))?;
        writer.remove(&TEMPLATES, &key)?;
        Ok::<_, EcrError>(old)
    })?;
    Ok(answer(call, &template))
}

#[derive(Deserialize)]
struct DescribeParameters {
    prefixes: Option<Vec<String>>,
    #[serde(flatten)]
    page: Page,
}

/// `DescribeRepositoryCreationTemplates`: those named that exist (inferred), or
/// all by pages.
pub(in crate::ecr) fn describe(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: DescribeParameters = parse(body)?;
    call.authorize("ecr:DescribeRepositoryCreationTemplates")?;
    let mut templates = super::push::templates(call)?;
    if let Some(prefixes) = &parameters.prefixes {
        let bare = |prefix: &str| prefix.trim_end_matches('/').to_owned();
        let wanted: Vec<String> = prefixes.iter().map(|prefix| bare(prefix)).collect();
        templates.retain(|template| wanted.contains(&bare(&template.prefix)));
    }
    let key = |template: &Template| template.prefix.clone();
    let (page, token) = parameters.page.cut(templates, key, 100)?;
    let mut answer = json!({
        "registryId": call.account(),
        "repositoryCreationTemplates": page.iter().map(to_json).collect::<Vec<_>>(),
    });
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    Ok(answer)
}

/// Who hands a role to ECR needs `iam:PassRole` for it.
fn pass_role(call: Call<'_>, role: Option<&str>) -> Result<(), EcrError> {
    let Some(role) = role.filter(|role| !role.is_empty()) else {
        return Ok(());
    };
    let own = format!("arn:aws:iam::{}:role/", call.account());
    if !role.starts_with(&own) {
        return Err(EcrError::parameter(
            "customRoleArn",
            "must be the ARN of a role in the account of the registry",
        ));
    }
    let mut target = Target::new("iam:PassRole", role, call.account());
    let service = "ecr.amazonaws.com".to_owned();
    target.context = vec![("iam:PassedToService".to_owned(), service)];
    Ok(authorize(call.state, call.caller, &target, call.note)?)
}

impl Parameters {
    /// `old` with what the request says.
    fn change(&self, call: Call<'_>, old: Template) -> Result<Template, EcrError> {
        let mut template = old;
        let is_some = |text: &&String| !text.is_empty();
        if self.image_tag_mutability.is_some()
            || self.image_tag_mutability_exclusion_filters.is_some()
        {
            let filters = self.image_tag_mutability_exclusion_filters.as_deref();
            let setting = self.image_tag_mutability.as_deref();
            template.mutability = Mutability::new(
                setting.unwrap_or(template.mutability.setting.as_str()),
                filters.map(patterns),
            )?;
        }
        if let Some(encryption) = &self.encryption_configuration {
            template.encryption = template_encryption(call, encryption)?;
        }
        if let Some(tags) = &self.resource_tags {
            template.tags = checked_tags(&BTreeMap::new(), tags)?;
        }
        if let Some(policy) = &self.repository_policy {
            template.repository_policy = Some(policy).filter(is_some).cloned();
        }
        if let Some(policy) = &self.lifecycle_policy {
            template.lifecycle_policy = Some(policy).filter(is_some).cloned();
        }
        if let Some(policy) = &template.repository_policy {
            check_policy(policy)?;
        }
        if let Some(policy) = &template.lifecycle_policy {
            lifecycle::validate(policy)?;
        }
        if let Some(scenarios) = &self.applied_for {
            template.applied_for.clone_from(scenarios);
        }
        if let Some(description) = &self.description {
            template.description = Some(description.clone());
        }
        if let Some(role) = &self.custom_role_arn {
            template.custom_role = Some(role).filter(is_some).cloned();
        }
        Ok(template)
    }
}

/// A template may name no key, which is written as an empty text too.
fn template_encryption(call: Call<'_>, encryption: &Encryption) -> Result<Encryption, EcrError> {
    let mut encryption = encryption.clone();
    encryption.kms_key = encryption.kms_key.filter(|key| !key.is_empty());
    checked_encryption(call.registry, Some(encryption))
}

fn answer(call: Call<'_>, template: &Template) -> Value {
    json!({
        "registryId": call.account(),
        "repositoryCreationTemplate": to_json(template),
    })
}

fn to_json(template: &Template) -> Value {
    let mut json = json!({
        "prefix": template.prefix,
        "encryptionConfiguration": template.encryption,
        "resourceTags": to_tags(&template.tags),
        "imageTagMutability": template.mutability.setting,
        "appliedFor": template.applied_for,
        "createdAt": epoch(template.created),
        "updatedAt": epoch(template.updated),
    });
    for (name, text) in [
        ("description", &template.description),
        ("repositoryPolicy", &template.repository_policy),
        ("lifecyclePolicy", &template.lifecycle_policy),
        ("customRoleArn", &template.custom_role),
    ] {
        if let Some(text) = text {
            json[name] = json!(text);
        }
    }
    if let Some(filters) = exclusions_json(&template.mutability) {
        json["imageTagMutabilityExclusionFilters"] = filters;
    }
    json
}

/// Inferred sentence.
fn not_found(call: Call<'_>, prefix: &str) -> EcrError {
    EcrError::client(
        "TemplateNotFoundException",
        format!(
            "The repository creation template with prefix '{prefix}' does not exist in the \
             registry with id '{}'",
            call.account()
        ),
    )
}
