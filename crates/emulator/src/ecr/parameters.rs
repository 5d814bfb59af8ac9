//! Reading the parameters of the JSON API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use oci::{Digest, RepositoryName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{EcrError, Registry, is_account};
use crate::caller::Caller;

/// The pattern of repository names in the service model, quoted in refusals.
const NAME_PATTERN: &str =
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*";

/// The parameters that name a repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RepositoryParameters {
    pub(super) repository_name: Option<String>,
}

/// Which part of a list is wanted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) next_token: Option<String>,
    pub(super) max_results: Option<usize>,
}

/// One image, by digest, by tag, or by both.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImageIdentifier {
    pub(super) image_digest: Option<String>,
    pub(super) image_tag: Option<String>,
}

impl ImageIdentifier {
    /// As the API writes it: members that are absent are left out.
    pub(super) fn to_json(&self) -> Value {
        let mut value = json!({});
        if let Some(digest) = &self.image_digest {
            value["imageDigest"] = json!(digest);
        }
        if let Some(tag) = &self.image_tag {
            value["imageTag"] = json!(tag);
        }
        value
    }

    /// As AWS's sentences write it.
    pub(super) fn in_words(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        format!(
            "{{imageDigest:'{}', imageTag:'{}'}}",
            text(&self.image_digest),
            text(&self.image_tag)
        )
    }
}

/// Parses the body of a request.
pub(super) fn parse<T: DeserializeOwned>(body: Value) -> Result<T, EcrError> {
    serde_json::from_value(body)
        .map_err(|error| EcrError::client("SerializationException", error.to_string()))
}

impl RepositoryParameters {
    /// The repository's name, checked.
    pub(super) fn name(&self) -> Result<RepositoryName, EcrError> {
        repository_name(self.repository_name.as_deref())
    }
}

/// The registry that a request is for: that of the account in `registryId`, or
/// of the caller's own, in the region that the caller asks in.
pub(super) fn registry(body: &Value, caller: &Caller) -> Result<Registry, EcrError> {
    let account = match &body["registryId"] {
        Value::Null => caller.principal.account().unwrap_or_default(),
        Value::String(id) => checked_account(id)?,
        _ => {
            let message = "registryId must be a string";
            return Err(EcrError::client("SerializationException", message));
        }
    };
    Ok(Registry::new(account, &caller.region))
}

/// An account's id, checked.
pub(super) fn checked_account(id: &str) -> Result<&str, EcrError> {
    if is_account(id) {
        return Ok(id);
    }
    let constraint = "must satisfy regular expression '[0-9]{12}'";
    Err(EcrError::parameter("registryId", constraint))
}

/// The name of a repository, checked.
pub(super) fn repository_name(text: Option<&str>) -> Result<RepositoryName, EcrError> {
    required("repositoryName", text)?.parse().map_err(|_| {
        EcrError::parameter(
            "repositoryName",
            &format!("must satisfy regular expression '{NAME_PATTERN}'"),
        )
    })
}

/// A parameter that must be there.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, EcrError> {
    // Inferred sentence, in the shape of the known ones.
    value.ok_or_else(|| EcrError::parameter(name, "must not be null"))
}

/// A digest, checked.
pub(super) fn digest(parameter: &str, text: &str) -> Result<Digest, EcrError> {
    text.parse().map_err(|_| {
        EcrError::parameter(
            parameter,
            "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        )
    })
}

/// How many of a list's elements are asked for at once.
pub(super) fn count<T>(name: &str, list: &[T], most: usize) -> Result<(), EcrError> {
    if list.is_empty() {
        return Err(EcrError::parameter(
            name,
            "must have length greater than or equal to 1",
        ));
    }
    if list.len() > most {
        return Err(EcrError::parameter(
            name,
            &format!("must have length less than or equal to {most}"),
        ));
    }
    Ok(())
}

impl Page {
    /// The part of `items`, sorted by `key`, that is wanted, and the token of
    /// the next part. `most` is the API's limit, `usual` its default.
    pub(super) fn cut<T>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
        (usual, most): (usize, usize),
    ) -> Result<(Vec<T>, Option<String>), EcrError> {
        let limit = self.max_results.unwrap_or(usual);
        if limit == 0 || limit > most {
            return Err(EcrError::parameter(
                "maxResults",
                &format!("must have value between 1 and {most}"),
            ));
        }
        let after = self.next_token.as_deref().map(last_key).transpose()?;
        let mut rest = items
            .into_iter()
            .filter(|item| after.as_ref().is_none_or(|after| key(item) > *after));
        let page: Vec<T> = rest.by_ref().take(limit).collect();
        let token = match (rest.next(), page.last()) {
            (Some(_), Some(last)) => Some(URL_SAFE_NO_PAD.encode(key(last))),
            _ => None,
        };
        Ok((page, token))
    }
}

/// The last key of the page before: what a token holds.
fn last_key(token: &str) -> Result<String, EcrError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| EcrError::parameter("nextToken", "Invalid token"))
}

/// A time as the JSON protocol writes it: seconds since 1970, with a fraction.
pub(super) fn epoch(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    serde_json::from_str(&format!(
        "{}.{:03}",
        milliseconds.div_euclid(1000),
        milliseconds.rem_euclid(1000)
    ))
    .unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(next_token: Option<String>, max_results: Option<usize>) -> Page {
        Page {
            next_token,
            max_results,
        }
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let items: Vec<String> = (0..7).map(|number| number.to_string()).collect();
        let mut seen = Vec::new();
        let mut token = None;
        loop {
            let (part, next) = page(token, Some(3))
                .cut(items.clone(), Clone::clone, (100, 1000))
                .unwrap();
            seen.extend(part);
            token = next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn bad_tokens_and_limits_are_parameters_out_of_constraint() {
        for wrong in [
            page(Some("*".to_owned()), None),
            page(None, Some(0)),
            page(None, Some(1001)),
        ] {
            let error = wrong
                .cut(vec!["a".to_owned()], Clone::clone, (100, 1000))
                .unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
        }
    }

    #[test]
    fn a_bad_repository_name_is_answered_with_the_sentence_of_aws() {
        let error = repository_name(Some("../etc")).unwrap_err();
        assert!(
            error.message.starts_with(
                "Invalid parameter at 'repositoryName' failed to satisfy constraint: \
                 'must satisfy regular expression '[a-z0-9]+"
            ),
            "{error}"
        );
    }

    #[test]
    fn times_are_numbers() {
        let time = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        assert_eq!(epoch(time).to_string(), "1700000000.25");
    }
}
