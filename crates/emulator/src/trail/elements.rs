//! `requestParameters` and `responseElements`: names begin with a small letter,
//! and moments are written as people write them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::query::Parameters;

/// Parameters and elements of the Query protocol that are numbers or truth values.
const NUMBERS: [&str; 6] = [
    "AttachmentCount",
    "DurationSeconds",
    "MaxItems",
    "MaxSessionDuration",
    "PackedPolicySize",
    "PermissionsBoundaryUsageCount",
];
const TRUTHS: [&str; 6] = [
    "IsAttachable",
    "IsDefaultVersion",
    "IsTruncated",
    "OnlyAttached",
    "PasswordResetRequired",
    "SetAsDefault",
];

/// A moment as CloudTrail writes it in `responseElements`:
/// `Jul 9, 2024, 4:41:37 PM`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}

/// What of a JSON body belongs into the trail: the members named in `known`.
/// Seconds since 1970 under a name that ends in `At` become a moment.
pub(crate) fn of_json(body: &Value, known: &[&str]) -> Value {
    known
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), with_moments(name, body.get(name)?))))
        .collect::<Map<_, _>>()
        .into()
}

/// An answer of the JSON protocol as the trail shows it.
pub(super) fn of_answer(answer: &Value) -> Value {
    with_moments("", answer)
}

fn with_moments(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), with_moments(name, value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| with_moments(name, element))
            .collect(),
        Value::Number(number) if name.ends_with("At") => {
            let seconds = number.as_f64().unwrap_or_default();
            match Timestamp::UNIX_EPOCH.checked_add(jiff::SignedDuration::from_secs_f64(seconds)) {
                Ok(time) => moment(time).into(),
                Err(_) => value.clone(),
            }
        }
        other => other.clone(),
    }
}

/// What of the parameters of the Query protocol belongs into the trail: those
/// whose first word is in `known`.
pub(crate) fn of_query(parameters: &Parameters, known: &[&str]) -> Value {
    let mut tree = Node::default();
    for (name, value) in parameters.iter() {
        let mut steps = name.split('.');
        let first = steps.next().unwrap_or_default();
        if known.contains(&first) {
            tree.insert(&mut name.split('.'), value);
        }
    }
    tree.into_json("")
}

/// A parameter, a structure or a list.
#[derive(Debug, Default)]
struct Node {
    text: Option<String>,
    /// By name; those of a list by their number.
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert<'a>(&mut self, steps: &mut impl Iterator<Item = &'a str>, value: &str) {
        match steps.next() {
            Some(step) => self
                .children
                .entry(step.to_owned())
                .or_default()
                .insert(steps, value),
            None => self.text = Some(value.to_owned()),
        }
    }

    fn into_json(mut self, name: &str) -> Value {
        if let Some(list) = self.children.remove("member") {
            let mut members: Vec<_> = list.children.into_iter().collect();
            members.sort_by_key(|(position, _)| position.parse::<u32>().unwrap_or(u32::MAX));
            return members
                .into_iter()
                .map(|(_, member)| member.into_json(""))
                .collect();
        }
        match self.text {
            Some(text) if self.children.is_empty() => typed(name, &text),
            _ => self
                .children
                .into_iter()
                .map(|(name, node)| {
                    let value = node.into_json(&name);
                    (small(&name), value)
                })
                .collect::<Map<_, _>>()
                .into(),
        }
    }
}

/// The value of the parameter or element `name`.
pub(crate) fn typed(name: &str, text: &str) -> Value {
    if NUMBERS.contains(&name)
        && let Ok(number) = text.parse::<i64>()
    {
        return number.into();
    }
    if TRUTHS.contains(&name) {
        return json!(text.eq_ignore_ascii_case("true"));
    }
    text.into()
}

/// The name with a small first letter.
pub(crate) fn small(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_written_as_in_the_examples_of_aws() {
        let time: Timestamp = "2025-02-12T23:16:48Z".parse().unwrap();
        assert_eq!(moment(time), "Feb 12, 2025, 11:16:48 PM");
    }

    #[test]
    fn lists_structures_and_numbers_of_a_query_become_json() {
        let text = b"Action=CreateRole&RoleName=r&MaxSessionDuration=7200&WebIdentityToken=eyJ\
            &Tags.member.2.Key=b&Tags.member.2.Value=2&Tags.member.10.Key=c\
            &Tags.member.1.Key=a&Tags.member.1.Value=1";
        let parameters = Parameters::parse(text).unwrap();
        assert_eq!(
            of_query(&parameters, &["RoleName", "Tags", "MaxSessionDuration"]),
            json!({
                "maxSessionDuration": 7200,
                "roleName": "r",
                "tags": [
                    { "key": "a", "value": "1" },
                    { "key": "b", "value": "2" },
                    { "key": "c" },
                ],
            })
        );
    }

    #[test]
    fn only_known_members_of_a_body_are_kept() {
        let body = json!({
            "repository": { "createdAt": 1_739_402_208.5, "name": "app" }, "layerPartBlob": "AAAA",
        });
        assert_eq!(
            of_json(&body, &["repository"]),
            json!({ "repository": { "createdAt": "Feb 12, 2025, 11:16:48 PM", "name": "app" } })
        );
    }

    proptest! {
        #[test]
        fn any_parameters_become_json_without_panic(
            names in proptest::collection::btree_map("(A|member|[0-9]{1,2}|\\.){1,8}", "[ -~]{0,5}", 0..6)
        ) {
            let text: String = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(names)
                .finish();
            let parameters = Parameters::parse(text.as_bytes()).unwrap();
            let _ = of_query(&parameters, &["A", ""]);
        }
    }
}
