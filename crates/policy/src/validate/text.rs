//! A policy text from its first byte to its rules, with places.

use super::finding::{Finding, MALFORMED, about_document};
use super::{validate_identity, validate_repository, validate_session, validate_trust};
use crate::document::{Document, Place};

/// What a policy is written for, which decides its rules and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyForm {
    /// The trust policy of a role.
    Trust,
    /// A managed policy.
    Managed,
    /// An inline policy of a role.
    Inline,
    /// A session policy.
    Session,
    /// The policy of an ECR repository.
    Repository,
}

impl PolicyForm {
    /// Longest policy, in characters (IAM User Guide, "IAM and AWS STS quotas";
    /// for repositories the service model of ECR). A trust policy's is the
    /// default of a quota that can be raised to 8,192; inline policies of a role
    /// have theirs together.
    pub fn maximum_size(self) -> usize {
        match self {
            Self::Trust | Self::Session => 2_048,
            Self::Managed => 6_144,
            Self::Inline | Self::Repository => 10_240,
        }
    }

    /// AWS's code and words for a policy that is too long. Those for session
    /// and repository policies are inferred.
    fn too_long(self) -> (&'static str, String) {
        let maximum = self.maximum_size();
        match self {
            Self::Trust => (
                "LimitExceeded",
                format!("Cannot exceed quota for ACLSizePerRole: {maximum}"),
            ),
            Self::Managed => (
                "LimitExceeded",
                format!("Cannot exceed quota for PolicySize: {maximum}"),
            ),
            Self::Inline => (
                "LimitExceeded",
                format!("Maximum policy size of {maximum} bytes exceeded for the role"),
            ),
            Self::Session => (
                "PackedPolicyTooLarge",
                format!("A session policy can have {maximum} characters."),
            ),
            Self::Repository => (
                "InvalidParameterException",
                format!("A repository policy can have {maximum} characters."),
            ),
        }
    }

    /// White space counts where AWS does not say that it does not.
    fn size(self, text: &str) -> usize {
        match self {
            Self::Session | Self::Repository => text.chars().count(),
            Self::Trust | Self::Managed | Self::Inline => counted_size(text),
        }
    }

    fn validate(self, document: &Document) -> Vec<Finding> {
        match self {
            Self::Trust => validate_trust(document),
            Self::Managed | Self::Inline => validate_identity(document),
            Self::Session => validate_session(document),
            Self::Repository => validate_repository(document),
        }
    }
}

/// The size that IAM counts: characters without white space.
pub fn counted_size(text: &str) -> usize {
    text.chars().filter(|char| !char.is_whitespace()).count()
}

/// Everything for which AWS would refuse to store a text as that policy, each
/// with its place. A text that cannot be read has one finding.
pub fn check_text(text: &str, form: PolicyForm) -> Vec<Finding> {
    let mut findings = Vec::new();
    if form.size(text) > form.maximum_size() {
        let (code, message) = form.too_long();
        findings.push(about_document(code, Vec::new(), message));
    }
    // For repositories AWS documents no such limit.
    let forbidden = match form {
        PolicyForm::Repository => None,
        _ => forbidden_character(text),
    };
    if let Some(place) = forbidden {
        let message = "A policy can contain tabs, line feeds, carriage returns and the \
                       characters from U+0020 to U+00FF, and no others."
            .to_owned();
        findings.push(Finding {
            place: Some(place),
            ..about_document(MALFORMED, Vec::new(), message)
        });
    }
    match Document::parse_located(text) {
        Ok((document, places)) => {
            let found = form.validate(&document).into_iter();
            findings.extend(found.map(|finding| finding.located(&places)));
        }
        Err(error) => findings.push(Finding {
            place: Some(error.place),
            ..about_document(MALFORMED, error.path.clone(), error.to_string())
        }),
    }
    findings
}

/// The first character outside those that IAM documents ("IAM name
/// requirements").
fn forbidden_character(text: &str) -> Option<Place> {
    let is_fine = |char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    let (start, char) = text.char_indices().find(|(_, char)| !is_fine(*char))?;
    let before = &text[..start];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(Place {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        start,
        end: start + char.len_utf8(),
    })
}
