//! Which jobs are found, which role they ask for, and what can start them.

use super::*;

const ARN: &str = "arn:aws:iam::123456789012:role/publisher";

fn setup(files: &[(&str, &str)]) -> Setup {
    Setup {
        publisher_role: Some(ARN.to_owned()),
        workflows: files
            .iter()
            .map(|(name, text)| WorkflowFile::new(format!(".github/workflows/{name}"), *text))
            .collect(),
        ..Setup::default()
    }
}

/// A workflow that starts `on` these events, with one job of these lines that
/// asks for [`ARN`].
fn workflow(on: &str, job: &str) -> String {
    format!(
        "on: {on}
permissions: {{id-token: write}}
jobs:
  publish:
    {job}
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          role-to-assume: {ARN}
"
    )
}

/// Event and refs of every run of the only identity job.
fn runs(on: &str, job: &str) -> Vec<(String, RefShape)> {
    let setup = setup(&[("publish.yml", &workflow(on, job))]);
    let jobs = identity_jobs(&setup);
    assert_eq!(jobs.len(), 1, "{on}");
    let runs = jobs[0].runs.clone().into_iter();
    runs.map(|run| (run.event, run.refs)).collect()
}

fn branches(patterns: &[&str]) -> RefShape {
    RefShape::Branches(patterns.iter().map(|&pattern| pattern.to_owned()).collect())
}

fn tags(patterns: &[&str]) -> RefShape {
    RefShape::Tags(patterns.iter().map(|&pattern| pattern.to_owned()).collect())
}

#[test]
fn each_trigger_has_its_refs() {
    for (on, expected) in [
        ("push", vec![branches(&[]), tags(&[])]),
        (
            "{push: {branches: [main, '!x']}}",
            vec![branches(&["main", "!x"])],
        ),
        (
            "{push: {branches-ignore: [wip]}}",
            vec![branches(&["**", "!wip"])],
        ),
        ("{push: {tags: ['v*']}}", vec![tags(&["v*"])]),
        ("{push: {paths: [src]}}", vec![branches(&[]), tags(&[])]),
        (
            "{push: {branches: [a], tags: [b]}}",
            vec![branches(&["a"]), tags(&["b"])],
        ),
        ("{push: {branches: ['!a']}}", vec![]),
        ("pull_request", vec![RefShape::PullRequest]),
        (
            "{pull_request_target: {branches: [dev]}}",
            vec![RefShape::DefaultBranch],
        ),
        ("{schedule: [{cron: x}]}", vec![RefShape::DefaultBranch]),
        (
            "{workflow_run: {workflows: [ci]}}",
            vec![RefShape::DefaultBranch],
        ),
        ("release", vec![tags(&[])]),
        ("workflow_dispatch", vec![RefShape::Any]),
        ("workflow_call", vec![RefShape::Any]),
        ("deployment", vec![RefShape::Any]),
    ] {
        let refs: Vec<_> = runs(on, "runs-on: x")
            .into_iter()
            .map(|(_, refs)| refs)
            .collect();
        assert_eq!(refs, expected, "{on}");
    }
}

#[test]
fn the_condition_of_the_job_narrows_its_runs() {
    let found = runs(
        "[push, pull_request]",
        "if: github.ref == 'refs/heads/main'",
    );
    assert_eq!(found, [("push".to_owned(), branches(&["main"]))]);
}

#[test]
fn a_called_workflow_runs_as_its_callers_do() {
    let called = workflow("workflow_call", "runs-on: x");
    let middle = "on: workflow_call\njobs: {a: {uses: ./.github/workflows/publish.yml}}\n";
    let outer = "on: {push: {branches: [main]}}\njobs:\n  a:\n    uses: ./.github/workflows/middle.yml\n  b:\n    uses: ./.github/workflows/middle.yml\n";
    let cycle = "on: workflow_call\njobs: {a: {uses: ./.github/workflows/middle.yml}, b: {uses: ./.github/workflows/cycle.yml}}\n";
    let setup = setup(&[
        ("publish.yml", &called),
        ("middle.yml", middle),
        ("outer.yml", outer),
        ("cycle.yml", cycle),
    ]);
    let jobs = identity_jobs(&setup);
    let found: Vec<_> = jobs[0]
        .runs
        .iter()
        .map(|run| (&run.event[..], &run.refs))
        .collect();
    assert_eq!(found, [("push", &branches(&["main"]))]);
}

