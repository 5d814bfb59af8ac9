//! One request, and what every operation does with it.

use super::entity::Entity;
use crate::authorize::{Target, authorize};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::query::Parameters;
use crate::state::State;
use crate::trail::Note;

/// Condition keys and their values.
pub(super) type Context = Vec<(String, String)>;

/// A request whose signature is verified.
pub(super) struct Call<'a> {
    pub(super) state: &'a State,
    pub(super) caller: &'a Caller,
    /// The operation, without `iam:`.
    pub(super) action: &'static str,
    pub(super) parameters: &'a Parameters,
    pub(super) note: &'a Note,
}

impl Call<'_> {
    /// Refuses a caller that may not do this to `resource`.
    pub(super) fn authorize(&self, resource: &str, context: Context) -> Result<(), AwsError> {
        let action = format!("iam:{}", self.action);
        let target = Target {
            context,
            ..Target::new(&action, resource, self.owner(resource))
        };
        authorize(self.state, self.caller, &target, self.note)?;
        Ok(())
    }

    /// The account that calls; IAM's calls are about one's own.
    pub(super) fn account(&self) -> &str {
        self.caller.principal.account().unwrap_or_default()
    }

    /// The account in the ARN of a resource. AWS's own policies are everybody's.
    fn owner<'a>(&'a self, arn: &'a str) -> &'a str {
        match arn.split(':').nth(4) {
            None | Some("" | "aws") => self.account(),
            Some(account) => account,
        }
    }

    /// The ARN of what `resource` names in this account: `role/ci/publisher`.
    pub(super) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:iam::{}:{resource}", self.account())
    }

    /// The name in the parameter `parameter`, of at most `longest` characters.
    pub(super) fn name(&self, parameter: &str, longest: usize) -> Result<&str, AwsError> {
        let name = self.parameters.bounded(parameter, 1..=longest)?;
        Parameters::of_pattern(parameter, name, (r"[\w+=,.@-]+", is_of_name))
    }

    /// The name of a role, a user or a group.
    pub(super) fn entity_name<E: Entity>(&self) -> Result<&str, AwsError> {
        self.name(E::NAME, E::LONGEST_NAME)
    }

    /// The beginning of the paths that a list is asked for.
    pub(super) fn path_prefix(&self) -> Result<&str, AwsError> {
        let prefix = self.parameters.optional("PathPrefix", 1..=512)?;
        let prefix = prefix.unwrap_or("/");
        if prefix.starts_with('/') && prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(prefix);
        }
        Err(AwsError::validation(
            "pathPrefix",
            Some(prefix),
            "Member must satisfy regular expression pattern: \\u002F[\\u0021-\\u007F]*",
        ))
    }

    /// The path, `/` when it is not given.
    pub(super) fn path(&self) -> Result<&str, AwsError> {
        if self.parameters.get("Path").is_none() {
            return Ok("/");
        }
        let path = self.parameters.bounded("Path", 1..=512)?;
        if is_path(path) {
            return Ok(path);
        }
        Err(AwsError::validation(
            "path",
            Some(path),
            "Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)",
        ))
    }

    /// The description, at most a thousand characters.
    pub(super) fn description(&self) -> Result<Option<String>, AwsError> {
        match self.parameters.get("Description") {
            None | Some("") => Ok(None),
            Some(_) => {
                let description = self.parameters.bounded("Description", 1..=1_000)?;
                Ok(Some(description.to_owned()))
            }
        }
    }
}

fn is_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

fn is_path(path: &str) -> bool {
    path.starts_with('/') && path.ends_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic())
}

/// There is no such thing.
pub(super) fn missing(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

/// There is one already.
pub(super) fn exists(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "EntityAlreadyExists", message)
}

/// Something else still needs it.
pub(super) fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "DeleteConflict", message)
}

/// Refuses more than a quota has room for.
pub(super) fn within(count: usize, (quota, most): (&str, usize)) -> Result<(), AwsError> {
    if count <= most {
        return Ok(());
    }
    Err(limit(format!("Cannot exceed quota for {quota}: {most}")))
}

/// A quota would be exceeded.
pub(super) fn limit(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "LimitExceeded", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_and_ends_with_a_slash_and_has_no_space() {
        assert!(is_path("/") && is_path("/ci/images/"));
        for other in ["", "ci/", "/ci", "/c i/", "/é/"] {
            assert!(!is_path(other), "{other}");
        }
    }
}
