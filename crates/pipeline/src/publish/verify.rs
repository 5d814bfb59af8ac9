//! `longshore build --verify DIGEST`: the source built again, apart from all that
//! was compiled before, and compared with the image that was published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use aws::Client;
use image::{Difference, ImageError, LayerBlob, Layout, Stored, StoredImage, StoredIndex};
use oci::{Descriptor, Digest, ImageConfig, Platform, annotation};
use receipts::{Problem, ProblemCode};
use registry::Registry;

use super::source::SourcePublish;
use super::{Destination, PublishFailure};
use crate::build::{BuildFailure, Built, PlatformPlan};
use crate::event::Observer;

/// Where a source is built again, below the checkout.
const APART: &str = "target/longshore/verify";
/// How many differences a message names.
const SHOWN: usize = 20;

/// Why an image was not reproduced.
#[derive(Debug, thiserror::Error)]
pub enum VerifyFailure {
    /// The source was not built.
    #[error(transparent)]
    Build(BuildFailure),
    /// The source gave another image.
    #[error("the source gives {found}, not {expected}")]
    Differs {
        /// The digest that was published.
        expected: Digest,
        /// The digest of the image built now.
        found: Digest,
        /// How they differ.
        differences: Vec<Difference>,
    },
    /// The source gave another image, and the published one cannot be read.
    #[error("the source gives {found}, not {expected}; how they differ is not known")]
    Unread {
        /// The digest that was published.
        expected: Digest,
        /// The digest of the image built now.
        found: Digest,
        /// Why it cannot be read.
        source: Box<PublishFailure>,
    },
}

impl SourcePublish {
    /// Builds the source again, and makes sure that the image is `expected`, or the one of
    /// its platform in the index that this is. The registry is asked only where it is
    /// another.
    pub async fn verify(
        &self,
        expected: Digest,
        client: &Arc<Client>,
        observe: Observer<'_>,
    ) -> Result<Built, VerifyFailure> {
        self.reads_base_by(client);
        let mut plan = self.build.clone();
        let apart = plan.checkout.join(APART);
        remove(&apart).map_err(|error| VerifyFailure::Build(BuildFailure::Image(error)))?;
        plan.layout = apart.join("layout");
        plan.build_apart(&apart.join("target"));
        let built = plan.execute(observe).await.map_err(VerifyFailure::Build)?;
        let found = built.stored.descriptor().digest;
        if found == expected {
            return Ok(built);
        }
        let unread = |source| VerifyFailure::Unread {
            expected,
            found,
            source: Box::new(source),
        };
        let session = self.destination.open(client).await.map_err(unread)?;
        let published = Published {
            destination: &self.destination,
            registry: &session.registry,
            platform: plan.platforms.first().map(PlatformPlan::platform),
        };
        let compared = published.compare(expected, &built.stored, &plan.layout, &apart);
        let differences = compared.await.map_err(unread)?;
        match differences {
            None => Ok(built),
            Some(differences) => Err(VerifyFailure::Differs {
                expected,
                found,
                differences,
            }),
        }
    }
}

fn remove(directory: &Path) -> Result<(), ImageError> {
    match fs_err::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Images of a repository.
struct Published<'a> {
    destination: &'a Destination,
    registry: &'a Registry,
    /// The first that was built again, and the only one of an image.
    platform: Option<Platform>,
}

