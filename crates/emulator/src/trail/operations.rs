//! What CloudTrail says about an operation by its name alone.

/// `readOnly`: whether the operation changes nothing. That of the operations which
/// give credentials is documented (IAM User Guide, "Logging sign-in events for
/// temporary credentials"); the others follow from their verb.
pub(crate) fn is_read_only(name: &str) -> bool {
    const VERBS: [&str; 9] = [
        "Decode",
        "Get",
        "List",
        "Describe",
        "BatchGet",
        "BatchCheck",
        "Lookup",
        "Simulate",
        "Validate",
    ];
    if matches!(name, "GetSessionToken" | "GetFederationToken") {
        return false;
    }
    name.starts_with("AssumeRole") || VERBS.iter().any(|verb| name.starts_with(verb))
}

/// Whether the answer of a read-only operation is recorded all the same (IAM
/// User Guide, "Logging sign-in events for temporary credentials").
pub(super) fn shows_answer(name: &str) -> bool {
    !is_read_only(name) || name.starts_with("AssumeRole")
}

/// The sentence that CloudTrail records in place of the one that the caller
/// was told: that of a refused web identity says nothing at all (AWS re:Post,
/// "AssumeRoleWithWebIdentity" troubleshooting).
pub(super) fn recorded_message<'a>(name: &str, code: &str, message: &'a str) -> &'a str {
    if name == "AssumeRoleWithWebIdentity" && code == "AccessDenied" {
        "An unknown error occurred"
    } else {
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushing_changes_and_pulling_does_not() {
        for name in [
            "InitiateLayerUpload",
            "UploadLayerPart",
            "CompleteLayerUpload",
            "PutImage",
        ] {
            assert!(!is_read_only(name) && shows_answer(name), "{name}");
        }
        for name in [
            "BatchGetImage",
            "GetDownloadUrlForLayer",
            "GetAuthorizationToken",
        ] {
            assert!(is_read_only(name) && !shows_answer(name), "{name}");
        }
        assert!(is_read_only("AssumeRole") && shows_answer("AssumeRole"));
        assert!(!is_read_only("GetSessionToken") && shows_answer("GetSessionToken"));
    }
}
