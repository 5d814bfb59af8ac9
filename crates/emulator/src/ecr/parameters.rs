//! Reading the parameters of the JSON API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use oci::{Digest, RepositoryName};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::EcrError;
use super::model::{DIGEST, REPOSITORY_NAME};

/// The parameters that name a repository.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RepositoryParameters {
    repository_name: String,
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
        repository_name(&self.repository_name)
    }
}

/// A repository's name. The model has been here before: what it let pass and is
/// still no name is refused with the same sentence.
pub(super) fn repository_name(text: &str) -> Result<RepositoryName, EcrError> {
    text.parse().map_err(|_| {
        EcrError::parameter(
            "repositoryName",
            &format!("must satisfy regular expression '{REPOSITORY_NAME}'"),
        )
    })
}

/// A digest that the registry can know: its algorithm is one of the registered.
pub(super) fn digest(parameter: &str, text: &str) -> Result<Digest, EcrError> {
    text.parse().map_err(|_| {
        EcrError::parameter(
            parameter,
            &format!("must satisfy regular expression '{DIGEST}'"),
        )
    })
}

impl Page {
    /// Refuses pages of a list of named images: such a list has no pages.
    pub(super) fn without(&self, images_are_named: bool) -> Result<(), EcrError> {
        let is_used = self.next_token.is_some() || self.max_results.is_some();
        if is_used && images_are_named {
            // Inferred sentence for a documented rule.
            return Err(EcrError::parameter(
                "imageIds",
                "cannot be used together with nextToken or maxResults",
            ));
        }
        Ok(())
    }

    /// How many items are wanted; `usual` without a limit.
    pub(super) fn limit(&self, usual: usize) -> usize {
        self.max_results.unwrap_or(usual)
    }

    /// The key of the last item of the page before; empty for the first page.
    pub(super) fn after(&self) -> Result<String, EcrError> {
        let token = self.next_token.as_deref();
        Ok(token.map(last_key).transpose()?.unwrap_or_default())
    }

    /// Cuts `items`, of which one more than `limit` was read if there is one,
    /// and returns the token of the next page.
    pub(super) fn end<T>(
        items: &mut Vec<T>,
        limit: usize,
        key: impl Fn(&T) -> String,
    ) -> Option<String> {
        if items.len() <= limit {
            return None;
        }
        items.truncate(limit);
        items.last().map(|last| URL_SAFE_NO_PAD.encode(key(last)))
    }

    /// The part of `items`, sorted by `key`, that is wanted, and the token of
    /// the next part. `usual` is how many there are without a limit.
    pub(super) fn cut<T>(
        &self,
        items: Vec<T>,
        key: impl Fn(&T) -> String,
        usual: usize,
    ) -> Result<(Vec<T>, Option<String>), EcrError> {
        let limit = self.max_results.unwrap_or(usual);
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
                .cut(items.clone(), Clone::clone, 100)
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
    fn a_token_of_another_make_is_a_parameter_out_of_constraint() {
        for token in ["*", "_w"] {
            let error = page(Some(token.to_owned()), None)
                .cut(vec!["a".to_owned()], Clone::clone, 100)
                .unwrap_err();
            assert_eq!(error.code, "InvalidParameterException");
        }
    }

    #[test]
    fn times_are_numbers() {
        let time = Timestamp::from_millisecond(1_700_000_000_250).unwrap();
        assert_eq!(epoch(time).to_string(), "1700000000.25");
    }
}
