//! Receipts of a build and of a publish.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Imprint;

/// The commit that an image was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Source {
    /// The commit, 40 hexadecimal digits.
    pub commit: String,
    /// The commit's time, RFC 3339, UTC.
    pub committed_at: String,
    /// Whether files differed from the commit.
    pub dirty: bool,
    /// The repository's address without credentials, where there is one.
    pub repository: Option<String>,
}

/// What `longshore build` made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BuildReceipt {
    /// The digest of the image's manifest.
    pub digest: String,
    /// The directory of the OCI image layout.
    pub layout: String,
    /// The source.
    pub source: Source,
    /// The layers, lowest first; those of an index each once.
    pub layers: Vec<Layer>,
    /// The image of each platform: one, or those that the index lists.
    pub platforms: Vec<PlatformBuild>,
    /// Bytes of everything a registry stores for the image.
    pub size_bytes: u64,
    /// Bytes of the binary, or of those of all platforms.
    pub binary_bytes: u64,
    /// What the binary holds of the machine and of the moment of its compile.
    pub imprints: Vec<Imprint>,
    /// Whether cargo was run: not, where nothing that it reads has changed since.
    pub compiled: bool,
    /// Time spent in cargo and on what it reads, milliseconds.
    pub compile_milliseconds: u64,
    /// Time spent on layers, configuration and manifest, milliseconds.
    pub assemble_milliseconds: u64,
}

/// The image of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlatformBuild {
    /// The platform: `linux/arm64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: String,
    /// Bytes of everything a registry stores for it.
    pub size_bytes: u64,
    /// Bytes of its binary.
    pub binary_bytes: u64,
    /// Where its binary is; `None` where it has none.
    pub binary: Option<String>,
}

/// The image of one platform in an index that was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlatformImage {
    /// The platform: `linux/arm64`.
    pub platform: String,
    /// The digest of its manifest.
    pub digest: String,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Layer {
    /// The digest of the compressed layer.
    pub digest: String,
    /// Its bytes, compressed.
    pub size_bytes: u64,
    /// Whether this publish sent it; `None` where nothing was published.
    pub origin: Option<LayerOrigin>,
}

/// How a layer came to be in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LayerOrigin {
    /// Sent by this publish.
    New,
    /// The registry had it.
    Reused,
}

/// A document that was published beside an image and speaks of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Attestation {
    /// What people call it: `CycloneDX`, `SPDX`, `provenance`, `signature`, `inputs`.
    pub name: String,
    /// Its type, as registries list it: `application/vnd.cyclonedx+json`.
    pub artifact_type: String,
    /// The digest of its manifest.
    pub digest: String,
    /// The digest of what it speaks of: the image, or the index of several platforms.
    pub subject: String,
}

/// A known flaw of a package that a program was compiled from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Advisory {
    /// `RUSTSEC-YYYY-NNNN`.
    pub id: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub version: String,
    /// What it is about.
    pub title: String,
    /// `unmaintained`, `unsound` or `notice`; none for a vulnerability.
    pub informational: Option<String>,
    /// Whether only build scripts and macros use the package.
    pub build_only: bool,
    /// The versions without it.
    pub patched: Vec<String>,
    /// The lowest of them that needs no other requirement.
    pub update: Option<String>,
    /// Where the program with the package was found in a Dockerfile's image; nothing for
    /// the program that Longshore compiles.
    pub programs: Vec<String>,
}

/// What a tag points to after a publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TagOutcome {
    /// The tag.
    pub tag: String,
    /// Whether this publish set it; otherwise it pointed to the digest already.
    pub moved: bool,
    /// The digest it pointed to before, where it pointed to another.
    pub previous: Option<String>,
}

/// Who published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Identity {
    /// The AWS principal, an ARN; at a registry that is not ECR the username, or
    /// `anonymous`.
    pub principal: String,
    /// The AWS account; `None` at a registry that is not ECR.
    pub account: Option<String>,
    /// Where the credentials came from.
    pub source: String,
    /// The GitHub subject, where GitHub vouched.
    pub subject: Option<String>,
}

/// The signed-for record of one publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublishReceipt {
    /// `registry/repository@sha256:...`.
    pub reference: String,
    /// The digest of the image's manifest.
    pub digest: String,
    /// The registry's host.
    pub registry: String,
    /// The repository.
    pub repository: String,
    /// The tags, in the order in which they were set.
    pub tags: Vec<TagOutcome>,
    /// Who published.
    pub identity: Identity,
    /// The commit that the image says it was made from.
    pub revision: Option<String>,
    /// The images that an index lists; none where the image is of one platform.
    pub platforms: Vec<PlatformImage>,
    /// The layers, lowest first; those of an index each once, and none where the
    /// registry had the index, of which nothing else is read then.
    pub layers: Vec<Layer>,
    /// What this publish said about the image: bills of materials, provenance,
    /// signature.
    pub attestations: Vec<Attestation>,
    /// Known flaws of what was compiled, where `[audit]` asks for them.
    pub advisories: Vec<Advisory>,
    /// What the binary holds of the machine and of the moment of its compile, where
    /// this machine compiled it.
    pub imprints: Vec<Imprint>,
    /// Bytes sent to the registry.
    pub sent_bytes: u64,
    /// Whether there was nothing to do.
    pub unchanged: bool,
    /// Time from the first request to the last, milliseconds.
    pub milliseconds: u64,
}

/// What `longshore build` made, where `longshore.toml` has several images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BuildReceipts {
    /// The images, by name.
    pub images: BTreeMap<String, BuildReceipt>,
}

/// The record of one publish, where `longshore.toml` has several images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PublishReceipts {
    /// The images, by name.
    pub images: BTreeMap<String, PublishReceipt>,
}

/// What `longshore publish --dry-run` shows of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedPublish {
    /// The digest of the image's manifest.
    pub digest: String,
    /// Bytes of everything a registry stores for the image.
    pub size_bytes: u64,
    /// The registry's host; `None` where AWS names it.
    pub registry: Option<String>,
    /// The repository.
    pub repository: String,
    /// The AWS account; `None` at a registry that is not ECR.
    pub account: Option<String>,
    /// The role that GitHub's token is exchanged for; `None` where it is not.
    pub role: Option<String>,
    /// The tag that is set once.
    pub immutable_tag: String,
    /// The tags that are moved; none by an image of uncommitted changes.
    pub moving_tags: Vec<String>,
    /// Whether anything is said about the image.
    pub attest: bool,
    /// Who signs what is said, for people; `None` where nobody does.
    pub signer: Option<String>,
}

/// What `longshore publish --dry-run` shows, where `longshore.toml` has several images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedPublishes {
    /// The images, by name.
    pub images: BTreeMap<String, PlannedPublish>,
}

/// Which inputs of an image changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputsReport {
    /// The published image that the source was compared with,
    /// `registry/repository@sha256:...`; `None` where nothing was published.
    pub published: Option<String>,
    /// The tag that it was found under.
    pub tag: Option<String>,
    /// Whether everything is the same: a publish would change nothing.
    pub same: bool,
    /// The inputs that differ, by name; `None` where the image does not say what it
    /// was made from.
    pub changes: Option<Vec<InputChange>>,
}

/// One input that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputChange {
    /// Its name, such as `file:src/main.rs`.
    pub name: String,
    /// What it was; `None` where it is new.
    pub before: Option<String>,
    /// What it is; `None` where it is gone.
    pub after: Option<String>,
}
