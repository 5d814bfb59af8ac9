//! Where an image is kept: in the standard storage class or in the archive
//! (User Guide, "Archiving an image in Amazon ECR"; `UpdateImageStorageClass`).

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::changes::Changes;
use super::parameters::{ImageIdentifier, RepositoryParameters, parse};
use super::records::Image;
use super::{Call, EcrError};

/// How long a restoration takes. AWS says up to 20 minutes; shorter here, and
/// by the emulator's clock (inferred).
const RESTORATION: SignedDuration = SignedDuration::from_mins(1);

/// What the record of an image says about its storage class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Storage {
    is_archived: bool,
    /// `lastArchivedAt`.
    archived: Option<Timestamp>,
    /// `lastActivatedAt`: in the future while a restoration is under way.
    activated: Option<Timestamp>,
}

/// `imageStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImageStatus {
    Active,
    Archived,
    Activating,
}

impl ImageStatus {
    /// As the API writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
            Self::Activating => "ACTIVATING",
        }
    }

    /// Whether a filter for `wanted` lets it through; without one, only what is
    /// active passes.
    pub(crate) fn passes(self, wanted: Option<&str>) -> bool {
        match wanted {
            None => self == Self::Active,
            Some("ANY") => true,
            Some(wanted) => self.as_str() == wanted,
        }
    }
}

impl Storage {
    /// The status at `now`.
    pub(crate) fn status(&self, now: Timestamp) -> ImageStatus {
        if self.is_archived {
            ImageStatus::Archived
        } else if self.activated.is_some_and(|activated| activated > now) {
            ImageStatus::Activating
        } else {
            ImageStatus::Active
        }
    }

    /// `lastArchivedAt`.
    pub(crate) fn archived(&self) -> Option<Timestamp> {
        self.archived
    }

    /// `lastActivatedAt` as of `now`.
    pub(crate) fn activated(&self, now: Timestamp) -> Option<Timestamp> {
        self.activated.filter(|activated| *activated <= now)
    }

    /// Moves the image to the archive.
    pub(crate) fn archive(&mut self, now: Timestamp) {
        self.is_archived = true;
        self.archived = Some(now);
        self.activated = self.activated(now);
    }

    /// Begins to restore the image.
    pub(crate) fn restore(&mut self, now: Timestamp) {
        self.is_archived = false;
        self.activated = now.checked_add(RESTORATION).ok();
    }

    /// Restores the image at once, as a push of it does.
    pub(crate) fn activate(&mut self, now: Timestamp) {
        self.is_archived = false;
        self.activated = Some(now);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    #[serde(flatten)]
    repository: RepositoryParameters,
    image_id: ImageIdentifier,
    target_storage_class: String,
}

/// `UpdateImageStorageClass`. An image that a manifest list outside of the
/// archive names stays, and so does one that is where it should go (inferred).
pub(super) fn update(call: Call<'_>, body: Value) -> Result<Value, EcrError> {
    let parameters: Parameters = parse(body)?;
    let name = parameters.repository.name()?;
    call.repository(&["ecr:UpdateImageStorageClass"], &name)?;
    let now = call.state.clock.now();
    let to_archive = parameters.target_storage_class == "ARCHIVE";
    let image = call.state.store.write(|writer| {
        let changes = Changes::new(writer, call.registry, &name);
        let lookup = changes.lookup();
        let mut image = lookup.named(call, &parameters.image_id)?;
        let status = image.storage.status(now);
        let mut is_listed = false;
        for parent in lookup.parents_of(&image.descriptor.digest)? {
            let parent = lookup.image(&parent)?;
            is_listed |=
                parent.is_some_and(|parent| parent.storage.status(now) != ImageStatus::Archived);
        }
        match (to_archive, status) {
            (true, ImageStatus::Active) if !is_listed => image.storage.archive(now),
            (false, ImageStatus::Archived) => image.storage.restore(now),
            _ => return Err(not_supported(&image, status, is_listed)),
        }
        changes.update_image(&image)?;
        Ok::<_, EcrError>(image)
    })?;
    let identifier = ImageIdentifier {
        image_digest: Some(image.descriptor.digest.to_string()),
        image_tag: parameters.image_id.image_tag,
    };
    Ok(json!({
        "registryId": call.account(),
        "repositoryName": name,
        "imageId": identifier.to_json(),
        "imageStatus": image.storage.status(now).as_str(),
    }))
}

/// Inferred sentences.
fn not_supported(image: &Image, status: ImageStatus, is_listed: bool) -> EcrError {
    let digest = image.descriptor.digest;
    let message = match (status, is_listed) {
        (ImageStatus::Active, true) => format!(
            "The image with digest '{digest}' is referenced by a manifest list that is not archived"
        ),
        _ => format!(
            "The storage class of the image with digest '{digest}' and status {} cannot be updated",
            status.as_str()
        ),
    };
    EcrError::client("ImageStorageClassUpdateNotSupportedException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_restored_image_is_active_after_a_while_and_a_pushed_one_at_once() {
        let mut storage = Storage::default();
        assert_eq!(storage.status(at(0)), ImageStatus::Active);
        storage.archive(at(0));
        assert_eq!(storage.status(at(0)), ImageStatus::Archived);
        storage.restore(at(10));
        assert_eq!(storage.status(at(69)), ImageStatus::Activating);
        assert_eq!(storage.activated(at(69)), None);
        assert_eq!(storage.status(at(70)), ImageStatus::Active);
        assert_eq!(storage.activated(at(70)), Some(at(70)));
        storage.archive(at(80));
        storage.activate(at(90));
        assert_eq!(storage.status(at(90)), ImageStatus::Active);
        assert_eq!(storage.archived(), Some(at(80)));
    }

    #[test]
    fn only_active_images_pass_when_no_status_is_asked_for() {
        assert!(ImageStatus::Active.passes(None));
        assert!(!ImageStatus::Activating.passes(None));
        assert!(ImageStatus::Archived.passes(Some("ANY")));
        assert!(!ImageStatus::Archived.passes(Some("ACTIVE")));
    }
}
