//! The plan of a publish: what would be done, as a value.

use std::fmt;

use image::StoredImage;
use oci::{Digest, NameError, RepositoryName, Tag, annotation};

use crate::cloud::Cloud;
use crate::configuration::{ConfigurationError, PublishTable};
use crate::placeholder::Placeholders;

/// Everything that a publish will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishPlan {
    /// The image.
    pub digest: Digest,
    /// Bytes of everything a registry stores for it.
    pub size: u64,
    /// The account that the identity must belong to.
    pub account: String,
    /// The repository.
    pub repository: RepositoryName,
    /// The tag that is set once.
    pub immutable_tag: Tag,
    /// The tags that are moved, last and in this order.
    pub moving_tags: Vec<Tag>,
    /// Who will publish.
    pub identity: IdentityPlan,
}

/// Who will publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityPlan {
    /// The workflow run: GitHub's token, exchanged for the role.
    Github {
        /// The role's ARN.
        role: String,
        /// The session's name; it names run and attempt, for the audit trail.
        session_name: String,
    },
    /// Whoever the standard credential chain finds, on a laptop.
    Chain,
}

impl PublishPlan {
    /// Plans the publish of `image` with the tags of `table`.
    ///
    /// `{commit}` is the revision that the image itself names: a tag must not
    /// say another commit than the image does.
    pub fn new(
        image: &StoredImage,
        table: &PublishTable,
        cloud: &Cloud,
        identity: IdentityPlan,
    ) -> Result<Self, ConfigurationError> {
        let annotation = |key: &str| image.manifest.annotations.get(key).cloned();
        let placeholders = Placeholders {
            commit: annotation(annotation::REVISION).unwrap_or_default(),
            committed_at: annotation(annotation::CREATED).unwrap_or_default(),
        };
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
            digest: image.descriptor.digest,
            size: image.size(),
            account: cloud.account.clone(),
            repository: cloud.repository.clone(),
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
}

impl fmt::Display for PublishPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moving: Vec<_> = self.moving_tags.iter().map(Tag::as_str).collect();
        writeln!(
            formatter,
            "image       {} ({} bytes)",
            self.digest, self.size
        )?;
        writeln!(
            formatter,
            "repository  {} in account {}",
            self.repository, self.account
        )?;
        match &self.identity {
            IdentityPlan::Github { role, session_name } => {
                writeln!(
                    formatter,
                    "identity    GitHub, as {role} (session {session_name})"
                )?;
            }
            IdentityPlan::Chain => {
                writeln!(formatter, "identity    the standard AWS credential chain")?;
            }
        }
        writeln!(formatter, "then tag    {} (once)", self.immutable_tag)?;
        write!(formatter, "then move   {}", moving.join(", "))
    }
}
