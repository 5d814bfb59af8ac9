//! The steps of a job that ask AWS for a role with GitHub's token.

use github::{AWS_AUDIENCE, Job, MatrixEntry, Place, Step, Workflow};

use super::RoleUse;
use super::scopes::{Scopes, entries};
use super::script::{self, Command};

/// One step that asks for a role.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// The step.
    pub(crate) step: &'a Step,
    /// Where it says so.
    pub(crate) place: Place,
    /// The role.
    pub(crate) role: RoleUse,
    /// The audience; `None` where it depends on an expression.
    pub(crate) audience: Option<String>,
    /// The session in seconds, where it says.
    pub(crate) session_seconds: Option<u32>,
}

/// AWS's own action for credentials.
pub(crate) const CONFIGURE: &str = "aws-actions/configure-aws-credentials";

/// The longshore commands that call AWS.
const LONGSHORE_WITH_IDENTITY: [&str; 4] = ["publish", "deploy", "images", "verify"];

/// The steps of `job` that ask for a role, for every entry of its matrix;
/// `publisher` is the role that longshore asks for.
pub(crate) fn asks<'a>(
    workflow: &'a Workflow,
    job: &'a Job,
    publisher: Option<&str>,
) -> Vec<Ask<'a>> {
    let entries = entries(job);
    let asks = entries
        .iter()
        .flat_map(|entry| asks_of(workflow, job, entry, publisher));
    asks.collect()
}

/// The same for one entry of the matrix.
pub(super) fn asks_of<'a>(
    workflow: &'a Workflow,
    job: &'a Job,
    entry: &MatrixEntry<'_>,
    publisher: Option<&str>,
) -> Vec<Ask<'a>> {
    let mut asks = Vec::new();
    for step in &job.steps {
        let scopes = Scopes::of(workflow, job, step, entry);
        asks.extend(by_action(step, &scopes));
        if let Some(run) = &step.run {
            for command in script::commands(run) {
                let ask = by_longshore(step, run.place, &command, publisher)
                    .or_else(|| by_aws(step, run.place, &command, &scopes));
                asks.extend(ask);
            }
        }
    }
    asks
}

/// Whether `step` uses `action` (`owner/name`), at whatever version.
pub(crate) fn uses(step: &Step, action: &str) -> bool {
    step.uses.as_ref().is_some_and(|uses| {
        let name = uses.split('@').next().unwrap_or_default();
        name.eq_ignore_ascii_case(action)
    })
}

/// `configure-aws-credentials` takes GitHub's token only if it is given a role
/// and neither a key, nor a token file, nor a role to chain from.
fn by_action<'a>(step: &'a Step, scopes: &Scopes<'_>) -> Option<Ask<'a>> {
    let given = |name: &str| step.with.get(name).filter(|value| !value.trim().is_empty());
    if !uses(step, CONFIGURE)
        || given("aws-access-key-id").is_some()
        || given("web-identity-token-file").is_some()
        || given("role-chaining").is_some_and(|value| value.trim() == "true")
    {
        return None;
    }
    let role = given("role-to-assume")?;
    let audience = match given("audience") {
        Some(audience) => scopes.resolve(audience.trim()).ok(),
        None => Some(AWS_AUDIENCE.to_owned()),
    };
    Some(Ask {
        step,
        place: role.place,
        role: role_of(scopes.resolve(role.trim())),
        audience,
        session_seconds: given("role-duration-seconds")
            .and_then(|seconds| scopes.resolve(seconds.trim()).ok())
            .and_then(|seconds| seconds.parse().ok()),
    })
}

fn by_longshore<'a>(
    step: &'a Step,
    place: Place,
    command: &Command,
    publisher: Option<&str>,
) -> Option<Ask<'a>> {
    let arguments = command.longshore()?;
    let verb = arguments.first()?;
    let dry = arguments.iter().any(|argument| argument == "--dry-run");
    if dry || !LONGSHORE_WITH_IDENTITY.contains(&verb.as_str()) {
        return None;
    }
    let role = match publisher {
        Some(arn) => RoleUse::Arn(arn.to_owned()),
        None => RoleUse::Unknown(format!("the role of `longshore {verb}`")),
    };
    Some(Ask {
        step,
        place,
        role,
        audience: Some(AWS_AUDIENCE.to_owned()),
        session_seconds: None,
    })
}

/// `aws sts assume-role-with-web-identity --role-arn ..`. Which audience its
/// token was fetched for is not in the command.
fn by_aws<'a>(
    step: &'a Step,
    place: Place,
    command: &Command,
    scopes: &Scopes<'_>,
) -> Option<Ask<'a>> {
    if !command
        .words
        .iter()
        .any(|word| word == "assume-role-with-web-identity")
    {
        return None;
    }
    let role = command.option("--role-arn")?;
    Some(Ask {
        step,
        place,
        role: role_of(scopes.resolve_shell(role)),
        audience: None,
        session_seconds: command
            .option("--duration-seconds")
            .and_then(|seconds| seconds.parse().ok()),
    })
}

/// A name without an ARN can be completed only by the action itself.
fn role_of(resolved: Result<String, String>) -> RoleUse {
    match resolved {
        Ok(arn) if arn.starts_with("arn:") => RoleUse::Arn(arn),
        Ok(text) | Err(text) => RoleUse::Unknown(text),
    }
}
