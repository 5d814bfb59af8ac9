//! Policies that are passed when a session is made: the session may do what
//! they and the role's own policies both allow.

use policy::{Document, validate_session};

use super::parameters::PACKED_LIMIT;
use crate::error::AwsError;
use crate::iam::managed;
use crate::iam::records::policy_prefix;
use crate::query::Parameters;
use crate::state::State;

const MOST_ARNS: usize = 10;

/// The session policies of a request.
#[derive(Debug, Default)]
pub(super) struct SessionPolicies {
    /// Names and documents; `None` when the request has none.
    pub(super) documents: Option<Vec<(String, String)>>,
    /// Characters of inline policy and ARNs.
    pub(super) size: usize,
}

impl SessionPolicies {
    /// Reads `Policy` and `PolicyArns`; managed policies are those of the role's
    /// `account` and of AWS.
    pub(super) fn read(
        state: &State,
        account: &str,
        parameters: &Parameters,
    ) -> Result<Self, AwsError> {
        let arns = parameters.fields("PolicyArns", "arn");
        if arns.len() > MOST_ARNS {
            return Err(AwsError::validation(
                "policyArns",
                None,
                "Member must have length less than or equal to 10",
            ));
        }
        let inline = parameters.get("Policy");
        if inline.is_none() && arns.is_empty() {
            return Ok(Self::default());
        }
        let size = inline.map_or(0, str::len) + arns.iter().map(|arn| arn.len()).sum::<usize>();
        if size > PACKED_LIMIT {
            let percent = packed(size);
            return Err(AwsError::invalid(
                "PackedPolicyTooLarge",
                format!(
                    "Packed policy consumes {percent}% of allotted space, please use smaller policy."
                ),
            ));
        }
        let mut documents = Vec::new();
        if let Some(document) = inline {
            check(document)?;
            documents.push(("session policy".to_owned(), document.to_owned()));
        }
        for arn in arns {
            documents.push((arn.to_owned(), managed_policy(state, account, arn)?));
        }
        Ok(Self {
            documents: Some(documents),
            size,
        })
    }
}

/// Percent of the room that policies and tags have together. AWS packs them in
/// a form of its own, so its numbers differ (inferred).
pub(super) fn packed(size: usize) -> usize {
    (size * 100).div_ceil(PACKED_LIMIT)
}

/// AWS requires the role's own account; its sentence is inferred.
fn managed_policy(state: &State, account: &str, arn: &str) -> Result<String, AwsError> {
    let is_reachable = arn.starts_with(&policy_prefix(account)) || managed::of_aws(arn).is_some();
    let found = if is_reachable {
        state.store.read(|reader| managed::document(reader, arn))?
    } else {
        None
    };
    found.ok_or_else(|| {
        malformed(&format!(
            "Policy {arn} does not exist or is not attachable."
        ))
    })
}

fn check(document: &str) -> Result<(), AwsError> {
    let parsed = Document::parse(document).map_err(|error| malformed(&error.to_string()))?;
    match validate_session(&parsed).first() {
        Some(finding) => Err(malformed(&finding.message)),
        None => Ok(()),
    }
}

/// The text behind AWS's code is not documented (inferred).
fn malformed(message: &str) -> AwsError {
    AwsError::invalid("MalformedPolicyDocument", message)
}
