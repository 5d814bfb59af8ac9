//! What becomes of zizmor's answer. `tests/zizmor/findings.json` is what zizmor
//! 1.32.0 printed for the two workflows beside it, with `--offline`.

use audit::{Setup, WorkflowFile, zizmor};
use proptest::prelude::*;
use receipts::{Finding, Severity};

const ANSWER: &str = include_str!("zizmor/findings.json");

fn setup() -> Setup {
    let file = |name: &str, text| WorkflowFile::new(format!(".github/workflows/{name}"), text);
    Setup {
        workflows: vec![
            file("ci.yml", include_str!("zizmor/ci.yml")),
            file("publish.yml", include_str!("zizmor/publish.yml")),
        ],
        ..Setup::default()
    }
}

/// Rule, severity, subject, line and column.
fn rows(findings: &[Finding]) -> Vec<(&str, Severity, &str, usize, usize)> {
    let row = |finding: &'_ Finding| {
        let place = finding.location.as_ref();
        place.map_or((0, 0), |place| (place.line, place.column))
    };
    findings
        .iter()
        .map(|finding| {
            let (line, column) = row(finding);
            let rule = finding.rule.as_str();
            (
                rule,
                finding.severity,
                finding.subject.as_str(),
                line,
                column,
            )
        })
        .collect()
}

#[test]
fn every_finding_keeps_its_rule_its_weight_and_its_place() {
    let found = zizmor::findings(ANSWER, &setup()).unwrap();
    let (unpinned, permissions) = ("zizmor/unpinned-uses", "zizmor/excessive-permissions");
    assert_eq!(
        rows(&found),
        [
            ("zizmor/artipacked", Severity::Warning, "ci.yml#test", 6, 9),
            (permissions, Severity::Warning, "ci.yml#test", 3, 3),
            (unpinned, Severity::Warning, "ci.yml#test", 6, 15),
            (
                "zizmor/artipacked",
                Severity::Warning,
                "publish.yml#build",
                13,
                9
            ),
            (permissions, Severity::Error, "publish.yml", 8, 3),
            (
                "zizmor/dangerous-triggers",
                Severity::Error,
                "publish.yml",
                3,
                3
            ),
            (
                "zizmor/template-injection",
                Severity::Error,
                "publish.yml#build",
                17,
                21
            ),
            (unpinned, Severity::Warning, "publish.yml#build", 13, 15),
            (unpinned, Severity::Warning, "publish.yml#publish", 23, 15),
            (unpinned, Severity::Warning, "publish.yml#publish", 26, 15),
        ]
    );
    assert_eq!(
        found[0].message,
        "Credential persistence through GitHub Actions artifacts: does not set persist-credentials: false."
    );
    assert_eq!(
        found[0].fix.as_ref().unwrap().summary,
        "Set persist-credentials: false."
    );
}

#[test]
fn what_our_own_rules_say_better_is_left_out() {
    let own = audit::check(&setup());
    let found = zizmor::findings(ANSWER, &setup()).unwrap();
    let left = zizmor::beyond(&own, found);
    assert_eq!(
        rows(&left),
        [
            ("zizmor/artipacked", Severity::Warning, "ci.yml#test", 6, 9),
            (
                "zizmor/unpinned-uses",
                Severity::Warning,
                "ci.yml#test",
                6,
                15
            ),
            (
                "zizmor/artipacked",
                Severity::Warning,
                "publish.yml#build",
                13,
                9
            ),
            (
                "zizmor/template-injection",
                Severity::Error,
                "publish.yml#build",
                17,
                21
            ),
        ]
    );
}

#[test]
fn nothing_is_left_out_where_our_own_rules_are_silent() {
    let found = zizmor::findings(ANSWER, &setup()).unwrap();
    assert_eq!(zizmor::beyond(&[], found.clone()), found);
}

#[test]
fn an_ignored_finding_is_none() {
    let ignored = ANSWER.replace("\"ignored\": false", "\"ignored\": true");
    let ignored = ignored.replace("\"ignored\":false", "\"ignored\":true");
    assert_eq!(zizmor::findings(&ignored, &setup()).unwrap(), []);
}

#[test]
fn a_column_counts_characters() {
    let answer = r#"[{"ident":"x","desc":"y","determinations":{"severity":"Low"},"locations":[
        {"symbolic":{"key":{"Local":{"verbatim_path":"./.github/workflows/a.yml"}},"kind":"Primary"},
         "concrete":{"location":{"start_point":{"row":0,"column":4}}}}]}]"#;
    let setup = Setup {
        workflows: vec![WorkflowFile::new(".github/workflows/a.yml", "#üü x")],
        ..Setup::default()
    };
    let found = zizmor::findings(answer, &setup).unwrap();
    assert_eq!(rows(&found), [("zizmor/x", Severity::Note, "a.yml", 1, 3)]);
}

#[test]
fn what_is_not_zizmors_answer_is_refused() {
    for answer in [
        "",
        "{}",
        "null",
        "[{}]",
        "[1]",
        "[{\"ident\":\"x\"}]",
        "fatal: no audit",
        &"[".repeat(10_000),
    ] {
        let error = zizmor::findings(answer, &setup()).unwrap_err().to_string();
        assert!(
            error.starts_with("what zizmor printed is not its JSON"),
            "{error}"
        );
    }
}

#[test]
fn a_finding_without_a_file_has_no_place() {
    let answer = r#"[{"ident":"x","desc":"y","determinations":{"severity":"High"},"locations":[
        {"symbolic":{"key":{"Remote":{}}},"concrete":{"location":{"start_point":{"row":18446744073709551615,"column":1}}}}]},
        {"ident":"z","desc":"","determinations":{"severity":"?"}}]"#;
    let found = zizmor::findings(answer, &setup()).unwrap();
    assert_eq!(
        (&found[0].location, found[0].severity),
        (&None, Severity::Error)
    );
    assert_eq!(
        (&found[1].location, found[1].severity),
        (&None, Severity::Note)
    );
}

proptest! {
    #[test]
    fn a_damaged_answer_is_read_or_refused_without_panic(
        at in any::<prop::sample::Index>(),
        length in 0_usize..30,
        put_in in "[0-9a-z\"{}\\[\\],:ü]{0,8}",
    ) {
        let start = ANSWER.floor_char_boundary(at.index(ANSWER.len()));
        let end = ANSWER.floor_char_boundary((start + length).min(ANSWER.len()));
        let damaged = format!("{}{put_in}{}", &ANSWER[..start], &ANSWER[end..]);
        let _ = zizmor::findings(&damaged, &setup());
    }
}
