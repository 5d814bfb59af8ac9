//! Tags, with those that the provider adds.

use std::collections::BTreeMap;

use super::AwsResources;
use crate::root::{Resource, Root};
use crate::value::Value;

/// A resource's tags over the provider's `default_tags`. A tag that is not known
/// is named in the unknowns and left out; the resource is kept.
pub(super) fn tags(
    root: &Root,
    resource: &Resource,
    found: &mut AwsResources,
) -> BTreeMap<String, String> {
    let own = resource.attributes.get("tags").unwrap_or(&Value::Null);
    let mut tags = BTreeMap::new();
    for (attribute, source) in [("default_tags", &root.default_tags), ("tags", own)] {
        match source {
            Value::Object(entries) => {
                for (key, value) in entries {
                    if let Some(text) = value.to_text() {
                        tags.insert(key.clone(), text);
                    } else {
                        tags.remove(key);
                    }
                }
            }
            Value::Unknown(_) => tags.clear(),
            _ => {}
        }
        if let Some(reason) = source.unknown_reason() {
            found.leave_out(resource, (attribute.to_owned(), reason.to_owned()));
        }
    }
    tags
}
