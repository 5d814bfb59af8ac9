//! What the repository means a role for: the runs of the jobs that ask for it.

use policy::language::{Language, Undecided};

use super::ask::Ask;
use super::caller::Wanted;
use super::shape::is;
use super::text::{OWNER_ID, REPOSITORY, REPOSITORY_ID};
use crate::filter;
use crate::jobs::{EnvironmentUse, IdentityJob, RefShape, RunShape};
use crate::{OwnRepository, Setup};

/// How many pieces the branches that no job runs on may fall into.
const MAXIMUM_PIECES: usize = 64;

/// The names that stand for a default branch whose name is not known.
pub(super) const DEFAULT_BRANCHES: [&str; 2] = ["main", "master"];

/// What is known of the intent.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(super) own: Option<OwnRepository>,
    /// What the jobs run on; `None` where no job here asks for the role.
    pub(super) wants: Option<Wants>,
}

/// What jobs run on.
#[derive(Debug)]
pub(super) struct Wants {
    /// The branches that none runs on, as a union.
    pub(super) other_branches: Vec<Language>,
    /// The tags that none runs on.
    pub(super) other_tags: Vec<Language>,
    pub(super) pull_requests: bool,
    /// The environments; `None` where they may be any.
    pub(super) environments: Option<Vec<String>>,
}

impl Intent {
    /// Reads the jobs of a role; what is not known is added to `prevented_by`.
    pub(super) fn of(setup: &Setup, jobs: &[&IdentityJob], prevented_by: &mut Vec<String>) -> Self {
        if jobs.is_empty() {
            return Self {
                own: setup.repository.clone(),
                wants: None,
            };
        }
        if setup.repository.is_none() {
            prevented_by.push(
                "The name of this repository is not known, so its runs cannot be told from those of others: set `github.repository` in longshore.toml.".to_owned(),
            );
        }
        let mut wants = Wants {
            other_branches: vec![Language::all()],
            other_tags: vec![Language::all()],
            pull_requests: false,
            environments: Some(Vec::new()),
        };
        for job in jobs {
            for run in &job.runs {
                wants.add(run, job, prevented_by);
            }
        }
        Self {
            own: setup.repository.clone(),
            wants: Some(wants),
        }
    }

    /// Whether a run of the repository itself is admitted; any run where that is
    /// not known.
    pub(super) fn admits_own(&self, ask: &Ask) -> Result<bool, Undecided> {
        let runs = self.own.as_ref().map(runs_of).unwrap_or_default();
        Ok(ask.find(|_| true, &runs)?.is_some())
    }

    /// Whether the role expects subjects that the repository has customised, and
    /// none of those that GitHub writes by itself.
    pub(super) fn expects_customised(&self, ask: &Ask) -> Result<bool, Undecided> {
        let Some(own) = &self.own else {
            return Ok(false);
        };
        let own = runs_of(own);
        Ok(ask.find(|shape| shape.kind.is_usual(), &own)?.is_none()
            && ask.find(|shape| !shape.kind.is_usual(), &own)?.is_some())
    }
}

/// Runs of the repository, with its ids where they are known.
pub(super) fn runs_of(own: &OwnRepository) -> Vec<Wanted> {
    let mut wanted = vec![is(REPOSITORY, &format!("{}/{}", own.owner, own.name))];
    wanted.extend(own.owner_id.as_ref().map(|id| is(OWNER_ID, id)));
    wanted.extend(own.id.as_ref().map(|id| is(REPOSITORY_ID, id)));
    wanted
}

impl Wants {
    fn add(&mut self, run: &RunShape, job: &IdentityJob, prevented_by: &mut Vec<String>) {
        match &run.environment {
            Some(EnvironmentUse::Named(name)) => {
                if let Some(environments) = &mut self.environments {
                    environments.push(name.clone());
                }
                return;
            }
            Some(EnvironmentUse::Unknown(expression)) => {
                self.environments = None;
                prevented_by.push(format!(
                    "The environment of the job `{}` is `{expression}`, which only GitHub can evaluate.",
                    job.subject
                ));
                return;
            }
            None => {}
        }
        let names = DEFAULT_BRANCHES.map(str::to_owned);
        let (branches, tags) = match &run.refs {
            RefShape::PullRequest => {
                self.pull_requests = true;
                return;
            }
            RefShape::Branches(filters) => (Some(&filters[..]), None),
            RefShape::Tags(filters) => (None, Some(&filters[..])),
            RefShape::DefaultBranch => {
                prevented_by.push(format!(
                    "The job `{}` runs on the default branch, whose name is not in the workflow: `main` and `master` are taken for it.",
                    job.subject
                ));
                (Some(&names[..]), None)
            }
            // Started by hand it can run anywhere; where its other triggers say
            // which refs it is for, that is not a wish to run on the rest.
            RefShape::Any if says_refs(job) => return,
            RefShape::Any => (Some(&[][..]), Some(&[][..])),
        };
        let lists = [
            (branches, &mut self.other_branches),
            (tags, &mut self.other_tags),
        ];
        for (filters, others) in lists {
            let Some(filters) = filters else { continue };
            let left = filter::left_out(filters).and_then(|left| both(others, &left));
            if left.is_none() {
                prevented_by.push(format!(
                    "The filters {filters:?} of the job `{}` are more than can be compared.",
                    job.subject
                ));
            }
            *others = left.unwrap_or_default();
        }
    }
}

fn says_refs(job: &IdentityJob) -> bool {
    let says = |run: &RunShape| run.environment.is_none() && run.refs != RefShape::Any;
    job.runs.iter().any(says)
}

/// What is in both unions.
fn both(one: &[Language], other: &[Language]) -> Option<Vec<Language>> {
    let pairs = one.iter().flat_map(|one| {
        other.iter().map(move |other| {
            let clauses = other.clauses().iter().cloned();
            clauses.fold(one.clone(), Language::and)
        })
    });
    let pieces: Vec<Language> = pairs.take(MAXIMUM_PIECES + 1).collect();
    (pieces.len() <= MAXIMUM_PIECES).then_some(pieces)
}
