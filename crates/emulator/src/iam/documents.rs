//! Policy documents as they come in: what IAM refuses to store.
//!
//! Sizes: IAM User Guide, "IAM and AWS STS quotas"; white space does not count.

use policy::{Document, Finding, validate_identity, validate_trust};

use super::call::{Call, limit};
use crate::error::AwsError;

const TRUST_POLICY_LIMIT: usize = 2_048;
const MANAGED_POLICY_LIMIT: usize = 6_144;
/// For the inline policies of a role together.
const INLINE_POLICIES_LIMIT: usize = 10_240;

/// The trust policy in the parameter `parameter`.
pub(super) fn trust<'a>(call: &'a Call<'_>, parameter: &str) -> Result<&'a str, AwsError> {
    let text = call.parameters.required(parameter)?;
    check(text, validate_trust)?;
    within(size(text), TRUST_POLICY_LIMIT, "ACLSizePerRole")?;
    Ok(text)
}

/// The document of a managed policy.
pub(super) fn managed<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    let text = inline(call)?;
    within(size(text), MANAGED_POLICY_LIMIT, "PolicySize")?;
    Ok(text)
}

/// The document of an inline policy.
pub(super) fn inline<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    let text = call.parameters.required("PolicyDocument")?;
    check(text, validate_identity)?;
    Ok(text)
}

/// Refuses inline policies of the role `name` that are too long together.
pub(super) fn check_inline_size<'a>(
    name: &str,
    documents: impl Iterator<Item = &'a String>,
) -> Result<(), AwsError> {
    if documents.map(|text| size(text)).sum::<usize>() > INLINE_POLICIES_LIMIT {
        return Err(limit(format!(
            "Maximum policy size of {INLINE_POLICIES_LIMIT} bytes exceeded for role {name}"
        )));
    }
    Ok(())
}

fn check(text: &str, validate: fn(&Document) -> Vec<Finding>) -> Result<(), AwsError> {
    let document = Document::parse(text).map_err(|error| malformed(error.to_string()))?;
    match validate(&document).into_iter().next() {
        Some(finding) => Err(malformed(finding.message)),
        None => Ok(()),
    }
}

fn malformed(message: String) -> AwsError {
    AwsError::invalid("MalformedPolicyDocument", message)
}

fn within(size: usize, longest: usize, quota: &str) -> Result<(), AwsError> {
    if size > longest {
        return Err(limit(format!("Cannot exceed quota for {quota}: {longest}")));
    }
    Ok(())
}

fn size(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_for_github_without_a_subject_is_malformed() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
        let error = check(text, validate_trust).unwrap_err();
        assert_eq!((error.status, error.code), (400, "MalformedPolicyDocument"));
    }

    #[test]
    fn white_space_does_not_count_towards_the_size() {
        assert_eq!(size("{ \"a\":\n\t1 }"), 7);
    }
}
