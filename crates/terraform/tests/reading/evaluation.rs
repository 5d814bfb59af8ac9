//! The language and the policy documents, against what Terraform made of the
//! same files (recorded; `oracle.rs` records again and compares).

use serde_json::Value as Json;

use crate::{fixture, outputs, read, recorded};

#[test]
fn every_output_of_the_language_fixture_is_what_terraform_gives() {
    let (ours, terraform) = (outputs(&read(&fixture("language"))), recorded("language"));
    for (name, expected) in &terraform {
        assert_eq!(&ours[name], expected, "output {name}");
    }
    assert_eq!(ours.len(), terraform.len());
}

#[test]
fn policy_documents_are_what_the_provider_writes() {
    let (ours, provider) = (outputs(&read(&fixture("documents"))), recorded("documents"));
    for (name, expected) in &provider {
        if name == "joined_principals" {
            // The order of identifiers of two blocks follows the provider's
            // hashes; for IAM it is a set.
            assert_eq!(unordered(&ours[name]), unordered(expected));
        } else {
            assert_eq!(&ours[name], expected, "output {name}");
        }
    }
}

/// A document in text with every list sorted.
pub(crate) fn unordered(document: &Json) -> Json {
    fn sorted(value: Json) -> Json {
        match value {
            Json::Array(mut items) => {
                items.sort_by_key(Json::to_string);
                Json::Array(items.into_iter().map(sorted).collect())
            }
            Json::Object(entries) => Json::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            ),
            other => other,
        }
    }
    sorted(serde_json::from_str(document.as_str().unwrap()).unwrap())
}
