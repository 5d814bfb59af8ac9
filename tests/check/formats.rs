//! What machines read.

use serde_json::Value;

use super::{Flawed, assert_seen, rules, seen};
use crate::harness::{assert_valid, json_of, longshore, repository};

/// As often as there are bytes in a MiB, more than is looked at for keys.
const TOO_BIG: &str = "x\n";

#[test]
fn json_is_one_document_by_its_schema() {
    let flawed = Flawed::new();
    flawed.write("infra/other/big.txt", TOO_BIG.repeat(1 << 20));
    let output = flawed
        .check(&["--format", "json", "--prove"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(9));
    assert!(
        output.stderr.is_empty(),
        "{:?}",
        String::from_utf8(output.stderr)
    );
    let report = json_of_stdout(&output.stdout);
    assert_valid("docs/schemas/check-report.json", &report);
    assert_eq!(report["passed"], false);
    assert!(!report["skipped"].as_array().unwrap().is_empty());
}

fn json_of_stdout(stdout: &[u8]) -> Value {
    serde_json::from_slice(stdout).unwrap()
}

#[test]
fn sarif_is_valid_and_whole() {
    let flawed = Flawed::configured(
        "[[check.suppress]]\nrule = \"identity-beside-code\"\nreason = \"the code is our own\"\nexpires = 9999-12-31\n",
    );
    flawed.write("infra/other place/big.txt", TOO_BIG.repeat(1 << 20));
    let output = flawed.check(&["--format", "sarif"]).output().unwrap();
    assert_eq!(output.status.code(), Some(9));
    let log = json_of(&output);
    assert_valid("fixtures/schemas/sarif-2.1.0.json", &log);

    let run = &log["runs"][0];
    let json = flawed.check(&["--format", "json"]).output().unwrap();
    let results = run["results"].as_array().unwrap();
    let kept: Vec<_> = results
        .iter()
        .filter(|result| result["suppressions"].is_null())
        .map(|result| result["ruleId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kept, rules(&json));
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        let rule = &run["tool"]["driver"]["rules"][index];
        assert_eq!(rule["id"], result["ruleId"]);
        let page = rule["helpUri"].as_str().unwrap();
        let file = page.rsplit_once("/blob/HEAD/").unwrap().1;
        assert!(repository().join(file).is_file(), "{page}");
    }
    let suppressed = results
        .iter()
        .find(|result| result["ruleId"] == "identity-beside-code");
    let why = &suppressed.unwrap()["suppressions"][0]["justification"];
    assert_eq!(why, "the code is our own (until 9999-12-31)");
    let notifications = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(
        notifications.contains("infra/other place"),
        "{notifications}"
    );
}

#[test]
fn fingerprints_stay_when_lines_move_and_are_all_different() {
    let flawed = Flawed::new();
    let prints = || {
        let output = flawed.check(&["--format", "sarif"]).output().unwrap();
        let log = json_of(&output);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let print = |result: &Value| result["partialFingerprints"].to_string();
        results.iter().map(print).collect::<Vec<_>>()
    };
    let before = prints();
    let shifted = format!("# A comment.\n\n{}", super::TERRAFORM);
    flawed.write("infra/main.tf", shifted);
    flawed.write(
        ".github/workflows/publish.yml",
        format!("# One more.\n{}", super::WORKFLOW),
    );
    let after = prints();
    assert_eq!(before, after);
    let different: std::collections::BTreeSet<_> = before.iter().collect();
    assert_eq!(different.len(), before.len());
}

#[test]
fn only_check_writes_sarif() {
    let flawed = Flawed::new();
    let mut command = longshore(flawed.path());
    assert_seen(
        "check_sarif_elsewhere",
        &seen(command.args(["build", "--format", "sarif"])),
    );
}

#[test]
fn a_problem_leaves_stdout_empty_where_sarif_is_asked_for() {
    let flawed = Flawed::configured("[check]\nexlude = []\n");
    let output = flawed.check(&["--format", "sarif"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("E002"));
}
