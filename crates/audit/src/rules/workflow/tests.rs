//! Each rule beside a workflow that it finds something in and one that is sound.

use proptest::prelude::*;
use receipts::Finding;

use super::*;
use crate::TerraformRoot;

mod strangers;

const ARN: &str = "arn:aws:iam::123456789012:role/publisher";
const PIN: &str = "08c6903cd8c0fde910a37f88322edcfb5dd907a8";

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

fn found_in(setup: &Setup, rule: &str) -> Vec<Finding> {
    let mut findings = Findings::default();
    check(setup, &mut findings);
    let mut findings = findings.sorted();
    findings.retain(|finding| finding.rule == rule);
    findings
}

/// What `rule` finds in `publish.yml`.
fn found(rule: &str, text: &str) -> Vec<Finding> {
    let setup = setup(&[("publish.yml", text)]);
    if rule != "workflow-unreadable" {
        assert!(
            setup.workflows[0].workflow.is_ok(),
            "{:?}",
            setup.workflows[0].workflow
        );
    }
    found_in(&setup, rule)
}

/// The only finding, with its line and column.
fn only(findings: &[Finding]) -> (&Finding, usize, usize) {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let place = findings[0].location.as_ref().unwrap();
    (&findings[0], place.line, place.column)
}

/// The lines that the fix adds and takes away.
fn changes(finding: &Finding) -> Vec<String> {
    let diff = finding.fix.as_ref().unwrap().diff.as_ref().unwrap();
    diff.lines()
        .skip(3)
        .filter(|line| line.starts_with(['+', '-']))
        .map(str::to_owned)
        .collect()
}

/// A job `publish` with these lines and steps, started `on`.
fn job(on: &str, lines: &str, steps: &str) -> String {
    format!("on: {on}\npermissions: {{}}\njobs:\n  publish:\n    {lines}\n    steps:\n{steps}")
}

const WRITE: &str = "permissions: {id-token: write}";

#[test]
fn a_file_that_cannot_be_read_is_found_with_its_place() {
    let found = found("workflow-unreadable", "on: push\njobs:\n  a: [\n");
    let (finding, line, _) = only(&found);
    assert_eq!((line, finding.subject.as_str()), (3, "publish.yml"));
}

#[test]
fn a_workflow_without_permissions_is_found() {
    let text = "on: push\njobs:\n  a: {}\n  b: {}\n";
    let findings = found("workflow-without-permissions", text);
    let (finding, line, column) = only(&findings);
    assert_eq!((line, column), (2, 1));
    assert!(
        finding.message.contains("jobs `a` and `b` say"),
        "{}",
        finding.message
    );
    assert_eq!(
        changes(finding),
        ["+permissions:", "+  contents: read", "+"]
    );
}

#[test]
fn permissions_of_the_workflow_or_of_every_job_are_enough() {
    for text in [
        "on: push\npermissions: {}\njobs: {a: {}}\n",
        "on: push\njobs: {a: {permissions: {}}}\n",
        "on: workflow_call\njobs: {a: {}}\n",
    ] {
        assert_eq!(found("workflow-without-permissions", text), [], "{text}");
    }
}

#[test]
fn an_identity_for_all_jobs_is_found() {
    let text = "on: push
permissions: {id-token: write}
jobs:
  a: {steps: [{run: make}]}
  b: {steps: [{run: longshore publish}]}
";
    let findings = found("identity-for-all-jobs", text);
    let (finding, line, column) = only(&findings);
    assert_eq!((line, column), (2, 1));
    assert_eq!(
        finding.message,
        "`permissions` of `publish.yml` give `id-token: write` to its jobs `a` and `b`, so every step of each can ask for the identity. Job `a` makes no use of it."
    );
}

#[test]
fn an_identity_of_one_job_is_not_one_of_all() {
    for text in [
        "on: push\npermissions: {id-token: write}\njobs: {a: {}}\n",
        "on: push\npermissions: {id-token: write}\njobs: {a: {}, b: {permissions: {}}}\n",
        "on: push\npermissions: {contents: read}\njobs: {a: {}, b: {}}\n",
    ] {
        assert_eq!(found("identity-for-all-jobs", text), [], "{text}");
    }
}

/// A step that assumes [`ARN`].
fn assume(more: &str) -> String {
    format!(
        "      - uses: aws-actions/configure-aws-credentials@{PIN}\n        with:\n          role-to-assume: {ARN}\n{more}"
    )
}

