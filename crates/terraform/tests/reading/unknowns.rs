//! What is not known is said, with its place, and is never guessed.

use std::collections::BTreeMap;

use terraform::{Given, Value};

use crate::{fixture, given, read, read_text};

#[test]
fn unknown_attributes_are_listed_and_their_resources_left_out() {
    let root = read(&fixture("unknown"));
    let resources = root.aws();
    let unknowns: BTreeMap<(String, String), String> = resources
        .unknowns
        .iter()
        .map(|unknown| {
            let key = (unknown.address.clone(), unknown.attribute.clone());
            (key, format!("{}:{}", unknown.place.line, unknown.reason))
        })
        .collect();
    let reason = |address: &str, attribute: &str| {
        unknowns
            .get(&(address.to_owned(), attribute.to_owned()))
            .unwrap_or_else(|| panic!("{address} {attribute} in {unknowns:#?}"))
            .clone()
    };
    assert!(reason("aws_iam_role.remote", "assume_role_policy").contains("not local"));
    assert!(reason("aws_iam_role.prefixed", "name").contains("made up"));
    assert!(reason("aws_iam_role.counted", "count").contains("no value"));
    assert!(reason("aws_iam_role.cycle", "assume_role_policy").contains("refers to itself"));
    assert!(reason("aws_iam_role_policy.stray", "role").contains("elsewhere"));
    assert!(reason("aws_iam_role_policy.merged", "policy").contains("source_policy_documents"));
    assert!(reason("aws_ecr_repository.random", "name").contains("applied"));
    assert!(reason("module.remote", "source").contains("not local"));
    assert!(reason("aws_iam_role.good", "tags").contains("applied"));
    // The place is that of the attribute.
    assert!(reason("aws_iam_role.remote", "assume_role_policy").starts_with("16:"));

    let names: Vec<&str> = resources
        .roles
        .iter()
        .map(|role| role.name.as_str())
        .collect();
    assert_eq!(names, ["good"]);
    assert_eq!(
        resources.roles[0].tags,
        BTreeMap::from([("kept".to_owned(), "yes".to_owned())])
    );
    assert_eq!(resources.repositories, []);
}

#[test]
fn every_address_is_listed_even_when_it_is_left_out_of_the_typed_lists() {
    let root = read(&fixture("modules"));
    let addresses: Vec<&str> = root
        .resources
        .iter()
        .map(|resource| resource.address.as_str())
        .collect();
    assert_eq!(
        addresses,
        [
            "aws_ecr_repository.each[\"one\"]",
            "aws_ecr_repository.each[\"two\"]",
            "aws_ecr_repository.elsewhere",
            "aws_ecr_repository_policy.each[\"one\"]",
            "aws_ecr_repository_policy.each[\"two\"]",
            "module.team[0].aws_iam_policy.this",
            "module.team[0].aws_iam_role.this",
            "module.team[0].aws_iam_role_policy_attachment.this",
            "module.team[1].aws_iam_policy.this",
            "module.team[1].aws_iam_role.this",
            "module.team[1].aws_iam_role_policy_attachment.this",
        ]
    );
}

#[test]
fn repeated_modules_and_resources_refer_to_each_other() {
    let root = read(&fixture("modules"));
    assert_eq!(root.unknowns, []);
    let resources = root.aws();
    let role = &resources.roles[1];
    assert_eq!(role.arn, "arn:aws:iam::123456789012:role/teams/team-1");
    assert_eq!(role.path, "/teams/");
    assert_eq!(
        role.attached_policies,
        ["arn:aws:iam::123456789012:policy/team-1-read"]
    );
    assert_eq!(
        role.permissions_boundary.as_deref(),
        Some("arn:aws:iam::aws:policy/PowerUserAccess")
    );
    let document: serde_json::Value =
        serde_json::from_str(&resources.policies[1].document).unwrap();
    assert_eq!(
        document["Statement"][0]["Resource"],
        serde_json::json!([
            "arn:aws:ecr:us-east-1:123456789012:repository/two",
            "arn:aws:ecr:us-east-1:123456789012:repository/one",
        ])
    );
    // `default_tags` of the provider, with the resource's own on top.
    assert_eq!(resources.repositories[0].tags["owner"], "platform");
    assert_eq!(resources.repositories[0].tags["stage"], "own");
    assert!(
        resources.repositories[0]
            .policy
            .as_deref()
            .is_some_and(|policy| policy.contains("team-0"))
    );
}

#[test]
fn a_resource_with_another_provider_is_in_that_providers_region() {
    let root = read(&fixture("modules"));
    let elsewhere = root
        .resources
        .iter()
        .find(|resource| resource.name == "elsewhere")
        .unwrap();
    assert_eq!(
        elsewhere.attributes["arn"].as_str(),
        Some("arn:aws-cn:ecr:cn-north-1:123456789012:repository/elsewhere")
    );
    assert_eq!(
        elsewhere.attributes["repository_url"].as_str(),
        Some("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/elsewhere")
    );
    // The typed list is that of one registry.
    let resources = root.aws();
    let names: Vec<&str> = resources
        .repositories
        .iter()
        .map(|repository| repository.name.as_str())
        .collect();
    assert_eq!(names, ["one", "two"]);
    assert_eq!(
        resources.unknowns[0].address,
        "aws_ecr_repository.elsewhere"
    );
    assert!(resources.unknowns[0].reason.contains("cn-north-1"));
}

