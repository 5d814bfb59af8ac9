//! `LookupEvents`: the management events of the last ninety days in one account
//! and region, newest first.
//!
//! The rate of two requests a second is not enforced.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::listed;
use super::page;
use crate::error::AwsError;
use crate::state::State;
use crate::trail::{Attribute, Query, Term};

/// How far back events are kept for lookups.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);
/// Events in one answer, at most and by default.
const MOST: i64 = 50;
/// Characters of a value; some count twice.
const LONGEST_VALUE: usize = 2_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameters {
    #[serde(default)]
    lookup_attributes: Vec<LookupAttribute>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    event_category: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LookupAttribute {
    attribute_key: Option<String>,
    attribute_value: Option<String>,
}

/// Answers for `account` and `region`. The caller has been authorized.
pub(super) fn look_up(
    state: &State,
    account: &str,
    region: &str,
    body: Value,
) -> Result<Value, AwsError> {
    let parameters: Parameters = serde_json::from_value(body)
        .map_err(|error| AwsError::invalid("SerializationException", error.to_string()))?;
    let attribute = attribute(&parameters.lookup_attributes)?;
    let seconds = seconds(&parameters, state.clock.now())?;
    let limit = limit(parameters.max_results)?;
    let question = format!(
        "{account} {region} {attribute:?} {:?} {:?}",
        parameters.start_time, parameters.end_time
    );
    let before = parameters
        .next_token
        .as_deref()
        .map(|token| page::position(token, &question).ok_or_else(invalid_token))
        .transpose()?;
    // CloudTrail has no Insights events of an account without a trail for them.
    if is_insight(parameters.event_category.as_deref())? {
        return Ok(json!({ "Events": [] }));
    }
    let region = Term::new(Attribute::Region, region);
    let mut found = state
        .trail
        .query(&Query {
            account: Some(account.to_owned()),
            seconds,
            before,
            terms: attribute.into_iter().chain([region]).collect(),
            // One more tells whether there is another page.
            limit: limit + 1,
        })
        .map_err(|error| AwsError::new(500, "InternalFailure", error.to_string()))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let mut answer = json!({ "Events": found.iter().map(listed).collect::<Vec<_>>() });
    if let Some(last) = found.last().filter(|_| has_more) {
        answer["NextToken"] = json!(page::token(last.position, &question));
    }
    Ok(answer)
}

/// The one attribute that may be asked for. AWS's sentences are not known
/// (inferred).
fn attribute(attributes: &[LookupAttribute]) -> Result<Option<Term>, AwsError> {
    let invalid = |message: &str| AwsError::invalid("InvalidLookupAttributesException", message);
    let asked = match attributes {
        [] => return Ok(None),
        [asked] => asked,
        _ => return Err(invalid("The list can contain only one lookup attribute.")),
    };
    let key = match asked.attribute_key.as_deref() {
        Some("EventId") => Attribute::EventId,
        Some("EventName") => Attribute::EventName,
        Some("ReadOnly") => Attribute::ReadOnly,
        Some("Username") => Attribute::Username,
        Some("ResourceType") => Attribute::ResourceType,
        Some("ResourceName") => Attribute::ResourceName,
        Some("EventSource") => Attribute::EventSource,
        Some("AccessKeyId") => Attribute::AccessKeyId,
        _ => return Err(invalid("The attribute key is not valid.")),
    };
    let value = asked.attribute_value.as_deref().unwrap_or_default();
    let counted = value.chars().map(|character| match character {
        '_' | ' ' | ',' | '\n' => 2,
        _ => 1,
    });
    let length: usize = counted.sum();
    if !(1..=LONGEST_VALUE).contains(&length) {
        return Err(invalid(
            "The attribute value must have 1 to 2000 characters.",
        ));
    }
    Ok(Some(Term::new(key, value)))
}

/// The seconds that are wanted, none of them more than ninety days ago (that an
/// earlier start is no error is inferred).
fn seconds(
    parameters: &Parameters,
    now: Timestamp,
) -> Result<std::ops::RangeInclusive<i64>, AwsError> {
    let invalid = || {
        AwsError::invalid(
            "InvalidTimeRangeException",
            "The start time must not be after the end time.",
        )
    };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what lies outside of the range is at its end"
    )]
    let whole = |seconds: f64| seconds.floor() as i64;
    let (start, end) = (parameters.start_time, parameters.end_time);
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(invalid());
    }
    let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    let start = start.map_or(i64::MIN, |start| {
        // An event of a second is after a start within it.
        whole(start) + i64::from(start.fract() > 0.0)
    });
    let end = end.map_or(i64::MAX, whole);
    Ok(start.max(oldest.as_second())..=end)
}