#[test]
fn a_job_that_assumes_a_role_without_identity_is_found() {
    let text = job("push", "permissions:\n      contents: read", &assume(""));
    let findings = found("identity-missing", &text);
    let (finding, line, column) = only(&findings);
    assert_eq!((line, column), (4, 3));
    assert!(finding.message.contains(ARN), "{}", finding.message);
    assert_eq!(changes(finding), ["+      id-token: write"]);

    let text = format!("on: push\njobs:\n  publish:\n    steps:\n{}", assume(""));
    let findings = found("identity-missing", &text);
    assert_eq!(
        changes(only(&findings).0),
        [
            "+    permissions:",
            "+      contents: read",
            "+      id-token: write"
        ]
    );
}

#[test]
fn a_job_with_identity_or_without_a_role_misses_none() {
    let keys = "      - uses: aws-actions/configure-aws-credentials@v6\n        with: {role-to-assume: x, aws-access-key-id: y}\n";
    for text in [
        job("push", WRITE, &assume("")),
        job("push", "env: {}", "      - run: make\n"),
        job("push", "env: {}", keys),
        format!(
            "on: workflow_call\njobs:\n  publish:\n    steps:\n{}",
            assume("")
        ),
    ] {
        assert_eq!(found("identity-missing", &text), [], "{text}");
    }
}

#[test]
fn a_caller_that_cannot_give_what_the_called_workflow_wants_is_found() {
    let called = job("workflow_call", WRITE, &assume(""));
    let caller = |permissions: &str| {
        format!(
            "on: push\njobs: {{a: {{uses: ./.github/workflows/called.yml, permissions: {permissions}}}}}\n"
        )
    };
    for (permissions, count) in [("{contents: read}", 1), ("{id-token: write}", 0)] {
        let setup = setup(&[
            ("called.yml", &called),
            ("caller.yml", &caller(permissions)),
        ]);
        let found = found_in(&setup, "identity-missing");
        assert_eq!(found.len(), count, "{found:#?}");
    }
}

fn checkout() -> String {
    format!("      - uses: actions/checkout@{PIN}\n")
}

#[test]
fn code_of_the_repository_beside_an_identity_is_found_once_with_its_step() {
    let steps = format!(
        "{}      - name: Build\n        run: |\n          echo start\n          make all\n      - run: make test\n",
        checkout()
    );
    let findings = found("identity-beside-code", &job("push", WRITE, &steps));
    let (finding, line, _) = only(&findings);
    assert_eq!(line, 10);
    assert!(
        finding.message.contains("step `Build` runs `make all`"),
        "{}",
        finding.message
    );
    assert!(
        finding.message.contains("one more step"),
        "{}",
        finding.message
    );

    let local = "      - uses: ./tools/deploy\n";
    assert_eq!(
        found("identity-beside-code", &job("push", WRITE, local)).len(),
        1
    );
}

#[test]
fn publishing_alone_beside_an_identity_is_sound() {
    let steps = format!(
        "{}      - run: |\n          echo start\n          longshore publish\n",
        checkout()
    );
    for text in [
        job("push", WRITE, &steps),
        job(
            "push",
            "env: {}",
            &format!("{}      - run: make\n", checkout()),
        ),
        job("push", WRITE, "      - run: make\n"),
        include_str!("../../../../../.github/workflows/publish.yml").to_owned(),
    ] {
        assert_eq!(found("identity-beside-code", &text), [], "{text}");
    }
}

#[test]
fn every_unpinned_action_beside_an_identity_is_found() {
    let steps = "      - uses: actions/checkout@v5\n      - uses: docker://alpine:3\n      - uses: broken\n";
    let found = found("identity-with-unpinned-action", &job("push", WRITE, steps));
    let lines: Vec<_> = found
        .iter()
        .map(|found| found.location.as_ref().unwrap().line)
        .collect();
    assert_eq!(lines, [7, 8, 9]);
    assert!(
        found[0]
            .fix
            .as_ref()
            .unwrap()
            .summary
            .contains("`actions/checkout@COMMIT # v5`")
    );
    let called = "on: push\njobs: {a: {permissions: write-all, uses: acme/ci/.github/workflows/x.yml@main}}\n";
    assert_eq!(
        super::tests::found("identity-with-unpinned-action", called).len(),
        1
    );
}

#[test]
fn pinned_and_local_actions_are_sound() {
    let digest = "0".repeat(64);
    let steps = format!(
        "{}      - uses: ./local\n      - uses: docker://alpine@sha256:{digest}\n",
        checkout()
    );
    assert_eq!(
        found("identity-with-unpinned-action", &job("push", WRITE, &steps)),
        []
    );
    let steps = "      - uses: actions/checkout@v5\n";
    assert_eq!(
        found(
            "identity-with-unpinned-action",
            &job("push", "env: {}", steps)
        ),
        []
    );
}

