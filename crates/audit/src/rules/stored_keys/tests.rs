//! Which keys are found, and that none is repeated.

use proptest::prelude::*;

use super::scan::{Kind, keys};
use super::*;
use crate::TextFile;

// Put together here, so that no scanner takes this file for a leak.
fn id() -> String {
    ["AKIA", "Z7QX2MNB", "4KLP3RTD"].concat()
}

fn secret() -> String {
    ["q9Xv/3LmT0rBz+7Kp2Wn", "Ec5YhJ8uAo4Ds1GfRi6M"].concat()
}

fn in_file(path: &str, text: &str) -> Vec<receipts::Finding> {
    let setup = Setup {
        texts: vec![TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }],
        ..Setup::default()
    };
    let mut findings = Findings::default();
    check(&setup, &mut findings);
    findings.sorted()
}

fn in_workflow(text: &str) -> Vec<receipts::Finding> {
    let setup = Setup {
        workflows: vec![WorkflowFile::new(".github/workflows/a.yml", text)],
        ..Setup::default()
    };
    let mut findings = Findings::default();
    check(&setup, &mut findings);
    findings.sorted()
}

#[test]
fn the_id_of_a_key_is_found_and_not_repeated() {
    let found = in_file(".env", &format!("A=1\nüx AWS_ACCESS_KEY_ID={}\n", id()));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].rule, "stored-aws-key");
    let place = found[0].location.as_ref().unwrap();
    assert_eq!((place.line, place.column), (2, 22));
    assert!(
        found[0].message.contains("`AKIA..TD`"),
        "{}",
        found[0].message
    );
    assert!(!found[0].message.contains(&id()[4..18]));
}

#[test]
fn a_secret_beside_its_name_is_found_and_not_repeated() {
    for line in [
        format!("aws_secret_access_key = {}", secret()),
        format!("  secretAccessKey: '{}',", secret()),
        format!("export AWS_SECRET_ACCESS_KEY=\"{}\"", secret()),
    ] {
        let found = in_file("config", &line);
        assert_eq!(found.len(), 1, "{line}");
        assert!(!found[0].message.contains(&secret()[..6]));
    }
}

#[test]
fn what_only_looks_like_a_key_is_left_alone() {
    for text in [
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        &format!("X{}", id()),
        &format!("{}X", id()),
        &id().to_lowercase(),
        &id().replace("AKIA", "ASIA"),
        &format!("sha = {}", secret()),
        "aws_secret_access_key = 0123456789012345678901234567890123456789",
        "secret_key: 3f786850e387550fdab836ed7e6dc881de23001b",
        &format!("aws_secret_access_key = {}x", secret()),
    ] {
        assert_eq!(keys(text), [], "{text}");
    }
}

#[test]
fn a_workflow_that_takes_a_key_from_secrets_is_found_once_for_each_step() {
    let found = in_workflow(
        "on: push
env: {AWS_SECRET_ACCESS_KEY: '${{ secrets.KEY }}'}
jobs:
  a:
    steps:
      - uses: aws-actions/configure-aws-credentials@v6
        with:
          aws-access-key-id: ${{ secrets.ID }}
          aws-secret-access-key: ${{ secrets.KEY }}
      - uses: docker/login-action@v4
        with: {username: '${{ secrets.aws_access_key_id }}', password: '${{ secrets.P }}'}
",
    );
    let places: Vec<_> = found
        .iter()
        .map(|found| found.location.as_ref().unwrap().line)
        .collect();
    assert_eq!(places, [2, 8, 11]);
    assert_eq!(found[1].subject, "a.yml#a");
}

#[test]
fn keys_of_a_session_and_of_a_test_are_left_alone() {
    let found = in_workflow(
        "on: push
env: {AWS_ACCESS_KEY_ID: test, AWS_SECRET_ACCESS_KEY: test}
jobs:
  a:
    steps:
      - env:
          AWS_ACCESS_KEY_ID: ${{ steps.login.outputs.aws-access-key-id }}
      - env:
          AWS_ACCESS_KEY_ID: ${{ secrets.ID }}
          AWS_SESSION_TOKEN: ${{ secrets.TOKEN }}
      - env:
          TOKEN: ${{ secrets.NPM }}
",
    );
    assert_eq!(found, []);
}

#[test]
fn a_key_in_a_workflow_is_found_once_although_the_file_is_among_the_texts() {
    let text = format!(
        "on: push\nenv: {{AWS_ACCESS_KEY_ID: {}}}\njobs: {{}}\n",
        id()
    );
    let path = ".github/workflows/a.yml";
    let setup = Setup {
        workflows: vec![WorkflowFile::new(path, text.clone())],
        texts: vec![TextFile {
            path: path.to_owned(),
            text,
        }],
        ..Setup::default()
    };
    let mut findings = Findings::default();
    check(&setup, &mut findings);
    assert_eq!(findings.sorted().len(), 1);
}

#[test]
fn a_long_line_without_a_break_is_read_in_one_pass() {
    let text = format!("secretkey {}", format!("{} ", secret()).repeat(50_000));
    assert!(!keys(&text).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_scanned_without_panic(text in "\\PC{0,120}") {
        let _ = keys(&text);
    }

    #[test]
    fn an_id_is_found_wherever_it_stands(before in "[ \\n\u{e4}='\"]{0,9}", after in "[ \\n,;\"']{0,9}") {
        let text = format!("{before}{}{after}", id());
        let found = keys(&text);
        prop_assert_eq!(found.len(), 1);
        let is_id = matches!(found[0].kind, Kind::Id { .. });
        prop_assert!(is_id);
    }
}

#[test]
fn a_key_that_terraform_makes_is_found_where_it_is_declared() {
    let root = super::super::testing::root(
        "resource \"aws_iam_user\" \"ci\" {\n  name = \"ci\"\n}\n\nresource \"aws_iam_access_key\" \"ci\" {\n  user = aws_iam_user.ci.name\n}\n",
    );
    let setup = Setup {
        roots: vec![root],
        ..Setup::default()
    };
    let found = super::super::testing::found(check, &setup);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].subject, "aws_iam_access_key.ci");
    assert_eq!(found[0].location.as_ref().unwrap().line, 5);
}
