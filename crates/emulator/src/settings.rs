//! What the emulator is started with.

use std::path::PathBuf;

use terraform::AwsResources;

use crate::admin::ControlsSecret;
use crate::tls::TlsName;

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
    /// Whether clients speak TLS.
    pub transport: Transport,
    /// How the registry speaks.
    pub registry: RegistryBehaviour,
}

/// How bytes get to the emulator and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// As they are: HTTP.
    Plain,
    /// HTTPS, with a certificate of the data directory's authority.
    Tls {
        /// Names for the certificate, beside those that every emulator has.
        names: Vec<TlsName>,
    },
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
