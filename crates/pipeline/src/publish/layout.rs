//! Publishing a layout that was built before, by its digest.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use aws::Client;
use image::{ImageError, Layout, Stored};
use oci::{Digest, RepositoryName, Tag, annotation};
use receipts::{PlannedPublish, PublishReceipt};
use registry::Pushed;

use super::push::{ALL_TAGS, Complete, Local, Push};
use super::unlisted::has_program;
use super::{Destination, Gate, GateFailure, IdentityPlan, PublishFailure, Signer};
use crate::build::{contents_of, milliseconds};
use crate::configuration::{ConfigurationError, PublishTable};
use crate::event::{Event, Observer, Stage};
use crate::placeholder::Placeholders;

/// Everything that the publish of a layout will do.
#[derive(Debug, Clone)]
pub struct PublishPlan {
    /// The image.
    pub digest: Digest,
    /// Bytes of everything a registry stores for it.
    pub size: u64,
    /// Where it goes.
    pub destination: Destination,
    /// Whether anything is said about it.
    pub attest: bool,
    /// Who says so; without a signer what is said is not signed.
    pub signer: Option<Signer>,
    /// What is asked of its packages before.
    pub gate: Option<Gate>,
}

impl PublishPlan {
    /// Plans the publish of `stored` with the tags of `table`.
    ///
    /// `{commit}` is the revision that the image itself names: a tag must not
    /// say another commit than the image does. Where that has `-dirty`, twelve digits
    /// of the image's digest follow, so that each try has a tag of its own, and no tag
    /// is moved: no commit makes this image again.
    pub fn new(
        stored: &Stored,
        table: &PublishTable,
        repository: &RepositoryName,
        identity: IdentityPlan,
    ) -> Result<Self, ConfigurationError> {
        let annotation = |key: &str| stored.annotations().get(key).cloned();
        let mut placeholders = Placeholders {
            commit: annotation(annotation::REVISION).unwrap_or_default(),
            committed_at: annotation(annotation::CREATED).unwrap_or_default(),
        };
        let digest = stored.descriptor().digest;
        let dirty = placeholders.is_dirty();
        if dirty {
            placeholders.commit = format!("{}-{:.12}", placeholders.commit, digest.hex());
        }
        let mut destination = Destination::new(&placeholders, table, repository, identity)?;
        if dirty {
            destination.moving_tags.clear();
        }
        Ok(Self {
            digest,
            size: stored.size(),
            destination,
            attest: table.attest,
            signer: None,
            gate: None,
        })
    }

    /// What machines read of the plan.
    pub fn planned(&self) -> PlannedPublish {
        let destination = &self.destination;
        let (registry, account, role) = match &destination.identity {
            IdentityPlan::Github { account, role, .. } => (None, Some(account), Some(role)),
            IdentityPlan::Chain { account } => (None, Some(account), None),
            IdentityPlan::Login { registry, .. } => (Some(&registry.host), None, None),
        };
        let signer = self.signer.as_ref().filter(|_| self.attest);
        PlannedPublish {
            digest: self.digest.to_string(),
            size_bytes: self.size,
            registry: registry.cloned(),
            repository: destination.repository.to_string(),
            account: account.cloned(),
            role: role.cloned(),
            immutable_tag: destination.immutable_tag.to_string(),
            moving_tags: destination.moving_tags.iter().map(Tag::to_string).collect(),
            attest: self.attest,
            signer: signer.map(Signer::title),
        }
    }