impl Published<'_> {
    /// How `rebuilt`, whose layout is at `layout`, differs from what has the `digest`,
    /// whose layers are put to `place` as far as they are needed. An image is compared with
    /// that of its platform in an index; nothing where it is that one.
    async fn compare(
        &self,
        digest: Digest,
        rebuilt: &Stored,
        layout: &Path,
        place: &Path,
    ) -> Result<Option<Vec<Difference>>, PublishFailure> {
        let layout = Layout::open(layout).map_err(PublishFailure::Layout)?;
        let only = |what| Some(vec![difference(&digest.to_string(), what)]);
        let Some(published) = self.read(digest).await? else {
            return Ok(only("is not in the repository, or is no image"));
        };
        match (&published, rebuilt) {
            (Stored::Image(theirs), Stored::Image(ours)) => {
                let found = self.images(theirs, ours, (&layout, place));
                Ok(Some(found.await?))
            }
            (Stored::Index(theirs), Stored::Index(ours)) => {
                let found = self.indexes(theirs, ours, (&layout, place));
                Ok(Some(found.await?))
            }
            (Stored::Image(_), Stored::Index(_)) => Ok(only(
                "is one image, and no index: `--platform` builds one alone",
            )),
            (Stored::Index(theirs), Stored::Image(ours)) => {
                self.image_of(theirs, ours, (&layout, place)).await
            }
        }
    }

    /// What has the `digest`; none where that is no image and no index.
    async fn read(&self, digest: Digest) -> Result<Option<Stored>, PublishFailure> {
        let (repository, reference) = (&self.destination.repository, digest.into());
        let found = self.registry.manifest(repository, &reference).await;
        let found = found.map_err(self.destination.failed(READING, 0))?;
        Ok(found.and_then(|(descriptor, bytes)| Stored::received(descriptor, bytes.to_vec()).ok()))
    }

    /// How `ours` differs from the image for its platform in the index `theirs`; nothing
    /// where it is that one.
    async fn image_of(
        &self,
        theirs: &StoredIndex,
        ours: &StoredImage,
        places: (&Layout, &Path),
    ) -> Result<Option<Vec<Difference>>, PublishFailure> {
        let mut listed = theirs.index.manifests.iter();
        let listed = listed.find(|listed| listed.platform == self.platform);
        let only = |what| vec![difference(&theirs.descriptor.digest.to_string(), what)];
        Ok(match listed.map(|listed| listed.digest) {
            None => Some(only("has no image for this platform")),
            Some(digest) if digest == ours.descriptor.digest => None,
            Some(digest) => match self.read(digest).await? {
                Some(Stored::Image(theirs)) => Some(self.images(&theirs, ours, places).await?),
                _ => Some(only("names an image that is not in the repository")),
            },
        })
    }

    /// How two indexes differ: platform by platform, and by name.
    async fn indexes(
        &self,
        theirs: &StoredIndex,
        ours: &StoredIndex,
        places: (&Layout, &Path),
    ) -> Result<Vec<Difference>, PublishFailure> {
        let mut differences = annotations(&theirs.index.annotations, &ours.index.annotations);
        let names = |index: &StoredIndex| -> BTreeMap<_, _> {
            let listed = index.index.manifests.iter();
            let named =
                listed.filter_map(|of| Some((of.platform.as_ref()?.to_string(), of.digest)));
            named.collect()
        };
        let (before, after) = (names(theirs), names(ours));
        let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in all {
            let named = |difference: Difference| Difference {
                place: format!("{name} {}", difference.place),
                ..difference
            };
            let image = ours.images.iter();
            let mut image = image.filter(|image| Some(&image.descriptor.digest) == after.get(name));
            let found = match (before.get(name), image.next()) {
                (Some(one), Some(other)) if *one == other.descriptor.digest => continue,
                (Some(one), Some(other)) => match self.read(*one).await? {
                    Some(Stored::Image(one)) => self.images(&one, other, places).await?,
                    _ => vec![difference("manifest", "is not in the repository")],
                },
                _ => vec![difference("image", "is in one of the indexes only")],
            };
            differences.extend(found.into_iter().map(named));
        }
        Ok(differences)
    }

    /// How the images of one platform differ.
    async fn images(
        &self,
        theirs: &StoredImage,
        rebuilt: &StoredImage,
        (layout, place): (&Layout, &Path),
    ) -> Result<Vec<Difference>, PublishFailure> {
        let manifest = &theirs.manifest;
        let config = self
            .registry
            .blob(&self.destination.repository, &manifest.config);
        let config = config.await.map_err(self.destination.failed(READING, 0))?;
        let ours = layout.document(&rebuilt.manifest.config);
        let ours = ours.map_err(PublishFailure::Layout)?;
        let mut differences = annotations(&manifest.annotations, &rebuilt.manifest.annotations);
        differences.extend(configurations(&config, &ours).map_err(PublishFailure::Layout)?);
        let before = Side::new(&manifest.layers, &config);
        let after = Side::new(&rebuilt.manifest.layers, &ours);
        for number in 0..before.layers.len().max(after.layers.len()) {
            let found = self.layer(number, (&before, &after), (layout, place));
            differences.extend(found.await?);
        }
        Ok(differences)
    }

    /// How one layer differs, if it does.
    async fn layer(
        &self,
        number: usize,
        (before, after): (&Side<'_>, &Side<'_>),
        (layout, place): (&Layout, &Path),
    ) -> Result<Vec<Difference>, PublishFailure> {
        let layers = (before.layers.get(number), after.layers.get(number));
        let name = name_of(layers.0.or(layers.1), number);
        let only = |what| vec![difference(&name, what)];
        let (Some(theirs), Some(ours)) = layers else {
            return Ok(only("is in one of the images only"));
        };
        if theirs.digest == ours.digest {
            return Ok(Vec::new());
        }
        if before.diff_ids.get(number) == after.diff_ids.get(number) {
            return Ok(only("has the same files, compressed in another way"));
        }
        let file = place.join("published-layer");
        self.registry
            .download(&self.destination.repository, theirs, &file)
            .await
            .map_err(self.destination.failed(READING, 0))?;
        let found = compare((&file, theirs), (&layout.blob(&ours.digest), ours))?;
        let named = found.into_iter().map(|difference| Difference {
            place: format!("{name} {}", difference.place),
            ..difference
        });
        Ok(named.collect())
    }
}

