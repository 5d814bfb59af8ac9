//! The value of `Principal` and `NotPrincipal`.

use super::json::Json;
use super::parse::{texts, wrong_type};
use super::{ParseError, PrincipalEntry, PrincipalSet, PrincipalType};

/// Reads `"*"` or an object of lists by type.
pub(super) fn set(json: Json, path: &str) -> Result<PrincipalSet, ParseError> {
    let entries = match json {
        Json::Text(value) if value == "*" => return Ok(PrincipalSet::Everyone),
        Json::Text(value) => {
            return Err(ParseError::WrongValue {
                path: path.to_owned(),
                value,
                wanted: "`*` or an object such as {\"AWS\": ..}",
            });
        }
        Json::Object(entries) if entries.is_empty() => {
            return Err(ParseError::Empty {
                path: path.to_owned(),
            });
        }
        Json::Object(entries) => entries,
        other => return Err(wrong_type(&other, path, "`*` or an object")),
    };
    let mut listed = Vec::new();
    for (name, value) in entries {
        let kind = match name.as_str() {
            "AWS" => PrincipalType::Aws,
            "Federated" => PrincipalType::Federated,
            "Service" => PrincipalType::Service,
            "CanonicalUser" => PrincipalType::CanonicalUser,
            _ => {
                return Err(ParseError::UnknownElement {
                    path: path.to_owned(),
                    element: name,
                });
            }
        };
        let values = texts(value, &format!("{path}.{name}"))?;
        listed.extend(
            values
                .into_iter()
                .map(|value| PrincipalEntry { kind, value }),
        );
    }
    Ok(PrincipalSet::Listed(listed))
}
