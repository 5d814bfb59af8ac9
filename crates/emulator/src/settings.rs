//! What the emulator is started with.

use std::path::PathBuf;

use terraform::AwsResources;

use crate::admin::ControlsSecret;

/// Where the emulator keeps its state, and the accounts that it plays.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory: empty, missing, or one that an emulator made.
    pub data: PathBuf,
    /// The default account's id, twelve digits: that of `resources`, and of the
    /// registry at the emulator's own address.
    pub account: String,
    /// The default region, such as `eu-central-1`. Every region is there.
    pub region: String,
    /// Further accounts by their ids. Those of earlier starts stay.
    pub accounts: Vec<String>,
    /// Roles, providers, policies and repositories that exist from the start.
    pub resources: Option<AwsResources>,
    /// Whether the emulator has controls of its own, under `/_longshore`.
    pub controls: Controls,
    /// How the registry speaks.
    pub registry: RegistryBehaviour,
}

/// The controls: what AWS would never offer, such as a clock that can be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Controls {
    /// There are none.
    Off,
    /// There are, for programs of this machine, and for others with the secret.
    On {
        /// The secret; `None` for the one in the data directory, which is made
        /// on the first start.
        secret: Option<ControlsSecret>,
    },
}

/// Whom the registry below `/v2/` resembles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegistryBehaviour {
    /// ECR, with all that departs from the distribution specification.
    #[default]
    Ecr,
    /// The distribution specification, v1.1.
    Specification,
}
