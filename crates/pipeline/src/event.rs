//! What a pipeline tells while it works.

/// The stages of a build and a publish, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking at what the image is made from.
    Inputs,
    /// Reading the base image.
    Base,
    /// Building the Dockerfile.
    Dockerfile,
    /// Compiling the package.
    Compile,
    /// Writing layers, configuration and manifest.
    Assemble,
    /// Hashing the layout.
    VerifyLayout,
    /// Getting an identity and the registry's authorization.
    Identity,
    /// Sending blobs and the manifest.
    Push,
    /// Setting tags.
    Tag,
}

impl Stage {
    /// What people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::Inputs => "looking for changes",
            Self::Base => "reading the base image",
            Self::Dockerfile => "building the Dockerfile",
            Self::Compile => "compiling",
            Self::Assemble => "assembling the image",
            Self::VerifyLayout => "verifying the layout",
            Self::Identity => "getting an identity",
            Self::Push => "pushing",
            Self::Tag => "tagging",
        }
    }
}

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A stage began.
    Stage(Stage),
    /// Cargo finished a package.
    Compiled(build::Progress<'a>),
    /// The builder of a Dockerfile said something.
    Builder(&'a str),
    /// The registry takes no referrers: the image has nothing said about it there.
    NoReferrers,
    /// The registry client did something.
    Registry(registry::Event),
}

/// Whoever listens.
pub type Observer<'a> = &'a (dyn Fn(Event<'_>) + Send + Sync);
