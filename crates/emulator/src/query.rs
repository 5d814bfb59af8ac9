//! Parameters of the Query protocol, from a form body or a query string.
//!
//! Lists are written `Name.member.1`, structures in them
//! `Name.member.1.Field` (IAM User Guide, "Making query requests").

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::error::{AwsError, NOT_NULL};

/// Parameters that AWS does not repeat in its messages.
const SECRETS: [&str; 2] = ["WebIdentityToken", "TokenCode"];

/// The parameters of one request, each name once.
#[derive(Debug, Default)]
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text. A name that comes twice
    /// is refused (inferred): two readers might take different ones.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, AwsError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if let Some(_first) = parameters.insert(name.to_string(), value.into_owned()) {
                return Err(AwsError::invalid(
                    "MalformedQueryString",
                    format!("The parameter {name} is given more than once"),
                ));
            }
        }
        Ok(Self(parameters))
    }

    /// All names with their values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of `name`, which must be there and not empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, AwsError> {
        self.bounded(name, 1..=usize::MAX)
    }

    /// The value of `name`, within `length` characters.
    pub(crate) fn bounded(
        &self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<&str, AwsError> {
        let Some(value) = self.get(name) else {
            return Err(AwsError::validation(&member_name(name), None, NOT_NULL));
        };
        let characters = value.chars().count();
        if length.contains(&characters) {
            return Ok(value);
        }
        let constraint = if characters < *length.start() {
            format!(
                "Member must have length greater than or equal to {}",
                length.start()
            )
        } else {
            format!(
                "Member must have length less than or equal to {}",
                length.end()
            )
        };
        let shown = (!SECRETS.contains(&name)).then_some(value);
        Err(AwsError::validation(&member_name(name), shown, &constraint))
    }

    /// As `bounded`; `None` when the parameter is not given.
    pub(crate) fn optional(
        &self,
        name: &str,
        length: RangeInclusive<usize>,
    ) -> Result<Option<&str>, AwsError> {
        match self.get(name) {
            None => Ok(None),
            Some(_) => self.bounded(name, length).map(Some),
        }
    }

    /// `value`, the value of `name`, if every character is one of the pattern's.
    pub(crate) fn of_pattern<'a>(
        name: &str,
        value: &'a str,
        (pattern, allowed): (&str, fn(char) -> bool),
    ) -> Result<&'a str, AwsError> {
        if value.chars().all(allowed) {
            return Ok(value);
        }
        let constraint = format!("Member must satisfy regular expression pattern: {pattern}");
        Err(AwsError::validation(
            &member_name(name),
            Some(value),
            &constraint,
        ))
    }

    /// The number `name`, within `range`; `None` when it is not given.
    pub(crate) fn number(
        &self,
        name: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, AwsError> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = match text.parse::<i64>() {
            Ok(number) if range.contains(&number) => return Ok(Some(number)),
            Ok(number) => number,
            // Inferred.
            Err(_) => {
                let message = format!("Invalid number: {text}");
                return Err(AwsError::invalid("MalformedInput", message));
            }
        };
        let constraint = if number > *range.end() {
            format!(
                "Member must have value less than or equal to {}",
                range.end()
            )
        } else {
            format!(
                "Member must have value greater than or equal to {}",
                range.start()
            )
        };
        Err(AwsError::validation(
            &member_name(name),
            Some(text),
            &constraint,
        ))
    }

    /// The value of `name`, one of those of an enumeration; `None` when it is not
    /// given.
    pub(crate) fn one_of(&self, name: &str, values: &[&str]) -> Result<Option<&str>, AwsError> {
        match self.get(name) {
            Some(value) if !values.contains(&value) => {
                let values = values.join(", ");
                let constraint = format!("Member must satisfy enum value set: [{values}]");
                Err(AwsError::validation(
                    &member_name(name),
                    Some(value),
                    &constraint,
                ))
            }
            known => Ok(known),
        }
    }

    /// The boolean `name`; false when it is not given.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, AwsError> {
        match self.get(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => {
                let message = format!("Invalid boolean: {text}");
                Err(AwsError::invalid("MalformedInput", message))
            }
        }
    }

    /// The elements of a list of texts, in order: `Name.member.1` and on, until
    /// one is missing.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        self.fields(name, "")
    }

    /// The field `field` of the structures of a list, in order.
    pub(crate) fn fields(&self, name: &str, field: &str) -> Vec<&str> {
        (1..)
            .map_while(|position| self.get(&member(name, position, field)))
            .collect()
    }

    /// The tags under `Tags`, at most fifty (IAM User Guide, "Tagging").
    pub(crate) fn tags(&self) -> Result<BTreeMap<String, String>, AwsError> {
        let keys = self.fields("Tags", "Key");
        if keys.len() > 50 {
            return Err(AwsError::validation(
                "tags",
                None,
                "Member must have length less than or equal to 50",
            ));
        }
        let mut tags = BTreeMap::new();
        for (position, key) in (1..).zip(&keys) {
            let value = self.get(&member("Tags", position, "Value")).unwrap_or("");
            let lengths = (key.chars().count(), value.chars().count());
            if !(1..=128).contains(&lengths.0) || lengths.1 > 256 {
                let (member, value, longest) = if lengths.1 > 256 {
                    ("value", value, 256)
                } else {
                    ("key", *key, 128)
                };
                let constraint = if value.is_empty() {
                    "Member must have length greater than or equal to 1".to_owned()
                } else {
                    format!("Member must have length less than or equal to {longest}")
                };
                let member = format!("tags.{position}.member.{member}");
                return Err(AwsError::validation(&member, Some(value), &constraint));
            }
            let same = |known: &String| known.eq_ignore_ascii_case(key);
            let is_double = tags.keys().any(same);
            tags.insert((*key).to_owned(), value.to_owned());
            if is_double {
                return Err(AwsError::invalid(
                    "InvalidInput",
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
        }
        Ok(tags)
    }
}

fn member(name: &str, position: u32, field: &str) -> String {
    if field.is_empty() {
        format!("{name}.member.{position}")
    } else {
        format!("{name}.member.{position}.{field}")
    }
}

/// AWS names a parameter in its messages with a small first letter.
fn member_name(name: &str) -> String {
    let mut characters = name.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_at_the_first_gap() {
        let text = b"A.member.1=x&A.member.2=y&A.member.4=z&P.member.1.arn=q";
        let parameters = Parameters::parse(text).unwrap();
        assert_eq!(parameters.list("A"), ["x", "y"]);
        assert_eq!(parameters.fields("P", "arn"), ["q"]);
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let error = Parameters::parse(b"RoleArn=a&RoleArn=b").unwrap_err();
        assert_eq!(error.code, "MalformedQueryString");
    }

    #[test]
    fn numbers_out_of_range_are_refused_and_missing_ones_are_none() {
        let parameters = Parameters::parse(b"D=899&E=x").unwrap();
        let number = |name| parameters.number(name, 900..=43_200).unwrap_err();
        assert_eq!(
            number("D").message,
            "1 validation error detected: Value '899' at 'd' failed to satisfy constraint: Member must have value greater than or equal to 900"
        );
        assert_eq!(number("E").code, "MalformedInput");
        assert_eq!(parameters.number("F", 0..=1), Ok(None));
    }
}
