//! The matrix of this repository's own infrastructure, and of made-up roles.

use std::path::Path;

use receipts::{Answer, Matrix, RoleAccess, Standing};
use terraform::{AwsResources, EcrRepository, Given, ManagedPolicy, OidcProvider, Role};

use crate::{OwnRepository, Setup, TerraformRoot, WorkflowFile, matrix};

const ROLE: &str = "arn:aws:iam::123456789012:role/publisher";
const REPOSITORY: &str = "arn:aws:ecr:eu-central-1:123456789012:repository/backend";
const PROVIDER: &str =
    "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
const PUSH: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ecr:*LayerUpload","ecr:UploadLayerPart","ecr:PutImage","ecr:BatchCheckLayerAvailability"],"Resource":"*"},{"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}]}"#;

fn own() -> OwnRepository {
    OwnRepository {
        owner: "acme".to_owned(),
        name: "portfolio".to_owned(),
        owner_id: Some("1234567".to_owned()),
        id: Some("7654321".to_owned()),
    }
}

fn production() -> terraform::Root {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/production");
    let given = Given {
        account: "123456789012".to_owned(),
        ..Given::default()
    };
    terraform::read(&directory, &given).unwrap()
}

fn empty_root() -> TerraformRoot {
    let mut root = production();
    root.resources.clear();
    let mut root = TerraformRoot::new("infra", root);
    root.aws = AwsResources::default();
    root
}

/// A root with one role of this trust condition and these policies.
fn setup(condition: &str, adjust: impl FnOnce(&mut AwsResources)) -> Setup {
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Federated":"{PROVIDER}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}]}}"#
    );
    let mut root = empty_root();
    root.aws.account = "123456789012".to_owned();
    root.aws.region = Some("eu-central-1".to_owned());
    root.aws.roles.push(Role {
        arn: ROLE.to_owned(),
        name: "publisher".to_owned(),
        trust_policy: trust,
        inline_policies: [("push".to_owned(), PUSH.to_owned())].into(),
        ..Role::default()
    });
    root.aws.repositories.push(EcrRepository {
        arn: REPOSITORY.to_owned(),
        name: "backend".to_owned(),
        ..EcrRepository::default()
    });
    adjust(&mut root.aws);
    Setup {
        repository: Some(own()),
        publisher_role: Some(ROLE.to_owned()),
        ecr_repositories: vec![REPOSITORY.to_owned()],
        roots: vec![root],
        ..Setup::default()
    }
}

