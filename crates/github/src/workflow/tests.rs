//! What the workflow parser understands and refuses.

use proptest::prelude::*;

use super::*;

const PUBLISH: &str = "
name: publish
on:
  push:
    branches: [main]
permissions: {}
concurrency:
  group: publish
jobs:
  build:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@0000000000000000000000000000000000000000
      - run: cargo build
  publish:
    needs: build
    runs-on: ubuntu-24.04
    environment:
      name: production
      url: https://example.com
    permissions:
      id-token: write
    steps:
      - run: longshore publish
";

#[test]
fn only_the_job_with_id_token_write_has_an_identity() {
    let workflow = Workflow::parse(PUBLISH).unwrap();
    let jobs: Vec<_> = workflow.jobs_with_identity().map(|(id, _)| id).collect();
    assert_eq!(jobs, ["publish"]);
    assert_eq!(
        workflow.jobs["publish"].environment.as_deref(),
        Some(&"production".to_owned())
    );
    assert_eq!(workflow.jobs["build"].environment, None);
    assert_eq!(workflow.concurrency.unwrap().value.group, "publish");
}

#[test]
fn on_is_a_text_a_list_or_a_map() {
    for (on, push, branches) in [
        ("push", true, vec![]),
        ("[pull_request, push]", true, vec![]),
        ("{push: {branches: [main]}}", true, vec!["main"]),
        ("pull_request", false, vec![]),
    ] {
        let workflow = Workflow::parse(&format!("on: {on}\njobs: {{}}\n")).unwrap();
        let trigger = workflow.triggers.push();
        assert_eq!(trigger.is_some(), push, "{on}");
        let found = trigger.map(|push| push.branches.clone());
        assert_eq!(found.unwrap_or_default(), branches, "{on}");
    }
}

#[test]
fn a_job_without_permissions_inherits_those_of_the_workflow() {
    let yaml = "on: push\npermissions: write-all\njobs: {a: {steps: []}, b: {permissions: {}}}\n";
    let workflow = Workflow::parse(yaml).unwrap();
    let jobs: Vec<_> = workflow.jobs_with_identity().map(|(id, _)| id).collect();
    assert_eq!(jobs, ["a"]);
}

#[test]
fn mistakes_are_refused_with_the_place() {
    for (yaml, word) in [
        ("on: push\non: push\njobs: {}\n", "duplicate"),
        (
            "on: push\njobs: {a: {permissions: {id-token: yes}}}\n",
            "id-token",
        ),
        ("on: push\n", "jobs"),
        ("on: 7\njobs: {}\n", "on"),
        ("on: {push: {branches: {a: b}}}\njobs: {}\n", "push"),
    ] {
        let error = Workflow::parse(yaml).unwrap_err().to_string();
        assert!(error.to_lowercase().contains(word), "{yaml}: {error}");
    }
}

#[test]
fn everything_that_a_finding_points_at_has_its_place() {
    let yaml = "# ü
on: push
jobs:
  \u{e4}:
    permissions: {}
    if: \"\u{fc}\"
    steps:
      - uses: 'a/b@c' # d
        with:
          Role-To-Assume: x
      - run: |
          first
          second
";
    let workflow = Workflow::parse(yaml).unwrap();
    let job = &workflow.jobs["\u{e4}"];
    let uses = job.steps[0].uses.as_ref().unwrap();
    let run = job.steps[1].run.as_ref().unwrap();
    let places = [
        job.place,
        job.permissions.as_ref().unwrap().place,
        job.condition.as_ref().unwrap().place,
        job.steps[0].place,
        uses.place,
        job.steps[0].with["role-to-assume"].place,
        run.place,
    ];
    let lines_and_columns = places.map(|place| (place.line, place.column));
    assert_eq!(
        lines_and_columns,
        [(4, 3), (5, 5), (6, 9), (8, 9), (8, 15), (10, 27), (12, 11)]
    );
    assert_eq!(&yaml[uses.place.bytes()], "'a/b@c'");
    assert_eq!(&yaml[job.place.bytes()], "\u{e4}");
    assert_eq!(run.value, "first\nsecond\n");
}

