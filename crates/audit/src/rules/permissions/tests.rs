use receipts::Finding;

use super::super::testing::{self, ECR, PROVIDER, changed, ids, only};
use crate::findings::Findings;
use crate::permissions::Inventory;
use crate::{Rule, Setup};

/// The publisher with its policy, statements in HCL.
fn check(setup: &Setup, findings: &mut Findings) {
    super::check(setup, &Inventory::of(setup), findings);
}

fn setup(policy: &str) -> Setup {
    setup_with(
        &format!(
            "data \"aws_iam_policy_document\" \"push\" {{\n{policy}\n}}\nresource \"aws_iam_role_policy\" \"push\" {{\n  \
         name = \"push\"\n  role = aws_iam_role.publisher.name\n  policy = data.aws_iam_policy_document.push.json\n}}\n"
        ),
        "",
    )
}

fn setup_with(rest: &str, of_role: &str) -> Setup {
    testing::setup(&format!(
        "resource \"aws_iam_role\" \"publisher\" {{\n  name = \"publisher\"\n{of_role}\n  assume_role_policy = jsonencode({{\n    \
         Version = \"2012-10-17\"\n    Statement = [{{\n      Effect = \"Allow\"\n      Principal = {{ Federated = \"{PROVIDER}\" }}\n      \
         Action = \"sts:AssumeRoleWithWebIdentity\"\n      Condition = {{ StringEquals = {{ \"token.actions.githubusercontent.com:sub\" = \"repo:a/b:x\" }} }}\n    }}]\n  }})\n}}\n{rest}"
    ))
}

fn found(policy: &str) -> Vec<Finding> {
    testing::found(check, &setup(policy))
}

const LOGIN: &str = "  statement {\n    actions   = [\"ecr:GetAuthorizationToken\"]\n    resources = [\"*\"]\n  }\n";

fn push(extra: &str) -> String {
    format!(
        "  statement {{\n    sid = \"Push\"\n    actions = [\n      \"ecr:BatchCheckLayerAvailability\",\n      \"ecr:BatchGetImage\",\n      \
         \"ecr:CompleteLayerUpload\",\n      \"ecr:InitiateLayerUpload\",\n      \"ecr:PutImage\",\n      \"ecr:UploadLayerPart\",\n{extra}    ]\n    resources = [\"{ECR}\"]\n  }}\n"
    )
}

#[test]
fn what_a_push_needs_and_no_more_is_sound() {
    assert_eq!(ids(&found(&format!("{LOGIN}{}", push("")))), [""; 0]);
}

#[test]
fn wildcards_in_actions_are_found() {
    let statement = |action: &str| {
        format!(
            "{LOGIN}{}  statement {{\n    actions = [\"{action}\"]\n    resources = [\"{ECR}\"]\n  }}\n",
            push("")
        )
    };
    let findings = found(&statement("ecr:*"));
    let finding = only(&findings, Rule::PermissionWildcardAction);
    assert!(
        finding.message.contains("`ecr:BatchDeleteImage`"),
        "{}",
        finding.message
    );
    for action in ["*", "ecr:Put*", "s3:*", "ecr:?utImage"] {
        only(&found(&statement(action)), Rule::PermissionWildcardAction);
    }
    assert_eq!(ids(&found(&statement("ecr:Describe*"))), [""; 0]);
}

#[test]
fn wildcards_in_resources_are_found_where_one_could_be_named() {
    let statement = |actions: &str, resource: &str| {
        format!(
            "{LOGIN}{}  statement {{\n    actions = [{actions}]\n    resources = [\"{resource}\"]\n  }}\n",
            push("")
        )
    };
    let findings = found(&statement("\"ecr:PutImage\"", "*"));
    let finding = only(&findings, Rule::PermissionWildcardResource);
    assert_eq!(
        changed(finding),
        [
            "-resources = [\"*\"]".to_owned(),
            format!("+resources = [\"{ECR}\"]")
        ]
    );
    for resource in [
        "arn:aws:ecr:eu-west-1:123456789012:repository/*",
        "arn:aws:ecr:eu-west-1:123456789012:repository/portfolio*",
        "arn:aws:ecr:*:*:*",
    ] {
        only(
            &found(&statement("\"ecr:PutImage\"", resource)),
            Rule::PermissionWildcardResource,
        );
    }
    for actions in [
        "\"ecr:DescribeRegistry\"",
        "\"sts:GetCallerIdentity\"",
        "\"cloudwatch:DescribeAlarms\"",
    ] {
        assert_eq!(ids(&found(&statement(actions, "*"))), [""; 0], "{actions}");
    }
}

