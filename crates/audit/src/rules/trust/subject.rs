//! The subject: whether it is compared, in which form, and in which spelling.

use policy::{Condition, Document, Effect};
use terraform::PolicyPart;

use super::values::{self, binds, ignores_case, is_positive, takes_wildcards};
use super::{SeenStatement, issuers, spots};
use crate::Rule;
use crate::findings::{Findings, in_words};
use crate::jobs::{EnvironmentUse, RefShape};
use crate::subject::Subject;
use crate::wildcards::{has_wildcard, matches};

/// Claims that say whose repository or workflow it is.
const OF_A_REPOSITORY: [&str; 6] = [
    "sub",
    "repository",
    "repository_id",
    "repository_owner_id",
    "enterprise_id",
    "job_workflow_ref",
];

/// Nothing says whose runs may assume the role.
pub(super) fn missing(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let bound = OF_A_REPOSITORY
        .iter()
        .flat_map(|claim| seen.on(claim))
        .any(binds);
    if bound || narrowed_by_deny(seen.document) {
        return;
    }
    let compared = seen.on("sub").next();
    let message = match compared {
        None => format!(
            "{} admits every run of every repository on GitHub: it does not compare `{}:sub`.",
            seen.name(),
            seen.issuer
        ),
        Some(condition) if condition.operator.comparison.negated => format!(
            "{} only says which subjects do not get in: every other run of every repository on GitHub does.",
            seen.name()
        ),
        Some(condition) => format!(
            "{} admits every run of every repository on GitHub: `{}` with `{}` on `{}` leaves nobody out.",
            seen.name(),
            condition.operator_name,
            condition.values.join("`, `"),
            condition.key
        ),
    };
    let spot = compared.map_or_else(
        || seen.trust.spot(PolicyPart::Statement(seen.index)),
        |condition| seen.key_spot(condition),
    );
    findings
        .add(
            Rule::TrustWithoutSubject,
            seen.trust.subject(),
            spots::at(&spot),
            message,
        )
        .fix = in_words(format!(
        "Compare `{}:sub` by `StringEquals` with {}.",
        seen.issuer,
        subjects_in_words(seen)
    ));
}

/// Whether a `Deny` takes out everyone but some.
fn narrowed_by_deny(document: &Document) -> bool {
    document.statements.iter().any(|statement| {
        let of_subject = |condition: &Condition| {
            let claim = policy::keys::issuer_and_claim(&condition.key);
            condition.operator.comparison.negated
                && claim.is_some_and(|(_, claim)| {
                    OF_A_REPOSITORY
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(claim))
                })
        };
        statement.effect == Effect::Deny
            && !issuers(statement).is_empty()
            && statement.conditions.iter().any(of_subject)
    })
}

/// The subjects that the jobs need, or what to write in their place.
fn subjects_in_words(seen: &SeenStatement<'_>) -> String {
    let Some(repository) = &seen.trust.setup.repository else {
        return "the subjects of the job that needs the role, by name and with ids".to_owned();
    };
    let context = needed_context(seen).unwrap_or_else(|| "ref:refs/heads/main".to_owned());
    let (owner, name) = (&repository.owner, &repository.name);
    match (&repository.owner_id, &repository.id) {
        (Some(owner_id), Some(id)) => format!(
            "`repo:{owner}/{name}:{context}` and `repo:{owner}@{owner_id}/{name}@{id}:{context}`"
        ),
        _ => format!("`repo:{owner}/{name}:{context}` and the same with ids"),
    }
}

/// What follows the repository in the subjects of the jobs that ask for the
/// role, if it is one and the same.
pub(super) fn needed_context(seen: &SeenStatement<'_>) -> Option<String> {
    let runs = seen.trust.jobs.iter().flat_map(|job| &job.runs);
    let mut contexts = runs.map(|run| match (&run.environment, &run.refs) {
        (Some(EnvironmentUse::Named(name)), _) => {
            Some(format!("environment:{}", name.replace(':', "%3A")))
        }
        (None, RefShape::Branches(globs)) => match globs.as_slice() {
            [branch] if is_one_name(branch) => Some(format!("ref:refs/heads/{branch}")),
            _ => None,
        },
        _ => None,
    });
    let first = contexts.next()??;
    contexts
        .all(|other| other.as_ref() == Some(&first))
        .then_some(first)
}