#[test]
fn a_called_workflow_without_permissions_has_those_of_its_caller() {
    let called = "on: workflow_call\njobs: {a: {steps: [{run: longshore publish}]}}\n";
    let caller = |permissions: &str| {
        format!(
            "on: push\njobs: {{a: {{uses: ./.github/workflows/called.yml, permissions: {{{permissions}}}}}}}\n"
        )
    };
    for (permissions, count) in [("id-token: write", 1), ("contents: read", 0)] {
        let setup = setup(&[("called.yml", called), ("caller.yml", &caller(permissions))]);
        assert_eq!(identity_jobs(&setup).len(), count, "{permissions}");
    }
}

/// Role, audience and session of the only job, whose only step is `step`.
fn asked(step: &str) -> Vec<(RoleUse, Option<String>, Option<u32>)> {
    let text = format!(
        "on: push
permissions: write-all
env: {{ACCOUNT: '123456789012', DYNAMIC: '${{{{ vars.X }}}}'}}
jobs:
  a:
    env: {{ROLE: publisher}}
    steps:
      - {step}
"
    );
    let setup = setup(&[("a.yml", &text)]);
    assert!(setup.workflows[0].workflow.is_ok(), "{text}");
    let jobs = identity_jobs(&setup).into_iter();
    jobs.map(|job| (job.role, job.audience, job.session_seconds))
        .collect()
}

#[test]
fn the_role_is_resolved_as_far_as_the_file_tells() {
    let configure = |with: &str| {
        asked(&format!(
            "{{uses: aws-actions/configure-aws-credentials@v6, with: {{{with}}}}}"
        ))
    };
    let aws = || Some("sts.amazonaws.com".to_owned());
    let arn = || RoleUse::Arn(ARN.to_owned());
    assert_eq!(
        configure(&format!(
            "role-to-assume: '{ARN}', role-duration-seconds: 900"
        )),
        [(arn(), aws(), Some(900))]
    );
    assert_eq!(
        configure(
            "Role-To-Assume: 'arn:aws:iam::${{ env.ACCOUNT }}:role/${{env.ROLE}}', audience: other"
        ),
        [(arn(), Some("other".to_owned()), None)]
    );
    for unknown in [
        "${{ vars.ROLE }}",
        "${{ env.DYNAMIC }}",
        "${{ env.MISSING }}",
        "publisher",
        "${{ broken",
    ] {
        assert_eq!(
            configure(&format!(
                "role-to-assume: '{unknown}', audience: '${{{{ vars.A }}}}'"
            )),
            [(RoleUse::Unknown(unknown.to_owned()), None, None)]
        );
    }
    assert_eq!(configure("aws-region: x"), []);
    assert_eq!(
        configure(&format!("role-to-assume: '{ARN}', aws-access-key-id: x")),
        []
    );
    assert_eq!(
        configure(&format!("role-to-assume: '{ARN}', role-chaining: true")),
        []
    );
}

