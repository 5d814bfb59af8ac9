//! Reads a Terraform root into the resources that the rest of the tool reasons
//! about: roles with their policies, identity providers, repositories.
//!
//! It evaluates the language as far as the files decide a value, and no further:
//! a value that depends on a plan, a provider or a remote module is unknown, with
//! the reason, and is never guessed. It runs no Terraform, calls nothing and
//! writes nothing; it reads the root's directory and those of its local modules.

mod aws;
mod block;
mod computed;
mod error;
mod evaluate;
mod expression;
mod files;
mod functions;
mod load;
mod merge;
mod module;
mod operation;
mod origin;
mod place;
mod policy_document;
mod provider;
mod resource;
mod root;
mod scope;
mod template;
mod traversal;
mod types;
mod value;
mod variables;

use std::collections::BTreeMap;

pub use aws::{AwsResources, Declaration, EcrRepository, ManagedPolicy, OidcProvider, Role};
pub use error::ReadError;
pub use origin::{Origin, PolicyPart, Spot};
pub use place::Place;
pub use root::{Resource, Root, Unknown, read};
pub use value::Value;

/// What the files of a root leave to whoever runs Terraform.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The AWS account that it is applied in, 12 digits.
    pub account: String,
    /// The region for a provider that names none, as `AWS_REGION` would give it.
    pub region: Option<String>,
    /// Values of variables, before those of the files, as `-var` would give them.
    pub variables: BTreeMap<String, serde_json::Value>,
}
