//! Proofs beside the workflows of a repository.

use audit::{OwnRepository, Setup, TerraformRoot, WorkflowFile, check, check_and_prove};
use policy::keys::GITHUB_ISSUER;
use receipts::RoleProof;
use serde_json::Value;
use terraform::Given;

use super::{IMMUTABLE_FORM, NAME_FORM, ROLE, policy, statement};

const ECR_REPOSITORY: &str = "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio";

/// A repository whose one job runs on pushes to main and asks for the role.
struct House {
    workflow: String,
    trust: Value,
}

impl House {
    fn new(trust: &[Value]) -> Self {
        Self {
            workflow: workflow("push:\n    branches: [main]", ""),
            trust: policy(trust),
        }
    }

    fn of_subjects(operator: &str, subjects: &[&str]) -> Self {
        Self::new(&[statement("Allow", &[(operator, "sub", subjects)])])
    }

    fn with_workflow(self, triggers: &str, job: &str) -> Self {
        Self {
            workflow: workflow(triggers, job),
            ..self
        }
    }

    #[expect(clippy::unwrap_used, reason = "a test says how it failed")]
    fn setup(&self) -> Setup {
        let directory = tempfile::tempdir().unwrap();
        let configuration = format!(
            "resource \"aws_ecr_repository\" \"portfolio\" {{\n  name = \"portfolio\"\n}}\n\nresource \"aws_iam_openid_connect_provider\" \"github\" {{\n  url = \"https://{GITHUB_ISSUER}\"\n  client_id_list = [\"sts.amazonaws.com\"]\n}}\n\nresource \"aws_iam_role\" \"publisher\" {{\n  name = \"publisher\"\n  assume_role_policy = <<-EOT\n{}\n  EOT\n}}\n",
            self.trust.to_string().replace("${", "$${")
        );
        fs_err::write(directory.path().join("main.tf"), configuration).unwrap();
        let given = Given {
            account: "123456789012".to_owned(),
            region: Some("eu-west-1".to_owned()),
            ..Given::default()
        };
        let root = terraform::read(directory.path(), &given).unwrap();
        Setup {
            repository: Some(OwnRepository {
                owner: "acme".to_owned(),
                name: "portfolio".to_owned(),
                owner_id: Some("1234567".to_owned()),
                id: Some("7654321".to_owned()),
            }),
            publisher_role: Some(ROLE.to_owned()),
            ecr_repositories: vec![ECR_REPOSITORY.to_owned()],
            workflows: vec![WorkflowFile::new(
                ".github/workflows/publish.yml",
                self.workflow.clone(),
            )],
            roots: vec![TerraformRoot::new("infra", root)],
            ..Setup::default()
        }
    }

    #[expect(clippy::unwrap_used, reason = "a test says how it failed")]
    fn proof(&self) -> RoleProof {
        check_and_prove(&self.setup()).1.pop().unwrap()
    }

    /// The findings of the rules that rest on the proof.
    fn findings(&self) -> Vec<(String, String)> {
        findings_of(&self.setup())
    }
}

const RULES: [&str; 10] = [
    "trust-admits-strangers",
    "trust-admits-other-repositories",
    "trust-admits-pull-requests",
    "trust-admits-other-refs",
    "trust-admits-other-environments",
    "trust-admits-nobody",
    "trust-not-proved",
    "trust-subject-never-minted",
    "job-refused",
    "role-unused",
];

fn findings_of(setup: &Setup) -> Vec<(String, String)> {
    let found = check(setup).into_iter();
    found
        .filter(|finding| RULES.contains(&finding.rule.as_str()))
        .map(|finding| (finding.rule, finding.message))
        .collect()
}

fn rules(findings: &[(String, String)]) -> Vec<&str> {
    findings.iter().map(|(rule, _)| rule.as_str()).collect()
}

