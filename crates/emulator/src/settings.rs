//! What the emulator is started with.

use std::path::PathBuf;

use terraform::AwsResources;

/// Where the emulator keeps its state, and the account that it plays.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data directory: empty, missing, or one that an emulator made.
    pub data: PathBuf,
    /// The account's id, twelve digits.
    pub account: String,
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// Roles, providers, policies and repositories that exist from the start.
    pub resources: Option<AwsResources>,
}
