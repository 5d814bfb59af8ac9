//! Every part of a policy leads to the spot in the source that produced it.

use terraform::{Origin, PolicyPart, Root, Spot};

use crate::{infra, read_in_region as read, read_text_in_region as read_text};

const STRING_EQUALS: &str = "StringEquals";
const SUB: &str = "token.actions.githubusercontent.com:sub";

/// The origin of the trust policy of the only role.
fn trust(root: &Root) -> Origin {
    let roles = root.aws().roles;
    assert_eq!(roles.len(), 1, "{:?}", root.unknowns);
    roles[0].trust_origin.clone()
}

fn subject(origin: &Origin, value: &str) -> Spot {
    origin.policy_part(PolicyPart::Value(0, STRING_EQUALS, SUB, value))
}

/// The text that a spot covers in the file it names.
fn covered<'r>(root: &'r Root, spot: &Spot) -> &'r str {
    &root.text(&spot.file).unwrap()[spot.range.clone()]
}

const DOCUMENT: &str = r#"
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:TagSession", "sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = ["arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = SUBJECTS
    }
  }
}

resource "aws_iam_role" "a" {
  name               = "a"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"#;

fn with_subjects(subjects: &str, rest: &str) -> Root {
    read_text(&format!("{}{rest}", DOCUMENT.replace("SUBJECTS", subjects)))
}

#[test]
fn a_policy_document_leads_to_its_blocks() {
    let root = with_subjects("[\"repo:a/b:*\", \"repo:a/c:*\"]", "");
    let origin = trust(&root);

    let spot = subject(&origin, "repo:a/c:*");
    assert_eq!((spot.text.as_str(), spot.literal), ("\"repo:a/c:*\"", true));
    assert_eq!((spot.line, spot.column), (20, 33));
    assert_eq!(covered(&root, &spot), spot.text);
    assert_eq!(
        spot.replaced_by("repo:a/${b}").as_deref(),
        Some("\"repo:a/$${b}\"")
    );

    let operator = origin.policy_part(PolicyPart::Operator(0, STRING_EQUALS, SUB));
    assert_eq!(
        (operator.text.as_str(), operator.line),
        ("\"StringEquals\"", 18)
    );
    let key = origin.policy_part(PolicyPart::Key(0, STRING_EQUALS, SUB));
    assert_eq!(key.line, 19);
    let values = origin.policy_part(PolicyPart::Values(0, STRING_EQUALS, SUB));
    assert_eq!(values.text, "[\"repo:a/b:*\", \"repo:a/c:*\"]");
    let condition = origin.policy_condition(0, STRING_EQUALS, SUB);
    assert!(condition.text.starts_with("condition {") && condition.text.ends_with('}'));
    assert_eq!(condition.line, 17);

    let action = origin.policy_part(PolicyPart::ElementValue(0, "Action", "sts:TagSession"));
    assert_eq!(action.text, "\"sts:TagSession\"");
    let provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    let principal = origin.policy_part(PolicyPart::ElementValue(0, "Principal", provider));
    assert_eq!(principal.text, format!("\"{provider}\""));
    let statement = origin.policy_part(PolicyPart::Statement(0));
    assert!(statement.text.starts_with("statement {"));
}

#[test]
fn what_has_no_spot_of_its_own_leads_to_the_nearest_that_has_one() {
    let root = with_subjects("[for one in [\"b\"] : \"repo:a/${one}:*\"]", "");
    let origin = trust(&root);
    let value = subject(&origin, "repo:a/b:*");
    assert!(
        !value.literal && value.text.starts_with("[for one"),
        "{value:?}"
    );
    assert_eq!(value.replaced_by("x"), None);
    let missing = origin.policy_part(PolicyPart::Key(0, "StringLike", SUB));
    assert!(!missing.literal && missing.text.starts_with("statement {"));
    let beyond = origin.policy_part(PolicyPart::Statement(7));
    assert!(
        !beyond.literal && beyond.text.starts_with("data "),
        "{beyond:?}"
    );
}

#[test]
fn references_are_followed_to_the_literal() {
    let locals = "locals {\n  list = concat(var.subjects, [\"repo:a/c:*\"])\n}\n\
                  variable \"subjects\" {\n  type    = list(string)\n  default = [\"repo:a/b:*\"]\n}\n";
    let root = with_subjects("local.list", locals);
    let origin = trust(&root);
    for value in ["repo:a/b:*", "repo:a/c:*"] {
        let spot = subject(&origin, value);
        assert_eq!(
            (spot.text.as_str(), spot.literal),
            (format!("{value:?}").as_str(), true)
        );
    }
}

#[test]
fn a_part_of_a_map_is_followed_too() {
    let locals = "locals {\n  subjects = { main = { list = [\"repo:a/b:*\"] } }\n}\n";
    let root = with_subjects("local.subjects[\"main\"].list", locals);
    assert!(subject(&trust(&root), "repo:a/b:*").literal);
}

#[test]
fn an_interpolated_text_leads_to_its_template() {
    let root = with_subjects(
        "[\"repo:${var.repository}:*\"]",
        "variable \"repository\" {\n  default = \"a/b\"\n}\n",
    );
    let spot = subject(&trust(&root), "repo:a/b:*");
    assert_eq!(
        (spot.text.as_str(), spot.literal),
        ("\"repo:${var.repository}:*\"", false)
    );
}

#[test]
fn a_dynamic_block_leads_to_its_content() {
    let text = DOCUMENT
        .replace("    condition {\n      test     = \"StringEquals\"\n      variable = \"token.actions.githubusercontent.com:sub\"\n      values   = SUBJECTS\n    }", "    dynamic \"condition\" {\n      for_each = [\"repo:a/b:*\"]\n      content {\n        test     = \"StringEquals\"\n        variable = \"token.actions.githubusercontent.com:sub\"\n        values   = [condition.value]\n      }\n    }");
    let root = read_text(&text);
    let origin = trust(&root);
    let operator = origin.policy_part(PolicyPart::Operator(0, STRING_EQUALS, SUB));
    assert_eq!(operator.text, "\"StringEquals\"");
    let value = subject(&origin, "repo:a/b:*");
    assert_eq!(
        (value.text.as_str(), value.literal),
        ("condition.value", false)
    );
}

#[test]
fn jsonencode_leads_into_its_object() {
    let root = read_text(
        "locals {\n  trust = jsonencode({\n    Version = \"2012-10-17\"\n    Statement = {\n      \
         Effect = \"Allow\"\n      Action = \"sts:AssumeRoleWithWebIdentity\"\n      Principal = { Federated = \"p\" }\n      \
         Condition = { StringEquals = { \"token.actions.githubusercontent.com:sub\" = \"repo:a/b:*\" } }\n    }\n  })\n}\n\
         resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = local.trust\n}\n",
    );
    let origin = trust(&root);
    assert!(subject(&origin, "repo:a/b:*").literal);
    let operator = origin.policy_part(PolicyPart::Operator(0, STRING_EQUALS, SUB));
    assert_eq!(
        (operator.text.as_str(), operator.literal),
        ("StringEquals", true)
    );
    assert_eq!(
        operator.replaced_by("StringLike").as_deref(),
        Some("StringLike")
    );
    assert_eq!(
        operator.replaced_by("ForAnyValue:StringLike").as_deref(),
        Some("\"ForAnyValue:StringLike\"")
    );
    let action = origin.policy_part(PolicyPart::Element(0, "Action"));
    assert_eq!(action.line, 6);
}

#[test]
fn a_heredoc_leads_to_the_position_in_its_text() {
    let root = read_text(
        "resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = <<-EOT\n    {\n      \
         \"Version\": \"2012-10-17\",\n      \"Statement\": [{\n        \"Effect\": \"Allow\", \"Action\": \"sts:*\",\n        \
         \"Principal\": {\"Federated\": \"${local.é}$${x}\"},\n        \"Condition\": {\"StringEquals\": \
         {\"token.actions.githubusercontent.com:sub\": [\"repo:a/b:*\"]}}\n      }]\n    }\n  EOT\n}\n\
         locals {\n  é = \"p\"\n}\n",
    );
    let origin = trust(&root);
    let spot = subject(&origin, "repo:a/b:*");
    assert_eq!(
        (spot.text.as_str(), spot.literal, spot.line),
        ("\"repo:a/b:*\"", true, 9)
    );
    assert_eq!(spot.replaced_by("a${b").as_deref(), Some("\"a$${b\""));
    let principal = origin.policy_part(PolicyPart::ElementValue(0, "Principal", "p${x}"));
    assert_eq!(
        (principal.text.as_str(), principal.literal),
        ("\"${local.é}$${x}\"", false)
    );
}

#[test]
fn json_in_a_quoted_string_is_found_behind_its_escapes() {
    let root = read_text(
        "resource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = \"{\\n\\\"Statement\\\": \
         [{\\\"Effect\\\": \\\"Allow\\\", \\\"Action\\\": \\\"sts:*\\\"}]}\"\n}\n",
    );
    let spot = trust(&root).policy_part(PolicyPart::ElementValue(0, "Action", "sts:*"));
    assert_eq!((spot.text.as_str(), spot.literal), (r#"\"sts:*\""#, true));
    assert_eq!(spot.replaced_by("sts:A").as_deref(), Some(r#"\"sts:A\""#));
}

#[test]
fn modules_arguments_and_variable_files_are_followed() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write(
        "main.tf",
        "variable \"subjects\" {\n  type = list(string)\n}\nmodule \"role\" {\n  source   = \"./role\"\n  subjects = var.subjects\n}\n",
    );
    write("terraform.tfvars", "subjects = [\n  \"repo:a/b:*\",\n]\n");
    let text = DOCUMENT.replace("SUBJECTS", "var.subjects");
    write(
        "role/main.tf",
        &format!("{text}variable \"subjects\" {{\n  type = set(string)\n}}\n"),
    );
    let root = read(directory.path());
    let roles = root.aws().roles;
    assert_eq!(roles[0].address, "module.role.aws_iam_role.a");
    let spot = subject(&roles[0].trust_origin, "repo:a/b:*");
    assert!(spot.file.ends_with("terraform.tfvars"), "{spot:?}");
    assert_eq!((spot.line, spot.literal), (2, true));
    assert_eq!(covered(&root, &spot), "\"repo:a/b:*\"");
}

#[test]
fn the_production_roots_subjects_are_those_of_the_module() {
    let root = read(&infra().join("production"));
    let resources = root.aws();
    let role = &resources.roles[0];
    assert_eq!(role.address, "module.github_oidc.aws_iam_role.publisher");
    let spot = subject(
        &role.trust_origin,
        "repo:acme/portfolio:ref:refs/heads/main",
    );
    assert_eq!(
        spot.text,
        "\"repo:${var.github_repository}:${local.context}\""
    );
    let declared = &role.inline_declarations["push"];
    assert_eq!(
        declared.address,
        "module.github_oidc.aws_iam_role_policy.push"
    );
    let spot = declared
        .document
        .policy_part(PolicyPart::ElementValue(1, "Action", "ecr:PutImage"));
    assert_eq!(
        (spot.text.as_str(), spot.literal),
        ("\"ecr:PutImage\"", true)
    );
    let repository = root.resource(&resources.repositories[0].address).unwrap();
    let mutability = repository.origin("image_tag_mutability").unwrap().spot();
    assert_eq!(mutability.text, "\"IMMUTABLE_WITH_EXCLUSION\"");
    assert_eq!(
        repository.place_of("image_tag_mutability").line,
        mutability.line
    );
    assert_eq!(repository.place_of("no_such"), repository.place);
}

#[test]
fn attached_policies_know_what_attaches_them() {
    let resources = read(&crate::fixture("modules")).aws();
    let role = &resources.roles[1];
    let attached = &role.attachments["arn:aws:iam::123456789012:policy/team-1-read"];
    assert_eq!(
        attached.address,
        "module.team[1].aws_iam_role_policy_attachment.this"
    );
    assert_eq!(
        resources.policies[1].declaration.address,
        "module.team[1].aws_iam_policy.this"
    );
}

#[test]
fn origins_that_multiply_come_back() {
    let mut text = String::from("locals {\n  a0 = [\"x\"]\n");
    for level in 1..40 {
        let before = level - 1;
        text.push_str(&format!(
            "  a{level} = concat(local.a{before}, local.a{before}, local.a{before})\n"
        ));
    }
    text.push_str("}\nresource \"aws_iam_role\" \"a\" {\n  name = \"a\"\n  assume_role_policy = \"{}\"\n  managed_policy_arns = local.a39\n}\n");
    drop(read_text(&text).aws());
}
