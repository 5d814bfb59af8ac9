//! `longshore explain`: why AWS refused a caller, or would.

mod caller;
mod denial;
mod live;
mod role;

use audit::explain::{MissKind, Question};
use receipts::{ExitCode, Explanation, Problem, ProblemCode};

use crate::arguments::{Explain, Format};
use crate::project::Project;
use crate::settings::Settings;
use crate::{github_actions, printer, render};

pub(crate) use caller::ANY_REGION;
pub(crate) use denial::with_explanation;

/// Explains; fails if the caller is refused, so that a script can ask.
pub(crate) async fn run(arguments: &Explain, settings: &Settings) -> Result<ExitCode, Problem> {
    let project = Project::find(&settings.directory);
    let asked = caller::find(arguments, project.as_ref(), settings).await?;
    let found = role::find(arguments, project.as_ref(), &asked.claims, settings).await?;
    let explanation = audit::explain::explain(&Question {
        caller: asked.caller,
        claims: asked.claims,
        evidence: asked.evidence,
        signature: asked.signature,
        role: found.role.clone(),
        trust: found.trust(),
        providers: found.providers.clone(),
        answer: None,
        session_name: None,
        repository: project.as_ref().ok().and_then(Project::own_repository),
    });
    if arguments.trust_policy.is_some() {
        readable(&explanation)?;
    }
    match settings.format {
        Format::Json => printer::json(&explanation),
        Format::Text | Format::Sarif => {
            let text = render::explain::text(&explanation);
            printer::data(&github_actions::inert(settings, text));
        }
    }
    github_actions::summary(settings, &render::explain::markdown(&explanation));
    Ok(if explanation.admitted {
        ExitCode::Success
    } else {
        ExitCode::Identity
    })
}

/// A file that is no policy is a mistake in the command, not an answer.
fn readable(explanation: &Explanation) -> Result<(), Problem> {
    match &explanation.nearest_miss {
        Some(miss) if miss.kind == MissKind::PolicyUnreadable.id() => Err(Problem::new(
            ProblemCode::BadTrustPolicy,
            "nothing was explained: the trust policy cannot be read",
        )
        .fact("reason", miss.sentence.as_str())
        .hint(
            "the file must hold the document alone, as `aws iam get-role --role-name NAME \
             --query Role.AssumeRolePolicyDocument` prints it",
        )),
        _ => Ok(()),
    }
}

/// The same problem, told of an explanation.
fn not_explained(mut problem: Problem) -> Problem {
    for other in [
        "nothing was rehearsed",
        "nothing was pushed",
        "nothing was done",
    ] {
        problem.summary = problem.summary.replace(other, "nothing was explained");
    }
    problem
}

/// Why a project is needed and not there.
fn needed<'a>(project: Result<&'a Project, &Problem>) -> Result<&'a Project, Problem> {
    project.map_err(|problem| not_explained(problem.clone()))
}