/// Whether a glob of a workflow stands for one name.
fn is_one_name(glob: &str) -> bool {
    !glob.starts_with('!') && !glob.contains(['*', '?', '[', ']', '+', '\\'])
}

/// Values of `:sub` in the name form, and none in the immutable one.
pub(super) fn name_only(seen: &SeenStatement<'_>, findings: &mut Findings) {
    for condition in seen.on("sub").filter(|condition| is_positive(condition)) {
        for value in &condition.values {
            let Some(subject) = values::subject(value).filter(Subject::is_name_form) else {
                continue;
            };
            if !has_immutable_twin(seen, &subject) {
                report_name_only(seen, condition, (value, &subject), findings);
                return;
            }
        }
    }
}

/// Whether any statement of the policy lists the same repository with ids.
fn has_immutable_twin(seen: &SeenStatement<'_>, subject: &Subject<'_>) -> bool {
    let statements = seen.document.statements.iter();
    let conditions = statements
        .filter(|statement| statement.effect == Effect::Allow)
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| is_positive(condition) && seen.claim(condition) == Some("sub"));
    conditions
        .flat_map(|condition| condition.values.iter().map(move |value| (condition, value)))
        .any(|(condition, value)| {
            let Some(other) = values::subject(value) else {
                // `repo:*` and the like: every form.
                return takes_wildcards(condition) && has_wildcard(value);
            };
            other.is_immutable_form()
                && (other.owner == subject.owner || matches(other.owner, subject.owner))
                && (other.name == subject.name || matches(other.name, subject.name))
        })
}