fn like(pattern: &str) -> String {
    format!(r#"{{"StringLike":{{"token.actions.githubusercontent.com:sub":"{pattern}"}}}}"#)
}

fn only(matrix: &Matrix) -> &RoleAccess {
    let [role] = matrix.roles.as_slice() else {
        panic!("{matrix:#?}")
    };
    role
}

/// Who gets in, without its form.
fn admitted(role: &RoleAccess) -> Vec<&str> {
    let mut callers: Vec<&str> = role
        .callers
        .iter()
        .filter(|caller| caller.assume.answer == Answer::Yes)
        .map(|caller| caller.caller.as_str())
        .collect();
    callers.dedup();
    callers
}

#[test]
fn this_repository_lets_its_publisher_push_and_nobody_else_in() {
    let root = TerraformRoot::new("infra/production", production());
    let setup = Setup {
        repository: Some(own()),
        publisher_role: root.aws.roles.first().map(|role| role.arn.clone()),
        roots: vec![root],
        ..Setup::default()
    };
    let matrix = matrix(&setup);
    let role = only(&matrix);
    assert_eq!(role.unknown, None);
    assert_eq!(admitted(role), ["push to main"]);
    for caller in &role.callers {
        assert_ne!(caller.assume.answer, Answer::Unknown, "{caller:#?}");
    }
    let session = &role.callers[0].sessions[0];
    assert_eq!(session.push.answer, Answer::Yes, "{session:#?}");
    assert_eq!(session.delete.answer, Answer::No, "{session:#?}");
    assert!(
        role.subjects
            .iter()
            .any(|subject| subject.contains("aws_iam_role.publisher"))
    );
}

#[test]
fn a_star_behind_the_repository_lets_pull_requests_in() {
    let matrix = matrix(&setup(&like("repo:acme*/portfolio*:*"), |_| {}));
    let role = only(&matrix);
    let admitted = admitted(role);
    assert!(admitted.contains(&"pull request"), "{admitted:?}");
    assert!(
        admitted.contains(&"other repository of the owner"),
        "{admitted:?}"
    );
    assert!(!admitted.contains(&"stranger's repository"), "{admitted:?}");
    let fork = role
        .callers
        .iter()
        .find(|caller| caller.caller == "pull request of a fork")
        .unwrap();
    assert!(fork.assume.reason.contains("no identity"));
    assert_eq!(fork.standing, Standing::Intruder);
}

#[test]
fn the_reason_of_a_refusal_names_what_differs() {
    let matrix = matrix(&setup(
        &like("repo:acme/portfolio:ref:refs/heads/main"),
        |_| {},
    ));
    let role = only(&matrix);
    let immutable = &role.callers[0];
    assert_eq!(immutable.assume.answer, Answer::No);
    assert!(
        immutable.assume.reason.contains("acme@1234567"),
        "{immutable:#?}"
    );
    assert_eq!(role.callers[1].assume.answer, Answer::Yes);
}

#[test]
fn an_audience_that_the_provider_does_not_admit_keeps_everyone_out() {
    let provider = OidcProvider {
        arn: PROVIDER.to_owned(),
        client_ids: vec!["https://github.com/acme".to_owned()],
        ..OidcProvider::default()
    };
    let matrix = matrix(&setup(&like("repo:*"), |aws| {
        aws.oidc_providers.push(provider);
    }));
    let role = only(&matrix);
    assert_eq!(admitted(role), Vec::<&str>::new());
    assert!(role.callers[0].assume.reason.contains("audience"));
}

#[test]
fn a_policy_that_is_not_in_the_files_makes_the_answer_unknown_and_never_a_no() {
    let other = "arn:aws:iam::123456789012:policy/elsewhere";
    let matrix = matrix(&setup(&like("repo:acme*"), |aws| {
        aws.roles[0].attached_policies.push(other.to_owned());
    }));
    let session = only(&matrix).callers[0].sessions[0].clone();
    for access in [&session.push, &session.delete] {
        assert_eq!(access.answer, Answer::Unknown, "{access:#?}");
        assert!(access.reason.contains(other));
    }
}

#[test]
fn a_policy_of_the_roots_and_one_of_aws_are_known() {
    let own = ManagedPolicy {
        arn: "arn:aws:iam::123456789012:policy/no-delete".to_owned(),
        document: r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ecr:Delete*","Resource":"*"}]}"#.to_owned(),
        ..ManagedPolicy::default()
    };
    let matrix = matrix(&setup(&like("repo:acme*"), |aws| {
        aws.roles[0].attached_policies = vec![
            own.arn.clone(),
            "arn:aws:iam::aws:policy/AdministratorAccess".to_owned(),
        ];
        aws.policies.push(own);
    }));
    let session = only(&matrix).callers[0].sessions[0].clone();
    assert_eq!(session.pull.answer, Answer::Yes, "{session:#?}");
    // Deleting an image is left.
    assert_eq!(session.delete.answer, Answer::Yes, "{session:#?}");
    assert!(session.delete.reason.contains("BatchDeleteImage"));
}

#[test]
fn a_condition_on_the_address_of_the_machine_is_not_known() {
    let condition = r#"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme@1234567/portfolio@7654321:ref:refs/heads/main"}}"#;
    let matrix = matrix(&setup(condition, |_| {}));
    let role = only(&matrix);
    let answers: Vec<_> = role
        .callers
        .iter()
        .map(|caller| caller.assume.answer)
        .collect();
    assert_eq!(answers[0], Answer::Unknown);
    assert!(role.callers[0].assume.reason.contains("aws:SourceIp"));
    // Whatever the address, the others are refused.
    assert!(
        answers[1..].iter().all(|answer| *answer == Answer::No),
        "{answers:?}"
    );
}

#[test]
fn without_the_ids_a_policy_that_tests_them_is_not_known() {
    let mut setup = setup(&like("repo:acme@1234567/portfolio@7654321:*"), |_| {});
    setup.repository = Some(OwnRepository {
        owner_id: None,
        id: None,
        ..own()
    });
    let matrix = matrix(&setup);
    let first = &only(&matrix).callers[0];
    assert_eq!(first.assume.answer, Answer::Unknown);
    assert!(first.assume.reason.contains("owner-id"));
}

#[test]
fn a_role_of_another_service_is_not_in_the_matrix() {
    let matrix = matrix(&setup("{}", |aws| {
        aws.roles[0].trust_policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#.to_owned();
    }));
    assert_eq!(matrix.roles, []);
}

#[test]
fn without_a_name_there_is_no_caller_and_it_says_so() {
    let mut setup = setup(&like("repo:*"), |_| {});
    setup.repository = None;
    let matrix = matrix(&setup);
    assert_eq!(only(&matrix).callers, []);
    assert!(matrix.unknowns[0].contains("github.repository"));
}

#[test]
fn a_run_that_a_job_asks_for_is_no_intruder() {
    let workflow = |on: &str| {
        format!(
            "name: p\non: {on}\njobs:\n  publish:\n    runs-on: ubuntu-24.04\n    permissions: {{id-token: write}}\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v5\n        with: {{role-to-assume: '{ROLE}', aws-region: eu-central-1}}\n"
        )
    };
    for (on, wanted, intruder) in [
        ("pull_request", "pull request", None),
        ("{push: {tags: ['v*']}}", "push of tag v*", Some("tag")),
        ("{push: {branches: [main]}}", "push to main", Some("tag")),
    ] {
        let mut setup = setup(&like("repo:acme*"), |_| {});
        let file = WorkflowFile::new(".github/workflows/p.yml", workflow(on));
        setup.workflows.push(file);
        let matrix = matrix(&setup);
        let callers = &only(&matrix).callers;
        assert_eq!(callers[0].caller, wanted, "{on}");
        assert_eq!(callers[0].standing, Standing::Intended, "{on}");
        assert_eq!(callers[0].jobs, ["p.yml#publish"]);
        let is_intruder = |name: &str| {
            callers
                .iter()
                .any(|caller| caller.standing == Standing::Intruder && caller.caller == name)
        };
        assert_eq!(
            intruder.is_some_and(is_intruder),
            intruder.is_some(),
            "{on}"
        );
        assert_eq!(is_intruder("pull request"), on != "pull_request", "{on}");
    }
}

#[test]
fn a_called_workflow_is_not_known_and_never_decides_that_an_intruder_stays_out() {
    let condition = r#"{"StringEquals":{"token.actions.githubusercontent.com:job_workflow_ref":"acme/workflows/.github/workflows/publish.yml@v1"}}"#;
    let matrix = matrix(&setup(condition, |_| {}));
    let stranger = only(&matrix)
        .callers
        .iter()
        .find(|caller| caller.caller == "stranger's repository")
        .unwrap();
    assert_eq!(stranger.assume.answer, Answer::Unknown, "{stranger:#?}");
}

#[test]
fn what_an_unknown_boundary_leaves_of_a_push_is_not_known() {
    let matrix = matrix(&setup(&like("repo:acme/portfolio:*"), |aws| {
        aws.roles[0].permissions_boundary =
            Some("arn:aws:iam::123456789012:policy/elsewhere".to_owned());
    }));
    let mut sessions = only(&matrix)
        .callers
        .iter()
        .flat_map(|caller| &caller.sessions);
    let session = sessions.next().unwrap();
    assert_eq!(session.push.answer, Answer::Unknown, "{session:#?}");
    assert!(session.push.reason.contains("elsewhere"), "{session:#?}");
    assert_eq!(session.delete.answer, Answer::No, "{session:#?}");
}

/// The same role, and repositories beside the one that it pushes to.
fn with_others(number: usize) -> Setup {
    let own = PUSH.replacen(
        r#""Resource":"*""#,
        &format!(r#""Resource":"{REPOSITORY}""#),
        1,
    );
    let others: Vec<EcrRepository> = (1..=number)
        .map(|number| EcrRepository {
            arn: format!("{REPOSITORY}-{number}"),
            name: format!("backend-{number}"),
            ..EcrRepository::default()
        })
        .collect();
    let arns: Vec<String> = others.iter().map(|other| other.arn.clone()).collect();
    let mut setup = setup(&like("repo:acme/portfolio:*"), |aws| {
        aws.roles[0].inline_policies = [("push".to_owned(), own)].into();
        aws.repositories.extend(others);
    });
    setup.ecr_repositories.extend(arns);
    setup
}

#[test]
fn every_repository_is_tried_and_those_with_the_same_answers_are_told_together() {
    let matrix = matrix(&with_others(49));
    let role = only(&matrix);
    assert_eq!(role.ecr_repositories.len(), 50);
    let caller = role
        .callers
        .iter()
        .find(|caller| !caller.sessions.is_empty());
    let [own, others] = caller.unwrap().sessions.as_slice() else {
        panic!("{caller:#?}")
    };
    assert_eq!(own.repositories, [REPOSITORY]);
    assert_eq!(own.push.answer, Answer::Yes);
    assert_eq!(others.repositories.len(), 49);
    assert_eq!(others.push.answer, Answer::No);
}
