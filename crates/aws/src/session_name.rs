//! The role session name of a workflow run.

/// AWS accepts 2 to 64 characters.
const LONGEST: usize = 64;

/// The session name of one attempt of a workflow run: `longshore-<run>-<attempt>`.
///
/// The name ends up in the assumed role's ARN and in CloudTrail, so that whoever
/// reads either finds the run. Whatever AWS does not accept in it
/// (`[\w+=,.@-]{2,64}`, `RoleSessionName` of AssumeRoleWithWebIdentity) becomes `-`.
pub fn session_name(run_id: &str, attempt: &str) -> String {
    format!("longshore-{run_id}-{attempt}")
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || "_+=,.@-".contains(character) {
                character
            } else {
                '-'
            }
        })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn run_and_attempt_are_named() {
        assert_eq!(session_name("1658821493", "2"), "longshore-1658821493-2");
    }

    proptest! {
        #[test]
        fn any_run_gives_a_name_that_aws_accepts(run: String, attempt: String) {
            let name = session_name(&run, &attempt);
            prop_assert!((2..=64).contains(&name.len()));
            let allowed = |character: char| {
                character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
            };
            prop_assert!(name.chars().all(allowed));
        }
    }
}
