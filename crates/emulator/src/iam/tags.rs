//! Tags of IAM resources, in requests, answers and condition keys.

use super::call::{Call, Context, limit};
use super::records::Tags;
use crate::error::AwsError;
use crate::xml::Xml;

const MAXIMUM: usize = 50;

/// The tags of the request.
pub(super) fn requested(call: &Call<'_>) -> Result<Tags, AwsError> {
    let tags = call.parameters.tags()?;
    if tags.keys().any(|key| is_reserved(key)) {
        return Err(AwsError::invalid(
            "InvalidInput",
            "Tag keys cannot start with the prefix aws:",
        ));
    }
    Ok(tags)
}

/// The keys of the tags to remove.
pub(super) fn requested_keys<'a>(call: &'a Call<'_>) -> Result<Vec<&'a str>, AwsError> {
    let keys = call.parameters.list("TagKeys");
    if keys.len() > MAXIMUM {
        return Err(AwsError::validation(
            "tagKeys",
            None,
            "Member must have length less than or equal to 50",
        ));
    }
    Ok(keys)
}

/// Adds `added` to `tags`, over those of the same key.
pub(super) fn add(tags: &mut Tags, added: Tags) -> Result<(), AwsError> {
    tags.extend(added);
    if tags.len() > MAXIMUM {
        return Err(limit("The number of tags has reached the maximum limit."));
    }
    Ok(())
}

/// Removes the tags of `keys`; they need not be there.
pub(super) fn remove(tags: &mut Tags, keys: &[&str]) {
    tags.retain(|key, _| !keys.contains(&key.as_str()));
}

/// The condition keys of a request that sets `tags`.
pub(super) fn request_context(tags: &Tags) -> Context {
    let mut context = key_context(tags.keys().map(String::as_str));
    for (key, value) in tags {
        context.push((format!("aws:RequestTag/{key}"), value.clone()));
    }
    context
}

/// The condition keys of a request that names the tag keys `keys`.
pub(super) fn key_context<'a>(keys: impl IntoIterator<Item = &'a str>) -> Context {
    keys.into_iter()
        .map(|key| ("aws:TagKeys".to_owned(), key.to_owned()))
        .collect()
}

/// The condition keys of a resource that has `tags`. `iam:ResourceTag` is the
/// older name of the same.
pub(super) fn resource_context(tags: &Tags) -> Context {
    tags.iter()
        .flat_map(|(key, value)| {
            ["aws", "iam"].map(|service| (format!("{service}:ResourceTag/{key}"), value.clone()))
        })
        .collect()
}

/// The element `Tags`.
pub(super) fn describe(xml: Xml, tags: &Tags) -> Xml {
    let members = tags
        .iter()
        .map(|(key, value)| Xml::new().text("Key", key).text("Value", value));
    xml.list("Tags", members)
}

fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_over_the_limit_is_refused_and_a_new_value_is_not() {
        let mut tags: Tags = (0..MAXIMUM)
            .map(|number| (number.to_string(), String::new()))
            .collect();
        let again = Tags::from([("0".to_owned(), "new".to_owned())]);
        add(&mut tags, again).unwrap();
        assert_eq!(tags["0"], "new");
        let more = Tags::from([("more".to_owned(), String::new())]);
        assert_eq!(add(&mut tags, more).unwrap_err().code, "LimitExceeded");
    }

    #[test]
    fn keys_of_aws_are_reserved_in_any_case() {
        assert!(is_reserved("AWS:x") && !is_reserved("awsx") && !is_reserved("éé"));
    }
}
