//! The operations that AWS's service models name, those that are not emulated
//! among them. Names only, as botocore publishes them.

/// The operations of one service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceModel(&'static str);

/// Amazon ECR.
pub(crate) const ECR: ServiceModel = ServiceModel(include_str!("models/ecr.txt"));
/// IAM.
pub(crate) const IAM: ServiceModel = ServiceModel(include_str!("models/iam.txt"));
/// STS.
pub(crate) const STS: ServiceModel = ServiceModel(include_str!("models/sts.txt"));
/// CloudTrail.
pub(crate) const CLOUDTRAIL: ServiceModel = ServiceModel(include_str!("models/cloudtrail.txt"));

impl ServiceModel {
    /// Which model it is, and as of which version of botocore.
    pub(crate) fn version(self) -> &'static str {
        let first = self.0.lines().next().unwrap_or_default();
        first.trim_start_matches("# ")
    }

    /// The names of all operations, sorted.
    pub(crate) fn operations(self) -> impl Iterator<Item = &'static str> {
        self.0.lines().skip(1)
    }

    /// Whether AWS has an operation of this name.
    pub(crate) fn has(self, operation: &str) -> bool {
        self.operations().any(|known| known == operation)
    }
}
