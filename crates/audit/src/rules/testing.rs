//! Setups for the tests of rules, from Terraform text.

use receipts::Finding;
use terraform::Given;

use crate::findings::Findings;
use crate::{OwnRepository, Rule, Setup, TerraformRoot, WorkflowFile};

pub(crate) const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
pub(crate) const ECR: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio";

/// A root of one file.
pub(crate) fn root(text: &str) -> TerraformRoot {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("main.tf");
    fs_err::write(&file, text).unwrap();
    let given = Given {
        account: "123456789012".to_owned(),
        region: Some("eu-west-1".to_owned()),
        ..Given::default()
    };
    TerraformRoot::new("infra", terraform::read(directory.path(), &given).unwrap())
}

/// The repository `acme/portfolio` with a root, and a job that pushes to main.
pub(crate) fn setup(text: &str) -> Setup {
    let workflow = "on:\n  push:\n    branches: [main]\npermissions: {}\njobs:\n  publish:\n    \
        runs-on: ubuntu-latest\n    permissions:\n      id-token: write\n    steps:\n      \
        - uses: aws-actions/configure-aws-credentials@v6\n        with:\n          \
        role-to-assume: arn:aws:iam::123456789012:role/publisher\n          aws-region: eu-west-1\n";
    Setup {
        repository: Some(OwnRepository {
            owner: "acme".to_owned(),
            name: "portfolio".to_owned(),
            owner_id: Some("11".to_owned()),
            id: Some("22".to_owned()),
        }),
        publisher_role: Some("arn:aws:iam::123456789012:role/publisher".to_owned()),
        ecr_repositories: vec![ECR.to_owned()],
        workflows: vec![WorkflowFile::new(".github/workflows/publish.yml", workflow)],
        roots: vec![root(text)],
        ..Setup::default()
    }
}

/// What one topic finds, in the order in which it looks.
pub(crate) fn found(topic: fn(&Setup, &mut Findings), setup: &Setup) -> Vec<Finding> {
    let mut findings = Findings::default();
    topic(setup, &mut findings);
    findings.sorted()
}

/// The ids of what was found.
pub(crate) fn ids(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

/// The one finding of a rule.
#[track_caller]
pub(crate) fn only(findings: &[Finding], rule: Rule) -> &Finding {
    let of_rule: Vec<_> = findings
        .iter()
        .filter(|finding| finding.rule == rule.id())
        .collect();
    assert_eq!(of_rule.len(), 1, "{findings:#?}");
    of_rule[0]
}

/// The lines that the fix's diff takes out and puts in.
#[track_caller]
pub(crate) fn changed(finding: &Finding) -> Vec<String> {
    let diff = finding.fix.as_ref().and_then(|fix| fix.diff.as_ref());
    let diff = diff.unwrap_or_else(|| panic!("no diff: {finding:#?}"));
    diff.lines()
        .skip(3)
        .filter(|line| line.starts_with(['-', '+']))
        .map(|line| format!("{}{}", &line[..1], line[1..].trim()))
        .collect()
}
