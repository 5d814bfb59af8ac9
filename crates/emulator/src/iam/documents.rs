//! Policy documents as they come in: what IAM refuses to store.
//!
//! Sizes: IAM User Guide, "IAM and AWS STS quotas"; white space does not count.

use policy::{PolicyForm, check_text, counted_size};

use super::call::{Call, limit};
use crate::error::AwsError;

/// The trust policy in the parameter `parameter`.
pub(super) fn trust<'a>(call: &'a Call<'_>, parameter: &str) -> Result<&'a str, AwsError> {
    checked(call.parameters.required(parameter)?, PolicyForm::Trust)
}

/// The document of a managed policy.
pub(super) fn managed<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    checked(
        call.parameters.required("PolicyDocument")?,
        PolicyForm::Managed,
    )
}

/// The document of an inline policy.
pub(super) fn inline<'a>(call: &'a Call<'_>) -> Result<&'a str, AwsError> {
    checked(
        call.parameters.required("PolicyDocument")?,
        PolicyForm::Inline,
    )
}

/// Refuses inline policies of a role, a user or a group that are too long
/// together.
pub(super) fn check_inline_size<'a>(
    (kind, name): (&str, &str),
    documents: impl Iterator<Item = &'a String>,
    most: usize,
) -> Result<(), AwsError> {
    if documents.map(|text| counted_size(text)).sum::<usize>() > most {
        return Err(limit(format!(
            "Maximum policy size of {most} bytes exceeded for {kind} {name}"
        )));
    }
    Ok(())
}

fn checked(text: &str, form: PolicyForm) -> Result<&str, AwsError> {
    match check_text(text, form).into_iter().next() {
        None => Ok(text),
        Some(finding) if finding.code == "LimitExceeded" => Err(limit(finding.message)),
        Some(finding) => Err(AwsError::invalid(
            "MalformedPolicyDocument",
            finding.message,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_for_github_without_a_subject_is_malformed() {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}"#;
        let error = checked(text, PolicyForm::Trust).unwrap_err();
        assert_eq!((error.status, error.code), (400, "MalformedPolicyDocument"));
    }

    #[test]
    fn white_space_does_not_count_towards_the_size() {
        let statement = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let spaced = format!("{}{}", " ".repeat(7_000), statement);
        assert!(checked(&spaced, PolicyForm::Managed).is_ok());
        let long = statement.replace(r#""*"}]"#, &format!(r#""{}"}}]"#, "x".repeat(6_144)));
        let error = checked(&long, PolicyForm::Managed).unwrap_err();
        assert_eq!((error.status, error.code), (409, "LimitExceeded"));
        assert_eq!(error.message, "Cannot exceed quota for PolicySize: 6144");
    }
}
