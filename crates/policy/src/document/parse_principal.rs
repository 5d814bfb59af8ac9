//! The value of `Principal` and `NotPrincipal`.

use super::error::Failure;
use super::json::{Json, Node};
use super::parse::{fault, texts, wrong_type, wrong_value};
use super::{Fault, PrincipalEntry, PrincipalSet, PrincipalType};

/// Reads `"*"` or an object of lists by type.
pub(super) fn set(node: &Node) -> Result<PrincipalSet, Failure> {
    let entries = match &node.value {
        Json::Text(value) if value == "*" => return Ok(PrincipalSet::Everyone),
        Json::Text(value) => {
            return Err(wrong_value(
                node,
                value,
                "`*` or an object such as {\"AWS\": ..}",
            ));
        }
        Json::Object(entries) if entries.is_empty() => return Err(fault(node.place, Fault::Empty)),
        Json::Object(entries) => entries,
        _ => return Err(wrong_type(node, "`*` or an object")),
    };
    let mut listed = Vec::new();
    for entry in entries {
        let kind = match entry.name.as_str() {
            "AWS" => PrincipalType::Aws,
            "Federated" => PrincipalType::Federated,
            "Service" => PrincipalType::Service,
            "CanonicalUser" => PrincipalType::CanonicalUser,
            _ => return Err(fault(entry.name_place, Fault::UnknownElement)),
        };
        listed.extend(
            texts(&entry.value)?
                .into_iter()
                .map(|value| PrincipalEntry { kind, value }),
        );
    }
    Ok(PrincipalSet::Listed(listed))
}
