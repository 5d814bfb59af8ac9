//! What both ways of assuming a role ask for.

use crate::ecr::is_account;
use crate::error::AwsError;
use crate::query::Parameters;

const DEFAULT_DURATION_SECONDS: i64 = 3_600;
/// Characters that session policies and tags may have together.
pub(super) const PACKED_LIMIT: usize = 2_048;

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
        let arn = parameters.bounded("RoleArn", 20..=2_048);
        let name = parameters.bounded("RoleSessionName", 2..=64);
        let name = name.and_then(|name| Parameters::of_pattern("RoleSessionName", name, NAME));
        let duration = parameters.number("DurationSeconds", 900..=43_200);
        let policy = parameters.optional("Policy", 1..=PACKED_LIMIT);
        let (Ok(arn), Ok(session_name), Ok(duration), Ok(_)) = (&arn, &name, &duration, &policy)
        else {
            let errors = [arn.err(), name.err(), duration.err(), policy.err()];
            let error = AwsError::together(errors.into_iter().flatten());
            return Err(error.unwrap_or_else(invalid_arn));
        };
        let role = RoleArn::parse(arn).ok_or_else(invalid_arn)?;
        Ok(Self {
            role,
            session_name,
            duration: duration.unwrap_or(DEFAULT_DURATION_SECONDS),
        })
    }
}

/// The characters of session names and source identities.
pub(super) const NAME: (&str, fn(char) -> bool) = (r"[\w+=,.@-]*", |character| {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
});

fn invalid_arn() -> AwsError {
    AwsError::invalid("ValidationError", "Request ARN is invalid")
}

impl<'a> RoleArn<'a> {
    fn parse(arn: &'a str) -> Option<Self> {
        let (account, resource) = arn.strip_prefix("arn:aws:iam::")?.split_once(':')?;
        let path_and_name = resource.strip_prefix("role/")?;
        let name = path_and_name.rsplit('/').next()?;
        (is_account(account) && !name.is_empty()).then_some(Self { arn, account, name })
    }
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
