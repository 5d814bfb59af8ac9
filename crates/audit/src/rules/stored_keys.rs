//! Long-lived AWS keys: in any file, in what a workflow takes from secrets, and those
//! that Terraform makes.

mod scan;

use std::collections::BTreeSet;

use github::{Placed, Variables};
use receipts::Location;

use crate::findings::{Findings, in_words, location};
use crate::{Rule, Setup, TerraformRoot, WorkflowFile, jobs};

const FIX: &str = "Deactivate the key in IAM, remove it here and from the history, and let the job assume a role with its GitHub token.";

/// All rules about stored keys.
pub(crate) fn check(setup: &Setup, findings: &mut Findings) {
    let workflows: BTreeSet<_> = setup.workflows.iter().map(|file| &file.path).collect();
    for file in &setup.workflows {
        in_text(&file.path, &file.text, findings);
        from_secrets(file, findings);
    }
    // A workflow can be among the texts too.
    for text in setup
        .texts
        .iter()
        .filter(|text| !workflows.contains(&text.path))
    {
        in_text(&text.path, &text.text, findings);
    }
    for root in &setup.roots {
        made_by(root, findings);
    }
}

fn made_by(root: &TerraformRoot, findings: &mut Findings) {
    let resources = root.root.resources.iter();
    for key in resources.filter(|resource| resource.kind == "aws_iam_access_key") {
        let message = format!(
            "`{}` makes a long-lived AWS key, which then stands in Terraform's state: it works from anywhere and for ever.",
            key.address
        );
        let place = Some(location(&key.place));
        findings
            .add(Rule::StoredAwsKey, &key.address, place, message)
            .fix = in_words(
            "Let what needs the key assume a role, a workflow with its GitHub token; then remove the key and its user.",
        );
    }
}

fn in_text(path: &str, text: &str, findings: &mut Findings) {
    for key in scan::keys(text) {
        let message = match &key.kind {
            scan::Kind::Id { shown } => {
                format!("`{path}` contains the id of a long-lived AWS key, `{shown}`.")
            }
            scan::Kind::Secret => {
                format!(
                    "`{path}` contains what looks like the secret of an AWS key; it is not repeated here."
                )
            }
        };
        let location = Location {
            file: path.to_owned(),
            line: key.line,
            column: key.column,
        };
        findings
            .add(Rule::StoredAwsKey, path, Some(location), message)
            .fix = in_words(FIX);
    }
}

/// The names under which a step or a program takes a key.
const NAMES: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "aws-access-key-id",
    "aws-secret-access-key",
];

/// A key that a workflow takes out of the repository's secrets: one finding for
/// each place that takes one.
fn from_secrets(file: &WorkflowFile, findings: &mut Findings) {
    let Ok(workflow) = &file.workflow else {
        return;
    };
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    report(file, name, "the workflow", &[&workflow.env], findings);
    for (id, job) in &workflow.jobs {
        let subject = jobs::subject(file, id);
        report(
            file,
            &subject,
            &format!("job `{id}`"),
            &[&job.env, &job.with],
            findings,
        );
        for step in &job.steps {
            let who = format!("step `{}` of job `{id}`", step.title());
            report(file, &subject, &who, &[&step.with, &step.env], findings);
        }
    }
}

fn report(
    file: &WorkflowFile,
    subject: &str,
    who: &str,
    variables: &[&Variables],
    findings: &mut Findings,
) {
    let all = || variables.iter().flat_map(|variables| variables.iter());
    // Together with a session token the key is a temporary one.
    let temporary = all().any(|(name, _)| {
        name.eq_ignore_ascii_case("aws_session_token") || name == "aws-session-token"
    });
    let Some((_, value)) = all().find(|(name, value)| takes_key(name, value)) else {
        return;
    };
    if temporary {
        return;
    }
    let what = title(who);
    let message = format!(
        "{what} takes a long-lived AWS key from the repository's secrets: it works from anywhere and for ever, for whoever has read it once."
    );
    let location = Some(jobs::location(file, value.place));
    findings
        .add(Rule::StoredAwsKey, subject, location, message)
        .fix = in_words(
        "Give the job `id-token: write` and use `aws-actions/configure-aws-credentials` with `role-to-assume`; then delete the secret and the key.",
    );
}

fn takes_key(name: &str, value: &Placed<String>) -> bool {
    let value = value.to_ascii_uppercase();
    let Some((_, secret)) = value.split_once("SECRETS.") else {
        return false;
    };
    NAMES.contains(&name)
        || secret.contains("AWS_ACCESS_KEY_ID")
        || secret.contains("AWS_SECRET_ACCESS_KEY")
}

fn title(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|char| char.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests;
