//! AWS's side of a publish: account, region, role, repository.

use oci::{NameError, RepositoryName};
use terraform::AwsResources;

use crate::configuration::{AwsTable, ImageTable};

/// Where to publish, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cloud {
    /// The account, 12 digits.
    pub account: String,
    /// The region.
    pub region: String,
    /// The ARN of the role that publishes.
    pub role: String,
    /// The repository of each image that was asked about, in their order.
    pub repositories: Vec<RepositoryName>,
}

/// What neither `longshore.toml` nor the Terraform root says.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Nobody names it.
    #[error("`longshore.toml` does not say `aws.{key}`, and the Terraform root has no {what}")]
    Missing {
        /// The key that would say it.
        key: &'static str,
        /// What was looked for.
        what: &'static str,
    },
    /// Nobody names it, and there is no Terraform root that could.
    #[error("`longshore.toml` says neither `aws.{key}` nor a Terraform root, `aws.terraform`")]
    Unsaid {
        /// The key that would say it.
        key: &'static str,
    },
    /// There is more than one, and none is chosen.
    #[error("the Terraform root has several candidates for `aws.{key}`: {}", candidates.join(", "))]
    Ambiguous {
        /// The key that would choose.
        key: &'static str,
        /// What there is.
        candidates: Vec<String>,
    },
    /// The one named is not there.
    #[error(
        "`{key}` names `{name}`, which the Terraform root does not have; it has {}",
        listed(found)
    )]
    Unknown {
        /// The key.
        key: &'static str,
        /// The name.
        name: String,
        /// What there is.
        found: Vec<String>,
    },
    /// The Terraform root gives a repository a name that ECR would refuse.
    #[error(transparent)]
    Name(#[from] NameError),
}

fn listed(found: &[String]) -> String {
    if found.is_empty() {
        "none".to_owned()
    } else {
        found.join(", ")
    }
}

impl Cloud {
    /// The ARN of the role that publishes, also where nothing else can be told.
    pub fn role(table: &AwsTable, resources: Option<&AwsResources>) -> Result<String, CloudError> {
        let account = match &table.role {
            Some(role) if role.starts_with("arn:") => String::new(),
            _ => account(table, resources)?,
        };
        role(table, resources, &account)
    }

    /// Joins what the file says with what the Terraform root has; the file wins.
    ///
    /// Without a Terraform root, the file must say everything. Without `images` there
    /// is one repository, that of the project.
    pub fn resolve(
        table: &AwsTable,
        images: &[&ImageTable],
        resources: Option<&AwsResources>,
    ) -> Result<Self, CloudError> {
        let account = account(table, resources)?;
        let region = table
            .region
            .clone()
            .or_else(|| resources.and_then(|resources| resources.region.clone()))
            .ok_or_else(|| {
                let what = "provider \"aws\" with a region that can be known";
                missing("region", what, resources)
            })?;
        let role = role(table, resources, &account)?;
        let own = images.iter().map(|image| image.repository.as_ref());
        let own = if images.is_empty() {
            vec![None]
        } else {
            own.collect()
        };
        let repositories = own.into_iter().map(|own| match own {
            Some(own) => named("image.repository", own, resources),
            None => repository(table, resources),
        });
        let repositories = repositories.collect::<Result<_, _>>()?;
        Ok(Self {
            account,
            region,
            role,
            repositories,
        })
    }
}

fn account(table: &AwsTable, resources: Option<&AwsResources>) -> Result<String, CloudError> {
    let own = table.account.as_ref();
    let account = own.or(resources.map(|resources| &resources.account));
    account
        .cloned()
        .ok_or_else(|| missing("account", "account", resources))
}

/// Nobody says `key`: not the file, and not the Terraform root, where there is one.
fn missing(key: &'static str, what: &'static str, resources: Option<&AwsResources>) -> CloudError {
    match resources {
        Some(_) => CloudError::Missing { key, what },
        None => CloudError::Unsaid { key },
    }
}

fn role(
    table: &AwsTable,
    resources: Option<&AwsResources>,
    account: &str,
) -> Result<String, CloudError> {
    if let Some(arn) = table.role.as_ref().filter(|role| role.starts_with("arn:")) {
        return Ok(arn.clone());
    }
    let Some(resources) = resources else {
        // A name without a path is an ARN in all but spelling.
        return table
            .role
            .as_ref()
            .map(|name| format!("arn:aws:iam::{account}:role/{name}"))
            .ok_or(CloudError::Unsaid { key: "role" });
    };
    if let Some(name) = &table.role {
        let found = || {
            resources
                .roles
                .iter()
                .map(|role| role.name.clone())
                .collect()
        };
        let role = resources.roles.iter().find(|role| role.name == *name);
        return role
            .map(|role| role.arn.clone())
            .ok_or_else(|| CloudError::Unknown {
                key: "aws.role",
                name: name.clone(),
                found: found(),
            });
    }
    // Only roles that trust an OIDC provider can be a workflow's.
    let candidates: Vec<_> = resources
        .roles
        .iter()
        .filter(|role| role.trust_policy.contains("AssumeRoleWithWebIdentity"))
        .map(|role| role.arn.clone())
        .collect();
    let none = || CloudError::Missing {
        key: "role",
        what: "role that trusts an OIDC provider",
    };
    only("role", candidates, none)
}

fn repository(
    table: &AwsTable,
    resources: Option<&AwsResources>,
) -> Result<RepositoryName, CloudError> {
    if let Some(name) = &table.repository {
        return named("aws.repository", name, resources);
    }
    let none = || missing("repository", "aws_ecr_repository", resources);
    Ok(only("repository", names(resources), none)?.parse()?)
}

/// The repository that `key` names, which a Terraform root must have.
fn named(
    key: &'static str,
    name: &RepositoryName,
    resources: Option<&AwsResources>,
) -> Result<RepositoryName, CloudError> {
    let found = names(resources);
    if resources.is_none() || found.iter().any(|found| found == name.as_str()) {
        return Ok(name.clone());
    }
    Err(CloudError::Unknown {
        key,
        name: name.to_string(),
        found,
    })
}

fn names(resources: Option<&AwsResources>) -> Vec<String> {
    let repositories = resources
        .iter()
        .flat_map(|resources| &resources.repositories);
    repositories
        .map(|repository| repository.name.clone())
        .collect()
}

fn only(
    key: &'static str,
    mut candidates: Vec<String>,
    none: impl FnOnce() -> CloudError,
) -> Result<String, CloudError> {
    match candidates.len() {
        0 => Err(none()),
        1 => Ok(candidates.remove(0)),
        _ => Err(CloudError::Ambiguous { key, candidates }),
    }
}