fn report_name_only(
    seen: &SeenStatement<'_>,
    condition: &Condition,
    (value, subject): (&str, &Subject<'_>),
    findings: &mut Findings,
) {
    let spot = seen.value_spot(condition, value);
    let message = format!(
        "`{value}` is the subject by name only: a repository that was created, renamed or moved \
         since July 2026 mints `repo:{}@ID/{}@ID:..` and is refused.",
        subject.owner, subject.name
    );
    let summary = "List the form with ids as well.";
    let fix = match immutable(seen, subject) {
        Some(added) => {
            let (operator, key) = (&condition.operator_name, &condition.key);
            let values = seen
                .trust
                .spot(PolicyPart::Values(seen.index, operator, key));
            let summary = format!("List `{added}` as well.");
            spots::add_values(seen.trust.root, (&values, &spot), &[&added], summary)
        }
        None => in_words(format!(
            "{summary} `gh api repos/{}/{} --jq '.owner.id, .id'` prints the ids.",
            subject.owner, subject.name
        )),
    };
    findings
        .add(
            Rule::TrustNameOnly,
            seen.trust.subject(),
            spots::at(&spot),
            message,
        )
        .fix = fix;
}

/// The subject with the ids of the repository, if it is this one.
fn immutable(seen: &SeenStatement<'_>, subject: &Subject<'_>) -> Option<String> {
    let own = seen.trust.setup.repository.as_ref()?;
    let (owner_id, id) = (own.owner_id.as_ref()?, own.id.as_ref()?);
    if own.owner != subject.owner {
        return None;
    }
    let name = if own.name == subject.name {
        format!("{}@{id}", own.name)
    } else if has_wildcard(subject.name) {
        subject.name.to_owned()
    } else {
        return None;
    };
    let context = subject.context.behind_repository();
    Some(format!("repo:{}@{owner_id}/{name}{context}", own.owner))
}

/// Wildcards where the ids stand.
pub(super) fn ignores_ids(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let by_id = ["repository_id", "repository_owner_id"];
    if by_id.iter().flat_map(|claim| seen.on(claim)).any(binds) {
        return;
    }
    for condition in seen
        .on("sub")
        .filter(|one| is_positive(one) && takes_wildcards(one))
    {
        for value in &condition.values {
            let Some(subject) = values::subject(value) else {
                continue;
            };
            let open = |id: Option<&str>| id.is_some_and(has_wildcard);
            if !open(subject.owner_id) && !open(subject.id) {
                continue;
            }
            let spot = seen.value_spot(condition, value);
            let message = format!(
                "`{value}` takes any ids: whoever registers the name `{}/{}` after it was given up gets in.",
                subject.owner, subject.name
            );
            let fix = match immutable(seen, &subject) {
                Some(exact) => {
                    let summary = format!("Write the ids: `{exact}`.");
                    spots::rewrite(seen.trust.root, &spot, &exact, summary)
                }
                None => in_words(format!(
                    "Write the ids. `gh api repos/{}/{} --jq '.owner.id, .id'` prints them.",
                    subject.owner, subject.name
                )),
            };
            findings
                .add(
                    Rule::TrustIgnoresIds,
                    seen.trust.subject(),
                    spots::at(&spot),
                    message,
                )
                .fix = fix;
        }
    }
}

/// The repository's name in other letter case.
pub(super) fn wrong_case(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let Some(own) = &seen.trust.setup.repository else {
        return;
    };
    for condition in seen
        .on("sub")
        .filter(|one| is_positive(one) && !ignores_case(one))
    {
        for value in &condition.values {
            let Some(subject) = values::subject(value) else {
                continue;
            };
            let same = |left: &str, right: &str| left.eq_ignore_ascii_case(right);
            let spelt = subject.owner == own.owner
                && (subject.name == own.name || !same(subject.name, &own.name));
            let this = same(subject.owner, &own.owner)
                && (same(subject.name, &own.name) || has_wildcard(subject.name));
            if spelt || !this {
                continue;
            }
            let name = if same(subject.name, &own.name) {
                &own.name
            } else {
                subject.name
            };
            let right = respelt(&subject, &own.owner, name);
            let spot = seen.value_spot(condition, value);
            let message = format!(
                "`{value}` never matches: GitHub writes `{}/{}`, and the comparison tells letter case apart.",
                own.owner, own.name
            );
            findings
                .add(
                    Rule::TrustWrongCase,
                    seen.trust.subject(),
                    spots::at(&spot),
                    message,
                )
                .fix = spots::rewrite(seen.trust.root, &spot, &right, format!("Write `{right}`."));
        }
    }
}

fn respelt(subject: &Subject<'_>, owner: &str, name: &str) -> String {
    let id = |id: Option<&str>| id.map_or_else(String::new, |id| format!("@{id}"));
    format!(
        "repo:{owner}{}/{name}{}{}",
        id(subject.owner_id),
        id(subject.id),
        subject.context.behind_repository()
    )
}

/// A subject that says which environment and not which branch.
pub(super) fn relies_on_environment(seen: &SeenStatement<'_>, findings: &mut Findings) {
    let by_ref = ["ref", "job_workflow_ref"];
    if by_ref.iter().flat_map(|claim| seen.on(claim)).any(binds) {
        return;
    }
    let subjects = seen.on("sub").filter(|condition| is_positive(condition));
    let mut values =
        subjects.flat_map(|condition| condition.values.iter().map(move |value| (condition, value)));
    let Some((condition, value, environment)) = values.find_map(|(condition, value)| {
        let (_, environment) = value.split_once(":environment:")?;
        Some((condition, value, environment))
    }) else {
        return;
    };
    let message = format!(
        "`{value}` says nothing about the branch: any branch can name the environment \
         `{environment}`, and only its protection rules on GitHub stand in the way."
    );
    findings
        .add(
            Rule::TrustReliesOnEnvironment,
            seen.trust.subject(),
            spots::at(&seen.value_spot(condition, value)),
            message,
        )
        .fix = in_words(format!(
        "Limit the deployment branches of the environment in the repository's settings, or compare `{}:ref` too.",
        seen.issuer
    ));
}
