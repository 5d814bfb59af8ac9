//! Documents that are merged by statement id.

use serde_json::{Value as Json, json};
use terraform::{PolicyPart, Root};

use crate::read_text_in_region as read_text;

/// A root whose output is what the documents `one` and `two` are merged into.
fn merged(arguments: &str) -> Root {
    read_text(&format!(
        "data \"aws_iam_policy_document\" \"one\" {{\n  statement {{\n    sid = \"One\"\n    actions = [\"a:A\"]\n  }}\n  \
         statement {{\n    actions = [\"a:Nameless\"]\n  }}\n}}\n\
         data \"aws_iam_policy_document\" \"two\" {{\n  statement {{\n    sid = \"Two\"\n    actions = [\"a:B\"]\n  }}\n}}\n\
         data \"aws_iam_policy_document\" \"merged\" {{\n{arguments}\n}}\n\
         output \"merged\" {{\n  value = data.aws_iam_policy_document.merged.json\n}}\n\
         resource \"aws_iam_policy\" \"a\" {{\n  name = \"a\"\n  policy = data.aws_iam_policy_document.merged.minified_json\n}}\n"
    ))
}

fn actions(root: &Root) -> Vec<Json> {
    let document: Json = serde_json::from_str(root.outputs["merged"].as_str().unwrap()).unwrap();
    document["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| statement["Action"].clone())
        .collect()
}

const ONE: &str = "data.aws_iam_policy_document.one.json";
const TWO: &str = "data.aws_iam_policy_document.two.json";

#[test]
fn sources_come_before_the_documents_own_statements() {
    let root = merged(&format!(
        "  source_policy_documents = [{TWO}, {ONE}]\n  statement {{\n    actions = [\"a:Own\"]\n  }}"
    ));
    assert_eq!(
        actions(&root),
        [
            json!("a:B"),
            json!("a:A"),
            json!("a:Nameless"),
            json!("a:Own")
        ]
    );
    let policy = &root.aws().policies[0];
    let spot = |index, action| {
        let part = PolicyPart::ElementValue(index, "Action", action);
        policy.declaration.document.policy_part(part)
    };
    assert_eq!(spot(2, "a:Nameless").text, "\"a:Nameless\"");
    assert_eq!(spot(3, "a:Own").text, "\"a:Own\"");
}

#[test]
fn an_overriding_statement_takes_the_place_of_the_one_with_its_id() {
    let root = merged(&format!(
        "  statement {{\n    sid = \"One\"\n    actions = [\"a:Own\"]\n  }}\n  statement {{\n    actions = [\"a:Last\"]\n  }}\n  override_policy_documents = [{ONE}]"
    ));
    assert_eq!(
        actions(&root),
        [json!("a:A"), json!("a:Last"), json!("a:Nameless")]
    );
    let document = &root.aws().policies[0].declaration.document;
    let spot = document.policy_part(PolicyPart::ElementValue(0, "Action", "a:A"));
    assert_eq!(spot.text, "\"a:A\"");
}

#[test]
fn what_the_provider_refuses_or_what_is_not_understood_is_unknown() {
    for arguments in [
        format!("  source_policy_documents = [{ONE}, {ONE}]"),
        "  source_policy_documents = [\"not JSON\"]".to_owned(),
        "  source_policy_documents = [null]".to_owned(),
        "  source_policy_documents = [jsonencode({ Statement = {} })]".to_owned(),
        "  source_policy_documents = [jsonencode({ statement = [] })]".to_owned(),
        "  source_policy_documents = [aws_iam_policy.none.policy]".to_owned(),
        format!("  source_json = {ONE}"),
    ] {
        let root = merged(&arguments);
        assert!(
            root.outputs["merged"].unknown_reason().is_some(),
            "{arguments}"
        );
    }
}

#[test]
fn the_later_version_and_the_last_id_are_kept() {
    let root = merged(
        "  version = \"2008-10-17\"\n  policy_id = \"own\"\n  override_policy_documents = [jsonencode({ Version = \"2012-10-17\", Id = \"last\", Statement = [] })]",
    );
    let document: Json = serde_json::from_str(root.outputs["merged"].as_str().unwrap()).unwrap();
    assert_eq!(document, json!({ "Version": "2012-10-17", "Id": "last" }));
}
