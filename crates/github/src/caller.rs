//! The kinds of workflow run that ask for an identity: the one a publish is
//! meant for, and those that must be refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::run::{Event, Repository, Run};

/// The kinds of caller that every rehearsal tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallerKind {
    /// The run that the workflow exists for.
    Publisher,
    /// A pull request from a branch of the same repository.
    PullRequest,
    /// A pull request from a fork.
    ForkPullRequest,
    /// A push to another branch.
    OtherBranch,
    /// A push of a tag.
    Tag,
    /// The publisher's own branch, by another workflow that names an environment.
    OtherEnvironment,
    /// Another repository of the same owner.
    SiblingRepository,
    /// A repository of somebody else.
    Stranger,
    /// Somebody else's repository under the same name: the owner's name was
    /// given up and taken over, the ids are other ones.
    RecycledName,
}

impl CallerKind {
    /// The callers that must be refused, in the order in which they are shown.
    pub const INTRUDERS: [Self; 8] = [
        Self::PullRequest,
        Self::ForkPullRequest,
        Self::OtherBranch,
        Self::Tag,
        Self::OtherEnvironment,
        Self::SiblingRepository,
        Self::Stranger,
        Self::RecycledName,
    ];
}

impl fmt::Display for CallerKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Publisher => "publisher",
            Self::PullRequest => "pull request",
            Self::ForkPullRequest => "pull request of a fork",
            Self::OtherBranch => "other branch",
            Self::Tag => "tag",
            Self::OtherEnvironment => "other environment",
            Self::SiblingRepository => "other repository of the owner",
            Self::Stranger => "stranger's repository",
            Self::RecycledName => "same name, other owner",
        })
    }
}

/// A kind of caller with a run that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The kind.
    pub kind: CallerKind,
    /// A run of that kind.
    pub run: Run,
}

impl Caller {
    /// The caller of `kind` that stands beside `publisher`, different in that
    /// one respect only.
    pub fn beside(publisher: &Run, kind: CallerKind) -> Self {
        let mut run = publisher.clone();
        match kind {
            CallerKind::Publisher => {}
            CallerKind::PullRequest => run.event = pull_request(publisher, false),
            CallerKind::ForkPullRequest => run.event = pull_request(publisher, true),
            CallerKind::OtherBranch => {
                run.event = Event::Push {
                    git_ref: "refs/heads/feature/intruder".to_owned(),
                };
            }
            CallerKind::Tag => {
                run.event = Event::Push {
                    git_ref: "refs/tags/v1.0.0".to_owned(),
                }
            }
            CallerKind::OtherEnvironment => run.environment = Some("preview".to_owned()),
            CallerKind::SiblingRepository => {
                run.repository.name.push_str("-sibling");
                run.repository.id = other_id(&run.repository.id);
            }
            CallerKind::Stranger => run.repository = strangers(&run.repository),
            CallerKind::RecycledName => {
                run.repository.owner_id = other_id(&run.repository.owner_id);
                run.repository.id = other_id(&run.repository.id);
            }
        }
        if kind != CallerKind::Publisher && kind != CallerKind::OtherEnvironment {
            run.environment = environment_of(kind, publisher);
        }
        Self { kind, run }
    }
}

/// Another repository can name its environments as it likes; a job of the same
/// repository reaches a protected environment only from the branches that the
/// environment admits, so those callers come without.
fn environment_of(kind: CallerKind, publisher: &Run) -> Option<String> {
    match kind {
        CallerKind::SiblingRepository | CallerKind::Stranger | CallerKind::RecycledName => {
            publisher.environment.clone()
        }
        _ => None,
    }
}

fn pull_request(publisher: &Run, from_fork: bool) -> Event {
    let base = publisher.event.git_ref();
    Event::PullRequest {
        number: 7,
        head: "feature/intruder".to_owned(),
        base: base.strip_prefix("refs/heads/").unwrap_or(&base).to_owned(),
        from_fork,
    }
}

fn strangers(repository: &Repository) -> Repository {
    Repository {
        owner: "stranger".to_owned(),
        owner_id: other_id(&repository.owner_id),
        id: other_id(&repository.id),
        ..repository.clone()
    }
}

/// An id that is not `id`.
fn other_id(id: &str) -> String {
    format!("{id}9")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::Visibility;
    use crate::subject::{SubjectForm, subject};

    pub(crate) fn push_to_main() -> Run {
        Run {
            repository: Repository {
                owner: "acme".to_owned(),
                owner_id: "11".to_owned(),
                name: "api".to_owned(),
                id: "22".to_owned(),
                visibility: Visibility::Private,
            },
            event: Event::Push {
                git_ref: "refs/heads/main".to_owned(),
            },
            environment: None,
            workflow: "publish".to_owned(),
            workflow_path: ".github/workflows/publish.yml".to_owned(),
            actor: "ada".to_owned(),
            actor_id: "33".to_owned(),
            sha: "0".repeat(40),
            run_id: 44,
            run_number: 5,
            run_attempt: 1,
        }
    }

    #[test]
    fn every_intruder_differs_from_the_publisher_in_its_immutable_subject() {
        for environment in [None, Some("production".to_owned())] {
            let publisher = Run {
                environment,
                ..push_to_main()
            };
            let own = subject(&publisher, SubjectForm::Immutable);
            for kind in CallerKind::INTRUDERS {
                let caller = Caller::beside(&publisher, kind);
                assert_ne!(subject(&caller.run, SubjectForm::Immutable), own, "{kind}");
            }
        }
    }

    #[test]
    fn only_the_pull_request_of_a_fork_gets_no_token() {
        let without: Vec<_> = CallerKind::INTRUDERS
            .into_iter()
            .filter(|kind| !Caller::beside(&push_to_main(), *kind).run.gets_token())
            .collect();
        assert_eq!(without, [CallerKind::ForkPullRequest]);
    }

    #[test]
    fn a_run_survives_a_round_trip_through_json() {
        let text = serde_json::to_string(&push_to_main()).unwrap();
        assert_eq!(serde_json::from_str::<Run>(&text).unwrap(), push_to_main());
    }
}