#[test]
fn a_permission_that_a_publish_needs_is_missed_and_added() {
    let without = push("").replace("      \"ecr:InitiateLayerUpload\",\n", "");
    let findings = found(&format!("{LOGIN}{without}"));
    let finding = only(&findings, Rule::PermissionMissing);
    assert!(finding.message.contains("`ecr:InitiateLayerUpload`"));
    assert_eq!(changed(finding), ["+\"ecr:InitiateLayerUpload\","]);
    let findings = found(&push(""));
    assert!(
        only(&findings, Rule::PermissionMissing)
            .message
            .contains("GetAuthorizationToken")
    );
    let deny = "  statement {\n    effect = \"Deny\"\n    actions = [\"ecr:PutImage\"]\n    resources = [\"*\"]\n  }\n";
    let findings = found(&format!("{LOGIN}{}{deny}", push("")));
    assert!(
        only(&findings, Rule::PermissionMissing)
            .message
            .contains("`ecr:PutImage`")
    );
}

#[test]
fn a_policy_that_is_not_known_may_allow_what_is_missing() {
    let attach = "resource \"aws_iam_role_policy_attachment\" \"a\" {\n  role = aws_iam_role.publisher.name\n  policy_arn = \"arn:aws:iam::123456789012:policy/elsewhere\"\n}\n";
    assert_eq!(
        ids(&testing::found(check, &setup_with(attach, ""))),
        [""; 0]
    );
}

#[test]
fn a_boundary_that_takes_something_away_is_named() {
    let policy = format!(
        "data \"aws_iam_policy_document\" \"push\" {{\n{LOGIN}{}\n}}\n",
        push("")
    );
    let rest = format!(
        "{policy}resource \"aws_iam_role_policy\" \"push\" {{\n  name = \"push\"\n  role = aws_iam_role.publisher.name\n  \
         policy = data.aws_iam_policy_document.push.json\n}}\nresource \"aws_iam_policy\" \"boundary\" {{\n  name = \"boundary\"\n  \
         policy = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Action = \"ecr:*\", Resource = \"{ECR}\" }}] }})\n}}\n"
    );
    let findings = testing::found(
        check,
        &setup_with(
            &rest,
            "  permissions_boundary = aws_iam_policy.boundary.arn",
        ),
    );
    let finding = only(&findings, Rule::PermissionMissing);
    assert!(finding.message.contains("boundary"), "{}", finding.message);
    assert_eq!(finding.location.as_ref().map(|place| place.line), Some(3));
}

#[test]
fn what_a_publish_does_not_need_is_found_and_taken_out() {
    let findings = found(&format!(
        "{LOGIN}{}",
        push("      \"ecr:BatchDeleteImage\",\n")
    ));
    let finding = only(&findings, Rule::PermissionExcess);
    assert_eq!(changed(finding), ["-\"ecr:BatchDeleteImage\","]);
    let findings = found(&format!(
        "{LOGIN}{}",
        push("      \"ecr:DescribeImages\",\n")
    ));
    assert_eq!(ids(&findings), [""; 0]);
    let pass = "  statement {\n    actions = [\"iam:PassRole\"]\n    resources = [\"arn:aws:iam::123456789012:role/x\"]\n  }\n";
    only(
        &found(&format!("{LOGIN}{}{pass}", push(""))),
        Rule::PermissionExcess,
    );
    // Of other roles nothing is known of what they are for.
    let mut setup = setup(&format!("{LOGIN}{}{pass}", push("")));
    setup.publisher_role = None;
    assert_eq!(ids(&testing::found(check, &setup)), [""; 0]);
}

#[test]
fn an_allow_by_exclusion_is_found() {
    for (actions, resources) in [("not_actions", "resources"), ("actions", "not_resources")] {
        let findings = found(&format!(
            "{LOGIN}{}  statement {{\n    {actions} = [\"iam:CreateUser\"]\n    {resources} = [\"{ECR}\"]\n  }}\n",
            push("")
        ));
        only(&findings, Rule::PermissionAllowWithNot);
    }
    let deny = "  statement {\n    effect = \"Deny\"\n    not_actions = [\"ecr:*\"]\n    resources = [\"*\"]\n  }\n";
    assert_eq!(ids(&found(&format!("{LOGIN}{}{deny}", push("")))), [""; 0]);
}

