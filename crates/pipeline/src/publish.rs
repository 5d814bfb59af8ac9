//! `longshore publish`: a layout into a registry, under an identity.
//!
//! The order is the promise: blobs, then the manifest by its digest, then the
//! immutable tag, then the moving ones. Whatever fails, no tag points to an
//! image that is not complete.

mod failure;
mod identity;
mod plan;
mod push;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Instant;

use aws::Client;
use image::{ImageError, Layout, StoredImage};
use oci::{Digest, annotation};
use receipts::PublishReceipt;

use crate::build::milliseconds;
use crate::event::{Event, Observer, Stage};

pub use failure::PublishFailure;
pub use plan::{IdentityPlan, PublishPlan};
pub use push::connect;

use identity::Login;
use push::Pushed;

impl PublishPlan {
    /// Publishes the image of `layout`.
    pub async fn execute(
        &self,
        layout: &Path,
        client: &Client,
        observe: Observer<'_>,
    ) -> Result<PublishReceipt, PublishFailure> {
        let started = Instant::now();
        observe(Event::Stage(Stage::VerifyLayout));
        let (layout, image) = verified(layout, self.digest).await?;

        observe(Event::Stage(Stage::Identity));
        let login = self.login(client).await?;

        let pushed = self.push(&layout, &image, &login, observe).await?;
        Ok(self.receipt(&image, login, pushed, milliseconds(started)))
    }

    fn receipt(
        &self,
        image: &StoredImage,
        login: Login,
        pushed: Pushed,
        milliseconds: u64,
    ) -> PublishReceipt {
        let registry = login.host();
        let unchanged = pushed.sent_bytes == 0 && pushed.tags.iter().all(|tag| !tag.moved);
        PublishReceipt {
            reference: format!("{registry}/{}@{}", self.repository, self.digest),
            digest: self.digest.to_string(),
            registry,
            repository: self.repository.to_string(),
            tags: pushed.tags,
            identity: login.identity,
            revision: image
                .manifest
                .annotations
                .get(annotation::REVISION)
                .cloned(),
            layers: pushed.layers,
            sent_bytes: pushed.sent_bytes,
            unchanged,
            milliseconds,
        }
    }
}

/// Hashes every blob of the layout before anything else happens: what is not
/// what was built must not meet a credential.
async fn verified(
    directory: &Path,
    expected: Digest,
) -> Result<(Layout, StoredImage), PublishFailure> {
    let directory = directory.to_owned();
    let verify = move || -> Result<_, ImageError> {
        let layout = Layout::open(&directory)?;
        let image = layout.image()?;
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        // A blob that is left out on purpose is the registry's to have.
        layout.check(threads)?;
        Ok((layout, image))
    };
    let (layout, image) = tokio::task::spawn_blocking(verify)
        .await
        .map_err(|error| PublishFailure::Interrupted(error.to_string()))?
        .map_err(PublishFailure::Layout)?;
    let found = image.descriptor.digest;
    if found != expected {
        return Err(PublishFailure::UnexpectedDigest { expected, found });
    }
    Ok((layout, image))
}
