use receipts::Finding;

use super::super::testing::{self, ids, only};
use super::check;
use crate::Rule;

fn found(text: &str) -> Vec<Finding> {
    testing::found(check, &testing::setup(text))
}

#[test]
fn a_trust_policy_that_is_not_known_is_noted_with_its_reason_and_place() {
    let findings = found(
        "resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = data.aws_ssm_parameter.trust.value\n}\n\
         data \"aws_ssm_parameter\" \"trust\" {\n  name = \"trust\"\n}\n\
         resource \"aws_iam_role_policy\" \"a\" {\n  name = \"a\"\n  role = aws_iam_role.a.name\n  policy = \"{}\"\n}\n",
    );
    let finding = only(&findings, Rule::TerraformUnknown);
    assert_eq!(finding.subject, "aws_iam_role.a");
    assert!(
        finding.message.contains("looked up by the provider"),
        "{}",
        finding.message
    );
    assert_eq!(finding.location.as_ref().map(|place| place.line), Some(3));
}

#[test]
fn what_identity_does_not_rest_on_is_left_out() {
    let findings = found(
        "resource \"aws_ecr_repository\" \"a\" {\n  name = \"a\"\n  tags = { one = random_id.x.hex }\n}\n\
         resource \"aws_instance\" \"a\" {\n  ami = data.aws_ami.x.id\n}\n\
         resource \"aws_iam_role\" \"task\" {\n  name = \"task-${random_id.x.hex}\"\n  \
         assume_role_policy = jsonencode({ Statement = [{ Principal = { Service = \"ecs-tasks.amazonaws.com\" } }] })\n}\n\
         module \"network\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n",
    );
    assert_eq!(ids(&findings), [""; 0], "{findings:#?}");
}

#[test]
fn a_remote_module_for_roles_is_noted() {
    for (name, source) in [
        ("ci", "terraform-aws-modules/iam/aws//modules/iam-role"),
        ("github_oidc", "git::https://example.com/modules.git"),
    ] {
        let findings = found(&format!(
            "module \"{name}\" {{\n  source = \"{source}\"\n}}\n"
        ));
        let finding = only(&findings, Rule::TerraformUnknown);
        assert!(finding.message.contains(source), "{}", finding.message);
    }
}
