//! What never reaches the trail, whatever it was noted under.

use serde_json::Value;

/// How CloudTrail shows that a value was left out.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// The same value without secrets: `secretAccessKey` goes altogether, as in
/// CloudTrail; whatever else is named like a secret is hidden. CloudTrail shows
/// the session token of an `AssumeRole`; here it is hidden too.
pub(super) fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("secretAccessKey"))
            .map(|(name, value)| {
                let value = if is_secret(&name) {
                    Value::from(HIDDEN)
                } else {
                    without_secrets(value)
                };
                (name, value)
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.into_iter().map(without_secrets).collect(),
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    const NAMES: [&str; 4] = [
        "authorizationtoken",
        "samlassertion",
        "sessiontoken",
        "webidentitytoken",
    ];
    const PARTS: [&str; 4] = ["password", "privatekey", "secret", "tokencode"];
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_at_any_depth_and_page_tokens_are_not() {
        let value = json!({
            "credentials": { "accessKeyId": "ASIA1", "secretAccessKey": "s", "sessionToken": "t" },
            "authorizationData": [{ "authorizationToken": "QVdTOnB3" }],
            "webIdentityToken": "eyJ", "newPassword": "p", "nextToken": "page",
        });
        assert_eq!(
            without_secrets(value),
            json!({
                "credentials": { "accessKeyId": "ASIA1", "sessionToken": HIDDEN },
                "authorizationData": [{ "authorizationToken": HIDDEN }],
                "webIdentityToken": HIDDEN, "newPassword": HIDDEN, "nextToken": "page",
            })
        );
    }
}
