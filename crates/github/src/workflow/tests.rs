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
        Some("production")
    );
    assert_eq!(workflow.jobs["build"].environment, None);
    assert_eq!(workflow.concurrency.unwrap().group, "publish");
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
        assert_eq!(trigger.unwrap_or_default().branches, branches, "{on}");
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
        ("on: {push: {branches: 3}}\njobs: {}\n", "push"),
    ] {
        let error = Workflow::parse(yaml).unwrap_err().to_string();
        assert!(error.to_lowercase().contains(word), "{yaml}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in "[a-z:{}\\[\\]&*\\- \n]{0,60}") {
        let _ = Workflow::parse(&text);
    }
}