#[test]
fn a_login_on_a_repository_is_found_and_moved_to_all() {
    let login = LOGIN.replace("\"*\"", &format!("\"{ECR}\""));
    let findings = found(&format!("{login}{}", push("")));
    let finding = only(&findings, Rule::PermissionTokenOnRepository);
    assert_eq!(changed(finding)[1], "+resources = [\"*\"]");
    only(&findings, Rule::PermissionMissing);
}

#[test]
fn a_claim_that_is_in_no_session_is_found() {
    let condition = |key: &str| {
        let block = format!(
            "    condition {{\n      test = \"StringEquals\"\n      variable = \"{key}\"\n      values = [\"x\"]\n    }}\n  }}\n"
        );
        let push = push("");
        found(&format!(
            "{LOGIN}{}{block}",
            push.strip_suffix("  }\n").unwrap()
        ))
    };
    let findings = condition("token.actions.githubusercontent.com:repository");
    only(&findings, Rule::PermissionKeyNeverFilled);
    only(&findings, Rule::PermissionMissing);
    for key in [
        "token.actions.githubusercontent.com:sub",
        "aws:SourceIp",
        "aws:RequestedRegion",
    ] {
        assert!(
            !ids(&condition(key)).contains(&"permission-key-never-filled"),
            "{key}"
        );
    }
}

#[test]
fn what_iam_refuses_is_found() {
    let principal =
        "    principals {\n      type = \"AWS\"\n      identifiers = [\"*\"]\n    }\n  }\n";
    let push = push("");
    let findings = found(&format!(
        "{LOGIN}{}{principal}",
        push.strip_suffix("  }\n").unwrap()
    ));
    only(&findings, Rule::PermissionRejectedByIam);
}

#[test]
fn aws_own_policies_are_known_and_pointed_at_where_they_are_attached() {
    let attach = |name: &str| {
        let rest = format!(
            "resource \"aws_iam_role_policy_attachment\" \"a\" {{\n  role = aws_iam_role.publisher.name\n  policy_arn = \"arn:aws:iam::aws:policy/{name}\"\n}}\n"
        );
        testing::found(check, &setup_with(&rest, ""))
    };
    let findings = attach("AdministratorAccess");
    let finding = only(&findings, Rule::PermissionWildcardAction);
    assert_eq!(finding.subject, "aws_iam_role_policy_attachment.a");
    let findings = attach("AmazonEC2ContainerRegistryPowerUser");
    only(&findings, Rule::PermissionWildcardResource);
    assert!(!ids(&findings).contains(&"permission-missing"));
    let findings = attach("AmazonEC2ContainerRegistryReadOnly");
    only(&findings, Rule::PermissionMissing);
}

#[test]
fn roles_that_github_cannot_assume_are_left_alone() {
    let setup = testing::setup(
        "resource \"aws_iam_role\" \"task\" {\n  name = \"task\"\n  assume_role_policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = { Service = \"ecs-tasks.amazonaws.com\" }, Action = \"sts:AssumeRole\" }] })\n  \
         managed_policy_arns = [\"arn:aws:iam::aws:policy/AdministratorAccess\"]\n}\n",
    );
    assert_eq!(ids(&testing::found(check, &setup)), [""; 0]);
}

#[test]
fn policies_and_roles_whose_names_are_made_up_are_checked() {
    let all = "  statement {\n    actions = [\"*\"]\n    resources = [\"*\"]\n  }\n";
    let named = format!(
        "data \"aws_iam_policy_document\" \"all\" {{\n{all}\n}}\nresource \"aws_iam_policy\" \"all\" {{\n  \
         policy = data.aws_iam_policy_document.all.json\n}}\nresource \"aws_iam_role_policy_attachment\" \"all\" {{\n  \
         role = aws_iam_role.publisher.name\n  policy_arn = aws_iam_policy.all.arn\n}}\n"
    );
    for role in ["name", "name_prefix"] {
        let mut setup = setup_with(&named, "");
        let root = &setup.roots[0];
        let text = root.root.text(&root.aws.roles[0].place.file).unwrap();
        let text = text.replacen(
            "  name = \"publisher\"",
            &format!("  {role} = \"publisher\""),
            1,
        );
        setup.roots = vec![testing::root(&text)];
        let found = testing::found(check, &setup);
        let finding = only(&found, Rule::PermissionWildcardAction);
        assert_eq!(finding.subject, "aws_iam_policy.all", "{role}");
    }
}