fn workflow(triggers: &str, job: &str) -> String {
    format!(
        "name: publish\non:\n  {triggers}\npermissions: {{}}\njobs:\n  publish:\n    runs-on: ubuntu-latest\n    permissions:\n      id-token: write\n{job}    steps:\n      - uses: aws-actions/configure-aws-credentials@v6\n        with:\n          role-to-assume: {ROLE}\n          aws-region: eu-west-1\n"
    )
}

#[test]
fn a_role_that_admits_its_job_and_nothing_else_has_no_findings() {
    let house = House::of_subjects("StringEquals", &[NAME_FORM, IMMUTABLE_FORM]);
    let proof = house.proof();
    assert_eq!(proof.admitted.len(), 2);
    assert_eq!(proof.excess, []);
    assert_eq!(proof.refused, []);
    assert_eq!(proof.prevented_by, Vec::<String>::new());
    assert_eq!(house.findings(), []);
}

#[test]
fn every_kind_of_excess_is_shown_as_a_token() {
    let house = House::of_subjects("StringLike", &["repo:acme*"]);
    let callers: Vec<String> = house
        .proof()
        .excess
        .into_iter()
        .map(|excess| excess.caller)
        .collect();
    assert_eq!(
        callers,
        [
            "a push to main of acmex/portfolio, a repository of somebody else",
            "a push to main of acme@7/portfolio@7, which took over the name",
            "a push to main of acme/portfolio-other, another repository of the same owner",
            "a pull request of acme/portfolio",
            "a push to feature of acme/portfolio",
            "a push of the tag v1.0.0 of acme/portfolio",
            "a run of acme/portfolio in the environment preview",
        ]
    );
    assert_eq!(
        rules(&house.findings()),
        [
            "trust-admits-other-repositories",
            "trust-admits-pull-requests",
            "trust-admits-strangers",
            "trust-admits-other-environments",
            "trust-admits-other-refs",
        ]
    );
    let proof = house.proof();
    let claims = &proof.excess[0].claims;
    assert!(claims.contains(&(
        "sub".into(),
        "repo:acmex/portfolio:ref:refs/heads/main".into()
    )));
    assert!(claims.contains(&("aud".into(), "sts.amazonaws.com".into())));
}

#[test]
fn what_the_workflow_runs_on_is_no_excess() {
    let subjects = [
        "repo:acme/portfolio:ref:refs/heads/main",
        "repo:acme/portfolio:ref:refs/heads/release/v1",
        "repo:acme/portfolio:ref:refs/tags/v1.0",
        "repo:acme/portfolio:pull_request",
    ];
    let triggers = "push:\n    branches: [main, 'release/**', '!release/**-alpha']\n    tags: ['v[0-9].[0-9]+']\n  pull_request:";
    let house = House::of_subjects("StringEquals", &subjects).with_workflow(triggers, "");
    assert_eq!(house.proof().excess, []);
    // The workflow also runs on other releases, which the role refuses.
    assert_eq!(rules(&house.findings()), ["job-refused"]);
    let wider = House::of_subjects(
        "StringEquals",
        &["repo:acme/portfolio:ref:refs/heads/release/v1-alpha"],
    );
    let found = wider.with_workflow(triggers, "").findings();
    assert!(
        rules(&found).contains(&"trust-admits-other-refs"),
        "{found:?}"
    );
}

#[test]
fn a_job_that_gained_an_environment_is_refused() {
    let house = House::of_subjects("StringEquals", &[NAME_FORM, IMMUTABLE_FORM]).with_workflow(
        "push:\n    branches: [main]",
        "    environment: production\n",
    );
    let found = house.findings();
    let (rule, message) = &found[0];
    assert_eq!(rule, "job-refused");
    assert!(
        message.contains("`repo:acme/portfolio:environment:production`"),
        "{message}"
    );
    // And main is admitted though no job runs there without the environment.
    assert_eq!(rules(&found), ["job-refused", "trust-admits-other-refs"]);
}

#[test]
fn one_form_is_enough_to_come_in() {
    for form in [NAME_FORM, IMMUTABLE_FORM] {
        let house = House::of_subjects("StringEquals", &[form]);
        assert_eq!(house.proof().refused, [], "{form}");
    }
}