fn difference(place: &str, what: &str) -> Difference {
    Difference {
        place: place.to_owned(),
        what: what.to_owned(),
    }
}

/// The layers of one of two images.
struct Side<'a> {
    layers: &'a [Descriptor],
    diff_ids: Vec<Digest>,
}

impl<'a> Side<'a> {
    fn new(layers: &'a [Descriptor], config: &[u8]) -> Self {
        let config = serde_json::from_slice::<ImageConfig>(config);
        let diff_ids = config.map(|config| config.rootfs.diff_ids);
        Self {
            layers,
            diff_ids: diff_ids.unwrap_or_default(),
        }
    }
}

/// The step in which a published image is read.
const READING: &str = "reading the published image";

type OnDisk<'a> = (&'a Path, &'a Descriptor);

fn compare(one: OnDisk<'_>, other: OnDisk<'_>) -> Result<Vec<Difference>, PublishFailure> {
    // Decompresses some tens of megabytes, and nobody waits for this thread.
    tokio::task::block_in_place(|| image::compare_layers(blob(one), blob(other)))
        .map_err(PublishFailure::Layout)
}

fn blob((path, descriptor): OnDisk<'_>) -> LayerBlob<'_> {
    LayerBlob {
        path,
        media_type: &descriptor.media_type,
    }
}

fn name_of(layer: Option<&Descriptor>, number: usize) -> String {
    let named = layer.and_then(|layer| layer.annotations.get(annotation::LAYER));
    let name = named.map_or_else(|| number.to_string(), String::clone);
    format!("layer {name}")
}

/// Annotations that differ. The digest of the inputs says nothing that the rest does
/// not say better.
fn annotations(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Vec<Difference> {
    let [one, other] = [before, after].map(|pairs| serde_json::to_vec(pairs).unwrap_or_default());
    let found = image::compare_documents(&one, &other).unwrap_or_default();
    let inputs = format!("/{}", annotation::INPUTS);
    let named = found.into_iter().map(|difference| {
        let (place, what) = if difference.place == inputs {
            ("inputs".to_owned(), INPUTS_DIFFER.to_owned())
        } else {
            let place = format!("manifest /annotations{}", difference.place);
            (place, difference.what)
        };
        Difference { place, what }
    });
    named.collect()
}

const INPUTS_DIFFER: &str =
    "are not the same: `longshore build --why` names them for the last image";

fn configurations(before: &[u8], after: &[u8]) -> Result<Vec<Difference>, ImageError> {
    let found = image::compare_documents(before, after)?;
    let layers = |difference: &Difference| !difference.place.starts_with("/rootfs/");
    let named = found
        .into_iter()
        .filter(layers)
        .map(|difference| Difference {
            place: format!("configuration {}", difference.place),
            ..difference
        });
    Ok(named.collect())
}

impl VerifyFailure {
    /// What people and machines are told.
    pub fn problem(&self) -> Problem {
        let (expected, found) = match self {
            Self::Build(failure) => {
                let problem = failure.problem();
                return match problem.code {
                    ProblemCode::NoPlatform => problem.hint(
                        "or verify what this machine compiles: `--platform PLATFORM`, with the digest of the index or of the image in it",
                    ),
                    _ => problem,
                };
            }
            Self::Differs {
                expected, found, ..
            }
            | Self::Unread {
                expected, found, ..
            } => (expected, found),
        };
        let what = "the image was not reproduced: the source gives another one";
        let mut problem = Problem::new(ProblemCode::NotReproduced, what)
            .fact("expected", expected.to_string())
            .fact("found", found.to_string());
        if let Self::Unread { source, .. } = self {
            problem = problem.caused_by(source);
        }
        let Self::Differs { differences, .. } = self else {
            return problem.hint("with credentials that may pull, the differences are named");
        };
        for difference in differences.iter().take(SHOWN) {
            problem = problem.fact(&difference.place, difference.what.as_str());
        }
        if let Some(more @ 1..) = differences.len().checked_sub(SHOWN) {
            problem = problem.fact("besides", format!("{more} more"));
        }
        problem.hint("check out the commit that the image names, with the toolchain that built it")
    }
}
