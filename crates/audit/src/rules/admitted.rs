//! Who gets in and who does not, from the proof of each role.

use receipts::Location;

use crate::findings::{Findings, in_words, location};
use crate::jobs::{IdentityJob, RoleUse};
use crate::prove::{Excess, ExcessKind, Proved, VacantWhy};
use crate::{Rule, Setup};

/// The findings of all proofs.
pub(super) fn check(
    setup: &Setup,
    jobs: &[IdentityJob<'_>],
    proved: &[Proved<'_>],
    findings: &mut Findings,
) {
    let some_role_is_unknown = calls_elsewhere(setup)
        || jobs
            .iter()
            .any(|job| matches!(job.role, RoleUse::Unknown(_)));
    for proved in proved {
        let about = About::of(proved);
        not_proved(proved, &about, findings);
        excess(proved, &about, findings);
        vacant(proved, &about, findings);
        refused(proved, findings);
        if !some_role_is_unknown && !setup.workflows.is_empty() {
            unused(proved, &about, findings);
        }
    }
}

/// Whether a job hands its identity to a workflow of another repository, which
/// may ask for any role.
fn calls_elsewhere(setup: &Setup) -> bool {
    let workflows = setup
        .workflows
        .iter()
        .filter_map(|file| file.workflow.as_ref().ok());
    let mut jobs = workflows.flat_map(github::Workflow::jobs_with_identity);
    jobs.any(|(_, job)| {
        let called = job.uses.as_ref();
        called.is_some_and(|called| !called.value.starts_with("./"))
    })
}

/// How findings name the role.
struct About {
    subject: String,
    location: Option<Location>,
    name: String,
}

impl About {
    fn of(proved: &Proved) -> Self {
        Self {
            subject: proved.role.address.clone(),
            location: Some(location(&proved.role.place)),
            name: proved.role.name.clone(),
        }
    }
}

/// The rule for a kind of excess, what it lets in, and what to change.
fn rule(kind: ExcessKind) -> Option<(Rule, &'static str, &'static str)> {
    Some(match kind {
        ExcessKind::Stranger => (
            Rule::TrustAdmitsStrangers,
            "repositories of other owners",
            "Compare `:sub` with the whole subject of the repository, with a `/` behind the owner and no wildcard before it.",
        ),
        ExcessKind::OtherRepository => (
            Rule::TrustAdmitsOtherRepositories,
            "other repositories of the same owner",
            "Name the repository in `:sub`, followed by a colon, without a wildcard.",
        ),
        ExcessKind::PullRequest => (
            Rule::TrustAdmitsPullRequests,
            "pull requests, whose code nobody has reviewed yet",
            "Replace the wildcard behind the repository by the refs or environments that publish.",
        ),
        ExcessKind::OtherRef => (
            Rule::TrustAdmitsOtherRefs,
            "branches or tags that no job needs",
            "List the refs that publish, such as `ref:refs/heads/main`.",
        ),
        ExcessKind::OtherEnvironment => (
            Rule::TrustAdmitsOtherEnvironments,
            "environments that no job needs",
            "Name the environment, or, where no job has one, list refs instead.",
        ),
        // Not findings: ids are the business of `trust-ignores-ids`, and only
        // the repository's own administrators customise its subject.
        ExcessKind::RecycledName | ExcessKind::Customised => return None,
    })
}

fn excess(proved: &Proved, about: &About, findings: &mut Findings) {
    let mut said = Vec::new();
    for excess in proved.excess.iter().filter(|excess| excess.certain) {
        let Some((rule, whom, fix)) = rule(excess.kind) else {
            continue;
        };
        if said.contains(&rule) {
            continue;
        }
        said.push(rule);
        let message = format!(
            "The role `{}` admits {whom}: for example {}, with the subject `{}`.",
            about.name, excess.example.caller, excess.subject
        );
        let finding = findings.add(rule, &about.subject, about.location.clone(), message);
        finding.fix = in_words(fix);
    }
}

fn vacant(proved: &Proved, about: &About, findings: &mut Findings) {
    for vacancy in &proved.vacant {
        let statement = &vacancy.statement;
        let (rule, message, fix) = match &vacancy.why {
            VacantWhy::Nobody => (
                Rule::TrustAdmitsNobody,
                format!(
                    "The statement `{statement}` of the trust policy of `{}` admits no run at all: all of its conditions must hold, and no token of GitHub meets them together.",
                    about.name
                ),
                "Put values that may stand for each other into one list under one operator.",
            ),
            VacantWhy::NeverMinted(subject) => (
                Rule::TrustSubjectNeverMinted,
                format!(
                    "The statement `{statement}` of the trust policy of `{}` wants the subject `{subject}`, which GitHub writes for no run.",
                    about.name
                ),
                "Write the subject as GitHub does: `repo:OWNER/NAME:` and then `ref:refs/heads/BRANCH`, `ref:refs/tags/TAG`, `pull_request` or `environment:NAME`.",
            ),
        };
        let finding = findings.add(rule, &about.subject, about.location.clone(), message);
        finding.fix = in_words(fix);
    }
}

fn refused(proved: &Proved, findings: &mut Findings) {
    let mut said = Vec::new();
    for refusal in &proved.refused {
        if said.contains(&&refusal.job.subject) {
            continue;
        }
        said.push(&refusal.job.subject);
        let message = format!(
            "The job `{}` asks for the role `{}`, which refuses it: its token has the subject `{}`, and no statement of the trust policy admits that.",
            refusal.job.subject, proved.role.name, refusal.subject
        );
        let location = Some(refusal.job.location.clone());
        let finding = findings.add(Rule::JobRefused, &refusal.job.subject, location, message);
        finding.fix = in_words(format!(
            "Add the subject to the trust policy of `{}`, or let the job run only where the role expects it.",
            proved.role.name
        ));
    }
}

/// Silence about a role must mean that it is sound.
fn not_proved(proved: &Proved, about: &About, findings: &mut Findings) {
    let (why, fix) = if let Some(undecided) = &proved.undecided {
        (
            format!("could not be decided, so anyone may get in: {undecided}"),
            "Write the subjects out, or use fewer wildcards in them.",
        )
    } else if let Some(excess) = undecided_excess(&proved.excess) {
        (
            format!("cannot be decided: {}", excess.example.caller),
            "Compare the claim as a text, with `StringEquals`, and with values that the policy says itself.",
        )
    } else {
        return;
    };
    let message = format!("Whom the role `{}` admits {why}.", about.name);
    let place = about.location.clone();
    findings
        .add(Rule::TrustNotProved, &about.subject, place, message)
        .fix = in_words(fix);
}

/// A caller too many, of whom only what is not known may keep all of its kind out.
fn undecided_excess(excess: &[Excess]) -> Option<&Excess> {
    let mut matters = excess.iter().filter(|one| rule(one.kind).is_some());
    matters.find(|one| !one.certain)
}

fn unused(proved: &Proved, about: &About, findings: &mut Findings) {
    // What its ARN is, no job can be seen to name where it is not known.
    if !proved.jobs.is_empty() || !proved.admits_own || proved.role.is_partial {
        return;
    }
    let message = format!(
        "The role `{}` admits GitHub's runs, and no job of this repository asks for it.",
        about.name
    );
    let finding = findings.add(
        Rule::RoleUnused,
        &about.subject,
        about.location.clone(),
        message,
    );
    finding.fix = in_words("Remove the role, or the trust in GitHub's identity provider.");
}
