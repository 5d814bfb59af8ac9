//! The callers that are tried on a role: the runs of the jobs that ask for it,
//! and beside them those that must be refused.

use github::{
    AWS_AUDIENCE, Caller, CallerKind, Event, Repository, Run, SubjectForm, Visibility, subject,
};
use receipts::{Access, Answer, CallerAccess, Standing};

use super::permissions::Permissions;
use super::trust::{Token, Trust};
use crate::OwnRepository;
use crate::jobs::{EnvironmentUse, IdentityJob, RefShape, RunShape};

/// The forms in which a repository may mint its subjects.
const FORMS: [SubjectForm; 2] = [SubjectForm::Immutable, SubjectForm::Name];

/// How many of the runs that jobs ask for are shown for one role. A role of more
/// jobs shows the first.
const MOST_RUNS: usize = 40;

/// The branch of a workflow that names none.
const MAIN: &str = "refs/heads/main";

/// Who calls.
pub(super) struct Callers {
    repository: Repository,
    ids_known: bool,
}

/// A run that a job asks for, with what is not known of it.
struct Wanted {
    caller: String,
    run: Run,
    jobs: Vec<String>,
    audience: String,
    standing: Standing,
    unknown: Option<String>,
}

impl Callers {
    pub(super) fn new(own: &OwnRepository) -> Self {
        // Stand-ins for ids that are not known: see `Token::ids_known`.
        let or = |id: &Option<String>, other: &str| id.clone().unwrap_or_else(|| other.to_owned());
        Self {
            repository: Repository {
                owner: own.owner.clone(),
                owner_id: or(&own.owner_id, "1"),
                name: own.name.clone(),
                id: or(&own.id, "2"),
                visibility: Visibility::Private,
            },
            ids_known: own.owner_id.is_some() && own.id.is_some(),
        }
    }