#[test]
fn starting_by_hand_does_not_ask_for_every_branch() {
    let triggers = "push:\n    branches: [main]\n  workflow_dispatch:";
    let house = House::of_subjects("StringEquals", &[NAME_FORM, IMMUTABLE_FORM]);
    assert_eq!(house.with_workflow(triggers, "").findings(), []);
}

#[test]
fn statements_and_subjects_that_admit_nobody_are_found() {
    let both = statement(
        "Allow",
        &[
            ("StringEquals", "sub", &[NAME_FORM]),
            ("StringLike", "sub", &["repo:acme/other:*"]),
        ],
    );
    let works = statement("Allow", &[("StringEquals", "sub", &[NAME_FORM])]);
    let house = House::new(&[both, works.clone()]);
    assert_eq!(rules(&house.findings()), ["trust-admits-nobody"]);
    for never in [
        "repo:github.com/acme/portfolio:ref:refs/heads/main",
        "repo:acme/portfolio:ref:main",
        "acme/portfolio:ref:refs/heads/main",
        "repo:acme/portfolio:ref:refs/heads/ma in",
        "repo:acme/portfolio",
    ] {
        let allow = statement("Allow", &[("StringEquals", "sub", &[never])]);
        let found = House::new(&[allow, works.clone()]).findings();
        let wanted: &[&str] = match never {
            // What a repository can make of its subject is minted.
            "repo:acme/portfolio" => &[],
            _ => &["trust-subject-never-minted"],
        };
        assert_eq!(rules(&found), wanted, "{never}");
    }
}

#[test]
fn a_role_that_no_job_asks_for_is_unused_and_otherwise_taken_at_its_word() {
    let subjects = ["repo:acme/portfolio:ref:refs/heads/main"];
    let mut setup = House::of_subjects("StringEquals", &subjects).setup();
    setup.publisher_role = None;
    let other = workflow("push:", "").replace(ROLE, "arn:aws:iam::123456789012:role/other");
    setup.workflows = vec![WorkflowFile::new(".github/workflows/publish.yml", other)];
    assert_eq!(rules(&findings_of(&setup)), ["role-unused"]);
}

#[test]
fn an_unknown_value_is_said_to_prevent_the_proof() {
    let house = House::new(&[statement(
        "Allow",
        &[
            ("StringEquals", "sub", &[NAME_FORM]),
            (
                "StringEquals",
                "actor",
                &["${token.actions.githubusercontent.com:repository}"],
            ),
        ],
    )]);
    let proof = house.proof();
    assert_eq!(proof.prevented_by.len(), 1, "{:?}", proof.prevented_by);
    assert!(proof.prevented_by[0].contains("is not known"));
}

#[test]
fn what_the_proof_cannot_decide_does_not_pass_for_sound() {
    let by_number = statement(
        "Allow",
        &[
            ("StringLike", "sub", &["repo:*:ref:refs/heads/main"]),
            ("NumericEquals", "repository_id", &["7654321"]),
        ],
    );
    let found = House::new(std::slice::from_ref(&by_number)).findings();
    assert_eq!(rules(&found), ["trust-not-proved"], "{found:?}");
    assert!(found[0].1.contains("`NumericEquals`"), "{found:?}");
    // Who is sure to be admitted is not hidden by who may be.
    let prefix = statement(
        "Allow",
        &[("StringLike", "sub", &["repo:acme*:pull_request"])],
    );
    let found = House::new(&[by_number, prefix]).findings();
    assert!(
        rules(&found).contains(&"trust-admits-strangers"),
        "{found:?}"
    );
}

#[test]
fn names_in_other_letters_are_the_same_repository_and_refs_are_others() {
    for subject in [NAME_FORM, IMMUTABLE_FORM] {
        let house = House::of_subjects("StringEqualsIgnoreCase", &[subject]);
        let found = house.findings();
        assert_eq!(rules(&found), ["trust-admits-other-refs"], "{found:?}");
        assert!(found[0].1.contains(":ref:refs/heads/MAIN`"), "{found:?}");
    }
}
