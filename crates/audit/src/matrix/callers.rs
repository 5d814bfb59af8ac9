//! The callers that are tried on a role: the runs of the jobs that ask for it,
//! and beside them those that must be refused.

use github::{
    AWS_AUDIENCE, Caller, CallerKind, Event, Repository, Run, SubjectForm, Visibility, subject,
};
use receipts::{Access, Answer, CallerAccess, Standing};

use super::examples::{DefaultBranch, Example, examples, is_asked_for, push};
use super::permissions::Permissions;
use super::trust::{Token, Trust};
use crate::jobs::{IdentityJob, RunShape};
use crate::{OwnRepository, Setup};

/// The forms in which a repository may mint its subjects.
const FORMS: [SubjectForm; 2] = [SubjectForm::Immutable, SubjectForm::Name];

/// How many of the runs that jobs ask for are shown for one role. A role of more
/// jobs shows the first.
const MOST_RUNS: usize = 40;

/// Refs that an intruder may come from where a job asks for the first.
const OTHER_REFS: [(CallerKind, &str); 2] = [
    (CallerKind::OtherBranch, "refs/heads/intruder"),
    (CallerKind::Tag, "refs/tags/intruder"),
];

/// Who calls.
pub(super) struct Callers {
    repository: Repository,
    ids_known: bool,
    default_branch: DefaultBranch,
}

/// The jobs that ask for a role.
pub(super) struct Asking<'a> {
    pub(super) jobs: Vec<&'a IdentityJob<'a>>,
    /// Whether it is certain that they ask for this role.
    pub(super) certain: bool,
    /// Whether the role is the one that publishes.
    pub(super) publishes: bool,
}

impl Asking<'_> {
    fn standing(&self) -> Standing {
        if self.publishes || (self.certain && !self.jobs.is_empty()) {
            Standing::Intended
        } else {
            Standing::Unclear
        }
    }
}

/// A run that a job asks for, with what is not known of it.
struct Wanted {
    caller: String,
    run: Run,
    jobs: Vec<String>,
    audience: String,
    standing: Standing,
    /// Why nothing can be told of it.
    unknown: Option<String>,
    /// Why a refusal of it may be wrong.
    doubt: Option<String>,
}

impl Callers {
    pub(super) fn new(own: &OwnRepository, setup: &Setup) -> Self {
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
            default_branch: DefaultBranch::of(setup),
        }
    }

    /// Everyone who is tried on the role of `trust`.
    pub(super) fn at(
        &self,
        trust: &Trust<'_>,
        permissions: &Permissions<'_>,
        asking: &Asking<'_>,
    ) -> Vec<CallerAccess> {
        let mut wanted = self.wanted(asking);
        if wanted.is_empty() {
            wanted.push(self.publisher(asking));
        }
        let publisher = wanted[0].run.clone();
        let others = intruders(&publisher, asking, &wanted);
        wanted.extend(others);
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

    /// Who stands for a role that no job is known to ask for.
    fn publisher(&self, asking: &Asking<'_>) -> Wanted {
        Wanted {
            caller: format!("push to {}", self.default_branch.name()),
            run: self.run(push(&self.default_branch.git_ref())),
            jobs: Vec::new(),
            audience: AWS_AUDIENCE.to_owned(),
            standing: asking.standing(),
            unknown: None,
            doubt: None,
        }
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
            own_workflow: !wanted.jobs.is_empty(),
        };
        let unknown = |reason: &str| Access {
            answer: Answer::Unknown,
            reason: reason.to_owned(),
        };
        let mut assume = match &wanted.unknown {
            Some(reason) => unknown(reason),
            None => trust.access(&token),
        };
        if let (Answer::No, Some(doubt)) = (assume.answer, &wanted.doubt) {
            assume = unknown(doubt);
        }
        CallerAccess {
            caller: wanted.caller.clone(),
            jobs: wanted.jobs.clone(),
            subject: subject(&wanted.run, form),
            form: form.to_string(),
            standing: wanted.standing,
            sessions: match assume.answer {
                Answer::Yes => permissions.access(trust, &token),
                _ => Vec::new(),
            },
            assume,
        }
    }

    /// The runs of the jobs, each once.
    fn wanted(&self, asking: &Asking<'_>) -> Vec<Wanted> {
        let mut all: Vec<Wanted> = Vec::new();
        for job in &asking.jobs {
            for shape in &job.runs {
                for example in examples(shape, &self.default_branch) {
                    self.add(&mut all, job, example, asking.standing());
                }
            }
        }
        all
    }

    fn add(
        &self,
        all: &mut Vec<Wanted>,
        job: &IdentityJob<'_>,
        example: Example,
        standing: Standing,
    ) {
        let mut run = self.run(example.event);
        run.environment = example.environment;
        run.workflow_path.clone_from(&job.workflow.path);
        if let Ok(workflow) = &job.workflow.workflow {
            run.workflow = workflow
                .name
                .clone()
                .unwrap_or_else(|| job.workflow.path.clone());
        }
        let same = |one: &&mut Wanted| one.caller == example.caller && one.run == run;
        if let Some(one) = all.iter_mut().find(same) {
            one.jobs.push(job.subject.clone());
        } else if all.len() < MOST_RUNS {
            all.push(Wanted {
                caller: example.caller,
                run,
                jobs: vec![job.subject.clone()],
                audience: job
                    .audience
                    .clone()
                    .unwrap_or_else(|| AWS_AUDIENCE.to_owned()),
                standing,
                unknown: example.unknown.or_else(|| unknown_audience(job)),
                doubt: example.doubt,
            });
        }
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
fn intruders(publisher: &Run, asking: &Asking<'_>, wanted: &[Wanted]) -> Vec<Wanted> {
    let shapes: Vec<&RunShape> = asking.jobs.iter().flat_map(|job| &job.runs).collect();
    let is_wanted = |run: &Run| {
        let own = subject(run, SubjectForm::Immutable);
        let mut subjects = wanted
            .iter()
            .map(|one| subject(&one.run, SubjectForm::Immutable));
        subjects.any(|one| one == own)
    };
    CallerKind::INTRUDERS
        .into_iter()
        .filter_map(|kind| {
            let first = Caller::beside(publisher, kind);
            let others = OTHER_REFS
                .iter()
                .filter(|(of, _)| *of == kind)
                .map(|(_, git_ref)| Run {
                    event: push(git_ref),
                    ..first.run.clone()
                });
            let run = std::iter::once(first.run.clone())
                .chain(others)
                .find(|run| {
                    !is_asked_for(&shapes, kind, &run.event.git_ref()) && !is_wanted(run)
                })?;
            Some(Wanted {
                caller: kind.to_string(),
                run,
                jobs: Vec::new(),
                audience: AWS_AUDIENCE.to_owned(),
                standing: Standing::Intruder,
                unknown: None,
                doubt: None,
            })
        })
        .collect()
}

fn unknown_audience(job: &IdentityJob<'_>) -> Option<String> {
    job.audience.is_none().then(|| {
        "The audience that the job asks for is an expression, which only GitHub can evaluate."
            .to_owned()
    })
}