    /// Everyone who is tried on the role of `trust`.
    pub(super) fn at(
        &self,
        trust: &Trust<'_>,
        permissions: &Permissions<'_>,
        jobs: &[&IdentityJob<'_>],
        publishes: bool,
    ) -> Vec<CallerAccess> {
        let mut wanted = self.wanted(jobs);
        if wanted.is_empty() {
            wanted.push(Wanted {
                caller: "push to main".to_owned(),
                run: self.run(push(MAIN)),
                jobs: Vec::new(),
                audience: AWS_AUDIENCE.to_owned(),
                standing: if publishes {
                    Standing::Intended
                } else {
                    Standing::Unclear
                },
                unknown: None,
            });
        }
        let publisher = wanted[0].run.clone();
        let intruders = intruders(&publisher, jobs, &wanted);
        wanted.extend(intruders);
        let tried = |wanted: &Wanted| {
            let forms = if wanted.caller == CallerKind::RecycledName.to_string() {
                // A repository that took over a name is a new one, and new ones
                // mint the immutable form only.
                &FORMS[..1]
            } else {
                &FORMS[..]
            };
            let row = |form: &SubjectForm| self.attempt(trust, permissions, wanted, *form);
            forms.iter().map(row).collect::<Vec<_>>()
        };
        wanted.iter().flat_map(tried).collect()
    }

    fn attempt(
        &self,
        trust: &Trust<'_>,
        permissions: &Permissions<'_>,
        wanted: &Wanted,
        form: SubjectForm,
    ) -> CallerAccess {
        let token = Token {
            run: &wanted.run,
            form,
            audience: &wanted.audience,
            ids_known: self.ids_known,
        };
        let assume = match &wanted.unknown {
            Some(reason) => Access {
                answer: Answer::Unknown,
                reason: reason.clone(),
            },
            None => trust.access(&token),
        };
        CallerAccess {
            caller: wanted.caller.clone(),
            jobs: wanted.jobs.clone(),
            subject: subject(&wanted.run, form),
            standing: wanted.standing,
            session: (assume.answer == Answer::Yes).then(|| permissions.access(trust, &token)),
            assume,
        }
    }

    /// The runs of `jobs`, each once.
    fn wanted(&self, jobs: &[&IdentityJob<'_>]) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        let shapes = jobs
            .iter()
            .flat_map(|job| job.runs.iter().map(move |shape| (*job, shape)));
        for (job, shape) in shapes {
            for (caller, event) in examples(shape) {
                let (environment, unknown) = environment(shape);
                let mut run = self.run(event);
                run.environment = environment;
                run.workflow_path.clone_from(&job.workflow.path);
                let same = |one: &&mut Wanted| one.caller == caller && one.run == run;
                if let Some(one) = all.iter_mut().find(same) {
                    one.jobs.push(job.subject.clone());
                } else if all.len() < MOST_RUNS {
                    all.push(Wanted {
                        caller,
                        run,
                        jobs: vec![job.subject.clone()],
                        audience: job
                            .audience
                            .clone()
                            .unwrap_or_else(|| AWS_AUDIENCE.to_owned()),
                        standing: Standing::Intended,
                        unknown: unknown.or_else(|| unknown_audience(job)),
                    });
                }
            }
        }
        all
    }

    fn run(&self, event: Event) -> Run {
        Run {
            repository: self.repository.clone(),
            event,
            environment: None,
            workflow: "publish".to_owned(),
            workflow_path: ".github/workflows/publish.yml".to_owned(),
            actor: "octocat".to_owned(),
            actor_id: "583231".to_owned(),
            sha: "0".repeat(40),
            run_id: 1,
            run_number: 1,
            run_attempt: 1,
        }
    }
}

/// The callers beside `publisher`, but those that a job asks for.
fn intruders(publisher: &Run, jobs: &[&IdentityJob<'_>], wanted: &[Wanted]) -> Vec<Wanted> {
    let shapes = || jobs.iter().flat_map(|job| &job.runs);
    CallerKind::INTRUDERS
        .into_iter()
        .filter(|kind| !shapes().any(|shape| asks_for(shape, *kind)))
        .map(|kind| Caller::beside(publisher, kind))
        .filter(|caller| {
            let own = subject(&caller.run, SubjectForm::Immutable);
            !wanted
                .iter()
                .any(|one| subject(&one.run, SubjectForm::Immutable) == own)
        })
        .map(|caller| Wanted {
            caller: caller.kind.to_string(),
            run: caller.run,
            jobs: Vec::new(),
            audience: AWS_AUDIENCE.to_owned(),
            standing: Standing::Intruder,
            unknown: None,
        })
        .collect()
}

fn push(git_ref: &str) -> Event {
    Event::Push {
        git_ref: git_ref.to_owned(),
    }
}

/// The runs that stand for a shape, each with its name: one for each branch or
/// tag that the workflow names, and one for all that a glob covers.
fn examples(shape: &RunShape) -> Vec<(String, Event)> {
    let on = |kind: &str, of: &str, globs: &[String], other: &str| -> Vec<(String, Event)> {
        let mut names: Vec<String> = globs
            .iter()
            .filter(|glob| !glob.starts_with('!'))
            .map(|glob| {
                glob.replace("**", "x")
                    .replace(['*', '+'], "x")
                    .replace('?', "")
            })
            .collect();
        if names.is_empty() {
            names.push(other.to_owned());
        }
        names
            .into_iter()
            .map(|name| {
                let git_ref = format!("refs/{kind}/{name}");
                (format!("{} {of}{name}", verb(&shape.event)), push(&git_ref))
            })
            .collect()
    };
    let mut runs = match &shape.refs {
        RefShape::Branches(globs) => on("heads", "", globs, "main"),
        RefShape::Tags(globs) => on("tags", "tag ", globs, "v1.0.0"),
        RefShape::DefaultBranch | RefShape::Any => on("heads", "", &[], "main"),
        RefShape::PullRequest => vec![("pull request".to_owned(), pull_request())],
    };
    let environment = match &shape.environment {
        Some(EnvironmentUse::Named(name)) => format!(" in environment {name}"),
        Some(EnvironmentUse::Unknown(_)) => " in an environment".to_owned(),
        None => String::new(),
    };
    for (caller, _) in &mut runs {
        caller.push_str(&environment);
    }
    runs
}

fn verb(event: &str) -> String {
    match event {
        "push" => "push to".to_owned(),
        "workflow_dispatch" => "started by hand on".to_owned(),
        "schedule" => "schedule on".to_owned(),
        other => format!("{} on", other.replace('_', " ")),
    }
}

fn pull_request() -> Event {
    Event::PullRequest {
        number: 7,
        head: "feature".to_owned(),
        base: "main".to_owned(),
        from_fork: false,
    }
}

fn environment(shape: &RunShape) -> (Option<String>, Option<String>) {
    match &shape.environment {
        None => (None, None),
        Some(EnvironmentUse::Named(name)) => (Some(name.clone()), None),
        Some(EnvironmentUse::Unknown(expression)) => (
            Some(expression.clone()),
            Some(format!(
                "The job's environment is `{expression}`, which only GitHub can evaluate."
            )),
        ),
    }
}

fn unknown_audience(job: &IdentityJob<'_>) -> Option<String> {
    job.audience.is_none().then(|| {
        "The audience that the job asks for is an expression, which only GitHub can evaluate."
            .to_owned()
    })
}

/// Whether a job starts on what `kind` does, so that it is no intruder.
fn asks_for(shape: &RunShape, kind: CallerKind) -> bool {
    let covers_any =
        |globs: &[String]| globs.is_empty() || globs.iter().any(|glob| glob == "*" || glob == "**");
    let plain = shape.environment.is_none();
    match (kind, &shape.refs) {
        (CallerKind::PullRequest, RefShape::PullRequest) => plain,
        (CallerKind::OtherBranch, RefShape::Branches(globs))
        | (CallerKind::Tag, RefShape::Tags(globs)) => plain && covers_any(globs),
        _ => false,
    }
}
