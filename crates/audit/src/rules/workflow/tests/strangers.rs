//! Identities that strangers can start.

use super::*;

#[test]
fn an_identity_that_strangers_can_start_is_found() {
    let head = "      - uses: actions/checkout@v5\n        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n";
    let text = job("pull_request_target", WRITE, head);
    let findings = found("identity-in-pull-request-target", &text);
    let (finding, line, _) = only(&findings);
    assert_eq!(line, 7);
    assert!(
        finding.message.contains("checks out"),
        "{}",
        finding.message
    );

    let text = job("[push, pull_request_target]", WRITE, "      - run: echo\n");
    assert_eq!(only(&found("identity-in-pull-request-target", &text)).1, 4);
    let text = job("issue_comment", WRITE, "      - run: gh pr checkout 7\n");
    assert_eq!(only(&found("identity-in-pull-request-target", &text)).1, 7);
}

#[test]
fn an_identity_that_only_those_who_push_can_start_is_sound() {
    let narrowed = format!("{WRITE}\n    if: github.event_name == 'push'");
    for text in [
        job("push", WRITE, "      - run: echo\n"),
        job(
            "[push, pull_request_target]",
            &narrowed,
            "      - run: echo\n",
        ),
        job("workflow_run", WRITE, "      - run: echo\n"),
        job("pull_request_target", "env: {}", "      - run: echo\n"),
    ] {
        assert_eq!(
            found("identity-in-pull-request-target", &text),
            [],
            "{text}"
        );
    }
}

/// What is found where a job with this `if`, after `ci`, takes an artifact by
/// `step`.
fn after_ci(ci: &str, condition: &str, step: &str) -> Vec<Finding> {
    let extra = format!("{WRITE}\n    {condition}");
    let publish = job(
        "{workflow_run: {workflows: [ci], branches: [main]}}",
        &extra,
        step,
    );
    let setup = setup(&[("ci.yml", ci), ("publish.yml", &publish)]);
    for file in &setup.workflows {
        assert!(file.workflow.is_ok(), "{:?}", file.workflow);
    }
    found_in(&setup, "identity-in-pull-request-target")
}

const CI: &str = "name: ci\non: [push, pull_request]\njobs: {test: {steps: [{run: make}]}}\n";
const DOWNLOAD: &str = "      - uses: actions/download-artifact@v5
        with: {run-id: '${{ github.event.workflow_run.id }}'}
";

#[test]
fn an_artifact_of_a_strangers_pull_request_beside_an_identity_is_found() {
    let script = "      - run: gh run download \"$RUN\"
        env: {RUN: '${{ github.event.workflow_run.id }}'}
";
    for (condition, step) in [
        ("", DOWNLOAD),
        ("", script),
        (
            "if: github.event.workflow_run.conclusion == 'success'",
            DOWNLOAD,
        ),
        (
            "if: github.event.workflow_run.head_branch == 'main'",
            DOWNLOAD,
        ),
        (
            "if: github.event.workflow_run.event == 'pull_request'",
            DOWNLOAD,
        ),
        ("if: github.event.workflow_run.event != 'push'", DOWNLOAD),
    ] {
        let findings = after_ci(CI, condition, step);
        let (finding, _, _) = only(&findings);
        assert!(
            finding.message.contains("takes the artifact"),
            "{condition}"
        );
    }
}

#[test]
fn an_artifact_of_the_repositorys_own_runs_is_sound() {
    let own = "      - uses: actions/download-artifact@v5\n        with: {name: image}\n";
    let of_pushes = CI.replace("[push, pull_request]", "push");
    let other = CI.replace("name: ci", "name: tests");
    for (ci, condition, step) in [
        (CI, "", own),
        (&of_pushes, "", DOWNLOAD),
        (&other, "", DOWNLOAD),
        (
            CI,
            "if: github.event.workflow_run.event == 'push'",
            DOWNLOAD,
        ),
        (
            CI,
            "if: ${{ success() && github.event.workflow_run.event != 'pull_request' }}",
            DOWNLOAD,
        ),
        (
            CI,
            "if: github.event.workflow_run.head_repository.full_name == github.repository",
            DOWNLOAD,
        ),
        (
            CI,
            "if: github.event_name == 'push' || github.event.workflow_run.event == 'push'",
            DOWNLOAD,
        ),
    ] {
        assert_eq!(after_ci(ci, condition, step), [], "{condition} {step}");
    }
}
