//! What both ways of assuming a role ask for.

use policy::{Document, validate_session};

use crate::error::AwsError;
use crate::iam::managed;
use crate::query::Parameters;
use crate::state::State;

const DEFAULT_DURATION_SECONDS: i64 = 3_600;
/// Characters that the session policies may have together.
const PACKED_LIMIT: usize = 2_048;

/// The role and the session that are asked for, with every form checked.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) role: RoleArn<'a>,
    pub(super) session_name: &'a str,
    /// Seconds.
    pub(super) duration: i64,
}

/// The ARN of a role, taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleArn<'a> {
    pub(super) arn: &'a str,
    pub(super) account: &'a str,
    /// Without its path.
    pub(super) name: &'a str,
}

impl<'a> Asked<'a> {
    /// Reads role, session name and duration.
    pub(super) fn read(parameters: &'a Parameters) -> Result<Self, AwsError> {
        let arn = parameters.bounded("RoleArn", 20..=2_048)?;
        let session_name = parameters.bounded("RoleSessionName", 2..=64)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        if !session_name.chars().all(allowed) {
            return Err(AwsError::invalid(
                "ValidationError",
                format!(
                    "1 validation error detected: Value '{session_name}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
                ),
            ));
        }
        let duration = parameters
            .number("DurationSeconds", 900..=43_200)?
            .unwrap_or(DEFAULT_DURATION_SECONDS);
        if parameters.get("Policy").is_some() {
            parameters.bounded("Policy", 1..=PACKED_LIMIT)?;
        }
        let role = RoleArn::parse(arn)
            .ok_or_else(|| AwsError::invalid("ValidationError", "Request ARN is invalid"))?;
        Ok(Self {
            role,
            session_name,
            duration,
        })
    }
}

impl<'a> RoleArn<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let path_and_name = resource.strip_prefix("role/")?;
        let name = path_and_name.rsplit('/').next()?;
        let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        (digits && !name.is_empty()).then_some(Self { arn, account, name })
    }
}

/// The session policies of a request.
#[derive(Debug, Default)]
pub(super) struct SessionPolicies {
    /// Names and documents; `None` when the request has none.
    pub(super) documents: Option<Vec<(String, String)>>,
    /// Percent of the limit (inferred: AWS packs them in a form of its own).
    pub(super) packed_size: Option<usize>,
}

impl SessionPolicies {
    /// Reads `Policy` and `PolicyArns`.
    pub(super) fn read(state: &State, parameters: &Parameters) -> Result<Self, AwsError> {
        let arns = parameters.fields("PolicyArns", "arn");
        if arns.len() > 10 {
            return Err(AwsError::validation(
                "policyArns",
                "Member must have length less than or equal to 10",
            ));
        }
        let inline = parameters.get("Policy");
        if inline.is_none() && arns.is_empty() {
            return Ok(Self::default());
        }
        let size = inline.map_or(0, str::len) + arns.iter().map(|arn| arn.len()).sum::<usize>();
        if size > PACKED_LIMIT {
            return Err(AwsError::invalid(
                "PackedPolicyTooLarge",
                "Serialized token too large for session",
            ));
        }
        let mut documents = Vec::new();
        if let Some(document) = inline {
            check(document)?;
            documents.push(("session policy".to_owned(), document.to_owned()));
        }
        for arn in arns {
            let document = state
                .store
                .read(|reader| managed::document(reader, arn))?
                .ok_or_else(|| malformed(&format!("Policy {arn} does not exist")))?;
            documents.push((arn.to_owned(), document));
        }
        Ok(Self {
            documents: Some(documents),
            packed_size: Some((size * 100).div_ceil(PACKED_LIMIT)),
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_arn_is_taken_apart_and_others_are_not() {
        let role = RoleArn::parse("arn:aws:iam::123456789012:role/ci/images/publisher").unwrap();
        assert_eq!((role.account, role.name), ("123456789012", "publisher"));
        for other in [
            "arn:aws:iam::123456789012:user/ada",
            "arn:aws:iam::12345:role/publisher",
            "arn:aws:iam::123456789012:role/",
            "publisher",
        ] {
            assert!(RoleArn::parse(other).is_none(), "{other}");
        }
    }
}