#[test]
fn filters_of_every_event_are_read() {
    let yaml = "
on:
  push:
    branches-ignore: [wip/**]
    tags: v*
    paths: [src/**]
  pull_request_target:
    branches: [main]
    types: [opened]
  schedule:
    - cron: '0 4 * * *'
  workflow_call:
    inputs: {x: {type: string}}
  workflow_dispatch:
  workflow_run: {workflows: [ci]}
jobs: {}
";
    let triggers = Workflow::parse(yaml).unwrap().triggers;
    let events: Vec<_> = triggers.iter().map(|(event, _)| event).collect();
    assert_eq!(
        events,
        [
            "pull_request_target",
            "push",
            "schedule",
            "workflow_call",
            "workflow_dispatch",
            "workflow_run"
        ]
    );
    assert_eq!(triggers.get("workflow_run").unwrap().workflows, ["ci"]);
    let push = triggers.push().unwrap();
    assert_eq!(push.branches_ignore, ["wip/**"]);
    assert_eq!(push.tags, ["v*"]);
    assert_eq!(push.paths, ["src/**"]);
    assert_eq!(push.place.line, 3);
    let target = triggers.get("pull_request_target").unwrap();
    assert_eq!(
        (&target.branches[..], &target.types[..]),
        (&["main".to_owned()][..], &["opened".to_owned()][..])
    );
}

#[test]
fn a_job_says_when_it_runs_and_with_which_variables() {
    let yaml = "
on: push
env: {ACCOUNT: 012345678901, FLAG: true, LIST: [a]}
jobs:
  a:
    needs: [b, c]
    if: github.ref == 'refs/heads/main'
    environment: prod
    concurrency: {group: x, cancel-in-progress: true}
    strategy: {matrix: {os: [a, b]}}
    timeout-minutes: 5
    env: {A: 1.5}
  b:
    needs: c
    environment: ''
    uses: ./.github/workflows/x.yml
    with: {Name: v}
";
    let workflow = Workflow::parse(yaml).unwrap();
    assert_eq!(workflow.env["ACCOUNT"].value, "012345678901");
    assert_eq!(workflow.env["FLAG"].value, "true");
    assert!(!workflow.env.contains_key("LIST"));
    let (a, b) = (&workflow.jobs["a"], &workflow.jobs["b"]);
    assert_eq!(
        (&a.needs[..], &b.needs[..]),
        (&["b".to_owned(), "c".to_owned()][..], &["c".to_owned()][..])
    );
    assert_eq!(
        a.condition.as_ref().unwrap().value,
        "github.ref == 'refs/heads/main'"
    );
    assert_eq!(a.concurrency.as_ref().unwrap().group, "x");
    let entries = a.matrix.as_ref().unwrap().entries().unwrap();
    assert_eq!(entries, [[("os", "a")].into(), [("os", "b")].into()]);
    assert_eq!(b.matrix, None);
    assert_eq!(a.timeout_minutes.as_ref().unwrap().value, "5");
    assert_eq!(a.env["A"].value, "1.5");
    assert_eq!(b.environment, None);
    assert_eq!(b.uses.as_ref().unwrap().value, "./.github/workflows/x.yml");
    assert_eq!(b.with["name"].value, "v");
}

#[test]
fn a_step_is_called_by_its_name_or_by_what_it_does() {
    let yaml = "on: push\njobs: {a: {steps: [{name: Build, run: make}, {uses: a/b@c}, {run: TOKEN=x make all --with secret}, {}]}}\n";
    let workflow = Workflow::parse(yaml).unwrap();
    let titles: Vec<_> = workflow.jobs["a"].steps.iter().map(Step::title).collect();
    assert_eq!(
        titles,
        ["Build", "a/b@c", "make all", "a step without a name"]
    );
}

#[test]
fn an_alias_is_read_as_what_it_repeats() {
    let yaml = "on: push\njobs: {a: {permissions: &p {id-token: write}}, b: {permissions: *p}}\n";
    assert_eq!(
        Workflow::parse(yaml).unwrap().jobs_with_identity().count(),
        2
    );
}

#[test]
fn hostile_files_are_refused_in_one_sentence() {
    let bomb: Vec<_> = (1..9)
        .map(|level| {
            let repeats = vec![format!("*a{}", level - 1); 10].join(",");
            format!("a{level}: &a{level} [{repeats}]")
        })
        .collect();
    let bomb = format!("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{}", bomb.join("\n"));
    let long_text = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(500_000),
        "*a,".repeat(900)
    );
    let hostile = [
        bomb,
        long_text,
        "[".repeat(100_000),
        "- ".repeat(100_000),
        "a: &a [*a]\n".to_owned(),
        "#".repeat(1_100_000),
        "a: b\n---\nc: d\n".to_owned(),
        format!("a: [{}]\n", "*b,".repeat(200_000)),
        format!("a: [{}]\n", "1,".repeat(200_000)),
    ];
    for yaml in hostile {
        let error = Workflow::parse(&yaml).unwrap_err();
        assert!(error.message().len() < 200, "{error}");
        assert!(error.place().line >= 1, "{error}");
    }
}

#[test]
fn an_error_names_line_and_column() {
    let error = Workflow::parse("on: push\njobs:\n  a:\n    steps: 7\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the workflow is not valid, line 4, column 12: `steps` must be a list"
    );
    let error = Workflow::parse("on: push\non: push\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the workflow is not valid, line 2, column 1: duplicate key `on`"
    );
}

/// Workflows that this project runs.
const REAL: [&str; 2] = [
    include_str!("../../../../.github/workflows/ci.yml"),
    include_str!("../../../../.github/workflows/publish.yml"),
];

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "[a-z:{}\\[\\]&*\\- \n]{0,60}") {
        let _ = Workflow::parse(&text);
    }

    #[test]
    fn any_characters_are_parsed_or_refused_without_panic(text in "\\PC{0,80}") {
        let _ = Workflow::parse(&text);
    }

    #[test]
    fn a_damaged_workflow_is_parsed_or_refused_and_its_places_are_inside(
        which in 0..REAL.len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..40,
        put_in in "[a-z:{}\\[\\]&*!|>'\"\\- \n\t#%@\u{e4}]{0,10}",
    ) {
        let text = REAL[which];
        let start = text.floor_char_boundary(at.index(text.len()));
        let end = text.floor_char_boundary((start + length).min(text.len()));
        let damaged = format!("{}{put_in}{}", &text[..start], &text[end..]);
        match Workflow::parse(&damaged) {
            Ok(workflow) => {
                for job in workflow.jobs.values() {
                    prop_assert!(damaged.get(job.place.bytes()).is_some());
                    for step in &job.steps {
                        prop_assert!(step.place.line <= damaged.lines().count() + 1);
                        for text in [&step.uses, &step.run].into_iter().flatten() {
                            prop_assert!(damaged.get(text.place.bytes()).is_some());
                        }
                    }
                }
            }
            Err(error) => prop_assert!(error.place().line >= 1),
        }
    }
}
