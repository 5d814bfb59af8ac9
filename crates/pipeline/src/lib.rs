//! Build and publish: what `longshore.toml` asks for becomes a plan, a plain
//! value that can be shown; executing the plan is the only code with effects.
//!
//! Everything that an environment variable, a clock or a terminal decides is
//! passed in.

mod base;
mod build;
mod cloud;
mod configuration;
mod event;
mod inputs;
mod placeholder;
mod publish;
mod recipe;

pub use crate::build::layout_problem;
pub use base::{BaseFailure, BaseReference, BaseReferenceError, LOCK_FILE_NAME, update_bases};
pub use build::{
    Archive, ArchiveError, ArchiveForm, BuildFailure, BuildPlan, Built, Machine, PreparedProgram,
    read_source,
};
pub use cloud::{Cloud, CloudError};
pub use configuration::{
    AdvisoryLevel, AssetTable, AuditTable, AwsTable, CheckTable, Configuration, ConfigurationError,
    DockerfileTable, FILE_NAME, GithubTable, IgnoreTable, ImageTable, ImprintLevel, LinkingTable,
    PublishTable, SuppressTable,
};
pub use event::{Event, Observer, Stage};
pub use placeholder::Placeholders;
pub use publish::{
    AddressError, Destination, Gate, GateFailure, IdentityPlan, LoginError, Logins, Named,
    PublishFailure, PublishPlan, RegistryAddress, SeveralFailure, Signer, SigningFailure, Sigstore,
    SourcePublish, VerifyFailure, connect,
};
