//! The `sub` claim.
//!
//! Grammar: <https://docs.github.com/en/actions/reference/security/oidc>.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::run::{Event, Run};

/// The two forms in which GitHub writes the repository into the subject.
///
/// Repositories that were created, renamed or transferred since 2026-07-15 mint
/// the immutable form; older ones the name form, unless they opted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubjectForm {
    /// `repo:acme/api:...`
    Name,
    /// `repo:acme@1234/api@5678:...`
    Immutable,
}

impl fmt::Display for SubjectForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Name => "name",
            Self::Immutable => "immutable",
        })
    }
}

/// The subject that GitHub mints for `run`.
///
/// An environment wins over a pull request, which wins over the ref; a colon in
/// a value becomes `%3A`.
pub fn subject(run: &Run, form: SubjectForm) -> String {
    let repository = &run.repository;
    let repository = match form {
        SubjectForm::Name => repository.full_name(),
        SubjectForm::Immutable => format!(
            "{}@{}/{}@{}",
            repository.owner, repository.owner_id, repository.name, repository.id
        ),
    };
    let context = match (&run.environment, &run.event) {
        (Some(environment), _) => format!("environment:{}", escaped(environment)),
        (None, Event::PullRequest { .. }) => "pull_request".to_owned(),
        (None, event) => format!("ref:{}", escaped(&event.git_ref())),
    };
    format!("repo:{repository}:{context}")
}

fn escaped(value: &str) -> String {
    value.replace(':', "%3A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::tests::push_to_main;

    #[test]
    fn a_branch_has_both_forms() {
        let run = push_to_main();
        assert_eq!(
            subject(&run, SubjectForm::Name),
            "repo:acme/api:ref:refs/heads/main"
        );
        assert_eq!(
            subject(&run, SubjectForm::Immutable),
            "repo:acme@11/api@22:ref:refs/heads/main"
        );
    }

    #[test]
    fn an_environment_hides_the_branch_and_its_colon_is_escaped() {
        let run = Run {
            environment: Some("Production:V1".to_owned()),
            ..push_to_main()
        };
        assert_eq!(
            subject(&run, SubjectForm::Name),
            "repo:acme/api:environment:Production%3AV1"
        );
    }

    #[test]
    fn a_pull_request_hides_its_ref() {
        let event = Event::PullRequest {
            number: 7,
            head: "fix".to_owned(),
            base: "main".to_owned(),
            from_fork: false,
        };
        let run = Run {
            event,
            ..push_to_main()
        };
        assert_eq!(
            subject(&run, SubjectForm::Name),
            "repo:acme/api:pull_request"
        );
    }
}