    /// Publishes the image of the layout in `directory`.
    pub async fn execute(
        &self,
        directory: &Path,
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<PublishReceipt, PublishFailure> {
        let started = Instant::now();
        observe(Event::Stage(Stage::VerifyLayout));
        let verified = self.opened(directory)?;

        observe(Event::Stage(Stage::Identity));
        let session = self.destination.open(client).await?;
        let push = Push {
            destination: &self.destination,
            session: &session,
            observe,
        };
        let complete = self.content(directory, &verified, &push).await?;
        let tags = push.tags(&complete, ALL_TAGS).await;
        let tags = tags.map_err(|(_, failure)| failure)?;
        Ok(complete.receipt(tags, &push, milliseconds(started)))
    }

    /// The image of the layout in `directory`, once it is known to be the one that was
    /// built.
    pub(super) fn opened(&self, directory: &Path) -> Result<(Layout, Stored), PublishFailure> {
        opened(directory, self.digest)
    }

    /// Pushes everything of the image in `directory` but its tags.
    pub(super) async fn content(
        &self,
        directory: &Path,
        (layout, stored): &(Layout, Stored),
        push: &Push<'_>,
    ) -> Result<Complete, PublishFailure> {
        let held = push.held(stored).await?;
        let mut local = Local::of(layout, stored);
        let mut advisories = Vec::new();
        // Of an image that is there nothing is asked and nothing said again.
        if held.first() != Some(&Some(self.digest)) {
            let contents = contents_of(stored, directory);
            if let Some(gate) = &self.gate {
                let mut images = stored.images().iter().zip(&contents);
                if images.any(|(image, of)| of.compiled.is_none() && has_program(image)) {
                    return Err(GateFailure::NoDependencies.into());
                }
                advisories = gate.pass(&contents).await?;
            }
            let signer = match &self.signer {
                Some(signer) => Some(signer.ready(push.session).await?),
                None => None,
            };
            if self.attest {
                let image = (layout, stored);
                let attest = local.attest(image, &contents, push, signer.as_ref());
                attest.await?;
            }
        }
        let mut complete = push.image(stored, &local, &held, Pushed::default()).await?;
        complete.advisories = advisories;
        Ok(complete)
    }
}

/// The image, once its manifest and configuration are known to be what was built and
/// its layers to be there. The layers are read once, while they are sent: one that is not
/// what it should be is not confirmed by the registry, is hashed here then, and no
/// manifest names it. What the registry has is not read at all.
fn opened(directory: &Path, expected: Digest) -> Result<(Layout, Stored), PublishFailure> {
    let open = || -> Result<_, ImageError> {
        let layout = Layout::open(directory)?;
        // A blob that is left out on purpose is the registry's to have.
        let stored = layout.measured()?;
        Ok((layout, stored))
    };
    let (layout, stored) = open().map_err(PublishFailure::Layout)?;
    let found = stored.descriptor().digest;
    if found != expected {
        return Err(PublishFailure::UnexpectedDigest { expected, found });
    }
    Ok((layout, stored))
}

impl fmt::Display for PublishPlan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination {
            repository,
            immutable_tag,
            moving_tags,
            identity,
        } = &self.destination;
        let moving: Vec<_> = moving_tags.iter().map(Tag::as_str).collect();
        writeln!(
            formatter,
            "image       {} ({} bytes)",
            self.digest, self.size
        )?;
        match identity {
            IdentityPlan::Github {
                account,
                role,
                session_name,
            } => {
                writeln!(formatter, "repository  {repository} in account {account}")?;
                let as_role = format!("as {role} (session {session_name})");
                writeln!(formatter, "identity    GitHub, {as_role}")?;
            }
            IdentityPlan::Chain { account } => {
                writeln!(formatter, "repository  {repository} in account {account}")?;
                writeln!(formatter, "identity    the standard AWS credential chain")?;
            }
            IdentityPlan::Login { registry, .. } => {
                writeln!(formatter, "repository  {repository} at {}", registry.host)?;
                writeln!(formatter, "identity    who is logged in there, or nobody")?;
            }
        }
        match &self.signer {
            _ if !self.attest => writeln!(formatter, "then attest nothing")?,
            None => writeln!(formatter, "then attest unsigned")?,
            Some(signer) => writeln!(formatter, "then attest signed, {}", signer.title())?,
        }
        writeln!(formatter, "then tag    {immutable_tag} (once)")?;
        if moving.is_empty() {
            return write!(formatter, "then move   no other tag");
        }
        write!(formatter, "then move   {}", moving.join(", "))
    }
}
