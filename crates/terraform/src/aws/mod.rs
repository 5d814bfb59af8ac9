//! The AWS resources of a root, typed. A resource of which something that
//! matters is not known is left out and named in [`AwsResources::unknowns`].

mod iam;
mod repository;
mod tags;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::origin::Origin;
use crate::place::Place;
use crate::root::{Resource, Root, Unknown};
use crate::value::Value;

/// Identity providers, roles, policies and repositories of a root.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AwsResources {
    /// The account, 12 digits.
    pub account: String,
    /// The region of the AWS provider without an alias.
    pub region: Option<String>,
    /// `aws_iam_openid_connect_provider`.
    pub oidc_providers: Vec<OidcProvider>,
    /// `aws_iam_role`, with what other resources attach to it.
    pub roles: Vec<Role>,
    /// Roles of which not everything is known, but the trust policy is; what is not
    /// known is left out of them, and the address stands for a name.
    #[serde(skip)]
    pub partial_roles: Vec<Role>,
    /// `aws_iam_policy`.
    pub policies: Vec<ManagedPolicy>,
    /// `aws_ecr_repository`, with its policies.
    pub repositories: Vec<EcrRepository>,
    /// Everything of the root that is not known, and every resource left out.
    pub unknowns: Vec<Unknown>,
}

/// The resource that something comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Declaration {
    /// Its address, for example `module.oidc.aws_iam_role_policy.push`.
    pub address: String,
    /// Where its block begins.
    pub place: Place,
    /// Where its policy document is written, see [`Origin::policy_part`]; empty
    /// for an attachment.
    #[serde(skip)]
    pub document: Origin,
}

/// An IAM identity provider for OpenID Connect.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct OidcProvider {
    /// Its Terraform address.
    pub address: String,
    /// Where its block begins.
    pub place: Place,
    /// Its ARN.
    pub arn: String,
    /// The issuer without its scheme, as AWS keeps it.
    pub url: String,
    /// The audiences it accepts.
    pub client_ids: Vec<String>,
    /// Thumbprints of the issuer's certificates, if configured.
    pub thumbprints: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// An IAM role.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Role {
    /// Its Terraform address.
    pub address: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its path, `/` if not configured.
    pub path: String,
    /// The trust policy, JSON.
    pub trust_policy: String,
    /// Where the trust policy is written, see [`Origin::policy_part`].
    #[serde(skip)]
    pub trust_origin: Origin,
    /// Longest session in seconds.
    pub max_session_duration: u32,
    /// Its description.
    pub description: Option<String>,
    /// Inline policies, JSON, by name; by address where the name is not known.
    pub inline_policies: BTreeMap<String, String>,
    /// What declares the inline policies, by their name.
    pub inline_declarations: BTreeMap<String, Declaration>,
    /// ARNs of attached managed policies.
    pub attached_policies: Vec<String>,
    /// What attaches the managed policies, by their ARN.
    pub attachments: BTreeMap<String, Declaration>,
    /// ARN of the policy that bounds its permissions.
    pub permissions_boundary: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Where its block begins.
    pub place: Place,
    /// Whether it is one of [`AwsResources::partial_roles`].
    #[serde(skip)]
    pub is_partial: bool,
}

/// A customer managed IAM policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ManagedPolicy {
    /// Where it is declared.
    pub declaration: Declaration,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its path, `/` if not configured.
    pub path: String,
    /// The policy, JSON.
    pub document: String,
}

/// An ECR repository.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EcrRepository {
    /// Its Terraform address.
    pub address: String,
    /// Its ARN.
    pub arn: String,
    /// Its name, with slashes.
    pub name: String,
    /// `MUTABLE`, `IMMUTABLE`, `IMMUTABLE_WITH_EXCLUSION` or
    /// `MUTABLE_WITH_EXCLUSION`.
    pub mutability: String,
    /// Patterns of the tags that the mutability does not hold for.
    pub exclusion_filters: Vec<String>,
    /// Whether images are scanned when pushed.
    pub scan_on_push: bool,
    /// `AES256`, `KMS` or `KMS_DSSE`.
    pub encryption_type: String,
    /// ARN of the key, if one is configured.
    pub kms_key: Option<String>,
    /// The lifecycle policy, JSON.
    pub lifecycle_policy: Option<String>,
    /// The repository's own policy, JSON.
    pub policy: Option<String>,
    /// What declares that policy.
    pub policy_declaration: Option<Declaration>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Where its block begins.
    pub place: Place,
}

/// Why a resource is left out: the attribute and the reason.
type Omission = (String, String);

impl Root {
    /// The AWS resources of the root.
    pub fn aws(&self) -> AwsResources {
        let mut resources = AwsResources {
            account: self.account.clone(),
            region: self.region.clone(),
            unknowns: self.unknowns.clone(),
            ..AwsResources::default()
        };
        iam::collect(self, &mut resources);
        repository::collect(self, &mut resources);
        resources.unknowns.sort();
        resources.unknowns.dedup();
        resources
    }

    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &Resource> {
        self.resources
            .iter()
            .filter(move |resource| resource.kind == kind)
    }
}

impl AwsResources {
    fn leave_out(&mut self, resource: &Resource, (attribute, reason): Omission) {
        let known = |unknown: &Unknown| {
            unknown.address == resource.address && unknown.attribute == attribute
        };
        if !self.unknowns.iter().any(known) {
            self.unknowns.push(Unknown {
                address: resource.address.clone(),
                attribute,
                reason,
                place: resource.place.clone(),
            });
        }
    }
}

impl Resource {
    /// The resource, with the document that an attribute holds.
    fn declaration(&self, document: &str) -> Declaration {
        Declaration {
            address: self.address.clone(),
            place: self.place.clone(),
            document: self.origin(document).cloned().unwrap_or_default(),
        }
    }

    /// An optional argument; `Err` if it is not known.
    fn optional(&self, name: &str) -> Result<Option<&Value>, Omission> {
        match self.attributes.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.unknown_reason() {
                Some(reason) => Err((name.to_owned(), reason.to_owned())),
                None => Ok(Some(value)),
            },
        }
    }

    fn optional_text(&self, name: &str) -> Result<Option<String>, Omission> {
        self.optional(name)?
            .map(|value| text(name, value))
            .transpose()
    }

    fn text(&self, name: &str) -> Result<String, Omission> {
        self.optional_text(name)?
            .ok_or_else(|| (name.to_owned(), "it is not set".to_owned()))
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Omission> {
        match self.optional(name)? {
            None => Ok(Vec::new()),
            Some(Value::List(items)) => items.iter().map(|item| text(name, item)).collect(),
            Some(other) => Err((name.to_owned(), format!("it is {}", other.kind()))),
        }
    }

    /// The nested blocks of a name.
    fn blocks(&self, name: &str) -> Result<Vec<&BTreeMap<String, Value>>, Omission> {
        match self.optional(name)? {
            Some(Value::List(items)) => Ok(items
                .iter()
                .filter_map(|item| match item {
                    Value::Object(attributes) => Some(attributes),
                    _ => None,
                })
                .collect()),
            _ => Ok(Vec::new()),
        }
    }
}

fn text(name: &str, value: &Value) -> Result<String, Omission> {
    value
        .to_text()
        .ok_or_else(|| (name.to_owned(), format!("it is {}", value.kind())))
}