#[test]
fn a_provider_that_assumes_a_role_is_in_that_roles_account() {
    let root = |provider: &str| {
        read_text(&format!(
            "provider \"aws\" {{\n  region = \"eu-west-1\"\n}}\n\
             provider \"aws\" {{\n  alias = \"other\"\n  region = \"eu-west-1\"\n{provider}\n}}\n\
             resource \"aws_iam_policy\" \"a\" {{\n  provider = aws.other\n  name = \"a\"\n  \
             policy = \"{{}}\"\n}}\n"
        ))
    };
    let arn = |provider: &str| root(provider).resources[0].attributes["arn"].clone();
    let role = "  assume_role {\n    role_arn = \"arn:aws:iam::999999999999:role/deploy\"\n  }";
    assert_eq!(
        arn(role).as_str(),
        Some("arn:aws:iam::999999999999:policy/a")
    );
    assert_eq!(arn("").as_str(), Some("arn:aws:iam::123456789012:policy/a"));
    assert!(matches!(arn("  profile = \"other\""), Value::Unknown(_)));
}

#[test]
fn without_a_region_regional_arns_are_unknown_and_with_a_given_one_they_are_not() {
    let text = "resource \"aws_ecr_repository\" \"a\" {\n  name = \"a\"\n}\n";
    let root = read_text(text);
    assert_eq!(root.region, None);
    assert!(matches!(
        &root.resources[0].attributes["arn"],
        Value::Unknown(_)
    ));

    let directory = tempfile::tempdir().unwrap();
    fs_err::write(directory.path().join("main.tf"), text).unwrap();
    let given = Given {
        region: Some("eu-north-1".to_owned()),
        ..given()
    };
    let root = terraform::read(directory.path(), &given).unwrap();
    assert_eq!(
        root.resources[0].attributes["arn"].as_str(),
        Some("arn:aws:ecr:eu-north-1:123456789012:repository/a")
    );
}

#[test]
fn an_unknown_inside_of_try_is_not_taken_for_a_failure() {
    let root = read_text(
        "variable \"later\" {}\n\
         output \"tried\" {\n  value = try(var.later.name, \"guess\")\n}\n\
         output \"can\" {\n  value = can(var.later)\n}\n\
         output \"of_resource\" {\n  value = try(aws_iam_role.a.unique_id, \"guess\")\n}\n\
         resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = \"{}\"\n}\n",
    );
    for (name, value) in &root.outputs {
        assert!(matches!(value, Value::Unknown(_)), "{name}: {value:?}");
    }
}

const ROLE: &str = r#"
variable "stage" {}
variable "rights" {}
resource "aws_iam_role" "named" {
  name_prefix        = "x-"
  assume_role_policy = "{}"
}
resource "aws_iam_role" "repeated" {
  for_each           = var.stage
  name               = each.key
  assume_role_policy = "{}"
  tags               = { same = "yes" }
}
resource "aws_iam_role" "trusting" {
  name               = "trusting"
  assume_role_policy = var.stage
}
resource "aws_iam_role_policy" "rights" {
  count  = var.rights
  name   = "rights"
  role   = "x"
  policy = "{}"
}
"#;

#[test]
fn a_role_of_which_the_trust_policy_is_known_is_known_in_part() {
    let root = read_text(ROLE);
    let resources = root.aws();
    assert_eq!(resources.roles, []);
    let partial: Vec<_> = resources
        .partial_roles
        .iter()
        .map(|role| (role.address.as_str(), role.name.as_str(), role.is_partial))
        .collect();
    assert_eq!(
        partial,
        [
            ("aws_iam_role.named", "x-<aws_iam_role.named>", true),
            ("aws_iam_role.repeated", "aws_iam_role.repeated", true),
        ]
    );
    let represented = root.representatives.iter();
    let addresses: Vec<_> = represented.map(|resource| &resource.address[..]).collect();
    assert_eq!(
        addresses,
        ["aws_iam_role.repeated", "aws_iam_role_policy.rights"]
    );
    assert_eq!(
        root.representatives[1].attributes["role"].as_str(),
        Some("x")
    );
    assert!(root.resource("aws_iam_role.repeated").is_some());
}

#[test]
fn the_arn_of_a_role_does_not_hang_on_the_region() {
    let text = "provider \"aws\" {}\nresource \"aws_iam_role\" \"x\" {\n name = \"x\"\n assume_role_policy = \"{}\"\n}\nresource \"aws_ecr_repository\" \"x\" {\n name = \"x\"\n}\n";
    let resources = read_text(text).aws();
    assert!(resources.roles[0].arn.starts_with("arn:aws:iam::"));
    assert_eq!(resources.repositories, []);
}

/// What is attached belongs to the role, whatever the names turn out to be.
#[test]
fn a_name_that_is_made_up_holds_role_and_policies_together() {
    let text = r#"
resource "aws_iam_role" "a" {
  count              = 2
  name_prefix        = "a-"
  assume_role_policy = "{}"
}
resource "aws_iam_role_policy" "inline" {
  role   = aws_iam_role.a[1].id
  policy = "{\"inline\": 1}"
}
resource "aws_iam_policy" "managed" {
  policy = "{\"managed\": 1}"
}
resource "aws_iam_role_policy_attachment" "managed" {
  role       = aws_iam_role.a[1].name
  policy_arn = aws_iam_policy.managed.arn
}
"#;
    let resources = read_text(text).aws();
    let [first, second] = &resources.partial_roles[..] else {
        panic!("{resources:#?}");
    };
    assert!(first.inline_policies.is_empty() && first.attached_policies.is_empty());
    let inline: Vec<_> = second.inline_policies.values().collect();
    assert_eq!(inline, ["{\"inline\": 1}"]);
    assert_eq!(
        second.attached_policies,
        [resources.policies[0].arn.clone()]
    );
    // The roles alone are said not to be known.
    let unknown = resources.unknowns.iter();
    let unknown: Vec<_> = unknown.map(|unknown| &unknown.address[..]).collect();
    assert_eq!(unknown, ["aws_iam_role.a[0]", "aws_iam_role.a[1]"]);
}
