//! Condition keys of AWS itself, and when they are there.

use super::Presence;
use super::Presence::{Always, Never, Unknown, WhenSent};

/// One condition key, or those that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlobalKey {
    /// The key; one that ends in `/` stands for every key that begins so.
    pub name: &'static str,
    /// Whether it is there while a trust policy is evaluated for
    /// `AssumeRoleWithWebIdentity`.
    pub at_web_identity: Presence,
    /// Whether it is there in requests of the session.
    pub in_session: Presence,
    /// The page of AWS that says so.
    pub source: &'static str,
}

impl GlobalKey {
    pub(super) fn covers(&self, key: &str) -> bool {
        if !self.name.ends_with('/') {
            return key.eq_ignore_ascii_case(self.name);
        }
        key.len() > self.name.len()
            && key
                .get(..self.name.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(self.name))
    }
}

const GLOBAL: &str = "IAM User Guide, \"AWS global condition context keys\"";
const STS: &str = "IAM User Guide, \"Available keys for AWS STS\"";
const ORIGIN: &str = "AWS STS API Reference, \"OriginIdentity\"";
const ECR: &str = "Service Authorization Reference, \"Amazon Elastic Container Registry\"";

const fn key(
    name: &'static str,
    at_web_identity: Presence,
    in_session: Presence,
    source: &'static str,
) -> GlobalKey {
    GlobalKey {
        name,
        at_web_identity,
        in_session,
        source,
    }
}

/// The keys that are known. AWS adds keys: one that is not here is unknown.
pub const GLOBAL_KEYS: &[GlobalKey] = &[
    key("aws:CurrentTime", Always, Always, GLOBAL),
    key("aws:EpochTime", Always, Always, GLOBAL),
    key("aws:UserAgent", Always, Always, GLOBAL),
    key("aws:SecureTransport", Always, Always, GLOBAL),
    key("aws:RequestedRegion", Always, Always, GLOBAL),
    key("aws:ViaAWSService", Always, Always, GLOBAL),
    key("aws:FederatedProvider", Always, Always, GLOBAL),
    key("aws:ResourceAccount", Always, Always, GLOBAL),
    // Absent where the request comes through a VPC endpoint.
    key("aws:SourceIp", WhenSent, WhenSent, GLOBAL),
    key("aws:SourceVpc", WhenSent, WhenSent, GLOBAL),
    key("aws:SourceVpce", WhenSent, WhenSent, GLOBAL),
    key("aws:VpcSourceIp", WhenSent, WhenSent, GLOBAL),
    key("aws:Referer", WhenSent, WhenSent, GLOBAL),
    key("aws:CalledVia", WhenSent, WhenSent, GLOBAL),
    key("aws:CalledViaFirst", WhenSent, WhenSent, GLOBAL),
    key("aws:CalledViaLast", WhenSent, WhenSent, GLOBAL),
    key("aws:ResourceOrgID", WhenSent, WhenSent, GLOBAL),
    key("aws:ResourceOrgPaths", WhenSent, WhenSent, GLOBAL),
    key("aws:ResourceTag/", WhenSent, WhenSent, GLOBAL),
    key("aws:RequestTag/", WhenSent, WhenSent, GLOBAL),
    key("aws:TagKeys", WhenSent, WhenSent, GLOBAL),
    key("aws:OriginIdentity/", WhenSent, WhenSent, ORIGIN),
    // The call is not signed: there is no principal yet whose keys could be there.
    key("aws:PrincipalArn", Never, Always, GLOBAL),
    key("aws:PrincipalIsAWSService", Never, Always, GLOBAL),
    key("aws:PrincipalTag/", Never, WhenSent, GLOBAL),
    key("aws:PrincipalOrgID", Never, WhenSent, GLOBAL),
    key("aws:PrincipalOrgPaths", Never, WhenSent, GLOBAL),
    key("aws:TokenIssueTime", Never, Always, GLOBAL),
    key("aws:MultiFactorAuthPresent", Never, WhenSent, GLOBAL),
    key("aws:MultiFactorAuthAge", Never, WhenSent, GLOBAL),
    key("aws:SourceIdentity", Never, WhenSent, GLOBAL),
    key("aws:username", Never, Never, GLOBAL),
    key("aws:PrincipalServiceName", Never, Never, GLOBAL),
    key("aws:PrincipalServiceNamesList", Never, Never, GLOBAL),
    key("aws:SourceAccount", Never, Never, GLOBAL),
    key("aws:SourceArn", Never, Never, GLOBAL),
    key("aws:SourceOrgID", Never, Never, GLOBAL),
    // AWS documents values for the anonymous and for sessions, not for this call.
    key("aws:PrincipalAccount", Unknown, Always, GLOBAL),
    key("aws:PrincipalType", Unknown, Always, GLOBAL),
    key("aws:userid", Unknown, Always, GLOBAL),
    // Keys of STS, which other services do not fill.
    key("sts:RoleSessionName", Always, Never, STS),
    key("sts:RoleAuthorizedByIdp", Always, Never, STS),
    key("sts:SourceIdentity", WhenSent, Never, STS),
    key("sts:TransitiveTagKeys", WhenSent, Never, STS),
    // "Not applicable for AWS STS assume-role operations", whatever its name says.
    key("sts:DurationSeconds", Never, Never, STS),
    // Parameters that only `AssumeRole` has.
    key("sts:ExternalId", Never, Never, STS),
    key("sts:RequestContext/", Never, Never, STS),
    key("sts:RequestContextProviders", Never, Never, STS),
    key("ecr:ResourceTag/", Never, WhenSent, ECR),
];