fn limit(asked: Option<i64>) -> Result<usize, AwsError> {
    let limit = asked.unwrap_or(MOST);
    usize::try_from(limit)
        .ok()
        .filter(|_| (1..=MOST).contains(&limit))
        .ok_or_else(|| {
            AwsError::invalid(
                "InvalidMaxResultsException",
                format!("MaxResults must be between 1 and {MOST}."),
            )
        })
}

fn is_insight(category: Option<&str>) -> Result<bool, AwsError> {
    match category {
        None => Ok(false),
        Some("insight") => Ok(true),
        Some(_) => Err(AwsError::invalid(
            "InvalidEventCategoryException",
            "The event category must be insight.",
        )),
    }
}

fn invalid_token() -> AwsError {
    AwsError::invalid(
        "InvalidNextTokenException",
        "The token is not valid, or was given for other parameters.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(key: &str, value: &str) -> Result<Option<Term>, AwsError> {
        attribute(&[LookupAttribute {
            attribute_key: Some(key.to_owned()),
            attribute_value: Some(value.to_owned()),
        }])
    }

    #[test]
    fn every_key_of_the_model_is_known_and_no_other() {
        for key in [
            "EventId",
            "EventName",
            "ReadOnly",
            "Username",
            "ResourceType",
            "ResourceName",
            "EventSource",
            "AccessKeyId",
        ] {
            assert!(asked(key, "x").is_ok(), "{key}");
        }
        let error = asked("Region", "x").unwrap_err();
        assert_eq!(error.code, "InvalidLookupAttributesException");
    }

    #[test]
    fn underscores_spaces_commas_and_line_breaks_count_twice() {
        assert!(asked("EventName", &"x".repeat(2_000)).is_ok());
        assert!(asked("EventName", &"_".repeat(1_000)).is_ok());
        for wrong in [String::new(), "x".repeat(2_001), ", ".repeat(501)] {
            let error = asked("EventName", &wrong).unwrap_err();
            assert_eq!(error.code, "InvalidLookupAttributesException");
        }
    }

    #[test]
    fn a_range_ends_ninety_days_ago_and_never_runs_backwards() {
        let of = |start, end| {
            let parameters = json!({ "StartTime": start, "EndTime": end });
            let parameters = serde_json::from_value(parameters).unwrap();
            seconds(&parameters, Timestamp::from_second(10_000_000).unwrap())
        };
        let oldest = 10_000_000 - 90 * 86_400;
        assert_eq!(of(None::<f64>, None), Ok(oldest..=i64::MAX));
        assert_eq!(of(Some(0.0), Some(9_999_999.5)), Ok(oldest..=9_999_999));
        assert_eq!(of(Some(9_000_000.5), None), Ok(9_000_001..=i64::MAX));
        let error = of(Some(5.0), Some(4.0)).unwrap_err();
        assert_eq!(error.code, "InvalidTimeRangeException");
    }

    #[test]
    fn the_number_of_events_has_bounds() {
        assert_eq!(limit(None), Ok(50));
        for wrong in [0, 51, -1, i64::MAX] {
            assert_eq!(
                limit(Some(wrong)).unwrap_err().code,
                "InvalidMaxResultsException"
            );
        }
    }
}
