use super::{Inventory, Permissions, permissions};
use crate::rules::testing::{self, ECR, PROVIDER};

/// The comparison for a role with one inline policy.
fn of(statements: &str, rest: &str) -> Permissions {
    let setup = testing::setup(&format!(
        "resource \"aws_iam_role\" \"publisher\" {{\n  name = \"publisher\"\n  assume_role_policy = jsonencode({{ Version = \"2012-10-17\", Statement = [\
         {{ Effect = \"Allow\", Principal = {{ Federated = \"{PROVIDER}\" }}, Action = \"sts:AssumeRoleWithWebIdentity\" }}] }})\n}}\n\
         resource \"aws_iam_role_policy\" \"push\" {{\n  name = \"push\"\n  role = aws_iam_role.publisher.name\n  \
         policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{statements}] }})\n}}\n{rest}"
    ));
    let root = &setup.roots[0];
    permissions(&setup, &Inventory::of(&setup), (root, &root.aws.roles[0]))
}

const LOGIN: &str =
    "{ Effect = \"Allow\", Action = \"ecr:GetAuthorizationToken\", Resource = \"*\" },";

fn push(resource: &str) -> String {
    format!(
        "{{ Effect = \"Allow\", Action = [\"ecr:BatchCheckLayerAvailability\", \"ecr:BatchGetImage\", \"ecr:CompleteLayerUpload\", \
         \"ecr:InitiateLayerUpload\", \"ecr:PutImage\", \"ecr:UploadLayerPart\"], Resource = \"{resource}\" }},"
    )
}

const REPOSITORY: &str = "resource \"aws_ecr_repository\" \"a\" {\n  name = \"portfolio\"\n}\n";

#[test]
fn what_a_publish_needs_leaves_nothing_missing_and_nothing_over() {
    assert_eq!(
        of(&format!("{LOGIN}{}", push(ECR)), REPOSITORY),
        Permissions::default()
    );
}

#[test]
fn missing_and_excess_are_told_with_their_resource() {
    let found = of(&push("arn:aws:ecr:eu-west-1:123456789012:repository/*"), "");
    assert_eq!(found.missing, ["ecr:GetAuthorizationToken on *"]);
    assert_eq!(found.excess.len(), 6);
    assert!(
        found
            .excess
            .contains(&"ecr:PutImage on other repositories".to_owned()),
        "{found:?}"
    );

    let other = "arn:aws:ecr:eu-west-1:123456789012:repository/other";
    let found = of(&format!("{LOGIN}{}{}", push(ECR), push(other)), "");
    assert!(found.excess.contains(&format!("ecr:PutImage on {other}")));

    let pass = "{ Effect = \"Allow\", Action = [\"iam:PassRole\", \"sts:GetCallerIdentity\"], Resource = \"*\" },";
    let found = of(&format!("{LOGIN}{}{pass}", push(ECR)), "");
    assert_eq!(found.excess, ["iam:PassRole on *"]);
}

#[test]
fn a_repository_policy_of_the_same_account_allows_too() {
    let rest = "resource \"aws_ecr_repository_policy\" \"a\" {\n  repository = aws_ecr_repository.a.name\n  \
        policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = { AWS = aws_iam_role.publisher.arn }, Action = \"ecr:*\" }] })\n}\n";
    let found = of(LOGIN, &format!("{REPOSITORY}{rest}"));
    assert_eq!(found.missing, [""; 0]);
    assert!(
        found
            .excess
            .contains(&format!("ecr:DeleteRepository on {ECR}"))
    );
    assert!(
        !found
            .excess
            .iter()
            .any(|line| line.contains("other repositories"))
    );
}

#[test]
fn what_is_not_known_prevents_an_answer() {
    let conditional = push(ECR).replace(
        "Resource =",
        "Condition = { IpAddress = { \"aws:SourceIp\" = \"10.0.0.0/8\" } }, Resource =",
    );
    let found = of(&format!("{LOGIN}{conditional}"), REPOSITORY);
    assert_eq!(found.missing, [""; 0]);
    assert_eq!(found.prevented_by.len(), 6, "{found:?}");
    assert!(found.prevented_by[0].contains("aws:SourceIp"));

    let attach = "resource \"aws_iam_role_policy_attachment\" \"a\" {\n  role = aws_iam_role.publisher.name\n  policy_arn = \"arn:aws:iam::123456789012:policy/elsewhere\"\n}\n";
    let found = of(LOGIN, &format!("{REPOSITORY}{attach}"));
    assert_eq!(found.missing, [""; 0]);
    assert!(found.prevented_by[0].contains("policy/elsewhere"));

    let found = of(&format!("{LOGIN}{}", push(ECR)), "");
    assert!(found.prevented_by[0].contains("its own policy is not known"));
}

#[test]
fn a_policy_whose_name_is_made_up_counts_all_the_same() {
    let unnamed = "resource \"aws_iam_role_policy\" \"more\" {\n  role = aws_iam_role.publisher.name\n  \
        policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Action = \"iam:PassRole\", Resource = \"*\" }] })\n}\n";
    let found = of(
        &format!("{LOGIN}{}", push(ECR)),
        &format!("{REPOSITORY}{unnamed}"),
    );
    assert_eq!(found.excess, ["iam:PassRole on *"]);
    assert_eq!(found.prevented_by, [""; 0]);
}
