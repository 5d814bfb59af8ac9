//! Where an image goes, and as whom: a value.

use std::path::PathBuf;

use oci::{NameError, RepositoryName, Tag};
use registry::RegistryError;

use super::{PublishFailure, RegistryAddress};
use crate::configuration::{ConfigurationError, PublishTable};
use crate::placeholder::Placeholders;

/// Where an image goes, under which tags, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The repository.
    pub repository: RepositoryName,
    /// The tag that is set once.
    pub immutable_tag: Tag,
    /// The tags that are moved, last and in this order; none by an image of uncommitted
    /// changes.
    pub moving_tags: Vec<Tag>,
    /// Who will publish.
    pub identity: IdentityPlan,
}

/// Who will publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityPlan {
    /// The workflow run: GitHub's token, exchanged for the role.
    Github {
        /// The account that the role must belong to.
        account: String,
        /// The role's ARN.
        role: String,
        /// The session's name; it names run and attempt, for the audit trail.
        session_name: String,
    },
    /// Whoever the standard credential chain finds, on a laptop.
    Chain {
        /// The account that they must belong to.
        account: String,
    },
    /// Whoever is logged in to a registry that is not ECR, as Docker keeps it, or
    /// nobody. AWS is not asked.
    Login {
        /// The registry.
        registry: RegistryAddress,
        /// The files that may keep it, in their order.
        logins: Vec<PathBuf>,
    },
}

impl Destination {
    /// The destination `repository`, with the tags of `table` for the source that
    /// `placeholders` stand for.
    pub(crate) fn new(
        placeholders: &Placeholders,
        table: &PublishTable,
        repository: &RepositoryName,
        identity: IdentityPlan,
    ) -> Result<Self, ConfigurationError> {
        let tag = |key, template: &str| -> Result<Tag, ConfigurationError> {
            let wrong = |reason| ConfigurationError::Value { key, reason };
            let text = placeholders
                .fill(template)
                .map_err(|unknown| wrong(format!("has the unknown placeholder `{unknown}`")))?;
            text.parse()
                .map_err(|error: NameError| wrong(format!("makes no tag: {error}")))
        };
        let moving = |template: &String| tag("publish.moving-tags", template);
        Ok(Self {
            repository: repository.clone(),
            immutable_tag: tag("publish.immutable-tag", &table.immutable_tag)?,
            moving_tags: table
                .moving_tags
                .iter()
                .map(moving)
                .collect::<Result<_, _>>()?,
            identity,
        })
    }

    /// All tags in the order in which they are set.
    pub fn tags(&self) -> impl Iterator<Item = &Tag> {
        std::iter::once(&self.immutable_tag).chain(&self.moving_tags)
    }

    /// Gives an error of the registry the step it happened in, and how many
    /// tags were set by then.
    pub(super) fn failed(
        &self,
        step: &'static str,
        tags_set: usize,
    ) -> impl Fn(RegistryError) -> PublishFailure + use<> {
        let tags_set = self
            .tags()
            .take(tags_set)
            .map(Tag::to_string)
            .collect::<Vec<_>>();
        let repository = self.repository.clone();
        let login = match &self.identity {
            IdentityPlan::Login { registry, .. } => Some(registry.host.clone()),
            IdentityPlan::Github { .. } | IdentityPlan::Chain { .. } => None,
        };
        move |source| PublishFailure::Registry {
            step,
            tags_set: tags_set.clone(),
            repository: repository.clone(),
            login: login.clone(),
            source: Box::new(source),
        }
    }
}