#[test]
fn a_publish_without_concurrency_is_found() {
    for step in [
        "      - run: longshore publish\n",
        "      - run: docker push x\n",
        "      - uses: docker/build-push-action@v6\n        with: {push: true}\n",
    ] {
        let findings = found("publish-without-concurrency", &job("push", WRITE, step));
        let (finding, line, _) = only(&findings);
        assert_eq!(line, 4);
        assert_eq!(
            changes(finding),
            [
                "+concurrency:",
                "+  group: publish",
                "+  cancel-in-progress: false",
                "+"
            ]
        );
    }
}

#[test]
fn a_publish_with_concurrency_anywhere_is_sound() {
    let step = "      - run: longshore publish\n";
    for text in [
        job("push", "concurrency: x", step),
        format!("concurrency: x\n{}", job("push", WRITE, step)),
        job("workflow_dispatch", WRITE, step),
        job("push", WRITE, "      - run: longshore publish --dry-run\n"),
        job(
            "push",
            WRITE,
            "      - uses: docker/build-push-action@v6\n        with: {push: false}\n",
        ),
    ] {
        assert_eq!(found("publish-without-concurrency", &text), [], "{text}");
    }
    let called = job("workflow_call", WRITE, step);
    let caller = "on: push\nconcurrency: x\njobs: {a: {uses: ./.github/workflows/called.yml}}\n";
    let setup = setup(&[("called.yml", &called), ("caller.yml", caller)]);
    assert_eq!(found_in(&setup, "publish-without-concurrency"), []);
}

/// With a role in Terraform that gives sessions of at most an hour.
fn with_role(text: &str) -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let role = r#"
resource "aws_iam_role" "publisher" {
  name                 = "publisher"
  max_session_duration = 3600
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = [] })
}
"#;
    fs_err::write(folder.path().join("main.tf"), role).unwrap();
    let given = terraform::Given {
        account: "123456789012".to_owned(),
        region: Some("eu-central-1".to_owned()),
        variables: BTreeMap::new(),
    };
    let root = terraform::read(folder.path(), &given).unwrap();
    Setup {
        roots: vec![TerraformRoot::new("infra", root)],
        ..setup(&[("publish.yml", text)])
    }
}

#[test]
fn a_session_that_is_longer_than_the_roles_is_found() {
    let text = job(
        "push",
        WRITE,
        &assume("          role-duration-seconds: 7200\n"),
    );
    let findings = found_in(&with_role(&text), "session-longer-than-role");
    let (finding, line, column) = only(&findings);
    assert_eq!((line, column), (10, 34));
    assert_eq!(
        changes(finding),
        [
            "-          role-duration-seconds: 7200",
            "+          role-duration-seconds: 3600"
        ]
    );
}

#[test]
fn a_session_that_the_role_gives_is_sound() {
    for more in [
        "",
        "          role-duration-seconds: 3600\n",
        "          role-duration-seconds: ${{ vars.X }}\n",
    ] {
        let text = job("push", WRITE, &assume(more));
        assert_eq!(found_in(&with_role(&text), "session-longer-than-role"), []);
    }
}

#[test]
fn this_projects_own_workflows_are_sound() {
    let setup = setup(&[
        (
            "publish.yml",
            include_str!("../../../../../.github/workflows/publish.yml"),
        ),
        (
            "ci.yml",
            include_str!("../../../../../.github/workflows/ci.yml"),
        ),
    ]);
    let mut findings = Findings::default();
    check(&setup, &mut findings);
    assert_eq!(findings.sorted(), []);
}

/// A workflow in which most rules find something.
const FLAWED: &str = "on: [push, pull_request_target]
permissions: {id-token: write}
jobs:
  build:
    steps:
      - uses: actions/checkout@v5
        with: {ref: '${{ github.head_ref }}'}
      - run: |
          A=\"$(make)\"; longshore publish
  call:
    permissions:
      contents: read
    if: github.ref == 'refs/heads/main' && startsWith(github.ref, 'refs/tags/')
    uses: ./.github/workflows/publish.yml
";

proptest! {
    #[test]
    fn a_damaged_workflow_is_checked_without_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..30,
        put_in in "[a-z:{}\\[\\]&*!|>'\"\\- \n$()@=\u{e4}]{0,10}",
    ) {
        let start = at.index(FLAWED.len());
        let end = (start + length).min(FLAWED.len());
        let damaged = format!("{}{put_in}{}", &FLAWED[..start], &FLAWED[end..]);
        let setup = setup(&[("publish.yml", &damaged)]);
        let mut findings = Findings::default();
        check(&setup, &mut findings);
        for finding in findings.sorted() {
            let place = finding.location.unwrap();
            prop_assert!(place.line <= damaged.lines().count() + 1, "{}", finding.message);
        }
    }
}
