//! Everything an image is made of: a value.

use std::collections::BTreeMap;
use std::fmt;

use oci::{Descriptor, Digest, Platform};

use crate::base::Base;
use crate::compatibility::COMPATIBILITY;
use crate::compression::Compression;
use crate::entry::Entry;

/// Everything an image is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The image that this one is built on, if any.
    pub base: Option<Base>,
    /// Layers on top of the base, lowest first: what changes least comes first.
    pub layers: Vec<LayerRecipe>,
    /// How layers are compressed.
    pub compression: Compression,
    /// What the image runs on.
    pub platform: Platform,
    /// The program and its fixed arguments; none for the base's, with its arguments,
    /// its health check and the signal that stops it.
    pub entrypoint: Vec<String>,
    /// `user:group` by number; none for the base's.
    pub user: Option<String>,
    /// Where the program starts; none for the base's, or `/`.
    pub working_directory: Option<String>,
    /// TCP ports that the program listens on, besides the base's.
    pub ports: Vec<u16>,
    /// Environment variables; they win over the base's.
    pub environment: BTreeMap<String, String>,
    /// Labels of the configuration; they win over the base's.
    pub labels: BTreeMap<String, String>,
    /// Annotations of the manifest; each is also a label, for tools that read
    /// only those.
    pub annotations: BTreeMap<String, String>,
    /// When the image counts as made, RFC 3339: the commit's time.
    pub created: String,
    /// What the image records of its inputs, if that is known.
    pub inputs: Option<RecordedInputs>,
}

/// What all of an image is made from, recorded in the image: who meets it can
/// tell whether it is what would be made now, without making anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedInputs {
    /// The document that names each input. Its digest becomes the manifest's
    /// annotation `dev.longshore.inputs`, its bytes a blob of the layout.
    pub document: Vec<u8>,
    /// What has to be known to write the document again; the manifest's annotation
    /// `dev.longshore.declared`.
    pub declared: String,
    /// A program that was compiled elsewhere, by its digest; the manifest's annotation
    /// `dev.longshore.program`.
    pub program: Option<String>,
}

/// One layer of a recipe.
#[derive(Debug, Clone)]
pub struct LayerRecipe {
    /// What it holds.
    pub kind: LayerKind,
    /// The digest of what the layer will be made from, where that is known before
    /// its entries are: of what a compiler reads. None for the entries themselves.
    pub inputs: Option<Digest>,
    /// Its files. Where the layer is taken over, none of them is read, and they
    /// need not exist: only their places count, for the layers above.
    pub entries: Vec<Entry>,
    /// A layer of an image that was published before and was made from the same
    /// inputs: a registry has its bytes, which are not needed here.
    pub published: Option<PublishedLayer>,
}

/// A layer of an image that a registry has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedLayer {
    /// The layer, as the published manifest lists it.
    pub descriptor: Descriptor,
    /// The digest of its tar.
    pub diff_id: Digest,
}

/// What a layer holds; layers come in this order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayerKind {
    /// A step of a Dockerfile, counted from 1.
    Dockerfile(usize),
    /// Users, certificates, time zones, directories.
    System,
    /// Shared libraries that the programs load.
    Libraries,
    /// Files of the project, at this path.
    Assets(String),
    /// The program at this path.
    Binary(String),
}

impl fmt::Display for LayerKind {
    /// As the layer's annotation has it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dockerfile(number) => write!(formatter, "dockerfile:{number}"),
            Self::System => formatter.write_str("system"),
            Self::Libraries => formatter.write_str("libraries"),
            Self::Assets(path) => write!(formatter, "assets:{path}"),
            Self::Binary(path) => write!(formatter, "binary:{path}"),
        }
    }
}

impl LayerKind {
    /// As people read it in the image's history.
    pub(crate) fn comment(&self) -> String {
        match self {
            Self::Dockerfile(number) => format!("layer {number} of the Dockerfile"),
            Self::System => "users, certificates and directories".to_owned(),
            Self::Libraries => "shared libraries".to_owned(),
            Self::Assets(path) | Self::Binary(path) => path.clone(),
        }
    }
}

impl LayerRecipe {
    /// A layer of `entries`.
    pub fn new(kind: LayerKind, entries: Vec<Entry>) -> Self {
        Self {
            kind,
            inputs: None,
            entries,
            published: None,
        }
    }
}

/// The annotation `dev.longshore.inputs` of a layer made from what has the digest
/// `of`: equal inputs mean an equal layer, byte for byte.
///
/// `of` is [`LayerRecipe::inputs`] where the caller knows them, and otherwise the
/// digest of the tar.
pub fn layer_inputs(kind: &LayerKind, compression: Compression, of: &Digest) -> Digest {
    Digest::of(format!("layer {COMPATIBILITY}\n{kind}\n{compression}\n{of}\n").as_bytes())
}