#[test]
fn commands_that_ask_for_a_role_are_recognised() {
    let aws = || Some("sts.amazonaws.com".to_owned());
    let arn = || RoleUse::Arn(ARN.to_owned());
    assert_eq!(asked("run: longshore publish"), [(arn(), aws(), None)]);
    assert_eq!(asked("run: longshore publish --dry-run"), []);
    assert_eq!(asked("run: longshore check"), []);
    assert_eq!(
        asked(&format!(
            "run: aws sts assume-role-with-web-identity --role-arn {ARN} --duration-seconds 3600"
        )),
        [(arn(), None, Some(3600))]
    );
    assert_eq!(
        asked(&format!(
            "{{env: {{R: '{ARN}'}}, run: 'aws sts assume-role-with-web-identity --role-arn=\"$R\"'}}"
        )),
        [(arn(), None, None)]
    );
    assert_eq!(
        asked("run: aws sts assume-role-with-web-identity --role-arn \"$(cat role)\""),
        [(RoleUse::Unknown("$(cat role)".to_owned()), None, None)]
    );
}

#[test]
fn a_job_without_identity_or_without_a_role_is_none() {
    let without = workflow("push", "permissions: {}");
    assert_eq!(identity_jobs(&setup(&[("a.yml", &without)])).len(), 0);
    let idle = "on: push\npermissions: write-all\njobs: {a: {steps: [{run: make}]}}\n";
    assert_eq!(identity_jobs(&setup(&[("a.yml", idle)])).len(), 0);
}

#[test]
fn a_job_knows_its_place_and_its_environment() {
    let text = workflow("workflow_dispatch", "environment: production");
    let setup = setup(&[("publish.yml", &text)]);
    let job = &identity_jobs(&setup)[0];
    assert_eq!(job.subject, "publish.yml#publish");
    assert_eq!((job.location.line, job.location.column), (4, 3));
    assert_eq!(
        job.runs[0].environment,
        Some(EnvironmentUse::Named("production".to_owned()))
    );
}

#[test]
fn steps_that_ask_for_the_same_are_one_job() {
    let text = "on: push\npermissions: write-all\njobs: {a: {steps: [{run: longshore publish}, {run: longshore images}]}}\n";
    assert_eq!(identity_jobs(&setup(&[("a.yml", text)])).len(), 1);
}

/// Each job's role with the environments of its runs.
fn by_role(strategy: &str, environment: &str, role: &str) -> Vec<(RoleUse, EnvironmentUse)> {
    let text = format!(
        "on: workflow_dispatch
permissions: write-all
env: {{ROLE: '{role}'}}
jobs:
  a:
    strategy: {{matrix: {strategy}}}
    environment: {{name: '{environment}'}}
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with: {{role-to-assume: '${{{{ env.ROLE }}}}'}}
"
    );
    let setup = setup(&[("a.yml", &text)]);
    let mut found = Vec::new();
    for job in identity_jobs(&setup) {
        let environments = job.runs.iter().filter_map(|run| run.environment.clone());
        found.extend(environments.map(|environment| (job.role.clone(), environment)));
    }
    found
}

#[test]
fn a_matrix_that_is_written_out_gives_each_run_its_environment_and_its_role() {
    let named = |name: &str| EnvironmentUse::Named(name.to_owned());
    let role = |name: &str| RoleUse::Arn(format!("arn:aws:iam::123456789012:role/{name}"));
    assert_eq!(
        by_role("{target: [staging, live]}", "to-${{ matrix.target }}", ARN),
        [
            (role("publisher"), named("to-live")),
            (role("publisher"), named("to-staging"))
        ]
    );
    assert_eq!(
        by_role(
            "{include: [{to: {name: staging, role: a}}, {to: {name: live, role: b}}]}",
            "${{ matrix.to.name }}",
            "arn:aws:iam::123456789012:role/${{matrix.to.role}}"
        ),
        [(role("a"), named("staging")), (role("b"), named("live"))]
    );
}

#[test]
fn a_matrix_that_an_expression_makes_leaves_its_values_unknown() {
    let made = "'${{ fromJSON(vars.TARGETS) }}'";
    let expression = "${{ matrix.target }}";
    assert_eq!(
        by_role(made, expression, ARN),
        [(
            RoleUse::Arn(ARN.to_owned()),
            EnvironmentUse::Unknown(expression.to_owned())
        )]
    );
}
